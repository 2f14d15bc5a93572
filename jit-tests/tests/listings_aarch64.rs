//! Golden listings of the 64-bit ARM emitter, read back by LLVM's disassembler.

mod listing;

use ffi_jit::arch::{SLOT_STRIDE, emit_slots};
use ffi_jit::target::{Arch, Os, Target, Toolchain};
use listing::Cpu;

const LLVM: [&str; 2] = ["--triple=aarch64", "--mattr=+v8.5a"];

const CPU: Cpu = Cpu {
    target: Target::new(Arch::Aarch64, Os::Linux, Toolchain::Gnu),
    ints: &[0, 1, 2, 3, 4, 5, 6, 7],
    fps: &[0, 1, 2, 3, 4, 5, 6, 7],
    fp_lens: &[4, 8, 1, 2, 3, 5, 6, 7],
    x87: false,
    far: 32_760,
    pops: 0,
    signatures: &[
        "(i32, i32) -> i32",
        "(f64, i8, struct{f32, f32}) -> struct{f64, i32}",
        "(struct{u8[37]}, i64, ..., f64) -> struct{u8[7]}",
    ],
};

#[test]
fn listings() {
    if listing::disassemble(&LLVM, &[0x1f, 0x20, 0x03, 0xd5]).is_none() {
        return;
    }
    let decode = |code: &[u8]| listing::disassemble(&LLVM, code).expect("llvm-mc");
    let mut text = listing::listing(&CPU, decode);
    let slots = emit_slots(&CPU.target, 3, 16_384, 64).expect("slots");
    assert_eq!(slots.len(), 3 * SLOT_STRIDE);
    text.push_str("== 3 slots, records of 64 bytes 16384 bytes away\n");
    text.push_str(&decode(&slots));
    listing::check("aarch64-listings.txt", &text);
}

#[test]
fn records_out_of_reach_are_an_error() {
    assert!(emit_slots(&CPU.target, 1, 1 << 20, 64).is_ok());
    assert!(emit_slots(&CPU.target, 1, (1 << 20) + 4, 64).is_err());
}
