//! Relays: the quickest way from C into JavaScript, for functions that call back.
//!
//! Entering JavaScript from C costs V8 forty nanoseconds: it saves its state, makes a frame,
//! checks for interrupts. JavaScript that calls C and returns costs three. So the C function runs
//! on a fiber. When it calls back, the fiber is left, and the JavaScript that made the call goes on
//! as if C had returned; it sees in the PENDING cell that it has not, runs the callback itself, and
//! resumes the fiber (`js/core/relay.js`). V8 never sees JavaScript inside of a call of C.
//!
//! ```text
//! thread's stack    marshaller -> enter      relay() -> callback -> resume      ...
//! fiber's stack                   C, upcall ^                        C goes on ^
//! ```
//!
//! A function gets a fiber once it was seen to call back ([`promote`]); its slot then jumps to
//! `entry::enter`. C that calls back from anywhere else enters JavaScript as before.
//!
//! JavaScript that ends without being able to say so (a worker that is terminated inside a
//! callback) leaves its fiber suspended. The call is then completed, with zero as the result of
//! its callbacks, when a call further out goes on, or when the environment ends ([`drain`]).

mod entry;

pub use entry::upcall;

use super::callback::{Handle, Shape};
use super::env::State;
use super::frame::{self, CALLBACK, CALLER, FAILED, FOREIGN, FRAME, LEVEL, PENDING, TOP, UPCALL};
use super::function::{self, token};
use super::shared::lock;
use super::value::{Scope, Value};
use crate::call::{CallRecord, Fiber, FiberList, Outcome, fibers_supported};
use crate::code::Slot;
use crate::error::Result;
use std::cell::{Cell, OnceCell};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Calls that may be suspended at a time; further ones run on the thread's stack.
const MAX_SUSPENDED: u32 = 64;

/// What an environment keeps for its relays.
#[derive(Default)]
pub struct Relay {
    /// Calls that wait for a callback of theirs, the innermost first, and how many there are.
    suspended: FiberList,
    level: Cell<u32>,
    idle: FiberList,
    /// Callbacks of the call that was made last: of the running one, if none was made inside of it.
    row: Cell<u16>,
    /// Whether an exception waits for the running call's end: its callbacks are not run.
    failing: Cell<bool>,
    /// Whether no function shall run on a fiber (any more).
    off: Cell<bool>,
    /// The slot behind which the resumption is.
    resume: OnceCell<Slot>,
}

/// Fibers that ended environments have left.
static IDLE: Mutex<Vec<&'static Fiber>> = Mutex::new(Vec::new());

/// The fiber that runs C now, as other threads may see it.
#[derive(Default)]
pub struct Running(AtomicPtr<Fiber>);

impl Running {
    fn set(&self, fiber: Option<&'static Fiber>) {
        let fiber = fiber.map_or(ptr::null_mut(), |fiber| ptr::from_ref(fiber).cast_mut());
        self.0.store(fiber, Ordering::Relaxed);
    }

    /// The fiber, which is only for the environment's thread.
    fn get(&self) -> Option<&'static Fiber> {
        // SAFETY: fibers are immortal.
        unsafe { self.0.load(Ordering::Relaxed).as_ref() }
    }
}

/// `startRelay()` -> the token that resumes the call that was left last; undefined where there are no
/// relays.
///
/// # Errors
/// When there is no executable memory.
pub fn start(scope: Scope, state: &State, []: [Value; 0]) -> Result<Value> {
    if !fibers_supported() {
        return scope.undefined();
    }
    if state.relay.resume.get().is_none() {
        let slot = Slot::allocate()?;
        let record = CallRecord::of(slot.record());
        state.frame.set_state(ptr::from_ref(state).cast());
        record.frame_cell.store(state.frame.control(FRAME), Ordering::Relaxed);
        record.redirect(entry::resume as *const _);
        let _ = state.relay.resume.set(slot);
    }
    let slot = state.relay.resume.get().expect("just set");
    scope.number(token(CallRecord::of(slot.record())))
}

/// `stopRelay()`: functions run on the thread's stack from now on.
///
/// # Errors
/// As Node-API.
pub fn stop(scope: Scope, state: &State, []: [Value; 0]) -> Result<Value> {
    state.relay.off.set(true);
    scope.undefined()
}

/// `relayCalls(token, worth)`: the function behind a record calls back: it gets fibers from now on,
/// for as long as it has calls with `worth` callbacks.
///
/// # Errors
/// When a value is no number.
pub fn promote(scope: Scope, _state: &State, [token, worth]: [Value; 2]) -> Result<Value> {
    let record = function::record_of(scope.to_f64(token)?);
    // SAFETY: tokens are made for functions that live as long as the marshaller that passes them.
    let record = unsafe { &*record };
    Use { worth: scope.to_u32(worth)? as u16, quiet: 0 }.write(record);
    // Unless its library was closed.
    record.replace_body(entry::enter as *const _);
    scope.undefined()
}

/// What a promoted record notes in its spare word behind the trampoline ([`CallRecord::set`]).
#[derive(Clone, Copy)]
struct Use {
    /// How many callbacks make a call worth its fiber.
    worth: u16,
    /// How many calls were made on fibers since the last one that was.
    quiet: u16,
}

impl Use {
    fn read(record: &CallRecord) -> Use {
        let word = record.spare[1].load(Ordering::Relaxed).addr();
        Use { worth: (word >> 16) as u16, quiet: word as u16 }
    }

    fn write(self, record: &CallRecord) {
        let word = usize::from(self.worth) << 16 | usize::from(self.quiet);
        record.spare[1].store(ptr::without_provenance_mut(word), Ordering::Relaxed);
    }
}

impl Relay {
    /// Whether functions may be promoted.
    pub fn is_on(&self) -> bool {
        !self.off.get() && self.resume.get().is_some()
    }

    /// How many calls are suspended.
    pub fn level(&self) -> u32 {
        self.level.get()
    }

    /// A fiber without a call, if there is one to be had.
    fn take(&self) -> Option<&'static Fiber> {
        if self.off.get() || self.level.get() == MAX_SUSPENDED {
            return None;
        }
        self.idle.pop().or_else(make)
    }
}

/// A fiber whose stack lies below the running one's.
#[cold]
fn make() -> Option<&'static Fiber> {
    let marker = 0u8;
    let here = ptr::from_ref(&marker).addr();
    let mut idle = lock(&IDLE);
    match idle.iter().position(|fiber| fiber.is_below(here)) {
        Some(at) => Some(idle.swap_remove(at)),
        None => Fiber::new(here).ok(),
    }
}

/// The state that a record belongs to.
#[inline(always)]
fn state_of(record: &CallRecord) -> &'static State {
    let cell =
        record.frame_cell.load(Ordering::Relaxed).cast::<u8>().wrapping_add(frame::STATE - FRAME);
    // SAFETY: a record of an environment has the address of its FRAME cell, and `start` has set the
    // STATE cell. Records are entered by the environment's thread, while its state lives. What is
    // returned is used for the time of that.
    unsafe { &*cell.cast::<*const State>().read() }
}

/// Before a promoted function runs: prepares a fiber for it, and returns where to go on; null when
/// it shall run on the thread's stack.
extern "C" fn before_call(record: &'static CallRecord) -> *mut usize {
    let state = state_of(record);
    let abandoned = state.frame.get(LEVEL);
    if abandoned != 0 {
        state.frame.set(LEVEL, 0);
        state.frame.set(PENDING, 0);
        drain(state, abandoned - 1);
    }
    let Some(fiber) = state.relay.take() else { return ptr::null_mut() };
    state.shared.running.set(Some(fiber));
    state.relay.row.set(0);
    let noted = Use::read(record);
    Use { quiet: noted.quiet + 1, ..noted }.write(record);
    // SAFETY: an idle fiber, and the trampoline of this record.
    unsafe { fiber.set(record.trampoline(), record, after_call) };
    fiber.other_side()
}

/// How many calls a function makes on fibers that are not worth it, before it runs on the thread's
/// stack again.
const PATIENCE: u16 = 64;

/// After a promoted function has returned; on the fiber.
extern "C" fn after_call(fiber: &'static Fiber) {
    // SAFETY: the record of a function that is running.
    let record = unsafe { &*fiber.record() };
    let state = state_of(record);
    state.relay.failing.set(false);
    state.shared.running.set(None);
    state.relay.idle.push(fiber);
    let noted = Use::read(record);
    if noted.quiet >= PATIENCE {
        Use { quiet: 0, ..noted }.write(record);
        record.restore_body(entry::enter as *const _);
    }
}

/// Before the innermost call goes on, whose level is in the LEVEL cell: returns where; null when
/// there is none.
extern "C" fn before_resumption(record: &'static CallRecord) -> *mut usize {
    let state = state_of(record);
    let level = state.frame.get(LEVEL);
    state.frame.set(LEVEL, 0);
    drain(state, level);
    next(state).map_or(ptr::null_mut(), Fiber::other_side)
}

/// The innermost suspended call, which goes on.
#[inline(always)]
fn next(state: &State) -> Option<&'static Fiber> {
    let fiber = state.relay.suspended.pop()?;
    state.relay.level.set(state.relay.level.get() - 1);
    state.upcalls.set(state.upcalls.get() - 1);
    state.shared.running.set(Some(fiber));
    Some(fiber)
}

/// Completes calls that nobody goes on with, until `level` are left: their callbacks return zero.
#[inline(always)]
pub fn drain(state: &State, level: u32) {
    if state.relay.level.get() > level {
        complete(state, level);
    }
}

#[cold]
fn complete(state: &State, level: u32) {
    while state.relay.level.get() > level {
        let Some(fiber) = next(state) else { return };
        state.relay.failing.set(true);
        // SAFETY: it was suspended, by this thread. It is not suspended again: nothing is run.
        while unsafe { fiber.resume() } == Outcome::Suspended {}
    }
}

/// Completes all calls, when the environment ends, and leaves the fibers to others.
pub fn close(state: &State) {
    state.relay.off.set(true);
    drain(state, 0);
    let mut idle = lock(&IDLE);
    while let Some(fiber) = state.relay.idle.pop() {
        idle.push(fiber);
    }
}

/// What is kept of an upcall, on the fiber's stack, while JavaScript runs it.
#[repr(C)]
pub struct Left {
    state: *const State,
    shape: Shape,
    /// The frame on C's stack, and its copy, if that had room.
    frame: *mut u8,
    cells: Option<*mut u8>,
    outer: [u32; 3],
}

/// Control cells that belong to a level of calls.
const CELLS: [usize; 3] = [TOP, FRAME, FOREIGN];

/// Prepares an upcall for JavaScript. False when nothing may run, because an exception waits; then
/// nothing is written to `left`.
///
/// What is left is written where it stays, field by field: a copy is read by wider loads than it was
/// stored with, which wait for the stores.
///
/// # Safety
/// `left` has room for it.
#[inline(always)]
unsafe fn leave(
    state: &State,
    fiber: &'static Fiber,
    shape: &Shape,
    frame: *mut u8,
    left: *mut Left,
) -> bool {
    let relay = &state.relay;
    if relay.failing.get() {
        return false;
    }
    let memory = &state.frame;
    // SAFETY: the caller's promise.
    unsafe {
        let outer = (&raw mut (*left).outer).cast::<u32>();
        outer.write(memory.get(CELLS[0]));
        outer.add(1).write(memory.get(CELLS[1]));
        outer.add(2).write(memory.get(CELLS[2]));
    }
    // JavaScript throws the error of frames that do not fit.
    let cells = shape.push(memory, frame);
    memory.set(CALLBACK, if cells.is_some() { shape.index } else { 0 });
    memory.set(FOREIGN, 0);
    relay.suspended.push(fiber);
    if relay.level.get() != 0 {
        // Those further out may be nobody's any more.
        super::callback::look_later(state);
    }
    relay.level.set(relay.level.get() + 1);
    state.upcalls.set(state.upcalls.get() + 1);
    state.shared.running.set(None);
    // SAFETY: the record of a function that is running.
    let record = unsafe { &*fiber.record() };
    let row = relay.row.get().saturating_add(1);
    relay.row.set(row);
    let noted = Use::read(record);
    if row >= noted.worth {
        Use { quiet: 0, ..noted }.write(record);
    }
    memory.set_double(CALLER, token(record));
    memory.set(LEVEL, relay.level.get());
    memory.set(PENDING, UPCALL);
    // SAFETY: as above.
    unsafe {
        (&raw mut (*left).state).write(state);
        (&raw mut (*left).shape).write(*shape);
        (&raw mut (*left).frame).write(frame);
        (&raw mut (*left).cells).write(cells);
    }
    true
}

/// Takes the result of an upcall that was left. False when there is none; it is to be zero.
#[inline(always)]
fn back(left: &Left) -> bool {
    // SAFETY: C goes on before its environment ends.
    let state = unsafe { &*left.state };
    let memory = &state.frame;
    // One by one, as they were stored.
    memory.set(CELLS[0], left.outer[0]);
    memory.set(CELLS[1], left.outer[1]);
    memory.set(CELLS[2], left.outer[2]);
    if state.relay.failing.get() {
        return false;
    }
    if memory.get(FAILED) != 0 {
        memory.set(FAILED, 0);
        state.relay.failing.set(true);
        return false;
    }
    if let Some(cells) = left.cells {
        left.shape.take_result(cells, left.frame);
    }
    true
}

/// The short way of an upcall, from code on the fiber's own stack: fills `left`, and returns where
/// to go on; null when the long way has to be taken.
unsafe extern "C" fn before_upcall(
    handle: &'static Handle,
    frame: *mut u8,
    left: *mut Left,
) -> *mut usize {
    let prepared = || {
        // Another thread's address is on no stack of ours.
        let fiber = handle.shared().running.get().filter(|fiber| fiber.contains(frame.addr()))?;
        let state = handle.shared().own_state()?;
        // SAFETY: on the environment's thread.
        let shape = unsafe { handle.plain_shape() }?;
        // SAFETY: the entry gives room for it.
        unsafe { leave(state, fiber, shape, frame, left) }.then(|| fiber.other_side())
    };
    prepared().unwrap_or(ptr::null_mut())
}

/// The end of the short way.
extern "C" fn after_upcall(left: &Left) {
    if !back(left) {
        left.shape.zero_result(left.frame);
    }
}

/// The long way of an upcall, if C runs on a fiber. What it returns is whether the callback has
/// run; then the result cell is set.
#[inline(always)]
pub fn call(state: &State, shape: &Shape, frame: *mut u8) -> Option<bool> {
    state.shared.running.get().map(|fiber| call_on(fiber, state, shape, frame))
}

fn call_on(fiber: &'static Fiber, state: &State, shape: &Shape, frame: *mut u8) -> bool {
    let mut left = MaybeUninit::<Left>::uninit();
    // SAFETY: there is room.
    if !unsafe { leave(state, fiber, shape, frame, left.as_mut_ptr()) } {
        return false;
    }
    // SAFETY: C runs on this fiber, or on a stack of its own that it has left this one for.
    unsafe { fiber.suspend() };
    // SAFETY: `leave` has written it.
    back(unsafe { left.assume_init_ref() })
}
