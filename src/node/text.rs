//! Text between C and JavaScript: NUL-terminated UTF-8, UTF-16 and UTF-32.

use super::value::{Scope, Value};
use crate::error::{Code, Error, Result};
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::ptr;
use std::slice;

/// Writing text leaves at least so much of its room: a string that fills it may have been cut.
pub const SLACK: usize = 8;

/// UTF-8 up to this many bytes, and UTF-16 up to as many units, is decoded on the stack.
const SHORT: usize = 512;

/// The encoding of text in C's memory, by the size of its units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `char`, UTF-8.
    Utf8,
    /// `char16_t`, or a `wchar_t` of two bytes.
    Utf16,
    /// `char32_t`, or a `wchar_t` of four bytes.
    Utf32,
}

impl Encoding {
    /// The encoding with units of this many bytes.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for other sizes than 1, 2 and 4.
    pub fn of_unit(size: u32) -> Result<Encoding> {
        match size {
            1 => Ok(Encoding::Utf8),
            2 => Ok(Encoding::Utf16),
            4 => Ok(Encoding::Utf32),
            _ => Err(Error::new(Code::InvalidArgument, format!("no text has units of {size}"))),
        }
    }

    /// The text at an address as a JavaScript string, or null for NULL; None when Node-API refuses,
    /// as it does strings that are too long. What is not valid becomes U+FFFD, except surrogates in
    /// UTF-16, which are not looked at.
    ///
    /// # Safety
    /// The address must be NULL or that of readable text with its terminator.
    #[inline(always)]
    pub unsafe fn read(self, scope: Scope, address: *const u8) -> Option<Value> {
        if self == Encoding::Utf8 && !address.is_null() {
            // SAFETY: the caller's promise.
            return from_utf8(scope, unsafe { CStr::from_ptr(address.cast()).to_bytes() });
        }
        // SAFETY: the caller's promise.
        unsafe { self.read_seldom(scope, address) }
    }

    /// [`Encoding::read`] but for what is read most: kept out of those that do.
    ///
    /// # Safety
    /// As there.
    #[inline(never)]
    unsafe fn read_seldom(self, scope: Scope, address: *const u8) -> Option<Value> {
        if address.is_null() {
            return scope.null().ok();
        }
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Encoding::Utf8 => from_utf8(scope, CStr::from_ptr(address.cast()).to_bytes()),
                Encoding::Utf16 => from_utf16(scope, address.cast()),
                Encoding::Utf32 => from_utf32(scope, address.cast()),
            }
        }
    }
}

/// Memory that text is written to, from an offset on.
pub struct Room {
    base: *mut u8,
    start: usize,
    last: usize,
    at: usize,
    size: usize,
}

/// What became of a value that should be written as text.
pub enum Written {
    /// How many bytes of UTF-8 it has, or units of UTF-16; [`Room::last`] is where it is.
    Units(usize),
    /// It is no string.
    NoString,
    /// There is no room for it, or the encoding cannot hold it.
    Missed,
}

impl Room {
    /// The bytes behind `base` from offset `at` to `size`.
    pub fn new(base: *mut u8, at: usize, size: usize) -> Room {
        Room { base, start: at, last: at, at, size }
    }

    /// Offset of what is still free.
    pub fn end(&self) -> usize {
        self.at
    }

    /// How many bytes are not free any more.
    pub fn taken(&self) -> usize {
        self.at - self.start
    }

    /// What is free, from a multiple of `align`.
    pub fn free(&self, align: usize) -> Option<(*mut u8, usize)> {
        let at = self.at.next_multiple_of(align);
        // SAFETY: within the memory.
        (at + SLACK < self.size).then(|| (unsafe { self.base.add(at) }, self.size - at))
    }

    /// Takes what is free up to `len` bytes behind `from`, for text of so many units.
    #[inline(always)]
    pub fn take(&mut self, from: *mut u8, len: usize, units: usize) -> Written {
        self.last = from.addr() - self.base.addr();
        self.at = self.last + len;
        Written::Units(units)
    }

    /// The address of the text that was written last.
    pub fn last(&self) -> *mut u8 {
        // SAFETY: within the memory.
        unsafe { self.base.add(self.last) }
    }

    /// Whether what was written holds a U+FFFD, which may stand for a lone surrogate.
    pub fn holds_replacement(&self) -> bool {
        let replacement = "\u{fffd}".as_bytes();
        // SAFETY: these bytes were taken.
        let mut bytes =
            unsafe { slice::from_raw_parts(self.base.add(self.start), self.at - self.start) };
        loop {
            // SAFETY: the bytes are readable.
            let found =
                unsafe { libc::memchr(bytes.as_ptr().cast(), replacement[0].into(), bytes.len()) };
            if found.is_null() {
                return false;
            }
            bytes = &bytes[found.addr() - bytes.as_ptr().addr()..];
            if bytes.starts_with(replacement) {
                return true;
            }
            bytes = &bytes[1..];
        }
    }
}

impl Encoding {
    /// Writes a JavaScript string with its terminator. What a wide encoding cannot hold is a miss
    /// if `strict`; otherwise lone surrogates become U+FFFD, except in UTF-16. In UTF-8 they always
    /// do ([`Room::holds_replacement`]).
    #[inline(always)]
    pub fn write(self, scope: Scope, value: Value, room: &mut Room, strict: bool) -> Written {
        match self {
            Encoding::Utf8 => write_utf8(scope, value, room),
            Encoding::Utf16 => write_utf16(scope, value, room, strict),
            Encoding::Utf32 => write_utf32(scope, value, room, strict),
        }
    }
}

#[inline(always)]
fn write_utf8(scope: Scope, value: Value, room: &mut Room) -> Written {
    let Some((to, free)) = room.free(1) else { return Written::Missed };
    // SAFETY: `free` bytes.
    match unsafe { scope.copy_utf8(value, to, free) } {
        Some(len) if len + SLACK <= free => room.take(to, len + 1, len),
        Some(_) => Written::Missed,
        None => Written::NoString,
    }
}

fn write_utf16(scope: Scope, value: Value, room: &mut Room, strict: bool) -> Written {
    let Some((to, free)) = room.free(8) else { return Written::Missed };
    // SAFETY: `free` bytes, at a multiple of 8.
    let Some(len) = (unsafe { scope.copy_utf16(value, to.cast(), free / 2) }) else {
        return Written::NoString;
    };
    // SAFETY: Node-API wrote as many.
    let units = unsafe { slice::from_raw_parts(to.cast::<u16>(), len) };
    if len * 2 + SLACK > free || strict && !is_strict(units) {
        return Written::Missed;
    }
    room.take(to, (len + 1) * 2, len)
}

fn write_utf32(scope: Scope, value: Value, room: &mut Room, strict: bool) -> Written {
    let Some((to, free)) = room.free(8) else { return Written::Missed };
    let Some(len) = scope.utf16_length(value) else { return Written::NoString };
    // The code points grow from the front; the units behind them are read before that.
    let points = (len + 1) * 4;
    if points + (len + 1) * 2 + SLACK > free {
        return Written::Missed;
    }
    // SAFETY: as much was just found to be free; both are aligned.
    let units = unsafe {
        let from = to.add(points).cast::<u16>();
        let copied = scope.copy_utf16(value, from, len + 1).unwrap_or(0);
        slice::from_raw_parts(from, copied)
    };
    if strict && !is_strict(units) {
        return Written::Missed;
    }
    let mut count = 0;
    let decoded = char::decode_utf16(units.iter().copied());
    for point in decoded.map(|c| c.map_or(0xfffd, u32::from)).chain([0]) {
        // SAFETY: there are at most as many code points as units, and the terminator.
        unsafe { to.cast::<u32>().add(count).write(point) };
        count += 1;
    }
    room.take(to, count * 4, units.len())
}

/// Whether UTF-16 has neither NUL nor lone surrogates.
fn is_strict(units: &[u16]) -> bool {
    !units.contains(&0) && char::decode_utf16(units.iter().copied()).all(|c| c.is_ok())
}

/// A string from UTF-8; invalid sequences become U+FFFD.
#[inline(always)]
fn from_utf8(scope: Scope, bytes: &[u8]) -> Option<Value> {
    if bytes.is_ascii() { scope.string_latin1(bytes) } else { from_wide_utf8(scope, bytes) }
}

/// The same for what is not all ASCII.
#[inline(never)]
fn from_wide_utf8(scope: Scope, bytes: &[u8]) -> Option<Value> {
    // Node-API decodes a byte at a time, several times slower than this.
    let Ok(text) = str::from_utf8(bytes) else { return scope.string_utf8(bytes).ok() };
    if bytes.len() <= SHORT {
        let mut units = [MaybeUninit::uninit(); SHORT];
        return scope.string_utf16(to_utf16(text, &mut units));
    }
    let mut units = Vec::with_capacity(bytes.len());
    scope.string_utf16(to_utf16(text, units.spare_capacity_mut()))
}

/// Writes text as UTF-16 into a buffer with room for as many units as the text has bytes.
fn to_utf16<'a>(text: &str, buffer: &'a mut [MaybeUninit<u16>]) -> &'a [u16] {
    let bytes = text.as_bytes();
    let (mut from, mut to) = (0, 0);
    let mut push = |unit: u32| {
        buffer[to].write(unit as u16);
        to += 1;
    };
    while from < bytes.len() {
        let next = |i: usize| u32::from(bytes[from + i] & 0x3f);
        let first = u32::from(bytes[from]);
        from += match first {
            0..0x80 => {
                push(first);
                1
            }
            0x80..0xe0 => {
                push((first & 0x1f) << 6 | next(1));
                2
            }
            0xe0..0xf0 => {
                push((first & 0xf) << 12 | next(1) << 6 | next(2));
                3
            }
            _ => {
                let point = (first & 7) << 18 | next(1) << 12 | next(2) << 6 | next(3);
                push(0xd7c0 + (point >> 10));
                push(0xdc00 + (point & 0x3ff));
                4
            }
        };
    }
    // SAFETY: `push` initialised the first `to` units.
    unsafe { slice::from_raw_parts(buffer.as_ptr().cast(), to) }
}

/// A string from UTF-16 up to its terminator; an address that is not even will do.
///
/// # Safety
/// The address must be that of readable units with a terminator.
unsafe fn from_utf16(scope: Scope, at: *const u16) -> Option<Value> {
    // SAFETY: the caller's promise; the units before the terminator are readable.
    unsafe {
        let len = length(at);
        if at.is_aligned() {
            return scope.string_utf16(slice::from_raw_parts(at, len));
        }
        let mut units = vec![0u16; len];
        ptr::copy_nonoverlapping(at.cast::<u8>(), units.as_mut_ptr().cast(), len * 2);
        scope.string_utf16(&units)
    }
}

/// A string from UTF-32 up to its terminator. Invalid code points become U+FFFD.
///
/// # Safety
/// As [`from_utf16`].
unsafe fn from_utf32(scope: Scope, at: *const u32) -> Option<Value> {
    // SAFETY: the caller's promise.
    let len = unsafe { length(at) };
    // SAFETY: `i` is below the number of units before the terminator.
    let unit = |i| unsafe { at.add(i).read_unaligned() };
    if len * 2 <= SHORT {
        let mut units = [0; SHORT];
        let end = (0..len).fold(0, |to, i| push_point(&mut units, to, unit(i)));
        return scope.string_utf16(&units[..end]);
    }
    let mut units = vec![0; len * 2];
    let end = (0..len).fold(0, |to, i| push_point(&mut units, to, unit(i)));
    scope.string_utf16(&units[..end])
}

/// Writes a code point as UTF-16; returns the place behind it.
fn push_point(units: &mut [u16], to: usize, point: u32) -> usize {
    match point {
        0x1_0000..=0x10_ffff => {
            units[to] = (0xd7c0 + (point >> 10)) as u16;
            units[to + 1] = (0xdc00 + (point & 0x3ff)) as u16;
            to + 2
        }
        0..0xd800 | 0xe000..0x1_0000 => {
            units[to] = point as u16;
            to + 1
        }
        _ => {
            units[to] = 0xfffd;
            to + 1
        }
    }
}

/// How many units stand before the first zero.
///
/// # Safety
/// `at` must point to readable units up to and including a zero.
unsafe fn length<T: Copy + Default + PartialEq>(at: *const T) -> usize {
    let mut len = 0;
    // SAFETY: nothing before this unit was zero, so it is still within the text.
    while unsafe { at.add(len).read_unaligned() } != T::default() {
        len += 1;
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text of code points of every length in UTF-8 and UTF-16.
    const TEXTS: [&str; 6] = [
        "",
        "ascii",
        "\u{80}\u{7ff}\u{fc}",
        "\u{800}\u{ffff}\u{d7ff}\u{e000}",
        "\u{10000}\u{10ffff}",
        "a\u{e9}\u{20ac}\u{1f600}z",
    ];

    #[test]
    fn utf8_becomes_utf16() {
        for text in TEXTS {
            let mut buffer = [MaybeUninit::uninit(); 32];
            let expected: Vec<u16> = text.encode_utf16().collect();
            assert_eq!(to_utf16(text, &mut buffer), expected, "{text}");
        }
    }

    #[test]
    fn code_points_become_utf16_and_what_is_none_a_replacement() {
        let units = |points: &[u32]| {
            let mut units = [0; 32];
            let end = points.iter().fold(0, |to, &point| push_point(&mut units, to, point));
            units[..end].to_vec()
        };
        for text in TEXTS {
            let points: Vec<u32> = text.chars().map(u32::from).collect();
            assert_eq!(units(&points), text.encode_utf16().collect::<Vec<_>>(), "{text}");
        }
        assert_eq!(units(&[0xd800, 0xdfff, 0x11_0000, u32::MAX]), [0xfffd; 4]);
    }

    #[test]
    fn wide_text_is_strict_about_nul_and_surrogates() {
        assert!(is_strict(&[]) && is_strict(&[0x61, 0xd83d, 0xde00]));
        for wrong in [&[0x61, 0][..], &[0xd800], &[0xdc00, 0xd800], &[0xd83d, 0x61]] {
            assert!(!is_strict(wrong), "{wrong:x?}");
        }
    }

    #[test]
    fn a_replacement_is_found_wherever_it_is() {
        let found = |text: &[u8]| {
            let mut memory = [0xffu8; 64];
            memory[3..3 + text.len()].copy_from_slice(text);
            let mut room = Room::new(memory.as_mut_ptr(), 3, 64);
            let (to, free) = room.free(1).unwrap();
            assert_eq!(free, 61);
            assert!(matches!(room.take(to, text.len(), 7), Written::Units(7)));
            assert_eq!((room.end(), room.last()), (3 + text.len(), to));
            room.holds_replacement()
        };
        assert!(
            !found(b"") && !found(b"\xef") && !found(b"\xef\xbf") && !found(b"\xef\xef\xbf\xbe")
        );
        assert!(found("\u{fffd}".as_bytes()) && found("a\u{ffff}\u{fffd}b".as_bytes()));
    }
}
