//! Windows: pages of their own for every blob, writable first and executable afterwards.

use super::{Attempt, Refusal, attempt};
use crate::code::fault::Step;
use memmap2::MmapMut;
use std::convert::Infallible;
use std::ffi::c_void;
use std::io;
use std::ptr::NonNull;

const PAGE_EXECUTE_READ: u32 = 0x20;

#[link(name = "kernel32")]
unsafe extern "system" {
    fn VirtualProtect(start: *mut c_void, len: usize, to: u32, from: *mut u32) -> i32;
    fn FlushInstructionCache(process: *mut c_void, start: *const c_void, len: usize) -> i32;
    fn GetCurrentProcess() -> *mut c_void;
}

/// Every Windows on x86 and ARM has pages of 4 KiB.
pub(in crate::code) fn page_size() -> usize {
    4096
}

/// The documented step after writing code.
pub(in crate::code) fn flush(code: &[u8]) {
    // SAFETY: the range is mapped; the pseudo-handle is always valid.
    unsafe { FlushInstructionCache(GetCurrentProcess(), code.as_ptr().cast(), code.len()) };
}

/// Segments with two views are not made here: the arena falls back to pages per blob.
#[derive(Debug)]
pub(in crate::code) struct Segment(Infallible);

impl Segment {
    pub(in crate::code) fn new(_len: usize) -> Attempt<Segment> {
        Err(Refusal::new(Step::File, io::Error::from(io::ErrorKind::Unsupported)))
    }

    pub(in crate::code) fn len(&self) -> usize {
        match self.0 {}
    }

    pub(in crate::code) fn write(&mut self, _at: usize, _bytes: &[u8]) -> Attempt<NonNull<u8>> {
        match self.0 {}
    }
}

/// A group of slots: one page of code, readable and executable, and `data` bytes of zeroed
/// read-write memory right behind it. Never unmapped.
pub(in crate::code) fn slot_group(
    code: &[u8],
    data: usize,
) -> Result<NonNull<u8>, super::Refusals> {
    let group = || -> Attempt<NonNull<u8>> {
        let mut pages = attempt(Step::MapAnonymous, || MmapMut::map_anon(page_size() + data))?;
        pages[..code.len()].copy_from_slice(code);
        attempt(Step::Protect, || {
            let mut before = 0;
            // SAFETY: the range is the first page of a mapping that we own.
            let done = unsafe {
                VirtualProtect(
                    pages.as_mut_ptr().cast(),
                    page_size(),
                    PAGE_EXECUTE_READ,
                    &mut before,
                )
            };
            if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
        })?;
        let start = NonNull::new(pages.as_mut_ptr()).expect("a mapping has an address");
        std::mem::forget(pages);
        Ok(start)
    };
    group().map_err(|refusal| super::Refusals(vec![refusal]))
}
