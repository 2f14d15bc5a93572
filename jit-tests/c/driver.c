// Runs trampolines that were emitted on another machine against C that was compiled for this
// one. Included at the end of a batch's source (see c_source.rs), which defines callee_N,
// caller_N, their leaves' buffers, and the tables `callees` and `callers`.
//
// driver CASES FROM    reads the file that emulate.rs writes and checks all cases from number
//                      FROM on; prints "at N", "failed N TEXT" and "done" lines.
#include "guard.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include <windows.h>
#else
#include <sys/mman.h>
#endif

typedef unsigned char byte;

// --- memory -----------------------------------------------------------------------------------

enum { REGION = 1 << 20 };

// REGION bytes, read and write.
static byte *memory(void) {
#ifdef _WIN32
  byte *p = VirtualAlloc(0, REGION, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
#else
  byte *p = mmap(0, REGION, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
#endif
  if (!p || p == (byte *)-1) exit(3);
  return p;
}

// Changes the protection of `bytes` from `p` on: 'x' read and execute, 'w' write, '-' nothing.
static void protect(byte *p, size_t bytes, char how) {
#ifdef _WIN32
  DWORD old, now = how == 'x' ? PAGE_EXECUTE_READ : how == 'w' ? PAGE_READWRITE : PAGE_NOACCESS;
  if (!VirtualProtect(p, bytes, now, &old)) exit(3);
  FlushInstructionCache(GetCurrentProcess(), p, bytes);
#else
  int now = how == 'x' ? PROT_READ | PROT_EXEC : how == 'w' ? PROT_READ | PROT_WRITE : PROT_NONE;
  if (mprotect(p, bytes, now)) exit(3);
  if (how == 'x') __builtin___clear_cache((char *)p, (char *)p + bytes);
#endif
}

// --- the file ---------------------------------------------------------------------------------

static const byte *input, *input_end;

static const byte *bytes(size_t count) {
  const byte *start = input;
  input += count;
  if (input > input_end) exit(4);
  return start;
}

static uint32_t number(void) {
  uint32_t value;
  memcpy(&value, bytes(4), 4);
  return value;
}

struct blob { uint32_t length; const byte *start; };

// A trampoline, and its unwind table if there are tables for this CPU.
struct trampoline { struct blob code, table; uint32_t description; };

static struct blob blob(void) {
  uint32_t length = number();
  // Padded to keep all that follows aligned.
  return (struct blob){length, bytes((length + 3) & ~3u)};
}

static struct trampoline trampoline(void) {
  struct blob code = blob(), table = blob();
  return (struct trampoline){code, table, number()};
}

static void read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END)) exit(4);
  long size = ftell(file);
  byte *copy = malloc(size);
  rewind(file);
  if (!copy || fread(copy, 1, size, file) != (size_t)size) exit(4);
  fclose(file);
  input = copy;
  input_end = copy + size;
}

// --- one case ---------------------------------------------------------------------------------

// Offsets in a record, in words (ffi_jit::arch::record).
enum {
  RECORD_BODY = 0,
  RECORD_TARGET = 1, // of downcalls
  RECORD_FRAME = 2,
  RECORD_FRAME_CELL = 3,
  RECORD_ERRNO = 4,
  RECORD_DISPATCH = 1, // of upcalls
  RECORD_CONTEXT = 2,
};

enum { ENTRY_DIRECT, ENTRY_FIXED, ENTRY_STACKED, ENTRY_COUNT };
static const char *const entry_names[] = {"direct", "fixed", "stacked"};

struct leaf { uint32_t at, size; };

static struct {
  uint32_t number, frame_size, frame_align, down_align, pops;
  uint32_t errno_at;
  struct trampoline down[ENTRY_COUNT], up;
  struct blob mask;
  uint32_t arg_count, ret_count;
  const struct leaf *args, *rets;
  // Of the round:
  struct blob frame, arg_values, ret_values;
  int errno_value;
  byte garbage;
} c;

static byte *slots;  // Code slots, and their records RECORD_OFFSET bytes behind.
static byte *code;   // Read and execute: one trampoline, the other one in the middle.
static byte *frames; // The last 64 KiB can never be touched.
static uint32_t slot_count, record_offset, record_stride;
static int failed;
static int our_errno;

static void fail(const char *direction, const char *what, unsigned long long detail) {
  if (!failed) printf("failed %u %s: %s %llu\n", c.number, direction, what, detail);
  failed = 1;
}

#include "unwind.h"

static void put_code(struct trampoline first, struct trampoline second) {
  const struct trampoline *both[] = {&first, &second};
  protect(code, REGION, 'w');
  for (int i = 0; i < 2; i++) {
    byte *place = code + i * (REGION / 2);
    if (both[i]->code.length > REGION / 2) exit(4);
    memcpy(place, both[i]->code.start, both[i]->code.length);
    announce(i, both[i]->table, both[i]->description, place, both[i]->code.length);
  }
  protect(code, REGION, 'x');
}

static uintptr_t *record_of(unsigned slot) {
  return (uintptr_t *)(slots + record_offset + slot * record_stride);
}

static uintptr_t slot_address(unsigned slot) { return (uintptr_t)slots + slot * 16; }

static const struct blob nothing;
static const struct trampoline no_trampoline;

// Every callee-saved register gets a pattern of its own.
static void set_guard(uintptr_t target, uint32_t pops) {
  byte *pattern = (byte *)&guard_state.pattern;
  for (size_t i = 0; i < sizeof guard_state.pattern; i++) pattern[i] = 0x81 + 7 * i + c.garbage;
  memset(&guard_state.seen, 0, sizeof guard_state.seen);
  guard_state.target = target;
  guard_state.return_bytes = sizeof(uintptr_t) + pops;
  guard_state.skew = 0;
}

static void check_registers(const char *direction, uint32_t pops) {
  struct registers *seen = &guard_state.seen, *pattern = &guard_state.pattern;
  for (int i = 0; i < INTS; i++)
    if (seen->ints[i] != pattern->ints[i]) fail(direction, "lost callee-saved register", i);
#if FPS
  for (int i = 0; i < FPS; i++)
    if (memcmp(&seen->fps[i], &pattern->fps[i], sizeof seen->fps[i]))
      fail(direction, "lost callee-saved floating-point register", i);
#endif
#if defined(__i386__) || defined(__x86_64__)
  uintptr_t back = guard_state.saved.sp + sizeof(uintptr_t) + pops - guard_state.skew;
#else
  uintptr_t back = guard_state.saved.sp;
#endif
  if (seen->sp != back) fail(direction, "SP behind the return is off by", seen->sp - back);
}

// SP at the call of C code, as `probe` found it.
static void check_alignment(const char *direction, uint32_t align) {
#if defined(__i386__) || defined(__x86_64__)
  uintptr_t sp = probe_state.sp + sizeof(uintptr_t);
#else
  uintptr_t sp = probe_state.sp;
#endif
  if (sp % align) fail(direction, "misaligned SP, off by", sp % align);
}

#ifdef __arm__
#define ABI_STACK_ALIGN 8
#else
#define ABI_STACK_ALIGN 16
#endif

static void fill(union slot *buffer, size_t capacity, struct blob values) {
  memset(buffer, 0x5c, capacity);
  memcpy(buffer, values.start, values.length);
}

// Leaves that C code stored, against what was sent.
static void check_slots(const char *direction, const char *what, const union slot *slots,
                        const struct leaf *leaves, uint32_t count, struct blob values) {
  for (uint32_t i = 0; i < count; i++)
    if (memcmp(&slots[i], values.start + 8 * i, leaves[i].size)) fail(direction, what, i);
}

static void check_frame(const char *direction, const char *what, const byte *frame,
                        const struct leaf *leaves, uint32_t count, struct blob values) {
  for (uint32_t i = 0; i < count; i++)
    if (memcmp(frame + leaves[i].at, values.start + 8 * i, leaves[i].size))
      fail(direction, what, i);
}

// An empty record of a slot.
static uintptr_t *fresh_record(unsigned slot, const byte *body) {
  uintptr_t *record = record_of(slot);
  memset(record, 0x5a, record_stride);
  record[RECORD_BODY] = (uintptr_t)body;
  return record;
}

// The frame ends where memory ends, so that reading too much is a crash.
static byte *fresh_frame(void) {
  byte *frame = frames + REGION - 65536 - c.frame_size;
  memcpy(frame, c.frame.start, c.frame_size);
  return frame;
}

// Enters the downcall trampoline and checks what it did to its caller and its frame.
static void enter(const char *direction, int entry, uintptr_t target) {
  byte *frame = fresh_frame();
  unsigned slot = c.number % slot_count;
  uintptr_t *record = fresh_record(slot, code);
  record[RECORD_TARGET] = target;
  record[RECORD_ERRNO] = (uintptr_t)&our_errno;
  if (entry == ENTRY_DIRECT) {
    set_guard((uintptr_t)code, 0);
    ((void (*)(byte *, uintptr_t *))guard)(frame, record);
  } else {
    static uint32_t cell;
    cell = entry == ENTRY_STACKED ? 0x80001230 + 64 * c.number : 0;
    record[RECORD_FRAME] = (uintptr_t)frame - cell;
    if (entry == ENTRY_STACKED) record[RECORD_FRAME_CELL] = (uintptr_t)&cell;
    set_guard(slot_address(slot), 0);
#ifdef __i386__
    // Callers on Windows align to 4 bytes only. (Arguments are lost, which is all right here.)
    guard_state.skew = 4 * (c.number % 4);
#endif
    intptr_t result = ((intptr_t(*)(intptr_t, intptr_t))guard)(-1, -2);
    if (result) fail(direction, "does not return 0 but", result);
  }
  check_registers(direction, 0);
  check_frame(direction, "came back differently: result leaf", frame, c.rets, c.ret_count,
              c.ret_values);
  for (uint32_t i = 0; i < c.frame_size; i++)
    if (c.mask.start[i] == 0 && frame[i] != c.frame.start[i])
      fail(direction, "overwrites the frame's byte", i);
  int saved;
  memcpy(&saved, frame + c.errno_at, 4);
  if (saved != c.errno_value) fail(direction, "saves a wrong errno", saved);
}

// A downcall to the C callee.
static void down(int entry) {
  const char *direction = entry_names[entry];
  put_code(c.down[entry], no_trampoline);
  fill(oracle_args, sizeof oracle_args, nothing);
  fill(oracle_ret, sizeof oracle_ret, c.ret_values);
  oracle_errno = &our_errno;
  oracle_errno_value = c.errno_value;
  probe_state.target = (uintptr_t)callees[c.number];
  probe_state.sp = 1;
  enter(direction, entry, (uintptr_t)probe);
  check_alignment(direction, c.down_align);
  check_slots(direction, "arrived differently: argument leaf", oracle_args, c.args, c.arg_count,
              c.arg_values);
}

static int dispatched;
static int trampolines_above; // Between the dispatcher and the guard.

static void dispatch(void *context, byte *frame) {
  const char *direction = "upcall";
  dispatched++;
  unwind(direction, trampolines_above);
  if (context != &dispatched) fail(direction, "wrong context", (uintptr_t)context);
  if ((uintptr_t)frame % c.frame_align) fail(direction, "misaligned frame", (uintptr_t)frame);
  check_frame(direction, "arrived differently: argument leaf", frame, c.args, c.arg_count,
              c.arg_values);
  // All of the frame is the dispatcher's.
  memset(frame, c.garbage, c.frame_size);
  for (uint32_t i = 0; i < c.ret_count; i++)
    memcpy(frame + c.rets[i].at, c.ret_values.start + 8 * i, c.rets[i].size);
}

static uintptr_t upcall_slot(const byte *body, uintptr_t dispatcher) {
  unsigned slot = (c.number + slot_count / 2) % slot_count;
  uintptr_t *record = fresh_record(slot, body);
  record[RECORD_DISPATCH] = dispatcher;
  record[RECORD_CONTEXT] = (uintptr_t)&dispatched;
  dispatched = 0;
  return slot_address(slot);
}

// An upcall from the C caller.
static void up(void) {
  const char *direction = "upcall";
  put_code(c.up, no_trampoline);
  fill(oracle_args, sizeof oracle_args, c.arg_values);
  fill(oracle_ret, sizeof oracle_ret, nothing);
  probe_state.target = (uintptr_t)dispatch;
  set_guard(upcall_slot(code, (uintptr_t)probe), c.pops);
  trampolines_above = 1;
  callers[c.number](guard);
  if (dispatched != 1) fail(direction, "dispatcher calls:", dispatched);
  check_registers(direction, c.pops);
  check_alignment(direction, ABI_STACK_ALIGN);
  check_slots(direction, "came back differently: result leaf", oracle_ret, c.rets, c.ret_count,
              c.ret_values);
}

// A downcall to our own upcall: the one undoes the other.
static void round_trip(int entry) {
  put_code(c.down[entry], c.up);
  our_errno = c.errno_value;
  trampolines_above = 2;
  enter("round trip", entry, upcall_slot(code + REGION / 2, (uintptr_t)dispatch));
  if (dispatched != 1) fail("round trip", "dispatcher calls:", dispatched);
}

int main(int argc, char **argv) {
  if (argc != 3) return 5;
  read_file(argv[1]);
  unsigned from = strtoul(argv[2], 0, 10);
  setvbuf(stdout, 0, _IONBF, 0);

  slots = memory();
  code = memory();
  frames = memory();
  protect(frames + REGION - 65536, 65536, '-');
  uint32_t count = number(), runs_c = number();
  slot_count = number();
  record_offset = number();
  record_stride = number();
  struct blob slot_code = blob();
  if (record_offset < slot_code.length || record_offset + slot_count * record_stride > REGION)
    return 4;
  memcpy(slots, slot_code.start, slot_code.length);
  protect(slots, record_offset, 'x');

  for (uint32_t i = 0; i < count; i++) {
    c.number = i;
    c.frame_size = number();
    c.frame_align = number();
    c.down_align = number();
    c.pops = number();
    c.errno_at = number();
    for (int entry = 0; entry < ENTRY_COUNT; entry++) c.down[entry] = trampoline();
    c.up = trampoline();
    c.mask = blob();
    c.arg_count = number();
    c.args = (const struct leaf *)bytes(c.arg_count * sizeof(struct leaf));
    c.ret_count = number();
    c.rets = (const struct leaf *)bytes(c.ret_count * sizeof(struct leaf));
    uint32_t rounds = number();
    failed = 0;
    if (i >= from) printf("at %u\n", i);
    for (uint32_t round = 0; round < rounds; round++) {
      c.frame = blob();
      c.arg_values = blob();
      c.ret_values = blob();
      c.errno_value = number();
      c.garbage = number();
      if (i < from || failed) continue;
      if (runs_c) down(round % ENTRY_COUNT);
      if (runs_c) up();
      round_trip(round % ENTRY_COUNT);
    }
  }
  printf("done\n");
  return 0;
}
