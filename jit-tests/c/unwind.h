// The compiler's unwinder against trampolines: told of a trampoline's table, it must find, from C
// code below the trampoline, the frame above it with SP and all callee-saved registers as they were
// at the call. Included by driver.c, behind guard.h.
#if !defined(_WIN32) && !defined(__arm__)
#define UNWINDS 1

#if defined(__aarch64__)
static const int dwarf_numbers[INTS] = {19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29};
#elif defined(__i386__)
static const int dwarf_numbers[INTS] = {3, 6, 7, 5};
#elif defined(__x86_64__)
static const int dwarf_numbers[INTS] = {3, 6, 12, 13, 14, 15};
#endif

extern int _Unwind_Backtrace(int (*visit)(void *context, void *argument), void *argument);
extern uintptr_t _Unwind_GetIP(void *context);
extern uintptr_t _Unwind_GetCFA(void *context); // In both unwinders the SP of the frame.
extern uintptr_t _Unwind_GetGR(void *context, int number);

#ifdef __clang__ // LLVM's unwinder
extern void __unw_add_dynamic_eh_frame_section(uintptr_t section);
extern void __unw_remove_dynamic_eh_frame_section(uintptr_t section);
#define add_section(section) __unw_add_dynamic_eh_frame_section((uintptr_t)(section))
#define remove_section(section) __unw_remove_dynamic_eh_frame_section((uintptr_t)(section))
#else // libgcc
extern void __register_frame(void *section);
extern void *__deregister_frame(void *section);
#define add_section __register_frame
#define remove_section __deregister_frame
#endif

// Tables that the unwinder knows.
static struct table {
  byte *section, *code;
  size_t length;
} tables[2];

// Makes a table known for code at `code`, in place of the one that was known under this number.
static void announce(int number, struct blob table, uint32_t description, byte *start, size_t length) {
  struct table *known = &tables[number];
  if (known->section) {
    remove_section(known->section);
    free(known->section);
  }
  *known = (struct table){0, start, length};
  if (table.length == 0) return;
  known->section = malloc(table.length);
  if (!known->section) exit(3);
  memcpy(known->section, table.start, table.length);
  // It was made for code at address 0.
  memcpy(known->section + description + 8, &start, sizeof start);
  add_section(known->section);
}

static int in_trampoline(uintptr_t address) {
  for (int i = 0; i < 2; i++)
    if (tables[i].section && address - (uintptr_t)tables[i].code < tables[i].length) return 1;
  return 0;
}

static int passed_trampolines, found_guard;
static const char *unwinding;

static int visit(void *context, void *argument) {
  (void)argument;
  if (in_trampoline(_Unwind_GetIP(context))) {
    passed_trampolines++;
    return 0;
  }
  if (passed_trampolines == 0) return 0;
  found_guard = 1;
#if defined(__aarch64__)
  uintptr_t sp = guard_state.saved.sp;
#else
  uintptr_t sp = guard_state.saved.sp + sizeof(uintptr_t) - guard_state.skew;
#endif
  if (_Unwind_GetCFA(context) != sp)
    fail(unwinding, "the unwinder's SP is off by", _Unwind_GetCFA(context) - sp);
  for (int i = 0; i < INTS; i++)
    if (_Unwind_GetGR(context, dwarf_numbers[i]) != guard_state.pattern.ints[i])
      fail(unwinding, "the unwinder loses callee-saved register", dwarf_numbers[i]);
  return 5; // _URC_END_OF_STACK
}

// Walks from here up to the guard.
static __attribute__((noinline)) void unwind(const char *direction, int trampolines) {
  passed_trampolines = found_guard = 0;
  unwinding = direction;
  _Unwind_Backtrace(visit, 0);
  if (passed_trampolines != trampolines)
    fail(direction, "the unwinder passes another number of trampolines:", passed_trampolines);
  if (!found_guard) fail(direction, "the unwinder ends at the trampoline", 0);
}

#else
#define UNWINDS 0
static void announce(int number, struct blob table, uint32_t description, byte *start, size_t length) {
  (void)number, (void)table, (void)description, (void)start, (void)length;
}
static void unwind(const char *direction, int trampolines) { (void)direction, (void)trampolines; }
#endif
