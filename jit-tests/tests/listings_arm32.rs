//! Golden listings of the 32-bit ARM emitter, read back by LLVM's disassembler.

mod listing;

use ffi_jit::arch::{SLOT_STRIDE, emit_slots};
use ffi_jit::target::{Arch, Os, Target, Toolchain};
use listing::Cpu;

/// ARMv6 with VFPv2: the least that the emitter may ask for.
const LLVM: [&str; 2] = ["--triple=armv6-linux-gnueabihf", "--mattr=+vfp2"];

const CPU: Cpu = Cpu {
    target: Target::new(Arch::Arm32, Os::Linux, Toolchain::Gnu),
    ints: &[0, 1, 2, 3],
    fps: &[0, 2, 5, 14],
    fp_lens: &[4, 8, 4, 8],
    x87: false,
    far: 4_096,
    pops: 0,
    signatures: &[
        "(i32, i32) -> i32",
        "(f64, i8, struct{f32, f32}) -> struct{f64, i32}",
        "(struct{u8[37]}, i64, ..., f64) -> struct{u8[7]}",
        "(f32, f64, f32, struct{i64, i64, i32}) -> struct{f64, f64}",
    ],
};

#[test]
fn listings() {
    // nop
    if listing::disassemble(&LLVM, &[0x00, 0xF0, 0x20, 0xE3]).is_none() {
        return;
    }
    let decode = |code: &[u8]| listing::disassemble(&LLVM, code).expect("llvm-mc");
    let mut text = listing::listing(&CPU, decode);
    let slots = emit_slots(&CPU.target, 3, 4_096, 32).expect("slots");
    assert_eq!(slots.len(), 3 * SLOT_STRIDE);
    text.push_str("== 3 slots, records of 32 bytes 4096 bytes away\n");
    for slot in slots.chunks(SLOT_STRIDE) {
        let (code, distance) = slot.split_at(SLOT_STRIDE - 4);
        text.push_str(&decode(code));
        let distance = i32::from_le_bytes(distance.try_into().expect("four bytes"));
        text.push_str(&format!("  .word {distance}\n"));
    }
    listing::check("arm32-listings.txt", &text);
}
