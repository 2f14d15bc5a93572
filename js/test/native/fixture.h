/* Shared declarations of the C fixture library that the JavaScript suites call.
 *
 * One shared object is built from every .c file in this folder (see ../support/native.js).
 * Types are spelled out with <stdint.h> so that a test reads the same as the C it calls. */
#ifndef FFI_JIT_FIXTURE_H
#define FFI_JIT_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

#ifdef _WIN32
#define API __declspec(dllexport)
#else
#define API __attribute__((visibility("default")))
#endif

/* Every scalar kind of the ffi-rs dialect: X(suffix, C type). */
#define EACH_INTEGER(X) \
  X(u8, uint8_t)        \
  X(i16, int16_t)       \
  X(i32, int32_t)       \
  X(u32, uint32_t)      \
  X(i64, int64_t)       \
  X(u64, uint64_t)

#define EACH_NUMBER(X) \
  EACH_INTEGER(X)      \
  X(float, float)      \
  X(double, double)

/* Element kinds of the array types. */
#define EACH_ELEMENT(X) \
  X(u8, uint8_t)        \
  X(i16, int16_t)       \
  X(i32, int32_t)       \
  X(float, float)       \
  X(double, double)

/* Calls that meet: `meet` returns `count` once that many calls are in it at the same time, and
 * `open_door` was called meanwhile; -1 when that takes longer than 20 s. `people_inside` counts the
 * calls. Needs <stdatomic.h> and <unistd.h>. */
#define DEFINE_MEETING                                            \
  static atomic_int inside, doors;                                \
  API int32_t people_inside(void) { return inside; }              \
  API void open_door(void) { doors++; }                           \
  API int32_t meet(int32_t count) {                               \
    inside++;                                                     \
    for (int32_t waited = 0; waited < 20000; waited++) {          \
      if (inside >= count && doors > 0) return count;             \
      usleep(1000);                                               \
    }                                                             \
    return -1;                                                    \
  }

/* malloc that is known to the tracker of preload/track.c when that library is preloaded. */
void *tracked_malloc(size_t size);
char *tracked_string(const char *text);

#endif
