//! What the operating system gives: memory that is writable first and executable afterwards, or
//! through another view, and never both in one mapping.

use super::fault::{self, Step};
use crate::error::{Code, Error};
use crate::target::Os;
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
    /// These, and one that came before them.
    pub(super) fn after(mut self, first: Refusal) -> Refusals {
        self.0.insert(0, first);
        self
    }

    /// The error that a user sees: what was wanted, what failed and how, and what usually is
    /// behind it.
    pub(super) fn into_error(self, what: &str) -> Error {
        let os = crate::target::Target::host().map(|host| host.os);
        Error::new(
            Code::ExecutableMemory,
            format!(
                "the operating system refused executable memory for {what} ({}); a policy against \
                 generated code may be in force: {}",
                self.ways().join("; "),
                policies(os.unwrap_or(Os::Linux)),
            ),
        )
    }

    /// The steps and their causes, without what this system does not have if there is more to
    /// tell, and once each.
    fn ways(&self) -> Vec<String> {
        let unsupported = |r: &&Refusal| r.cause.kind() == io::ErrorKind::Unsupported;
        let (missing, refused): (Vec<_>, Vec<_>) = self.0.iter().partition(unsupported);
        let told = if refused.is_empty() { missing } else { refused };
        let mut ways: Vec<String> =
            told.iter().map(|r| format!("{}: {}", r.step.name(), r.cause)).collect();
        ways.dedup();
        ways
    }
}

/// What keeps programs from generated code on a system, in words that can be searched for.
const fn policies(os: Os) -> &'static str {
    match os {
        Os::Linux => {
            "SELinux (execmem), seccomp, systemd (MemoryDenyWriteExecute), PaX, or a sandbox"
        }
        Os::Android => "SELinux (execmem, execmod), seccomp, or a sandbox",
        Os::Darwin => {
            "the hardened runtime, under which the program that runs Node must be signed with the \
             entitlement com.apple.security.cs.allow-jit, or a sandbox"
        }
        Os::Windows => {
            "Arbitrary Code Guard (ProcessDynamicCodePolicy), set by the program itself, by its \
             parent, or by Exploit Protection"
        }
    }
}

pub(super) type Attempt<T> = Result<T, Refusal>;

/// Runs one step unless fault injection refuses it.
pub(super) fn attempt<T>(step: Step, run: impl FnOnce() -> io::Result<T>) -> Attempt<T> {
    fault::check(step).and_then(|()| run()).map_err(|cause| Refusal::new(step, cause))
}

#[cfg(any(test, target_vendor = "apple"))]
mod jit;

#[cfg(target_vendor = "apple")]
mod apple;
#[cfg(target_vendor = "apple")]
pub(super) use apple::{Segment, flush, page_size, private_code, slot_group};

#[cfg(all(unix, not(target_vendor = "apple")))]
mod unix;
#[cfg(all(unix, not(target_vendor = "apple")))]
pub(super) use unix::{Segment, flush, page_size, private_code, slot_group};

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub(super) use windows::{Segment, flush, page_size, private_code, slot_group};

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(step: Step, kind: io::ErrorKind) -> Refusal {
        Refusal::new(step, kind.into())
    }

    #[test]
    fn an_error_names_each_refusal_once() {
        use io::ErrorKind::{OutOfMemory, PermissionDenied, Unsupported};
        let all = |list: Vec<Refusal>| Refusals(list).ways();
        let denied = || refusal(Step::MapJit, PermissionDenied);
        let twice = all(vec![denied(), denied(), refusal(Step::Protect, OutOfMemory)]);
        assert_eq!(twice, ["map-jit: permission denied", "protect: out of memory"]);
        // What the system does not have is not a refusal, unless there is nothing else.
        assert_eq!(all(vec![refusal(Step::File, Unsupported), denied()]).len(), 1);
        assert_eq!(all(vec![refusal(Step::File, Unsupported)]), ["memfd: unsupported"]);
    }

    #[test]
    fn every_system_has_policies_of_its_own() {
        assert!(policies(Os::Linux).contains("MemoryDenyWriteExecute"));
        assert!(policies(Os::Android).contains("execmem"));
        assert!(policies(Os::Darwin).contains("com.apple.security.cs.allow-jit"));
        assert!(policies(Os::Windows).contains("ProcessDynamicCodePolicy"));
    }
}
