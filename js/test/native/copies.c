/* Structs that C has the address of while it calls back. */
#include "fixture.h"
#include <string.h>

/* With gaps behind `id` and behind `level`. */
typedef struct { int32_t id; double score; int64_t stamp; int32_t level; } copied;

static int32_t (*ask)(int32_t);

API void copied_ask(int32_t (*call)(int32_t)) { ask = call; }

/* One of the bytes, of the gaps as well. */
API int32_t copied_byte(const copied *p, int32_t at) { return ((const uint8_t *)p)[at]; }

/* Asks so many times, and only then reads. */
API double copied_sum(const copied *p, int32_t asks) {
  double total = 0;
  for (int32_t i = 0; i < asks; i++) total += 1e6 * ask(i);
  return total + p->id + p->score + (double)p->stamp + p->level;
}

/* Asks, and then writes; returns what it found. */
API int32_t copied_add(copied *p, int32_t by, int32_t asks) {
  int32_t found = p->id;
  for (int32_t i = 0; i < asks; i++) ask(i);
  p->id += by;
  p->score += by;
  p->stamp -= by;
  p->level *= by;
  return found;
}

/* Swaps two of them, byte by byte; returns how far they lie apart. */
API int64_t copied_swap(copied *a, copied *b) {
  copied kept;
  memcpy(&kept, a, sizeof kept);
  memcpy(a, b, sizeof kept);
  memcpy(b, &kept, sizeof kept);
  return (int64_t)((intptr_t)b - (intptr_t)a);
}

/* Whatever it gets. */
API int32_t copied_text(const copied *p, const char *text) {
  return p->id + (int32_t)strlen(text);
}
