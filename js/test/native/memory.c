/* Memory that C hands out, with a counter for what the library frees itself. */
#include "fixture.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef _WIN32
#include <windows.h>
#else
#include <sys/mman.h>
#endif

/* Present only when preload/track.c is preloaded: it counts the frees that others make. */
#ifdef _WIN32
static void (*const fixture_track)(void *) = NULL;
#else
__attribute__((weak)) void fixture_track(void *block);
#endif

static int64_t live;

void *tracked_malloc(size_t size) {
  void *block = malloc(size);
  if (fixture_track) fixture_track(block);
  return block;
}

char *tracked_string(const char *text) {
  char *copy = tracked_malloc(strlen(text) + 1);
  strcpy(copy, text);
  return copy;
}

API void *allocate(uint32_t size) {
  live++;
  return calloc(1, size);
}
API void release(void *block) {
  if (block) live--;
  free(block);
}
API int64_t live_allocations(void) { return live; }

/* `size` readable bytes that end where an inaccessible page begins. */
API uint8_t *page_end_bytes(int32_t size) {
#ifdef _WIN32
  const size_t page = 4096;
  char *base = VirtualAlloc(NULL, 2 * page, MEM_RESERVE, PAGE_NOACCESS);
  if (!base || !VirtualAlloc(base, page, MEM_COMMIT, PAGE_READWRITE)) return NULL;
#else
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *base = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED || mprotect(base + page, page, PROT_NONE) != 0) return NULL;
#endif
  memset(base, 0x5a, page);
  return (uint8_t *)(base + page - size);
}

/* The bytes of the last buffer that was shown to the library. */
static uint8_t seen[4096];
static int32_t seen_length;
API void see_bytes(const uint8_t *bytes, int32_t n) {
  seen_length = n > (int32_t)sizeof seen ? (int32_t)sizeof seen : n;
  memcpy(seen, bytes, (size_t)seen_length);
}
API uint8_t *seen_bytes(void) { return seen; }
API int32_t seen_bytes_length(void) { return seen_length; }
API int32_t xor_bytes(uint8_t *bytes, int32_t n, uint8_t mask) {
  for (int32_t i = 0; i < n; i++) bytes[i] ^= mask;
  return n;
}
/* Reads the buffer only after a while: what it points to must still be there. */
API int32_t sum_bytes_later(const uint8_t *bytes, int32_t n, int32_t ms) {
  usleep((useconds_t)ms * 1000);
  int32_t total = 0;
  for (int32_t i = 0; i < n; i++) total += bytes[i];
  return total;
}
