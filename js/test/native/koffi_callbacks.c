/* Callbacks for the Koffi suites: every kind of argument and result, threads, nesting. */
#include "fixture.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EACH(X)            \
  X(int8, int8_t)          \
  X(uint8, uint8_t)        \
  X(int16, int16_t)        \
  X(uint16, uint16_t)      \
  X(int32, int32_t)        \
  X(uint32, uint32_t)      \
  X(int64, int64_t)        \
  X(uint64, uint64_t)      \
  X(float, float)          \
  X(double, double)        \
  X(bool, bool)            \
  X(str, const char *)     \
  X(str16, const uint16_t *) \
  X(pointer, void *)

#define KIND(name, type)                                    \
  typedef type (*map_##name)(type);                         \
  API type call_##name(map_##name f, type v) { return f(v); }
EACH(KIND)

typedef struct { int x; double y; } Point;
typedef struct { uint8_t b[17]; } Bytes17;

API void call_void(void (*f)(void)) { f(); }
API int call_int(int (*f)(int), int v) { return f ? f(v) : -1; }
API int call_times(int (*f)(int), int n) {
  int total = 0;
  for (int i = 0; i < n; i++) total += f(i);
  return total;
}
API double call_many(double (*f)(int8_t, uint16_t, int64_t, float, double, bool, const char *, int,
                                 int, int, double)) {
  return f(-1, 2, -3, 4.5f, 5.25, true, "six", 7, 8, 9, 10.5);
}
API double call_point(double (*f)(Point, int), int n) { return f((Point){7, 8.5}, n); }
API double call_point_at(double (*f)(const Point *)) {
  Point p = {1, 2.5};
  return f(&p);
}
API double call_point_result(Point (*f)(int), int v) {
  Point p = f(v);
  return p.x + 10 * p.y;
}
API int call_bytes(Bytes17 (*f)(Bytes17)) {
  Bytes17 in;
  for (int i = 0; i < 17; i++) in.b[i] = (uint8_t)(i + 1);
  Bytes17 out = f(in);
  int total = 0;
  for (int i = 0; i < 17; i++) total += out.b[i];
  return total;
}
API int call_text_length(const char *(*f)(int), int v) {
  const char *s = f(v);
  return s ? (int)strlen(s) : -1;
}
API int call_out(void (*f)(int *)) {
  int v = 5;
  f(&v);
  return v;
}
API int call_two(int (*f)(int), int (*g)(int), int v) { return f(v) * 100 + g(v); }
typedef int (*unary)(int);
API int call_list(unary *list, int n, int v) {
  int total = 0;
  for (int i = 0; i < n; i++) total = total * 10 + (list[i] ? list[i](v) : 0);
  return total;
}
API unary get_twice(int which);
static int twice(int v) { return 2 * v; }
static int square(int v) { return v * v; }
API unary get_twice(int which) { return which == 0 ? twice : which == 1 ? square : NULL; }
API int call_nested(int (*f)(int), int depth) { return f(depth) + 1; }
API int sum_through(int (*f)(int), int v) { return f(v) + f(v + 1) + f(v + 2); }

/* Kept beyond the call. */
static unary kept;
API void keep_callback(unary f) { kept = f; }
API int call_kept(int v) { return kept ? kept(v) : -1; }
API void *kept_pointer(void) { return (void *)kept; }

/* Threads. */
typedef struct { unary f; int v, times, result; } job;
static void *run(void *arg) {
  job *j = arg;
  for (int i = 0; i < j->times; i++) j->result += j->f(j->v + i);
  return NULL;
}
/* Waits for its threads: only for asynchronous calls. */
API int call_from_threads(unary f, int threads, int times) {
  pthread_t ids[32];
  job jobs[32];
  int total = 0;
  for (int i = 0; i < threads; i++) {
    jobs[i] = (job){f, i * times, times, 0};
    if (pthread_create(&ids[i], NULL, run, &jobs[i]) != 0) abort();
  }
  for (int i = 0; i < threads; i++) {
    pthread_join(ids[i], NULL);
    total += jobs[i].result;
  }
  return total;
}
/* Two functions, each asked by its own thread at the same time. */
API int call_two_threads(unary f, unary g, int v) {
  pthread_t ids[2];
  job jobs[2] = {{f, v, 1, 0}, {g, v, 1, 0}};
  for (int i = 0; i < 2; i++)
    if (pthread_create(&ids[i], NULL, run, &jobs[i]) != 0) abort();
  for (int i = 0; i < 2; i++) pthread_join(ids[i], NULL);
  return jobs[0].result * 1000 + jobs[1].result;
}
static int answer_value = -1;
static void *ask(void *arg) {
  job *j = arg;
  usleep(2000);
  __atomic_store_n(&answer_value, j->f(j->v), __ATOMIC_SEQ_CST);
  free(j);
  return NULL;
}
/* Asks from a thread that nobody waits for. */
API void ask_later(unary f, int v) {
  job *j = malloc(sizeof *j);
  *j = (job){f, v, 1, 0};
  __atomic_store_n(&answer_value, -1, __ATOMIC_SEQ_CST);
  pthread_t id;
  if (pthread_create(&id, NULL, ask, j) != 0) abort();
  pthread_detach(id);
}
API int answer(void) { return __atomic_load_n(&answer_value, __ATOMIC_SEQ_CST); }

API void sort(void *base, size_t n, size_t size, int (*order)(const void *, const void *)) {
  qsort(base, n, size, order);
}
