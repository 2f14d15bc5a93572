/* The C functions every contestant calls. They do as little as they can, so
 * that a round measures the way in and out, not the callee. */
#ifndef FFI_JIT_BENCH_H
#define FFI_JIT_BENCH_H

#include <stdbool.h>
#include <stdint.h>

/* Scalars */
void nop(void);
int32_t answer(void);
int32_t sum(int32_t a, int32_t b);
double add_doubles(double a, double b);
float add_floats(float a, float b);
int32_t sum8(int32_t a, int32_t b, int32_t c, int32_t d, int32_t e, int32_t f,
             int32_t g, int32_t h);
double mixed12(int32_t a, double b, uint8_t c, int64_t d, int16_t e, double f,
               uint32_t g, bool h, int32_t i, double j, int64_t k, int32_t l);
uint8_t add_u8(uint8_t a, uint8_t b);
bool negate(bool value);
int64_t add_i64(int64_t a, int64_t b);
int32_t fail_with(int32_t code);

/* Strings; results live in static memory and are not to be freed. atoi is the
 * C library's own, found through this library's dependencies. */
int32_t text_length(const char *text);
const char *concat(const char *a, const char *b);
const char *text_16(void);
const char *text_1k(void);
const char *text_umlauts(void);

/* Memory */
int32_t ends_u8(const uint8_t *bytes, int32_t count);
void fill(uint8_t *bytes, int32_t value, int32_t count);
int32_t ends_i32(const int32_t *items, int32_t count);
const int32_t *hundred_ints(void);
const double *five_doubles(void);
void double_into(int32_t value, int32_t *out);

/* Structs */
typedef struct {
  int32_t id;
  double score;
  int64_t stamp;
  int32_t level;
} Record;

typedef struct {
  double x;
  double y;
} Point;

typedef struct {
  int32_t a;
  int32_t b;
  double c;
  int64_t d;
} Mixed24;

typedef struct {
  Point origin;
  int32_t cells[4];
} Grid;

double record_total(const Record *record);
const Record *record_static(void);
void move_point(Point *point, double by);
void copy_record(Record *out);
Point swap_point(Point point);
Mixed24 bump_mixed(Mixed24 value);
Grid shift_grid(Grid grid);

/* Callbacks */
typedef int32_t (*Unary)(int32_t value);
typedef int32_t (*Compare)(const int32_t *a, const int32_t *b);

int32_t apply(Unary function, int32_t value);
int32_t apply_100(Unary function, int32_t value);
void sort_ints(int32_t *items, int32_t count, Compare compare);

#endif
