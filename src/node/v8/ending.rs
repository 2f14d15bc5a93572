//! JavaScript that V8 ends without an exception, for instance at a time limit of `vm`.
//!
//! When a callback is ended so, V8 leaves all JavaScript up to whoever asked for it as soon as C
//! returns. Until then none may run, but C may call back once more. A Node-API function lets the
//! exception that Node-API keeps of an end, `null`, see to that, and drops it when it returns. V8's
//! own functions drop nothing: what they kept would be thrown by a later call. So they ask V8.

use super::symbols::{Opaque, Symbols};
use std::cell::Cell;

/// What an environment knows of ends.
#[derive(Default)]
pub struct Ending {
    query: Cell<Option<Query>>,
    seen: Cell<bool>,
}

/// `Isolate::IsExecutionTerminating`, and the isolate of the environment.
#[derive(Clone, Copy)]
struct Query {
    is_terminating: unsafe extern "C" fn(Opaque) -> bool,
    isolate: Opaque,
}

impl Ending {
    /// Notes what is to be asked; `isolate` is the environment's.
    pub fn start(&self, symbols: &Symbols, isolate: Opaque) {
        let is_terminating = symbols.is_terminating;
        self.query.set(Some(Query { is_terminating, isolate }));
    }

    /// Whether V8 can be asked; if it cannot, Node-API sees to ends.
    pub fn is_known(&self) -> bool {
        self.query.get().is_some()
    }

    /// Notes that V8 has ended a callback.
    pub fn begin(&self) {
        self.seen.set(true);
    }

    /// Whether V8 is still leaving JavaScript, so that none may run.
    pub fn lasts(&self) -> bool {
        if !self.seen.get() {
            return false;
        }
        // SAFETY: the isolate lives as long as its environment, which is asked on its own thread.
        let lasts = self.query.get().is_some_and(|q| unsafe { (q.is_terminating)(q.isolate) });
        self.seen.set(lasts);
        lasts
    }
}
