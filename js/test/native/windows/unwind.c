/* Walking the stack by the system's tables, as debuggers and exceptions do (64-bit only). */
#ifdef __x86_64__
#include <stdint.h>
#include <windows.h>

#define API __declspec(dllexport)

/* A frame on the way: where it returns to, and the registers of its caller. */
typedef struct {
  uint64_t rip, rsp, rbp, rbx;
  /* Whether the function that was left has a table; one without is taken for a leaf. */
  uint64_t table;
  /* The table's function, and what is on the stack below its frame pointer. */
  uint64_t begin, end, saved;
} frame;

/* Unwinds from here up, at most `most` frames or to an empty return address; how many there were. */
API int32_t walk_stack(frame *frames, int32_t most) {
  CONTEXT context;
  RtlCaptureContext(&context);
  int32_t count = 0;
  for (; count < most && context.Rip != 0; count++) {
    DWORD64 base = 0, establisher = 0;
    void *data = 0;
    frame *note = &frames[count];
    RUNTIME_FUNCTION *entry = RtlLookupFunctionEntry(context.Rip, &base, 0);
    *note = (frame){.table = entry != 0};
    if (entry) {
      note->begin = base + entry->BeginAddress;
      note->end = base + entry->EndAddress;
      if (context.Rbp > context.Rsp && context.Rbp - context.Rsp < 1 << 20) {
        note->saved = *(uint64_t *)(context.Rbp - 8);
      }
      RtlVirtualUnwind(UNW_FLAG_NHANDLER, base, context.Rip, entry, &context, &data, &establisher,
                       0);
    } else {
      context.Rip = *(uint64_t *)context.Rsp;
      context.Rsp += 8;
    }
    note->rip = context.Rip;
    note->rsp = context.Rsp;
    note->rbp = context.Rbp;
    note->rbx = context.Rbx;
  }
  return count;
}

/* Calls `fn` with a known rbp, and writes SP and the return address of that call to `here`. */
int32_t call_with_known_frame(int32_t (*fn)(int32_t), uint64_t *here);
__asm__(
    ".text\n"
    ".globl call_with_known_frame\n"
    ".seh_proc call_with_known_frame\n"
    "call_with_known_frame:\n"
    "  pushq %rbp\n"
    "  .seh_pushreg %rbp\n"
    "  subq $32, %rsp\n"
    "  .seh_stackalloc 32\n"
    "  .seh_endprologue\n"
    "  movq %rcx, %rax\n"
    "  movq %rsp, (%rdx)\n"
    "  leaq 1f(%rip), %rcx\n"
    "  movq %rcx, 8(%rdx)\n"
    "  movabsq $0x1122334455667788, %rbp\n"
    "  movl $5, %ecx\n"
    "  callq *%rax\n"
    "1:\n"
    "  nop\n"
    "  addq $32, %rsp\n"
    "  popq %rbp\n"
    "  retq\n"
    "  .seh_endproc\n");

API int32_t call_known(int32_t (*fn)(int32_t), uint64_t *here) {
  return call_with_known_frame(fn, here);
}

/* The image that an address is in, or 0. */
API uint64_t image_of(uint64_t address) {
  HMODULE module = 0;
  DWORD flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
  flags |= GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
  GetModuleHandleExW(flags, (LPCWSTR)address, &module);
  return (uint64_t)module;
}
#else
typedef int nothing;
#endif
