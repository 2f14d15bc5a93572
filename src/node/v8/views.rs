//! The memory of typed arrays (Buffers are such), found where V8 has them: of those that live outside
//! of V8's heap, in an ArrayBuffer that is not detached and cannot change its size. All others go
//! through Node-API. So do ArrayBuffers and DataViews themselves.
//!
//! Where the fields are, [`super::layout`] says. Of an array without flags V8 keeps the address up to
//! date in the array itself, but forgets to take it away when the buffer is detached: that the
//! array still lies within its buffer is looked at.
//!
//! Addresses come as BigInts as well, the same in all known releases, and NULL as the number 0:
//!
//! ```text
//! bigint    0 map   8 sign (bit 0) and number of digits (the rest of u32)   16 digits of 64 bits
//! ```

use super::super::env::State;
use super::super::frame::{MISSED, PENDING};
use super::super::value::{Scope, Value};
use super::layout::ViewLayout;
use super::strings::{Maker, control};
use super::tagged::Tagged;
use crate::arch::NOTHING;
use crate::call::CallRecord;
use crate::error::Result;
use std::ptr;

/// Instance types. The self-test (js/core/views.js) notices when they are others.
const TYPED_ARRAY: u16 = 2061;
const BIGINT: u16 = 129;

/// The flags of an array whose length may change.
const VARIABLE: u32 = 3;

const SIGN: usize = 8;
const DIGIT: usize = 16;

/// What thunks find memory with. None of it runs JavaScript or allocates.
pub fn maker(layout: ViewLayout) -> Maker {
    match layout {
        ViewLayout::Early => find::<false>,
        ViewLayout::Late => find::<true>,
    }
}

/// See [`Maker`]; the value may be anything.
unsafe extern "C" fn find<const LATE: bool>(value: Value, record: &CallRecord) -> *const u8 {
    // SAFETY: the place of an argument holds a tagged word.
    match unsafe { address_of::<LATE>(Tagged(value.cast::<usize>().read())) } {
        Some(address) => ptr::with_exposed_provenance(address),
        None => {
            // SAFETY: the PENDING cell of the environment.
            unsafe { control(record, PENDING).write(MISSED) };
            ptr::without_provenance(NOTHING)
        }
    }
}

/// The address that a value stands for, if it can be told.
///
/// # Safety
/// The value must be live.
#[inline(always)]
unsafe fn address_of<const LATE: bool>(value: Tagged) -> Option<usize> {
    // SAFETY: the fields are those that the type says the object has.
    unsafe {
        match value.instance_type() {
            Some(TYPED_ARRAY) => memory_of::<LATE>(value),
            // What stands for no address, a thunk cannot tell from one.
            Some(BIGINT) => Some(low_digit(value)).filter(|&address| address != NOTHING),
            None if value.0 == 0 => Some(0),
            _ => None,
        }
    }
}

/// The memory of a typed array.
///
/// # Safety
/// It must be one.
#[inline(always)]
unsafe fn memory_of<const LATE: bool>(array: Tagged) -> Option<usize> {
    let at = const { if LATE { ViewLayout::Late.fields() } else { ViewLayout::Early.fields() } };
    // SAFETY: these are fields of typed arrays and, the last one, of ArrayBuffers.
    unsafe {
        let length = array.field::<usize>(at.length);
        let end = array.field::<usize>(at.start).wrapping_add(length);
        let is_outside = array.field::<usize>(at.on_heap) == 0;
        let is_fixed = array.field::<u32>(at.flags) & VARIABLE == 0;
        let buffer = array.field::<Tagged>(at.buffer);
        let is_within = end <= buffer.field::<usize>(at.buffer_length);
        (is_outside && is_fixed && is_within && length > 0).then(|| array.field(at.address))
    }
}

/// A BigInt modulo 2^64.
///
/// # Safety
/// It must be one.
unsafe fn low_digit(bigint: Tagged) -> usize {
    // SAFETY: these are its fields; zero has no digits.
    unsafe {
        let head = bigint.field::<u32>(SIGN);
        if head >> 1 == 0 {
            return 0;
        }
        let digit = bigint.field::<usize>(DIGIT);
        if head & 1 == 0 { digit } else { digit.wrapping_neg() }
    }
}

/// `foundAddress(value)`, for the self-test: writes the address that thunks find into the ARG cell and
/// returns true; false when they find none.
///
/// # Errors
/// As Node-API.
pub fn found_address(scope: Scope, state: &State, [value]: [Value; 1]) -> Result<Value> {
    // SAFETY: an argument of the running callback is a handle.
    let found = state.shapes.release().and_then(|release| unsafe {
        let value = Tagged(value.cast::<usize>().read());
        match release.views {
            ViewLayout::Early => address_of::<false>(value),
            ViewLayout::Late => address_of::<true>(value),
        }
    });
    if let Some(address) = found {
        let cell = state.frame.arg()?;
        // SAFETY: `arg` checked the bounds.
        unsafe { cell.cast::<usize>().write_unaligned(address) };
    }
    scope.boolean(found.is_some())
}
