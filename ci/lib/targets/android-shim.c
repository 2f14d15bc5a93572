/* Bionic's names on musl, enough to run an Android addon in a musl Node. Never shipped. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <unistd.h>

/* Bionic's numbers of sysconf. */
enum { PAGESIZE = 0x27, PAGE_SIZE = 0x28, NPROCESSORS_CONF = 0x60, NPROCESSORS_ONLN = 0x61 };

int *__errno(void) { return &errno; }

long sysconf(int name) {
  static long (*of_musl)(int);
  if (!of_musl) *(void **)&of_musl = dlsym(RTLD_NEXT, "sysconf");
  switch (name) {
    case PAGESIZE:
    case PAGE_SIZE:
      return 4096;
    case NPROCESSORS_CONF:
      return of_musl(_SC_NPROCESSORS_CONF);
    case NPROCESSORS_ONLN:
      return of_musl(_SC_NPROCESSORS_ONLN);
    default:
      return of_musl(name);
  }
}
