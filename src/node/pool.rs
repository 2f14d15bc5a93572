//! The threads that make calls for all environments ([decision 6], [decision 13]).
//!
//! One thread fewer than the machine has processors works at once, because JavaScript needs one as
//! well; more only when nothing moves, because calls block. A thread is told of work outside of the
//! lock, so that it does not wake up to wait for it. After a single call it sleeps at once: looking
//! for work takes the processor from the thread that has it. After several, more are on their way,
//! and it looks for some microseconds, which costs less than to be told of each.
//!
//! [decision 6]: https://github.com/ffi-jit/ffi-jit/blob/main/docs/decisions/0006-task-pool.md
//! [decision 13]: https://github.com/ffi-jit/ffi-jit/blob/main/docs/decisions/0013-relayed-callbacks.md

use super::shared::lock;
use super::task::Job;
use crate::error::{Code, Error, Result};
use std::collections::VecDeque;
use std::hint;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Threads at most, unless `limit` says otherwise. They end when they have been idle for a while.
const MAX_THREADS: usize = 64;
/// Stack of a thread at least.
const MIN_STACK: usize = 2 << 20;
/// How long a thread sleeps before it ends.
const IDLE: Duration = Duration::from_secs(5);
/// How long a thread looks for work after several calls in a row.
const WATCH: Duration = Duration::from_micros(10);
/// How often the monitor looks at a queue that does not move.
const STALL: Duration = Duration::from_millis(1);
/// How many times it looks at an empty queue before it sleeps.
const QUIET_LOOKS: u32 = 16;
/// Stack of the monitor, which calls nothing of the user's.
const MONITOR_STACK: usize = 128 << 10;

struct Pool {
    state: Mutex<PoolState>,
    changed: Condvar,
    /// Length of the queue, for threads that watch it.
    waiting: AtomicUsize,
    /// Tells the monitor that there is something to look at.
    monitor: Condvar,
}

struct PoolState {
    jobs: VecDeque<Job>,
    /// Jobs that were taken so far: tells the monitor whether the queue moves.
    taken: u64,
    threads: usize,
    /// Threads that sleep until they are told of work, and those of them that were told.
    sleeping: usize,
    called: usize,
    monitor: Monitor,
    /// Threads at most, and those that stay however long they are idle.
    max: usize,
    resident: usize,
    stack: usize,
}

/// What the monitor does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Monitor {
    /// There is none.
    None,
    /// It looks at the queue from time to time.
    Looks,
    /// It sleeps until it is told of a queue.
    Sleeps,
}

static POOL: Pool = Pool {
    state: Mutex::new(PoolState {
        jobs: VecDeque::new(),
        taken: 0,
        threads: 0,
        sleeping: 0,
        called: 0,
        monitor: Monitor::None,
        max: MAX_THREADS,
        resident: 0,
        stack: MIN_STACK,
    }),
    changed: Condvar::new(),
    waiting: AtomicUsize::new(0),
    monitor: Condvar::new(),
};

/// Sets how many threads there are at most, how many of them stay when they are idle, and the size
/// of the stacks of new ones.
pub fn limit(max: usize, resident: usize, stack: usize) {
    let mut pool = lock(&POOL.state);
    pool.max = max.max(1);
    pool.resident = resident;
    pool.stack = stack.max(MIN_STACK);
}

/// Queues a job.
///
/// # Errors
/// [`Code::OutOfMemory`] when there is no thread, and none can be had.
pub fn submit(job: Job) -> Result<()> {
    let mut pool = lock(&POOL.state);
    if pool.threads == 0 {
        pool.start_thread()?;
    }
    pool.jobs.push_back(job);
    POOL.waiting.store(pool.jobs.len(), Ordering::Relaxed);
    let is_behind = pool.awake() < eager().min(pool.max);
    let call = is_behind && pool.call_one();
    if is_behind && !call {
        // More threads are a matter of speed only.
        let _ = pool.start_thread();
    }
    // Threads that are awake may be in calls that block.
    let monitor = if is_behind { Monitor::Looks } else { pool.monitor };
    match monitor {
        Monitor::Looks => {}
        Monitor::Sleeps => pool.monitor = Monitor::Looks,
        Monitor::None => pool.start_monitor(),
    }
    drop(pool);
    if call {
        POOL.changed.notify_one();
    }
    if monitor == Monitor::Sleeps {
        POOL.monitor.notify_one();
    }
    Ok(())
}

/// Removes queued jobs, and returns them.
pub fn remove(is_unwanted: impl Fn(&Job) -> bool) -> Vec<Job> {
    let mut pool = lock(&POOL.state);
    let (removed, kept) = pool.jobs.drain(..).partition(is_unwanted);
    let kept: Vec<Job> = kept;
    pool.jobs.extend(kept);
    POOL.waiting.store(pool.jobs.len(), Ordering::Relaxed);
    removed
}

/// Number of processors; asking the system costs system calls.
fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| thread::available_parallelism().map_or(2, usize::from))
}

/// How many threads work without being asked twice.
fn eager() -> usize {
    processors().saturating_sub(1).max(1)
}

impl PoolState {
    fn pop(&mut self) -> Option<Job> {
        let job = self.jobs.pop_front()?;
        POOL.waiting.store(self.jobs.len(), Ordering::Relaxed);
        self.taken += 1;
        Some(job)
    }

    /// Threads that work, or will as soon as they have heard of it.
    fn awake(&self) -> usize {
        self.threads - self.sleeping + self.called
    }

    /// Notes that a sleeping thread is told of work; whether there is one.
    fn call_one(&mut self) -> bool {
        let any = self.called < self.sleeping;
        self.called += usize::from(any);
        any
    }

    fn start_monitor(&mut self) {
        let builder = thread::Builder::new().name("ffi-jit monitor".to_owned());
        if builder.stack_size(MONITOR_STACK).spawn(monitor).is_ok() {
            self.monitor = Monitor::Looks;
        }
    }

    fn start_thread(&mut self) -> Result<()> {
        let builder = thread::Builder::new().name("ffi-jit call".to_owned());
        let started = builder.stack_size(self.stack).spawn(work);
        started
            .map(|_| self.threads += 1)
            .map_err(|error| Error::new(Code::OutOfMemory, format!("no thread: {error}")))
    }
}

/// Calls or starts threads while jobs wait and none is taken. Sleeps when no job has waited for some
/// looks, and ends when it has slept for long.
fn monitor() {
    let mut last_taken = u64::MAX;
    let mut quiet = 0;
    loop {
        thread::sleep(STALL);
        let mut pool = lock(&POOL.state);
        if pool.jobs.is_empty() {
            quiet += 1;
            if quiet == QUIET_LOOKS {
                quiet = 0;
                pool.monitor = Monitor::Sleeps;
                let (mut pool, timeout) =
                    POOL.monitor.wait_timeout(pool, IDLE).unwrap_or_else(PoisonError::into_inner);
                if timeout.timed_out() && pool.monitor == Monitor::Sleeps {
                    pool.monitor = Monitor::None;
                    return;
                }
                pool.monitor = Monitor::Looks;
            }
            continue;
        }
        quiet = 0;
        if pool.taken == last_taken {
            // One per waiting job: all threads that are awake seem to block.
            for _ in 0..pool.jobs.len() {
                if pool.call_one() {
                    POOL.changed.notify_one();
                } else if pool.threads == pool.max || pool.start_thread().is_err() {
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
    let mut in_a_row = 0u32;
    loop {
        if let Some(job) = pool.pop() {
            drop(pool);
            job.run();
            in_a_row = in_a_row.saturating_add(1);
            pool = lock(&POOL.state);
            continue;
        }
        if in_a_row > 1 && processors() > 1 {
            drop(pool);
            let found = watch();
            pool = lock(&POOL.state);
            if found {
                continue;
            }
        }
        in_a_row = 0;
        let Some(awake) = sleep(pool) else { return };
        pool = awake;
    }
}

/// Looks for work for a while; whether there is some.
fn watch() -> bool {
    let end = Instant::now() + WATCH;
    while Instant::now() < end {
        for _ in 0..16 {
            if POOL.waiting.load(Ordering::Relaxed) != 0 {
                return true;
            }
            hint::spin_loop();
        }
    }
    false
}

/// Sleeps until there is work; None when the thread shall end.
fn sleep(mut pool: MutexGuard<'static, PoolState>) -> Option<MutexGuard<'static, PoolState>> {
    pool.sleeping += 1;
    let (mut pool, timeout) =
        POOL.changed.wait_timeout(pool, IDLE).unwrap_or_else(PoisonError::into_inner);
    pool.sleeping -= 1;
    pool.called = pool.called.saturating_sub(1);
    if timeout.timed_out() && pool.jobs.is_empty() && pool.threads > pool.resident {
        pool.threads -= 1;
        return None;
    }
    Some(pool)
}
