/* Memory of an argument that is used after C has called back. */
#include "fixture.h"

/* Calls back, and then writes to the bytes and adds them up. */
API int32_t fill_after(uint8_t *bytes, int32_t count, int32_t (*call)(int32_t)) {
  int32_t total = call(count);
  for (int32_t i = 0; i < count; i++) bytes[i] = (uint8_t)(bytes[i] + 1);
  for (int32_t i = 0; i < count; i++) total += bytes[i];
  return total;
}

typedef struct { uint8_t *bytes; int32_t count; } span;

/* The same for bytes that a struct points to. */
API int32_t fill_span_after(span s, int32_t (*call)(int32_t)) {
  return fill_after(s.bytes, s.count, call);
}

static int32_t (*held_later)(int32_t);

/* Notes what `fill_held` calls back: none of that function's own arguments is a function. */
API void hold_call(int32_t (*call)(int32_t)) { held_later = call; }
API int32_t fill_held(uint8_t *bytes, int32_t count) {
  return fill_after(bytes, count, held_later);
}

/* Where an argument is. */
API uint64_t address_of_bytes(const uint8_t *bytes) { return (uint64_t)(uintptr_t)bytes; }
