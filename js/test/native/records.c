/* The rich structs: text, arrays by pointer and inline, struct arrays, a person of every kind. */
#include "fixture.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
  uint8_t bytes[5];
  int16_t shorts[3];
  int32_t ints[4];
  float floats[3];
  double doubles[2];
} inline_arrays;
API inline_arrays inline_arrays_make(void) {
  return (inline_arrays){{1, 2, 3, 4, 255}, {-1, 2, -32768}, {1, -2, 3, INT32_MIN},
                         {0.5f, -1.5f, 2.5f}, {0.1, -1e300}};
}
API inline_arrays inline_arrays_echo(inline_arrays a) { return a; }
API double inline_arrays_sum(const inline_arrays *a) {
  double total = 0;
  for (int i = 0; i < 5; i++) total += a->bytes[i];
  for (int i = 0; i < 3; i++) total += a->shorts[i] + a->floats[i];
  for (int i = 0; i < 4; i++) total += a->ints[i];
  return total + a->doubles[0] + a->doubles[1];
}
API int32_t inline_arrays_size(void) { return (int32_t)sizeof(inline_arrays); }

typedef struct {
  char *text;
  wchar_t *wide;
  char **names;
  uint8_t *bytes;
  int16_t *shorts;
  int32_t *ints;
  float *floats;
  double *doubles;
} pointed;
API pointed *pointed_static(void) {
  static char *names[] = {"ann", "bo"};
  static uint8_t bytes[] = {9, 8, 7};
  static int16_t shorts[] = {-5, 5};
  static int32_t ints[] = {100, -100, 7};
  static float floats[] = {0.25f, 0.75f};
  static double doubles[] = {1.125, -2.5};
  static pointed p = {"text", L"wide \u20ac", names, bytes, shorts, ints, floats, doubles};
  return &p;
}
API pointed *pointed_nulls(void) {
  static pointed p;
  return &p;
}
API double pointed_sum(const pointed *p) {
  double total = (double)strlen(p->text) + 100.0 * (double)wcslen(p->wide);
  for (int i = 0; i < 2; i++)
    total += 1000.0 * (double)strlen(p->names[i]) + p->shorts[i] + p->floats[i] + p->doubles[i];
  for (int i = 0; i < 3; i++) total += p->bytes[i] + p->ints[i];
  return total;
}
API double pointed_sum_value(pointed p) { return pointed_sum(&p); }
/* Everything from malloc, for freeResultMemory: 2 names, 3 bytes, 2 of the rest. */
API pointed *pointed_make(void) {
  pointed *p = tracked_malloc(sizeof *p);
  p->text = tracked_string("made");
  p->wide = tracked_malloc(3 * sizeof(wchar_t));
  p->wide[0] = L'w', p->wide[1] = 0x20ac, p->wide[2] = 0;
  p->names = tracked_malloc(2 * sizeof(char *));
  p->names[0] = tracked_string("first"), p->names[1] = tracked_string("second");
  p->bytes = tracked_malloc(3);
  memcpy(p->bytes, "\1\2\3", 3);
  p->shorts = tracked_malloc(2 * sizeof(int16_t));
  p->ints = tracked_malloc(3 * sizeof(int32_t));
  p->floats = tracked_malloc(2 * sizeof(float));
  p->doubles = tracked_malloc(2 * sizeof(double));
  for (int i = 0; i < 3; i++) p->ints[i] = i;
  for (int i = 0; i < 2; i++)
    p->shorts[i] = (int16_t)i, p->floats[i] = (float)i, p->doubles[i] = i;
  return p;
}

typedef struct { int32_t x; double y; } point;
API double points_sum(const point *a, int32_t n) {
  double total = 0;
  for (int i = 0; i < n; i++) total += (i + 1) * (a[i].x + a[i].y);
  return total;
}
API double point_pointers_sum(point **a, int32_t n) {
  double total = 0;
  for (int i = 0; i < n; i++) total += (i + 1) * (a[i]->x + a[i]->y);
  return total;
}
API point *points_static(void) {
  static point a[] = {{1, 1.5}, {2, 2.5}, {3, 3.5}};
  return a;
}
API point **point_pointers_static(void) {
  static point *a[3];
  for (int i = 0; i < 3; i++) a[i] = points_static() + 2 - i;
  return a;
}
API point *points_make(int32_t n) {
  point *a = tracked_malloc((size_t)n * sizeof *a);
  for (int i = 0; i < n; i++) a[i] = (point){i, i + 0.5};
  return a;
}
API point *points_null(void) { return NULL; }
API void points_shift(point *a, int32_t n, int32_t dx) {
  for (int i = 0; i < n; i++) a[i].x += dx;
}

/* A struct array in the middle of a struct, inline and by pointer. */
typedef struct { uint8_t id; point points[3]; double after; } shape_inline;
typedef struct { uint8_t id; point *points; double after; } shape_pointer;
typedef struct { uint8_t id; point *points[2]; double after; } shape_inline_pointers;
API double shape_inline_sum(const shape_inline *s) {
  return s->id + points_sum(s->points, 3) + 1000 * s->after;
}
API shape_inline shape_inline_next(shape_inline s) {
  s.id++, s.after += 1;
  points_shift(s.points, 3, 10);
  return s;
}
API double shape_pointer_sum(const shape_pointer *s) {
  return s->id + points_sum(s->points, 3) + 1000 * s->after;
}
API shape_pointer *shape_pointer_static(void) {
  static shape_pointer s;
  s = (shape_pointer){5, points_static(), 0.125};
  return &s;
}
API double shape_inline_pointers_sum(const shape_inline_pointers *s) {
  return s->id + s->points[0]->x + 10 * s->points[1]->x + 1000 * s->after;
}

/* A person with a field of every kind; the parent is one too. */
typedef struct person {
  int32_t age;
  double *scores;         /* 2 */
  char *name;
  char **aliases;         /* 2 */
  bool married;
  int64_t id;
  uint8_t level;
  int16_t rank;
  uint32_t flags;
  uint64_t serial;
  float weight;
  double height;
  int64_t fortune;        /* read as a bigint */
  void *handle;
  point home;             /* inline */
  point *work;            /* pointer */
  uint8_t *photo;         /* 4 */
  int32_t lucky[3];       /* inline */
  point route[2];         /* inline */
  struct person *parent;
} person;

static void person_fill(person *p, person *parent) {
  static double scores[] = {1.5, -2.5};
  static char *aliases[] = {"Al", "Ally"};
  static point work = {30, 40.5};
  static uint8_t photo[] = {0xde, 0xad, 0xbe, 0xef};
  static int32_t handle = 77;
  *p = (person){.age = 41, .scores = scores, .name = "Alice \xe2\x82\xac", .aliases = aliases,
                .married = true, .id = 1234567890123, .level = 250, .rank = -300,
                .flags = 0xf0000001u, .serial = 1ULL << 50, .weight = 61.5f, .height = 1.75,
                .fortune = INT64_MAX, .handle = &handle, .home = {3, 4.25}, .work = &work,
                .photo = photo, .lucky = {7, 13, -21}, .route = {{1, 0.5}, {2, 0.25}},
                .parent = parent};
}
API person *person_make(void) {
  static person parent, child;
  person_fill(&parent, NULL);
  parent.age = 70, parent.name = "Parent";
  person_fill(&child, &parent);
  return &child;
}
API person person_value(void) { return *person_make(); }
API person *person_echo(person *p) { return p; }
API person person_echo_value(person p) { return p; }
API double person_sum(const person *p) {
  double total = p->age + p->scores[0] + p->scores[1] + (double)strlen(p->name) +
                 (double)strlen(p->aliases[0]) + (double)strlen(p->aliases[1]) + p->married +
                 (double)p->id + p->level + p->rank + p->flags + (double)p->serial + p->weight +
                 p->height + (double)p->fortune + p->home.x + p->home.y + p->work->x + p->work->y;
  for (int i = 0; i < 4; i++) total += p->photo[i];
  for (int i = 0; i < 3; i++) total += p->lucky[i];
  return total + p->route[0].x + p->route[0].y + p->route[1].x + p->route[1].y;
}
API void person_birthday(person *p) {
  p->age++;
  p->height += 0.25;
  p->name = "Renamed";
}
API int32_t person_size(void) { return (int32_t)sizeof(person); }

/* A struct that carries a function: C calls it with what else is in there. */
typedef struct { int32_t base; int32_t (*apply)(int32_t, int32_t); } operation;
API int32_t operation_run(const operation *o, int32_t v) { return o->apply(o->base, v); }
API int32_t operation_run_value(operation o, int32_t v) { return o.apply(o.base, v); }
static int32_t add_ints(int32_t a, int32_t b) { return a + b; }
API operation *operation_static(void) {
  static operation o = {11, add_ints};
  return &o;
}
