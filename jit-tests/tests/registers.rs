//! What a trampoline must leave alone: an assembly harness fills every callee-saved register,
//! calls an entry, and looks at what came back; an assembly callee looks at what it is given and
//! then spoils everything that a C function may spoil.
#![cfg(all(target_arch = "x86_64", unix))]

use ffi_jit::abi::{CallLayout, Location, Passing, Returning};
use ffi_jit::call::{CallRecord, Frame, Prepared, Upcall};
use ffi_jit::code::Slot;
use ffi_jit::plan::Entry;
use ffi_jit::target::Target;
use ffi_jit::types::parse_signature;
use jit_tests::random;
use jit_tests::rng::seed_from_environment;
use std::arch::naked_asm;
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::mem::offset_of;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// rbx rbp r12 r13 r14 r15.
type Saved = [u64; 6];

/// What the assembly reads and writes; offsets in bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// 0: what the harness loads before the call.
    saved_in: Saved,
    /// 48: what they hold after the call.
    saved_out: Saved,
    /// 96, 104: rsp around the call.
    rsp: [u64; 2],
    /// 112, 120: flags and rax after the call.
    flags_out: u64,
    rax_out: u64,
    /// 128, 132: mxcsr to set before the call, and after it.
    mxcsr: [u32; 2],
    /// 136, 140: the same of the x87 control word.
    x87: [u32; 2],
    /// 144, 148: the caller's own.
    restore: [u32; 2],
    /// 152: flags to set before the call.
    flags_in: u64,
    /// 160: what the callee sees on entry, and how often it runs.
    callee: Callee,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct Callee {
    /// 160 ...
    rsp: u64,
    /// 168
    flags: u64,
    /// 176, 180
    mxcsr: u32,
    x87: u32,
    /// 184, 192, 200
    rax: u64,
    rdi: u64,
    rsi: u64,
    /// 208
    calls: u64,
}

const _: () = assert!(offset_of!(State, flags_in) == 152);
const _: () = assert!(offset_of!(State, callee) == 160);
const _: () = assert!(offset_of!(State, callee.calls) == 208);

struct Shared(UnsafeCell<State>);

// SAFETY: used under the lock that `lock` takes.
unsafe impl Sync for Shared {}

static STATE: Shared = Shared(UnsafeCell::new(State {
    saved_in: [0; 6],
    saved_out: [0; 6],
    rsp: [0; 2],
    flags_out: 0,
    rax_out: 0,
    mxcsr: [0; 2],
    x87: [0; 2],
    restore: [0; 2],
    flags_in: 0,
    callee: Callee { rsp: 0, flags: 0, mxcsr: 0, x87: 0, rax: 0, rdi: 0, rsi: 0, calls: 0 },
}));

/// Calls `code` with `first` and `second`. 8 KiB of its frame stand for incoming stack arguments;
/// the other argument registers get `first` as well.
#[unsafe(naked)]
unsafe extern "C" fn harness(code: *const c_void, first: *mut c_void, second: *mut c_void) {
    naked_asm!(
        "push rbx; push rbp; push r12; push r13; push r14; push r15",
        "sub rsp, 8200",
        "stmxcsr [rip + {state} + 144]; fnstcw [rip + {state} + 148]",
        "ldmxcsr [rip + {state} + 128]; fldcw [rip + {state} + 136]",
        "mov r11, rdi; mov rdi, rsi; mov rsi, rdx",
        "mov rdx, rdi; mov rcx, rdi; mov r8, rdi; mov r9, rdi",
        "mov rbx, [rip + {state}]; mov rbp, [rip + {state} + 8]",
        "mov r12, [rip + {state} + 16]; mov r13, [rip + {state} + 24]",
        "mov r14, [rip + {state} + 32]; mov r15, [rip + {state} + 40]",
        "mov [rip + {state} + 96], rsp",
        "pushfq; pop rax; or rax, [rip + {state} + 152]; push rax; popfq",
        "mov r10, 0x1010101010101010",
        "call r11",
        "mov [rip + {state} + 48], rbx; mov [rip + {state} + 56], rbp",
        "mov [rip + {state} + 64], r12; mov [rip + {state} + 72], r13",
        "mov [rip + {state} + 80], r14; mov [rip + {state} + 88], r15",
        "mov [rip + {state} + 104], rsp",
        "mov rsp, [rip + {state} + 96]",
        "mov [rip + {state} + 120], rax",
        "pushfq; pop rax; mov [rip + {state} + 112], rax; cld",
        "stmxcsr [rip + {state} + 132]; fnstcw [rip + {state} + 140]",
        "ldmxcsr [rip + {state} + 144]; fldcw [rip + {state} + 148]",
        "add rsp, 8200",
        "pop r15; pop r14; pop r13; pop r12; pop rbp; pop rbx",
        "ret",
        state = sym STATE,
    )
}

/// A C function of any type, and a dispatcher: notes what it is given and then spoils everything
/// that a C function may spoil.
#[unsafe(naked)]
unsafe extern "C" fn callee(context: *mut c_void, frame: *mut u8) {
    naked_asm!(
        "endbr64",
        "mov [rip + {state} + 160], rsp; mov [rip + {state} + 184], rax",
        "mov [rip + {state} + 192], rdi; mov [rip + {state} + 200], rsi",
        "pushfq; pop rax; mov [rip + {state} + 168], rax",
        "stmxcsr [rip + {state} + 176]; fnstcw [rip + {state} + 180]",
        "inc qword ptr [rip + {state} + 208]",
        "mov rax, 0x5555555555555555; mov rcx, rax; mov rdx, rax; mov rsi, rax; mov rdi, rax",
        "mov r8, rax; mov r9, rax; mov r10, rax; mov r11, rax",
        "pcmpeqd xmm0, xmm0; movdqa xmm1, xmm0; movdqa xmm2, xmm0; movdqa xmm3, xmm0",
        "movdqa xmm4, xmm0; movdqa xmm5, xmm0; movdqa xmm6, xmm0; movdqa xmm7, xmm0",
        "movdqa xmm8, xmm0; movdqa xmm9, xmm0; movdqa xmm10, xmm0; movdqa xmm11, xmm0",
        "movdqa xmm12, xmm0; movdqa xmm13, xmm0; movdqa xmm14, xmm0; movdqa xmm15, xmm0",
        "ret",
        state = sym STATE,
    )
}

const PATTERNS: Saved = [
    0xb1b1_b1b1_b1b1_b1b1,
    0xb2b2_b2b2_b2b2_b2b2,
    0xc1c1_c1c1_c1c1_c1c1,
    0xc2c2_c2c2_c2c2_c2c2,
    0xc3c3_c3c3_c3c3_c3c3,
    0xc4c4_c4c4_c4c4_c4c4,
];
/// Rounding towards zero, denormals flushed, all exceptions masked.
const MXCSR: u32 = 0xff80;
/// Double precision, all exceptions masked.
const X87: u32 = 0x027f;
const DIRECTION: u64 = 1 << 10;

/// One harness at a time: the state is global, because after a faulty call no register can be
/// trusted to find another.
fn enter(
    code: *const c_void,
    first: *mut c_void,
    second: *mut c_void,
    flags_in: u64,
) -> (State, MutexGuard<'static, ()>) {
    static LOCK: Mutex<()> = Mutex::new(());
    let guard = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let state = State {
        saved_in: PATTERNS,
        mxcsr: [MXCSR, 0],
        x87: [X87, 0],
        flags_in,
        ..State::default()
    };
    // SAFETY: the lock is held; the harness follows the C convention whatever `code` does to
    // registers, and callers give code and arguments that belong together.
    let state = unsafe {
        STATE.0.get().write(state);
        harness(code, first, second);
        STATE.0.get().read()
    };
    (state, guard)
}

/// What every entry must keep, and what its callee must find.
fn check(state: &State, stack_align: u32) -> Result<(), String> {
    let Callee { rsp, flags, mxcsr, x87, calls, .. } = state.callee;
    let wrong = [
        (calls != 1, "the callee ran not once"),
        (state.saved_out != PATTERNS, "a callee-saved register changed"),
        (state.rsp[0] != state.rsp[1], "rsp changed"),
        (state.flags_out & DIRECTION != 0, "the direction flag is set on return"),
        (state.mxcsr[1] != MXCSR, "mxcsr changed"),
        (state.x87[1] & 0xffff != X87, "the x87 control word changed"),
        // Before the call instruction pushed the return address, rsp was aligned.
        ((rsp + 8) % u64::from(stack_align) != 0, "the callee's stack is misaligned"),
        (flags & DIRECTION != 0, "the direction flag is set in the callee"),
        (mxcsr != MXCSR, "mxcsr differs in the callee"),
        (x87 & 0xffff != X87, "the x87 control word differs in the callee"),
    ];
    match wrong.iter().find(|(wrong, _)| *wrong) {
        Some((_, what)) => Err(format!("{what}: {state:x?}")),
        None => Ok(()),
    }
}

/// Signatures that reach every part of the emitter: areas of odd and even numbers of slots,
/// long copies, results in memory, over-alignment, variadics, more stack than a page.
const SIGNATURES: [&str; 16] = [
    "() -> void",
    "(i32) -> i32",
    "(ptr, f64) -> f32",
    "(i64, i64, i64, i64, i64, i64, i64) -> i64",
    "(i64, i64, i64, i64, i64, i64, i64, i8) -> i8",
    "(i64, i64, i64, i64, i64, i64, i64, i8, i16) -> bool",
    "(f64, f64, f64, f64, f64, f64, f64, f64, f64, f32) -> f64",
    "(struct{f64, f64, f64}) -> struct{f64, f64, f64}",
    "(struct{i64[5]}, struct{i64[20]}, struct{i8[131]}) -> struct{i8[77]}",
    "(i32, struct{i32, i32@16}, i64, struct{f64, f64@32}) -> struct{f32, f32}",
    "(struct{i8@64}) -> i32",
    "(ptr, ..., i32, f64, f64, i64) -> i32",
    "(ptr, ..., struct{f64, f64, f64}, f64, f64) -> struct{i64, f64}",
    "(struct{i8[3]}, struct{i8[5]}, struct{i8[7]}) -> struct{i8[6]}",
    "(struct{i64[600]}, i32) -> i32",
    "(struct{i64[1100]}, struct{i8, i8@128}) -> struct{i64[700]}",
];

fn signatures() -> Vec<String> {
    let target = Target::host().expect("a host with a classifier");
    let seed = seed_from_environment();
    println!("FFI_JIT_SEED={seed}");
    let random = (0..400).map(|index| random::signature(&target, seed, index).to_string());
    SIGNATURES.iter().map(|&text| text.to_owned()).chain(random).collect()
}

fn prepare(text: &str) -> Prepared {
    let target = Target::host().expect("a host with a classifier");
    let signature = parse_signature(text, &target.model).expect(text);
    Prepared::new(target, signature).expect(text)
}

/// Enters one downcall in one way.
fn downcall(prepared: &Prepared, entry: Entry, errno: bool) -> State {
    static ERRNO: UnsafeErrno = UnsafeErrno(UnsafeCell::new(77));
    let mut frame = Frame::new(&prepared.frame);
    frame.fill(0x3c);
    let start = frame.as_mut_ptr();
    let trampoline = prepared.trampoline(entry, errno).expect("a trampoline");
    let target = callee as *const c_void;
    let state = if entry == Entry::Direct {
        let record = CallRecord::direct(target, ERRNO.0.get());
        let record = (&raw const record).cast_mut().cast();
        enter(trampoline.as_ptr().cast(), start.cast(), record, 0).0
    } else {
        let slot = Slot::allocate().expect("a slot");
        let mut cell = 4096u32;
        let record = CallRecord::of(slot.record());
        record.target.store(target.cast_mut(), Ordering::Relaxed);
        record.errno.store(ERRNO.0.get(), Ordering::Relaxed);
        let base = if entry == Entry::Stacked { start.wrapping_sub(4096) } else { start };
        record.frame.store(base, Ordering::Relaxed);
        record.frame_cell.store(&raw mut cell, Ordering::Relaxed);
        record.body.store(trampoline.as_ptr().cast_mut().cast(), Ordering::Release);
        let garbage = 0x7777_7777_7777_7777usize as *mut c_void;
        let state = enter(slot.code().cast(), garbage, garbage, 0).0;
        assert_eq!(state.rax_out, 0, "{entry:?} answers Node-API with undefined");
        state
    };
    if errno {
        assert_eq!(frame.view().errno(), 77, "{entry:?} {}", prepared.signature);
    }
    state
}

struct UnsafeErrno(UnsafeCell<i32>);

// SAFETY: only read.
unsafe impl Sync for UnsafeErrno {}

#[test]
fn downcalls_keep_what_they_must() {
    for text in signatures() {
        let prepared = prepare(&text);
        for entry in [Entry::Direct, Entry::Fixed, Entry::Stacked] {
            for errno in [false, true] {
                let state = downcall(&prepared, entry, errno);
                let layout = &prepared.layout;
                let checked = check(&state, layout.stack_align);
                assert_eq!(checked, Ok(()), "{entry:?}, errno {errno}, {text}");
                if let Some(count) = layout.vector_count {
                    assert_eq!(state.callee.rax & 0xff, u64::from(count), "al of {text}");
                }
                assert!(first_pointer(&prepared, &state), "rdi of {text}");
            }
        }
    }
}

/// Whether rdi held what the layout says, where that is known: all argument bytes are 0x3c.
fn first_pointer(prepared: &Prepared, state: &State) -> bool {
    let CallLayout { args, ret, .. } = &prepared.layout;
    let in_rdi = |passing: &Passing| match passing {
        Passing::Value(pieces) => {
            pieces.iter().any(|piece| piece.loc == Location::Int(7) && piece.len == 8)
        }
        _ => false,
    };
    match ret {
        Returning::Memory { .. } => state.callee.rdi != 0,
        _ if args.iter().any(in_rdi) => state.callee.rdi == 0x3c3c_3c3c_3c3c_3c3c,
        _ => true,
    }
}

#[test]
fn upcalls_keep_what_they_must() {
    // What results in memory are written to.
    let mut memory = vec![0u8; 8192];
    for text in signatures() {
        let prepared = prepare(&text);
        let context = memory.as_mut_ptr().cast::<c_void>();
        let upcall = Upcall::new(&prepared, callee, context).expect("an upcall");
        // C enters with the direction flag clear; whoever does not is put right before our code
        // runs.
        for flags in [0, DIRECTION] {
            let (state, _guard) = enter(upcall.code(), context, context, flags);
            let Callee { rdi, rsi, .. } = state.callee;
            assert_eq!(check(&state, 16), Ok(()), "{text}");
            assert_eq!(rdi, context.addr() as u64, "the context of {text}");
            assert_eq!(rsi % u64::from(prepared.frame.align), 0, "the frame of {text}");
            if let Returning::Memory { .. } = prepared.layout.ret {
                assert_eq!(state.rax_out, context.addr() as u64, "the result of {text}");
            }
        }
    }
}

/// The harness sees what it looks for.
#[test]
fn a_spoiled_register_is_seen() {
    #[unsafe(naked)]
    unsafe extern "C" fn spoils_r13() {
        naked_asm!("inc r13; jmp {callee}", callee = sym callee)
    }
    #[unsafe(naked)]
    unsafe extern "C" fn misaligns() {
        naked_asm!("push rax; push rax; call {callee}; pop rax; pop rax; ret", callee = sym callee)
    }
    #[unsafe(naked)]
    unsafe extern "C" fn is_clean() {
        naked_asm!("sub rsp, 8; call {callee}; add rsp, 8; ret", callee = sym callee)
    }
    #[unsafe(naked)]
    unsafe extern "C" fn pops_too_much() {
        naked_asm!("sub rsp, 8; call {callee}; add rsp, 8; ret 16", callee = sym callee)
    }
    let outcome = |code: unsafe extern "C" fn()| {
        let nothing = std::ptr::null_mut();
        check(&enter(code as *const c_void, nothing, nothing, 0).0, 16)
    };
    assert_eq!(outcome(is_clean), Ok(()));
    assert!(outcome(spoils_r13).unwrap_err().contains("callee-saved"));
    assert!(outcome(misaligns).unwrap_err().contains("misaligned"));
    assert!(outcome(pops_too_much).unwrap_err().contains("rsp changed"));
}
