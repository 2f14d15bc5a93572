//! Apple's systems: the calls behind `jit`.

use super::jit::{self, Access, Origin, System};
use super::{Attempt, Refusals};
use std::io;
use std::ptr::{self, NonNull};

/// The running system.
struct Apple;

impl Access {
    fn bits(self) -> libc::c_int {
        match self {
            Access::Write => libc::PROT_READ | libc::PROT_WRITE,
            Access::Execute => libc::PROT_READ | libc::PROT_EXEC,
            Access::Either => libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC,
        }
    }
}

/// Maps private memory that no file is behind.
///
/// # Safety
/// With `MAP_FIXED` among the flags, the range belongs to the caller, and nothing refers to it.
unsafe fn mmap(
    start: *mut u8,
    len: usize,
    access: Access,
    flags: libc::c_int,
) -> io::Result<NonNull<u8>> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANON | flags;
    // SAFETY: as this function demands; without MAP_FIXED the memory is new.
    let at = unsafe { libc::mmap(start.cast(), len, access.bits(), flags, -1, 0) };
    if at == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    Ok(NonNull::new(at.cast()).expect("a mapping has an address"))
}

impl System for Apple {
    fn page_size(&self) -> usize {
        page_size()
    }

    #[cfg(target_arch = "aarch64")]
    fn threads_switch(&self) -> bool {
        // SAFETY: the call only reads.
        unsafe { libc::pthread_jit_write_protect_supported_np() != 0 }
    }

    /// Never on Intel, where macOS 10.15 does not have the function to ask.
    #[cfg(not(target_arch = "aarch64"))]
    fn threads_switch(&self) -> bool {
        false
    }

    fn map(&self, len: usize, access: Access, origin: Origin) -> io::Result<NonNull<u8>> {
        let flags = if origin == Origin::Jit { libc::MAP_JIT } else { 0 };
        // SAFETY: no MAP_FIXED.
        unsafe { mmap(ptr::null_mut(), len, access, flags) }
    }

    fn replace(&self, start: NonNull<u8>, len: usize) -> io::Result<()> {
        // SAFETY: the pages are the caller's (see `System`), which does not use them yet.
        unsafe { mmap(start.as_ptr(), len, Access::Write, libc::MAP_FIXED) }.map(drop)
    }

    fn protect(&self, start: NonNull<u8>, len: usize, access: Access) -> io::Result<()> {
        // SAFETY: the pages are the caller's (see `System`).
        let result = unsafe { libc::mprotect(start.as_ptr().cast(), len, access.bits()) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    fn unmap(&self, start: NonNull<u8>, len: usize) {
        // SAFETY: the pages are the caller's (see `System`), which gives them up.
        unsafe { libc::munmap(start.as_ptr().cast(), len) };
    }

    #[cfg(target_arch = "aarch64")]
    fn let_thread_write(&self, write: bool) {
        // SAFETY: the call changes the rights of this thread, which until the next one runs
        // compiled code only.
        unsafe { libc::pthread_jit_write_protect_np(libc::c_int::from(!write)) };
    }

    #[cfg(not(target_arch = "aarch64"))]
    fn let_thread_write(&self, _write: bool) {}

    fn fill(&self, start: NonNull<u8>, bytes: &[u8]) {
        // SAFETY: the range is in pages that can be written now (see `System`), and nothing
        // executes it yet.
        unsafe { start.copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len()) };
    }
}

/// 16 KiB on Apple silicon, 4 KiB on Intel.
pub(in crate::code) fn page_size() -> usize {
    // SAFETY: sysconf only reads.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).ok().filter(|size| size.is_power_of_two()).unwrap_or(16_384)
}

/// What must follow a write to code is `sys_icache_invalidate`, which `icache` calls.
pub(in crate::code) fn flush(_code: &[u8]) {}

/// Shared memory of the arena.
#[derive(Debug)]
pub(in crate::code) struct Segment(jit::Segment);

impl Segment {
    /// A segment of `len` bytes, a multiple of the page size.
    pub(in crate::code) fn new(len: usize) -> Attempt<Segment> {
        jit::Segment::new(&Apple, len).map(Segment)
    }

    pub(in crate::code) fn len(&self) -> usize {
        self.0.len()
    }

    /// Copies bytes to a place that nothing executes yet, and returns where they are executable.
    pub(in crate::code) fn write(&mut self, at: usize, bytes: &[u8]) -> Attempt<NonNull<u8>> {
        self.0.write(&Apple, at, bytes)
    }
}

/// Memory of its own for a blob; never unmapped.
pub(in crate::code) fn private_code(code: &[u8]) -> Result<NonNull<u8>, Refusals> {
    jit::private_code(&Apple, code)
}

/// A group of slots: one page of code, readable and executable, and `data` bytes of zeroed
/// read-write memory right behind it. Never unmapped.
pub(in crate::code) fn slot_group(
    code: &[u8],
    page: usize,
    data: usize,
) -> Result<NonNull<u8>, Refusals> {
    debug_assert_eq!(page, page_size());
    jit::slot_group(&Apple, code, data)
}
