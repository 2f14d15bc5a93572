//! Executable memory on Apple's systems.
//!
//! A process under the hardened runtime gets it through `mmap` with `MAP_JIT` only, and only when it
//! was signed with the entitlement `com.apple.security.cs.allow-jit` (which Node's own builds have).
//! What such pages are differs by processor, and the system says which it is:
//!
//! - Where threads switch (Apple silicon), pages are mapped readable, writable and executable once,
//!   and the processor lets a thread either write all of them or execute all of them. A thread
//!   writes between two calls of `pthread_jit_write_protect_np`; the others go on executing.
//!   Protection of such pages cannot be changed.
//! - Elsewhere (Intel, and Rosetta), pages are writable first and executable afterwards, as on other
//!   systems. Others may be executing what is beside them, so that nothing is shared.
//!
//! A process that is not hardened also gets executable memory from ordinary pages: that is tried when
//! `MAP_JIT` is refused.
//!
//! The logic is here, apart from the system calls, so that it is tested on every system.

use super::{Attempt, Refusal, Refusals, attempt};
use crate::code::fault::Step;
use std::io;
use std::ptr::NonNull;

/// What pages may be used for besides reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Write,
    Execute,
    /// Only of `MAP_JIT` pages where threads switch: no thread ever has all of it.
    Either,
}

/// Where pages come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// `MAP_JIT`.
    Jit,
    Ordinary,
}

/// The calls of the system. Addresses and lengths are of whole pages that the caller owns.
pub(super) trait System {
    fn page_size(&self) -> usize;
    /// Whether threads switch between writing and executing `MAP_JIT` pages
    /// (`pthread_jit_write_protect_supported_np`).
    fn threads_switch(&self) -> bool;
    /// Maps new zeroed pages.
    fn map(&self, len: usize, access: Access, origin: Origin) -> io::Result<NonNull<u8>>;
    /// Puts new zeroed ordinary pages, readable and writable, in the place of others.
    fn replace(&self, start: NonNull<u8>, len: usize) -> io::Result<()>;
    fn protect(&self, start: NonNull<u8>, len: usize, access: Access) -> io::Result<()>;
    fn unmap(&self, start: NonNull<u8>, len: usize);
    /// Lets this thread write `MAP_JIT` pages, or execute them.
    fn let_thread_write(&self, write: bool);
    /// Copies bytes into pages that can be written now.
    fn fill(&self, start: NonNull<u8>, bytes: &[u8]);
}

/// Lets this thread write `MAP_JIT` pages until it is dropped. Whoever asks for code is about to
/// return to code of V8's, so that executing is what to go back to.
struct Writing<'a, S: System>(&'a S);

impl<'a, S: System> Writing<'a, S> {
    fn start(system: &'a S) -> Self {
        system.let_thread_write(true);
        Writing(system)
    }
}

impl<S: System> Drop for Writing<'_, S> {
    fn drop(&mut self) {
        self.0.let_thread_write(false);
    }
}

/// Pages for many blobs, which may be written while other threads execute them.
#[derive(Debug)]
pub(super) struct Segment {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the segment owns its pages, which the system protects.
unsafe impl Send for Segment {}

impl Segment {
    /// A segment of `len` bytes, a multiple of the page size.
    pub(super) fn new(system: &impl System, len: usize) -> Attempt<Segment> {
        if !system.threads_switch() {
            return Err(Refusal::new(Step::MapJit, io::ErrorKind::Unsupported.into()));
        }
        let start = attempt(Step::MapJit, || system.map(len, Access::Either, Origin::Jit))?;
        Ok(Segment { start, len })
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Copies bytes to a place that nothing executes yet, and returns where that is.
    pub(super) fn write(
        &mut self,
        system: &impl System,
        at: usize,
        bytes: &[u8],
    ) -> Attempt<NonNull<u8>> {
        assert!(at + bytes.len() <= self.len);
        // SAFETY: `at` is inside the segment.
        let place = unsafe { self.start.add(at) };
        attempt(Step::Edit, || {
            let _writing = Writing::start(system);
            system.fill(place, bytes);
            Ok(place)
        })
    }
}

/// Pages of its own for a blob; never unmapped.
pub(super) fn private_code(system: &impl System, code: &[u8]) -> Result<NonNull<u8>, Refusals> {
    pages(system, code, code.len().next_multiple_of(system.page_size()), 0)
}

/// A group of slots: one page of code, readable and executable, and `data` bytes of zeroed
/// read-write memory right behind it. Never unmapped.
pub(super) fn slot_group(
    system: &impl System,
    code: &[u8],
    data: usize,
) -> Result<NonNull<u8>, Refusals> {
    let page = system.page_size();
    debug_assert!(code.len() <= page && data.is_multiple_of(page));
    pages(system, code, page, data)
}

/// Pages that start with `code`: `executable` bytes of them, and `data` bytes that are readable and
/// writable.
fn pages(
    system: &impl System,
    code: &[u8],
    executable: usize,
    data: usize,
) -> Result<NonNull<u8>, Refusals> {
    let jit = if system.threads_switch() {
        thread_protected(system, code, executable, data)
    } else {
        page_protected(system, Origin::Jit, code, executable, data)
    };
    jit.or_else(|refused| {
        page_protected(system, Origin::Ordinary, code, executable, data)
            .map_err(|ordinary| Refusals(vec![refused, ordinary]))
    })
}

/// Pages that are mapped once with every right, of which a thread has some. Those for data are
/// ordinary ones, which are always writable.
fn thread_protected(
    system: &impl System,
    code: &[u8],
    executable: usize,
    data: usize,
) -> Attempt<NonNull<u8>> {
    attempt(Step::MapJit, || {
        let start = system.map(executable + data, Access::Either, Origin::Jit)?;
        // SAFETY: the data is behind the executable pages of what was just mapped.
        let behind = unsafe { start.add(executable) };
        if data > 0
            && let Err(refused) = system.replace(behind, data)
        {
            system.unmap(start, executable + data);
            return Err(refused);
        }
        let _writing = Writing::start(system);
        system.fill(start, code);
        Ok(start)
    })
}

/// Pages that are filled and then made executable.
fn page_protected(
    system: &impl System,
    origin: Origin,
    code: &[u8],
    executable: usize,
    data: usize,
) -> Attempt<NonNull<u8>> {
    let step = match origin {
        Origin::Jit => Step::MapJit,
        Origin::Ordinary => Step::MapAnonymous,
    };
    let len = executable + data;
    let start = attempt(step, || system.map(len, Access::Write, origin))?;
    system.fill(start, code);
    attempt(Step::Protect, || system.protect(start, executable, Access::Execute))
        .inspect_err(|_| system.unmap(start, len))?;
    Ok(start)
}

#[cfg(test)]
mod tests;
