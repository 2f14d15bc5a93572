/* The hand-written addon: callbacks on the caller's thread, asynchronous work,
 * and functions made one by one. */
#include "addon.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

/* The JavaScript function that C is calling back. A C callback here has no user
 * pointer, so the addon keeps it beside the call, as such addons do. */
typedef struct {
  napi_env env;
  napi_value function;
  napi_value receiver;
  bool failed;
} Current;

static _Thread_local Current *current;

static int32_t call_current(size_t count, const int32_t *values) {
  Current *c = current;
  napi_handle_scope scope;
  napi_value args[2], result;
  int32_t out = 0;
  if (c->failed) return 0;
  if (napi_open_handle_scope(c->env, &scope) != napi_ok) return 0;
  for (size_t i = 0; i < count; i++)
    napi_create_int32(c->env, values[i], &args[i]);
  if (napi_call_function(c->env, c->receiver, c->function, count, args,
                         &result) != napi_ok ||
      napi_get_value_int32(c->env, result, &out) != napi_ok)
    c->failed = true;
  napi_close_handle_scope(c->env, scope);
  return out;
}

static int32_t unary_to_js(int32_t value) { return call_current(1, &value); }

static int32_t compare_to_js(const int32_t *a, const int32_t *b) {
  int32_t values[2] = {*a, *b};
  return call_current(2, values);
}

static napi_value with_unary(napi_env env, napi_callback_info info,
                             int32_t (*call)(Unary, int32_t)) {
  ARGS(2)
  I32(value, argv[1]);
  Current c = {.env = env, .function = argv[0]}, *outer = current;
  TRY(napi_get_undefined(env, &c.receiver));
  current = &c;
  int32_t result = call(unary_to_js, value);
  current = outer;
  if (c.failed) return NULL;
  RETURN(napi_create_int32, result);
}

ENTRY js_apply(INFO) { return with_unary(env, info, apply); }
ENTRY js_apply_100(INFO) { return with_unary(env, info, apply_100); }

ENTRY js_sort_ints(INFO) {
  ARGS(3)
  void *items;
  I32(count, argv[1]);
  TRY(napi_get_typedarray_info(env, argv[0], NULL, NULL, &items, NULL, NULL));
  Current c = {.env = env, .function = argv[2]}, *outer = current;
  TRY(napi_get_undefined(env, &c.receiver));
  current = &c;
  sort_ints(items, count, compare_to_js);
  current = outer;
  return NULL;
}

/* sum on libuv's pool. */

typedef struct {
  int32_t a, b, result;
  napi_deferred deferred;
  napi_async_work work;
} Sum;

static void sum_execute(napi_env env, void *data) {
  (void)env;
  Sum *s = data;
  s->result = sum(s->a, s->b);
}

static void sum_complete(napi_env env, napi_status status, void *data) {
  (void)status;
  Sum *s = data;
  napi_value result;
  napi_create_int32(env, s->result, &result);
  napi_resolve_deferred(env, s->deferred, result);
  napi_delete_async_work(env, s->work);
  free(s);
}

ENTRY js_sum_async(INFO) {
  ARGS(2)
  I32(a, argv[0]);
  I32(b, argv[1]);
  napi_value promise, name;
  Sum *s = malloc(sizeof *s);
  if (!s) return NULL;
  *s = (Sum){.a = a, .b = b};
  TRY(napi_create_promise(env, &s->deferred, &promise));
  TRY(napi_create_string_utf8(env, "sum", NAPI_AUTO_LENGTH, &name));
  TRY(napi_create_async_work(env, NULL, name, sum_execute, sum_complete, s,
                             &s->work));
  TRY(napi_queue_async_work(env, s->work));
  return promise;
}

/* apply on libuv's pool, calling back into JavaScript and waiting for it. */

typedef struct {
  int32_t value, result;
  napi_threadsafe_function function;
  napi_deferred deferred;
  napi_async_work work;
  pthread_mutex_t lock;
  pthread_cond_t answered;
  bool done;
  int32_t argument, answer;
} Apply;

static _Thread_local Apply *applying;

static int32_t ask_js(int32_t value) {
  Apply *a = applying;
  pthread_mutex_lock(&a->lock);
  a->argument = value;
  a->done = false;
  napi_call_threadsafe_function(a->function, a, napi_tsfn_blocking);
  while (!a->done) pthread_cond_wait(&a->answered, &a->lock);
  int32_t answer = a->answer;
  pthread_mutex_unlock(&a->lock);
  return answer;
}

static void answer_in_js(napi_env env, napi_value function, void *context,
                         void *data) {
  (void)context;
  Apply *a = data;
  napi_value receiver, argument, result;
  int32_t answer = 0;
  if (env) {
    napi_get_undefined(env, &receiver);
    napi_create_int32(env, a->argument, &argument);
    if (napi_call_function(env, receiver, function, 1, &argument, &result) ==
        napi_ok)
      napi_get_value_int32(env, result, &answer);
  }
  pthread_mutex_lock(&a->lock);
  a->answer = answer;
  a->done = true;
  pthread_cond_signal(&a->answered);
  pthread_mutex_unlock(&a->lock);
}

static void apply_execute(napi_env env, void *data) {
  (void)env;
  Apply *a = data;
  applying = a;
  a->result = apply(ask_js, a->value);
}

static void apply_complete(napi_env env, napi_status status, void *data) {
  (void)status;
  Apply *a = data;
  napi_value result;
  napi_create_int32(env, a->result, &result);
  napi_resolve_deferred(env, a->deferred, result);
  napi_delete_async_work(env, a->work);
  pthread_mutex_destroy(&a->lock);
  pthread_cond_destroy(&a->answered);
  free(a);
}

/* Registers a function for callbacks from other threads; never released. */
ENTRY js_threadsafe(INFO) {
  ARGS(1)
  napi_value name;
  napi_threadsafe_function function;
  TRY(napi_create_string_utf8(env, "callback", NAPI_AUTO_LENGTH, &name));
  TRY(napi_create_threadsafe_function(env, argv[0], NULL, name, 0, 1, NULL,
                                      NULL, NULL, answer_in_js, &function));
  TRY(napi_unref_threadsafe_function(env, function));
  RETURN(napi_create_external, function, NULL, NULL);
}

ENTRY js_apply_async(INFO) {
  ARGS(2)
  POINTER(function, argv[0]);
  I32(value, argv[1]);
  napi_value promise, name;
  Apply *a = malloc(sizeof *a);
  if (!a) return NULL;
  *a = (Apply){.value = value, .function = function};
  pthread_mutex_init(&a->lock, NULL);
  pthread_cond_init(&a->answered, NULL);
  TRY(napi_create_promise(env, &a->deferred, &promise));
  TRY(napi_create_string_utf8(env, "apply", NAPI_AUTO_LENGTH, &name));
  TRY(napi_create_async_work(env, NULL, name, apply_execute, apply_complete, a,
                             &a->work));
  TRY(napi_queue_async_work(env, a->work));
  return promise;
}

/* A JavaScript function for each symbol of a library, all int(int, int). */

typedef int32_t (*Binary)(int32_t, int32_t);

ENTRY js_call_binary(INFO) {
  napi_value argv[2];
  size_t argc = 2;
  void *function;
  TRY(napi_get_cb_info(env, info, &argc, argv, NULL, &function));
  I32(a, argv[0]);
  I32(b, argv[1]);
  RETURN(napi_create_int32, ((Binary)function)(a, b));
}

ENTRY js_open(INFO) {
  ARGS(1)
  TEXT(path, 4096, argv[0]);
  void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
  if (!library) {
    napi_throw_error(env, NULL, dlerror());
    return NULL;
  }
  RETURN(napi_create_external, library, NULL, NULL);
}

ENTRY js_close(INFO) {
  ARGS(1)
  POINTER(library, argv[0]);
  dlclose(library);
  return NULL;
}

ENTRY js_bind(INFO) {
  ARGS(2)
  POINTER(library, argv[0]);
  TEXT(name, 64, argv[1]);
  void *function = dlsym(library, name);
  if (!function) {
    napi_throw_error(env, NULL, "no such symbol");
    return NULL;
  }
  RETURN(napi_create_function, name, NAPI_AUTO_LENGTH, js_call_binary, function);
}

napi_value export_callbacks(napi_env env, napi_value exports) {
  static const Export list[] = {
      {"apply", js_apply},
      {"apply_100", js_apply_100},
      {"sort_ints", js_sort_ints},
      {"sum_async", js_sum_async},
      {"threadsafe", js_threadsafe},
      {"apply_async", js_apply_async},
      {"open", js_open},
      {"close", js_close},
      {"bind", js_bind},
  };
  return export_all(env, exports, list, sizeof list / sizeof *list);
}
