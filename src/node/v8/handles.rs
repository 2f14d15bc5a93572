//! Handle scopes of V8's own, on the stack. Node-API allocates each of its own.

use super::symbols::{Opaque, ScopeSymbols};
use crate::node::value::Scope;
use std::cell::Cell;
use std::ffi::c_void;

/// How an environment opens handle scopes: through Node-API, until V8 is known.
#[derive(Default)]
pub struct Handles(Cell<Option<(ScopeSymbols, Opaque)>>);

/// Room for a `v8::HandleScope`, which has three words in every known release, and one more where V8
/// was built with checks.
type Room = [usize; 8];

/// A scope that is open. It is not moved: V8 closes it where it opened it.
struct Open<'a> {
    room: &'a mut Room,
    close: unsafe extern "C" fn(*mut c_void),
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        // SAFETY: opened in this room, and scopes are closed in the reverse order of being opened.
        unsafe { (self.close)(self.room.as_mut_ptr().cast()) }
    }
}

impl Handles {
    /// Notes that V8 is known; `isolate` is the environment's.
    pub fn start(&self, isolate: Opaque) {
        self.0.set(ScopeSymbols::find().ok().map(|symbols| (symbols, isolate)));
    }

    /// Runs code with a handle scope of its own; None when there is none to be had.
    #[inline(always)]
    pub fn within<T>(&self, scope: Scope, body: impl FnOnce() -> T) -> Option<T> {
        let Some((symbols, isolate)) = self.0.get() else { return scope.with_handles(body) };
        let mut room: Room = [0; 8];
        // SAFETY: the isolate lives as long as its environment, on whose thread this is; the room is
        // large enough, and stays where it is until the scope is closed.
        unsafe { (symbols.open)(room.as_mut_ptr().cast(), isolate) };
        let _open = Open { room: &mut room, close: symbols.close };
        Some(body())
    }
}
