/* Callbacks: every argument and result kind, direct, from threads, stored, nested. */
#include "fixture.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct { int32_t x; double y; } point;
typedef struct { int64_t a; double b; int32_t c; char *name; } mixed;

/* X(name, type, a value for `sample`) */
#define EACH_KIND(X)                          \
  X(u8, uint8_t, 200)                         \
  X(i16, int16_t, -1234)                      \
  X(i32, int32_t, -123456)                    \
  X(u32, uint32_t, 4000000000u)               \
  X(i64, int64_t, -(1LL << 40))               \
  X(u64, uint64_t, UINT64_MAX)                \
  X(float, float, 0.5f)                       \
  X(double, double, -2.25)                    \
  X(bool, bool, true)                         \
  X(string, const char *, "gr\xc3\xbc\xc3\x9f") \
  X(wide, const wchar_t *, L"gr\u00fc\u00df") \
  X(pointer, void *, (void *)0x1234)

/* For every kind: a void callback and one with a result of the same kind, called at once on the
 * caller's thread, and from a thread that is waited for. */
#define KIND(name, type, sample)                                             \
  typedef void (*take_##name)(type);                                         \
  typedef type (*map_##name)(type);                                          \
  API void notify_##name(take_##name f, type v) { f(v); }                    \
  API void notify_##name##_sample(take_##name f) { f((type)sample); }        \
  API type call_##name(map_##name f, type v) { return f(v); }                \
  typedef struct { map_##name f; type v; type result; } job_##name;              \
  static void *run_##name(void *arg) {                                       \
    job_##name *job = arg;                                                   \
    job->result = job->f(job->v);                                            \
    return NULL;                                                             \
  }                                                                          \
  API type call_##name##_thread(map_##name f, type v) {                      \
    job_##name job = {f, v, (type)0};                                        \
    pthread_t thread;                                                        \
    if (pthread_create(&thread, NULL, run_##name, &job) != 0) abort();       \
    pthread_join(thread, NULL);                                              \
    return job.result;                                                       \
  }
EACH_KIND(KIND)

API void notify_null_string(take_string f) { f(NULL); }
API void notify_null_wide(take_wide f) { f(NULL); }
API void notify_null_pointer(take_pointer f) { f(NULL); }
API int32_t string_result_bytes(const char *(*f)(void)) {
  const char *s = f();
  return s ? (int32_t)strlen(s) : -1;
}
API double array_result_sum(const double *(*f)(void), int32_t n) {
  const double *a = f();
  double total = 0;
  for (int32_t i = 0; a && i < n; i++) total += a[i];
  return a ? total : -1;
}
API void call_void(void (*f)(void)) { f(); }
API void call_void_times(void (*f)(int32_t), int32_t n) {
  for (int32_t i = 0; i < n; i++) f(i);
}
API int32_t call_times_sum(int32_t (*f)(int32_t), int32_t n) {
  int32_t total = 0;
  for (int32_t i = 0; i < n; i++) total += f(i);
  return total;
}
API double call_ten(double (*f)(uint8_t, int16_t, int32_t, uint32_t, int64_t, uint64_t, float,
                                double, bool, const char *)) {
  return f(1, -2, 3, 4, -5, 6, 7.5f, 8.25, true, "ten");
}
API int32_t call_integers_12(int32_t (*f)(int32_t, int32_t, int32_t, int32_t, int32_t, int32_t,
                                          int32_t, int32_t, int32_t, int32_t, int32_t, int32_t)) {
  return f(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
}
API int64_t call_nested(int64_t (*f)(int64_t), int64_t depth) { return f(depth) + 1; }

/* Arrays and structs as arguments. */
#define ARRAY_KIND(name, type)                               \
  API void notify_##name##_array(void (*f)(type *)) {        \
    static type a[] = {1, 2, 3, 4};                          \
    f(a);                                                    \
  }
EACH_ELEMENT(ARRAY_KIND)
API void notify_string_array(void (*f)(char **)) {
  static char *a[] = {"a", "bc", "d\xc3\xa9"};
  f(a);
}
API void notify_null_array(void (*f)(int32_t *)) { f(NULL); }
API void notify_point(void (*f)(point)) { f((point){3, 4.5}); }
API void notify_point_pointer(void (*f)(point *)) {
  point *p = malloc(sizeof *p);
  *p = (point){5, 6.5};
  f(p);
  free(p); /* a queued callback must have copied it by now */
}
API void notify_points(void (*f)(point *)) {
  static point a[] = {{1, 1.5}, {2, 2.5}};
  f(a);
}
API void notify_mixed(void (*f)(mixed)) { f((mixed){-1, 2.5, 3, "mixed"}); }
API void notify_mixed_pointer(void (*f)(const mixed *)) {
  static mixed m = {-9, 9.5, 99, "pointed"};
  f(&m);
}
API double call_point(double (*f)(point, int32_t), int32_t n) { return f((point){7, 8.5}, n); }
API double call_point_result(point (*f)(int32_t), int32_t v) {
  point p = f(v);
  return p.x + 10 * p.y;
}
API double call_point_pointer_result(point *(*f)(int32_t), int32_t v) {
  point *p = f(v);
  return p ? p->x + 10 * p->y : -1;
}
API double call_mixed_result(mixed (*f)(mixed)) {
  mixed m = f((mixed){1, 2, 3, "in"});
  return (double)m.a + 10 * m.b + 100 * m.c + 1000 * (double)strlen(m.name);
}

/* What a void callback is given from the heap, to be freed by freeCFuncParamsMemory. */
API void notify_made_string(void (*f)(char *)) { f(tracked_string("made for you")); }
API void notify_made_ints(void (*f)(int32_t *)) {
  int32_t *a = tracked_malloc(3 * sizeof *a);
  a[0] = 1, a[1] = 2, a[2] = 3;
  f(a);
}

/* Stored callbacks. */
static int32_t (*stored)(int32_t);
static void (*stored_void)(int32_t);
API void store(int32_t (*f)(int32_t)) { stored = f; }
API int32_t call_stored(int32_t v) { return stored ? stored(v) : -1; }
API void store_void(void (*f)(int32_t)) { stored_void = f; }
API void call_stored_void(int32_t v) { stored_void(v); }
API void *stored_pointer(void) { return (void *)stored; }

/* Threads of C's own. */
typedef struct { void (*f)(int32_t); int32_t v, ms, times; } later;
static void *run_later(void *arg) {
  later job = *(later *)arg;
  free(arg);
  for (int32_t i = 0; i < job.times; i++) {
    usleep((useconds_t)job.ms * 1000);
    job.f(job.v + i);
  }
  return NULL;
}
API void notify_later(void (*f)(int32_t), int32_t v, int32_t ms, int32_t times) {
  later *job = malloc(sizeof *job);
  *job = (later){f, v, ms, times};
  pthread_t thread;
  if (pthread_create(&thread, NULL, run_later, job) != 0) abort();
  pthread_detach(thread);
}

static int32_t asked;
typedef struct { int32_t (*f)(int32_t); int32_t v; } question;
static void *run_question(void *arg) {
  question job = *(question *)arg;
  free(arg);
  __atomic_store_n(&asked, job.f(job.v), __ATOMIC_SEQ_CST);
  return NULL;
}
/* Asks from a detached thread; the answer is picked up with `answer`. */
API void ask_later(int32_t (*f)(int32_t), int32_t v) {
  question *job = malloc(sizeof *job);
  *job = (question){f, v};
  __atomic_store_n(&asked, INT32_MIN, __ATOMIC_SEQ_CST);
  pthread_t thread;
  if (pthread_create(&thread, NULL, run_question, job) != 0) abort();
  pthread_detach(thread);
}
API int32_t answer(void) { return __atomic_load_n(&asked, __ATOMIC_SEQ_CST); }

typedef struct { int32_t (*f)(int32_t); int32_t first, count, total; } share;
static void *run_share(void *arg) {
  share *s = arg;
  for (int32_t i = 0; i < s->count; i++) s->total += s->f(s->first + i);
  return NULL;
}
/* Several threads ask at once; to be called with runInNewThread. */
API int32_t ask_from_threads(int32_t (*f)(int32_t), int32_t threads, int32_t each) {
  pthread_t ids[16];
  share shares[16];
  int32_t total = 0;
  for (int32_t i = 0; i < threads; i++) {
    shares[i] = (share){f, i * each, each, 0};
    if (pthread_create(&ids[i], NULL, run_share, &shares[i]) != 0) abort();
  }
  for (int32_t i = 0; i < threads; i++) {
    pthread_join(ids[i], NULL);
    total += shares[i].total;
  }
  return total;
}

API void sort_ints(int32_t *a, int32_t n, int (*order)(const void *, const void *)) {
  qsort(a, (size_t)n, sizeof *a, order);
}
API int32_t sorted_checksum(const int32_t *a, int32_t n) {
  int32_t total = 0;
  for (int32_t i = 0; i < n; i++) {
    if (i && a[i - 1] > a[i]) return -1;
    total = total * 31 + a[i];
  }
  return total;
}
