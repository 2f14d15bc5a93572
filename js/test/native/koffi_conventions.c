/* Functions of the calling conventions of 32-bit x86, and pointers to such functions. Elsewhere the
 * attributes mean nothing, and are left out. */
#include "fixture.h"

#ifdef __i386__
#define STDCALL __attribute__((stdcall))
#define FASTCALL __attribute__((fastcall))
#define THISCALL __attribute__((thiscall))
#define CDECL __attribute__((cdecl))
#else
#define STDCALL
#define FASTCALL
#define THISCALL
#define CDECL
#endif

typedef struct {
  int a;
  double b;
} Mixed;

typedef struct {
  int x, y, z;
} Triple;

/* A thiscall function has an argument of the size of a pointer in front, as all of these have.
 * Digits of the arguments, in order, so that one that is lost or swapped shows. */
#define FUNCTIONS(name, CONVENTION)                                              \
  API int CONVENTION name##_digits(int a, int b, int c, int d, int e) {          \
    return (((a * 10 + b) * 10 + c) * 10 + d) * 10 + e;                          \
  }                                                                              \
  API int64_t CONVENTION name##_wide(int k, int64_t a, int b, int64_t c) {       \
    return k * (a * 100 + b * 10 + c);                                           \
  }                                                                              \
  API double CONVENTION name##_mixed(int a, double b, char c, float d) {         \
    return a * 1000 + b * 100 + c * 10 + d;                                      \
  }                                                                              \
  API Triple CONVENTION name##_triple(int x, Triple t) {                         \
    return (Triple){t.x + x, t.y + x, t.z + x};                                  \
  }                                                                              \
  API double CONVENTION name##_struct(int k, Mixed m) { return m.a + m.b * k; }  \
  typedef int(CONVENTION * name##_callback)(int, int, int);                      \
  API int name##_call(name##_callback f, int n) {                                \
    int total = 0;                                                               \
    for (int i = 0; i < n; i++) total += f(i, 2 * i, 3);                         \
    return total;                                                                \
  }                                                                              \
  typedef double(CONVENTION * name##_wide_callback)(int, int64_t, double);       \
  API double name##_call_wide(name##_wide_callback f) { return f(7, -5, 0.5); }  \
  typedef Triple(CONVENTION * name##_struct_callback)(int, Triple);              \
  API int name##_call_struct(name##_struct_callback f) {                         \
    Triple t = f(1, (Triple){2, 3, 4});                                          \
    return (t.x * 10 + t.y) * 10 + t.z;                                          \
  }

FUNCTIONS(cdecl, CDECL)
FUNCTIONS(stdcall, STDCALL)
FUNCTIONS(fastcall, FASTCALL)
FUNCTIONS(thiscall, THISCALL)

API int CDECL cdecl_none(void) { return 42; }
API int STDCALL stdcall_none(void) { return 42; }
API int FASTCALL fastcall_none(void) { return 42; }

/* The function of a convention as a pointer that JavaScript calls. */
API void *stdcall_pointer(void) { return (void *)stdcall_digits; }
API void *fastcall_pointer(void) { return (void *)fastcall_digits; }
API void *thiscall_pointer(void) { return (void *)thiscall_digits; }
