/* What the files of the hand-written addon share: reading arguments the way a
 * careful addon does, with a TypeError when one does not fit. */
#ifndef FFI_JIT_BENCH_ADDON_H
#define FFI_JIT_BENCH_ADDON_H

#define NAPI_VERSION 8
#include <node_api.h>

#include "bench.h"

#define ENTRY static napi_value
#define INFO napi_env env, napi_callback_info info

/* Evaluates a Node-API call; on failure throws and returns from the entry. */
#define TRY(call)                                             \
  do {                                                        \
    if ((call) != napi_ok) {                                  \
      bool pending = false;                                   \
      napi_is_exception_pending(env, &pending);               \
      if (!pending) napi_throw_type_error(env, NULL, #call);  \
      return NULL;                                            \
    }                                                         \
  } while (0)

/* Declares `argv` with exactly `count` arguments. */
#define ARGS(count)                                                 \
  napi_value argv[count];                                           \
  size_t argc = count;                                              \
  TRY(napi_get_cb_info(env, info, &argc, argv, NULL, NULL));        \
  if (argc < count) {                                               \
    napi_throw_type_error(env, NULL, "expected " #count " arguments"); \
    return NULL;                                                    \
  }

#define I32(name, value) \
  int32_t name;          \
  TRY(napi_get_value_int32(env, value, &name))
#define U32(name, value) \
  uint32_t name;         \
  TRY(napi_get_value_uint32(env, value, &name))
#define I64(name, value) \
  int64_t name;          \
  TRY(napi_get_value_int64(env, value, &name))
#define F64(name, value) \
  double name;           \
  TRY(napi_get_value_double(env, value, &name))
#define BOOL(name, value) \
  bool name;              \
  TRY(napi_get_value_bool(env, value, &name))
#define TEXT(name, size, value) \
  char name[size];              \
  TRY(napi_get_value_string_utf8(env, value, name, sizeof name, NULL))
#define POINTER(name, value) \
  void *name;                \
  TRY(napi_get_value_external(env, value, &name))

/* Declares `name` as the property of `object` of that name. */
#define FIELD(name, object)       \
  napi_value name##_value;        \
  TRY(napi_get_named_property(env, object, #name, &name##_value))

#define RETURN(create, ...)                      \
  do {                                           \
    napi_value returned;                         \
    TRY(create(env, __VA_ARGS__, &returned));    \
    return returned;                             \
  } while (0)

typedef struct {
  const char *name;
  napi_callback function;
} Export;

napi_value export_all(napi_env env, napi_value exports, const Export *list,
                      size_t count);
napi_value export_memory(napi_env env, napi_value exports);
napi_value export_callbacks(napi_env env, napi_value exports);

#endif
