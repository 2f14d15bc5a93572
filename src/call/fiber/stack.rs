//! Memory of a fiber's stack: mapped once, with a page below that faults.

use crate::error::{Code, Error, Result};
use std::ptr::NonNull;

/// A stack. Its memory is unmapped when it is dropped.
pub struct Stack {
    base: NonNull<u8>,
    len: usize,
}

/// A page below, at least, that nothing may touch. As large as what a compiler may skip without
/// touching it.
const GUARD: usize = 64 << 10;

impl Stack {
    /// A stack of `len` bytes that lies below the address `below`.
    ///
    /// # Errors
    /// [`Code::OutOfMemory`].
    pub fn new(len: usize, below: usize) -> Result<Stack> {
        let total = len + GUARD;
        // The system usually chooses a place below all stacks. Where it does not, it is asked for
        // some places below this one.
        let hints = std::iter::once(0).chain((1..=8).map(|step| below - below.min(step << 30)));
        for hint in hints {
            let Some(base) = map(hint & !0xffff, total) else { continue };
            if base.as_ptr().addr() + total <= below {
                return Ok(Stack { base, len: total });
            }
            // SAFETY: just mapped.
            unsafe { unmap(base, total) };
        }
        Err(Error::new(Code::OutOfMemory, "no memory for a stack"))
    }

    /// The end of the stack, where it starts to be used.
    pub fn top(&self) -> *mut u8 {
        // SAFETY: the end of the mapping.
        unsafe { self.base.as_ptr().add(self.len) }
    }

    /// Whether an address is on the stack.
    pub fn contains(&self, address: usize) -> bool {
        address.wrapping_sub(self.base.as_ptr().addr()) < self.len
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`, and nothing runs on it any more.
        unsafe { unmap(self.base, self.len) };
    }
}

#[cfg(target_os = "linux")]
fn map(hint: usize, len: usize) -> Option<NonNull<u8>> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
    let hint = std::ptr::without_provenance_mut(hint);
    // SAFETY: a new mapping at a place of the system's choice.
    let base = unsafe { libc::mmap(hint, len, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
    if base == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: the first part of the new mapping.
    unsafe { libc::mprotect(base, GUARD, libc::PROT_NONE) };
    NonNull::new(base.cast())
}

#[cfg(target_os = "linux")]
unsafe fn unmap(base: NonNull<u8>, len: usize) {
    // SAFETY: the caller owns the mapping.
    unsafe { libc::munmap(base.as_ptr().cast(), len) };
}

/// Platforms without fibers.
#[cfg(not(target_os = "linux"))]
fn map(_hint: usize, _len: usize) -> Option<NonNull<u8>> {
    None
}

#[cfg(not(target_os = "linux"))]
unsafe fn unmap(_base: NonNull<u8>, _len: usize) {}
