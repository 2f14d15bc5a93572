/* The same functions as a hand-written Node-API addon: scalars and strings. */
#include "addon.h"

#include <errno.h>
#include <stdlib.h>

ENTRY js_nop(INFO) {
  (void)info;
  (void)env;
  nop();
  return NULL;
}

ENTRY js_answer(INFO) {
  (void)info;
  RETURN(napi_create_int32, answer());
}

ENTRY js_sum(INFO) {
  ARGS(2)
  I32(a, argv[0]);
  I32(b, argv[1]);
  RETURN(napi_create_int32, sum(a, b));
}

ENTRY js_add_doubles(INFO) {
  ARGS(2)
  F64(a, argv[0]);
  F64(b, argv[1]);
  RETURN(napi_create_double, add_doubles(a, b));
}

ENTRY js_add_floats(INFO) {
  ARGS(2)
  F64(a, argv[0]);
  F64(b, argv[1]);
  RETURN(napi_create_double, add_floats((float)a, (float)b));
}

ENTRY js_sum8(INFO) {
  ARGS(8)
  int32_t v[8];
  for (int i = 0; i < 8; i++) TRY(napi_get_value_int32(env, argv[i], &v[i]));
  RETURN(napi_create_int32,
         sum8(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]));
}

ENTRY js_mixed12(INFO) {
  ARGS(12)
  I32(a, argv[0]);
  F64(b, argv[1]);
  U32(c, argv[2]);
  I64(d, argv[3]);
  I32(e, argv[4]);
  F64(f, argv[5]);
  U32(g, argv[6]);
  BOOL(h, argv[7]);
  I32(i, argv[8]);
  F64(j, argv[9]);
  I64(k, argv[10]);
  I32(l, argv[11]);
  RETURN(napi_create_double, mixed12(a, b, (uint8_t)c, d, (int16_t)e, f, g, h,
                                     i, j, k, l));
}

ENTRY js_add_u8(INFO) {
  ARGS(2)
  U32(a, argv[0]);
  U32(b, argv[1]);
  RETURN(napi_create_uint32, add_u8((uint8_t)a, (uint8_t)b));
}

ENTRY js_negate(INFO) {
  ARGS(1)
  BOOL(value, argv[0]);
  RETURN(napi_get_boolean, negate(value));
}

ENTRY js_add_i64(INFO) {
  ARGS(2)
  I64(a, argv[0]);
  I64(b, argv[1]);
  RETURN(napi_create_int64, add_i64(a, b));
}

ENTRY js_add_bigint(INFO) {
  ARGS(2)
  int64_t a, b;
  bool lossless;
  TRY(napi_get_value_bigint_int64(env, argv[0], &a, &lossless));
  TRY(napi_get_value_bigint_int64(env, argv[1], &b, &lossless));
  RETURN(napi_create_bigint_int64, add_i64(a, b));
}

ENTRY js_fail_with(INFO) {
  ARGS(1)
  I32(wanted, argv[0]);
  int32_t value = fail_with(wanted);
  int32_t code = errno;
  napi_value object, field;
  TRY(napi_create_object(env, &object));
  TRY(napi_create_int32(env, code, &field));
  TRY(napi_set_named_property(env, object, "code", field));
  TRY(napi_create_int32(env, value, &field));
  TRY(napi_set_named_property(env, object, "value", field));
  return object;
}

ENTRY js_text_length(INFO) {
  ARGS(1)
  TEXT(text, 2048, argv[0]);
  RETURN(napi_create_int32, text_length(text));
}

ENTRY js_atoi(INFO) {
  ARGS(1)
  TEXT(text, 64, argv[0]);
  RETURN(napi_create_int32, atoi(text));
}

ENTRY js_concat(INFO) {
  ARGS(2)
  TEXT(a, 128, argv[0]);
  TEXT(b, 128, argv[1]);
  RETURN(napi_create_string_utf8, concat(a, b), NAPI_AUTO_LENGTH);
}

ENTRY js_text_16(INFO) {
  (void)info;
  RETURN(napi_create_string_utf8, text_16(), NAPI_AUTO_LENGTH);
}

ENTRY js_text_1k(INFO) {
  (void)info;
  RETURN(napi_create_string_utf8, text_1k(), NAPI_AUTO_LENGTH);
}

ENTRY js_text_umlauts(INFO) {
  (void)info;
  RETURN(napi_create_string_utf8, text_umlauts(), NAPI_AUTO_LENGTH);
}

napi_value export_all(napi_env env, napi_value exports, const Export *list,
                      size_t count) {
  for (size_t i = 0; i < count; i++) {
    napi_value function;
    TRY(napi_create_function(env, list[i].name, NAPI_AUTO_LENGTH,
                             list[i].function, NULL, &function));
    TRY(napi_set_named_property(env, exports, list[i].name, function));
  }
  return exports;
}

NAPI_MODULE_INIT() {
  static const Export list[] = {
      {"nop", js_nop},
      {"answer", js_answer},
      {"sum", js_sum},
      {"add_doubles", js_add_doubles},
      {"add_floats", js_add_floats},
      {"sum8", js_sum8},
      {"mixed12", js_mixed12},
      {"add_u8", js_add_u8},
      {"negate", js_negate},
      {"add_i64", js_add_i64},
      {"add_bigint", js_add_bigint},
      {"fail_with", js_fail_with},
      {"text_length", js_text_length},
      {"atoi", js_atoi},
      {"concat", js_concat},
      {"text_16", js_text_16},
      {"text_1k", js_text_1k},
      {"text_umlauts", js_text_umlauts},
  };
  if (!export_all(env, exports, list, sizeof list / sizeof *list)) return NULL;
  if (!export_memory(env, exports)) return NULL;
  return export_callbacks(env, exports);
}
