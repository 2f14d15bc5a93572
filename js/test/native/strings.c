/* Strings and wide strings: lengths, echoes, NULL, invalid and long text. */
#include "fixture.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

API int32_t string_bytes(const char *s) { return (int32_t)strlen(s); }
API const char *echo_string(const char *s) { return s; }
API const char *string_tail(const char *s, int32_t skip) { return s + skip; }
API bool string_is_null(const char *s) { return s == NULL; }
API uint8_t string_byte(const char *s, int32_t at) { return (uint8_t)s[at]; }
API const char *null_string(void) { return NULL; }
API const char *empty_string(void) { return ""; }
API const char *static_string(void) { return "a static string"; }
API const char *unicode_string(void) { return "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"; }

/* One string per way in which UTF-8 can be wrong. */
API const char *invalid_utf8(int32_t kind) {
  switch (kind) {
    case 0: return "a\xff" "b";             /* byte that never occurs */
    case 1: return "a\xc3(b";               /* lead byte without its tail */
    case 2: return "a\xe2\x82";             /* cut at the end */
    case 3: return "a\xed\xa0\x80" "b";     /* encoded surrogate */
    case 4: return "a\xc0\xaf" "b";         /* overlong */
    case 5: return "a\xf4\x90\x80\x80" "b"; /* above U+10FFFF */
    default: return "valid";
  }
}

API char *concat_strings(const char *a, const char *b) {
  size_t n = strlen(a), m = strlen(b);
  char *joined = tracked_malloc(n + m + 1);
  memcpy(joined, a, n);
  memcpy(joined + n, b, m + 1);
  return joined;
}

/* `length` letters a..z in turn, malloc'ed. */
API char *make_string(int32_t length) {
  char *text = tracked_malloc((size_t)length + 1);
  for (int32_t i = 0; i < length; i++) text[i] = (char)('a' + i % 26);
  text[length] = 0;
  return text;
}

API void write_string(char **out) { *out = tracked_string("written by C"); }
API void write_static_string(const char **out) { *out = "static, written by C"; }
API void upper_string(char *s) {
  for (; *s; s++)
    if (*s >= 'a' && *s <= 'z') *s = (char)(*s - 32);
}

API int32_t wide_length(const wchar_t *s) { return (int32_t)wcslen(s); }
API const wchar_t *echo_wide(const wchar_t *s) { return s; }
API uint32_t wide_unit(const wchar_t *s, int32_t at) { return (uint32_t)s[at]; }
API bool wide_is_null(const wchar_t *s) { return s == NULL; }
API const wchar_t *null_wide(void) { return NULL; }
API const wchar_t *empty_wide(void) { return L""; }
API const wchar_t *static_wide(void) { return L"gr\u00fc\u00df \u20ac \U0001F600"; }

API const wchar_t *invalid_wide(int32_t kind) {
  static wchar_t text[4];
  text[0] = L'a';
  text[1] = (wchar_t)(kind == 0 ? 0x110000 : kind == 1 ? 0xd800 : 0x7fffffff);
  text[2] = L'b';
  text[3] = 0;
  return text;
}

API wchar_t *concat_wide(const wchar_t *a, const wchar_t *b) {
  size_t n = wcslen(a), m = wcslen(b);
  wchar_t *joined = tracked_malloc((n + m + 1) * sizeof *joined);
  wmemcpy(joined, a, n);
  wmemcpy(joined + n, b, m + 1);
  return joined;
}

/* A function that hears of strings while they are in use. */
static void (*listener)(const char *);
API void set_listener(void (*f)(const char *)) { listener = f; }
API int32_t heard_bytes(const char *s) {
  if (listener) listener(s);
  return (int32_t)strlen(s);
}
API const char *heard_string(const char *a, const char *b) {
  if (listener) listener(a);
  return b;
}
API const wchar_t *heard_wide(const wchar_t *s) {
  if (listener) listener("wide");
  return s;
}

API int32_t nine_bytes(const char *a, const char *b, const char *c, const char *d, const char *e,
                       const char *f, const char *g, const char *h, const char *i) {
  const char *all[] = {a, b, c, d, e, f, g, h, i};
  int32_t total = 0;
  for (int k = 0; k < 9; k++) total += all[k] ? (k + 1) * (int32_t)strlen(all[k]) : 0;
  return total;
}

typedef struct { int64_t bytes, first, factor; } text_facts;
API text_facts facts_of(const char *s, int32_t factor) {
  text_facts facts = {(int64_t)strlen(s) * factor, (uint8_t)s[0], factor};
  return facts;
}

API const char *string_and_errno(const char *s, int32_t code) {
  errno = code;
  return s;
}
