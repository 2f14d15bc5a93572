//! Narrow integers: what a register or stack slot holds above them. Callers extend arguments to
//! 32 bits (clang's callees rely on it); results come back with any upper bits and go out
//! extended.
#![cfg(all(target_arch = "x86_64", unix))]

use ffi_jit::call::{Downcall, Frame, Prepared, Upcall};
use ffi_jit::target::Target;
use ffi_jit::types::{Scalar, parse_signature};
use std::arch::naked_asm;
use std::cell::UnsafeCell;
use std::ffi::c_void;

const NARROW: [Scalar; 6] =
    [Scalar::Bool, Scalar::I8, Scalar::U8, Scalar::I16, Scalar::U16, Scalar::I32];

fn prepare(text: &str) -> Prepared {
    let target = Target::host().expect("a host with a classifier");
    let signature = parse_signature(text, &target.model).expect(text);
    Prepared::new(target, signature).expect(text)
}

/// What stands above a narrow value.
const GARBAGE: u64 = 0xdead_beef_cafe_f00d;

/// Values worth trying, as bit patterns whose low bytes count.
fn values(scalar: Scalar) -> &'static [u32] {
    match scalar {
        Scalar::Bool => &[0, 1],
        Scalar::I8 | Scalar::U8 => &[0, 1, 0x7f, 0x80, 0xff, 0xa5],
        Scalar::I16 | Scalar::U16 => &[0, 1, 0x7f, 0x80, 0x7fff, 0x8000, 0xffff, 0xa5a5],
        _ => &[0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xa5a5_5a5a],
    }
}

/// A value as C has it in 32 bits.
fn extended(scalar: Scalar, bits: u32) -> u32 {
    match scalar {
        Scalar::I8 => bits as i8 as u32,
        Scalar::I16 => bits as i16 as u32,
        Scalar::Bool | Scalar::U8 => u32::from(bits as u8),
        Scalar::U16 => u32::from(bits as u16),
        _ => bits,
    }
}

/// A word that assembly reads or writes.
#[repr(C)]
struct Words(UnsafeCell<[u64; 16]>);

// SAFETY: each static is used by one test only.
unsafe impl Sync for Words {}

impl Words {
    const fn new() -> Words {
        Words(UnsafeCell::new([0; 16]))
    }

    fn set(&self, index: usize, word: u64) {
        // SAFETY: no reference to the words exists while one test uses them.
        unsafe { (*self.0.get())[index] = word };
    }

    fn get(&self, index: usize) -> u64 {
        // SAFETY: as in `set`.
        unsafe { (*self.0.get())[index] }
    }
}

#[test]
fn results_are_taken_without_their_upper_bits() {
    static RESULT: Words = Words::new();
    #[unsafe(naked)]
    unsafe extern "C" fn callee() {
        naked_asm!("mov rax, [rip + {result}]; ret", result = sym RESULT)
    }
    for scalar in NARROW {
        let prepared = prepare(&format!("() -> {}", scalar.name()));
        let size = scalar.size(&prepared.target.model) as usize;
        let downcall = Downcall::new(&prepared, false).expect("a trampoline");
        for &bits in values(scalar) {
            for garbage in [0, u64::MAX, GARBAGE] {
                let value = u64::from(bits);
                let mask = u64::MAX >> (64 - 8 * size);
                RESULT.set(0, (garbage & !mask) | (value & mask));
                let mut frame = Frame::new(&prepared.frame);
                frame.fill(0x99);
                // SAFETY: the callee takes nothing and returns in rax.
                unsafe { downcall.call(callee as *const c_void, &mut frame) }.expect("a call");
                let cell = &frame[prepared.frame.ret as usize..][..8];
                assert_eq!(cell[..size], value.to_le_bytes()[..size], "{scalar:?} {bits:x}");
                assert!(cell[size..].iter().all(|&byte| byte == 0x99), "{scalar:?}: {cell:x?}");
            }
        }
    }
}

/// Fourteen arguments of two types in turns: six in registers, eight on the stack.
#[test]
fn arguments_are_extended_to_32_bits() {
    static SEEN: Words = Words::new();
    #[unsafe(naked)]
    unsafe extern "C" fn callee() {
        naked_asm!(
            "mov [rip + {seen}], rdi; mov [rip + {seen} + 8], rsi",
            "mov [rip + {seen} + 16], rdx; mov [rip + {seen} + 24], rcx",
            "mov [rip + {seen} + 32], r8; mov [rip + {seen} + 40], r9",
            "mov rax, [rsp + 8]; mov [rip + {seen} + 48], rax",
            "mov rax, [rsp + 16]; mov [rip + {seen} + 56], rax",
            "mov rax, [rsp + 24]; mov [rip + {seen} + 64], rax",
            "mov rax, [rsp + 32]; mov [rip + {seen} + 72], rax",
            "mov rax, [rsp + 40]; mov [rip + {seen} + 80], rax",
            "mov rax, [rsp + 48]; mov [rip + {seen} + 88], rax",
            "mov rax, [rsp + 56]; mov [rip + {seen} + 96], rax",
            "mov rax, [rsp + 64]; mov [rip + {seen} + 104], rax",
            "ret",
            seen = sym SEEN,
        )
    }
    const COUNT: usize = 14;
    for first in NARROW {
        for second in NARROW {
            let scalar = |i: usize| if i.is_multiple_of(2) { first } else { second };
            let params: Vec<&str> = (0..COUNT).map(|i| scalar(i).name()).collect();
            let prepared = prepare(&format!("({}) -> void", params.join(", ")));
            let downcall = Downcall::new(&prepared, false).expect("a trampoline");
            let model = prepared.target.model;
            for round in 0..8 {
                let value = |i: usize| {
                    let list = values(scalar(i));
                    list[(i + round) % list.len()]
                };
                let mut frame = Frame::new(&prepared.frame);
                // Behind a narrow value its cell holds anything.
                frame.fill(0x99);
                for i in 0..COUNT {
                    let size = scalar(i).size(&model) as usize;
                    let at = prepared.frame.args[i] as usize;
                    frame[at..at + size].copy_from_slice(&value(i).to_le_bytes()[..size]);
                }
                (0..COUNT).for_each(|i| SEEN.set(i, u64::MAX));
                // SAFETY: the callee reads the registers and slots of 14 integers.
                unsafe { downcall.call(callee as *const c_void, &mut frame) }.expect("a call");
                for i in 0..COUNT {
                    let seen = SEEN.get(i) as u32;
                    let text = format!("argument {i} of {}", prepared.signature);
                    assert_eq!(seen, extended(scalar(i), value(i)), "{text}");
                }
            }
        }
    }
}

/// What the dispatcher of the upcall tests does.
struct Answer {
    prepared: Prepared,
    result: u64,
    args: Vec<u64>,
}

unsafe extern "C" fn dispatch(context: *mut c_void, frame: *mut u8) {
    // SAFETY: the context is the test's answer, and the frame is laid out as it says. The result
    // is written with all 8 bytes of its cell: the upper ones are the dispatcher's garbage.
    unsafe {
        let answer = &mut *context.cast::<Answer>();
        let layout = &answer.prepared.frame;
        answer.args = layout
            .args
            .iter()
            .map(|&at| frame.add(at as usize).cast::<u64>().read_unaligned())
            .collect();
        frame.add(layout.ret as usize).cast::<u64>().write_unaligned(answer.result);
    }
}

#[test]
fn upcall_results_are_extended_to_32_bits() {
    for scalar in NARROW {
        let prepared = prepare(&format!("() -> {}", scalar.name()));
        let mut answer = Answer { prepared: prepared.clone(), result: 0, args: Vec::new() };
        let size = scalar.size(&prepared.target.model);
        let context = &raw mut answer;
        let upcall = Upcall::new(&prepared, dispatch, context.cast()).expect("an upcall");
        for &bits in values(scalar) {
            let mask = u64::MAX >> (64 - 8 * size);
            // SAFETY: the upcall takes nothing and returns in rax; nothing else uses the answer.
            let rax = unsafe {
                (*context).result = (GARBAGE & !mask) | (u64::from(bits) & mask);
                std::mem::transmute::<*const c_void, extern "C" fn() -> u64>(upcall.code())()
            };
            assert_eq!(rax as u32, extended(scalar, bits), "{scalar:?} {bits:x}");
        }
    }
}

/// C callers other than ours may leave anything above a narrow argument (gcc does not rely on
/// extension); the cell's own bytes are right all the same.
#[test]
fn upcall_arguments_are_taken_without_their_upper_bits() {
    type Caller = extern "C" fn(u64, u64, u64, u64, u64, u64, u64, u64);
    for scalar in NARROW {
        let params = [scalar.name(); 8].join(", ");
        let prepared = prepare(&format!("({params}) -> void"));
        let mut answer = Answer { prepared: prepared.clone(), result: 0, args: Vec::new() };
        let size = scalar.size(&prepared.target.model);
        let mask = u64::MAX >> (64 - 8 * size);
        let context = &raw mut answer;
        let upcall = Upcall::new(&prepared, dispatch, context.cast()).expect("an upcall");
        for &bits in values(scalar) {
            let word = (GARBAGE & !mask) | (u64::from(bits) & mask);
            // SAFETY: eight integers fill the registers and slots that eight narrow ones do.
            let args = unsafe {
                let call = std::mem::transmute::<*const c_void, Caller>(upcall.code());
                call(word, word, word, word, word, word, word, word);
                (*context).args.clone()
            };
            assert_eq!(args.len(), 8);
            for arg in args {
                assert_eq!(arg & mask, u64::from(bits) & mask, "{scalar:?} {bits:x}");
            }
        }
    }
}
