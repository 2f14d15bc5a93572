//! Callbacks: C function pointers that run JavaScript.
//!
//! An upcall's trampoline spills its arguments into a frame on C's stack and calls [`dispatch`].
//! On the environment's own thread that enters JavaScript at once: the frame is copied to frame
//! memory, and a generated unmarshaller reads it and writes the result. On any other thread the
//! call is handed over, and the thread waits for the result. A queued callback (void, in the
//! ffi-rs dialect) never waits: its arguments are copied, with what they point to.
//!
//! A JavaScript exception makes the result zero. Node-API keeps it pending and throws it when the
//! downcall that led here returns; while it is pending, further callbacks do not run. Where no
//! downcall is under way (queued, other threads) it is an uncaught exception.

use super::env::State;
use super::frame::{ALIGN, CLOSED, FOREIGN, FRAME, LIVE, PENDING, SIZE, THROWN, TOP};
use super::libraries;
use super::memory::numbers;
use super::owned::Owned;
use super::shared::{Shared, Waiter, lock};
use super::value::{Reference, Scope, Value};
use crate::call::{Prepared, Upcall};
use crate::error::{Code, Error, Result};
use std::collections::HashMap;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What every thread may know of a callback.
pub struct Callback {
    id: u64,
    /// The unmarshaller; for the environment's thread, while the callback is not forgotten.
    function: Reference,
    frame_bytes: usize,
    result: (usize, usize),
    /// What its arguments point to.
    owned: Owned,
    /// Whether it is queued, whoever calls it.
    queued: bool,
    /// Whether what the arguments point to is freed once it was read.
    frees: bool,
    /// Calls that were handed over and have not run yet: the function is needed until then.
    pending: AtomicU32,
}

/// The context of an upcall. Immortal and reused, because C may call late.
pub struct Handle {
    shared: &'static Shared,
    id: AtomicU64,
    /// The callback, for the environment's thread, which alone sets and clears it: a reference
    /// that the environment's table owns.
    here: AtomicPtr<Callback>,
}

impl Handle {
    /// The callback, for whichever thread is running. None when it was released.
    fn callback(&self) -> Option<Arc<Callback>> {
        if !self.shared.is_here() {
            let id = self.id.load(Ordering::Acquire);
            return lock(&CALLBACKS).as_ref().and_then(|all| all.get(&id).cloned());
        }
        let callback = self.here.load(Ordering::Relaxed);
        if callback.is_null() {
            return None;
        }
        // SAFETY: from `Arc::as_ptr` of a reference in the environment's table, which this thread
        // takes out only after it has cleared the pointer.
        unsafe {
            Arc::increment_strong_count(callback);
            Some(Arc::from_raw(callback))
        }
    }
}

/// Live callbacks of all environments, by identifier; identifiers are never used twice.
static CALLBACKS: Mutex<Option<HashMap<u64, Arc<Callback>>>> = Mutex::new(None);

/// What an environment keeps of a callback.
struct Registered {
    upcall: Upcall,
    handle: &'static Handle,
    callback: Arc<Callback>,
    released: bool,
    keeps_alive: bool,
}

/// The callbacks of an environment.
#[derive(Default)]
pub struct Callbacks {
    by_id: HashMap<u64, Registered>,
    by_code: HashMap<usize, u64>,
    free_handles: Vec<&'static Handle>,
}

/// Something for the environment's thread.
pub enum Event {
    /// A queued call.
    Queued(Arc<Callback>, Captured),
    /// A call whose thread waits; the frame is on that thread's stack.
    Waiting(Arc<Callback>, SendPointer, Arc<Waiter>),
    /// Jobs have finished.
    Finished,
}

/// The arguments of a queued call.
pub struct Captured {
    frame: Box<[u8]>,
    /// What the frame points to.
    copies: Vec<Box<[u8]>>,
    /// Whether this call keeps the event loop alive by itself.
    keeps_alive: bool,
}

/// A pointer that another thread keeps valid.
pub struct SendPointer(*mut u8);
// SAFETY: the thread that owns the memory waits while the pointer is used.
unsafe impl Send for SendPointer {}

/// Flag of [`create`]: calls are queued, with copies of what the arguments point to.
const QUEUED: u32 = 1;
/// Flag of [`create`]: what the arguments point to is freed once it was read.
const FREES: u32 = 2;
/// Flag of [`create`]: the callback keeps the event loop alive until it is released.
const KEEPS_ALIVE: u32 = 4;

/// `createCallback(signature id, function, owned, flags)`. The C function pointer is written into
/// the ARG cell.
///
/// `function` is the generated unmarshaller: called without arguments, it finds its frame in the
/// FRAME cell. `owned` describes what the arguments point to (see [`Owned::parse`]; null for
/// nothing).
pub fn create(scope: Scope, state: &State, arguments: [Value; 4]) -> Result<Value> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let [signature, function, owned, flags] = arguments;
    let prepared: Rc<Prepared> = state.prepared(scope.to_u32(signature)?)?;
    let owned = Owned::parse(&numbers(scope, owned)?)?;
    let flags = scope.to_u32(flags)?;
    let keeps_alive = flags & KEEPS_ALIVE != 0;
    let function = scope.reference(function)?;
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut callbacks = state.callbacks.borrow_mut();
    let handle = callbacks.free_handles.pop().unwrap_or_else(|| {
        let here = AtomicPtr::new(ptr::null_mut());
        Box::leak(Box::new(Handle { shared: state.shared, id: AtomicU64::new(0), here }))
    });
    handle.id.store(id, Ordering::Release);
    let context = ptr::from_ref(handle).cast_mut().cast();
    let upcall = match Upcall::new(&prepared, dispatch, context) {
        Ok(upcall) => upcall,
        Err(error) => {
            callbacks.free_handles.push(handle);
            scope.delete_reference(function);
            return Err(error);
        }
    };
    let model = &state.target.model;
    let callback = Arc::new(Callback {
        id,
        function,
        frame_bytes: prepared.frame.size as usize,
        result: (prepared.frame.ret as usize, prepared.signature.ret.size(model) as usize),
        owned,
        queued: flags & QUEUED != 0,
        frees: flags & FREES != 0,
        pending: AtomicU32::new(0),
    });
    lock(&CALLBACKS).get_or_insert_default().insert(id, Arc::clone(&callback));
    if keeps_alive {
        state.alive.add(scope, state.shared)?;
    }
    let code = upcall.code();
    callbacks.by_code.insert(code as usize, id);
    handle.here.store(Arc::as_ptr(&callback).cast_mut(), Ordering::Relaxed);
    let registered = Registered { upcall, handle, callback, released: false, keeps_alive };
    callbacks.by_id.insert(id, registered);
    state.frame.set(LIVE, callbacks.by_code.len() as u32);
    drop(callbacks);
    let cell = state.frame.arg()?;
    // SAFETY: `arg` checked the bounds; the cell may be unaligned.
    unsafe { cell.write_unaligned(code.cast_mut().cast()) };
    scope.undefined()
}

/// `releaseCallback(code address)` -> whether there was a callback at it. From now on C gets zero
/// from it; calls that are running or queued still complete.
pub fn release(scope: Scope, state: &State, [address]: [Value; 1]) -> Result<Value> {
    let address = scope.to_address(address)?;
    let id = state.callbacks.borrow_mut().by_code.remove(&address);
    if let Some(id) = id {
        lock(&CALLBACKS).get_or_insert_default().remove(&id);
        let mut callbacks = state.callbacks.borrow_mut();
        state.frame.set(LIVE, callbacks.by_code.len() as u32);
        let registered = callbacks.by_id.get_mut(&id);
        let alive = registered.is_some_and(|registered| {
            registered.handle.here.store(ptr::null_mut(), Ordering::Relaxed);
            registered.released = true;
            std::mem::take(&mut registered.keeps_alive)
        });
        drop(callbacks);
        if alive {
            state.alive.remove(scope, state.shared)?;
        }
        sweep(scope, state, id);
    }
    scope.boolean(id.is_some())
}

/// Forgets a released callback once nothing needs its function any more.
fn sweep(scope: Scope, state: &State, id: u64) {
    let mut callbacks = state.callbacks.borrow_mut();
    let done = callbacks
        .by_id
        .get(&id)
        .is_some_and(|r| r.released && r.callback.pending.load(Ordering::Acquire) == 0);
    if done && let Some(registered) = callbacks.by_id.remove(&id) {
        callbacks.free_handles.push(registered.handle);
        scope.delete_reference(registered.callback.function);
        drop(registered.upcall);
    }
}

/// Releases everything, when the environment ends. References die with the environment.
pub fn release_all(state: &State) {
    let registered: Vec<Registered> =
        state.callbacks.borrow_mut().by_id.drain().map(|(_, registered)| registered).collect();
    let mut callbacks = lock(&CALLBACKS);
    for registered in &registered {
        registered.handle.here.store(ptr::null_mut(), Ordering::Relaxed);
        callbacks.get_or_insert_default().remove(&registered.callback.id);
    }
}

/// What trampolines call.
unsafe extern "C" fn dispatch(context: *mut c_void, frame: *mut u8) {
    // SAFETY: the context is an immortal handle.
    let handle = unsafe { &*context.cast::<Handle>() };
    // Released a moment ago by another thread: there is nothing left to say how its result looks.
    let Some(callback) = handle.callback() else { return };
    let run = || {
        if callback.queued {
            enqueue(handle.shared, &callback, frame);
            return true;
        }
        match handle.shared.state() {
            Some(state) => run_here(state.scope(), state, &callback, frame, false),
            None => {
                callback.pending.fetch_add(1, Ordering::AcqRel);
                handle.shared.post_and_wait(|waiter| {
                    Event::Waiting(Arc::clone(&callback), SendPointer(frame), waiter)
                })
            }
        }
    };
    let answered = catch_unwind(AssertUnwindSafe(run)).unwrap_or(false);
    if !answered {
        zero_result(&callback, frame);
    }
    if callback.frees {
        // SAFETY: whoever sets the flag says that C gives the arguments' memory away.
        unsafe { callback.owned.free(frame) };
    }
}

fn zero_result(callback: &Callback, frame: *mut u8) {
    let (at, size) = callback.result;
    // SAFETY: the result cell is inside the frame that the trampoline gave.
    unsafe { frame.add(at).write_bytes(0, size) };
}

/// Copies the arguments of a queued callback and hands them over.
fn enqueue(shared: &Shared, callback: &Arc<Callback>, frame: *mut u8) {
    // SAFETY: the trampoline's frame has this many bytes.
    let frame = unsafe { std::slice::from_raw_parts(frame, callback.frame_bytes) };
    let mut captured = Captured { frame: frame.into(), copies: Vec::new(), keeps_alive: false };
    // SAFETY: C passes what the signature says.
    unsafe { callback.owned.copy(&mut captured.frame, &mut captured.copies) };
    if let Some(state) = shared.state() {
        captured.keeps_alive = state.alive.add(state.scope(), shared).is_ok();
    }
    callback.pending.fetch_add(1, Ordering::AcqRel);
    // Refused when the environment is closing: then nobody waits for it.
    let _ = shared.post(Event::Queued(Arc::clone(callback), captured));
}

/// Runs the JavaScript function with the frame's bytes; false when it could not be run or threw.
/// The result cell of `frame` is set when it returns true. `foreign` says that C calls from another
/// thread, or has called.
fn run_here(
    scope: Scope,
    state: &State,
    callback: &Callback,
    frame: *mut u8,
    foreign: bool,
) -> bool {
    let outer = state.frame.get(FOREIGN);
    state.frame.set(FOREIGN, u32::from(foreign));
    // The call that led here may have come from V8 directly, without a handle scope.
    let result = scope.with_handles(|| {
        enter(scope, state, callback, frame).inspect_err(|error| {
            // An exception of the function itself is pending already, and stays.
            scope.throw(error);
        })
    });
    state.frame.set(FOREIGN, outer);
    if result.is_err() {
        state.frame.set(PENDING, THROWN);
    }
    result.is_ok()
}

/// `rethrow()`: throws what the PENDING cell says. Node-API itself throws an exception that it
/// keeps, when this returns to it.
///
/// # Errors
/// [`Code::LibraryClosed`] when the library of the function that was called is closed.
pub fn rethrow(scope: Scope, state: &State, []: [Value; 0]) -> Result<Value> {
    let pending = state.frame.get(PENDING);
    state.frame.set(PENDING, 0);
    if pending == CLOSED {
        return Err(libraries::function_closed());
    }
    scope.undefined()
}

/// Copies the frame to frame memory, calls the unmarshaller, copies the result back. While an
/// exception is pending, Node-API refuses the call.
fn enter(scope: Scope, state: &State, callback: &Callback, frame: *mut u8) -> Result<()> {
    let function = scope.referenced(callback.function)?;
    let memory = &state.frame;
    let (top, outer) = (memory.get(TOP), memory.get(FRAME));
    let at = (top as usize).next_multiple_of(ALIGN);
    let bytes = callback.frame_bytes;
    if at + bytes > SIZE {
        let message = "callbacks are nested too deeply: frame memory ran out";
        return Err(Error::new(Code::OutOfMemory, message));
    }
    let cells = memory.at(at as u32, bytes)?;
    let (result, size) = callback.result;
    // SAFETY: both frames have `bytes` bytes and are different memory; the result is inside.
    unsafe {
        ptr::copy_nonoverlapping(frame, cells, bytes);
        cells.add(result).write_bytes(0, size);
    }
    memory.set(FRAME, at as u32);
    memory.set(TOP, (at + bytes) as u32);
    state.upcalls.set(state.upcalls.get() + 1);
    let called = scope.call(function);
    state.upcalls.set(state.upcalls.get() - 1);
    memory.set(FRAME, outer);
    memory.set(TOP, top);
    called?;
    // SAFETY: as above.
    unsafe { ptr::copy_nonoverlapping(cells.add(result), frame.add(result), size) };
    Ok(())
}

/// Deals with an event on the environment's thread.
pub fn run_event(scope: Scope, state: &State, event: Event) {
    match event {
        Event::Queued(callback, mut captured) => {
            run_here(scope, state, &callback, captured.frame.as_mut_ptr(), true);
            drop(captured.copies);
            if captured.keeps_alive {
                // Fails only when the environment is closing.
                let _ = state.alive.remove(scope, state.shared);
            }
            ran(scope, state, &callback);
        }
        Event::Waiting(callback, frame, waiter) => {
            if !run_here(scope, state, &callback, frame.0, true) {
                zero_result(&callback, frame.0);
            }
            waiter.finish();
            ran(scope, state, &callback);
        }
        Event::Finished => super::task::collect_all(scope, state),
    }
    scope.report_exception();
    state.frame.set(PENDING, 0);
}

/// Notes that a call that was handed over has run.
fn ran(scope: Scope, state: &State, callback: &Callback) {
    callback.pending.fetch_sub(1, Ordering::AcqRel);
    sweep(scope, state, callback.id);
}
