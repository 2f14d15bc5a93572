// Assembly between C and the code under test.
//
// `guard` has no type of its own: called as any function, it passes everything on to
// `guard_state.target`, but with known patterns in all callee-saved registers; on the way back
// `guard_exit` stores what is in them and where SP is, and restores the caller's.
//
// `probe` passes everything on to `probe_state.target` and stores where SP was.
//
// Neither nests.
#include <stdint.h>

#if defined(__aarch64__)
#define INTS 11 // x19 to x29
#define FPS 8   // d8 to d15
typedef uint64_t fp_register;
#elif defined(__arm__)
#define INTS 8 // r4 to r11
#define FPS 8  // d8 to d15
typedef uint64_t fp_register;
#elif defined(__i386__)
#define INTS 4 // ebx esi edi ebp
#define FPS 0
typedef uint64_t fp_register;
#elif defined(_WIN64)
#define INTS 8 // rbx rbp rdi rsi r12 to r15
#define FPS 10 // xmm6 to xmm15
typedef struct { uint64_t half[2]; } fp_register;
#elif defined(__x86_64__)
#define INTS 6 // rbx rbp r12 to r15
#define FPS 0
typedef uint64_t fp_register;
#endif

struct registers {
  uintptr_t ints[INTS];
  uintptr_t sp;
  uintptr_t back; // The address to return to.
#if FPS
  fp_register fps[FPS] __attribute__((aligned(8)));
#endif
};

struct guard_state {
  struct registers saved, pattern, seen;
  uintptr_t target;
  uintptr_t return_bytes; // 32-bit x86: what a correct return adds to SP,
  uintptr_t skew;        // and by how much SP is lowered before the call.
};
struct guard_state guard_state __asm__("guard_state");
struct { uintptr_t sp, target; } probe_state __asm__("probe_state");

void guard(void) __asm__("guard");
void probe(void) __asm__("probe");

#define STR(x) #x
#define TEXT(x) STR(x)
#define SIZE_OK(size, offset)                                         \
  _Static_assert(sizeof(struct registers) == size, "guard: size");    \
  _Static_assert(sizeof(uintptr_t) * (INTS + 2) == offset, "guard: offset")

#if defined(__aarch64__)
SIZE_OK(168, 104);
__asm__(
    ".text\n.balign 4\nguard:\n.cfi_startproc\n"
    "  adrp x9, guard_state\n  add x9, x9, :lo12:guard_state\n"
    "  stp x19, x20, [x9]\n  stp x21, x22, [x9, 16]\n  stp x23, x24, [x9, 32]\n"
    "  stp x25, x26, [x9, 48]\n  stp x27, x28, [x9, 64]\n"
    "  mov x10, sp\n  stp x29, x10, [x9, 80]\n  str x30, [x9, 96]\n"
    "  stp d8, d9, [x9, 104]\n  stp d10, d11, [x9, 120]\n"
    "  stp d12, d13, [x9, 136]\n  stp d14, d15, [x9, 152]\n"
    "  add x10, x9, 168\n"
    "  ldp x19, x20, [x10]\n  ldp x21, x22, [x10, 16]\n  ldp x23, x24, [x10, 32]\n"
    "  ldp x25, x26, [x10, 48]\n  ldp x27, x28, [x10, 64]\n  ldr x29, [x10, 80]\n"
    "  ldp d8, d9, [x10, 104]\n  ldp d10, d11, [x10, 120]\n"
    "  ldp d12, d13, [x10, 136]\n  ldp d14, d15, [x10, 152]\n"
    "  ldr x10, [x9, 504]\n  adr x30, guard_exit\n  br x10\n"
    "guard_exit:\n"
    "  adrp x9, guard_state\n  add x9, x9, :lo12:guard_state\n  add x10, x9, 336\n"
    "  stp x19, x20, [x10]\n  stp x21, x22, [x10, 16]\n  stp x23, x24, [x10, 32]\n"
    "  stp x25, x26, [x10, 48]\n  stp x27, x28, [x10, 64]\n"
    "  mov x11, sp\n  stp x29, x11, [x10, 80]\n"
    "  stp d8, d9, [x10, 104]\n  stp d10, d11, [x10, 120]\n"
    "  stp d12, d13, [x10, 136]\n  stp d14, d15, [x10, 152]\n"
    "  ldp x19, x20, [x9]\n  ldp x21, x22, [x9, 16]\n  ldp x23, x24, [x9, 32]\n"
    "  ldp x25, x26, [x9, 48]\n  ldp x27, x28, [x9, 64]\n"
    "  ldp x29, x10, [x9, 80]\n  mov sp, x10\n  ldr x30, [x9, 96]\n"
    "  ldp d8, d9, [x9, 104]\n  ldp d10, d11, [x9, 120]\n"
    "  ldp d12, d13, [x9, 136]\n  ldp d14, d15, [x9, 152]\n"
    "  ret\n.cfi_endproc\n"
    "probe:\n"
    "  adrp x9, probe_state\n  add x9, x9, :lo12:probe_state\n"
    "  mov x10, sp\n  str x10, [x9]\n  ldr x9, [x9, 8]\n  br x9\n");
#elif defined(__arm__)
SIZE_OK(104, 40);
__asm__(
    ".text\n.arm\n.balign 4\n.type guard, %function\nguard:\n"
    "  movw ip, #:lower16:guard_state\n  movt ip, #:upper16:guard_state\n"
    "  stmia ip!, {r4-r11}\n  str sp, [ip], #4\n  str lr, [ip], #4\n  vstmia ip!, {d8-d15}\n"
    "  ldmia ip!, {r4-r11}\n  add ip, ip, #8\n  vldmia ip!, {d8-d15}\n"
    "  movw lr, #:lower16:guard_exit\n  movt lr, #:upper16:guard_exit\n"
    "  ldr pc, [ip, #104]\n"
    "guard_exit:\n"
    "  movw ip, #:lower16:guard_state\n  movt ip, #:upper16:guard_state\n"
    "  add ip, ip, #208\n"
    "  stmia ip!, {r4-r11}\n  str sp, [ip], #8\n  vstmia ip!, {d8-d15}\n"
    "  sub ip, ip, #312\n"
    "  ldmia ip!, {r4-r11}\n  ldr sp, [ip], #4\n  ldr lr, [ip], #4\n  vldmia ip!, {d8-d15}\n"
    "  bx lr\n"
    ".type probe, %function\nprobe:\n"
    "  movw ip, #:lower16:probe_state\n  movt ip, #:upper16:probe_state\n"
    "  str sp, [ip]\n  ldr pc, [ip, #4]\n");
#elif defined(__i386__)
SIZE_OK(24, 24);
__asm__(
    ".text\nguard:\n.cfi_startproc\n"
    "  movl %ebx, guard_state\n  movl %esi, guard_state+4\n"
    "  movl %edi, guard_state+8\n  movl %ebp, guard_state+12\n"
    "  movl %esp, guard_state+16\n"
    "  movl (%esp), %eax\n  movl %eax, guard_state+20\n"
    "  subl guard_state+80, %esp\n  movl $guard_exit, (%esp)\n"
    "  movl guard_state+24, %ebx\n  movl guard_state+28, %esi\n"
    "  movl guard_state+32, %edi\n  movl guard_state+36, %ebp\n"
    "  jmp *guard_state+72\n"
    "guard_exit:\n"
    "  movl %ebx, guard_state+48\n  movl %esi, guard_state+52\n"
    "  movl %edi, guard_state+56\n  movl %ebp, guard_state+60\n"
    "  movl %esp, guard_state+64\n"
    "  movl guard_state, %ebx\n  movl guard_state+4, %esi\n"
    "  movl guard_state+8, %edi\n  movl guard_state+12, %ebp\n"
    "  movl guard_state+16, %esp\n  addl guard_state+76, %esp\n"
    "  jmp *guard_state+20\n.cfi_endproc\n"
    "probe:\n"
    "  movl %esp, probe_state\n  jmp *probe_state+4\n");
#elif defined(_WIN64)
SIZE_OK(240, 80);
#define XMM(op, base)                                                                       \
  XMM1(op, 6, base, 80) XMM1(op, 7, base, 96) XMM1(op, 8, base, 112) XMM1(op, 9, base, 128) \
  XMM1(op, 10, base, 144) XMM1(op, 11, base, 160) XMM1(op, 12, base, 176)                   \
  XMM1(op, 13, base, 192) XMM1(op, 14, base, 208) XMM1(op, 15, base, 224)
#define XMM1(op, n, base, off) op(n, TEXT(base + off))
#define STORE(n, at) "  movdqu %xmm" #n ", " at "(%r11)\n"
#define LOAD(n, at) "  movdqu " at "(%r11), %xmm" #n "\n"
__asm__(
    ".text\nguard:\n  leaq guard_state(%rip), %r11\n"
    "  movq %rbx, (%r11)\n  movq %rbp, 8(%r11)\n  movq %rdi, 16(%r11)\n  movq %rsi, 24(%r11)\n"
    "  movq %r12, 32(%r11)\n  movq %r13, 40(%r11)\n  movq %r14, 48(%r11)\n"
    "  movq %r15, 56(%r11)\n  movq %rsp, 64(%r11)\n"
    "  movq (%rsp), %r10\n  movq %r10, 72(%r11)\n"
    "  leaq guard_exit(%rip), %r10\n  movq %r10, (%rsp)\n"
    XMM(STORE, 0) XMM(LOAD, 240)
    "  movq 240(%r11), %rbx\n  movq 248(%r11), %rbp\n  movq 256(%r11), %rdi\n"
    "  movq 264(%r11), %rsi\n  movq 272(%r11), %r12\n  movq 280(%r11), %r13\n"
    "  movq 288(%r11), %r14\n  movq 296(%r11), %r15\n"
    "  jmp *720(%r11)\n"
    "guard_exit:\n  leaq guard_state(%rip), %r11\n"
    "  movq %rbx, 480(%r11)\n  movq %rbp, 488(%r11)\n  movq %rdi, 496(%r11)\n"
    "  movq %rsi, 504(%r11)\n  movq %r12, 512(%r11)\n  movq %r13, 520(%r11)\n"
    "  movq %r14, 528(%r11)\n  movq %r15, 536(%r11)\n  movq %rsp, 544(%r11)\n"
    XMM(STORE, 480) XMM(LOAD, 0)
    "  movq (%r11), %rbx\n  movq 8(%r11), %rbp\n  movq 16(%r11), %rdi\n  movq 24(%r11), %rsi\n"
    "  movq 32(%r11), %r12\n  movq 40(%r11), %r13\n  movq 48(%r11), %r14\n"
    "  movq 56(%r11), %r15\n  movq 64(%r11), %rsp\n  addq $8, %rsp\n"
    "  jmp *72(%r11)\n"
    "probe:\n"
    "  movq %rsp, probe_state(%rip)\n  jmp *probe_state+8(%rip)\n");
#elif defined(__x86_64__)
SIZE_OK(64, 64);
__asm__(
    ".text\nguard:\n.cfi_startproc\n  leaq guard_state(%rip), %r11\n"
    "  movq %rbx, (%r11)\n  movq %rbp, 8(%r11)\n  movq %r12, 16(%r11)\n  movq %r13, 24(%r11)\n"
    "  movq %r14, 32(%r11)\n  movq %r15, 40(%r11)\n  movq %rsp, 48(%r11)\n"
    "  movq (%rsp), %r10\n  movq %r10, 56(%r11)\n"
    "  leaq guard_exit(%rip), %r10\n  movq %r10, (%rsp)\n"
    "  movq 64(%r11), %rbx\n  movq 72(%r11), %rbp\n  movq 80(%r11), %r12\n"
    "  movq 88(%r11), %r13\n  movq 96(%r11), %r14\n  movq 104(%r11), %r15\n"
    "  jmp *192(%r11)\n"
    "guard_exit:\n  leaq guard_state(%rip), %r11\n"
    "  movq %rbx, 128(%r11)\n  movq %rbp, 136(%r11)\n  movq %r12, 144(%r11)\n"
    "  movq %r13, 152(%r11)\n  movq %r14, 160(%r11)\n  movq %r15, 168(%r11)\n"
    "  movq %rsp, 176(%r11)\n"
    "  movq (%r11), %rbx\n  movq 8(%r11), %rbp\n  movq 16(%r11), %r12\n  movq 24(%r11), %r13\n"
    "  movq 32(%r11), %r14\n  movq 40(%r11), %r15\n  movq 48(%r11), %rsp\n  addq $8, %rsp\n"
    "  jmp *56(%r11)\n.cfi_endproc\n"
    "probe:\n"
    "  movq %rsp, probe_state(%rip)\n  jmp *probe_state+8(%rip)\n");
#endif
