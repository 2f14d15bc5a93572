//! Golden listings of the 32-bit x86 emitter, read back by iced-x86.

mod listing;

use ffi_jit::arch::{SLOT_STRIDE, emit, emit_slots};
use ffi_jit::plan::{Entry, Plan};
use ffi_jit::target::{Arch, Os, Target, Toolchain};
use iced_x86::{Decoder, DecoderOptions, Formatter, IntelFormatter};
use listing::Cpu;
use std::fmt::Write;

const CPU: Cpu = Cpu {
    target: Target::new(Arch::X86, Os::Linux, Toolchain::Gnu),
    ints: &[1, 2, 0],
    fps: &[],
    fp_lens: &[],
    x87: true,
    far: 70_000,
    pops: 12,
    signatures: &[
        "(i32, i32) -> i32",
        "(f64, i8, struct{f32, f32}) -> struct{f64, i32}",
        "(struct{u8[37]}, i64, ..., f64) -> struct{u8[7]}",
        "fastcall (i8, u16, i64) -> f64",
        "thiscall (ptr, struct{i32, i32}) -> i64",
    ],
};

/// One instruction per line; targets of jumps are offsets from the start.
fn decode(code: &[u8]) -> String {
    let mut formatter = IntelFormatter::new();
    formatter.options_mut().set_branch_leading_zeros(false);
    let mut text = String::new();
    for instruction in Decoder::with_ip(32, code, 0, DecoderOptions::NONE).iter() {
        assert!(!instruction.is_invalid(), "at {:#x}: {code:x?}", instruction.ip());
        let mut line = String::new();
        formatter.format(&instruction, &mut line);
        writeln!(text, "  {:>4x} {line}", instruction.ip()).unwrap();
    }
    text
}

#[test]
fn listings() {
    let mut text = listing::listing(&CPU, decode);
    let slots = emit_slots(&CPU.target, 3, 4_096, 32).expect("slots");
    assert_eq!(slots.len(), 3 * SLOT_STRIDE);
    text.push_str("== 3 slots, records of 32 bytes 4096 bytes away\n");
    text.push_str(&decode(&slots));
    listing::check("x86-listings.txt", &text);
}

#[test]
fn what_ret_cannot_pop_is_an_error() {
    let plan = |pops| Plan {
        entry: Entry::Upcall,
        ops: Vec::new(),
        out_bytes: 0,
        stack_align: 16,
        frame_bytes: 16,
        frame_align: 16,
        locals: 0,
        pops,
    };
    assert!(emit(&plan(65_532), &CPU.target).is_ok());
    assert!(emit(&plan(65_536), &CPU.target).is_err());
}
