//! A thin, checked layer over raw Node-API: values in and out, errors, panics.

use super::env::State;
use super::sys;
use crate::error::{Code, Error, Result};
use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

pub use sys::napi_value as Value;

/// A Node-API environment during a callback: every method may only be used on its thread.
#[derive(Clone, Copy)]
pub struct Scope {
    env: sys::napi_env,
}

/// A strong reference to a JavaScript value; its owner ends it.
#[derive(Clone, Copy)]
pub struct Reference(sys::napi_ref);

// SAFETY: only a name; every use of it goes through a `Scope`, on the environment's thread.
unsafe impl Send for Reference {}
// SAFETY: as above.
unsafe impl Sync for Reference {}

/// What a thread-safe function runs.
pub type ThreadsafeRun =
    unsafe extern "C" fn(sys::napi_env, sys::napi_value, *mut c_void, *mut c_void);

/// Turns a Node-API status into a result.
#[inline(always)]
fn check(status: sys::napi_status, what: &'static str) -> Result<()> {
    if status == sys::Status::napi_ok { Ok(()) } else { Err(failed(status, what)) }
}

#[cold]
#[inline(never)]
fn failed(status: sys::napi_status, what: &str) -> Error {
    Error::new(Code::Internal, format!("Node-API: {what} failed with status {status}"))
}

/// Calls a Node-API function with an out-parameter and returns what it wrote.
macro_rules! out {
    ($name:ident($($arg:expr),*), $init:expr) => {{
        let mut result = $init;
        // SAFETY: the environment is live for the scope's lifetime, the other arguments are valid
        // for the call, and `result` outlives it.
        let status = unsafe { sys::$name($($arg,)* &mut result) };
        check(status, stringify!($name)).map(|()| result)
    }};
}

impl Scope {
    /// A scope for the environment that Node-API handed to the running callback.
    pub fn new(env: sys::napi_env) -> Self {
        Scope { env }
    }

    /// The raw environment.
    pub fn raw(self) -> sys::napi_env {
        self.env
    }

    /// The environment's state.
    pub fn state<'a>(self) -> Option<&'a State> {
        let data = out!(napi_get_instance_data(self.env), ptr::null_mut()).ok()?;
        // SAFETY: `register` set it, and it lives as long as the environment.
        unsafe { data.cast::<State>().as_ref() }
    }

    /// `undefined`.
    pub fn undefined(self) -> Result<Value> {
        out!(napi_get_undefined(self.env), ptr::null_mut())
    }

    /// `null`.
    pub fn null(self) -> Result<Value> {
        out!(napi_get_null(self.env), ptr::null_mut())
    }

    /// A boolean.
    pub fn boolean(self, value: bool) -> Result<Value> {
        out!(napi_get_boolean(self.env, value), ptr::null_mut())
    }

    /// A number.
    pub fn number(self, value: f64) -> Result<Value> {
        out!(napi_create_double(self.env, value), ptr::null_mut())
    }

    /// A bigint.
    pub fn bigint(self, value: u64) -> Result<Value> {
        out!(napi_create_bigint_uint64(self.env, value), ptr::null_mut())
    }

    /// A string.
    pub fn string(self, value: &str) -> Result<Value> {
        self.string_utf8(value.as_bytes())
    }

    /// A string from UTF-8; invalid sequences become U+FFFD.
    pub fn string_utf8(self, bytes: &[u8]) -> Result<Value> {
        let (data, len) = (bytes.as_ptr().cast(), bytes.len() as isize);
        out!(napi_create_string_utf8(self.env, data, len), ptr::null_mut())
    }

    /// A string from Latin-1, which ASCII is part of; None when it is refused.
    #[inline(always)]
    pub fn string_latin1(self, bytes: &[u8]) -> Option<Value> {
        let (data, len) = (bytes.as_ptr().cast(), bytes.len() as isize);
        out!(napi_create_string_latin1(self.env, data, len), ptr::null_mut()).ok()
    }

    /// A string from UTF-16 code units; None when it is refused.
    pub fn string_utf16(self, units: &[u16]) -> Option<Value> {
        let (data, len) = (units.as_ptr(), units.len() as isize);
        out!(napi_create_string_utf16(self.env, data, len), ptr::null_mut()).ok()
    }

    /// An array of numbers.
    pub fn numbers(self, values: impl ExactSizeIterator<Item = f64>) -> Result<Value> {
        self.list(&values.map(|value| self.number(value)).collect::<Result<Vec<_>>>()?)
    }

    /// An array.
    pub fn list(self, values: &[Value]) -> Result<Value> {
        let array = out!(
            napi_create_array_with_length(self.env, values.len()),
            ptr::null_mut::<sys::napi_value__>()
        )?;
        for (i, &element) in (0u32..).zip(values) {
            // SAFETY: `array` and `element` are handles of the open scope.
            let status = unsafe { sys::napi_set_element(self.env, array, i, element) };
            check(status, "napi_set_element")?;
        }
        Ok(array)
    }

    /// Sets `object[name]`; `name` must end in NUL.
    pub fn set(self, object: Value, name: &std::ffi::CStr, value: Value) -> Result<()> {
        // SAFETY: all handles belong to the open scope.
        let status =
            unsafe { sys::napi_set_named_property(self.env, object, name.as_ptr(), value) };
        check(status, "napi_set_named_property")
    }

    /// A function of the given code and data.
    pub fn function(
        self,
        name: &str,
        code: sys::napi_callback,
        data: *mut c_void,
    ) -> Result<Value> {
        let (name, len) = (name.as_ptr().cast(), name.len() as isize);
        out!(napi_create_function(self.env, name, len, code, data), ptr::null_mut())
    }

    /// An External that holds an address and owns nothing.
    pub fn external(self, address: *mut c_void) -> Result<Value> {
        out!(napi_create_external(self.env, address, None, ptr::null_mut()), ptr::null_mut())
    }

    /// A Buffer over memory that it does not own. An empty one is made without the memory.
    pub fn external_buffer(self, address: *mut c_void, len: usize) -> Result<Value> {
        let (mut buffer, null) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the caller says that the memory is there for as long as the Buffer is used.
        let status = unsafe {
            if len == 0 {
                sys::napi_create_buffer(self.env, 0, &mut ptr::null_mut(), &mut buffer)
            } else {
                sys::napi_create_external_buffer(self.env, len, address, None, null, &mut buffer)
            }
        };
        check(status, "napi_create_external_buffer").map(|()| buffer)
    }

    /// An ArrayBuffer over memory that it does not own. An empty one is made without the memory.
    pub fn external_array_buffer(self, address: *mut c_void, len: usize) -> Result<Value> {
        if len == 0 {
            let mut data = ptr::null_mut();
            return out!(napi_create_arraybuffer(self.env, 0, &mut data), ptr::null_mut());
        }
        // The caller says that the memory is there for as long as the ArrayBuffer is used.
        let made = out!(
            napi_create_external_arraybuffer(self.env, address, len, None, ptr::null_mut()),
            ptr::null_mut()
        );
        made.map_err(|_| {
            Error::new(
                Code::InvalidArgument,
                "this runtime has no ArrayBuffers over foreign memory",
            )
        })
    }

    /// Whether a value is null or undefined.
    pub fn is_nullish(self, value: Value) -> Result<bool> {
        let kind = self.type_of(value)?;
        Ok(matches!(kind, sys::ValueType::napi_null | sys::ValueType::napi_undefined))
    }

    /// The kind of a value.
    pub fn type_of(self, value: Value) -> Result<sys::napi_valuetype> {
        out!(napi_typeof(self.env, value), sys::ValueType::napi_undefined)
    }

    /// The address that an External holds, or None for any other value.
    pub fn external_address(self, value: Value) -> Result<Option<*mut c_void>> {
        if self.type_of(value)? != sys::ValueType::napi_external {
            return Ok(None);
        }
        out!(napi_get_value_external(self.env, value), ptr::null_mut()).map(Some)
    }

    /// A number argument as `u32`.
    pub fn to_u32(self, value: Value) -> Result<u32> {
        out!(napi_get_value_uint32(self.env, value), 0).map_err(|_| expected("a number"))
    }

    /// A number argument.
    pub fn to_f64(self, value: Value) -> Result<f64> {
        out!(napi_get_value_double(self.env, value), 0.0).map_err(|_| expected("a number"))
    }

    /// A number argument as a length.
    pub fn to_length(self, value: Value) -> Result<usize> {
        let length = out!(napi_get_value_int64(self.env, value), 0);
        length
            .ok()
            .and_then(|length| usize::try_from(length).ok())
            .ok_or_else(|| expected("a length"))
    }

    /// A boolean argument.
    pub fn to_bool(self, value: Value) -> Result<bool> {
        out!(napi_get_value_bool(self.env, value), false).map_err(|_| expected("a boolean"))
    }

    /// An address: a bigint, taken modulo 2^64.
    pub fn to_address(self, value: Value) -> Result<usize> {
        let (mut address, mut lossless) = (0u64, false);
        // SAFETY: both out-parameters outlive the call.
        let status = unsafe {
            sys::napi_get_value_bigint_uint64(self.env, value, &mut address, &mut lossless)
        };
        check(status, "").map(|()| address as usize).map_err(|_| expected("a bigint"))
    }

    /// A string argument; lone surrogates become U+FFFD.
    pub fn to_string(self, value: Value) -> Result<String> {
        let text = |_| expected("a string");
        // Names are short: one crossing is enough.
        let mut short = [0u8; 128];
        let (data, size) = (short.as_mut_ptr().cast(), short.len());
        let written =
            out!(napi_get_value_string_utf8(self.env, value, data, size), 0).map_err(text)?;
        // Node-API does not write half a character, of at most 4 bytes, and a terminator.
        if written + 4 < size {
            return Ok(String::from_utf8_lossy(&short[..written]).into_owned());
        }
        let null = ptr::null_mut();
        let len = out!(napi_get_value_string_utf8(self.env, value, null, 0), 0).map_err(text)?;
        let mut bytes = vec![0u8; len + 1];
        let (data, size) = (bytes.as_mut_ptr().cast(), bytes.len());
        let written =
            out!(napi_get_value_string_utf8(self.env, value, data, size), 0).map_err(text)?;
        bytes.truncate(written);
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Writes a string as UTF-8 with its terminator into `size` bytes, of which those that do not
    /// fit are left out; lone surrogates become U+FFFD. Returns its length, or None for other
    /// values.
    ///
    /// # Safety
    /// There must be room for `size` bytes.
    #[inline(always)]
    pub unsafe fn copy_utf8(self, value: Value, to: *mut u8, size: usize) -> Option<usize> {
        let mut len = 0;
        // SAFETY: the caller's promise; the out-parameter outlives the call.
        let status =
            unsafe { sys::napi_get_value_string_utf8(self.env, value, to.cast(), size, &mut len) };
        (status == sys::Status::napi_ok).then_some(len)
    }

    /// The same as UTF-16, as it is.
    ///
    /// # Safety
    /// There must be room for `size` units.
    pub unsafe fn copy_utf16(self, value: Value, to: *mut u16, size: usize) -> Option<usize> {
        let mut len = 0;
        // SAFETY: as above.
        let status =
            unsafe { sys::napi_get_value_string_utf16(self.env, value, to, size, &mut len) };
        (status == sys::Status::napi_ok).then_some(len)
    }

    /// How many UTF-16 units a string has, or None for other values.
    pub fn utf16_length(self, value: Value) -> Option<usize> {
        out!(napi_get_value_string_utf16(self.env, value, ptr::null_mut(), 0), 0).ok()
    }

    /// A string argument, or None for null and undefined.
    pub fn to_optional_string(self, value: Value) -> Result<Option<String>> {
        if self.is_nullish(value)? { Ok(None) } else { self.to_string(value).map(Some) }
    }

    /// A strong reference.
    pub fn reference(self, value: Value) -> Result<Reference> {
        out!(napi_create_reference(self.env, value, 1), ptr::null_mut()).map(Reference)
    }

    /// The value of a reference.
    #[inline(always)]
    pub fn referenced(self, reference: Reference) -> Result<Value> {
        out!(napi_get_reference_value(self.env, reference.0), ptr::null_mut())
    }

    /// Ends a reference.
    pub fn delete_reference(self, reference: Reference) {
        // SAFETY: made by `reference` in this environment; its owner ends it once.
        unsafe { sys::napi_delete_reference(self.env, reference.0) };
    }

    /// Runs code with a handle scope of its own; None when there is none to be had.
    #[inline(always)]
    pub fn with_handles<T>(self, body: impl FnOnce() -> T) -> Option<T> {
        let handles = out!(napi_open_handle_scope(self.env), ptr::null_mut()).ok()?;
        let result = body();
        // SAFETY: opened above, and `body` kept no handle of it.
        unsafe { sys::napi_close_handle_scope(self.env, handles) };
        Some(result)
    }

    /// Calls a function of ours, which does not look at `this`, without arguments. An exception
    /// stays pending and is an error.
    #[inline(always)]
    pub fn call(self, function: Value) -> Result<Value> {
        let (count, list) = (0, ptr::null());
        out!(napi_call_function(self.env, function, function, count, list), ptr::null_mut())
    }

    /// Calls a function. An exception stays pending and is an error.
    pub fn call_with(self, function: Value, arguments: &[Value]) -> Result<Value> {
        let this = self.undefined()?;
        let (count, list) = (arguments.len(), arguments.as_ptr());
        out!(napi_call_function(self.env, this, function, count, list), ptr::null_mut())
    }

    /// Makes a pending exception an uncaught one.
    pub fn report_exception(self) {
        if !self.exception_pending() {
            return;
        }
        if let Ok(error) = out!(napi_get_and_clear_last_exception(self.env), ptr::null_mut()) {
            self.report(error);
        }
    }

    /// Makes a value an uncaught exception.
    pub fn report(self, error: Value) {
        // SAFETY: a handle of the open scope.
        unsafe { sys::napi_fatal_exception(self.env, error) };
    }

    /// Runs a function when the environment ends.
    pub fn on_cleanup(
        self,
        run: unsafe extern "C" fn(*mut c_void),
        data: *mut c_void,
    ) -> Result<()> {
        // SAFETY: the caller keeps `data` valid until then.
        let status = unsafe { sys::napi_add_env_cleanup_hook(self.env, Some(run), data) };
        check(status, "napi_add_env_cleanup_hook")
    }

    /// A thread-safe function that runs `run` for each item and does not keep the event loop
    /// alive.
    pub fn threadsafe_function(
        self,
        name: &str,
        run: ThreadsafeRun,
        context: *mut c_void,
    ) -> Result<sys::napi_threadsafe_function> {
        let (name, null) = (self.string(name)?, ptr::null_mut());
        let queue = out!(
            napi_create_threadsafe_function(
                self.env,
                null,
                ptr::null_mut(),
                name,
                0,
                1,
                ptr::null_mut(),
                None,
                context,
                Some(run)
            ),
            ptr::null_mut()
        )?;
        // SAFETY: on the environment's thread, with the function just made.
        let status = unsafe { sys::napi_unref_threadsafe_function(self.env, queue) };
        check(status, "napi_unref_threadsafe_function").map(|()| queue)
    }

    /// Whether a JavaScript exception is pending.
    pub fn exception_pending(self) -> bool {
        out!(napi_is_exception_pending(self.env), false).unwrap_or(true)
    }

    /// Forgets what Node-API keeps of JavaScript that V8 has ended, which is `null`; whether that was
    /// what it kept. Another exception stays pending.
    pub fn forget_end(self) -> bool {
        if !self.exception_pending() {
            return false;
        }
        let Ok(value) = out!(napi_get_and_clear_last_exception(self.env), ptr::null_mut()) else {
            return false;
        };
        let is_end = out!(napi_typeof(self.env, value), 0) == Ok(sys::ValueType::napi_null);
        if !is_end {
            self.throw_value(value);
        }
        is_end
    }

    /// Throws a value. An exception that is already pending stays.
    pub fn throw_value(self, value: Value) {
        // SAFETY: a handle of an open scope.
        unsafe { sys::napi_throw(self.env, value) };
    }

    /// Throws an `Error` with a `code`. An exception that is already pending stays.
    pub fn throw(self, error: &Error) {
        if self.exception_pending() {
            return;
        }
        let made = self.string(error.code.as_str()).and_then(|code| {
            let message = self.string(&error.message)?;
            out!(napi_create_error(self.env, code, message), ptr::null_mut())
        });
        if let Ok(object) = made {
            self.throw_value(object);
        }
    }
}

fn expected(what: &str) -> Error {
    Error::new(Code::InvalidArgument, format!("expected {what}"))
}

/// Runs the body of a callback: an error or a panic becomes a JavaScript exception, and neither
/// leaves Rust.
///
/// Neither generic nor inlined: there are many callbacks, and this is much code.
#[inline(never)]
pub fn guard(scope: Scope, body: &mut dyn FnMut() -> Result<Value>) -> Value {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => value,
        Ok(Err(error)) => {
            scope.throw(&error);
            ptr::null_mut()
        }
        Err(panic) => panicked(scope, &*panic),
    }
}

/// Throws the error of a panic.
#[cold]
pub fn panicked(scope: Scope, panic: &(dyn Any + Send)) -> Value {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown panic");
    scope.throw(&Error::new(Code::Internal, format!("panic: {text}")));
    ptr::null_mut()
}

/// The arguments of a callback, padded with `undefined`, and its data pointer.
#[inline(never)]
pub fn arguments<const N: usize>(
    scope: Scope,
    info: sys::napi_callback_info,
) -> Result<([Value; N], *mut c_void)> {
    let mut values = [ptr::null_mut(); N];
    let (mut count, mut data) = (N, ptr::null_mut());
    // SAFETY: Node-API writes at most `count` handles and pads the rest with undefined.
    let status = unsafe {
        sys::napi_get_cb_info(
            scope.env,
            info,
            &mut count,
            values.as_mut_ptr(),
            ptr::null_mut(),
            &mut data,
        )
    };
    check(status, "napi_get_cb_info").map(|()| (values, data))
}
