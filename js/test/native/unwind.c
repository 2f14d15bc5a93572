/* What the system's unwinder sees above a C function. It is looked up at run time: which one there
 * is, if any, is the program's affair. */
#ifndef _WIN32
#include "fixture.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

struct trail {
  uintptr_t addresses[64];
  int count;
};

static union {
  void *found;
  uintptr_t (*get)(void *context);
  int (*get_register)(void *context, int class, uint32_t number, int representation, void *value);
} address_of;

/* Return codes of the unwinders: 0 to go on, 5 to stop. */
static int visit(void *context, void *argument) {
  struct trail *trail = argument;
  if (trail->count == 64) return 5;
  uintptr_t at = 0;
#ifdef __arm__
  address_of.get_register(context, 0, 15, 0, &at);
#else
  at = address_of.get(context);
#endif
  trail->addresses[trail->count++] = at;
  return 0;
}

/* Writes the places of the frames from here on, a line each: the file that the loader knows for the
 * address, or "?". Returns their number, -1 without an unwinder. */
API int32_t trace_files(char *text, int32_t size) {
  union {
    void *found;
    int (*run)(int (*visit)(void *, void *), void *argument);
  } backtrace = {dlsym(RTLD_DEFAULT, "_Unwind_Backtrace")};
#ifdef __arm__
  address_of.found = dlsym(RTLD_DEFAULT, "_Unwind_VRS_Get");
#else
  address_of.found = dlsym(RTLD_DEFAULT, "_Unwind_GetIP");
#endif
  if (!backtrace.found || !address_of.found) return -1;
  struct trail trail = {{0}, 0};
  backtrace.run(visit, &trail);
  int32_t used = 0;
  for (int i = 0; i < trail.count; i++) {
    Dl_info info;
    const char *file = "?";
    /* A return address may lie behind the end of its function. */
    if (dladdr((void *)(trail.addresses[i] - 1), &info) && info.dli_fname) file = info.dli_fname;
    int32_t length = (int32_t)strlen(file) + 1;
    if (used + length >= size) break;
    used += snprintf(text + used, (size_t)(size - used), "%s\n", file);
  }
  return trail.count;
}
#endif
