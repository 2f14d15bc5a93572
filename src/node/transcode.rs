//! UTF-16 to UTF-8. Node-API copies the units of a string in half the time that it takes to encode
//! them, and what they hold is seen on the way: lone surrogates need no second look.

use super::text::{Room, SLACK, Written};
use super::value::{Scope, Value};
use std::slice;

/// Strings up to this many units are encoded by us, whatever they hold; of longer ones those that are
/// ASCII.
pub const SHORT: usize = 63;

/// The longest string that is read as units: all of it is copied twice.
pub const MOST: usize = 4096;

/// Strings of fewer units than this are encoded in one go, if all their characters have as many bytes.
#[cfg(target_arch = "x86_64")]
const VECTOR: usize = 32;

/// UTF-8 has at most so many bytes per unit of UTF-16.
const GROWTH: usize = 3;

/// What is written beyond the text, at most.
const BEYOND: usize = 64;

/// Units are copied to so many bytes behind where their text goes, or up to [`ALIGN`] more: behind all that
/// is written of short text, and of longer text behind what is written of the units that were read.
const BEHIND: usize = SHORT * GROWTH + BEYOND;

/// Alignment of the units.
const ALIGN: usize = 64;

/// Writes a JavaScript string of at most [`MOST`] units with its terminator. A lone surrogate becomes
/// U+FFFD, or is a miss if `strict` and the string is short. `is_wide` says that it is hardly ASCII.
#[inline(never)]
pub fn write(scope: Scope, value: Value, room: &mut Room, strict: bool, is_wide: bool) -> Written {
    let Some((to, free)) = room.free(1) else { return Written::Missed };
    if free < BEHIND + ALIGN + 2 * (MOST + 1) + BEYOND {
        return Written::Missed;
    }
    // SAFETY: within the room.
    let from = unsafe { to.add((to.addr() + BEHIND).next_multiple_of(ALIGN) - to.addr()) };
    let from = from.cast::<u16>();
    // SAFETY: as many units.
    let Some(count) = (unsafe { scope.copy_utf16(value, from, MOST + 1) }) else {
        return Written::NoString;
    };
    // SAFETY: the units are behind the room of what is written before they are read.
    unsafe {
        if !is_wide && narrow(from, count, to) {
            return room.take(to, count + 1, count);
        }
        if count <= SHORT {
            return match encode(from, count, to, strict) {
                Some(len) => room.take(to, len + 1, count),
                None => Written::Missed,
            };
        }
        match scope.copy_utf8(value, to, free) {
            Some(len) if len + SLACK <= free => room.take(to, len + 1, len),
            _ => Written::Missed,
        }
    }
}

/// Writes units as bytes, with a terminator, if all are ASCII; says whether they are.
///
/// # Safety
/// The units must be there, aligned to [`ALIGN`], as must be [`BEYOND`] bytes behind them, which may be
/// anything. They must lie at least [`BEYOND`] bytes behind `to`.
#[inline]
unsafe fn narrow(units: *const u16, count: usize, to: *mut u8) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            return narrow_vectors(units, count, to);
        }
        narrow_words(units, count, to)
    }
}

/// [`narrow`] by vectors of 32 bytes: what C does first with a string, `strlen`, would wait for narrower
/// stores.
///
/// # Safety
/// As [`narrow`], and the CPU must have AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn narrow_vectors(units: *const u16, count: usize, to: *mut u8) -> bool {
    use std::arch::x86_64::*;
    /// Ones, and then zeros: what is kept of vectors with so many units of text.
    static KEPT: [[u16; 32]; 2] = [[!0; 32], [0; 32]];
    const ASCII: i16 = !0x7f;
    let put = |at: usize, low, high| {
        // Of each half of both, one half in turn.
        let bytes = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi16(low, high));
        // SAFETY: the caller's promise; what is overwritten of the units was read.
        unsafe { _mm256_storeu_si256(to.add(at).cast(), bytes) };
    };
    // SAFETY: the caller's promise.
    let half = |at: usize| unsafe { load(units.add(at)) };
    let mut seen = _mm256_setzero_si256();
    let whole = count / VECTOR * VECTOR;
    let mut at = 0;
    while at < whole {
        let (low, high) = (half(at), half(at + VECTOR / 2));
        seen = _mm256_or_si256(seen, _mm256_or_si256(low, high));
        put(at, low, high);
        at += VECTOR;
    }
    // What is left, with at least one zero behind it.
    // SAFETY: from the ones to the zeros, of which there are as many.
    let kept = |from: usize| unsafe {
        let mask = KEPT.as_ptr().cast::<u16>().add(VECTOR - (count - whole) + from);
        _mm256_loadu_si256(mask.cast())
    };
    let low = _mm256_and_si256(half(whole), kept(0));
    let high = _mm256_and_si256(half(whole + VECTOR / 2), kept(VECTOR / 2));
    seen = _mm256_or_si256(seen, _mm256_or_si256(low, high));
    put(whole, low, high);
    _mm256_testz_si256(seen, _mm256_set1_epi16(ASCII)) != 0
}

/// Loads a vector by halves: V8 stores no more at once, and a load that needs two stores waits for both.
///
/// # Safety
/// Sixteen units must be there, at a multiple of 16 bytes; the CPU must have AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn load(units: *const u16) -> std::arch::x86_64::__m256i {
    use std::arch::x86_64::*;
    // SAFETY: the caller's promise.
    unsafe {
        let (low, high) = (units.cast(), units.add(8).cast());
        _mm256_set_m128i(_mm_load_si128(high), _mm_load_si128(low))
    }
}

/// [`narrow`] by words of four units.
///
/// # Safety
/// As [`narrow`].
unsafe fn narrow_words(units: *const u16, count: usize, to: *mut u8) -> bool {
    const LANES: usize = 4;
    /// The bits that no unit of ASCII has.
    const WIDE: u64 = 0xff80_ff80_ff80_ff80;
    let mut seen = 0;
    let mut at = 0;
    while at + LANES <= count {
        // SAFETY: the caller's promise.
        let word = unsafe { units.add(at).cast::<u64>().read_unaligned() };
        seen |= word;
        let pairs = (word | word >> 8) & 0x0000_ffff_0000_ffff;
        let bytes = (pairs | pairs >> 16) as u32;
        // SAFETY: the caller's promise; what is overwritten of the units was read.
        unsafe { to.add(at).cast::<u32>().write_unaligned(bytes) };
        at += LANES;
    }
    while at < count {
        // SAFETY: as above.
        unsafe {
            let unit = units.add(at).read();
            seen |= u64::from(unit);
            to.add(at).write(unit as u8);
        }
        at += 1;
    }
    // SAFETY: as above.
    unsafe { to.add(count).write(0) };
    seen & WIDE == 0
}

/// Encodes the first `count` units, with a terminator; returns how many bytes it are without it, or None
/// for a lone surrogate if `strict`.
///
/// # Safety
/// These units must be there, aligned to [`ALIGN`], and room for `count` times [`GROWTH`] bytes, and for
/// [`BEYOND`]. [`VECTOR`] units are readable.
#[inline]
unsafe fn encode(units: *const u16, count: usize, to: *mut u8, strict: bool) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    if count < VECTOR && is_x86_feature_detected!("avx2") {
        // SAFETY: the feature is there, and the caller's promise.
        if let Some(len) = unsafe { encode_vectors(units, count, to) } {
            return Some(len);
        }
    }
    // SAFETY: the caller's promise.
    unsafe {
        let text = slice::from_raw_parts(units, count);
        let len = encode_each(text, to, strict)?;
        to.add(len).write(0);
        Some(len)
    }
}

/// Encodes fewer than [`VECTOR`] units, with a terminator, if all of them are ASCII, or all have two bytes;
/// returns how many bytes it are. Bytes are written by as wide stores as there are: what C does first with
/// a string, `strlen`, would wait for several.
///
/// # Safety
/// As [`encode`], and the CPU must have AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn encode_vectors(from: *const u16, count: usize, to: *mut u8) -> Option<usize> {
    use std::arch::x86_64::*;
    /// Units of a vector.
    const LANES: usize = 8;
    // Who comes here had other text than ASCII before.
    let mut wide = 0;
    for at in [0, VECTOR / 2] {
        // SAFETY: within the units, which are anything behind the text: what comes of them is not looked
        // at. The room is the caller's promise.
        unsafe {
            let units = load(from.add(at));
            let above = _mm256_cmpgt_epi16(units, _mm256_set1_epi16(0x7f));
            let below = _mm256_cmpgt_epi16(_mm256_set1_epi16(0x800), units);
            let are_wide = _mm256_movemask_epi8(_mm256_and_si256(above, below)).cast_unsigned();
            wide |= u64::from(are_wide) << (2 * at);
            let first = _mm256_or_si256(_mm256_srli_epi16::<6>(units), _mm256_set1_epi16(0xc0));
            let second = _mm256_and_si256(units, _mm256_set1_epi16(0x3f));
            let second = _mm256_or_si256(second, _mm256_set1_epi16(0x80));
            let bytes = _mm256_or_si256(first, _mm256_slli_epi16::<8>(second));
            _mm256_storeu_si256(to.add(2 * at).cast(), bytes);
        }
    }
    if count > 0 && wide.trailing_ones() >= 2 * count as u32 {
        // SAFETY: as above.
        unsafe { to.add(2 * count).write(0) };
        return Some(2 * count);
    }
    // V8 stores whole vectors, and what is left unit by unit. A load that needs what several stores have
    // written would wait for them, so each is read as it was written.
    let whole = count / LANES;
    let (mut rest, mut seen_rest) = (0, 0);
    for i in whole * LANES..count {
        // SAFETY: the caller's promise.
        let unit = unsafe { from.add(i).read() };
        rest |= u64::from(unit) << (i % LANES * 8);
        seen_rest |= unit;
    }
    let mut seen = _mm_set1_epi16(seen_rest.cast_signed());
    let mut word = |i: usize| {
        if i < whole {
            // SAFETY: the caller's promise.
            let vector = unsafe { _mm_load_si128(from.add(i * LANES).cast()) };
            seen = _mm_or_si128(seen, vector);
            _mm_cvtsi128_si64(_mm_packus_epi16(vector, vector))
        } else if i == whole {
            rest.cast_signed()
        } else {
            0
        }
    };
    let [a, b, c, d] = [word(0), word(1), word(2), word(3)];
    if _mm_testz_si128(seen, _mm_set1_epi16(!0x7f)) == 0 {
        return None;
    }
    // SAFETY: the caller's promise. The zeros behind the text are its terminator.
    unsafe { _mm256_storeu_si256(to.cast(), _mm256_set_epi64x(d, c, b, a)) };
    Some(count)
}

/// Encodes unit by unit; returns how many bytes it are, or None for a lone surrogate if `strict`.
///
/// # Safety
/// There must be room for [`GROWTH`] bytes for each unit, and for one more.
unsafe fn encode_each(text: &[u16], to: *mut u8, strict: bool) -> Option<usize> {
    let mut len = 0;
    let mut put = |bytes: [u32; 4], count: usize| {
        for (i, &byte) in bytes[..count.max(2)].iter().enumerate() {
            // SAFETY: the caller's promise; the second byte of one is overwritten.
            unsafe { to.add(len + i).write(byte as u8) };
        }
        len += count;
    };
    let continued = |point: u32, shift: u32| 0x80 | point >> shift & 0x3f;
    let mut rest = text.iter();
    while let Some(&unit) = rest.next() {
        let point = u32::from(unit);
        match unit {
            // Without a branch that the next character would take otherwise.
            0..0x800 => {
                let wide = unit >= 0x80;
                let first = if wide { 0xc0 | point >> 6 } else { point };
                put([first, continued(point, 0), 0, 0], 1 + usize::from(wide));
            }
            0xd800..0xdc00 if rest.as_slice().first().is_some_and(|&next| is_low(next)) => {
                let low = rest.next().copied().map_or(0, u32::from);
                let point = 0x1_0000 + ((point - 0xd800) << 10) + (low - 0xdc00);
                let [second, third] = [continued(point, 12), continued(point, 6)];
                put([0xf0 | point >> 18, second, third, continued(point, 0)], 4);
            }
            0xd800..0xe000 if strict => return None,
            _ => {
                let point = if (0xd800..0xe000).contains(&unit) { 0xfffd } else { point };
                put([0xe0 | point >> 12, continued(point, 6), continued(point, 0), 0], 3);
            }
        }
    }
    Some(len)
}

/// Whether a unit is the second one of a pair.
fn is_low(unit: u16) -> bool {
    (0xdc00..0xe000).contains(&unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What [`encode`] makes of units, with its terminator.
    fn encoded(text: &[u16], strict: bool) -> Option<Vec<u8>> {
        #[repr(align(64))]
        struct Units([u16; SHORT + 1]);
        let mut units = Units([0xffff; SHORT + 1]);
        units.0[..text.len()].copy_from_slice(text);
        let mut out = vec![0xaa; SHORT * GROWTH + BEYOND];
        // SAFETY: room for any text.
        let len = unsafe { encode(units.0.as_ptr(), text.len(), out.as_mut_ptr(), strict) }?;
        assert_eq!(out[len], 0, "the terminator of {text:x?}");
        out.truncate(len);
        Some(out)
    }

    #[test]
    fn text_of_all_lengths_becomes_utf8() {
        for odd in
            ["", "\u{7f}", "\u{80}", "\u{7ff}", "\u{800}", "\u{ffff}", "\u{10000}", "\u{10ffff}"]
        {
            for before in 0..=SHORT - 2 {
                for after in [0, 1, SHORT - 2 - before] {
                    let text = format!("{}{odd}{}", "a".repeat(before), "b".repeat(after));
                    let units: Vec<u16> = text.encode_utf16().collect();
                    if units.len() > SHORT {
                        continue;
                    }
                    assert_eq!(encoded(&units, true).as_deref(), Some(text.as_bytes()), "{text}");
                }
            }
        }
    }

    /// What both ways of narrowing make of units, with their terminators, if they are ASCII.
    fn narrowed(text: &[u16]) -> Option<Vec<u8>> {
        #[repr(align(64))]
        struct Memory([u8; BEHIND + ALIGN + 2 * MOST + BEYOND]);
        let from = BEHIND.next_multiple_of(ALIGN);
        let made = |narrow: unsafe fn(*const u16, usize, *mut u8) -> bool| {
            // What is behind the text is not to be looked at.
            let mut memory = Box::new(Memory([0xaa; _]));
            let to = memory.0.as_mut_ptr();
            // SAFETY: within the memory, and aligned.
            let is_ascii = unsafe {
                let units = to.add(from).cast::<u16>();
                units.copy_from_nonoverlapping(text.as_ptr(), text.len());
                narrow(units, text.len(), to)
            };
            is_ascii.then(|| memory.0[..=text.len()].to_vec())
        };
        let made = [made(narrow), made(narrow_words)];
        assert_eq!(made[0], made[1], "{text:x?}");
        let [mut bytes, _] = made;
        if let Some(bytes) = &mut bytes {
            assert_eq!(bytes.pop(), Some(0), "the terminator of {text:x?}");
        }
        bytes
    }

    #[test]
    fn ascii_of_all_lengths_is_narrowed_and_nothing_else() {
        for len in (0..=200).chain([500, 1023, 1024, MOST - 1, MOST]) {
            let text: Vec<u16> = (0..len).map(|i| (i * 7 % 0x80) as u16).collect();
            let bytes: Vec<u8> = text.iter().map(|&unit| unit as u8).collect();
            assert_eq!(narrowed(&text), Some(bytes), "{len}");
            for odd in [0x80, 0xff, 0x100, 0x141, 0x4e00, 0x8000, 0xd83d, 0xffff] {
                for at in [0, len / 3, len / 2, len.wrapping_sub(1)] {
                    let mut text = text.clone();
                    let Some(unit) = text.get_mut(at) else { continue };
                    *unit = odd;
                    assert_eq!(narrowed(&text), None, "{odd:x} at {at} of {len}");
                }
            }
        }
    }

    #[test]
    fn a_lone_surrogate_is_replaced_or_refused() {
        for lone in
            [&[0xd800][..], &[0xdbff, 0x61], &[0xdc00], &[0x61, 0xdfff], &[0xd800, 0xd800, 0xdc00]]
        {
            assert_eq!(encoded(lone, true), None, "{lone:x?}");
            let expected = String::from_utf16_lossy(lone);
            assert_eq!(encoded(lone, false).as_deref(), Some(expected.as_bytes()), "{lone:x?}");
        }
    }

    #[test]
    fn a_nul_is_a_character() {
        assert_eq!(encoded(&[0x61, 0, 0x62], true).as_deref(), Some(&b"a\0b"[..]));
    }
}
