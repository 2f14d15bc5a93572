//! Bound functions: a code slot whose address is the Node-API callback itself, so that a call
//! goes from V8 through Node-API straight into the trampoline.

use super::env::State;
use super::frame;
use super::libraries::{self, ClosedBody};
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
pub struct Function {
    slot: Slot,
    library: Option<libraries::Id>,
}

impl Function {
    /// The slot's code.
    pub fn code(&self) -> *const u8 {
        self.slot.code()
    }

    /// The record that the code behind the slot reads.
    pub fn record(&self) -> &'static CallRecord {
        CallRecord::of(self.slot.record())
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        if let Some(id) = self.library {
            libraries::detach(id, self.record());
        }
    }
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
    let name = scope.to_string(arguments[5])?;
    let function = take_slot(scope, state, arguments, ClosedBody::node_api())?;
    // SAFETY: a slot is a C function; with a `Fixed` or `Stacked` body it ignores the arguments
    // that Node-API passes, keeps the C convention and returns NULL, which means undefined.
    let code = unsafe { mem::transmute::<*const u8, sys::napi_callback>(function.slot.code()) };
    let value = scope.function(&name, code, ptr::null_mut())?;
    own(scope, value, Box::new(function))?;
    Ok(value)
}

/// Takes a slot and writes its record, from the arguments of [`bind`].
///
/// # Errors
/// As there.
pub fn take_slot(
    scope: Scope,
    state: &State,
    arguments: [Value; 6],
    closed: ClosedBody,
) -> Result<Function> {
    let [signature, address, library, stacked, save_errno, name] = arguments;
    let prepared = state.prepared(scope.to_u32(signature)?)?;
    let target = scope.to_address(address)?;
    let library = libraries::to_id(scope, library)?;
    let stacked = scope.to_bool(stacked)?;
    let save_errno = scope.to_bool(save_errno)?;
    if target == 0 {
        let name = scope.to_string(name)?;
        return Err(Error::new(Code::InvalidArgument, format!("{name} is a null pointer")));
    }
    let entry = if stacked { Entry::Stacked } else { Entry::Fixed };
    if !stacked && prepared.frame.size as usize > frame::FIXED_SIZE {
        return Err(Error::new(Code::Internal, "this frame does not fit the fixed frame"));
    }
    let body = prepared.trampoline(entry, save_errno)?;
    let mut function = Function { slot: Slot::allocate()?, library: None };
    let memory = &state.frame;
    let fixed = memory.fixed()?;
    let call = CallTarget {
        target: target as *const c_void,
        frame: if stacked { memory.base() } else { fixed },
        frame_cell: memory.control(frame::FRAME),
        errno: errno::address(),
    };
    function.record().set(body, &call);
    if let Some(id) = library {
        libraries::attach(state, id, function.record(), closed)?;
        function.library = Some(id);
    }
    Ok(function)
}

/// Lets a JavaScript value own a bound function, or what contains one: when the value is collected,
/// the slot is released.
///
/// # Errors
/// When the environment refuses a finalizer.
pub fn own<T>(scope: Scope, value: Value, owned: Box<T>) -> Result<()> {
    let owned = Box::into_raw(owned);
    // SAFETY: `owned` is a leaked box; the finalizer takes it back, once.
    let status = unsafe {
        sys::napi_add_finalizer(
            scope.raw(),
            value,
            owned.cast(),
            Some(drop_owned::<T>),
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    if status != sys::Status::napi_ok {
        // SAFETY: nobody else has the box.
        drop(unsafe { Box::from_raw(owned) });
        return Err(Error::new(Code::Internal, "a finalizer was refused"));
    }
    Ok(())
}

/// The finalizer of a bound function: its slot can be used again.
unsafe extern "C" fn drop_owned<T>(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: `own` leaked the box for this call, which happens once.
    drop(unsafe { Box::from_raw(data.cast::<T>()) });
}
