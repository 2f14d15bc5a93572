/* Preloaded by the memory suites (LD_PRELOAD): sees every free() of the process and counts the
 * blocks of the fixture library that nobody has freed yet. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#define API __attribute__((visibility("default")))
#define SLOTS 65536u

#ifdef __GLIBC__
extern void __libc_free(void *block);
#else
static void __libc_free(void *block) {
  static void (*libc_free)(void *);
  if (libc_free == NULL) *(void **)&libc_free = dlsym(RTLD_NEXT, "free");
  libc_free(block);
}
#endif

static void *blocks[SLOTS];
static int64_t tracked;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static uint32_t slot_of(const void *block) {
  return (uint32_t)(((uintptr_t)block >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 40) % SLOTS;
}

API void fixture_track(void *block) {
  pthread_mutex_lock(&lock);
  for (uint32_t at = slot_of(block), left = SLOTS; left; left--, at = (at + 1) % SLOTS) {
    if (blocks[at] == NULL || blocks[at] == (void *)1) {
      blocks[at] = block;
      tracked++;
      break;
    }
  }
  pthread_mutex_unlock(&lock);
}

API void free(void *block) {
  if (block != NULL && __atomic_load_n(&tracked, __ATOMIC_RELAXED) > 0) {
    pthread_mutex_lock(&lock);
    for (uint32_t at = slot_of(block), left = SLOTS; left && blocks[at]; left--, at = (at + 1) % SLOTS) {
      if (blocks[at] == block) {
        blocks[at] = (void *)1; /* a tombstone: probing goes on past it */
        tracked--;
        break;
      }
    }
    pthread_mutex_unlock(&lock);
  }
  __libc_free(block);
}

API int64_t tracked_live(void) { return tracked; }
