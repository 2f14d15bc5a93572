//! Calls on other threads. A call's frame and scratch data are copied into a chunk of its own,
//! run by a pool of threads, and read back on the environment's thread.

use super::callback::Event;
use super::env::State;
use super::frame::{ALIGN, FRAME, SIZE, TOP};
use super::libraries;
use super::memory::numbers;
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
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

/// Threads of the pool at most, unless `limitTasks` says otherwise. They are shared by all
/// environments, start when all others are busy, and end when they have been idle for a while.
const MAX_THREADS: usize = 64;
/// Stack of a thread at least.
const MIN_STACK: usize = 2 << 20;
const IDLE: Duration = Duration::from_secs(5);

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
struct Job {
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
    fn run(&self) {
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
            self.changed.notify_all();
            if inner.closed {
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
/// Uint32Array of the offsets of cells that point into it. Memory elsewhere is the caller's to
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
    for cell in numbers(scope, pointers)? {
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
        submit(job)?;
        return scope.number(f64::from(id));
    }
    state.alive.add(scope, shared)?;
    lock(&shared.finished.inner).running += 1;
    if let Err(error) = submit(job) {
        lock(&shared.finished.inner).running -= 1;
        state.alive.remove(scope, shared)?;
        return Err(error);
    }
    scope.number(f64::from(id))
}

/// Lets JavaScript collect what has finished.
pub fn collect_all(scope: Scope, state: &State) {
    lock(&state.shared.finished.inner).told = false;
    if let Some(function) = state.tasks.on_finished.get() {
        // An exception stays pending, and is reported by the caller.
        let _ = scope.with_handles(|| scope.call(scope.referenced(function)?).map(|_| ()));
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
    let dropped = {
        let mut pool = lock(&POOL.state);
        let dropped = pool.jobs.iter().filter(|job| is_ours(job) && !job.background).count();
        pool.jobs.retain(|job| !is_ours(job));
        dropped
    };
    let mut inner = lock(&finished.inner);
    inner.closed = true;
    inner.jobs.clear();
    inner.running -= dropped;
    while state.tasks.wait_at_exit.get() && inner.running > 0 {
        inner = finished.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
    }
}

struct Pool {
    state: Mutex<PoolState>,
    changed: Condvar,
}

struct PoolState {
    jobs: VecDeque<Job>,
    /// Jobs that were taken so far: tells the monitor whether the queue moves.
    taken: u64,
    threads: usize,
    /// Threads that wait for work.
    idle: usize,
    /// Whether the monitor runs.
    monitored: bool,
    /// Threads at most, and those that stay however long they are idle.
    max: usize,
    resident: usize,
    stack: usize,
}

static POOL: Pool = Pool {
    state: Mutex::new(PoolState {
        jobs: VecDeque::new(),
        taken: 0,
        threads: 0,
        idle: 0,
        monitored: false,
        max: MAX_THREADS,
        resident: 0,
        stack: MIN_STACK,
    }),
    changed: Condvar::new(),
};

/// `limitTasks(max, resident, stack)`: how many threads the pool has at most, how many of them
/// stay when they are idle, and the size of the stacks of new ones, at least 2 MiB. For the whole
/// process; threads that run already stay as they are.
pub fn limit(scope: Scope, _state: &State, arguments: [Value; 3]) -> Result<Value> {
    let [max, resident, stack] = arguments;
    let (max, resident) = (scope.to_u32(max)? as usize, scope.to_u32(resident)? as usize);
    let stack = scope.to_u32(stack)? as usize;
    let mut pool = lock(&POOL.state);
    pool.max = max.max(1);
    pool.resident = resident;
    pool.stack = stack.max(MIN_STACK);
    scope.undefined()
}

/// How often the monitor looks at a queue that does not move.
const STALL: Duration = Duration::from_millis(1);

/// Queues a job. A sleeping thread is woken for it, or a thread started, as long as there are
/// fewer than the machine has processors; when all of them are busy for long (calls that block),
/// the monitor starts more.
fn submit(job: Job) -> Result<()> {
    let mut pool = lock(&POOL.state);
    if pool.idle == 0 && pool.threads < processors().min(pool.max) {
        if let Err(error) = pool.start_thread()
            && pool.threads == 0
        {
            return Err(error);
        }
    } else if pool.idle > pool.jobs.len() {
        POOL.changed.notify_one();
    }
    pool.jobs.push_back(job);
    if pool.jobs.len() > pool.idle && !pool.monitored && pool.threads < pool.max {
        let builder = thread::Builder::new().name("ffi-jit monitor".to_owned());
        pool.monitored = builder.stack_size(MONITOR_STACK).spawn(monitor).is_ok();
    }
    Ok(())
}

/// Number of processors; asking the system costs system calls.
fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| thread::available_parallelism().map_or(2, usize::from))
}

/// Stack of the monitor, which calls nothing of the user's.
const MONITOR_STACK: usize = 128 << 10;

impl PoolState {
    fn start_thread(&mut self) -> Result<()> {
        let builder = thread::Builder::new().name("ffi-jit call".to_owned());
        let started = builder.stack_size(self.stack).spawn(work);
        started
            .map(|_| self.threads += 1)
            .map_err(|error| Error::new(Code::OutOfMemory, format!("no thread: {error}")))
    }
}

/// Starts threads while jobs wait and none is taken; ends when no job waits.
fn monitor() {
    let mut last_taken = u64::MAX;
    loop {
        thread::sleep(STALL);
        let mut pool = lock(&POOL.state);
        if pool.jobs.is_empty() {
            pool.monitored = false;
            return;
        }
        if pool.taken == last_taken && pool.threads < pool.max {
            // One per waiting job: all threads that there are seem to block.
            for _ in 0..pool.jobs.len().min(pool.max - pool.threads) {
                if pool.start_thread().is_err() {
                    break;
                }
            }
        }
        last_taken = pool.taken;
    }
}

/// A thread of the pool.
fn work() {
    let mut pool = lock(&POOL.state);
    loop {
        if let Some(job) = pool.jobs.pop_front() {
            pool.taken += 1;
            drop(pool);
            job.run();
            let shared = job.shared;
            shared.finished.push(job);
            pool = lock(&POOL.state);
            continue;
        }
        pool.idle += 1;
        let (guard, timeout) =
            POOL.changed.wait_timeout(pool, IDLE).unwrap_or_else(PoisonError::into_inner);
        pool = guard;
        pool.idle -= 1;
        if timeout.timed_out() && pool.jobs.is_empty() && pool.threads > pool.resident {
            pool.threads -= 1;
            return;
        }
    }
}
