//! Row 4: executable memory. `unsafe` begins here.
//!
//! [`publish`] copies a finished [`Blob`] into the process's code arena and returns its address;
//! [`Slot`]s are small pre-built entries for functions and callbacks that need an address of
//! their own. Published code is immortal: trampolines are shared by everything that has the same
//! plan, and no address handed to C can dangle. No page is ever mapped writable and executable at
//! once.

mod arena;
#[doc(hidden)]
pub mod eh_frame;
#[doc(hidden)]
pub mod fault;
mod icache;
mod os;
mod perf;
mod slots;
#[cfg(all(test, target_os = "linux", target_arch = "x86_64"))]
pub(crate) mod tests;
mod unwind;
#[cfg(any(test, all(windows, target_arch = "x86_64")))]
mod unwind_info;

pub use slots::{RECORD_STRIDE, RECORD_WORDS, Record, Slot};

use crate::arch::Blob;
use crate::error::{Code, Error, Result};
use std::ptr::NonNull;

/// Address of published code: readable and executable for the rest of the process's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CodePtr {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: published code is immortal and never written again.
unsafe impl Send for CodePtr {}
// SAFETY: as above.
unsafe impl Sync for CodePtr {}

impl CodePtr {
    /// The entry point: the first byte.
    pub fn as_ptr(self) -> *const u8 {
        self.start.as_ptr()
    }

    /// The entry point as a number.
    pub fn addr(self) -> usize {
        self.start.as_ptr() as usize
    }

    /// The machine code.
    pub fn bytes(self) -> &'static [u8] {
        // SAFETY: `start` and `len` come from the arena, which maps the range readable, never
        // writes to it again and never unmaps it.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

/// Copies a blob into executable memory and makes it known to unwinders, and to profilers when
/// `FFI_JIT_PERF_MAP=1`. `name` is what those show.
///
/// # Errors
/// [`Code::ExecutableMemory`] naming what the operating system refused, [`Code::Internal`] for a
/// blob without code.
pub fn publish(blob: &Blob, name: &str) -> Result<CodePtr> {
    if blob.code.is_empty() {
        return Err(Error::new(Code::Internal, format!("no code to publish for {name}")));
    }
    let image = unwind::image(blob);
    let start = arena::publish(&image).map_err(|refusals| refusals.into_error(name))?;
    let code = CodePtr { start, len: blob.code.len() };
    unwind::register(&blob.unwind, code);
    perf::note(code.addr(), code.len, name);
    Ok(code)
}
