//! Windows: segments with two views of a section, slot groups with a protected first page.

use super::{Attempt, Refusals, attempt};
use crate::code::fault::Step;
use std::ffi::c_void;
use std::io;
use std::ptr::{self, NonNull};

const MEM_COMMIT_RESERVE: u32 = 0x3000;
const PAGE_READWRITE: u32 = 0x04;
const PAGE_EXECUTE_READ: u32 = 0x20;
const PAGE_EXECUTE_READWRITE: u32 = 0x40;
const FILE_MAP_WRITE: u32 = 0x2;
const FILE_MAP_READ: u32 = 0x4;
const FILE_MAP_EXECUTE: u32 = 0x20;
/// A section that the paging file backs.
const INVALID_HANDLE_VALUE: *mut c_void = usize::MAX as *mut c_void;

#[link(name = "kernel32")]
unsafe extern "system" {
    fn VirtualAlloc(at: *mut c_void, len: usize, kind: u32, protection: u32) -> *mut c_void;
    fn VirtualProtect(start: *mut c_void, len: usize, to: u32, from: *mut u32) -> i32;
    fn FlushInstructionCache(process: *mut c_void, start: *const c_void, len: usize) -> i32;
    fn GetCurrentProcess() -> *mut c_void;
    fn CreateFileMappingW(
        file: *mut c_void,
        security: *const c_void,
        protection: u32,
        len_high: u32,
        len_low: u32,
        name: *const u16,
    ) -> *mut c_void;
    fn MapViewOfFile(
        section: *mut c_void,
        access: u32,
        offset_high: u32,
        offset_low: u32,
        len: usize,
    ) -> *mut c_void;
    fn UnmapViewOfFile(start: *const c_void) -> i32;
    fn CloseHandle(handle: *mut c_void) -> i32;
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

/// A section without a name, closed with its owner; views of it live on.
#[derive(Debug)]
struct Section(*mut c_void);

impl Section {
    fn new(len: usize) -> io::Result<Section> {
        let (high, low) = ((len as u64 >> 32) as u32, len as u32);
        // SAFETY: makes a new section of `len` bytes or fails. The protection is what views may
        // have, not what they have: none is writable and executable.
        let section = unsafe {
            CreateFileMappingW(
                INVALID_HANDLE_VALUE,
                ptr::null(),
                PAGE_EXECUTE_READWRITE,
                high,
                low,
                ptr::null(),
            )
        };
        if section.is_null() { Err(io::Error::last_os_error()) } else { Ok(Section(section)) }
    }

    /// Maps all of it.
    fn map(&self, access: u32) -> io::Result<NonNull<u8>> {
        // SAFETY: a new view, which nothing else refers to.
        let view = unsafe { MapViewOfFile(self.0, access, 0, 0, 0) };
        NonNull::new(view.cast()).ok_or_else(io::Error::last_os_error)
    }
}

impl Drop for Section {
    fn drop(&mut self) {
        // SAFETY: the handle is ours, and closed once.
        unsafe { CloseHandle(self.0) };
    }
}

/// Memory with two views of the same pages: one readable and executable for ever, and one that is
/// writable and mapped only while a blob is copied.
#[derive(Debug)]
pub(in crate::code) struct Segment {
    code: NonNull<u8>,
    len: usize,
    section: Section,
}

// SAFETY: the segment owns its section and view; the executable one is only read.
unsafe impl Send for Segment {}

impl Segment {
    /// A segment of `len` bytes, a multiple of the page size.
    pub(in crate::code) fn new(len: usize) -> Attempt<Segment> {
        let section = attempt(Step::File, || Section::new(len))?;
        let code = attempt(Step::MapShared, || section.map(FILE_MAP_READ | FILE_MAP_EXECUTE))?;
        Ok(Segment { code, len, section })
    }

    pub(in crate::code) fn len(&self) -> usize {
        self.len
    }

    /// Copies bytes to a place that nothing executes yet, and returns where they are executable.
    pub(in crate::code) fn write(&mut self, at: usize, bytes: &[u8]) -> Attempt<NonNull<u8>> {
        assert!(at + bytes.len() <= self.len);
        let view = attempt(Step::Edit, || self.section.map(FILE_MAP_WRITE))?;
        // SAFETY: the range is inside the view, which is new, and nobody else's.
        unsafe {
            view.add(at).copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len());
            UnmapViewOfFile(view.as_ptr().cast());
            Ok(self.code.add(at))
        }
    }
}

/// Memory of its own for a blob, filled and then made executable; never freed.
pub(in crate::code) fn private_code(code: &[u8]) -> Result<NonNull<u8>, Refusals> {
    code_pages(code, code.len()).map_err(|refusal| Refusals(vec![refusal]))
}

/// A group of slots: a page of code of `page` bytes, readable and executable, and `data` bytes of
/// zeroed read-write memory right behind it. Never freed.
pub(in crate::code) fn slot_group(
    code: &[u8],
    page: usize,
    data: usize,
) -> Result<NonNull<u8>, Refusals> {
    debug_assert!(code.len() <= page);
    code_pages(code, page + data).map_err(|refusal| Refusals(vec![refusal]))
}

/// Zeroed memory of `len` bytes that starts with `code`, whose pages are made executable and are
/// no longer writable.
fn code_pages(code: &[u8], len: usize) -> Attempt<NonNull<u8>> {
    let pages = attempt(Step::MapAnonymous, || {
        // SAFETY: new memory wherever the system likes.
        let pages =
            unsafe { VirtualAlloc(ptr::null_mut(), len, MEM_COMMIT_RESERVE, PAGE_READWRITE) };
        NonNull::new(pages.cast::<u8>()).ok_or_else(io::Error::last_os_error)
    })?;
    // SAFETY: the memory is new, and at least as long as the code.
    unsafe { pages.copy_from_nonoverlapping(NonNull::from(code).cast(), code.len()) };
    attempt(Step::Protect, || {
        let mut before = 0;
        // SAFETY: the range is in memory that we own; the system rounds it to whole pages.
        let done = unsafe {
            VirtualProtect(pages.as_ptr().cast(), code.len(), PAGE_EXECUTE_READ, &mut before)
        };
        if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    })?;
    Ok(pages)
}
