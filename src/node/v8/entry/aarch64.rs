//! 64-bit ARM: the slot register is x16, and x17 may be jumped through.

use super::{FAST, HEAP_NUMBER_VALUE, SLOW};
use crate::arch::record;
use crate::node::frame;
use std::arch::naked_asm;

/// From optimised code.
#[unsafe(naked)]
pub unsafe extern "C" fn fast() {
    naked_asm!("hint #34", "fmov x16, d0", "ldr x17, [x16]", "br x17")
}

/// From optimised code.
#[unsafe(naked)]
pub unsafe extern "C" fn fast_counted() {
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

/// The raw callback for [`CallbackInfo::Pointer`](super::CallbackInfo::Pointer).
#[unsafe(naked)]
pub unsafe extern "C" fn pointer() {
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

/// As [`pointer`].
#[unsafe(naked)]
pub unsafe extern "C" fn pointer_counted() {
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

/// The raw callback for [`CallbackInfo::Frame`](super::CallbackInfo::Frame).
#[unsafe(naked)]
pub unsafe extern "C" fn frame() {
    naked_asm!(
        "hint #34",
        "ldr x9, [x0, #80]",
        "ldur x16, [x9, #{value}]",
        "ldr x17, [x16]",
        "br x17",
        value = const HEAP_NUMBER_VALUE,
    )
}

/// As [`frame`].
#[unsafe(naked)]
pub unsafe extern "C" fn frame_counted() {
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

/// See the same function for x86-64.
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
