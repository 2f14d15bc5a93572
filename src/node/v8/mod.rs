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
//! tier does all the work. On other platforms than 64-bit Linux on x86 and ARM and 64-bit Windows on
//! x86, `nowhere.rs` takes the place of this module.

mod calls;
mod direct;
mod ending;
mod entry;
mod externals;
mod fast;
mod handles;
mod layout;
mod slow;
mod strings;
mod symbols;
mod tagged;
mod template;
mod text;
mod views;

pub use calls::{Called, Calls};
pub use direct::{Shapes, direct_entry};
pub use ending::Ending;
pub use externals::Wrappers;
pub use fast::{closed, counts, start};
pub use handles::Handles;
pub use views::found_address;
