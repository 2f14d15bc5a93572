//! x86-64: the slot register is r10. The conventions differ in where the arguments are.

use super::{FAST, HEAP_NUMBER_VALUE, SLOW};
use crate::arch::record;
use crate::node::frame;
use std::arch::naked_asm;

/// The register of the token, the second parameter: System V counts vector registers by themselves,
/// Windows by the parameter's position.
#[cfg(not(windows))]
macro_rules! token {
    () => {
        "xmm0"
    };
}
#[cfg(windows)]
macro_rules! token {
    () => {
        "xmm1"
    };
}

/// The register of a raw callback's only parameter.
#[cfg(not(windows))]
macro_rules! info {
    () => {
        "rdi"
    };
}
#[cfg(windows)]
macro_rules! info {
    () => {
        "rcx"
    };
}

/// From optimised code.
#[unsafe(naked)]
pub unsafe extern "C" fn fast() {
    naked_asm!("endbr64", concat!("movq r10, ", token!()), "jmp qword ptr [r10]")
}

/// From optimised code.
#[unsafe(naked)]
pub unsafe extern "C" fn fast_counted() {
    naked_asm!(
        "endbr64",
        "inc qword ptr [rip + {count}]",
        concat!("movq r10, ", token!()),
        "jmp qword ptr [r10]",
        count = sym FAST,
    )
}

/// The raw callback for [`CallbackInfo::Pointer`](super::CallbackInfo::Pointer).
#[unsafe(naked)]
pub unsafe extern "C" fn pointer() {
    naked_asm!(
        "endbr64",
        concat!("mov rax, [", info!(), " + 8]"),
        "mov rax, [rax]",
        "mov r10, [rax + {value}]",
        "jmp qword ptr [r10]",
        value = const HEAP_NUMBER_VALUE,
    )
}

/// As [`pointer`].
#[unsafe(naked)]
pub unsafe extern "C" fn pointer_counted() {
    naked_asm!(
        "endbr64",
        "inc qword ptr [rip + {count}]",
        "jmp {entry}",
        count = sym SLOW,
        entry = sym pointer,
    )
}

/// The raw callback for [`CallbackInfo::Frame`](super::CallbackInfo::Frame).
#[unsafe(naked)]
pub unsafe extern "C" fn frame() {
    naked_asm!(
        "endbr64",
        concat!("mov rax, [", info!(), " + 80]"),
        "mov r10, [rax + {value}]",
        "jmp qword ptr [r10]",
        value = const HEAP_NUMBER_VALUE,
    )
}

/// As [`frame`].
#[unsafe(naked)]
pub unsafe extern "C" fn frame_counted() {
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
