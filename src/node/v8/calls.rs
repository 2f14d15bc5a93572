//! The way from C into JavaScript by V8's own `Function::Call`.
//!
//! `napi_call_function` does the same behind checks of its own: whether Node may run JavaScript at
//! all, whether the function is one, whose handle has to be made of a reference first. What it keeps
//! of an exception, Node-API is told here: `napi_throw` keeps it, as if the call had been Node-API's.
//! What V8 ends without an exception is told apart by V8, and nobody keeps it.

use super::super::value::{Scope, Value};
use super::entry::{CALLED, counting};
use super::handles::{Handles, Room, Scopes};
use super::symbols::{CallSymbols, Local, Opaque};
use std::cell::{Cell, OnceCell};
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::atomic::Ordering;

/// How a call of JavaScript has come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Called {
    Returned,
    /// With an exception, which Node-API keeps.
    Thrown,
    /// V8 has ended it without one.
    Ended,
}

/// How an environment calls JavaScript: through Node-API, until V8 and the function are known.
#[derive(Default)]
pub struct Calls {
    found: Cell<Option<(Opaque, Scopes)>>,
    ready: OnceCell<Ready>,
    /// Whether what is ready is to be used.
    on: Cell<bool>,
}

/// All that a call needs.
struct Ready {
    symbols: CallSymbols,
    isolate: Opaque,
    scopes: Scopes,
    context: Global,
    function: Global,
}

/// A strong handle, which V8 keeps until it is dropped. Its address is that of a handle.
struct Global {
    slot: Local,
    dispose: unsafe extern "C" fn(Local),
}

impl Global {
    /// Of a handle of the open scope.
    ///
    /// # Safety
    /// On the isolate's thread, which lives until this is dropped.
    unsafe fn new(symbols: &CallSymbols, isolate: Opaque, local: Local) -> Global {
        // SAFETY: the caller's promise.
        let slot = unsafe { symbols.globalize(isolate, local) };
        Global { slot, dispose: symbols.dispose }
    }
}

impl Drop for Global {
    fn drop(&mut self) {
        // SAFETY: made by V8, and disposed of once, on the isolate's thread.
        unsafe { (self.dispose)(self.slot) }
    }
}

/// Room for a `v8::TryCatch`, which has six words in every known release, and as much again.
type CatchRoom = MaybeUninit<[usize; 12]>;

/// A `v8::TryCatch` that is open. It is not moved: V8 knows where it is.
struct Catch<'a> {
    room: &'a mut CatchRoom,
    symbols: &'a CallSymbols,
}

impl<'a> Catch<'a> {
    /// Opens it.
    ///
    /// # Safety
    /// On the isolate's thread, while it lives.
    #[inline(always)]
    unsafe fn new(room: &'a mut CatchRoom, symbols: &'a CallSymbols, isolate: Opaque) -> Self {
        // SAFETY: the caller's promise; the room is large enough.
        unsafe { (symbols.open_catch)(room.as_mut_ptr().cast(), isolate) };
        Catch { room, symbols }
    }

    /// What it has caught, after a call that has failed.
    #[cold]
    fn failure(&self) -> Failure {
        let this = self.room.as_ptr().cast::<c_void>();
        // SAFETY: it is open.
        unsafe {
            if (self.symbols.has_terminated)(this) {
                return Failure::End;
            }
            let exception = self.symbols.exception(this);
            if exception.is_null() { Failure::End } else { Failure::Exception(exception) }
        }
    }
}

impl Drop for Catch<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: opened in this room; these are closed in the reverse order of being opened.
        unsafe { (self.symbols.close_catch)(self.room.as_mut_ptr().cast()) }
    }
}

/// What a call that has failed has left.
enum Failure {
    Exception(Local),
    End,
}

impl Ready {
    /// Calls a function without arguments, in a handle scope of its own, and gives what comes of it to
    /// `then`.
    ///
    /// # Safety
    /// On the isolate's thread, while it lives; `function` is a handle of a function.
    #[inline(always)]
    unsafe fn call<T>(&self, function: Local, then: impl FnOnce(Result<Local, Failure>) -> T) -> T {
        let (mut scope, mut catch) = (Room::uninit(), CatchRoom::uninit());
        // SAFETY: the caller's promise. What is made in the scope is used in it.
        unsafe {
            let _scope = self.scopes.open(&mut scope);
            let result = {
                let catch = Catch::new(&mut catch, &self.symbols, self.isolate);
                let made = self.symbols.call(function, self.context.slot, function);
                if made.is_null() { Err(catch.failure()) } else { Ok(made) }
            };
            then(result)
        }
    }

    /// Whether calls do what they should: `probe` returns itself and throws itself, in turns.
    fn works(&self, probe: Value) -> bool {
        let probe = probe.cast::<c_void>();
        // SAFETY: handles of open scopes are addresses of tagged words.
        let same =
            |local: Local| unsafe { local.cast::<usize>().read() == probe.cast::<usize>().read() };
        // SAFETY: a Node-API callback is running.
        unsafe {
            self.call(probe, |result| matches!(result, Ok(local) if same(local)))
                && self.call(
                    probe,
                    |result| matches!(result, Err(Failure::Exception(local)) if same(local)),
                )
        }
    }
}

impl Calls {
    /// Notes that V8 is known: the environment's isolate, and how its handle scopes are opened.
    pub fn start(&self, isolate: Opaque, handles: &Handles) {
        self.found.set(handles.scopes().map(|scopes| (isolate, scopes)));
    }

    /// From now on, if V8 is known and calls what it should, `function` is what [`Calls::run`] calls.
    /// `probe` returns itself and throws itself, in turns. A Node-API callback must be running.
    pub fn aim(&self, scope: Scope, function: Value, probe: Value) {
        let Some((isolate, scopes)) = self.found.get() else { return };
        let Ok(symbols) = CallSymbols::find() else { return };
        // SAFETY: a Node-API callback is running, so its environment's context is entered, and a handle
        // scope open. The state is dropped before its isolate.
        let ready = unsafe {
            let context = symbols.context(isolate);
            if context.is_null() {
                return;
            }
            let context = Global::new(&symbols, isolate, context);
            let function = Global::new(&symbols, isolate, function.cast());
            Ready { symbols, isolate, scopes, context, function }
        };
        if ready.works(probe) && !scope.exception_pending() {
            self.on.set(self.ready.set(ready).is_ok());
        }
    }

    /// From now on Node-API makes the calls, which knows when there are to be none.
    pub fn stop(&self) {
        self.on.set(false);
        self.found.set(None);
    }

    /// Whether [`Calls::run`] calls; else Node-API has to.
    #[inline(always)]
    pub fn are_on(&self) -> bool {
        self.on.get()
    }

    /// Calls the function, unless Node-API keeps an exception: that is what comes of it then.
    #[inline(always)]
    pub fn run(&self, scope: Scope) -> Called {
        let Some(ready) = self.ready.get().filter(|_| !scope.exception_pending()) else {
            return Called::Thrown;
        };
        if counting() {
            CALLED.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: on the environment's thread, while its state lives; so does its isolate.
        unsafe {
            ready.call(ready.function.slot, |result| match result {
                Ok(_) => Called::Returned,
                Err(Failure::End) => Called::Ended,
                Err(Failure::Exception(exception)) => {
                    scope.throw_value(exception.cast());
                    Called::Thrown
                }
            })
        }
    }
}
