/* What crtbegin_so.o of the Android NDK brings, and the name that LLVM's libunwind has for errno
 * when it is compiled against musl's headers. */
#define HIDDEN __attribute__((visibility("hidden")))

HIDDEN void *__dso_handle = &__dso_handle;

int *__errno(void);
HIDDEN int *__errno_location(void) { return __errno(); }
