//! The bytes of `.eh_frame` sections: a pure function of a blob's unwind notes.

use crate::arch::Unwind;
use crate::target::Arch;

// DWARF call frame instructions (DWARF 5 section 7.24).
const DW_CFA_ADVANCE_LOC: u8 = 0x40;
const DW_CFA_OFFSET: u8 = 0x80;
const DW_CFA_ADVANCE_LOC1: u8 = 0x02;
const DW_CFA_OFFSET_EXTENDED_SF: u8 = 0x11;
const DW_CFA_DEF_CFA: u8 = 0x0c;
const DW_CFA_DEF_CFA_REGISTER: u8 = 0x0d;
const DW_CFA_DEF_CFA_OFFSET: u8 = 0x0e;

/// A CPU as DWARF sees it, and what the first instructions of every trampoline do there.
struct Machine {
    /// Bytes of an address, and of a saved register.
    word: u8,
    /// DWARF numbers of registers by machine encoding.
    registers: &'static [u8],
    /// DWARF numbers.
    sp: u8,
    fp: u8,
    return_address: u8,
    /// The canonical frame address (SP before the call) less SP at the first instruction.
    entry: u8,
    /// The same less SP behind the instruction that pushes the frame pointer, and so less the
    /// frame pointer from then on.
    framed: u8,
    /// What that instruction pushes: DWARF number, words below the canonical frame address.
    pushed: &'static [(u8, u8)],
}

/// System V ABI, AMD64 supplement, figure 3.36.
const X64: Machine = Machine {
    word: 8,
    registers: &[0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15],
    sp: 7,
    fp: 6,
    return_address: 16,
    entry: 8,
    framed: 16,
    pushed: &[(6, 2)],
};

/// System V ABI, Intel386 supplement, table 2.14.
const X86: Machine = Machine {
    word: 4,
    registers: &[0, 1, 2, 3, 4, 5, 6, 7],
    sp: 4,
    fp: 5,
    return_address: 8,
    entry: 4,
    framed: 8,
    pushed: &[(5, 2)],
};

/// DWARF for the Arm 64-bit Architecture, section 4.1. The return address is in x30 until it is
/// pushed together with x29.
const AARCH64: Machine = Machine {
    word: 8,
    registers: &[
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
        25, 26, 27, 28, 29, 30,
    ],
    sp: 31,
    fp: 29,
    return_address: 30,
    entry: 0,
    framed: 16,
    pushed: &[(29, 2), (30, 1)],
};

/// None where unwinders read no `.eh_frame`: on 32-bit ARM they want the tables of its exception
/// handling ABI, and find them only through the loader's list of files (docs/platforms.md).
const fn machine(arch: Arch) -> Option<&'static Machine> {
    match arch {
        Arch::X64 => Some(&X64),
        Arch::X86 => Some(&X86),
        Arch::Aarch64 => Some(&AARCH64),
        Arch::Arm32 => None,
    }
}

/// An `.eh_frame` section for one function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EhFrame {
    /// A common information entry, a frame description entry and the terminator (Linux Standard
    /// Base, "Exception Frames").
    pub section: Vec<u8>,
    /// Where the frame description entry starts.
    pub description: usize,
}

/// The section for code of `len` bytes at `start`; none for a CPU whose unwinders do not read it.
pub fn build(arch: Arch, unwind: &Unwind, start: u64, len: u64) -> Option<EhFrame> {
    let machine = machine(arch)?;
    let mut section = Vec::with_capacity(96);
    entry(&mut section, machine, &common_information(machine));
    let description = section.len();
    let mut body = Vec::with_capacity(48);
    // The distance from this field back to the CIE: one length field further.
    body.extend((description as u32 + 4).to_le_bytes());
    for address in [start, len] {
        body.extend(&address.to_le_bytes()[..usize::from(machine.word)]);
    }
    body.push(0); // augmentation length
    body.extend(instructions(machine, unwind));
    entry(&mut section, machine, &body);
    section.extend(0u32.to_le_bytes());
    Some(EhFrame { section, description })
}

/// Appends a length-prefixed entry, padded with DW_CFA_nop to a multiple of an address.
fn entry(section: &mut Vec<u8>, machine: &Machine, body: &[u8]) {
    let len = (body.len() + 4).next_multiple_of(machine.word.into()) - 4;
    section.extend((len as u32).to_le_bytes());
    section.extend(body);
    section.resize(section.len() + len - body.len(), 0);
}

fn common_information(machine: &Machine) -> Vec<u8> {
    let mut cie = Vec::with_capacity(24);
    cie.extend(0u32.to_le_bytes()); // CIE
    cie.push(1); // version
    cie.extend(b"zR\0");
    cie.push(1); // code alignment factor
    cie.push(0x80 - machine.word); // data alignment factor: -word, in SLEB128
    cie.push(machine.return_address);
    cie.push(1); // augmentation length
    cie.push(0); // pointer encoding: absolute
    cie.extend([DW_CFA_DEF_CFA, machine.sp, machine.entry]);
    if machine.entry != 0 {
        cie.extend([DW_CFA_OFFSET | machine.return_address, machine.entry / machine.word]);
    }
    cie
}

/// What the prologue changes, instruction by instruction.
fn instructions(machine: &Machine, unwind: &Unwind) -> Vec<u8> {
    let mut out = Vec::with_capacity(32);
    let mut at = 0u8;
    let mut advance = |out: &mut Vec<u8>, to: u8| {
        match to - at {
            0 => {}
            delta if delta < 64 => out.push(DW_CFA_ADVANCE_LOC | delta),
            delta => out.extend([DW_CFA_ADVANCE_LOC1, delta]),
        }
        at = to;
    };
    advance(&mut out, unwind.pushed_fp);
    out.extend([DW_CFA_DEF_CFA_OFFSET, machine.framed]);
    for &(register, words) in machine.pushed {
        out.extend([DW_CFA_OFFSET | register, words]);
    }
    advance(&mut out, unwind.set_fp);
    out.extend([DW_CFA_DEF_CFA_REGISTER, machine.fp]);
    let mut saved = unwind.saved.clone();
    saved.sort_by_key(|&(_, _, behind)| behind);
    for (register, below_fp, behind) in saved {
        advance(&mut out, behind);
        out.extend([DW_CFA_OFFSET_EXTENDED_SF, machine.registers[usize::from(register)]]);
        // From the canonical frame address, factored by -word.
        let below = below_fp + u32::from(machine.framed);
        sleb128(&mut out, i64::from(below / u32::from(machine.word)));
    }
    out
}

fn sleb128(out: &mut Vec<u8>, mut value: i64) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        let done = value == if byte & 0x40 == 0 { 0 } else { -1 };
        out.push(if done { byte } else { byte | 0x80 });
        if done {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_cie_fde_terminator() {
        // push rbp (1 byte behind endbr64), mov rbp, rsp, push rbx, push r12.
        let unwind = Unwind { pushed_fp: 5, set_fp: 8, saved: vec![(12, 16, 11), (3, 8, 9)] };
        let table = build(Arch::X64, &unwind, 0x1122_3344_5566_7788, 0x40).unwrap();
        #[rustfmt::skip]
        let expected: &[u8] = &[
            20, 0, 0, 0,  0, 0, 0, 0,  1, b'z', b'R', 0,  1, 0x78, 16, 1, 0,
            0x0c, 7, 8,  0x90, 1,  0, 0,
            44, 0, 0, 0,  28, 0, 0, 0,
            0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,  0x40, 0, 0, 0, 0, 0, 0, 0,  0,
            0x45, 0x0e, 16, 0x86, 2,  0x43, 0x0d, 6,
            0x41, 0x11, 3, 3,  0x42, 0x11, 12, 4,
            0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0,
        ];
        assert_eq!(table.section, expected);
        assert_eq!(table.description, 24);
    }

    #[test]
    fn addresses_are_as_wide_as_the_machine() {
        // push ebp (behind endbr32), mov ebp, esp, push ebx.
        let unwind = Unwind { pushed_fp: 5, set_fp: 7, saved: vec![(3, 4, 8)] };
        let table = build(Arch::X86, &unwind, 0x1122_3344, 0x40).unwrap();
        #[rustfmt::skip]
        let expected: &[u8] = &[
            20, 0, 0, 0,  0, 0, 0, 0,  1, b'z', b'R', 0,  1, 0x7c, 8, 1, 0,
            0x0c, 4, 4,  0x88, 1,  0, 0,
            28, 0, 0, 0,  28, 0, 0, 0,  0x44, 0x33, 0x22, 0x11,  0x40, 0, 0, 0,  0,
            0x45, 0x0e, 8, 0x85, 2,  0x42, 0x0d, 5,  0x41, 0x11, 3, 3,
            0, 0, 0,
            0, 0, 0, 0,
        ];
        assert_eq!(table.section, expected);
    }

    #[test]
    fn a_return_address_in_a_register_is_pushed() {
        // stp x29, x30, [sp, -16]! (behind bti), mov x29, sp, stp x19, x20, [sp, -16]!.
        let unwind = Unwind { pushed_fp: 8, set_fp: 12, saved: vec![(19, 16, 16), (20, 8, 16)] };
        let table = build(Arch::Aarch64, &unwind, 0, 0x40).unwrap();
        assert_eq!(table.section[13..20], [0x78, 30, 1, 0, 0x0c, 31, 0]);
        let code = &table.section[table.description + 8 + 16 + 1..];
        #[rustfmt::skip]
        let expected = [
            0x48, 0x0e, 16, 0x80 | 29, 2, 0x80 | 30, 1,  0x44, 0x0d, 29,
            0x44, 0x11, 19, 4, 0x11, 20, 3,
        ];
        assert_eq!(code[..expected.len()], expected);
    }

    #[test]
    fn long_prologues_and_frames_are_encoded() {
        let unwind = Unwind { pushed_fp: 1, set_fp: 4, saved: vec![(15, 1024, 200)] };
        let code = instructions(&X64, &unwind);
        assert!(code.windows(2).any(|w| w == [DW_CFA_ADVANCE_LOC1, 196]), "{code:x?}");
        // (1024 + 16) / 8 = 130 = 0x82 0x01 in SLEB128.
        assert!(code.ends_with(&[DW_CFA_OFFSET_EXTENDED_SF, 15, 0x82, 0x01]), "{code:x?}");
    }

    #[test]
    fn arm32_has_no_table() {
        let unwind = Unwind { pushed_fp: 0, set_fp: 0, saved: Vec::new() };
        assert_eq!(build(Arch::Arm32, &unwind, 0, 1), None);
    }
}
