/* Windows' own conventions, and an export without a name. */
#include <stdint.h>

#define API __declspec(dllexport)

API int32_t __stdcall std_sub(int32_t a, int32_t b) { return a - b; }
API double __stdcall std_mix(int8_t a, double b, int64_t c, const char *d) {
  return a + b * 2 + (double)c * 3 + d[0];
}
API int32_t __fastcall fast_weigh(int32_t a, int32_t b, int32_t c) { return a + 10 * b + 100 * c; }
API int32_t __thiscall this_add(int32_t *self, int32_t n) { return *self += n; }

/* The caller keeps SP only if both agree on who pops: many calls in a row would run away. */
API int32_t __stdcall std_call(int32_t(__stdcall *fn)(int32_t, int64_t), int32_t times) {
  int32_t total = 0;
  for (int32_t i = 0; i < times; i++) total += fn(i, (int64_t)i << 32);
  return total;
}

/* Records as Microsoft's compilers return them: in eax, also of one float. */
typedef struct { int32_t a, b; } pair;
API pair __stdcall std_pair(int32_t a, int32_t b) { return (pair){b, a}; }

int32_t by_ordinal(void) { return 77; }
