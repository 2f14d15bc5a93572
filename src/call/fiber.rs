//! Fibers: C calls that run on a stack of their own, so that the call can be left in the middle,
//! when C calls back, and gone on with later.
//!
//! A fiber runs one call at a time. [`Fiber::start`] returns when the call has ended, or when code
//! that runs on the fiber calls [`Fiber::suspend`]; [`Fiber::resume`] goes on from there. All of it
//! happens on one thread, and nothing is saved but the registers that the C convention preserves:
//! the two sides are like two coroutines that call each other.
//!
//! Machine code may change sides by itself, by [`exchange`]: a `ret` that leads to the other side
//! is always predicted wrongly, so what is called often changes sides without any.

mod stack;
mod switch;

pub use switch::supported;
#[cfg(all(feature = "node", target_os = "linux", target_arch = "x86_64"))]
pub(crate) use switch::{exchange, save};

use super::CallRecord;
use crate::error::Result;
use stack::Stack;
use std::cell::Cell;
use std::ffi::c_void;
use std::mem::offset_of;

/// Bytes of a fiber's stack: what the main thread usually has. The system backs only what is
/// touched.
const STACK: usize = 8 << 20;

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The C function has returned.
    Ended,
    /// Code on the fiber called [`Fiber::suspend`].
    Suspended,
}

/// What is told that a call has ended, on the fiber's stack.
pub type OnEnd = extern "C" fn(&'static Fiber);

/// A stack, and the call that is running on it.
#[repr(C)]
pub struct Fiber {
    /// Where the code goes on that the code running now has left: on the fiber while it rests or
    /// is suspended, outside while it runs.
    other: Cell<usize>,
    /// The call: a trampoline, and the record that it reads.
    body: Cell<*const c_void>,
    record: Cell<*const CallRecord>,
    /// Whether the call has ended; the fiber's code sets it to 1.
    ended: Cell<usize>,
    on_end: Cell<OnEnd>,
    /// For the owner: a list of fibers.
    next: Cell<Option<&'static Fiber>>,
    stack: Stack,
}

/// Fibers in a list, the last one first.
#[derive(Default)]
pub struct FiberList(Cell<Option<&'static Fiber>>);

impl FiberList {
    /// Adds a fiber, which must be in no list.
    #[inline(always)]
    pub fn push(&self, fiber: &'static Fiber) {
        fiber.next.set(self.0.replace(Some(fiber)));
    }

    /// Takes the fiber that was added last.
    #[inline(always)]
    pub fn pop(&self) -> Option<&'static Fiber> {
        let fiber = self.0.get()?;
        self.0.set(fiber.next.take());
        Some(fiber)
    }
}

impl Fiber {
    /// A fiber without a call. It is never freed: whoever compares addresses with its stack may do
    /// so for ever.
    ///
    /// `below` is an address on the calling thread's stack. The fiber's stack lies below it:
    /// a JavaScript engine that guards its stack by an address refuses to run anything there.
    ///
    /// # Errors
    /// When there is no memory, or none below.
    pub fn new(below: usize) -> Result<&'static Fiber> {
        extern "C" fn nothing(_: &'static Fiber) {}
        let stack = Stack::new(STACK, below)?;
        let fiber: &'static Fiber = Box::leak(Box::new(Fiber {
            other: Cell::new(0),
            body: Cell::new(std::ptr::null()),
            record: Cell::new(std::ptr::null()),
            ended: Cell::new(1),
            on_end: Cell::new(nothing),
            next: Cell::new(None),
            stack,
        }));
        fiber.other.set(switch::prepare(fiber.stack.top(), fiber));
        Ok(fiber)
    }

    /// Whether the fiber's stack lies below an address.
    pub fn is_below(&self, address: usize) -> bool {
        self.stack.top().addr() <= address
    }

    /// Whether an address is on the fiber's stack.
    #[inline(always)]
    pub fn contains(&self, address: usize) -> bool {
        self.stack.contains(address)
    }

    /// The record of the call.
    #[inline(always)]
    pub fn record(&self) -> *const CallRecord {
        self.record.get()
    }

    /// Gives the fiber a call, which runs when sides are changed.
    ///
    /// # Safety
    /// The fiber must be idle, and used by this thread alone. `body` must be a trampoline that
    /// reads `record`, and the call sound.
    #[inline(always)]
    pub unsafe fn set(&self, body: *const c_void, record: *const CallRecord, on_end: OnEnd) {
        debug_assert!(self.ended.get() == 1);
        self.body.set(body);
        self.record.set(record);
        self.on_end.set(on_end);
        self.ended.set(0);
    }

    /// Where the stack pointer of the other side is, for `exchange`.
    #[inline(always)]
    pub fn other_side(&self) -> *mut usize {
        self.other.as_ptr()
    }

    /// Runs the call until it ends or is suspended, or goes on with it.
    ///
    /// # Safety
    /// The fiber must have a call, and not be running; on the thread that started it.
    pub unsafe fn resume(&self) -> Outcome {
        // SAFETY: the fiber's side is in its loop or suspended.
        unsafe { switch::switch(self.other.as_ptr()) };
        if self.ended.get() == 1 { Outcome::Ended } else { Outcome::Suspended }
    }

    /// Leaves the call that is running on this fiber; returns when it is resumed.
    ///
    /// # Safety
    /// Must be called on the fiber's stack.
    pub unsafe fn suspend(&self) {
        // SAFETY: the other side has left for this one.
        unsafe { switch::switch(self.other.as_ptr()) }
    }
}

// SAFETY: what changes is only touched by unsafe functions, whose callers promise that one thread
// uses the fiber at a time, and by lists, which are not Sync. Its stack's addresses never change.
unsafe impl Sync for Fiber {}
// SAFETY: as above; an idle fiber belongs to no thread.
unsafe impl Send for Fiber {}
// SAFETY: the fibers in it are idle, so the list is all that uses them.
unsafe impl Send for FiberList {}

/// Offsets that the loop on the fiber's stack uses.
const BODY: usize = offset_of!(Fiber, body);
const RECORD: usize = offset_of!(Fiber, record);
const ENDED: usize = offset_of!(Fiber, ended);
const ON_END: usize = offset_of!(Fiber, on_end);
const _: () = assert!(offset_of!(Fiber, other) == 0);

#[cfg(all(test, target_os = "linux", target_arch = "x86_64"))]
mod tests;
