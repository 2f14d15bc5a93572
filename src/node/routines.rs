//! C routines that JavaScript binds like any other C function, through a trampoline: their
//! arguments and results cross frame memory, which costs less than Node-API arguments.

use super::env::State;
use super::value::{Scope, Value};
use crate::call::errno;
use crate::error::Result;
use std::ffi::{c_int, c_void};
use std::slice;

/// `routine(name)` -> the address of a routine as a bigint, or undefined:
///
/// ```text
/// copy         (ptr to, ptr from, usize length) -> ptr     memory that may overlap
/// allocate     (usize count, usize size) -> ptr            zeroed; NULL when there is none
/// release      (ptr) -> void                               what malloc or `allocate` gave
/// count        (ptr, usize unit) -> usize                  units of 1, 2, 4 or 8 bytes before a zero
/// set_errno    (i32) -> void                               of the calling thread
/// load1 2 4 8  (ptr) -> u8, u16, u32, u64                  what is there, aligned or not
/// ```
pub fn address(scope: Scope, _state: &State, [name]: [Value; 1]) -> Result<Value> {
    let address = match scope.to_string(name)?.as_str() {
        "copy" => libc::memmove as *const c_void,
        "allocate" => libc::calloc as *const c_void,
        "release" => libc::free as *const c_void,
        "count" => count_units as *const c_void,
        "load1" => load::<u8> as *const c_void,
        "load2" => load::<u16> as *const c_void,
        "load4" => load::<u32> as *const c_void,
        "load8" => load::<u64> as *const c_void,
        "set_errno" => set_errno as *const c_void,
        _ => return scope.undefined(),
    };
    scope.bigint(address as usize as u64)
}

/// The number at an address.
unsafe extern "C" fn load<T: Copy>(at: *const T) -> T {
    // SAFETY: the caller vouches for the address.
    unsafe { at.read_unaligned() }
}

/// Sets the calling thread's errno.
unsafe extern "C" fn set_errno(code: c_int) {
    errno::set(code);
}

/// How many units stand before the first zero one.
unsafe extern "C" fn count_units(at: *const u8, unit: usize) -> usize {
    (0..)
        .find(|i| {
            // SAFETY: no unit before this one was zero, so it is still within the data, whose
            // terminator the caller vouches for.
            let bytes = unsafe { slice::from_raw_parts(at.add(i * unit), unit) };
            bytes.iter().all(|&byte| byte == 0)
        })
        .unwrap_or(0)
}
