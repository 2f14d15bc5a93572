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

#[cfg(test)]
mod tests {
    use super::*;

    /// Objects as V8 has them, in words.
    struct Objects {
        map: [u64; 2],
        buffer: [u64; 12],
        array: [u64; 12],
    }

    const ADDRESS: u64 = 0x1234_5678;

    fn tagged<T>(object: &T) -> usize {
        ptr::from_ref(object).expose_provenance() + 1
    }

    /// What is found for an array of 16 bytes from 48 on of a buffer of 64, changed by `change`.
    fn found<const LATE: bool>(change: impl Fn(&mut Objects)) -> Option<usize> {
        let at = if LATE { ViewLayout::Late.fields() } else { ViewLayout::Early.fields() };
        let mut objects = Objects { map: [0; 2], buffer: [0; 12], array: [0; 12] };
        objects.map[1] = u64::from(TYPED_ARRAY) << 32;
        objects.buffer[at.buffer_length / 8] = 64;
        let array = &mut objects.array;
        (array[at.start / 8], array[at.length / 8]) = (48, 16);
        array[at.address / 8] = ADDRESS;
        // What lies beside the flags is anything.
        array[at.flags / 8] = u64::MAX << 2;
        objects.array[at.buffer / 8] = tagged(&objects.buffer) as u64;
        objects.array[0] = tagged(&objects.map) as u64;
        change(&mut objects);
        // SAFETY: the objects have the fields of their type.
        unsafe { address_of::<LATE>(Tagged(tagged(&objects.array))) }
    }

    fn arrays<const LATE: bool>(at: super::super::layout::ViewFields) {
        let array =
            |field: usize, value: u64| found::<LATE>(|objects| objects.array[field / 8] = value);
        assert_eq!(found::<LATE>(|_| {}), Some(ADDRESS as usize));
        assert_eq!(array(at.on_heap, 1), None);
        assert_eq!(array(at.length, 0), None);
        assert_eq!(array(at.length, 17), None);
        assert_eq!(array(at.start, 49), None);
        assert_eq!(array(at.start, 0), Some(ADDRESS as usize));
        for flags in 1..=3 {
            assert_eq!(array(at.flags, flags), None);
        }
        for length in [0, 63] {
            let detached = found::<LATE>(|objects| objects.buffer[at.buffer_length / 8] = length);
            assert_eq!(detached, None);
        }
        for kind in [TYPED_ARRAY - 1, TYPED_ARRAY + 1, 0] {
            assert_eq!(found::<LATE>(|objects| objects.map[1] = u64::from(kind) << 32), None);
        }
    }

    #[test]
    fn arrays_that_are_not_outside_within_and_fixed_are_missed() {
        arrays::<false>(ViewLayout::Early.fields());
        arrays::<true>(ViewLayout::Late.fields());
    }

    #[test]
    fn bigints_are_addresses_modulo_2_to_the_64() {
        let map = [0, u64::from(BIGINT) << 32];
        for (head, digit, expected) in [
            (0, 7, Some(0)),
            (2, 7, Some(7)),
            (3, 7, Some(7usize.wrapping_neg())),
            (4, u64::MAX - 1, Some(usize::MAX - 1)),
            (2, u64::MAX, None),
            (3, 1, None),
        ] {
            let bigint = [tagged(&map) as u64, head, digit];
            // SAFETY: such an object.
            assert_eq!(unsafe { address_of::<true>(Tagged(tagged(&bigint))) }, expected);
        }
        // Small integers: the value is in the upper half.
        for (word, expected) in [(0, Some(0)), (1 << 32, None), (usize::MAX << 32, None)] {
            // SAFETY: no object.
            assert_eq!(unsafe { address_of::<true>(Tagged(word)) }, expected);
        }
    }
}
