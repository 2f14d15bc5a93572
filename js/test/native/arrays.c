/* Arrays of every element kind: in, out, static, allocated, NULL, and arrays of strings. */
#include "fixture.h"
#include <stdlib.h>
#include <string.h>

/* The arithmetic is done in double so that one result type serves every element. */
#define ARRAY(name, type)                                                       \
  API double sum_##name##_array(const type *a, int32_t n) {                     \
    double total = 0;                                                           \
    for (int32_t i = 0; i < n; i++) total += (double)a[i];                      \
    return total;                                                               \
  }                                                                             \
  API type at_##name##_array(const type *a, int32_t i) { return a[i]; }         \
  API void fill_##name##_array(type *a, int32_t n, int32_t first) {             \
    for (int32_t i = 0; i < n; i++) a[i] = (type)(first + i);                   \
  }                                                                             \
  API type *echo_##name##_array(type *a) { return a; }                          \
  API type *static_##name##_array(void) {                                       \
    static type a[] = {1, 2, 3, 4, 5, 6, 7, 8};                                 \
    return a;                                                                   \
  }                                                                             \
  API type *null_##name##_array(void) { return NULL; }                          \
  API type *make_##name##_array(int32_t n) {                                    \
    type *a = tracked_malloc((size_t)(n ? n : 1) * sizeof *a);                  \
    for (int32_t i = 0; i < n; i++) a[i] = (type)i;                             \
    return a;                                                                   \
  }                                                                             \
  API void point_##name##_array(type **out) { *out = static_##name##_array(); }
EACH_ELEMENT(ARRAY)

API const double *edge_double_array(void) {
  static const double a[] = {0.0, -0.0, 1e308, 5e-324, 1.0 / 3.0};
  return a;
}
API const float *edge_float_array(void) {
  static const float a[] = {0.0f, -0.0f, 3.40282346638528859812e38f, 1.5f, 1.0f / 3.0f};
  return a;
}

API int32_t string_array_bytes(char **a, int32_t n) {
  int32_t total = 0;
  for (int32_t i = 0; i < n; i++) total += (int32_t)strlen(a[i]);
  return total;
}
API const char *string_array_at(char **a, int32_t i) { return a[i]; }
API char **echo_string_array(char **a) { return a; }
API char **null_string_array(void) { return NULL; }
API char **static_string_array(void) {
  static char *a[] = {"one", "", "dr\xc3\xbc", "vier"};
  return a;
}
API char **string_array_with_null(void) {
  static char *a[] = {"one", NULL, "three"};
  return a;
}
API char **string_array_invalid(void) {
  static char *a[] = {"ok", "a\xff" "b"};
  return a;
}
API char **make_string_array(int32_t n) {
  char **a = tracked_malloc((size_t)(n ? n : 1) * sizeof *a);
  for (int32_t i = 0; i < n; i++) {
    char text[32];
    int32_t at = 0, value = i;
    text[at++] = 's';
    do {
      text[at++] = (char)('0' + value % 10);
      value /= 10;
    } while (value);
    text[at] = 0;
    a[i] = tracked_string(text);
  }
  return a;
}
API void point_string_array(char ***out) { *out = static_string_array(); }
API char *join_string_array(char **a, int32_t n) {
  size_t size = 1;
  for (int32_t i = 0; i < n; i++) size += strlen(a[i]) + 1;
  char *joined = tracked_malloc(size);
  joined[0] = 0;
  for (int32_t i = 0; i < n; i++) {
    strcat(joined, a[i]);
    if (i + 1 < n) strcat(joined, ",");
  }
  return joined;
}
