//! Callbacks: C function pointers that run JavaScript.
//!
//! An upcall's trampoline spills its arguments into a frame on C's stack and calls [`dispatch`].
//! On the environment's own thread JavaScript runs at once: the frame is copied to frame memory,
//! and a generated unmarshaller reads it and writes the result. Either the call of C is left for
//! that (see [`relay`]), or JavaScript is entered. On any other thread the call is handed over, and
//! the thread waits for the result. A queued callback (void, in the ffi-rs dialect) never waits:
//! its arguments are copied, with what they point to.
//!
//! A JavaScript exception makes the result zero. Node-API keeps it pending and throws it when the
//! downcall that led here returns; while it is pending, further callbacks do not run. Where no
//! downcall is under way (queued, other threads) it is an uncaught exception.

use super::env::State;
use super::frame::{ALIGN, CALLBACK, CALLED_BACK, CLOSED, ENTERED, FOREIGN, FRAME, FrameMemory};
use super::frame::{LEVEL, LIVE, PENDING, THROWN, TOP};
use super::libraries;
use super::owned::Owned;
use super::relay;
use super::shared::{Shared, Waiter, lock};
use super::v8::Called;
use super::value::{Reference, Scope, Value};
use crate::call::{Prepared, Upcall};
use crate::error::{Code, Error, Result};
use std::cell::Cell;
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
    shape: Shape,
    /// What its arguments point to.
    owned: Owned,
    /// Whether it is queued, whoever calls it.
    queued: bool,
    /// Whether what the arguments point to is freed once it was read.
    frees: bool,
    /// Calls that were handed over and have not run yet: the function is needed until then.
    pending: AtomicU32,
}

/// What is needed to run a callback: it can be used when the callback is gone.
#[derive(Clone, Copy)]
pub struct Shape {
    /// By which JavaScript knows it, until it is forgotten.
    pub index: u32,
    bytes: usize,
    /// Where the result is, and its size.
    result: (usize, usize),
}

/// The context of an upcall. Immortal and reused, because C may call late.
pub struct Handle {
    shared: &'static Shared,
    id: AtomicU64,
    /// The callback, for the environment's thread, which alone sets and clears it: a reference
    /// that the environment's table owns.
    here: AtomicPtr<Callback>,
}

impl Shape {
    /// Copies a frame to frame memory at TOP, with zero as the result, and lets FRAME name it.
    /// Returns where it is; None when there is no room.
    #[inline(always)]
    pub fn push(&self, memory: &FrameMemory, frame: *const u8) -> Option<*mut u8> {
        let at = (memory.get(TOP) as usize).next_multiple_of(ALIGN);
        let bytes = self.bytes;
        let cells = memory.find(u32::try_from(at).ok()?, bytes)?;
        let (result, size) = self.result;
        // SAFETY: both frames have `bytes` bytes and are different memory; the result is inside.
        unsafe {
            copy(frame, cells, bytes);
            clear(cells.add(result), size);
        }
        memory.set(FRAME, at as u32);
        memory.set(TOP, (at + bytes) as u32);
        Some(cells)
    }

    /// Copies the result from where `push` put the frame.
    #[inline(always)]
    pub fn take_result(self, cells: *const u8, frame: *mut u8) {
        let (result, size) = self.result;
        // SAFETY: both frames have the result cell inside.
        unsafe { copy(cells.add(result), frame.add(result), size) };
    }

    /// Sets the result to zero.
    pub fn zero_result(self, frame: *mut u8) {
        let (at, size) = self.result;
        // SAFETY: the result cell is inside the frame that the trampoline gave.
        unsafe { clear(frame.add(at), size) };
    }
}

impl Callback {
    /// Whether a call does nothing but run the function and give its result.
    fn is_plain(&self) -> bool {
        !self.queued && !self.frees
    }
}

/// Copies bytes, most often a few words: a call of `memcpy` would cost more than they do.
///
/// # Safety
/// As `ptr::copy_nonoverlapping`.
#[inline(always)]
unsafe fn copy(from: *const u8, to: *mut u8, bytes: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        match bytes {
            4 => to.cast::<u32>().write_unaligned(from.cast::<u32>().read_unaligned()),
            0..=64 if bytes.is_multiple_of(8) => {
                for at in (0..bytes).step_by(8) {
                    let word = from.add(at).cast::<u64>().read_unaligned();
                    to.add(at).cast::<u64>().write_unaligned(word);
                }
            }
            _ => ptr::copy_nonoverlapping(from, to, bytes),
        }
    }
}

/// Sets bytes to zero, most often a word.
///
/// # Safety
/// As `ptr::write_bytes`.
#[inline(always)]
unsafe fn clear(at: *mut u8, bytes: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        match bytes {
            4 => at.cast::<u32>().write_unaligned(0),
            8 => at.cast::<u64>().write_unaligned(0),
            _ => at.write_bytes(0, bytes),
        }
    }
}

impl Handle {
    /// The environment that the callback belongs to.
    pub fn shared(&self) -> &'static Shared {
        self.shared
    }

    /// What is needed to run the callback, if that is all that there is to do. None also when it
    /// was released.
    ///
    /// # Safety
    /// Only on the environment's thread.
    #[inline(always)]
    pub unsafe fn plain_shape(&self) -> Option<&Shape> {
        // SAFETY: the environment's table keeps the callback for as long as it is not released, and
        // only this thread releases it.
        let callback = unsafe { self.here.load(Ordering::Relaxed).as_ref() }?;
        callback.is_plain().then_some(&callback.shape)
    }

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
    /// What JavaScript runs for a callback that the CALLBACK cell names, to forget one, and when it
    /// may have been ended.
    functions: Cell<Option<[Reference; 3]>>,
    /// What V8's own way of calling is tried with, if it is to be taken.
    probe: Cell<Option<Reference>>,
    /// Whether the event loop shall look for what ended JavaScript has left.
    looking: Cell<bool>,
}

/// Something for the environment's thread.
pub enum Event {
    /// A queued call.
    Queued(Arc<Callback>, Captured),
    /// A call whose thread waits; the frame is on that thread's stack.
    Waiting(Arc<Callback>, SendPointer, Arc<Waiter>),
    /// Jobs have finished.
    Finished,
    /// JavaScript may have been ended: what its calls have left can be given back.
    Over,
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

/// `onCallbacks(run, forget, over, probe)`, once: what runs the callback that the CALLBACK cell names,
/// whose frame is the one that the FRAME cell names; what forgets it, when a call that it was still needed
/// for has run; what the event loop runs when JavaScript may have been ended; and, unless Node-API is to
/// make all calls, what returns itself and throws itself, in turns, for V8's own way of calling to be
/// tried with.
pub fn on_callbacks(
    scope: Scope,
    state: &State,
    [run, forget, over, probe]: [Value; 4],
) -> Result<Value> {
    let callbacks = state.callbacks.borrow();
    let functions = [scope.reference(run)?, scope.reference(forget)?, scope.reference(over)?];
    callbacks.functions.set(Some(functions));
    if !scope.is_nullish(probe)? {
        callbacks.probe.set(Some(scope.reference(probe)?));
    }
    drop(callbacks);
    aim(scope, state);
    scope.undefined()
}

/// Lets V8 itself call what runs callbacks, once both are known. A primitive must be running.
pub fn aim(scope: Scope, state: &State) {
    let callbacks = state.callbacks.borrow();
    let (Some([run, ..]), Some(probe)) = (callbacks.functions.get(), callbacks.probe.get()) else {
        return;
    };
    drop(callbacks);
    if let (Ok(run), Ok(probe)) = (scope.referenced(run), scope.referenced(probe)) {
        state.calls.aim(scope, run, probe);
    }
}

/// `stopCalls()`: from now on Node-API makes all calls of JavaScript. It refuses them when Node is on
/// its way out.
pub fn stop_calls(scope: Scope, state: &State, []: [Value; 0]) -> Result<Value> {
    state.calls.stop();
    scope.undefined()
}

/// `createCallback(signature id, index, owned, flags)`. The C function pointer is written into the
/// ARG cell.
///
/// `index`, which is not 0, names the callback in the CALLBACK cell. `owned` is the number of a
/// description of what the arguments point to (see `owned.rs`).
pub fn create(scope: Scope, state: &State, arguments: [Value; 4]) -> Result<Value> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let [signature, index, owned, flags] = arguments;
    let prepared: Rc<Prepared> = state.prepared(scope.to_u32(signature)?)?;
    let owned = state.owned.borrow().get(scope.to_u32(owned)?)?.clone();
    let flags = scope.to_u32(flags)?;
    let keeps_alive = flags & KEEPS_ALIVE != 0;
    let index = scope.to_u32(index)?;
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut callbacks = state.callbacks.borrow_mut();
    let handle = callbacks.free_handles.pop().unwrap_or_else(|| {
        let here = AtomicPtr::new(ptr::null_mut());
        Box::leak(Box::new(Handle { shared: state.shared, id: AtomicU64::new(0), here }))
    });
    handle.id.store(id, Ordering::Release);
    let context = ptr::from_ref(handle).cast_mut().cast();
    let upcall = match Upcall::new(&prepared, relay::upcall, context) {
        Ok(upcall) => upcall,
        Err(error) => {
            callbacks.free_handles.push(handle);
            return Err(error);
        }
    };
    let model = &state.target.model;
    let callback = Arc::new(Callback {
        id,
        shape: Shape {
            index,
            bytes: prepared.frame.size as usize,
            result: (prepared.frame.ret as usize, prepared.signature.ret.size(model) as usize),
        },
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
    state.frame.set(LIVE, state.frame.get(LIVE) + 1);
    drop(callbacks);
    let cell = state.frame.arg()?;
    // SAFETY: `arg` checked the bounds; the cell may be unaligned.
    unsafe { cell.write_unaligned(code.cast_mut().cast()) };
    scope.undefined()
}

/// `releaseCallback(code address)` -> the index of the callback at it; the negative index when it is
/// needed until queued calls have run; 0 when there is none. From now on C gets zero from it; calls
/// that are running or queued still complete.
pub fn release(scope: Scope, state: &State, [address]: [Value; 1]) -> Result<Value> {
    let address = scope.to_address(address)?;
    let id = state.callbacks.borrow_mut().by_code.remove(&address);
    let Some(id) = id else { return scope.number(0.0) };
    lock(&CALLBACKS).get_or_insert_default().remove(&id);
    let mut callbacks = state.callbacks.borrow_mut();
    state.frame.set(LIVE, state.frame.get(LIVE).saturating_sub(1));
    let Some(registered) = callbacks.by_id.get_mut(&id) else { return scope.number(0.0) };
    registered.handle.here.store(ptr::null_mut(), Ordering::Relaxed);
    registered.released = true;
    let index = f64::from(registered.callback.shape.index);
    let alive = std::mem::take(&mut registered.keeps_alive);
    drop(callbacks);
    if alive {
        state.alive.remove(scope, state.shared)?;
    }
    scope.number(if sweep(state, id) { index } else { -index })
}

/// Forgets a released callback once nothing needs its function any more; whether it did.
fn sweep(state: &State, id: u64) -> bool {
    let mut callbacks = state.callbacks.borrow_mut();
    let done = callbacks
        .by_id
        .get(&id)
        .is_some_and(|r| r.released && r.callback.pending.load(Ordering::Acquire) == 0);
    if done && let Some(registered) = callbacks.by_id.remove(&id) {
        callbacks.free_handles.push(registered.handle);
        drop(registered.upcall);
    }
    done
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

/// What trampolines call, unless `relay` knows a shorter way.
///
/// # Safety
/// The context must be a [`Handle`], and the frame that of an upcall of its callback.
pub unsafe extern "C" fn dispatch(context: *mut c_void, frame: *mut u8) {
    // SAFETY: the context is an immortal handle.
    let handle = unsafe { &*context.cast::<Handle>() };
    if let Some(state) = handle.shared.state() {
        // SAFETY: on the environment's thread.
        // A copy: JavaScript may release the callback.
        if let Some(&shape) = unsafe { handle.plain_shape() } {
            let answered = catch_unwind(AssertUnwindSafe(|| run_plain(state, &shape, frame)));
            if !answered.unwrap_or(false) {
                shape.zero_result(frame);
            }
            return;
        }
    }
    // Released a moment ago by another thread: there is nothing left to say how its result looks.
    let Some(callback) = handle.callback() else { return };
    let run = || {
        if callback.queued {
            enqueue(handle.shared, &callback, frame);
            return true;
        }
        match handle.shared.state() {
            Some(state) => run_plain(state, &callback.shape, frame),
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
        callback.shape.zero_result(frame);
    }
    if callback.frees {
        // SAFETY: whoever sets the flag says that C gives the arguments' memory away.
        unsafe { callback.owned.free(frame) };
    }
}

/// Runs a callback on the environment's thread, the one way or the other; whether it gave a result.
///
/// The shape is passed on where it is: a copy is read by wider loads than it was stored with, which
/// wait for the stores.
#[inline(always)]
fn run_plain(state: &State, shape: &Shape, frame: *mut u8) -> bool {
    // JavaScript says that all callbacks are idle, and may not run on this release.
    state.frame.get(LIVE) != 0
        && relay::call(state, shape, frame)
            .unwrap_or_else(|| run_here(state.scope(), state, shape, frame, false))
}

/// Copies the arguments of a queued callback and hands them over.
fn enqueue(shared: &Shared, callback: &Arc<Callback>, frame: *mut u8) {
    // SAFETY: the trampoline's frame has this many bytes.
    let frame = unsafe { std::slice::from_raw_parts(frame, callback.shape.bytes) };
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
fn run_here(scope: Scope, state: &State, shape: &Shape, frame: *mut u8, foreign: bool) -> bool {
    if state.ending.lasts() {
        return false;
    }
    let memory = &state.frame;
    if memory.get(PENDING) == CALLED_BACK {
        memory.set(PENDING, 0);
    }
    let outer = memory.get(FOREIGN);
    memory.set(FOREIGN, u32::from(foreign));
    let level = state.relay.level();
    let end = if state.calls.are_on() {
        enter(state, shape, frame, || through_v8(scope, state))
    } else {
        // The call that led here may have come from V8 directly, without a handle scope.
        let call = || enter(state, shape, frame, || through_node_api(scope, state));
        state.handles.within(scope, call).unwrap_or(End::Refused)
    };
    // What JavaScript has called in there and could not go on with ends now.
    relay::drain(state, level);
    memory.set(FOREIGN, outer);
    let has_run = matches!(end, End::Returned);
    if !has_run && state.is_idle() && memory.get(PENDING) != THROWN {
        look_later(state);
    }
    if matches!(end, End::Thrown) {
        memory.set(PENDING, THROWN);
    } else if has_run && !foreign && memory.get(PENDING) == 0 && state.relay.is_on() {
        memory.set(PENDING, CALLED_BACK);
        memory.set(ENTERED, memory.get(ENTERED).saturating_add(1));
    }
    has_run
}

/// `reportUncaught(error)`: makes it an uncaught exception.
pub fn report_uncaught(scope: Scope, _state: &State, [error]: [Value; 1]) -> Result<Value> {
    scope.report(error);
    scope.undefined()
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

/// How the JavaScript of a callback has come to its end.
enum End {
    Returned,
    /// It has thrown, or could not run, and that was thrown.
    Thrown,
    /// V8 has ended it, for instance at a time limit of `vm`. It leaves all JavaScript that it is to
    /// leave when C returns, and runs none before.
    Ended,
    /// Node runs no JavaScript any more.
    Refused,
}

/// Copies the frame to frame memory, lets `call` call the unmarshaller, copies the result back.
#[inline(always)]
fn enter(state: &State, shape: &Shape, frame: *mut u8, call: impl FnOnce() -> End) -> End {
    let memory = &state.frame;
    let (top, outer) = (memory.get(TOP), memory.get(FRAME));
    // JavaScript throws the error of frames that do not fit.
    let cells = shape.push(memory, frame);
    memory.set(CALLBACK, if cells.is_some() { shape.index } else { 0 });
    state.upcalls.set(state.upcalls.get() + 1);
    let end = call();
    state.upcalls.set(state.upcalls.get() - 1);
    memory.set(FRAME, outer);
    memory.set(TOP, top);
    if let (End::Returned, Some(cells)) = (&end, cells) {
        shape.take_result(cells, frame);
    }
    end
}

/// Lets V8 call what runs callbacks; nothing is called while an exception is pending.
#[inline(always)]
fn through_v8(scope: Scope, state: &State) -> End {
    match state.calls.run(scope) {
        Called::Returned => End::Returned,
        Called::Thrown => End::Thrown,
        Called::Ended => {
            state.ending.begin();
            End::Ended
        }
    }
}

/// Lets Node-API call it, which refuses while an exception is pending.
#[inline(always)]
fn through_node_api(scope: Scope, state: &State) -> End {
    match callback_function(state, RUN, scope).and_then(|run| scope.call(run)) {
        Ok(_) => End::Returned,
        Err(error) => failed(scope, state, &error),
    }
}

/// What it means that Node-API has not called, or that the call has failed.
#[cold]
fn failed(scope: Scope, state: &State, error: &Error) -> End {
    if !scope.exception_pending() {
        return End::Refused;
    }
    // JavaScript notes what is thrown; an end of the stack it may have had no room to note.
    let noted = state.frame.get(PENDING) == THROWN;
    if noted || !state.ending.is_known() || !scope.forget_end() {
        return thrown(scope, error);
    }
    state.ending.begin();
    End::Ended
}

/// Throws an error, unless an exception of the function itself is pending already: that stays.
#[cold]
fn thrown(scope: Scope, error: &Error) -> End {
    scope.throw(error);
    End::Thrown
}

/// Which of the functions of [`on_callbacks`].
const RUN: usize = 0;
const FORGET: usize = 1;
const OVER: usize = 2;

#[inline(always)]
fn callback_function(state: &State, which: usize, scope: Scope) -> Result<Value> {
    let functions = state.callbacks.borrow().functions.get();
    let missing = || Error::new(Code::Internal, "nothing runs callbacks");
    scope.referenced(functions.ok_or_else(missing)?[which])
}

/// Lets the event loop look whether JavaScript has ended without giving back what its calls had: it
/// is ended when it returns to it, or has never been.
#[cold]
pub fn look_later(state: &State) {
    let callbacks = state.callbacks.borrow();
    if !callbacks.looking.replace(true) && state.shared.post(Event::Over).is_err() {
        // The environment is closing.
        callbacks.looking.set(false);
    }
}

/// `giveBack()`, while no JavaScript is running that made a call: completes calls that nobody goes on
/// with, and gives back their frames.
pub fn give_back(scope: Scope, state: &State, []: [Value; 0]) -> Result<Value> {
    relay::drain(state, 0);
    state.frame.set(LEVEL, 0);
    state.frame.reset_top();
    scope.undefined()
}

/// Deals with an event on the environment's thread.
pub fn run_event(scope: Scope, state: &State, event: Event) {
    match event {
        Event::Queued(callback, mut captured) => {
            run_here(scope, state, &callback.shape, captured.frame.as_mut_ptr(), true);
            drop(captured.copies);
            if captured.keeps_alive {
                // Fails only when the environment is closing.
                let _ = state.alive.remove(scope, state.shared);
            }
            ran(scope, state, &callback);
        }
        Event::Waiting(callback, frame, waiter) => {
            if !run_here(scope, state, &callback.shape, frame.0, true) {
                callback.shape.zero_result(frame.0);
            }
            waiter.finish();
            ran(scope, state, &callback);
        }
        Event::Finished => super::task::collect_all(scope, state),
        Event::Over => {
            state.callbacks.borrow().looking.set(false);
            // It does not throw.
            let _ = callback_function(state, OVER, scope).and_then(|over| scope.call(over));
        }
    }
    scope.report_exception();
    state.frame.set(PENDING, 0);
}

/// Notes that a call that was handed over has run.
fn ran(scope: Scope, state: &State, callback: &Callback) {
    callback.pending.fetch_sub(1, Ordering::AcqRel);
    if sweep(state, callback.id) {
        state.frame.set(CALLBACK, callback.shape.index);
        // It does not throw.
        scope.with_handles(|| {
            let _ = callback_function(state, FORGET, scope).and_then(|forget| scope.call(forget));
        });
    }
}
