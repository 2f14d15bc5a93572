//! Unwind information of 64-bit Windows ("x64 exception handling" in Microsoft's documentation).
//!
//! A trampoline saves registers below its frame pointer, where no operation of the format can
//! point: offsets are counted upwards from a fixed base. So the information claims a base lower
//! down. Behind `mov rbp, rsp` it says "SP was lowered by N, and the frame pointer is N above it",
//! which unwinds to the same: `UWOP_SET_FPREG` makes SP the frame pointer less N,
//! `UWOP_ALLOC` adds N again, and `UWOP_PUSH_NONVOL` finds the caller's frame pointer there.

use crate::arch::Unwind;

const VERSION: u8 = 1;
const RBP: u8 = 5;
const UWOP_PUSH_NONVOL: u8 = 0;
const UWOP_ALLOC_SMALL: u8 = 2;
const UWOP_SET_FPREG: u8 = 3;
const UWOP_SAVE_NONVOL: u8 = 4;
/// The information is an array of 32-bit words.
const ALIGN: usize = 4;

/// The `UNWIND_INFO` of a trampoline.
fn build(unwind: &Unwind) -> Vec<u8> {
    let lowest = unwind.saved.iter().map(|&(_, below, _)| below).max().unwrap_or(0);
    // FrameOffset counts in 16 bytes, and 15 of them are the most; saved registers are few.
    let base = lowest.next_multiple_of(16);
    assert!(base <= 15 * 16, "{} registers saved", unwind.saved.len());
    let mut saved = unwind.saved.clone();
    saved.sort_by_key(|&(_, _, behind)| std::cmp::Reverse(behind));
    // Latest first. (code offset, operation, its info, operand)
    let mut nodes: Vec<(u8, u8, u8, Option<u16>)> = Vec::new();
    for &(register, below, behind) in &saved {
        nodes.push((behind, UWOP_SAVE_NONVOL, register, Some(((base - below) / 8) as u16)));
    }
    nodes.push((unwind.set_fp, UWOP_SET_FPREG, 0, None));
    if base > 0 {
        nodes.push(alloc(unwind.set_fp, base));
    }
    nodes.push((unwind.pushed_fp, UWOP_PUSH_NONVOL, RBP, None));
    let prologue = saved.first().map_or(unwind.set_fp, |&(_, _, behind)| behind);
    let codes: Vec<u8> = nodes
        .iter()
        .flat_map(|&(offset, op, info, operand)| {
            let mut code = vec![offset, op | info << 4];
            code.extend(operand.into_iter().flat_map(u16::to_le_bytes));
            code
        })
        .collect();
    let mut table = vec![VERSION, prologue, (codes.len() / 2) as u8, RBP | (base as u8 / 16) << 4];
    table.extend(codes);
    table.resize(table.len().next_multiple_of(ALIGN), 0);
    table
}

fn alloc(offset: u8, bytes: u32) -> (u8, u8, u8, Option<u16>) {
    const UWOP_ALLOC_LARGE: u8 = 1;
    if bytes <= 128 {
        (offset, UWOP_ALLOC_SMALL, (bytes / 8 - 1) as u8, None)
    } else {
        (offset, UWOP_ALLOC_LARGE, 0, Some((bytes / 8) as u16))
    }
}

/// Where the information is behind code of this length.
const fn information_at(code: usize) -> usize {
    code.next_multiple_of(ALIGN)
}

/// Code with its unwind information and its `RUNTIME_FUNCTION` behind it; offsets count from the
/// first byte.
pub(super) fn append(code: &[u8], unwind: &Unwind) -> Vec<u8> {
    let mut image = code.to_vec();
    image.resize(information_at(code.len()), 0xcc);
    let information = image.len() as u32;
    image.extend(build(unwind));
    for offset in [0, code.len() as u32, information] {
        image.extend(offset.to_le_bytes());
    }
    image
}

/// Makes the system use the table behind published code, for ever.
#[cfg(all(windows, target_arch = "x86_64"))]
pub(super) fn register(unwind: &Unwind, code: super::CodePtr) {
    use std::ffi::c_void;
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn RtlAddFunctionTable(table: *const c_void, count: u32, base: u64) -> u8;
    }
    let at = information_at(code.bytes().len()) + build(unwind).len();
    // SAFETY: `append` put one entry there, in memory that is never unmapped; its offsets count
    // from the code's first byte. (Without a table a debugger sees less, and calls work as well.)
    unsafe { RtlAddFunctionTable(code.as_ptr().add(at).cast(), 1, code.addr() as u64) };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// push rbp (behind endbr64); mov rbp, rsp; push rbx.
    fn downcall() -> Unwind {
        Unwind { pushed_fp: 5, set_fp: 8, saved: vec![(3, 8, 9)] }
    }

    #[test]
    fn a_saved_register_is_above_a_lower_base() {
        #[rustfmt::skip]
        let expected = [
            1, 9, 5, 0x15,      // version, prologue, 5 codes, rbp is 1 * 16 above the base
            9, 0x34, 1, 0,      // UWOP_SAVE_NONVOL rbx at base + 8
            8, 0x03,            // UWOP_SET_FPREG
            8, 0x12,            // UWOP_ALLOC_SMALL 16
            5, 0x50,            // UWOP_PUSH_NONVOL rbp
            0, 0,
        ];
        assert_eq!(build(&downcall()), expected);
    }

    #[test]
    fn without_saved_registers_sp_is_the_base() {
        let unwind = Unwind { saved: Vec::new(), ..downcall() };
        assert_eq!(build(&unwind), [1, 8, 2, 0x05, 8, 0x03, 5, 0x50]);
    }

    #[test]
    fn many_registers_need_a_large_allocation() {
        let saved = (0..17).map(|i| (i as u8 % 16, 8 * (i + 1), 9 + i as u8)).collect();
        let table = build(&Unwind { saved, ..downcall() });
        assert_eq!(table[3], 0x95, "144 bytes");
        assert_eq!(table[4 + 17 * 4..][..6], [8, 0x03, 8, 0x01, 18, 0]);
    }

    #[test]
    fn an_image_is_code_information_entry() {
        let image = append(&[0x90; 13], &downcall());
        assert_eq!(image[..16], *[[0x90; 13].as_slice(), &[0xcc; 3]].concat());
        assert_eq!(image[16..32], *build(&downcall()));
        assert_eq!(image[32..], [0, 0, 0, 0, 13, 0, 0, 0, 16, 0, 0, 0]);
        assert_eq!(image.len(), 32 + 12);
    }
}
