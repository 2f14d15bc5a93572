//! What emitters share: limits, errors, and how values of odd sizes are cut into accesses.

use crate::error::{Code, Error, Result};

/// The most stack that a trampoline takes: what every thread has. A signature that needs more is
/// an error when it is bound instead of a crash when it is called.
pub(super) const MAX_STACK: u32 = 1 << 20;

/// Reservations of this much touch every page on the way down, so that they meet guard pages.
pub(super) const PROBE_BYTES: u32 = 4096;

/// A plan or an encoding that cannot be: a fault of ours.
pub(super) fn internal<T>(message: String) -> Result<T> {
    Err(Error::new(Code::Internal, message))
}

/// The sum of what a trampoline keeps on the stack, if it is within [`MAX_STACK`].
///
/// # Errors
/// [`Code::InvalidType`] where it is not.
pub(super) fn stack_bytes(parts: &[u32]) -> Result<u32> {
    let bytes: u64 = parts.iter().copied().map(u64::from).sum();
    if bytes > u64::from(MAX_STACK) {
        return Err(Error::new(
            Code::InvalidType,
            format!("the call needs {bytes} bytes of stack; {MAX_STACK} are allowed"),
        ));
    }
    Ok(bytes as u32)
}

/// Cuts `len` bytes into accesses of 8, 4, 2 and 1 bytes, none wider than `widest`:
/// (offset, size), ascending. Seven bytes are 4 + 2 + 1; exactly `len` bytes are touched.
pub(super) fn parts(len: u32, widest: u32) -> impl Iterator<Item = (u32, u32)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let left = len - at;
        let size = widest.min(1 << left.checked_ilog2()?);
        at += size;
        Some((at - size, size))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stack_is_limited() {
        assert_eq!(stack_bytes(&[MAX_STACK - 8, 8]), Ok(MAX_STACK));
        assert_eq!(stack_bytes(&[MAX_STACK, 1]).unwrap_err().code, Code::InvalidType);
        assert_eq!(stack_bytes(&[u32::MAX, 16]).unwrap_err().code, Code::InvalidType);
    }

    #[test]
    fn parts_cover_exactly_the_length() {
        let list = |len, widest| parts(len, widest).collect::<Vec<_>>();
        assert_eq!(list(0, 8), []);
        assert_eq!(list(7, 8), [(0, 4), (4, 2), (6, 1)]);
        assert_eq!(list(8, 8), [(0, 8)]);
        assert_eq!(list(8, 4), [(0, 4), (4, 4)]);
        assert_eq!(list(19, 8), [(0, 8), (8, 8), (16, 2), (18, 1)]);
        for widest in [1, 2, 4, 8] {
            for len in 0..=40 {
                let mut end = 0;
                for (at, size) in parts(len, widest) {
                    assert!(at == end && size.is_power_of_two() && size <= widest);
                    end += size;
                }
                assert_eq!(end, len);
            }
        }
    }
}
