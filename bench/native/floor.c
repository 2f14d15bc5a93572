/* The floor: the same calls made by C in a loop, with nothing in between but
 * the shared library's linkage. run(case, n) makes n calls and returns what
 * the last one gave (for structs, one field of it). */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addon.h"

#define LOOP(name, setup, body)            \
  static double loop_##name(int64_t n) {   \
    double last = 0;                       \
    setup;                                 \
    for (int64_t i = 0; i < n; i++) {      \
      body;                                \
      __asm__ volatile("" ::: "memory");   \
    }                                      \
    return last;                           \
  }

static int32_t increment(int32_t value) { return value + 1; }

static int32_t compare(const int32_t *a, const int32_t *b) {
  return (*a > *b) - (*a < *b);
}

static char sixteen[] = "sixteen letters.";
static char two_hundred[201];
static char thousand[1025];
static char umlauts[33];
static uint8_t bytes[100];
static int32_t ints[100];

LOOP(void, , nop())
LOOP(i32_result, , last = answer())
LOOP(sum, , last = sum((int32_t)i, 2))
LOOP(double2, , last = add_doubles((double)i, 0.5))
LOOP(float2, , last = add_floats((float)(i & 1023), 0.5f))
LOOP(ints8, , last = sum8((int32_t)i, 1, 2, 3, 4, 5, 6, 7))
LOOP(mixed12, ,
     last = mixed12((int32_t)i, 1.5, 3, 4, 5, 6.5, 7, true, 9, 10, 11, 9))
LOOP(u8, , last = add_u8(i & 127, 100))
LOOP(bool, , last = negate(i & 1))
LOOP(i64, , last = (double)add_i64(i, 4294967296))
LOOP(errno, int32_t code = 0, last = fail_with(2); code += errno)
LOOP(concat, const char *text = "", text = concat("foo", "bar");
     last = text[0])
LOOP(atoi, char text[] = "1000", last = atoi(text))
LOOP(str16, , last = text_length(sixteen))
LOOP(str200, , last = text_length(two_hundred))
LOOP(str1k, , last = text_length(thousand))
LOOP(str_utf8, , last = text_length(umlauts))
LOOP(str16_result, , last = text_16()[0])
LOOP(str1k_result, , last = text_1k()[0])
LOOP(str_utf8_result, , last = (uint8_t)text_umlauts()[0])
LOOP(buffer, , last = ends_u8(bytes, 100))
LOOP(memset64, uint8_t out[64], fill(out, i & 255, 64); last = out[63])
LOOP(i32_array, , last = ends_i32(ints, 100))
LOOP(i32_array_result, , last = hundred_ints()[99])
LOOP(out_int, int32_t out, double_into((int32_t)i, &out); last = out)
LOOP(create_free, , int32_t *cell = malloc(sizeof *cell); if (!cell) return -1;
     *cell = (int32_t)i; __asm__ volatile("" : : "r"(cell) : "memory");
     last = *cell; free(cell))
LOOP(struct_pointer, Record record = ((Record){0, 0.5, 1000, 3}),
     record.id = (int32_t)i; last = record_total(&record))
LOOP(struct_pointer_result, , last = record_static()->id)
LOOP(struct_inout, , Point point = ((Point){(double)i, 2.5});
     move_point(&point, 1); last = point.x)
LOOP(struct16, , last = swap_point((Point){(double)i, 2.5}).y)
LOOP(struct24, , last = bump_mixed((Mixed24){(int32_t)i, 2, 3.5, 4}).a)
LOOP(struct_nested, ,
     last = shift_grid((Grid){{(double)i, 2.5}, {1, 2, 3, 4}}).origin.x)
LOOP(callback, , last = apply(increment, (int32_t)i))
LOOP(callback_100, , last = apply_100(increment, (int32_t)(i % 1000)))

/* The array to be sorted, copied in by prepare(). */
static int32_t unsorted[1000], sorted[1000];
LOOP(qsort, , memcpy(sorted, unsorted, sizeof sorted);
     sort_ints(sorted, 1000, compare); last = sorted[999])

static const struct {
  const char *name;
  double (*loop)(int64_t);
} loops[] = {
#define ROW(name) {#name, loop_##name}
    ROW(void),          ROW(i32_result),   ROW(sum),
    ROW(double2),       ROW(ints8),        ROW(mixed12),
    ROW(u8),            ROW(bool),         ROW(i64),
    ROW(errno),         ROW(concat),       ROW(atoi),
    ROW(str16),         ROW(str1k),        ROW(str_utf8),
    ROW(str16_result),  ROW(str1k_result), ROW(str_utf8_result),
    ROW(buffer),        ROW(i32_array),    ROW(i32_array_result),
    ROW(out_int),       ROW(create_free),  ROW(struct_pointer),
    ROW(struct_pointer_result),            ROW(struct16),
    ROW(struct24),      ROW(struct_nested), ROW(callback),
    ROW(callback_100),  ROW(qsort),        ROW(float2),
    ROW(str200),        ROW(memset64),     ROW(struct_inout),
#undef ROW
};

ENTRY js_run(INFO) {
  ARGS(2)
  TEXT(name, 64, argv[0]);
  I64(n, argv[1]);
  for (size_t i = 0; i < sizeof loops / sizeof *loops; i++)
    if (!strcmp(loops[i].name, name))
      RETURN(napi_create_double, loops[i].loop(n));
  napi_throw_error(env, NULL, "no such loop");
  return NULL;
}

/* prepare(bytes, ints, unsorted): the data that the cases share. */
ENTRY js_prepare(INFO) {
  ARGS(3)
  struct {
    void *to;
    size_t size;
  } copies[] = {{bytes, sizeof bytes}, {ints, sizeof ints},
                {unsorted, sizeof unsorted}};
  for (size_t i = 0; i < 3; i++) {
    void *data;
    size_t length;
    TRY(napi_get_buffer_info(env, argv[i], &data, &length));
    if (length != copies[i].size) {
      napi_throw_range_error(env, NULL, "unexpected size");
      return NULL;
    }
    memcpy(copies[i].to, data, length);
  }
  memset(two_hundred, 'x', sizeof two_hundred - 1);
  memset(thousand, 'x', sizeof thousand - 1);
  for (size_t i = 0; i < sizeof umlauts - 1; i += 2)
    memcpy(umlauts + i, "\xc3\xbc", 2);
  return NULL;
}

/* resolve(path, count, call): dlsym of f00000 onwards, called once if wanted;
 * returns the last function's address modulo 2^32, so that it is used. */
ENTRY js_resolve(INFO) {
  ARGS(3)
  TEXT(path, 4096, argv[0]);
  U32(count, argv[1]);
  BOOL(call, argv[2]);
  void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL), *symbol = NULL;
  void **table = malloc(count * sizeof *table);
  if (!library || !table) return NULL;
  for (uint32_t i = 0; i < count; i++) {
    char name[16];
    snprintf(name, sizeof name, "f%05u", i);
    table[i] = symbol = dlsym(library, name);
    if (!symbol) {
      napi_throw_error(env, NULL, name);
      return NULL;
    }
    if (call) ((int32_t(*)(int32_t, int32_t))symbol)(1, 2);
  }
  RETURN(napi_create_uint32, (uint32_t)(uintptr_t)symbol);
}

NAPI_MODULE_INIT() {
  static const Export list[] = {
      {"run", js_run}, {"prepare", js_prepare}, {"resolve", js_resolve}};
  for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
    napi_value function;
    TRY(napi_create_function(env, list[i].name, NAPI_AUTO_LENGTH,
                             list[i].function, NULL, &function));
    TRY(napi_set_named_property(env, exports, list[i].name, function));
  }
  return exports;
}
