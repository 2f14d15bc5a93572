/* What calls back in odd ways: on stacks of its own, deep, with work that has to be completed. */
#include "fixture.h"
#include <stdlib.h>
#if defined(__GLIBC__)
#include <ucontext.h>
#endif

typedef int32_t (*unary)(int32_t);

static int32_t begun, completed;

/* Calls back `times` times; what it has begun has to come to its end, whatever happens. */
API int32_t begin_and_complete(unary f, int32_t v, int32_t times) {
  int32_t total = 0;
  __atomic_add_fetch(&begun, 1, __ATOMIC_SEQ_CST);
  for (int32_t i = 0; i < times; i++) total += f(v + i);
  __atomic_add_fetch(&completed, 1, __ATOMIC_SEQ_CST);
  return total;
}
API int32_t calls_begun(void) { return __atomic_load_n(&begun, __ATOMIC_SEQ_CST); }
API int32_t calls_completed(void) { return __atomic_load_n(&completed, __ATOMIC_SEQ_CST); }

/* Writes into `bytes` after the callback has returned. */
API int32_t fill_when_called(unary f, uint8_t *bytes, int32_t n) {
  int32_t v = f(n);
  for (int32_t i = 0; i < n; i++) bytes[i] = (uint8_t)v;
  return v;
}

/* Adds what the callback gives for each, only if it is asked to ask. */
API int32_t maybe_ask(unary f, int32_t v, bool ask) { return ask ? f(v) : -v; }

API double mix_registers(double (*f)(double, int32_t), double a, int32_t b) {
  double x = a * 3, y = b * 5;
  double got = f(a, b);
  return got + x + y;
}

/* A result that a callback writes where C says, large enough to be copied in a loop. */
typedef struct { double values[40]; } block;
API double pass_blocks(block (*f)(block), int32_t n) {
  block b = {{0}};
  double total = 0;
  for (int32_t i = 0; i < n; i++) {
    b = f(b);
    for (int at = 0; at < 40; at++) total += b.values[at] * (at + 1);
  }
  return total;
}

/* The callback is called on a stack that C made itself; -1 where there are none. */
#if defined(__GLIBC__)
static ucontext_t outside, inside;
static unary chosen;
static int32_t given, result;
static void run_inside(void) { result = chosen(given); }
API int32_t ask_on_own_stack(unary f, int32_t v) {
  size_t size = 256 << 10;
  char *stack = malloc(size);
  if (!stack || getcontext(&inside) != 0) return -1;
  chosen = f;
  given = v;
  inside.uc_stack.ss_sp = stack;
  inside.uc_stack.ss_size = size;
  inside.uc_link = &outside;
  makecontext(&inside, run_inside, 0);
  swapcontext(&outside, &inside);
  free(stack);
  return result;
}
#else
API int32_t ask_on_own_stack(unary f, int32_t v) { return f ? v * 0 - 1 : -1; }
#endif
