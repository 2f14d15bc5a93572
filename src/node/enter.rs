//! Node-API's entry: one JavaScript function, without parameters, in front of every trampoline. Which
//! one it enters the TOKEN cell says: the address of the bound function's record in the bits of a
//! double, the same token that the packed tier passes in a register.
//!
//! A JavaScript function of Node-API's for each bound function would cost a microsecond and a
//! kilobyte more; the cell costs a store and two loads per call.

use super::env::State;
use super::frame;
use super::sys;
use super::value::{Scope, Value};
use crate::arch::record;
use crate::code::Slot;
use crate::error::Result;
use std::arch::naked_asm;
use std::ffi::c_void;
use std::mem;
use std::ptr;
use std::sync::atomic::Ordering;

/// The word of the entry's record that holds the address of the TOKEN cell.
const TOKEN_CELL: u32 = 1;

/// The entry, as a Node-API callback.
pub type Code = unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value;

/// The entry's code.
///
/// # Errors
/// When there is no executable memory.
pub fn code(state: &State) -> Result<Code> {
    if state.entry.get().is_none() {
        let slot = Slot::allocate()?;
        let cell = state.frame.control(frame::TOKEN).expose_provenance();
        slot.record()[TOKEN_CELL as usize].store(cell, Ordering::Release);
        let body = enter as *const () as usize;
        slot.record()[record::BODY as usize].store(body, Ordering::Release);
        // The slot was not there, and nothing ran in between.
        let _ = state.entry.set(slot);
    }
    let code = state.entry.get().map_or(ptr::null(), Slot::code);
    // SAFETY: a slot is a C function; what is behind this one either ignores the arguments that
    // Node-API passes, keeps the C convention and returns NULL, which means undefined, or is a
    // Node-API callback itself (`closed`).
    Ok(unsafe { mem::transmute::<*const u8, Code>(code) })
}

/// `entry()` -> the function.
///
/// # Errors
/// As [`code`].
pub fn entry(scope: Scope, state: &State, []: [Value; 0]) -> Result<Value> {
    scope.function("enter", Some(code(state)?), ptr::null_mut())
}

/// The body of the entry's slot, which found its record in the slot register: it replaces that by
/// the record behind the token and goes on as that record's slot would. The argument registers and
/// the stack stay as they are.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn enter() {
    naked_asm!(
        "endbr64",
        "mov r10, [r10 + {cell}]",
        "mov r10, [r10]",
        "jmp qword ptr [r10]",
        cell = const TOKEN_CELL * 8,
    )
}

/// As above.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn enter() {
    naked_asm!(
        "hint #36", // bti j
        "ldr x16, [x16, #{cell}]",
        "ldr x16, [x16]",
        "ldr x17, [x16]",
        "br x17",
        cell = const TOKEN_CELL * 8,
    )
}

/// As above; the low word of the token is the address.
#[cfg(target_arch = "x86")]
#[unsafe(naked)]
unsafe extern "C" fn enter() {
    naked_asm!(
        "mov eax, [eax + {cell}]",
        "mov eax, [eax]",
        "jmp dword ptr [eax]",
        cell = const TOKEN_CELL * 4,
    )
}

/// As above; the low word of the token is the address.
#[cfg(target_arch = "arm")]
#[unsafe(naked)]
unsafe extern "C" fn enter() {
    naked_asm!(
        "ldr r12, [r12, #{cell}]",
        "ldr r12, [r12]",
        "ldr pc, [r12]",
        cell = const TOKEN_CELL * 4,
    )
}

/// Goes on as the slot of a bound function's record would, for a caller that knows the record.
///
/// # Safety
/// The record must be that of a function that is alive, whose frame was written, and the environment the
/// running callback's.
#[cfg(all(target_arch = "x86_64", not(windows)))]
#[unsafe(naked)]
pub unsafe extern "C" fn enter_record(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    record: *const c_void,
) -> sys::napi_value {
    naked_asm!("endbr64", "mov r10, rdx", "jmp qword ptr [r10]")
}

/// As above.
///
/// # Safety
/// As above.
#[cfg(all(target_arch = "x86_64", windows))]
#[unsafe(naked)]
pub unsafe extern "C" fn enter_record(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    record: *const c_void,
) -> sys::napi_value {
    naked_asm!("endbr64", "mov r10, r8", "jmp qword ptr [r10]")
}

/// As above.
///
/// # Safety
/// As above.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
pub unsafe extern "C" fn enter_record(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    record: *const c_void,
) -> sys::napi_value {
    naked_asm!("mov x16, x2", "ldr x17, [x16]", "br x17")
}

/// As above; arguments are on the stack.
///
/// # Safety
/// As above.
#[cfg(target_arch = "x86")]
#[unsafe(naked)]
pub unsafe extern "C" fn enter_record(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    record: *const c_void,
) -> sys::napi_value {
    naked_asm!("mov eax, [esp + 12]", "jmp dword ptr [eax]")
}

/// As above.
///
/// # Safety
/// As above.
#[cfg(target_arch = "arm")]
#[unsafe(naked)]
pub unsafe extern "C" fn enter_record(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    record: *const c_void,
) -> sys::napi_value {
    naked_asm!("mov r12, r2", "ldr pc, [r12]")
}

const _: () = assert!(record::BODY == 0, "the entry jumps through the first word");
