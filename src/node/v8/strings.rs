//! Strings in V8's heap, read where they are: those that are one byte per character and in one
//! piece, as nearly all are. All others go through Node-API.
//!
//! What is relied on is the same in all known releases (64-bit, no pointer compression), and the
//! self-test compares it with strings of every kind:
//!
//! ```text
//! string    0 map   8 hash (u32)   12 length (u32)   16 characters, padded to a multiple of 8
//! cons      0 map   8 hash         12 length         16 first       24 second
//! thin      0 map   8 hash         12 length         16 actual
//! map      12 instance type (u16): bits 0-2 representation, bit 3 one byte, bits 7-15 no string
//! ```

use super::super::frame::{FRAME, MISSED, PENDING, SIZE, TOP};
use super::super::text::Room;
use super::super::value::Value;
use super::tagged::Tagged;
use crate::arch::NOTHING;
use crate::call::CallRecord;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    _mm256_and_si256, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set_epi64x,
    _mm256_setzero_si256, _mm256_storeu_si256,
};
use std::ptr;
use std::slice;
use std::sync::atomic::Ordering;

const LENGTH: usize = 12;
const CHARACTERS: usize = 16;
/// Of a cons string, the first part; of a thin one, the string that it stands for.
const FIRST: usize = 16;
/// Of a cons string, the second part: empty once it was put into one piece.
const SECOND: usize = 24;

/// The bits of an instance type that tell strings in one piece with one byte per character.
const KIND: u16 = 0xff8f;
const SEQUENTIAL_ONE_BYTE: u16 = 0x08;
/// The bits that tell the representation of a string.
const REPRESENTATION: u16 = 0xff87;
const CONS: u16 = 1;
const THIN: u16 = 5;

/// The characters of a string that is in one piece, one byte each; None for other values.
///
/// # Safety
/// The value must be live, and nothing may be allocated on V8's heap while the bytes are used.
#[inline(always)]
unsafe fn one_byte<'a>(value: Tagged) -> Option<&'a [u8]> {
    // SAFETY: the fields are those that the type says the object has.
    unsafe {
        let mut string = value;
        let mut kind = string.instance_type()?;
        if kind & REPRESENTATION == THIN
            || kind & REPRESENTATION == CONS
                && string.field::<Tagged>(SECOND).field::<u32>(LENGTH) == 0
        {
            string = string.field(FIRST);
            kind = string.instance_type()?;
        }
        if kind & KIND != SEQUENTIAL_ONE_BYTE {
            return None;
        }
        let len = string.field::<u32>(LENGTH) as usize;
        Some(slice::from_raw_parts((string.0 - 1 + CHARACTERS) as *const u8, len))
    }
}

/// Strings shorter than this are written by a single store, which C's loads of any width can read
/// at once; those of `strlen` would wait for several stores to reach the cache.
const SHORT: usize = 32;

/// Writes a string as UTF-8 with its terminator; returns how many characters it has, or None
/// when Node-API has to see to it.
///
/// # Safety
/// The value must be an argument of the running callback.
#[inline]
pub unsafe fn write_utf8(value: Value, room: &mut Room) -> Option<usize> {
    // SAFETY: the place of an argument holds a tagged pointer; nothing is allocated below.
    let text = unsafe { one_byte(Tagged(value.cast::<usize>().read()))? };
    let (to, free) = room.free(1)?;
    let units = text.len();
    // Twice as many for what is not ASCII.
    if units * 2 + SHORT > free {
        return None;
    }
    // SAFETY: there is room for as much.
    if unsafe { write_short(text, to) } {
        room.take(to, SHORT, units);
        return Some(units);
    }
    // SAFETY: as above.
    let len = unsafe { if copy_ascii(text, to) { units } else { write_latin1(text, to) } };
    // SAFETY: as above.
    unsafe { to.add(len).write(0) };
    room.take(to, len + 1, units);
    Some(units)
}

/// What thunks make text with ([`crate::arch::record::SHAPE`]): a copy at the top of frame memory, which
/// it takes. [`NOTHING`], and MISSED in the PENDING cell, when it cannot.
///
/// The value must be an argument of the running call, and the record that of a bound function, whose
/// frame is a stacked one.
pub type Maker = unsafe extern "C" fn(Value, &CallRecord) -> *const u8;

/// The quickest one that this CPU has.
pub fn maker() -> Maker {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        return make_quickly;
    }
    make
}

/// A control cell of a record's environment.
pub(super) fn control(record: &CallRecord, cell: usize) -> *mut u32 {
    record.frame_cell.load(Ordering::Relaxed).cast::<u8>().wrapping_add(cell - FRAME).cast()
}

/// Makes any text.
///
/// # Safety
/// See [`Maker`].
unsafe extern "C" fn make(value: Value, record: &CallRecord) -> *const u8 {
    let top = control(record, TOP);
    // SAFETY: the cells and the memory of the environment, and the caller's promise.
    unsafe {
        let mut room = Room::new(record.frame.load(Ordering::Relaxed), top.read() as usize, SIZE);
        if write_utf8(value, &mut room).is_none() {
            control(record, PENDING).write(MISSED);
            return ptr::without_provenance(NOTHING);
        }
        top.write(room.end() as u32);
        room.last()
    }
}

/// Bytes that mask all but the first `n` ones of [`SHORT`], from the offset `SHORT - n`.
static MASKS: [u8; 2 * SHORT] = {
    let mut masks = [0; 2 * SHORT];
    let mut at = 0;
    while at < SHORT {
        masks[at] = 0xff;
        at += 1;
    }
    masks
};

/// The least size of pages: what is readable is so to the end of one.
const PAGE: usize = 4096;

/// Makes text that is read in place, short one by one load and one store, and leaves the rest to
/// [`make`].
///
/// # Safety
/// See [`Maker`]; the CPU has AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe extern "C" fn make_quickly(value: Value, record: &CallRecord) -> *const u8 {
    // SAFETY: the place of an argument holds a tagged pointer; nothing is allocated below. What
    // follows the characters is readable up to the end of the page, and the room is checked.
    unsafe {
        let Some(text) = one_byte(Tagged(value.cast::<usize>().read())) else {
            return make(value, record);
        };
        let top = control(record, TOP);
        let (len, at) = (text.len(), top.read() as usize);
        let is_readable = text.as_ptr().addr() % PAGE <= PAGE - SHORT;
        if at + 2 * len + SHORT >= SIZE || len < SHORT && !is_readable {
            return make(value, record);
        }
        let to = record.frame.load(Ordering::Relaxed).add(at);
        let is_ascii = if len < SHORT {
            let mask = _mm256_loadu_si256(MASKS.as_ptr().add(SHORT - len).cast());
            let bytes = _mm256_and_si256(_mm256_loadu_si256(text.as_ptr().cast()), mask);
            _mm256_storeu_si256(to.cast(), bytes);
            _mm256_movemask_epi8(bytes) == 0
        } else {
            let is_ascii = copy_vectors(text, to);
            to.add(len).write(0);
            is_ascii
        };
        let mut written = len;
        if !is_ascii {
            written = write_latin1(text, to);
            to.add(written).write(0);
        }
        top.write((at + written + 1) as u32);
        to
    }
}

/// Writes fewer than [`SHORT`] bytes, and zeros behind them, where the CPU can store as much at once;
/// false when it cannot, when they are more, or not all ASCII.
///
/// # Safety
/// There must be room for [`SHORT`] bytes, and the text must be that of a string on V8's heap, which
/// is followed by readable bytes up to a multiple of 8.
#[inline]
unsafe fn write_short(text: &[u8], to: *mut u8) -> bool {
    #[cfg(target_arch = "x86_64")]
    if text.len() < SHORT && is_x86_feature_detected!("avx2") {
        // SAFETY: the feature is there, and the caller's promise.
        return unsafe { write_vector(text, to) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (text, to);
    false
}

/// The same for fewer than [`SHORT`] bytes.
///
/// # Safety
/// As [`write_short`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn write_vector(text: &[u8], to: *mut u8) -> bool {
    let word = |i: usize| {
        let left = text.len().saturating_sub(i * 8);
        match left {
            0 => 0,
            // SAFETY: characters start at a multiple of 8, so this word is the string's, or its
            // padding, which is anything.
            _ => unsafe {
                let word = text.as_ptr().add(i * 8).cast::<i64>().read();
                if left < 8 { word & ((1 << (left * 8)) - 1) } else { word }
            },
        }
    };
    let bytes = _mm256_set_epi64x(word(3), word(2), word(1), word(0));
    // SAFETY: the caller's promise.
    unsafe { _mm256_storeu_si256(to.cast(), bytes) };
    _mm256_movemask_epi8(bytes) == 0
}

/// Copies text; false when it is not all ASCII.
///
/// # Safety
/// There must be room for as many bytes.
unsafe fn copy_ascii(text: &[u8], to: *mut u8) -> bool {
    #[cfg(target_arch = "x86_64")]
    if text.len() >= SHORT && is_x86_feature_detected!("avx2") {
        // SAFETY: the feature is there, and the caller's promise.
        return unsafe { copy_vectors(text, to) };
    }
    // SAFETY: the caller's promise.
    unsafe { ptr::copy_nonoverlapping(text.as_ptr(), to, text.len()) };
    text.is_ascii()
}

/// The same for at least [`SHORT`] bytes: copied and looked at in one go.
///
/// # Safety
/// As [`copy_ascii`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn copy_vectors(text: &[u8], to: *mut u8) -> bool {
    let mut seen = _mm256_setzero_si256();
    let mut copy = |at| {
        // SAFETY: within the text, and within the room.
        unsafe {
            let part = _mm256_loadu_si256(text.as_ptr().add(at).cast());
            seen = _mm256_or_si256(seen, part);
            _mm256_storeu_si256(to.add(at).cast(), part);
        }
    };
    let last = text.len() - SHORT;
    let mut at = 0;
    while at < last {
        copy(at);
        at += SHORT;
    }
    // It may overlap the one before.
    copy(last);
    _mm256_movemask_epi8(seen) == 0
}

/// Writes Latin-1 as UTF-8; returns its length.
///
/// # Safety
/// There must be room for twice as many bytes, and one more.
unsafe fn write_latin1(text: &[u8], to: *mut u8) -> usize {
    let mut len = 0;
    for &byte in text {
        let wide = byte >= 0x80;
        // Without a branch that the next text would take otherwise.
        // SAFETY: at most two bytes for each; the second one of ASCII is overwritten.
        unsafe {
            to.add(len).write(if wide { 0xc0 | byte >> 6 } else { byte });
            to.add(len + 1).write(0x80 | byte & 0x3f);
        }
        len += 1 + usize::from(wide);
    }
    len
}

/// A number for the characters that [`one_byte`] finds in a value, for the self-test; None when it
/// finds none.
///
/// # Safety
/// As [`write_utf8`].
pub unsafe fn digest(value: Value) -> Option<u32> {
    // SAFETY: as there.
    let text = unsafe { one_byte(Tagged(value.cast::<usize>().read()))? };
    let add = |sum: u32, &byte: &u8| sum.wrapping_mul(31).wrapping_add(byte.into());
    Some(text.iter().fold(text.len() as u32, add) & 0x7fff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Latin-1 in memory as V8 has it: at a multiple of 8, and anything behind it.
    fn with_text(text: &[u8], check: impl Fn(&[u8])) {
        let mut words = vec![u64::MAX; text.len() / 8 + 1];
        let memory = words.as_mut_ptr().cast::<u8>();
        // SAFETY: the words have as many bytes.
        unsafe {
            ptr::copy_nonoverlapping(text.as_ptr(), memory, text.len());
            check(slice::from_raw_parts(memory, text.len()));
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn short_text_is_written_with_zeros_behind_it() {
        if !is_x86_feature_detected!("avx2") {
            return;
        }
        for len in 0..SHORT {
            let ascii: Vec<u8> = (0..len).map(|i| b'a' + i as u8 % 26).collect();
            let write = |text: &[u8], expected| {
                let mut out = [0xaa; SHORT];
                // SAFETY: the feature is there, and the memory as wanted.
                assert_eq!(unsafe { write_short(text, out.as_mut_ptr()) }, expected, "{len}");
                out
            };
            with_text(&ascii, |text| {
                let out = write(text, true);
                assert_eq!(&out[..len], text);
                assert!(out[len..].iter().all(|&byte| byte == 0));
            });
            for odd in 0..len {
                let mut other = ascii.clone();
                other[odd] = 0x80;
                with_text(&other, |text| {
                    write(text, false);
                });
            }
        }
    }

    #[test]
    fn copies_tell_whether_all_is_ascii() {
        for len in 0..200 {
            let text: Vec<u8> = (0..len).map(|i| b'a' + i as u8 % 26).collect();
            let copy = |text: &[u8]| {
                let mut out = vec![0; text.len()];
                // SAFETY: as many bytes.
                let ascii = unsafe { copy_ascii(text, out.as_mut_ptr()) };
                assert_eq!(out, text);
                ascii
            };
            assert!(copy(&text));
            for odd in 0..len {
                let mut other = text.clone();
                other[odd] = 0xe9;
                assert!(!copy(&other), "{odd} of {len}");
            }
        }
    }

    #[test]
    fn latin1_becomes_utf8() {
        let all: Vec<u8> = (1..=255).collect();
        let expected: String = all.iter().map(|&byte| char::from(byte)).collect();
        let mut out = vec![0; 2 * all.len() + 1];
        // SAFETY: twice as many bytes, and one more.
        let len = unsafe { write_latin1(&all, out.as_mut_ptr()) };
        assert_eq!(&out[..len], expected.as_bytes());
    }
}
