//! Handle scopes of V8's own, on the stack. Node-API allocates each of its own.

use super::layout::Release;
use super::symbols::{Opaque, ScopeSymbols, Symbols};
use crate::node::value::Scope;
use std::cell::Cell;
use std::ffi::c_void;
use std::mem::MaybeUninit;

/// How an environment opens handle scopes: through Node-API, until V8 is known.
#[derive(Default)]
pub struct Handles(Cell<Option<Scopes>>);

/// What opens and closes the scopes of an isolate.
#[derive(Clone, Copy)]
pub struct Scopes {
    isolate: Opaque,
    how: How,
}

#[derive(Clone, Copy)]
enum How {
    /// Constructor and destructor of `HandleScope`.
    Class {
        open: unsafe extern "C" fn(*mut c_void, Opaque),
        close: unsafe extern "C" fn(*mut c_void),
    },
    /// What the headers of the release have addons do by themselves.
    Inline { data: *mut Data, delete_extensions: unsafe extern "C" fn(*mut c_void, Opaque) },
}

/// `v8::internal::HandleScopeData`, from `v8-internal.h`.
#[repr(C)]
struct Data {
    next: *mut usize,
    limit: *mut usize,
    level: i32,
    sealed_level: i32,
}

/// Room for a `v8::HandleScope`, which has three words in every known release, and one more where V8
/// was built with checks.
pub type Room = MaybeUninit<[usize; 8]>;

/// A scope that is open. It is not moved: V8 closes it where it opened it.
pub struct Open<'a> {
    room: &'a mut Room,
    scopes: Scopes,
}

impl Scopes {
    /// How this release opens scopes; None when it is done in another way than is known.
    fn find(symbols: &Symbols, release: &Release, isolate: Opaque) -> Option<Scopes> {
        let Some(offset) = release.handle_data else {
            let ScopeSymbols { open, close } = ScopeSymbols::find().ok()?;
            return Some(Scopes { isolate, how: How::Class { open, close } });
        };
        let delete_extensions = ScopeSymbols::delete_extensions().ok()?;
        let data = isolate.cast::<u8>().wrapping_add(offset).cast::<Data>();
        // SAFETY: a Node-API callback is running, with a handle scope; what lies there in an isolate of
        // this release the headers say.
        let as_expected = unsafe {
            let before = Data { ..data.read() };
            let made = symbols.context(isolate).cast::<usize>();
            let after = data.read();
            // The first handle of a block has another place than behind the last one.
            (before.next == before.limit || made == before.next)
                && after.next == made.wrapping_add(1)
                && after.next <= after.limit
                && (1..1 << 20).contains(&after.level)
                && after.sealed_level <= after.level
        };
        as_expected.then_some(Scopes { isolate, how: How::Inline { data, delete_extensions } })
    }

    /// Opens a scope.
    ///
    /// # Safety
    /// On the isolate's thread, while it lives.
    #[inline(always)]
    pub unsafe fn open(self, room: &mut Room) -> Open<'_> {
        let words = room.as_mut_ptr();
        // SAFETY: the caller's promise. The room is large enough, and stays where it is until the
        // scope is closed.
        unsafe {
            match self.how {
                How::Class { open, .. } => open(words.cast(), self.isolate),
                How::Inline { data, .. } => {
                    words.cast::<[*mut usize; 2]>().write([(*data).next, (*data).limit]);
                    (*data).level += 1;
                }
            }
        }
        Open { room, scopes: self }
    }
}

impl Drop for Open<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        let words = self.room.as_mut_ptr();
        // SAFETY: opened in this room, and scopes are closed in the reverse order of being opened.
        unsafe {
            match self.scopes.how {
                How::Class { close, .. } => close(words.cast()),
                How::Inline { data, delete_extensions } => {
                    let [next, limit] = words.cast::<[*mut usize; 2]>().read();
                    (*data).next = next;
                    (*data).level -= 1;
                    if (*data).limit != limit {
                        (*data).limit = limit;
                        // A method that does not look at its object.
                        delete_extensions(words.cast(), self.scopes.isolate);
                    }
                }
            }
        }
    }
}

impl Handles {
    /// Notes that V8 is known; `isolate` is the environment's, and a Node-API callback is running.
    pub fn start(&self, symbols: &Symbols, release: &Release, isolate: Opaque) {
        self.0.set(Scopes::find(symbols, release, isolate));
    }

    /// What opens V8's own scopes, if that is known.
    pub fn scopes(&self) -> Option<Scopes> {
        self.0.get()
    }

    /// Runs code with a handle scope of its own; None when there is none to be had.
    #[inline(always)]
    pub fn within<T>(&self, scope: Scope, body: impl FnOnce() -> T) -> Option<T> {
        let Some(scopes) = self.0.get() else { return scope.with_handles(body) };
        let mut room = Room::uninit();
        // SAFETY: the isolate lives as long as its environment, on whose thread this is.
        let _open = unsafe { scopes.open(&mut room) };
        Some(body())
    }
}
