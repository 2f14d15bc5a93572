//! Row 1: classifiers. A classifier is a pure function (target, signature) -> [`CallLayout`] in
//! two visible steps: how a value is passed, then where its pieces go.

mod cursor;
mod location;
mod sysv64;

pub use location::{CallLayout, Ext, Location, Passing, Piece, Returning};

use crate::error::{Code, Error, Result};
use crate::target::{Arch, Os, Target};
use crate::types::{Convention, Signature};

/// The rule set that a convention resolves to on a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Abi {
    /// System V AMD64 (also macOS and Android on x86-64).
    SysV64,
}

impl Abi {
    /// The ABI of a convention on a target.
    ///
    /// # Errors
    /// [`Code::UnsupportedAbi`] where no classifier exists.
    pub fn of(_convention: Convention, target: &Target) -> Result<Abi> {
        match (target.arch, target.os) {
            (Arch::X64, Os::Linux | Os::Android | Os::Darwin) => Ok(Abi::SysV64),
            (arch, os) => {
                Err(Error::new(Code::UnsupportedAbi, format!("no classifier for {arch:?} {os:?}")))
            }
        }
    }

    /// Size of a pointer in bytes.
    pub const fn pointer_size(self) -> u32 {
        match self {
            Abi::SysV64 => 8,
        }
    }

    /// Distance of consecutive [`Location::Fp`] numbers in bytes: how they overlap.
    pub const fn fp_register_stride(self) -> u32 {
        match self {
            Abi::SysV64 => 16,
        }
    }

    /// Names of the general-purpose registers by encoding.
    pub const fn int_register_names(self) -> &'static [&'static str] {
        match self {
            Abi::SysV64 => &[
                "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11",
                "r12", "r13", "r14", "r15",
            ],
        }
    }

    /// What a floating-point register's number is written behind.
    pub const fn fp_register_prefix(self) -> &'static str {
        match self {
            Abi::SysV64 => "xmm",
        }
    }
}

/// Classifies a signature: where everything travels when it is called on `target`.
///
/// # Errors
/// [`Code::UnsupportedAbi`] where no classifier exists.
pub fn classify(target: &Target, signature: &Signature) -> Result<CallLayout> {
    match Abi::of(signature.convention, target)? {
        Abi::SysV64 => Ok(sysv64::classify(target, signature)),
    }
}
