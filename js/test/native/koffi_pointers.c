/* Pointers, arrays, strings and buffers for the Koffi suites. */
#include "fixture.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EACH(X)        \
  X(int8, int8_t)      \
  X(uint8, uint8_t)    \
  X(int16, int16_t)    \
  X(uint16, uint16_t)  \
  X(int32, int32_t)    \
  X(uint32, uint32_t)  \
  X(int64, int64_t)    \
  X(uint64, uint64_t)  \
  X(float, float)      \
  X(double, double)

/* sum: read only. fill: write only, from what was there (zero when it is an out parameter).
 * twice: read and write. */
#define ARRAY(name, type)                                                             \
  API double sum_##name##s(const type *a, int n) {                                    \
    double total = 0;                                                                 \
    for (int i = 0; a && i < n; i++) total += (double)a[i];                           \
    return a ? total : -1;                                                            \
  }                                                                                   \
  API void fill_##name##s(type *a, int n) {                                           \
    for (int i = 0; i < n; i++) a[i] = (type)(a[i] + (type)(i + 1));                  \
  }                                                                                   \
  API void twice_##name##s(type *a, int n) {                                          \
    for (int i = 0; i < n; i++) a[i] = (type)(a[i] * 2);                              \
  }
EACH(ARRAY)

API void *echo_pointer(void *p) { return p; }
API uint64_t address_of(const void *p) { return (uint64_t)(uintptr_t)p; }
API bool is_null(const void *p) { return p == NULL; }
API int read_int(const int *p) { return p ? *p : -1; }
API uint8_t read_byte(const void *p, int at) { return ((const uint8_t *)p)[at]; }
API void set_int(int *p, int v) { *p = v; }
API void set_bools(bool *p, int n) {
  for (int i = 0; i < n; i++) p[i] = i % 2 == 0;
}
API void divide(int a, int b, int *quotient, int *rest) {
  *quotient = a / b;
  *rest = a % b;
}

static int numbers[] = {1, -2, 3, -4, 5, 0, 7};
API int *static_ints(void) { return numbers; }
API void give_ints(int **out) { *out = numbers; }
API void give_null(void **out) { *out = NULL; }
API int sum_rows(int **rows, int count, int each) {
  int total = 0;
  for (int i = 0; i < count; i++)
    for (int j = 0; rows[i] && j < each; j++) total = total * 3 + rows[i][j];
  return total;
}

/* Strings. */
API const char *echo_str(const char *s) { return s; }
API const uint16_t *echo_str16(const uint16_t *s) { return s; }
API const uint32_t *echo_str32(const uint32_t *s) { return s; }
API const wchar_t *echo_wide(const wchar_t *s) { return s; }
API int64_t bytes_of(const char *s) { return s ? (int64_t)strlen(s) : -1; }
API int units16_of(const uint16_t *s) {
  int n = 0;
  if (!s) return -1;
  while (s[n]) n++;
  return n;
}
API int units32_of(const uint32_t *s) {
  int n = 0;
  if (!s) return -1;
  while (s[n]) n++;
  return n;
}
API const char *static_text(void) { return "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"; }
API const char *invalid_text(void) { return "a\xff\xc3(b"; }
API const uint16_t *static_text16(void) {
  static const uint16_t text[] = {'g', 'r', 0xfc, 0xdf, ' ', 0xd83d, 0xde00, 0};
  return text;
}
API const uint32_t *static_text32(void) {
  static const uint32_t text[] = {'g', 'r', 0xfc, 0xdf, ' ', 0x1f600, 0};
  return text;
}
API const wchar_t *static_wide(void) { return L"wide \u20ac"; }
API const char *null_text(void) { return NULL; }
API char *new_text(const char *s) { return s ? strdup(s) : NULL; }
API void give_text(char **out) { *out = (char *)"given"; }
API void give_new_text(char **out, const char *s) { *out = s ? strdup(s) : NULL; }
API void give_texts(const char **out, int n) {
  static const char *texts[] = {"zero", "one", NULL, "three"};
  for (int i = 0; i < n; i++) out[i] = texts[i % 4];
}
API int total_length(const char **texts, int n) {
  int total = 0;
  for (int i = 0; i < n; i++) total = total * 10 + (texts[i] ? (int)strlen(texts[i]) : 9);
  return total;
}
/* Into a buffer. */
API int write_text(char *out, int size) {
  strncpy(out, "written by C", (size_t)size);
  if (size > 0) out[size - 1] = 0;
  return size;
}
API void upper(char *s) {
  for (; *s; s++)
    if (*s >= 'a' && *s <= 'z') *s = (char)(*s - 32);
}
API void reverse16(uint16_t *s) {
  int n = units16_of(s);
  for (int i = 0; i < n / 2; i++) {
    uint16_t t = s[i];
    s[i] = s[n - 1 - i];
    s[n - 1 - i] = t;
  }
}
API void reverse32(uint32_t *s) {
  int n = units32_of(s);
  for (int i = 0; i < n / 2; i++) {
    uint32_t t = s[i];
    s[i] = s[n - 1 - i];
    s[n - 1 - i] = t;
  }
}
API void append(char *s, const char *more) { strcat(s, more); }

/* Kept beyond the call. */
static const void *kept;
API void keep(const void *p) { kept = p; }
API const void *get_kept(void) { return kept; }

/* For disposables: counts the blocks handed out and given back. */
static int live;
API int live_blocks(void) { return live; }
API char *make_text(const char *s) {
  if (!s) return NULL;
  live++;
  return strdup(s);
}
API int *make_ints(int n) {
  int *a = malloc(sizeof *a * (size_t)n);
  for (int i = 0; i < n; i++) a[i] = i * i;
  live++;
  return a;
}
API void give_made_text(char **out, const char *s) { *out = make_text(s); }
API void release(void *p) {
  if (p) live--;
  free(p);
}

/* Slow, for asynchronous calls on memory that C reads late. */
API int sum_bytes_later(const uint8_t *p, int n, int ms) {
  usleep((useconds_t)ms * 1000);
  int total = 0;
  for (int i = 0; i < n; i++) total += p[i];
  return total;
}
API int write_later(int *p, int n, int ms) {
  usleep((useconds_t)ms * 1000);
  for (int i = 0; i < n; i++) p[i] = i + 1;
  return n;
}
API char *concat_new(const char *a, const char *b) {
  char *text = malloc(strlen(a) + strlen(b) + 1);
  strcpy(text, a);
  strcat(text, b);
  return text;
}

/* Adds up, with weights, the second bytes of six views and everything between them. */
API int64_t weigh_views(const uint8_t *a, double b, const uint8_t *c, int d, const char *e,
                        const uint8_t *f, int64_t g, const void *h, float i, const uint8_t *j,
                        const uint8_t *k) {
  const uint8_t *all[] = {a, c, f, h, j, k};
  int64_t total = (int64_t)(b * 2) + d * 10 + (int64_t)strlen(e) * 100 + g * 1000;
  total += (int64_t)(i * 2) * 10000;
  for (int n = 0; n < 6; n++) total += (all[n] ? all[n][1] : 200) * (int64_t)(n + 1) * 1000000;
  return total;
}
