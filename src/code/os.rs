//! What the operating system gives: memory that is writable first and executable afterwards, or
//! through another view, and never both in one mapping.

use super::fault::{self, Step};
use crate::error::{Code, Error};
use std::io;

/// A step that the system refused, and its reason.
#[derive(Debug)]
pub(super) struct Refusal {
    step: Step,
    cause: io::Error,
}

impl Refusal {
    pub(super) fn new(step: Step, cause: io::Error) -> Refusal {
        Refusal { step, cause }
    }
}

/// Every way that was tried.
#[derive(Debug)]
pub(super) struct Refusals(pub(super) Vec<Refusal>);

impl Refusals {
    /// The error that a user sees: what was wanted, what failed and how, and what usually is
    /// behind it.
    pub(super) fn into_error(self, what: &str) -> Error {
        let ways: Vec<String> =
            self.0.iter().map(|r| format!("{}: {}", r.step.name(), r.cause)).collect();
        Error::new(
            Code::ExecutableMemory,
            format!(
                "the operating system refused executable memory for {what} ({}); a policy against \
                 generated code may be in force: SELinux (execmem), seccomp, systemd \
                 (MemoryDenyWriteExecute), PaX, or a sandbox",
                ways.join("; ")
            ),
        )
    }
}

pub(super) type Attempt<T> = Result<T, Refusal>;

/// Runs one step unless fault injection refuses it.
pub(super) fn attempt<T>(step: Step, run: impl FnOnce() -> io::Result<T>) -> Attempt<T> {
    fault::check(step).and_then(|()| run()).map_err(|cause| Refusal::new(step, cause))
}

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(super) use unix::{Segment, flush, page_size, private_code, slot_group};

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub(super) use windows::{Segment, flush, page_size, private_code, slot_group};
