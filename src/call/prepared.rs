//! A signature made ready for a target: its layouts, and the trampolines they give.

use crate::abi::{self, CallLayout};
use crate::arch;
use crate::code::{self, CodePtr};
use crate::error::{Code, Error, Result};
use crate::plan::{self, Entry, FrameLayout, Plan};
use crate::target::Target;
use crate::types::Signature;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Everything that follows from a signature and a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The target.
    pub target: Target,
    /// The signature.
    pub signature: Signature,
    /// Where everything travels.
    pub layout: CallLayout,
    /// The cells of a call.
    pub frame: FrameLayout,
}

impl Prepared {
    /// Classifies a signature and lays out its frame.
    ///
    /// # Errors
    /// [`Code::UnsupportedAbi`] where the target has no classifier.
    pub fn new(target: Target, signature: Signature) -> Result<Prepared> {
        let layout = abi::classify(&target, &signature)?;
        let frame = FrameLayout::new(&signature, &target.model);
        Ok(Prepared { target, signature, layout, frame })
    }

    /// [`Prepared::new`] for the running machine.
    ///
    /// # Errors
    /// As there.
    pub fn host(signature: Signature) -> Result<Prepared> {
        Prepared::new(Target::host()?, signature)
    }

    /// The plan of an entry. `errno` means nothing for upcalls.
    pub fn plan(&self, entry: Entry, errno: bool) -> Plan {
        match entry {
            Entry::Upcall => plan::upcall(&self.layout, &self.frame, &self.target),
            _ => plan::downcall(&self.layout, &self.frame, entry, errno),
        }
    }

    /// The trampoline of an entry, made when its plan is first seen in this process.
    ///
    /// # Errors
    /// [`Code::ExecutableMemory`] when the system refuses memory for code,
    /// [`Code::UnsupportedAbi`] without an emitter or for another target than the running
    /// machine, [`Code::Internal`] for a plan that does not verify.
    pub fn trampoline(&self, entry: Entry, errno: bool) -> Result<CodePtr> {
        static PUBLISHED: Mutex<Option<HashMap<Plan, CodePtr>>> = Mutex::new(None);
        if self.target != Target::host()? {
            let message = format!("code for {:?} cannot run here", self.target);
            return Err(Error::new(Code::UnsupportedAbi, message));
        }
        let plan = self.plan(entry, errno);
        // Held while the code is made: two threads that want the same plan make it once.
        let mut published = PUBLISHED.lock().unwrap_or_else(PoisonError::into_inner);
        let published = published.get_or_insert_default();
        if let Some(&code) = published.get(&plan) {
            return Ok(code);
        }
        plan::verify(&plan, &self.layout, &self.frame)?;
        let blob = arch::emit(&plan, &self.target)?;
        let code = code::publish(&blob, &format!("{entry:?} {}", self.signature))?;
        published.insert(plan, code);
        Ok(code)
    }
}
