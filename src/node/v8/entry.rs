//! The machine code that V8 enters: it gets a token, which is the address of a record in the bits
//! of a double, puts it into the slot register as a code slot does, and jumps to the record's
//! body. The body ignores what is in the argument registers and returns as V8 expects.

use super::layout::CallbackInfo;
use crate::arch::record;
use crate::node::frame;
use std::arch::naked_asm;
use std::ffi::c_void;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Offset of a heap number's value from its tagged pointer: behind the map word.
pub const HEAP_NUMBER_VALUE: usize = 7;

static FAST: AtomicUsize = AtomicUsize::new(0);
static SLOW: AtomicUsize = AtomicUsize::new(0);
/// Entries through thunks, and through the raw callbacks in front of them.
pub static DIRECT: AtomicUsize = AtomicUsize::new(0);
pub static DIRECT_SLOW: AtomicUsize = AtomicUsize::new(0);

/// The token of a record.
pub fn token(record: *const c_void) -> f64 {
    f64::from_bits(record.expose_provenance() as u64)
}

/// What V8 enters.
#[derive(Clone, Copy)]
pub struct Entries {
    /// From optimised code: `(receiver, token)`.
    pub fast: *const c_void,
    /// From any other code: `(FunctionCallbackInfo&)`.
    pub slow: *const c_void,
}

impl Entries {
    /// The entries for a shape of callbacks, which count when tests want it.
    pub fn new(callback: CallbackInfo) -> Entries {
        let (fast, slow) = match (callback, counting()) {
            (CallbackInfo::Pointer, false) => (fast as *const c_void, pointer as *const c_void),
            (CallbackInfo::Frame, false) => (fast as *const c_void, frame as *const c_void),
            (CallbackInfo::Pointer, true) => {
                (fast_counted as *const c_void, pointer_counted as *const c_void)
            }
            (CallbackInfo::Frame, true) => {
                (fast_counted as *const c_void, frame_counted as *const c_void)
            }
        };
        Entries { fast, slow }
    }
}

/// Whether entries count: `FFI_JIT_COUNT_ENTRIES=1`, for tests.
pub fn counting() -> bool {
    static COUNTING: OnceLock<bool> = OnceLock::new();
    *COUNTING.get_or_init(|| std::env::var_os("FFI_JIT_COUNT_ENTRIES").is_some_and(|v| v == "1"))
}

/// How often the process was entered from optimised code, and from other code; and the same for
/// entries with arguments.
pub fn counts() -> [usize; 4] {
    [&FAST, &SLOW, &DIRECT, &DIRECT_SLOW].map(|counter| counter.load(Ordering::Relaxed))
}

/// Counts an entry from other than optimised code.
pub fn count_slow() {
    SLOW.fetch_add(1, Ordering::Relaxed);
}

#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn fast() {
    naked_asm!("endbr64", "movq r10, xmm0", "jmp qword ptr [r10]")
}

#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn fast_counted() {
    naked_asm!(
        "endbr64",
        "inc qword ptr [rip + {count}]",
        "movq r10, xmm0",
        "jmp qword ptr [r10]",
        count = sym FAST,
    )
}

#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn pointer() {
    naked_asm!(
        "endbr64",
        "mov rax, [rdi + 8]",
        "mov rax, [rax]",
        "mov r10, [rax + {value}]",
        "jmp qword ptr [r10]",
        value = const HEAP_NUMBER_VALUE,
    )
}

#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn pointer_counted() {
    naked_asm!(
        "endbr64",
        "inc qword ptr [rip + {count}]",
        "jmp {entry}",
        count = sym SLOW,
        entry = sym pointer,
    )
}

#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn frame() {
    naked_asm!(
        "endbr64",
        "mov rax, [rdi + 80]",
        "mov r10, [rax + {value}]",
        "jmp qword ptr [r10]",
        value = const HEAP_NUMBER_VALUE,
    )
}

#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn frame_counted() {
    naked_asm!(
        "endbr64",
        "inc qword ptr [rip + {count}]",
        "jmp {entry}",
        count = sym SLOW,
        entry = sym frame,
    )
}

/// The body of functions whose library was closed: it leaves word of that in the PENDING cell,
/// which it finds from the record's FRAME cell.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
pub unsafe extern "C" fn closed() {
    naked_asm!(
        "endbr64",
        "mov rax, [r10 + {frame_cell}]",
        "mov dword ptr [rax + {pending}], {closed}",
        "xor eax, eax",
        "ret",
        frame_cell = const record::FRAME_CELL as usize * size_of::<usize>(),
        pending = const frame::PENDING - frame::FRAME,
        closed = const frame::CLOSED,
    )
}

// 64-bit ARM: the slot register is x16, and x17 may be jumped through.

#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn fast() {
    naked_asm!("hint #34", "fmov x16, d0", "ldr x17, [x16]", "br x17")
}

#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn fast_counted() {
    naked_asm!(
        "hint #34",
        "adrp x9, {count}",
        "add x9, x9, :lo12:{count}",
        "ldr x10, [x9]",
        "add x10, x10, #1",
        "str x10, [x9]",
        "fmov x16, d0",
        "ldr x17, [x16]",
        "br x17",
        count = sym FAST,
    )
}

#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn pointer() {
    naked_asm!(
        "hint #34",
        "ldr x9, [x0, #8]",
        "ldr x9, [x9]",
        "ldur x16, [x9, #{value}]",
        "ldr x17, [x16]",
        "br x17",
        value = const HEAP_NUMBER_VALUE,
    )
}

#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn pointer_counted() {
    naked_asm!(
        "hint #34",
        "adrp x9, {count}",
        "add x9, x9, :lo12:{count}",
        "ldr x10, [x9]",
        "add x10, x10, #1",
        "str x10, [x9]",
        "b {entry}",
        count = sym SLOW,
        entry = sym pointer,
    )
}

#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn frame() {
    naked_asm!(
        "hint #34",
        "ldr x9, [x0, #80]",
        "ldur x16, [x9, #{value}]",
        "ldr x17, [x16]",
        "br x17",
        value = const HEAP_NUMBER_VALUE,
    )
}

#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn frame_counted() {
    naked_asm!(
        "hint #34",
        "adrp x9, {count}",
        "add x9, x9, :lo12:{count}",
        "ldr x10, [x9]",
        "add x10, x10, #1",
        "str x10, [x9]",
        "b {entry}",
        count = sym SLOW,
        entry = sym frame,
    )
}

/// As above.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
pub unsafe extern "C" fn closed() {
    naked_asm!(
        "hint #38", // bti jc
        "ldr x9, [x16, #{frame_cell}]",
        "mov w10, #{closed}",
        "str w10, [x9, #{pending}]",
        "mov x0, xzr",
        "ret",
        frame_cell = const record::FRAME_CELL as usize * size_of::<usize>(),
        pending = const frame::PENDING - frame::FRAME,
        closed = const frame::CLOSED,
    )
}
