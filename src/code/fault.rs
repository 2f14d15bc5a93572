//! Fault injection: makes chosen steps of getting executable memory fail as a security policy
//! would, so that the fallback and the error are tested on any machine.
//!
//! `FFI_JIT_DENY` names steps for the whole process, separated by commas; [`deny`] does the same
//! for one thread.

use std::cell::Cell;
use std::io;
use std::sync::OnceLock;

/// A step that can be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Making an anonymous file (on Windows: a section).
    File,
    /// Mapping a file readable and executable.
    MapShared,
    /// Making the edit view of a shared segment writable.
    Edit,
    /// Mapping anonymous memory.
    MapAnonymous,
    /// Turning anonymous memory from writable to executable.
    Protect,
    /// Mapping memory for generated code on Apple's systems (`MAP_JIT`).
    MapJit,
}

impl Step {
    const ALL: [Step; 6] =
        [Step::File, Step::MapShared, Step::Edit, Step::MapAnonymous, Step::Protect, Step::MapJit];

    /// The word in `FFI_JIT_DENY`, and what error messages call the step.
    pub const fn name(self) -> &'static str {
        match self {
            Step::File => "memfd",
            Step::MapShared => "map-shared",
            Step::Edit => "edit",
            Step::MapAnonymous => "map-anonymous",
            Step::Protect => "protect",
            Step::MapJit => "map-jit",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

thread_local! {
    static DENIED: Cell<u8> = const { Cell::new(0) };
}

fn of_process() -> u8 {
    static MASK: OnceLock<u8> = OnceLock::new();
    *MASK.get_or_init(|| {
        let list = std::env::var("FFI_JIT_DENY").unwrap_or_default();
        let named = |step: &Step| list.split(',').any(|word| word.trim() == step.name());
        Step::ALL.iter().filter(|step| named(step)).fold(0, |mask, step| mask | step.bit())
    })
}

/// Ends the denial of [`deny`] when dropped.
#[derive(Debug)]
pub struct Denial {
    before: u8,
}

impl Drop for Denial {
    fn drop(&mut self) {
        DENIED.set(self.before);
    }
}

/// Refuses steps on this thread until the guard is dropped.
#[must_use]
pub fn deny(steps: &[Step]) -> Denial {
    let before = DENIED.get();
    DENIED.set(steps.iter().fold(before, |mask, step| mask | step.bit()));
    Denial { before }
}

/// What a step's code asks first.
pub(super) fn check(step: Step) -> io::Result<()> {
    if (DENIED.get() | of_process()) & step.bit() == 0 {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::PermissionDenied, "refused by fault injection"))
    }
}
