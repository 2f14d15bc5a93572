//! The packed tier: calls that V8 makes itself, past Node-API.
//!
//! One JavaScript function, `enter(token)`, stands in front of every trampoline. It is made with
//! V8's own `FunctionTemplate::New`, with a C function that optimised code calls directly (a fast
//! API call). The token is the address of a bound function's record in the bits of a double; the
//! arguments travel in frame memory as on every tier. There is one such function per environment,
//! not one per bound function, because V8 keeps functions of templates for ever, and because a
//! call site that only ever sees one function is fast however many functions share it.
//!
//! The direct tier is the same with arguments: for every shape of calls, a function of V8's own
//! whose C function is a thunk ([`crate::plan::Thunk`]).
//!
//! What a Node-API function does and this does not: it throws what Node-API keeps pending. Who
//! calls `enter` looks at the PENDING cell afterwards, and calls `rethrow`.
//!
//! Nothing else knows V8. Where anything is not as expected, `start` says so, and the Node-API
//! tier does all the work.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod direct;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod ending;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod entry;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod externals;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod fast;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod handles;
#[cfg(any(test, all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod layout;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod slow;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod strings;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod symbols;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tagged;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod template;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod text;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod views;

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub use direct::{Shapes, direct_entry};
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub use ending::Ending;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub use externals::Wrappers;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub use fast::{closed, counts, start};
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub use handles::Handles;
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub use nowhere::{
    Ending, Handles, Shapes, Wrappers, closed, counts, direct_entry, found_address, start,
};
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub use views::found_address;

/// What the primitives are on platforms without the tier.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod nowhere {
    use super::super::env::State;
    use super::super::libraries::ClosedBody;
    use super::super::value::{Scope, Value};
    use crate::call::CallRecord;
    use crate::error::Result;

    /// `startPacked` -> why there is no such tier.
    pub fn start(scope: Scope, _state: &State, _arguments: [Value; 3]) -> Result<Value> {
        scope.string("it does not exist for this platform")
    }

    /// What Externals hold is Node-API's business.
    pub type Wrappers = ();

    /// Calls are Node-API's, which sees to JavaScript that V8 ends.
    #[derive(Default)]
    pub struct Ending;

    impl Ending {
        /// Whether V8 can be asked.
        pub fn is_known(&self) -> bool {
            false
        }

        /// Never called: V8 is not known.
        pub fn begin(&self) {}

        /// Whether no JavaScript may run.
        pub fn lasts(&self) -> bool {
            false
        }
    }

    /// Handle scopes are Node-API's.
    #[derive(Default)]
    pub struct Handles;

    impl Handles {
        /// Runs code with a handle scope of its own; None when there is none to be had.
        pub fn within<T>(&self, scope: Scope, body: impl FnOnce() -> T) -> Option<T> {
            scope.with_handles(body)
        }
    }

    /// There are no shapes.
    #[derive(Default)]
    pub struct Shapes;

    impl Shapes {
        /// Makes a record ready for the entry of a shape.
        ///
        /// # Errors
        /// Never: there is none.
        pub fn prepare(&self, _index: Option<u32>, _record: &CallRecord) -> Result<()> {
            Ok(())
        }
    }

    /// `directEntry` -> why there is none.
    pub fn direct_entry(scope: Scope, _state: &State, _arguments: [Value; 3]) -> Result<Value> {
        scope.string("it does not exist for this platform")
    }

    /// `foundAddress(value)` -> false: there are no thunks.
    ///
    /// # Errors
    /// As Node-API.
    pub fn found_address(scope: Scope, _state: &State, _value: [Value; 1]) -> Result<Value> {
        scope.boolean(false)
    }

    /// What entering a function of a closed library does: as on the only tier.
    pub fn closed() -> ClosedBody {
        ClosedBody::node_api()
    }

    /// `packedCounts()` -> nothing was entered.
    ///
    /// # Errors
    /// As Node-API.
    pub fn counts(scope: Scope, _state: &State, []: [Value; 0]) -> Result<Value> {
        scope.numbers([0.0; 4].into_iter())
    }
}
