//! Calls on other threads. A call's frame and scratch data are copied into a chunk of its own,
//! run by a pool of threads, and read back on the environment's thread.

use super::callback::Event;
use super::env::State;
use super::frame::{ALIGN, FRAME, SIZE, TOP};
use super::libraries;
use super::memory::numbers;
use super::pool;
use super::shared::{Shared, lock};
use super::value::{Reference, Scope, Value};
use crate::call::{CallRecord, Library, errno};
use crate::code::CodePtr;
use crate::error::{Code, Error, Result};
use crate::plan::Entry;
use std::alloc::{self, Layout};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::mem;
use std::ptr::{self, NonNull};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Memory of one call, aligned like a frame.
struct Chunk {
    data: NonNull<u8>,
    layout: Layout,
}

// SAFETY: owned memory.
unsafe impl Send for Chunk {}

impl Chunk {
    fn copy_of(source: *const u8, len: usize) -> Result<Chunk> {
        let fail = || Error::new(Code::OutOfMemory, format!("no memory of {len} bytes"));
        let layout = Layout::from_size_align(len.max(1), ALIGN).map_err(|_| fail())?;
        // SAFETY: the layout has a size.
        let data = NonNull::new(unsafe { alloc::alloc(layout) }).ok_or_else(fail)?;
        // SAFETY: the caller's `len` bytes, into as many of our own.
        unsafe { ptr::copy_nonoverlapping(source, data.as_ptr(), len) };
        Ok(Chunk { data, layout })
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout.
        unsafe { alloc::dealloc(self.data.as_ptr(), self.layout) };
    }
}

/// A call to be made on another thread.
pub struct Job {
    id: u32,
    chunk: Chunk,
    frame_bytes: usize,
    body: CodePtr,
    target: usize,
    /// Keeps the code mapped until the call has returned.
    _library: Option<Arc<Library>>,
    shared: &'static Shared,
    /// Whether nobody waits for it: neither the event loop nor the end of its environment.
    background: bool,
}

impl Job {
    /// Makes the call, and tells the environment.
    pub fn run(self) {
        self.call();
        let shared = self.shared;
        shared.finished.push(self);
    }

    fn call(&self) {
        let record =
            CallRecord::direct(ptr::with_exposed_provenance(self.target), errno::address());
        // SAFETY: the code of an `Entry::Direct` trampoline has this type.
        let trampoline = unsafe {
            mem::transmute::<*const u8, unsafe extern "C" fn(*mut u8, *const CallRecord)>(
                self.body.as_ptr(),
            )
        };
        // SAFETY: the chunk starts with the frame that the trampoline was made for; that the
        // target is a function of its signature is the user's word.
        unsafe { trampoline(self.chunk.data.as_ptr(), &record) };
    }
}

/// Finished and running jobs of an environment, as other threads see them.
#[derive(Default)]
pub struct Finished {
    inner: Mutex<FinishedInner>,
    changed: Condvar,
}

#[derive(Default)]
struct FinishedInner {
    jobs: VecDeque<Job>,
    /// Whether the environment's thread was told and has not looked yet.
    told: bool,
    /// Jobs that are queued or running.
    running: usize,
    closed: bool,
}

impl Finished {
    fn push(&self, job: Job) {
        let shared = job.shared;
        let tell = {
            let mut inner = lock(&self.inner);
            inner.running -= usize::from(!job.background);
            if inner.closed {
                self.changed.notify_all();
                return;
            }
            inner.jobs.push_back(job);
            !mem::replace(&mut inner.told, true)
        };
        if tell {
            // Refused when the environment is closing: then nobody waits for it.
            let _ = shared.post(Event::Finished);
        }
    }
}

/// What an environment keeps for its jobs.
#[derive(Default)]
pub struct Tasks {
    next: Cell<u32>,
    on_finished: Cell<Option<Reference>>,
    /// The job that JavaScript is reading the result of.
    current: RefCell<Option<Job>>,
    wait_at_exit: Cell<bool>,
}

/// `onTasks(function)`: what to call when jobs have finished; it calls `collectTask` until that
/// returns undefined.
pub fn on_finished(scope: Scope, state: &State, [function]: [Value; 1]) -> Result<Value> {
    let reference = scope.reference(function)?;
    if let Some(old) = state.tasks.on_finished.replace(Some(reference)) {
        scope.delete_reference(old);
    }
    scope.undefined()
}

/// `startTask(signature id, address, library id or -1, errno, pointers, background)` ->
/// identifier. Copies everything from the FRAME cell's frame up to TOP; `pointers` is a
/// Uint32Array of the offsets of cells that point into it, or null. Memory elsewhere is the caller's to
/// keep alive. A `background` task does not keep the event loop alive, and is not waited for.
///
/// # Errors
/// [`Code::LibraryClosed`], and when memory or threads run out.
pub fn start(scope: Scope, state: &State, arguments: [Value; 6]) -> Result<Value> {
    let [signature, address, library, save_errno, pointers, background] = arguments;
    let background = scope.to_bool(background)?;
    let prepared = state.prepared(scope.to_u32(signature)?)?;
    let target = scope.to_address(address)?;
    let library = libraries::to_id(scope, library)?.map(libraries::get).transpose()?;
    let body = prepared.trampoline(Entry::Direct, scope.to_bool(save_errno)?)?;
    let memory = &state.frame;
    let (start, end) = (memory.get(FRAME), memory.get(TOP));
    let len = (end.saturating_sub(start)) as usize;
    let source = memory.at(start, len)?;
    let chunk = Chunk::copy_of(source, len)?;
    let pointers = if scope.is_nullish(pointers)? { Vec::new() } else { numbers(scope, pointers)? };
    for cell in pointers {
        let at = cell.wrapping_sub(start) as usize;
        if at + size_of::<usize>() > len {
            return Err(Error::new(Code::Internal, "startTask: bad pointer cell"));
        }
        // SAFETY: within the chunk; the cell may be unaligned.
        unsafe {
            let cell = chunk.data.as_ptr().add(at).cast::<usize>();
            let moved = cell.read_unaligned() - source as usize + chunk.data.as_ptr() as usize;
            cell.write_unaligned(moved);
        }
    }
    let id = state.tasks.next.get();
    state.tasks.next.set(id.wrapping_add(1));
    let frame_bytes = (prepared.frame.size as usize).min(len);
    let shared = state.shared;
    let job = Job { id, chunk, frame_bytes, body, target, _library: library, shared, background };
    if background {
        pool::submit(job)?;
        return scope.number(f64::from(id));
    }
    state.alive.add(scope, shared)?;
    lock(&shared.finished.inner).running += 1;
    if let Err(error) = pool::submit(job) {
        lock(&shared.finished.inner).running -= 1;
        state.alive.remove(scope, shared)?;
        return Err(error);
    }
    scope.number(f64::from(id))
}

/// Lets JavaScript collect what has finished. What it throws is an uncaught exception, and does not
/// keep it from the rest.
pub fn collect_all(scope: Scope, state: &State) {
    lock(&state.shared.finished.inner).told = false;
    if let Some(function) = state.tasks.on_finished.get() {
        let call = || scope.referenced(function).and_then(|function| scope.call(function));
        let collect = || scope.with_handles(|| call().is_ok()).unwrap_or(false);
        loop {
            let left = lock(&state.shared.finished.inner).jobs.len();
            if collect() || !scope.exception_pending() {
                break;
            }
            scope.report_exception();
            // Where no JavaScript can run any more, none is collected. What has finished meanwhile
            // has told so.
            if lock(&state.shared.finished.inner).jobs.len() >= left {
                break;
            }
        }
    }
    state.tasks.current.borrow_mut().take();
}

/// `collectTask()` -> the identifier of a finished job, whose frame is now at TOP and named by the
/// FRAME cell, or undefined. What the result points to is valid until the next call.
pub fn collect(scope: Scope, state: &State, []: [Value; 0]) -> Result<Value> {
    let job = lock(&state.shared.finished.inner).jobs.pop_front();
    let Some(job) = job else {
        state.tasks.current.borrow_mut().take();
        return scope.undefined();
    };
    if !job.background {
        state.alive.remove(scope, state.shared)?;
    }
    let memory = &state.frame;
    let at = (memory.get(TOP) as usize).next_multiple_of(ALIGN);
    if at + job.frame_bytes <= SIZE {
        let cells = memory.at(at as u32, job.frame_bytes)?;
        // SAFETY: the chunk starts with a frame of that size; the bounds were checked.
        unsafe { ptr::copy_nonoverlapping(job.chunk.data.as_ptr(), cells, job.frame_bytes) };
    }
    memory.set(FRAME, at as u32);
    let id = job.id;
    *state.tasks.current.borrow_mut() = Some(job);
    scope.number(f64::from(id))
}

/// `waitAtExit(boolean)`: whether the end of this environment waits for running calls. A worker
/// must: the memory of its Buffers goes away with it. The main thread need not: the process ends.
pub fn wait_at_exit(scope: Scope, state: &State, [wait]: [Value; 1]) -> Result<Value> {
    state.tasks.wait_at_exit.set(scope.to_bool(wait)?);
    scope.undefined()
}

/// Ends the jobs of an environment: queued ones are dropped, running ones are waited for if the
/// environment asked for that.
pub fn close(state: &State) {
    let finished = &state.shared.finished;
    let is_ours = |job: &Job| ptr::eq(job.shared, state.shared);
    let dropped = pool::remove(is_ours).into_iter().filter(|job| !job.background).count();
    let mut inner = lock(&finished.inner);
    inner.closed = true;
    inner.jobs.clear();
    inner.running -= dropped;
    while state.tasks.wait_at_exit.get() && inner.running > 0 {
        inner = finished.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
    }
}

/// `limitTasks(max, resident, stack)`: how many threads the pool has at most, how many of them
/// stay when they are idle, and the size of the stacks of new ones, at least 2 MiB. For the whole
/// process; threads that run already stay as they are.
pub fn limit(scope: Scope, _state: &State, arguments: [Value; 3]) -> Result<Value> {
    let [max, resident, stack] = arguments;
    let (max, resident) = (scope.to_u32(max)? as usize, scope.to_u32(resident)? as usize);
    let stack = scope.to_u32(stack)? as usize;
    pool::limit(max, resident, stack);
    scope.undefined()
}
