/* Scalars: echo, add, memory of the last argument, register hygiene, many parameters. */
#include "fixture.h"
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#define ECHO_ADD(name, type)                                              \
  static type kept_##name;                                                \
  API type echo_##name(type v) { return v; }                              \
  API type add_##name(type a, type b) { return (type)(a + b); }           \
  API void keep_##name(type v) { kept_##name = v; }                       \
  API type kept_value_##name(void) { return kept_##name; }                \
  API void write_##name(type *out, type v) { *out = v; }                  \
  API type read_##name(const type *in) { return *in; }
EACH_NUMBER(ECHO_ADD)

API bool echo_bool(bool v) { return v; }
API bool not_bool(bool v) { return !v; }
API void write_bool(bool *out, bool v) { *out = v; }
API bool read_bool(const bool *in) { return *in; }

API void *echo_pointer(void *p) { return p; }
API void *null_pointer(void) { return NULL; }
API bool pointer_is_null(const void *p) { return p == NULL; }
API void write_pointer(void **out, void *p) { *out = p; }
API void *offset_pointer(void *p, int32_t bytes) { return (char *)p + bytes; }
API uint64_t pointer_address(const void *p) { return (uint64_t)(uintptr_t)p; }

/* A whole register of set bits: a narrow result must look at its own bytes only. */
API uint64_t dirty_register(void) { return UINT64_C(0xdeadbeefcafe8180); }
API uint64_t dirty_zero_byte(void) { return UINT64_C(0xdeadbeefcafe8100); }
API uint64_t max_u64(void) { return UINT64_MAX; }
API int64_t min_i64(void) { return INT64_MIN; }
API int64_t max_i64(void) { return INT64_MAX; }
API float third_float(void) { return 1.0f / 3.0f; }

static int32_t calls;
API void count_call(void) { calls++; }
API int32_t counted_calls(void) { return calls; }
API int32_t forty_two(void) { return 42; }
API void nothing(void) {}

/* Each argument has its own weight, so a swapped pair changes the result. */
API int32_t weigh_i32_20(int32_t a0, int32_t a1, int32_t a2, int32_t a3, int32_t a4, int32_t a5,
                         int32_t a6, int32_t a7, int32_t a8, int32_t a9, int32_t a10, int32_t a11,
                         int32_t a12, int32_t a13, int32_t a14, int32_t a15, int32_t a16,
                         int32_t a17, int32_t a18, int32_t a19) {
  const int32_t a[] = {a0, a1, a2,  a3,  a4,  a5,  a6,  a7,  a8,  a9,
                       a10, a11, a12, a13, a14, a15, a16, a17, a18, a19};
  int32_t total = 0;
  for (int32_t i = 0; i < 20; i++) total += (i + 1) * a[i];
  return total;
}

API double weigh_mixed_14(uint8_t a, int16_t b, int32_t c, uint32_t d, int64_t e, uint64_t f,
                          float g, double h, bool i, const char *j, double k, float l, int64_t m,
                          uint8_t n) {
  return 1.0 * a + 2.0 * b + 3.0 * c + 4.0 * d + 5.0 * (double)e + 6.0 * (double)f + 7.0 * g +
         8.0 * h + 9.0 * i + 10.0 * j[0] + 11.0 * k + 12.0 * l + 13.0 * (double)m + 14.0 * n;
}

API double weigh_double_12(double a, double b, double c, double d, double e, double f, double g,
                           double h, double i, double j, double k, double l) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j + 11 * k +
         12 * l;
}

API int32_t sum_variadic(int32_t count, ...) {
  va_list list;
  int32_t total = 0;
  va_start(list, count);
  for (int32_t i = 0; i < count; i++) total += va_arg(list, int32_t);
  va_end(list);
  return total;
}

API int32_t set_errno(int32_t code) {
  errno = code;
  return code + 1;
}
API const char *set_errno_string(int32_t code) {
  errno = code;
  return "errno was set";
}
API void set_errno_void(int32_t code) { errno = code; }
API int32_t leave_errno(void) { return 7; }

DEFINE_MEETING
API int32_t sleep_ms(int32_t ms) {
  struct timespec wait = {ms / 1000, (long)(ms % 1000) * 1000000L};
  while (nanosleep(&wait, &wait) != 0 && errno == EINTR) {
  }
  return ms;
}
