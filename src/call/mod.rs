//! Row 5: calls without JavaScript. A [`Prepared`] signature gives trampolines; a [`Downcall`]
//! runs one over a [`Frame`]; an [`Upcall`] is a C function pointer that runs Rust; a [`Library`]
//! gives addresses. A [`Fiber`] runs a call on a stack of its own.

pub mod errno;
pub(crate) mod fiber;
mod frame;
mod invoke;
mod library;
mod prepared;
mod records;
#[cfg(all(test, target_os = "linux", target_arch = "x86_64"))]
mod tests;
mod upcall;

pub use fiber::{Fiber, FiberList, Outcome, supported as fibers_supported};
pub use frame::{Cell, Frame, FrameView};
pub use invoke::Downcall;
pub use library::{Library, OpenOptions};
pub use prepared::Prepared;
pub use records::{CallRecord, CallTarget, UpcallRecord};
pub use upcall::{Closure, Dispatch, Upcall};
