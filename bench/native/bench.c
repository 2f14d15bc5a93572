#include "bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static volatile uint32_t nop_calls;

void nop(void) { nop_calls++; }

int32_t answer(void) { return 42; }

int32_t sum(int32_t a, int32_t b) { return a + b; }

double add_doubles(double a, double b) { return a + b; }

float add_floats(float a, float b) { return a + b; }

int32_t sum8(int32_t a, int32_t b, int32_t c, int32_t d, int32_t e, int32_t f,
             int32_t g, int32_t h) {
  return a + b + c + d + e + f + g + h;
}

double mixed12(int32_t a, double b, uint8_t c, int64_t d, int16_t e, double f,
               uint32_t g, bool h, int32_t i, double j, int64_t k, int32_t l) {
  return a + b + c + (double)d + e + f + g + h + i + j + (double)k + l;
}

uint8_t add_u8(uint8_t a, uint8_t b) { return (uint8_t)(a + b); }

bool negate(bool value) { return !value; }

int64_t add_i64(int64_t a, int64_t b) { return a + b; }

int32_t fail_with(int32_t code) {
  errno = code;
  return -1;
}

int32_t text_length(const char *text) { return (int32_t)strlen(text); }

const char *concat(const char *a, const char *b) {
  static char out[256];
  size_t a_len = strlen(a), b_len = strlen(b);
  if (a_len + b_len >= sizeof out) return NULL;
  memcpy(out, a, a_len);
  memcpy(out + a_len, b, b_len + 1);
  return out;
}

const char *text_16(void) { return "sixteen letters."; }

const char *text_1k(void) {
  static char out[1025];
  if (!out[0]) memset(out, 'x', 1024);
  return out;
}

/* "\xc3\xbc" is U+00FC; sixteen of them. */
const char *text_umlauts(void) {
  return "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
         "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc";
}

int32_t ends_u8(const uint8_t *bytes, int32_t count) {
  return bytes[0] + bytes[count - 1];
}

void fill(uint8_t *bytes, int32_t value, int32_t count) {
  memset(bytes, value, (size_t)count);
}

int32_t ends_i32(const int32_t *items, int32_t count) {
  return items[0] + items[count - 1];
}

const int32_t *hundred_ints(void) {
  static int32_t out[100];
  if (!out[99])
    for (int32_t i = 0; i < 100; i++) out[i] = i * 3 + 1;
  return out;
}

const double *five_doubles(void) {
  static const double out[5] = {0.5, 1.5, 2.5, 3.5, 4.5};
  return out;
}

void double_into(int32_t value, int32_t *out) { *out = value * 2; }

double record_total(const Record *record) {
  return record->id + record->score + (double)record->stamp + record->level;
}

const Record *record_static(void) {
  static const Record out = {7, 0.5, 1000, 3};
  return &out;
}

void move_point(Point *point, double by) {
  point->x += by;
  point->y += by;
}

void copy_record(Record *out) { *out = *record_static(); }

Point swap_point(Point point) { return (Point){point.y, point.x}; }

Mixed24 bump_mixed(Mixed24 value) {
  return (Mixed24){value.a + 1, value.b + 1, value.c + 1, value.d + 1};
}

Grid shift_grid(Grid grid) {
  grid.origin.x += 1;
  grid.origin.y += 1;
  for (int i = 0; i < 4; i++) grid.cells[i] += 1;
  return grid;
}

int32_t apply(Unary function, int32_t value) { return function(value); }

int32_t apply_100(Unary function, int32_t value) {
  uint32_t total = 0;
  for (int32_t i = 0; i < 100; i++) total += (uint32_t)function(value);
  return (int32_t)total;
}

void sort_ints(int32_t *items, int32_t count, Compare compare) {
  qsort(items, (size_t)count, sizeof *items,
        (int (*)(const void *, const void *))compare);
}
