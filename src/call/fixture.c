// What the tests of row 5 call. Compiled by them with cc.
#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <stddef.h>

typedef struct { int quotient; double rest; } mixed;
typedef struct { long a, b, c; } large;

int counter = 7;

mixed make_mixed(int a, double b) { return (mixed){a + 1, b * 2}; }
large make_large(long base) { return (large){base, base + 1, base + 2}; }
long sum_large(large value) { return value.a + value.b + value.c; }

int fail_with(int code) { errno = code; return -1; }

int trace(void **addresses, int count) { return backtrace(addresses, count); }

// Callers of callbacks.
signed char call_i8(signed char (*f)(signed char), signed char x) { return f(x); }
double call_f64(double (*f)(int, double), int a, double b) { return f(a, b); }
mixed call_mixed(mixed (*f)(mixed), mixed value) { return f(value); }
large call_large(large (*f)(long), long base) { return f(base); }

// The first addition leaves a value in the register of the result.
double call_late_f64(double (*f)(int, double), int a, double b) {
  double first = a + b;
  return f(a, first) + (first - first);
}

// A thread that ends below a trampoline.
struct task { void (*enter)(void *, void *); void *frame, *record; long value, seen; };

static inline void see(struct task **task) { (*task)->seen = (*task)->value * 3; }

// The handler finds the task in a register that the trampoline saved.
static void *run(void *argument) {
  __attribute__((cleanup(see))) struct task *task = argument;
  task->enter(task->frame, task->record);
  task->value = 0; // not reached
  return NULL;
}

void leave_thread(long value) { pthread_exit((void *)value); }

long in_thread(void (*enter)(void *, void *), void *frame, void *record, long value) {
  struct task task = {enter, frame, record, value, 0};
  pthread_t thread;
  void *brought;
  if (pthread_create(&thread, NULL, run, &task) != 0 || pthread_join(thread, &brought) != 0)
    return -1;
  return task.seen * (long)brought;
}
