//! What the primitives of V8's tiers are on platforms without them.

use super::env::State;
use super::libraries::ClosedBody;
use super::value::{Scope, Value};
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

/// How a call of JavaScript that Node-API did not make would have come to its end.
#[allow(dead_code)]
pub enum Called {
    Returned,
    Thrown,
    Ended,
}

/// Calls of JavaScript are Node-API's.
#[derive(Default)]
pub struct Calls;

impl Calls {
    /// Nothing else can call.
    pub fn aim(&self, _scope: Scope, _function: Value, _probe: Value) {}

    /// Nothing else does.
    pub fn stop(&self) {}

    /// No: Node-API has to call.
    pub fn are_on(&self) -> bool {
        false
    }

    /// Never called: they are not on.
    pub fn run(&self, _scope: Scope) -> Called {
        Called::Thrown
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
    scope.numbers([0.0; 5].into_iter())
}
