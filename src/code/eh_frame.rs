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

/// DWARF numbers of the x86-64 registers by machine encoding (System V ABI, AMD64 supplement,
/// figure 3.36).
const X64_REGISTERS: [u8; 16] = [0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15];
const X64_RSP: u8 = 7;
const X64_RBP: u8 = 6;
const X64_RETURN_ADDRESS: u8 = 16;

/// An `.eh_frame` section for one function: a common information entry, a frame description entry
/// and the terminator (Linux Standard Base, "Exception Frames"). None for an architecture without
/// an emitter.
pub(super) fn build(arch: Arch, unwind: &Unwind, start: u64, len: u64) -> Option<Vec<u8>> {
    if arch != Arch::X64 {
        return None;
    }
    let mut table = Vec::with_capacity(96);
    entry(&mut table, &common_information());
    let cie_len = table.len() as u32;
    let mut fde = Vec::with_capacity(48);
    // The distance from this field back to the CIE: one length field further.
    fde.extend((cie_len + 4).to_le_bytes());
    fde.extend(start.to_le_bytes());
    fde.extend(len.to_le_bytes());
    fde.push(0); // augmentation length
    fde.extend(instructions(unwind));
    entry(&mut table, &fde);
    table.extend(0u32.to_le_bytes());
    Some(table)
}

/// Appends a length-prefixed entry, padded with DW_CFA_nop to a multiple of 8.
fn entry(table: &mut Vec<u8>, body: &[u8]) {
    let len = (body.len() + 4).next_multiple_of(8) - 4;
    table.extend((len as u32).to_le_bytes());
    table.extend(body);
    table.resize(table.len() + len - body.len(), 0);
}

fn common_information() -> Vec<u8> {
    let mut cie = Vec::with_capacity(24);
    cie.extend(0u32.to_le_bytes()); // CIE
    cie.push(1); // version
    cie.extend(b"zR\0");
    cie.push(1); // code alignment factor
    cie.push(0x78); // data alignment factor: -8
    cie.push(X64_RETURN_ADDRESS);
    cie.push(1); // augmentation length
    cie.push(0); // pointer encoding: absolute
    cie.extend([DW_CFA_DEF_CFA, X64_RSP, 8]);
    cie.extend([DW_CFA_OFFSET | X64_RETURN_ADDRESS, 1]);
    cie
}

/// What the prologue changes, instruction by instruction.
fn instructions(unwind: &Unwind) -> Vec<u8> {
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
    out.extend([DW_CFA_DEF_CFA_OFFSET, 16, DW_CFA_OFFSET | X64_RBP, 2]);
    advance(&mut out, unwind.set_fp);
    out.extend([DW_CFA_DEF_CFA_REGISTER, X64_RBP]);
    let mut saved = unwind.saved.clone();
    saved.sort_by_key(|&(_, _, behind)| behind);
    for (register, below_fp, behind) in saved {
        advance(&mut out, behind);
        out.extend([DW_CFA_OFFSET_EXTENDED_SF, X64_REGISTERS[usize::from(register)]]);
        // Factored by -8, from the canonical frame address, which is 16 above the frame pointer.
        sleb128(&mut out, i64::from((below_fp + 16) / 8));
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
        assert_eq!(table, expected);
    }

    #[test]
    fn long_prologues_and_frames_are_encoded() {
        let unwind = Unwind { pushed_fp: 1, set_fp: 4, saved: vec![(15, 1024, 200)] };
        let code = instructions(&unwind);
        assert!(code.windows(2).any(|w| w == [DW_CFA_ADVANCE_LOC1, 196]), "{code:x?}");
        // (1024 + 16) / 8 = 130 = 0x82 0x01 in SLEB128.
        assert!(code.ends_with(&[DW_CFA_OFFSET_EXTENDED_SF, 15, 0x82, 0x01]), "{code:x?}");
    }

    #[test]
    fn other_architectures_have_no_table() {
        let unwind = Unwind { pushed_fp: 0, set_fp: 0, saved: Vec::new() };
        assert_eq!(build(Arch::Arm32, &unwind, 0, 1), None);
    }
}
