/* Structs, unions and arrays inside them for the Koffi suites. */
#include "fixture.h"
#include <stdlib.h>
#include <string.h>

typedef struct { int x; double y; } Point;
typedef struct { int8_t a; int16_t b; int8_t c; } Small;
typedef struct { float a, b, c; } Floats3;
typedef struct { double a, b; } Doubles2;
typedef struct { float a; int b; } FloatInt;
typedef struct { int64_t a; double b; char *name; uint8_t flag; } Big;
typedef struct { Point from, to; const char *label; } Line;
#pragma pack(push, 1)
typedef struct { int8_t a; double b; int16_t c; } Packed;
typedef struct { uint8_t a; int32_t b; } PackedSmall;
#pragma pack(pop)
typedef struct { uint8_t b[3]; } Bytes3;
typedef struct { uint8_t b[5]; } Bytes5;
typedef struct { uint8_t b[7]; } Bytes7;
typedef struct { uint8_t b[17]; } Bytes17;
typedef struct { int32_t n[4]; double d[2]; char text[16]; uint16_t wide[8]; } Arrays;
typedef struct { int m[2][3]; } Matrix;
typedef struct { int *p[2]; const char *s[2]; } Pointers;
typedef struct { Point p[2]; int n; } Points2;
typedef union { int32_t i; float f; uint8_t b[8]; double d; } Any;
typedef struct { int tag; Any value; } Tagged;
typedef struct { int len; int values[8]; } Flexible;
typedef struct { int len; const int *values; } Counted;
typedef struct { bool a, b; uint64_t c; } Flags;
typedef struct { _Alignas(16) uint8_t a; } Aligned;
typedef struct { int (*f)(int); int seed; } Handler;

#define BY_VALUE(T) \
  API T echo_##T(T v) { return v; } \
  API void copy_##T(const T *from, T *to) { *to = *from; }
BY_VALUE(Point)
BY_VALUE(Small)
BY_VALUE(Floats3)
BY_VALUE(Doubles2)
BY_VALUE(FloatInt)
BY_VALUE(Big)
BY_VALUE(Line)
BY_VALUE(Packed)
BY_VALUE(PackedSmall)
BY_VALUE(Bytes3)
BY_VALUE(Bytes5)
BY_VALUE(Bytes7)
BY_VALUE(Bytes17)
BY_VALUE(Arrays)
BY_VALUE(Matrix)
BY_VALUE(Pointers)
BY_VALUE(Points2)
BY_VALUE(Any)
BY_VALUE(Tagged)
BY_VALUE(Flags)

API Point make_point(int x, double y) { return (Point){x, y}; }
API double point_sum(Point p) { return p.x + p.y; }
API double point_sum_at(const Point *p) { return p ? p->x + p->y : -1; }
API void point_move(Point *p, int dx, double dy) {
  p->x += dx;
  p->y += dy;
}
API double points_sum(const Point *p, int n) {
  double total = 0;
  for (int i = 0; i < n; i++) total += p[i].x * 10 + p[i].y;
  return total;
}
API void points_fill(Point *p, int n) {
  for (int i = 0; i < n; i++) p[i] = (Point){p[i].x + i, p[i].y + i * 0.5};
}
API Point *static_point(void) {
  static Point p = {7, 8.5};
  return &p;
}
API void give_point(Point **out) { *out = static_point(); }
/* Everything at once, so that some travel in registers and some on the stack. */
API double weigh_structs(Point a, Small b, int c, Floats3 d, Doubles2 e, FloatInt f, double g,
                         Packed h, Point i, Small j) {
  return a.x + a.y + 10 * (b.a + b.b + b.c) + 100 * c + 1000 * (d.a + d.b + d.c) + e.a + e.b +
         f.a + f.b + g + h.a + h.b + h.c + i.x + i.y + j.a + j.b + j.c;
}
API int packed_sizes(int which) {
  switch (which) {
    case 0: return sizeof(Packed);
    case 1: return sizeof(PackedSmall);
    case 2: return sizeof(Arrays);
    case 3: return sizeof(Tagged);
    case 4: return sizeof(Line);
    case 5: return sizeof(Aligned);
    case 6: return sizeof(Flags);
    case 7: return sizeof(Points2);
    default: return -1;
  }
}
API int matrix_at(Matrix m, int row, int column) { return m.m[row][column]; }
API int flexible_sum(const Flexible *f) {
  int total = 0;
  for (int i = 0; i < f->len; i++) total = total * 3 + f->values[i];
  return total;
}
API void flexible_fill(Flexible *f, int n) {
  f->len = n;
  for (int i = 0; i < n && i < 8; i++) f->values[i] = i + 1;
}
API int counted_sum(Counted c) {
  int total = 0;
  for (int i = 0; i < c.len; i++) total = total * 3 + c.values[i];
  return total;
}
API Counted counted_make(int n) {
  static const int values[] = {5, 6, 7, 8};
  return (Counted){n, n ? values : NULL};
}
API void any_fill(Any *a) { a->d = 1.5; }
API double any_double(Any a) { return a.d; }
API int32_t any_int(Any a) { return a.i; }
API uint32_t flags_bits(Flags f) {
  uint8_t raw[2];
  memcpy(raw, &f, 2);
  return (uint32_t)(raw[0] | raw[1] << 8);
}
API int handler_call(Handler h, int v) { return h.f ? h.f(v + h.seed) : -1; }
API int handlers_call(const Handler *h, int n, int v) {
  int total = 0;
  for (int i = 0; i < n; i++) total += handler_call(h[i], v);
  return total;
}

/* Larger than the memory in which calls are marshalled. */
typedef struct {
  int32_t id;
  uint8_t bytes[3 * 1024 * 1024];
  char text[10];
  int32_t tail[300000];
  double last;
} Large;

API double large_sum(const Large *l) {
  double total = l->id + l->last;
  for (size_t i = 0; i < sizeof l->bytes; i++) total += l->bytes[i];
  for (size_t i = 0; i < sizeof l->tail / sizeof *l->tail; i++) total += l->tail[i];
  return total;
}
API void large_fill(Large *l) {
  l->id++;
  memset(l->bytes, 2, sizeof l->bytes);
  strcpy(l->text, "filled");
  for (int i = 0; i < 300000; i++) l->tail[i] = i;
  l->last = -l->last;
}
API double large_value(Large l) { return l.last; }
