/* Structs by pointer and by value: every size 1..64, every register class, nested, results. */
#include "fixture.h"
#include <stdlib.h>
#include <string.h>

/* struct { uint8_t b[N]; } for every N, by value in and out. `next` adds i + 1 to byte i. */
#define BYTES(N)                                                            \
  typedef struct { uint8_t b[N]; } bytes_##N;                               \
  API bytes_##N bytes_##N##_next(bytes_##N s) {                             \
    for (int i = 0; i < N; i++) s.b[i] = (uint8_t)(s.b[i] + i + 1);         \
    return s;                                                               \
  }                                                                         \
  API int32_t bytes_##N##_sum(int32_t before, bytes_##N s, int32_t after) { \
    int32_t total = 1000 * before + 100000 * after;                         \
    for (int i = 0; i < N; i++) total += s.b[i];                            \
    return total;                                                           \
  }
BYTES(1) BYTES(2) BYTES(3) BYTES(4) BYTES(5) BYTES(6) BYTES(7) BYTES(8)
BYTES(9) BYTES(10) BYTES(11) BYTES(12) BYTES(13) BYTES(14) BYTES(15) BYTES(16)
BYTES(17) BYTES(18) BYTES(19) BYTES(20) BYTES(21) BYTES(22) BYTES(23) BYTES(24)
BYTES(25) BYTES(26) BYTES(27) BYTES(28) BYTES(29) BYTES(30) BYTES(31) BYTES(32)
BYTES(33) BYTES(34) BYTES(35) BYTES(36) BYTES(37) BYTES(38) BYTES(39) BYTES(40)
BYTES(41) BYTES(42) BYTES(43) BYTES(44) BYTES(45) BYTES(46) BYTES(47) BYTES(48)
BYTES(49) BYTES(50) BYTES(51) BYTES(52) BYTES(53) BYTES(54) BYTES(55) BYTES(56)
BYTES(57) BYTES(58) BYTES(59) BYTES(60) BYTES(61) BYTES(62) BYTES(63) BYTES(64)
BYTES(512)

/* One struct per mix of register classes; `twice` doubles every field. */
#define PAIR(name, A, B)                                                     \
  typedef struct { A a; B b; } pair_##name;                                  \
  API pair_##name pair_##name##_twice(pair_##name s) {                       \
    s.a = (A)(s.a * 2), s.b = (B)(s.b * 2);                                  \
    return s;                                                                \
  }                                                                          \
  API double pair_##name##_sum(double x, pair_##name s, int32_t y) {         \
    return x + (double)s.a * 10 + (double)s.b * 100 + y;                     \
  }                                                                          \
  API void pair_##name##_swap_out(pair_##name *s, double a, double b) {      \
    s->a = (A)a, s->b = (B)b;                                                \
  }
PAIR(i32_double, int32_t, double)
PAIR(double_i32, double, int32_t)
PAIR(float_float, float, float)
PAIR(float_double, float, double)
PAIR(i64_double, int64_t, double)
PAIR(u8_i64, uint8_t, int64_t)
PAIR(i16_float, int16_t, float)
PAIR(u32_u8, uint32_t, uint8_t)
PAIR(double_double, double, double)

typedef struct { float x, y, z; } vector3;
API vector3 vector3_cross(vector3 a, vector3 b) {
  return (vector3){a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
typedef struct { double m[3]; } doubles3;
API doubles3 doubles3_scale(doubles3 v, double by) {
  return (doubles3){{v.m[0] * by, v.m[1] * by, v.m[2] * by}};
}

/* Six integer registers taken first: the struct must go to the stack, the rest too. */
API int64_t pair_after_six(int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, pair_i64_double s,
                           int64_t f, pair_i64_double t, int64_t g) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * s.a + 7 * (int64_t)s.b + 8 * f + 9 * t.a +
         10 * (int64_t)t.b + 11 * g;
}

typedef struct {
  bool flag;
  uint8_t u8;
  int16_t i16;
  int32_t i32;
  uint32_t u32;
  int64_t i64;
  uint64_t u64;
  float f;
  double d;
  int64_t big;
} scalars;
API scalars scalars_make(void) {
  return (scalars){true,       200,         -1234,        -123456,  4000000000u,
                   -(1LL << 40), 1ULL << 52, 0.5f, 2.25, INT64_MIN};
}
API scalars *scalars_static(void) {
  static scalars s;
  s = scalars_make();
  return &s;
}
API scalars scalars_echo(scalars s) { return s; }
API scalars *scalars_echo_pointer(scalars *s) { return s; }
API scalars *scalars_null(void) { return NULL; }
API double scalars_sum(const scalars *s) {
  return s->flag + 2.0 * s->u8 + 3.0 * s->i16 + 4.0 * s->i32 + 5.0 * s->u32 + 6.0 * (double)s->i64 +
         7.0 * (double)s->u64 + 8.0 * s->f + 9.0 * s->d + 10.0 * (double)s->big;
}
API bool scalars_is_null(const scalars *s) { return s == NULL; }
API void scalars_mutate(scalars *s) {
  s->flag = !s->flag, s->u8++, s->i16--, s->i32 *= 2, s->f *= 4, s->d = -s->d;
}

/* Layout as C sees it, so that a test can compare offsets. */
API int32_t scalars_offset(int32_t field) {
  switch (field) {
    case 0: return offsetof(scalars, flag);
    case 1: return offsetof(scalars, u8);
    case 2: return offsetof(scalars, i16);
    case 3: return offsetof(scalars, i32);
    case 4: return offsetof(scalars, u32);
    case 5: return offsetof(scalars, i64);
    case 6: return offsetof(scalars, u64);
    case 7: return offsetof(scalars, f);
    case 8: return offsetof(scalars, d);
    case 9: return offsetof(scalars, big);
    default: return (int32_t)sizeof(scalars);
  }
}

/* Nested inline and by pointer. */
typedef struct { int16_t x; double y; } inner;
typedef struct { uint8_t tag; inner in; float tail; } outer_inline;
typedef struct { uint8_t tag; inner *in; float tail; } outer_pointer;
API outer_inline outer_inline_next(outer_inline o) {
  o.tag++, o.in.x++, o.in.y += 0.5, o.tail *= 2;
  return o;
}
API double outer_inline_sum(const outer_inline *o) { return o->tag + o->in.x + o->in.y + o->tail; }
API double outer_pointer_sum(const outer_pointer *o) {
  return o->tag + o->in->x + o->in->y + o->tail;
}
API double outer_pointer_sum_value(outer_pointer o) { return outer_pointer_sum(&o); }
API outer_pointer *outer_pointer_static(void) {
  static inner in = {-7, 7.5};
  static outer_pointer o = {9, &in, 0.25f};
  return &o;
}
API outer_pointer *outer_pointer_null(void) {
  static outer_pointer o = {1, NULL, 1.5f};
  return &o;
}
API outer_pointer outer_pointer_value(void) { return *outer_pointer_static(); }

/* Field order: JavaScript puts integer-like keys first. */
typedef struct { int32_t one, two; double b, a; } ordered;
API double ordered_weigh(const ordered *o) { return o->one + 10 * o->two + 100 * o->b + 1000 * o->a; }

/* Field names that other parts of the API use, in plain positions. */
typedef struct { int32_t type; double length; int32_t value; int32_t paramsType; } named;
API double named_weigh(named n) { return n.type + 10 * n.length + 100 * n.value + 1000 * n.paramsType; }
API named named_make(void) { return (named){1, 2.5, 3, 4}; }
