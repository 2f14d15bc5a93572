//! What other threads may know of an environment: the way to its thread, and whether it is still
//! there. One per environment, never freed: C may hold a callback's address for ever.

use super::callback::{self, Event};
use super::env::State;
use super::relay::Running;
use super::sys;
use super::task;
use super::value::Scope;
use crate::error::{Code, Error, Result};
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Locks a mutex whose data stays consistent whatever panics.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The shared side of an environment.
pub struct Shared {
    /// The environment's thread, by [`thread_token`].
    thread: usize,
    /// The environment's state; null once it is gone. Only its own thread follows it.
    state: AtomicPtr<State>,
    inner: Mutex<Inner>,
    /// The fiber that the environment's thread runs C on.
    pub running: Running,
    /// Finished jobs that JavaScript has not collected.
    pub finished: task::Finished,
}

struct Inner {
    /// The thread-safe function; null once the environment is closing.
    queue: sys::napi_threadsafe_function,
    /// Foreign threads that wait for an answer.
    waiting: Vec<Arc<Waiter>>,
}

// SAFETY: a thread-safe function may be used by any thread; `Inner` is behind a mutex.
unsafe impl Send for Inner {}

/// What tells the running thread from all others that run: the address of a variable of its own.
/// Cheaper than a thread's identifier. A thread may have it again after this one has ended; by
/// then the environment of this one is gone, and its state null.
fn thread_token() -> usize {
    thread_local!(static TOKEN: u8 = const { 0 });
    TOKEN.with(|token| ptr::from_ref(token).addr())
}

/// What one foreign thread waits for.
#[derive(Default)]
pub struct Waiter {
    done: Mutex<bool>,
    changed: Condvar,
}

impl Waiter {
    /// Lets the thread go on.
    pub fn finish(&self) {
        *lock(&self.done) = true;
        self.changed.notify_all();
    }

    fn wait(&self) {
        let mut done = lock(&self.done);
        while !*done {
            done = self.changed.wait(done).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Shared {
    /// Makes the shared side of an environment, on its thread.
    ///
    /// # Errors
    /// When the environment refuses a thread-safe function.
    pub fn new(scope: Scope) -> Result<&'static Shared> {
        let shared: &'static Shared = Box::leak(Box::new(Shared {
            thread: thread_token(),
            state: AtomicPtr::new(ptr::null_mut()),
            inner: Mutex::new(Inner { queue: ptr::null_mut(), waiting: Vec::new() }),
            running: Running::default(),
            finished: task::Finished::default(),
        }));
        let context = ptr::from_ref(shared).cast_mut().cast();
        let queue = scope.threadsafe_function("ffi-jit", run_event, context)?;
        lock(&shared.inner).queue = queue;
        Ok(shared)
    }

    /// Connects or disconnects the state. Only on the environment's thread.
    pub fn attach(&self, state: *mut State) {
        self.state.store(state, Ordering::Release);
    }

    /// Whether the running thread is the environment's.
    pub fn is_here(&self) -> bool {
        thread_token() == self.thread
    }

    /// The state, on the environment's thread and while it lives.
    pub fn state(&self) -> Option<&State> {
        if !self.is_here() {
            return None;
        }
        // SAFETY: set and cleared on this thread by the state's own lifetime.
        unsafe { self.state.load(Ordering::Acquire).as_ref() }
    }

    /// The state, for a thread that is known to be the environment's.
    pub fn own_state(&self) -> Option<&State> {
        // SAFETY: as in `state`.
        unsafe { self.state.load(Ordering::Acquire).as_ref() }
    }

    /// Hands an event to the environment's thread. Gives it back when the environment is closing.
    pub fn post(&self, event: Event) -> std::result::Result<(), Event> {
        let inner = lock(&self.inner);
        self.post_to(inner.queue, event)
    }

    fn post_to(
        &self,
        queue: sys::napi_threadsafe_function,
        event: Event,
    ) -> std::result::Result<(), Event> {
        if queue.is_null() {
            return Err(event);
        }
        let data = Box::into_raw(Box::new(event));
        // SAFETY: the queue is not closing: `close` nulls it under the same lock first.
        let status = unsafe {
            sys::napi_call_threadsafe_function(
                queue,
                data.cast(),
                sys::ThreadsafeFunctionCallMode::nonblocking,
            )
        };
        if status == sys::Status::napi_ok {
            return Ok(());
        }
        // SAFETY: refused, so the box is still ours.
        Err(*unsafe { Box::from_raw(data) })
    }

    /// Hands an event to the environment's thread and waits until it is dealt with. False when
    /// the environment is closing.
    pub fn post_and_wait(&self, event: impl FnOnce(Arc<Waiter>) -> Event) -> bool {
        let waiter = Arc::new(Waiter::default());
        {
            let mut inner = lock(&self.inner);
            if self.post_to(inner.queue, event(Arc::clone(&waiter))).is_err() {
                return false;
            }
            inner.waiting.push(Arc::clone(&waiter));
        }
        waiter.wait();
        lock(&self.inner).waiting.retain(|other| !Arc::ptr_eq(other, &waiter));
        true
    }

    /// Keeps the environment's event loop alive, or no longer. Only on its thread.
    ///
    /// # Errors
    /// When the environment refuses.
    pub fn keep_alive(&self, scope: Scope, alive: bool) -> Result<()> {
        let queue = lock(&self.inner).queue;
        if queue.is_null() {
            return Ok(());
        }
        // SAFETY: on the environment's thread, with a live thread-safe function.
        let status = unsafe {
            if alive {
                sys::napi_ref_threadsafe_function(scope.raw(), queue)
            } else {
                sys::napi_unref_threadsafe_function(scope.raw(), queue)
            }
        };
        if status == sys::Status::napi_ok {
            Ok(())
        } else {
            Err(Error::new(Code::Internal, "the event loop refused"))
        }
    }

    /// Stops taking events and lets every waiting thread go, with a zero result. On the
    /// environment's thread, when it ends.
    pub fn close(&self) {
        let mut inner = lock(&self.inner);
        inner.queue = ptr::null_mut();
        for waiter in inner.waiting.drain(..) {
            waiter.finish();
        }
    }
}

/// Runs one event on the environment's thread; with a null environment, drops it.
unsafe extern "C" fn run_event(
    env: sys::napi_env,
    _function: sys::napi_value,
    context: *mut c_void,
    data: *mut c_void,
) {
    // SAFETY: `post_to` leaked the box for this call, which happens once.
    let event = *unsafe { Box::from_raw(data.cast::<Event>()) };
    // SAFETY: `new` gave the leaked shared side as the context.
    let shared = unsafe { &*context.cast::<Shared>() };
    if !env.is_null()
        && let Some(state) = shared.state()
    {
        callback::run_event(Scope::new(env), state, event);
    }
}

/// Counts what keeps an event loop alive: unreleased callbacks and running calls.
#[derive(Default)]
pub struct Alive {
    count: Cell<u32>,
}

impl Alive {
    /// One more.
    ///
    /// # Errors
    /// As [`Shared::keep_alive`].
    pub fn add(&self, scope: Scope, shared: &Shared) -> Result<()> {
        if self.count.get() == 0 {
            shared.keep_alive(scope, true)?;
        }
        self.count.set(self.count.get() + 1);
        Ok(())
    }

    /// One less.
    ///
    /// # Errors
    /// As [`Shared::keep_alive`].
    pub fn remove(&self, scope: Scope, shared: &Shared) -> Result<()> {
        let left = self.count.get().saturating_sub(1);
        self.count.set(left);
        if left == 0 { shared.keep_alive(scope, false) } else { Ok(()) }
    }
}
