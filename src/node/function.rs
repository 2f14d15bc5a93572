//! Bound functions: a code slot whose address is the Node-API callback itself, so that a call
//! goes from V8 through Node-API straight into the trampoline.

use super::env::State;
use super::frame;
use super::libraries;
use super::value::{Scope, Value};
use crate::call::{CallRecord, CallTarget, errno};
use crate::code::Slot;
use crate::error::{Code, Error, Result};
use crate::plan::Entry;
use napi::sys;
use std::ffi::c_void;
use std::mem;
use std::ptr;

/// What a bound JavaScript function owns; its finalizer drops it.
struct Function {
    slot: Slot,
    library: Option<libraries::Id>,
}

/// `bind(signature id, address, library id or -1, stacked, errno, name)` -> a function without
/// parameters that calls the C function at `address` with the frame that was written before.
///
/// `stacked` chooses the frame: the one that the FRAME cell names, or the fixed one. With `errno`
/// the frame's errno cell is filled. When the library is closed, calling the function throws
/// `ERR_FFI_LIBRARY_CLOSED`.
///
/// # Errors
/// For identifiers that are not known, and when there is no executable memory.
pub fn bind(scope: Scope, state: &State, arguments: [Value; 6]) -> Result<Value> {
    let [signature, address, library, stacked, save_errno, name] = arguments;
    let prepared = state.prepared(scope.to_u32(signature)?)?;
    let target = scope.to_address(address)?;
    let library = libraries::to_id(scope, library)?;
    let stacked = scope.to_bool(stacked)?;
    let save_errno = scope.to_bool(save_errno)?;
    let name = scope.to_string(name)?;
    if target == 0 {
        return Err(Error::new(Code::InvalidArgument, format!("{name} is a null pointer")));
    }
    let entry = if stacked { Entry::Stacked } else { Entry::Fixed };
    if !stacked && prepared.frame.size as usize > frame::FIXED_SIZE {
        return Err(Error::new(Code::Internal, "this frame does not fit the fixed frame"));
    }
    let body = prepared.trampoline(entry, save_errno)?;
    let slot = Slot::allocate()?;
    let memory = &state.frame;
    let fixed = memory.at((memory.origin() + frame::FIXED) as u32, frame::FIXED_SIZE)?;
    let record = CallRecord::of(slot.record());
    let call = CallTarget {
        target: target as *const c_void,
        frame: if stacked { memory.base() } else { fixed },
        frame_cell: memory.control(frame::FRAME),
        errno: errno::address(),
    };
    record.set(body, &call);
    if let Some(id) = library {
        libraries::attach(state, id, record)?;
    }
    let code = slot.code();
    // SAFETY: a slot is a C function; with a `Fixed` or `Stacked` body it ignores the arguments
    // that Node-API passes, keeps the C convention and returns NULL, which means undefined.
    let code = unsafe { mem::transmute::<*const u8, sys::napi_callback>(code) };
    let value = scope.function(&name, code, ptr::null_mut())?;
    let owned = Box::into_raw(Box::new(Function { slot, library })).cast::<c_void>();
    // SAFETY: `owned` is a leaked box; the finalizer takes it back, once.
    let status = unsafe {
        sys::napi_add_finalizer(
            scope.raw(),
            value,
            owned,
            Some(drop_function),
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    if status != sys::Status::napi_ok {
        // SAFETY: nobody else has the box.
        drop(unsafe { Box::from_raw(owned.cast::<Function>()) });
        return Err(Error::new(Code::Internal, "a finalizer was refused"));
    }
    Ok(value)
}

/// The finalizer of a bound function: its slot can be used again.
unsafe extern "C" fn drop_function(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: `bind` leaked the box for this call, which happens once.
    let function = unsafe { Box::from_raw(data.cast::<Function>()) };
    if let Some(id) = function.library {
        libraries::detach(id, CallRecord::of(function.slot.record()));
    }
}
