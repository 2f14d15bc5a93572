//! A signature made ready for a target: its layouts, and the trampolines they give.

use crate::abi::{self, CallLayout};
use crate::arch;
use crate::code::{self, CodePtr};
use crate::error::{Code, Error, Result};
use crate::plan::{self, Crossing, Entry, Form, FrameLayout, Plan, Thunk};
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
        let host = Target::host()?;
        self.runs_on(&host)?;
        let plan = self.plan(entry, errno);
        // Held while the code is made: two threads that want the same plan make it once.
        let mut published = PUBLISHED.lock().unwrap_or_else(PoisonError::into_inner);
        let published = published.get_or_insert_default();
        if let Some(&code) = published.get(&plan) {
            return Ok(code);
        }
        plan::verify(&plan, &self.layout, &self.frame)?;
        let blob = arch::emit(&plan, &host)?;
        let code = code::publish(&blob, &format!("{entry:?} {}", self.signature))?;
        published.insert(plan, code);
        Ok(code)
    }

    /// The thunk for arguments and a result in certain forms, made when its plan is first seen in
    /// this process. See [`Crossing::thunk`].
    ///
    /// # Errors
    /// As there, and as [`Prepared::trampoline`].
    pub fn thunk(
        &self,
        forms: &[Form],
        result: Form,
        errno: bool,
        counted: bool,
    ) -> Result<CodePtr> {
        // A list, because there are few: an environment has a bound for them.
        static PUBLISHED: Mutex<Vec<(Thunk, CodePtr)>> = Mutex::new(Vec::new());
        let host = Target::host()?;
        self.runs_on(&host)?;
        let crossing = Crossing { signature: &self.signature, callee: &self.layout, forms, result };
        let thunk = crossing.thunk(&self.target, errno, counted)?;
        // Held while the code is made: two threads that want the same thunk make it once.
        let mut published = PUBLISHED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, code)) = published.iter().find(|(known, _)| *known == thunk) {
            return Ok(*code);
        }
        let blob = arch::emit_thunk(&thunk, &host)?;
        let code = code::publish(&blob, &format!("Thunk {}", self.signature))?;
        published.push((thunk, code));
        Ok(code)
    }

    /// Refuses what is not for a machine.
    ///
    /// Callers emit for the machine, not for `self.target`: the compiler knows it, and leaves the
    /// emitters of other ones out of a program that makes code by this alone.
    fn runs_on(&self, host: &Target) -> Result<()> {
        if self.target == *host {
            return Ok(());
        }
        let message = format!("code for {:?} cannot run here", self.target);
        Err(Error::new(Code::UnsupportedAbi, message))
    }
}
