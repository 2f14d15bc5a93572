/* Scalars, variadics and conventions for the Koffi suites. */
#include "fixture.h"
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EACH(X)                 \
  X(int8, int8_t)               \
  X(uint8, uint8_t)             \
  X(int16, int16_t)             \
  X(uint16, uint16_t)           \
  X(int32, int32_t)             \
  X(uint32, uint32_t)           \
  X(int64, int64_t)             \
  X(uint64, uint64_t)           \
  X(char, char)                 \
  X(uchar, unsigned char)       \
  X(short, short)               \
  X(ushort, unsigned short)     \
  X(int, int)                   \
  X(uint, unsigned int)         \
  X(long, long)                 \
  X(ulong, unsigned long)       \
  X(longlong, long long)        \
  X(ulonglong, unsigned long long) \
  X(size, size_t)               \
  X(intptr, intptr_t)           \
  X(uintptr, uintptr_t)         \
  X(char16, uint16_t)           \
  X(char32, uint32_t)           \
  X(wchar, wchar_t)             \
  X(float, float)               \
  X(double, double)             \
  X(bool, bool)

/* echo: register in, register out. stored: the value as bytes in memory, for what C really saw. */
#define ECHO(name, type)                                              \
  API type echo_##name(type v) { return v; }                          \
  API type next_##name(type v) { return (type)(v + 1); }              \
  API int store_##name(type v, void *out) {                           \
    memcpy(out, &v, sizeof v);                                        \
    return (int)sizeof v;                                             \
  }
EACH(ECHO)

API int int_add(int a, int b) { return a + b; }
API double mix(int8_t a, uint16_t b, int64_t c, float d, double e, bool f, uint8_t g) {
  return a + b + (double)c + d + e + (f ? 1000 : 0) + g;
}
API double weigh_doubles(double a, double b, double c, double d, double e, double f, double g,
                         double h, double i, double j) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;
}
API int weigh_ints(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;
}
/* Whole registers, where a narrow type was declared: what the caller put above the value. */
API uint32_t low_register(uint32_t v) { return v; }
API uint64_t dirty_register(void) { return UINT64_C(0xdeadbeef00000100); }
API uint64_t dirty_register_1(void) { return UINT64_C(0xdeadbeeffffffff1); }
API void nothing(void) {}
API int forty_two(void) { return 42; }
API int exported_number = 1234;
API const char exported_text[] = "exported";
static int state;
API void set_state(int v) { state = v; }
API int get_state(void) { return state; }

API uint16_t swapped16(uint16_t v) { return (uint16_t)(v + 1); }

/* Variadics. */
API int sum_variadic(int n, ...) {
  va_list args;
  va_start(args, n);
  int total = 0;
  for (int i = 0; i < n; i++) total += va_arg(args, int);
  va_end(args);
  return total;
}
API double sum_variadic_doubles(int n, ...) {
  va_list args;
  va_start(args, n);
  double total = 0;
  for (int i = 0; i < n; i++) total += va_arg(args, double);
  va_end(args);
  return total;
}
API int format(char *out, size_t size, const char *pattern, ...) {
  va_list args;
  va_start(args, pattern);
  int n = vsnprintf(out, size, pattern, args);
  va_end(args);
  return n;
}
API char *format_new(const char *pattern, ...) {
  va_list args;
  va_start(args, pattern);
  char *text = NULL;
  if (vasprintf(&text, pattern, args) < 0) abort();
  va_end(args);
  return text;
}
/* kinds: i int, l int64_t, d double, s string, p int *; writes into the pointers, returns a sum. */
API double sum_mixed(const char *kinds, ...) {
  va_list args;
  va_start(args, kinds);
  double total = 0;
  for (; *kinds; kinds++) {
    switch (*kinds) {
      case 'i': total += va_arg(args, int); break;
      case 'l': total += (double)va_arg(args, int64_t); break;
      case 'd': total += va_arg(args, double); break;
      case 's': total += (double)strlen(va_arg(args, const char *)); break;
      case 'p': *va_arg(args, int *) = (int)total; break;
      default: abort();
    }
  }
  va_end(args);
  return total;
}

/* errno and time. */
API int fail_with(int code) {
  errno = code;
  return -1;
}
DEFINE_MEETING
API int sleep_ms(int ms) {
  usleep((useconds_t)ms * 1000);
  return ms;
}
API int sleep_and_fail(int ms, int code) {
  usleep((useconds_t)ms * 1000);
  errno = code;
  return -code;
}
