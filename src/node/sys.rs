//! Node-API's functions.
//!
//! `napi::sys` looks all of them up, 157, when the addon is loaded: 0.12 ms, a tenth of `require`. Here
//! each of those that this row uses is looked up when it is first called. On Windows, where the host
//! may be any module of the process, it stays as `napi::sys` has it.

// The names are Node-API's.
#![allow(non_camel_case_types)]

#[cfg(not(windows))]
pub use napi::sys::{
    Status, ThreadsafeFunctionCallMode, ValueType, napi_callback, napi_callback_info, napi_env,
    napi_finalize, napi_handle_scope, napi_ref, napi_status, napi_threadsafe_function,
    napi_threadsafe_function_call_js, napi_threadsafe_function_call_mode, napi_typedarray_type,
    napi_value, napi_value__, napi_valuetype,
};

/// What has to be done before the first call.
///
/// # Safety
/// Called in a process that has Node-API.
pub unsafe fn setup() {
    #[cfg(windows)]
    // SAFETY: the caller's promise; idempotent. What it returns never closes the host.
    let _ = unsafe { napi::sys::setup() };
}

#[cfg(windows)]
pub use napi::sys::*;

#[cfg(not(windows))]
pub use late::*;

/// Functions that are looked up late.
#[cfg(not(windows))]
mod late {
    use super::*;
    use std::ffi::{CStr, c_char, c_void};
    use std::ptr;
    use std::sync::atomic::{AtomicPtr, Ordering};

    /// A function's address; null before the first call.
    struct Address(AtomicPtr<c_void>);

    impl Address {
        const fn new() -> Address {
            Address(AtomicPtr::new(ptr::null_mut()))
        }

        /// The address, or null where the runtime has no such function.
        #[inline(always)]
        fn get(&self, name: &CStr) -> *mut c_void {
            let known = self.0.load(Ordering::Relaxed);
            if known.is_null() { self.look_up(name) } else { known }
        }

        #[cold]
        #[inline(never)]
        fn look_up(&self, name: &CStr) -> *mut c_void {
            // SAFETY: the name is a C string. The runtime, which stays, exports Node-API.
            let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
            self.0.store(found, Ordering::Relaxed);
            found
        }
    }

    /// Defines functions that are looked up by their names when they are first called.
    macro_rules! functions {
        ($(fn $name:ident($($arg:ident: $type:ty),*);)*) => {$(
            /// Node-API's function of this name; a generic failure where there is none.
            ///
            /// # Safety
            /// As Node-API says.
            #[inline]
            #[allow(clippy::too_many_arguments)]
            pub unsafe fn $name($($arg: $type),*) -> napi_status {
                static ADDRESS: Address = Address::new();
                const NAME: &CStr =
                    match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                        Ok(name) => name,
                        Err(_) => panic!("a name has no NUL"),
                    };
                let address = ADDRESS.get(NAME);
                if address.is_null() {
                    return Status::napi_generic_failure;
                }
                // SAFETY: the runtime's function of this name has this type; the rest is the
                // caller's promise.
                unsafe {
                    let call: unsafe extern "C" fn($($type),*) -> napi_status =
                        std::mem::transmute(address);
                    call($($arg),*)
                }
            }
        )*};
    }

    functions! {
        fn napi_get_undefined(env: napi_env, result: *mut napi_value);
        fn napi_get_null(env: napi_env, result: *mut napi_value);
        fn napi_get_boolean(env: napi_env, value: bool, result: *mut napi_value);
        fn napi_create_array_with_length(env: napi_env, length: usize, result: *mut napi_value);
        fn napi_create_double(env: napi_env, value: f64, result: *mut napi_value);
        fn napi_create_int32(env: napi_env, value: i32, result: *mut napi_value);
        fn napi_create_uint32(env: napi_env, value: u32, result: *mut napi_value);
        fn napi_create_string_latin1(env: napi_env, str_: *const c_char, length: isize, result: *mut napi_value);
        fn napi_create_string_utf8(env: napi_env, str_: *const c_char, length: isize, result: *mut napi_value);
        fn napi_create_string_utf16(env: napi_env, str_: *const u16, length: isize, result: *mut napi_value);
        fn napi_create_function(env: napi_env, utf8name: *const c_char, length: isize, cb: napi_callback, data: *mut c_void, result: *mut napi_value);
        fn napi_create_error(env: napi_env, code: napi_value, msg: napi_value, result: *mut napi_value);
        fn napi_typeof(env: napi_env, value: napi_value, result: *mut napi_valuetype);
        fn napi_get_value_double(env: napi_env, value: napi_value, result: *mut f64);
        fn napi_get_value_int32(env: napi_env, value: napi_value, result: *mut i32);
        fn napi_get_value_uint32(env: napi_env, value: napi_value, result: *mut u32);
        fn napi_get_value_int64(env: napi_env, value: napi_value, result: *mut i64);
        fn napi_get_value_bool(env: napi_env, value: napi_value, result: *mut bool);
        fn napi_get_value_string_utf8(env: napi_env, value: napi_value, buf: *mut c_char, bufsize: usize, result: *mut usize);
        fn napi_get_value_string_utf16(env: napi_env, value: napi_value, buf: *mut u16, bufsize: usize, result: *mut usize);
        fn napi_set_named_property(env: napi_env, object: napi_value, utf8name: *const c_char, value: napi_value);
        fn napi_set_element(env: napi_env, object: napi_value, index: u32, value: napi_value);
        fn napi_call_function(env: napi_env, recv: napi_value, func: napi_value, argc: usize, argv: *const napi_value, result: *mut napi_value);
        fn napi_get_cb_info(env: napi_env, cbinfo: napi_callback_info, argc: *mut usize, argv: *mut napi_value, this_arg: *mut napi_value, data: *mut *mut c_void);
        fn napi_create_external(env: napi_env, data: *mut c_void, finalize_cb: napi_finalize, finalize_hint: *mut c_void, result: *mut napi_value);
        fn napi_get_value_external(env: napi_env, value: napi_value, result: *mut *mut c_void);
        fn napi_create_reference(env: napi_env, value: napi_value, initial_refcount: u32, result: *mut napi_ref);
        fn napi_delete_reference(env: napi_env, ref_: napi_ref);
        fn napi_get_reference_value(env: napi_env, ref_: napi_ref, result: *mut napi_value);
        fn napi_open_handle_scope(env: napi_env, result: *mut napi_handle_scope);
        fn napi_close_handle_scope(env: napi_env, scope: napi_handle_scope);
        fn napi_throw(env: napi_env, error: napi_value);
        fn napi_is_exception_pending(env: napi_env, result: *mut bool);
        fn napi_get_and_clear_last_exception(env: napi_env, result: *mut napi_value);
        fn napi_is_arraybuffer(env: napi_env, value: napi_value, result: *mut bool);
        fn napi_create_arraybuffer(env: napi_env, byte_length: usize, data: *mut *mut c_void, result: *mut napi_value);
        fn napi_create_external_arraybuffer(env: napi_env, external_data: *mut c_void, byte_length: usize, finalize_cb: napi_finalize, finalize_hint: *mut c_void, result: *mut napi_value);
        fn napi_get_arraybuffer_info(env: napi_env, arraybuffer: napi_value, data: *mut *mut c_void, byte_length: *mut usize);
        fn napi_get_typedarray_info(env: napi_env, typedarray: napi_value, type_: *mut napi_typedarray_type, length: *mut usize, data: *mut *mut c_void, arraybuffer: *mut napi_value, byte_offset: *mut usize);
        fn napi_is_dataview(env: napi_env, value: napi_value, result: *mut bool);
        fn napi_get_dataview_info(env: napi_env, dataview: napi_value, bytelength: *mut usize, data: *mut *mut c_void, arraybuffer: *mut napi_value, byte_offset: *mut usize);
        fn napi_create_buffer(env: napi_env, length: usize, data: *mut *mut c_void, result: *mut napi_value);
        fn napi_create_external_buffer(env: napi_env, length: usize, data: *mut c_void, finalize_cb: napi_finalize, finalize_hint: *mut c_void, result: *mut napi_value);
        fn napi_fatal_exception(env: napi_env, err: napi_value);
        fn napi_create_threadsafe_function(env: napi_env, func: napi_value, async_resource: napi_value, async_resource_name: napi_value, max_queue_size: usize, initial_thread_count: usize, thread_finalize_data: *mut c_void, thread_finalize_cb: napi_finalize, context: *mut c_void, call_js_cb: napi_threadsafe_function_call_js, result: *mut napi_threadsafe_function);
        fn napi_call_threadsafe_function(func: napi_threadsafe_function, data: *mut c_void, is_blocking: napi_threadsafe_function_call_mode);
        fn napi_unref_threadsafe_function(env: napi_env, func: napi_threadsafe_function);
        fn napi_ref_threadsafe_function(env: napi_env, func: napi_threadsafe_function);
        fn napi_create_bigint_int64(env: napi_env, value: i64, result: *mut napi_value);
        fn napi_create_bigint_uint64(env: napi_env, value: u64, result: *mut napi_value);
        fn napi_get_value_bigint_uint64(env: napi_env, value: napi_value, result: *mut u64, lossless: *mut bool);
        fn napi_set_instance_data(env: napi_env, data: *mut c_void, finalize_cb: napi_finalize, finalize_hint: *mut c_void);
        fn napi_get_instance_data(env: napi_env, data: *mut *mut c_void);
        fn napi_add_env_cleanup_hook(env: napi_env, fun: Option<unsafe extern "C" fn(*mut c_void)>, arg: *mut c_void);
    }
}
