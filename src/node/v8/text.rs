//! Calls with text on V8's own way: a raw callback, which reads its arguments and writes its result
//! where V8 has them. A fast call could do neither: it returns no strings.

use super::super::text_call::{Outcome, TextShape, refused};
use super::super::value::Value;
use super::entry::{self, HEAP_NUMBER_VALUE};
use super::layout::CallbackInfo;
use super::strings;
use std::ffi::c_void;
use std::ptr;

/// The raw callback `enterText(shape, ...strings)` for a release's callbacks. `shape` is the token of
/// a [`TextShape`]. Otherwise it is what Node-API's entry for text is ([`super::super::text_call`]).
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

unsafe extern "C" fn digest_of<const FRAME: bool>(info: *mut usize) {
    let shape = shape(FRAME);
    // SAFETY: V8 calls this with a structure of the release's shape, and live arguments.
    unsafe {
        let (values, count) = shape.arguments(info);
        if count != 2 {
            return;
        }
        if let Some(digest) = strings::digest(values.add(1).cast_mut().cast()) {
            // A small integer: 31 bits in the upper half.
            shape.cells(info).1.write((digest as usize) << 32);
        }
    }
}

unsafe extern "C" fn enter_counted<const FRAME: bool>(info: *mut usize) {
    entry::count_slow();
    // SAFETY: what V8 called this with.
    unsafe { enter::<FRAME>(info) }
}

unsafe extern "C" fn enter<const FRAME: bool>(info: *mut usize) {
    let place = shape(FRAME);
    // SAFETY: V8 calls this with a structure of the release's shape. A result is a live handle, whose
    // pointer becomes the callback's.
    unsafe {
        let (values, count) = place.arguments(info);
        let result = run(values, count);
        if !result.is_null() {
            place.cells(info).1.write(result.cast::<usize>().read());
        }
    }
}

/// Makes the call; returns null for `undefined`.
///
/// # Safety
/// `values` are those of the arguments of a callback, of which the first is a heap number with the
/// address of a shape, which lives as long as the environment.
unsafe fn run(values: *const usize, count: usize) -> Value {
    // SAFETY: the caller's promise.
    let text = unsafe {
        let bits = ((values.read() + HEAP_NUMBER_VALUE) as *const usize).read();
        &*ptr::with_exposed_provenance::<TextShape>(bits)
    };
    // A Node-API value is the address of a place with a tagged pointer that the collector knows, as
    // it does the arguments of a callback.
    // SAFETY: of `count` arguments.
    let string = |i| unsafe { values.add(i) }.cast_mut().cast();
    let quick = |string, room: &mut _| {
        // SAFETY: an argument of this callback.
        unsafe { strings::write_utf8(string, room) }
    };
    match text.run((1..count).map(string), quick) {
        Outcome::Text(made) => made,
        Outcome::Missed if !text.returns_text() => text.null(),
        Outcome::Done | Outcome::Pending | Outcome::Missed => ptr::null_mut(),
        Outcome::Refused => {
            text.pend(&refused());
            ptr::null_mut()
        }
    }
}
