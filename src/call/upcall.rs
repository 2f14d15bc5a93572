//! Upcalls: C function pointers that run our code.

use super::{FrameView, Prepared, UpcallRecord};
use crate::code::Slot;
use crate::error::{Code, Error, Result};
use crate::plan::{Entry, FrameLayout};
use std::any::Any;
use std::collections::HashSet;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

/// What an upcall's trampoline calls: the context given to [`Upcall::new`], and a frame laid out
/// as [`FrameLayout`] says, on the trampoline's stack. Argument cells are filled; the dispatcher
/// writes the result cell, which holds anything before. It must not unwind.
pub type Dispatch = unsafe extern "C" fn(context: *mut c_void, frame: *mut u8);

/// A C function pointer that ends in a dispatcher.
///
/// After it is dropped its address stays callable. Until the slot is taken again, which happens
/// as late as possible, C gets a zero result of the right type (all bytes zero, whatever way the
/// convention returns it), and nothing that was freed is read. A call that is in flight on
/// another thread while the upcall is dropped may still reach the old dispatcher with the old
/// context: who shares an upcall with other threads keeps what the context points to valid.
#[derive(Debug)]
pub struct Upcall {
    slot: ManuallyDrop<Slot>,
    released: &'static ResultCell,
}

impl Upcall {
    /// Makes a function pointer of a prepared signature.
    ///
    /// # Errors
    /// As [`Prepared::trampoline`] and [`Slot::allocate`]; [`Code::InvalidArgument`] for a
    /// context that is an odd number (those mark released upcalls).
    pub fn new(prepared: &Prepared, dispatch: Dispatch, context: *mut c_void) -> Result<Upcall> {
        if context.addr() & RELEASED != 0 {
            return Err(Error::new(Code::InvalidArgument, "an upcall's context must be even"));
        }
        let body = prepared.trampoline(Entry::Upcall, false)?;
        let released = ResultCell::of(prepared);
        let slot = ManuallyDrop::new(Slot::allocate()?);
        UpcallRecord::of(slot.record()).set(body.as_ptr(), dispatch as *const c_void, context);
        Ok(Upcall { slot, released })
    }

    /// The function pointer.
    pub fn code(&self) -> *const c_void {
        self.slot.code().cast()
    }

    /// The record, whose spare words are the owner's.
    pub fn record(&self) -> &'static UpcallRecord {
        UpcallRecord::of(self.slot.record())
    }
}

impl Drop for Upcall {
    fn drop(&mut self) {
        let record = self.record();
        // The dispatcher first: one that meets a context not yet marked knows what to do.
        record.dispatch.store(released as *mut c_void, Ordering::Release);
        let mark = std::ptr::from_ref(self.released).map_addr(|addr| addr | RELEASED);
        let mark = mark.cast_mut().cast();
        record.context.store(mark, Ordering::Release);
        // SAFETY: dropped once, and not used afterwards.
        unsafe { ManuallyDrop::take(&mut self.slot) }.retire();
    }
}

/// The bit that tells a released upcall's context from a dispatcher's own.
const RELEASED: usize = 1;

/// Where the result of a released upcall is: interned and immortal, because late calls read it.
#[derive(Debug, PartialEq, Eq, Hash)]
#[repr(align(4))]
struct ResultCell {
    at: u32,
    size: u32,
}

impl ResultCell {
    fn of(prepared: &Prepared) -> &'static ResultCell {
        static KNOWN: Mutex<Option<HashSet<&'static ResultCell>>> = Mutex::new(None);
        let size = prepared.signature.ret.size(&prepared.target.model);
        let cell = ResultCell { at: prepared.frame.ret, size };
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get_or_insert_default();
        if let Some(found) = known.get(&cell) {
            return found;
        }
        let cell: &'static ResultCell = Box::leak(Box::new(cell));
        known.insert(cell);
        cell
    }
}

/// The dispatcher of released upcalls: zeroes the result.
unsafe extern "C" fn released(context: *mut c_void, frame: *mut u8) {
    if context.addr() & RELEASED == 0 {
        // A call that raced with the release and took the context just before it changed. Where
        // its result is cannot be known: C gets what the stack held.
        return;
    }
    let cell = context.map_addr(|addr| addr & !RELEASED).cast::<ResultCell>();
    // SAFETY: a marked context is an immortal ResultCell of the plan whose trampoline calls, so
    // that the result cell is inside its frame.
    unsafe {
        let ResultCell { at, size } = *cell;
        frame.add(at as usize).write_bytes(0, size as usize);
    }
}

/// An [`Upcall`] that runs a Rust closure. It may be called on any thread and may nest. A panic
/// is kept for [`Closure::take_panic`], and C gets a zero result.
pub struct Closure {
    // Released first: late calls must not find the body.
    upcall: Upcall,
    body: OwnedBody,
}

/// The body of a closure, behind a pointer that C's side reads (a Box would claim to be its only
/// user).
struct OwnedBody(*mut Body);

impl Drop for OwnedBody {
    fn drop(&mut self) {
        // SAFETY: made from a Box in `Closure::new`, and freed once.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

struct Body {
    run: Box<dyn Fn(&mut FrameView<'_>) + Send + Sync>,
    frame: FrameLayout,
    result: &'static ResultCell,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: the closure is Send and Sync, and nothing else in the body is bound to a thread.
unsafe impl Send for Closure {}
// SAFETY: as above.
unsafe impl Sync for Closure {}

impl Closure {
    /// Makes a C function of a closure.
    ///
    /// # Errors
    /// As [`Upcall::new`].
    pub fn new(
        prepared: &Prepared,
        run: impl Fn(&mut FrameView<'_>) + Send + Sync + 'static,
    ) -> Result<Closure> {
        let body = OwnedBody(Box::into_raw(Box::new(Body {
            run: Box::new(run),
            frame: prepared.frame.clone(),
            result: ResultCell::of(prepared),
            panic: Mutex::new(None),
        })));
        let upcall = Upcall::new(prepared, run_closure, body.0.cast())?;
        Ok(Closure { upcall, body })
    }

    /// The function pointer. It must not be in use by another thread when the closure is dropped.
    pub fn code(&self) -> *const c_void {
        self.upcall.code()
    }

    /// The first panic since the last time.
    pub fn take_panic(&self) -> Option<Box<dyn Any + Send>> {
        // SAFETY: the body lives as long as the closure.
        let body = unsafe { &*self.body.0 };
        body.panic.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The dispatcher of closures.
unsafe extern "C" fn run_closure(context: *mut c_void, frame: *mut u8) {
    // SAFETY: the context is the body, which lives as long as the upcall is not released.
    let body = unsafe { &*context.cast::<Body>() };
    // SAFETY: the trampoline gives a frame of its plan, alone in using it.
    let bytes = unsafe { std::slice::from_raw_parts_mut(frame, body.frame.size as usize) };
    let ResultCell { at, size } = *body.result;
    let result = at as usize..(at + size) as usize;
    bytes[result.clone()].fill(0);
    let mut view = FrameView::new(&body.frame, bytes);
    let ran = panic::catch_unwind(AssertUnwindSafe(|| (body.run)(&mut view)));
    if let Err(payload) = ran {
        bytes[result].fill(0);
        body.panic.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(payload);
    }
}
