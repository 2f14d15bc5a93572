//! Memory primitives. Those on the way of a call take their address from the cell that the ARG
//! control cell names instead of an argument: reading a Node-API argument costs more than the
//! work.

use super::cells;
use super::env::State;
use super::frame::{ARG, EXTENT};
use super::sys;
use super::text::Encoding;
use super::text_call::refused;
use super::value::{Scope, Value};
use crate::call::errno;
use crate::error::{Code, Error, Result};
use std::ffi::c_void;
use std::ptr;

/// `string()`: the NUL-terminated UTF-8 text that the ARG cell points to, or null for NULL.
/// Invalid UTF-8 becomes U+FFFD.
pub fn string(scope: Scope, state: &State, []: [Value; 0]) -> Result<Value> {
    text(scope, state, Encoding::Utf8)
}

/// `wideString()`: the NUL-terminated `wchar_t` text that the ARG cell points to (UTF-16 or
/// UTF-32, by the platform), or null for NULL. Invalid code points become U+FFFD.
pub fn wide_string(scope: Scope, state: &State, []: [Value; 0]) -> Result<Value> {
    if state.target.model.wchar == 2 {
        text(scope, state, Encoding::Utf16)
    } else {
        text(scope, state, Encoding::Utf32)
    }
}

/// `string16()`: the same for UTF-16 text, whose surrogates are not looked at.
pub fn string16(scope: Scope, state: &State, []: [Value; 0]) -> Result<Value> {
    text(scope, state, Encoding::Utf16)
}

/// `string32()`: the same for UTF-32 text. Invalid code points become U+FFFD.
pub fn string32(scope: Scope, state: &State, []: [Value; 0]) -> Result<Value> {
    text(scope, state, Encoding::Utf32)
}

fn text(scope: Scope, state: &State, encoding: Encoding) -> Result<Value> {
    let address = state.frame.arg_address()?;
    // SAFETY: C says that this is text; its word is all there is.
    unsafe { encoding.read(scope, address) }.ok_or_else(refused)
}

/// `external()`: an External that holds the address in the ARG cell and owns nothing.
pub fn external(scope: Scope, state: &State, []: [Value; 0]) -> Result<Value> {
    scope.external(state.frame.arg_address()?.cast())
}

/// `externalAddress(value)`: writes the address that an External holds into the ARG cell and
/// returns true; false for any other value.
pub fn external_address(scope: Scope, state: &State, [value]: [Value; 1]) -> Result<Value> {
    match scope.external_address(value)? {
        Some(address) => {
            write_arg(state, address)?;
            scope.boolean(true)
        }
        None => scope.boolean(false),
    }
}

fn write_arg(state: &State, address: *mut c_void) -> Result<()> {
    let cell = state.frame.arg()?;
    // SAFETY: `arg` checked the bounds; the cell may be unaligned in a packed record.
    unsafe { cell.write_unaligned(address.cast()) };
    Ok(())
}

/// Bytes of a view: where they are and how many.
struct Bytes {
    data: *mut c_void,
    len: usize,
}

/// The live memory of a Buffer, typed array, DataView or ArrayBuffer; None for other values. An
/// empty or detached one is at NULL.
fn view(scope: Scope, value: Value) -> Result<Option<Bytes>> {
    let env = scope.raw();
    let (mut data, mut len, mut is) = (ptr::null_mut(), 0, false);
    let null = ptr::null_mut();
    let mut kind = 0;
    // SAFETY: every out-parameter outlives its call; `value` is a handle of the open scope. A value
    // that is no typed array is refused.
    let ok = unsafe {
        let status = sys::napi_get_typedarray_info(
            env,
            value,
            &mut kind,
            &mut len,
            &mut data,
            null,
            ptr::null_mut(),
        );
        if status == sys::Status::napi_ok {
            len *= element_size(kind);
            status
        } else {
            sys::napi_is_arraybuffer(env, value, &mut is);
            if is {
                sys::napi_get_arraybuffer_info(env, value, &mut data, &mut len)
            } else {
                sys::napi_is_dataview(env, value, &mut is);
                if !is {
                    return Ok(None);
                }
                sys::napi_get_dataview_info(env, value, &mut len, &mut data, null, ptr::null_mut())
            }
        }
    };
    if ok != sys::Status::napi_ok {
        return Err(Error::new(Code::Internal, "this view has no memory"));
    }
    if len == 0 {
        data = ptr::null_mut();
    }
    Ok(Some(Bytes { data, len }))
}

/// Bytes of one element of a typed array (the order of `napi_typedarray_type`).
fn element_size(kind: sys::napi_typedarray_type) -> usize {
    const SIZES: [usize; 11] = [1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8];
    SIZES.get(kind as usize).copied().unwrap_or(1)
}

/// `viewAddress(view)`: writes the address of a view's memory into the ARG cell (NULL when it is
/// empty), and its length in bytes into the LENGTH cell; -1 for any other value.
pub fn view_address(scope: Scope, state: &State, [value]: [Value; 1]) -> Result<Value> {
    match view(scope, value)? {
        Some(bytes) => {
            write_arg(state, bytes.data)?;
            state.frame.set_length(bytes.len as f64);
        }
        None => state.frame.set_length(-1.0),
    }
    Ok(ptr::null_mut())
}

/// `copyOut(view)`: copies as many bytes as the view has from the address in the ARG cell.
/// Returns false, and copies nothing, when that address is NULL.
///
/// # Errors
/// [`Code::InvalidArgument`] when the argument is not a view.
pub fn copy_out(scope: Scope, state: &State, [value]: [Value; 1]) -> Result<Value> {
    let source = state.frame.arg_address()?;
    let Some(bytes) = view(scope, value)? else {
        return Err(Error::new(Code::InvalidArgument, "expected a view"));
    };
    if source.is_null() {
        return scope.boolean(false);
    }
    if bytes.len > 0 {
        // SAFETY: the view has `len` bytes; that C's memory has as many is the caller's promise.
        unsafe { ptr::copy(source, bytes.data.cast::<u8>(), bytes.len) };
    }
    scope.boolean(true)
}

/// The elements of a Uint32Array argument.
///
/// # Errors
/// [`Code::InvalidArgument`] for other values.
pub fn numbers(scope: Scope, value: Value) -> Result<Vec<u32>> {
    let bytes = view(scope, value)?
        .filter(|bytes| bytes.len % 4 == 0)
        .ok_or_else(|| Error::new(Code::InvalidArgument, "expected a Uint32Array"))?;
    let read = |i: usize| {
        // SAFETY: within the view's memory, which no JavaScript changes while we read.
        unsafe { bytes.data.cast::<u32>().add(i).read_unaligned() }
    };
    Ok((0..bytes.len / 4).map(read).collect())
}

/// `bufferAt(external, length)` -> a Buffer over C's memory, without copying or owning it.
///
/// # Errors
/// [`Code::InvalidArgument`] for NULL, for other values than an External, and where the runtime
/// has no external buffers.
pub fn buffer_at(scope: Scope, _state: &State, [value, length]: [Value; 2]) -> Result<Value> {
    let address = scope
        .external_address(value)?
        .ok_or_else(|| Error::new(Code::InvalidArgument, "expect External"))?;
    scope.external_buffer(address, scope.to_u32(length)? as usize)
}

/// `arrayBufferAt(length)` -> an ArrayBuffer over the memory that the ARG cell points to, without
/// copying or owning it.
///
/// # Errors
/// [`Code::InvalidArgument`] where the runtime has no external buffers.
pub fn array_buffer_at(scope: Scope, state: &State, [length]: [Value; 1]) -> Result<Value> {
    let address = state.frame.arg_address()?;
    scope.external_array_buffer(address.cast(), scope.to_length(length)?)
}

/// `viewAt()` -> the same with the length in the EXTENT cell; `undefined` for NULL, and where it cannot be
/// had: [`array_buffer_at`] tells why.
pub fn view_at(scope: Scope, state: &State) -> Value {
    let address = cells::address_at(state, state.frame.get(ARG));
    if address.is_null() {
        return ptr::null_mut();
    }
    let len = state.frame.get(EXTENT) as usize;
    scope.external_array_buffer(address, len).unwrap_or(ptr::null_mut())
}

/// `errnoMessage(code)` -> the system's text for an errno value.
pub fn errno_message(scope: Scope, _state: &State, [code]: [Value; 1]) -> Result<Value> {
    scope.string(&errno::message(scope.to_u32(code)?.cast_signed()))
}
