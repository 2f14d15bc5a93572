//! Calls with text on V8's own way: a raw callback, which reads its arguments and writes its result
//! where V8 has them. A fast call could do neither: it returns no strings.

use super::super::env::State;
use super::super::function;
use super::super::libraries::function_closed;
use super::super::text_call::{Outcome, TextCall, refused};
use super::super::value::{Scope, Value};
use super::entry::{self, HEAP_NUMBER_VALUE, token};
use super::layout::CallbackInfo;
use super::strings;
use crate::error::{Code, Error, Result};
use std::ffi::c_void;
use std::ptr;

/// The raw callback `enterText(token, ...strings)` for a shape of callbacks. The token is the
/// address of a [`TextCall`]. It returns what a bound function of Node-API does with text.
pub fn callback(shape: CallbackInfo) -> *const c_void {
    match (shape, entry::counting()) {
        (CallbackInfo::Pointer, false) => enter::<false> as *const c_void,
        (CallbackInfo::Pointer, true) => enter_counted::<false> as *const c_void,
        (CallbackInfo::Frame, false) => enter::<true> as *const c_void,
        (CallbackInfo::Frame, true) => enter_counted::<true> as *const c_void,
    }
}

/// The raw callback of the self-test: `digest(anything, value)` returns [`strings::digest`] of the
/// value, or undefined.
pub fn digest(shape: CallbackInfo) -> *const c_void {
    match shape {
        CallbackInfo::Pointer => digest_of::<false> as *const c_void,
        CallbackInfo::Frame => digest_of::<true> as *const c_void,
    }
}

const fn shape(frame: bool) -> CallbackInfo {
    if frame { CallbackInfo::Frame } else { CallbackInfo::Pointer }
}

unsafe extern "C" fn digest_of<const FRAME: bool>(info: *const usize) {
    let shape = shape(FRAME);
    // SAFETY: V8 calls this with a structure of the release's shape, and live arguments.
    unsafe {
        let (values, count) = shape.arguments(info);
        if count != 2 {
            return;
        }
        if let Some(digest) = strings::digest(values.add(1).cast_mut().cast()) {
            // A small integer: 31 bits in the upper half.
            shape.result(info).write((digest as usize) << 32);
        }
    }
}

unsafe extern "C" fn enter_counted<const FRAME: bool>(info: *const usize) {
    entry::count_slow();
    // SAFETY: what V8 called this with.
    unsafe { enter::<FRAME>(info) }
}

unsafe extern "C" fn enter<const FRAME: bool>(info: *const usize) {
    let shape = shape(FRAME);
    // SAFETY: V8 calls this with a structure of the release's shape; the first argument is a heap
    // number with the address of a call that its marshaller keeps.
    let (call, values, count) = unsafe {
        let (values, count) = shape.arguments(info);
        let bits = ((values.read() + HEAP_NUMBER_VALUE) as *const usize).read();
        (&*ptr::with_exposed_provenance::<TextCall>(bits), values, count)
    };
    // A Node-API value is the address of a place with a tagged pointer that the collector knows, as
    // it does the arguments of a callback.
    // SAFETY: of `count` arguments.
    let string = |i| unsafe { values.add(i) }.cast_mut().cast();
    let returns_text = call.returns_text();
    let quick = |string, room: &mut _| {
        // SAFETY: an argument of this callback.
        unsafe { strings::write_utf8(string, room) }
    };
    let result = match call.run((1..count).map(string), quick) {
        Outcome::Text(text) => text,
        Outcome::Missed if !returns_text => call.null(),
        Outcome::Done | Outcome::Thrown | Outcome::Missed => return,
        Outcome::Closed => return call.pend(&function_closed()),
        Outcome::Refused => return call.pend(&refused()),
    };
    // SAFETY: a live handle, whose pointer becomes the callback's result.
    unsafe { shape.result(info).write(result.cast::<usize>().read()) }
}

/// `bindPackedText(signature id, address, library id or -1, stacked, errno, name, text, link)` ->
/// what `link(token)` returns: a function, which owns what the token stands for and passes it to
/// `enterText`. Otherwise as [`TextCall::bind`].
///
/// # Errors
/// As there, and what `link` throws.
pub fn bind(scope: Scope, state: &State, arguments: [Value; 8]) -> Result<Value> {
    let [signature, address, library, stacked, errno, name, text, link] = arguments;
    let arguments = [signature, address, library, stacked, errno, name, text];
    let call = Box::new(TextCall::bind(scope, state, arguments)?);
    let address: *const TextCall = &raw const *call;
    if address.addr() >> 52 != 0 {
        return Err(Error::new(Code::Internal, "an address is no denormal number"));
    }
    let value = scope.call_with(link, &[scope.number(token(address.cast()))?])?;
    function::own(scope, value, call)?;
    Ok(value)
}
