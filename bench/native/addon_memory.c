/* The hand-written addon: Buffers, arrays, pointers and structs. */
#include "addon.h"

#include <stdlib.h>

ENTRY js_ends_u8(INFO) {
  ARGS(2)
  void *bytes;
  TRY(napi_get_buffer_info(env, argv[0], &bytes, NULL));
  I32(count, argv[1]);
  RETURN(napi_create_int32, ends_u8(bytes, count));
}

ENTRY js_fill(INFO) {
  ARGS(3)
  void *bytes;
  TRY(napi_get_buffer_info(env, argv[0], &bytes, NULL));
  I32(value, argv[1]);
  I32(count, argv[2]);
  fill(bytes, value, count);
  return NULL;
}

ENTRY js_ends_i32(INFO) {
  ARGS(2)
  I32(count, argv[1]);
  uint32_t length;
  TRY(napi_get_array_length(env, argv[0], &length));
  int32_t items[256];
  if (length > 256) return NULL;
  for (uint32_t i = 0; i < length; i++) {
    napi_value item;
    TRY(napi_get_element(env, argv[0], i, &item));
    TRY(napi_get_value_int32(env, item, &items[i]));
  }
  RETURN(napi_create_int32, ends_i32(items, count));
}

ENTRY js_hundred_ints(INFO) {
  (void)info;
  const int32_t *items = hundred_ints();
  napi_value array;
  TRY(napi_create_array_with_length(env, 100, &array));
  for (uint32_t i = 0; i < 100; i++) {
    napi_value item;
    TRY(napi_create_int32(env, items[i], &item));
    TRY(napi_set_element(env, array, i, item));
  }
  return array;
}

ENTRY js_double_into(INFO) {
  ARGS(1)
  I32(value, argv[0]);
  int32_t out;
  double_into(value, &out);
  RETURN(napi_create_int32, out);
}

ENTRY js_create_cell(INFO) {
  ARGS(1)
  I32(value, argv[0]);
  int32_t *cell = malloc(sizeof *cell);
  if (!cell) return NULL;
  *cell = value;
  RETURN(napi_create_external, cell, NULL, NULL);
}

ENTRY js_free_cell(INFO) {
  ARGS(1)
  POINTER(cell, argv[0]);
  free(cell);
  return NULL;
}

ENTRY js_five_doubles(INFO) {
  (void)info;
  RETURN(napi_create_external, (void *)five_doubles(), NULL, NULL);
}

ENTRY js_read_doubles(INFO) {
  ARGS(2)
  POINTER(pointer, argv[0]);
  U32(count, argv[1]);
  const double *items = pointer;
  napi_value array;
  TRY(napi_create_array_with_length(env, count, &array));
  for (uint32_t i = 0; i < count; i++) {
    napi_value item;
    TRY(napi_create_double(env, items[i], &item));
    TRY(napi_set_element(env, array, i, item));
  }
  return array;
}

/* Structs, field by field. */

#define SET(object, name, create, value)                          \
  do {                                                            \
    napi_value field;                                             \
    TRY(create(env, value, &field));                              \
    TRY(napi_set_named_property(env, object, name, field));       \
  } while (0)

ENTRY js_record_total(INFO) {
  ARGS(1)
  FIELD(id, argv[0]);
  FIELD(score, argv[0]);
  FIELD(stamp, argv[0]);
  FIELD(level, argv[0]);
  Record record;
  TRY(napi_get_value_int32(env, id_value, &record.id));
  TRY(napi_get_value_double(env, score_value, &record.score));
  TRY(napi_get_value_int64(env, stamp_value, &record.stamp));
  TRY(napi_get_value_int32(env, level_value, &record.level));
  RETURN(napi_create_double, record_total(&record));
}

ENTRY js_record_static(INFO) {
  (void)info;
  const Record *record = record_static();
  napi_value object;
  TRY(napi_create_object(env, &object));
  SET(object, "id", napi_create_int32, record->id);
  SET(object, "score", napi_create_double, record->score);
  SET(object, "stamp", napi_create_int64, record->stamp);
  SET(object, "level", napi_create_int32, record->level);
  return object;
}

static bool read_point(napi_env env, napi_value object, Point *point) {
  napi_value x, y;
  return napi_get_named_property(env, object, "x", &x) == napi_ok &&
         napi_get_named_property(env, object, "y", &y) == napi_ok &&
         napi_get_value_double(env, x, &point->x) == napi_ok &&
         napi_get_value_double(env, y, &point->y) == napi_ok;
}

static napi_value make_point(napi_env env, Point point) {
  napi_value object;
  TRY(napi_create_object(env, &object));
  SET(object, "x", napi_create_double, point.x);
  SET(object, "y", napi_create_double, point.y);
  return object;
}

/* Reads the point, and writes it back into the same object. */
ENTRY js_move_point(INFO) {
  ARGS(2)
  Point point;
  F64(by, argv[1]);
  if (!read_point(env, argv[0], &point)) {
    napi_throw_type_error(env, NULL, "expected a point");
    return NULL;
  }
  move_point(&point, by);
  SET(argv[0], "x", napi_create_double, point.x);
  SET(argv[0], "y", napi_create_double, point.y);
  return NULL;
}

ENTRY js_swap_point(INFO) {
  ARGS(1)
  Point point;
  if (!read_point(env, argv[0], &point)) {
    napi_throw_type_error(env, NULL, "expected a point");
    return NULL;
  }
  return make_point(env, swap_point(point));
}

ENTRY js_bump_mixed(INFO) {
  ARGS(1)
  FIELD(a, argv[0]);
  FIELD(b, argv[0]);
  FIELD(c, argv[0]);
  FIELD(d, argv[0]);
  Mixed24 value;
  TRY(napi_get_value_int32(env, a_value, &value.a));
  TRY(napi_get_value_int32(env, b_value, &value.b));
  TRY(napi_get_value_double(env, c_value, &value.c));
  TRY(napi_get_value_int64(env, d_value, &value.d));
  value = bump_mixed(value);
  napi_value object;
  TRY(napi_create_object(env, &object));
  SET(object, "a", napi_create_int32, value.a);
  SET(object, "b", napi_create_int32, value.b);
  SET(object, "c", napi_create_double, value.c);
  SET(object, "d", napi_create_int64, value.d);
  return object;
}

ENTRY js_shift_grid(INFO) {
  ARGS(1)
  FIELD(origin, argv[0]);
  FIELD(cells, argv[0]);
  Grid grid;
  if (!read_point(env, origin_value, &grid.origin)) {
    napi_throw_type_error(env, NULL, "expected a point");
    return NULL;
  }
  for (uint32_t i = 0; i < 4; i++) {
    napi_value item;
    TRY(napi_get_element(env, cells_value, i, &item));
    TRY(napi_get_value_int32(env, item, &grid.cells[i]));
  }
  grid = shift_grid(grid);
  napi_value object, origin = make_point(env, grid.origin), cells;
  if (!origin) return NULL;
  TRY(napi_create_object(env, &object));
  TRY(napi_set_named_property(env, object, "origin", origin));
  TRY(napi_create_array_with_length(env, 4, &cells));
  for (uint32_t i = 0; i < 4; i++) {
    napi_value item;
    TRY(napi_create_int32(env, grid.cells[i], &item));
    TRY(napi_set_element(env, cells, i, item));
  }
  TRY(napi_set_named_property(env, object, "cells", cells));
  return object;
}

napi_value export_memory(napi_env env, napi_value exports) {
  static const Export list[] = {
      {"ends_u8", js_ends_u8},
      {"fill", js_fill},
      {"ends_i32", js_ends_i32},
      {"hundred_ints", js_hundred_ints},
      {"double_into", js_double_into},
      {"create_cell", js_create_cell},
      {"free_cell", js_free_cell},
      {"five_doubles", js_five_doubles},
      {"read_doubles", js_read_doubles},
      {"record_total", js_record_total},
      {"record_static", js_record_static},
      {"move_point", js_move_point},
      {"swap_point", js_swap_point},
      {"bump_mixed", js_bump_mixed},
      {"shift_grid", js_shift_grid},
  };
  return export_all(env, exports, list, sizeof list / sizeof *list);
}
