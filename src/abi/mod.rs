//! Row 1: classifiers. A classifier is a pure function (target, signature) -> [`CallLayout`] in
//! two visible steps: how a value is passed, then where its pieces go.

mod aapcs32;
mod aapcs64;
mod aggregate;
mod cursor;
mod location;
mod sysv64;
mod win64;
mod x86;

pub use aapcs64::Aapcs64;
pub use location::{CallLayout, Ext, Location, Passing, Piece, Returning};
pub use x86::{X86, X86System};

use crate::error::{Code, Error, Result};
use crate::target::{Arch, Os, Target, Toolchain};
use crate::types::{Convention, Signature};

/// The rule set that a convention resolves to on a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Abi {
    /// System V AMD64 (also macOS and Android on x86-64).
    SysV64,
    /// Microsoft x64.
    Win64,
    /// 64-bit ARM.
    Aapcs64(Aapcs64),
    /// 32-bit ARM, VFP variant (hard float).
    Aapcs32Vfp,
    /// 32-bit x86.
    X86(X86),
}

impl Abi {
    /// The ABI of a convention on a target. Conventions mean something on 32-bit x86 only;
    /// elsewhere compilers ignore them.
    ///
    /// # Errors
    /// [`Code::UnsupportedAbi`] where no classifier exists.
    pub fn of(convention: Convention, target: &Target) -> Result<Abi> {
        let x86 = |system| Ok(Abi::X86(X86 { system, convention }));
        match (target.arch, target.os) {
            (Arch::X64, Os::Linux | Os::Android | Os::Darwin) => Ok(Abi::SysV64),
            (Arch::X64, Os::Windows) => Ok(Abi::Win64),
            (Arch::Aarch64, Os::Linux | Os::Android) => Ok(Abi::Aapcs64(Aapcs64::Linux)),
            (Arch::Aarch64, Os::Darwin) => Ok(Abi::Aapcs64(Aapcs64::Darwin)),
            (Arch::Aarch64, Os::Windows) => Ok(Abi::Aapcs64(Aapcs64::Windows)),
            (Arch::Arm32, Os::Linux | Os::Android) => Ok(Abi::Aapcs32Vfp),
            (Arch::X86, Os::Linux | Os::Android) => x86(X86System::SysV),
            (Arch::X86, Os::Windows) if target.toolchain == Toolchain::Msvc => x86(X86System::Msvc),
            (Arch::X86, Os::Windows) => x86(X86System::MinGw),
            (Arch::X86 | Arch::Arm32, os) => Err(Error::new(
                Code::UnsupportedAbi,
                format!("no classifier for {:?} {os:?}", target.arch),
            )),
        }
    }

    /// Size of a pointer in bytes.
    pub const fn pointer_size(self) -> u32 {
        match self {
            Abi::SysV64 | Abi::Win64 | Abi::Aapcs64(_) => 8,
            Abi::Aapcs32Vfp | Abi::X86(_) => 4,
        }
    }

    /// Distance of consecutive [`Location::Fp`] numbers in bytes: how they overlap.
    pub const fn fp_register_stride(self) -> u32 {
        match self {
            Abi::SysV64 | Abi::Win64 | Abi::Aapcs64(_) | Abi::X86(_) => 16,
            Abi::Aapcs32Vfp => 4,
        }
    }

    /// Names of the general-purpose registers by encoding.
    pub const fn int_register_names(self) -> &'static [&'static str] {
        match self {
            Abi::SysV64 | Abi::Win64 => &[
                "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11",
                "r12", "r13", "r14", "r15",
            ],
            Abi::Aapcs64(_) => &[
                "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",
                "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24",
                "x25", "x26", "x27", "x28", "x29", "x30",
            ],
            Abi::Aapcs32Vfp => &[
                "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12",
                "sp", "lr", "pc",
            ],
            Abi::X86(_) => &["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"],
        }
    }

    /// What a floating-point register's number is written behind.
    pub const fn fp_register_prefix(self) -> &'static str {
        match self {
            Abi::SysV64 | Abi::Win64 | Abi::X86(_) => "xmm",
            Abi::Aapcs64(_) => "v",
            Abi::Aapcs32Vfp => "s",
        }
    }
}

/// Classifies a signature: where everything travels when it is called on `target`.
///
/// # Errors
/// [`Code::UnsupportedAbi`] where no classifier exists, or where the convention cannot express
/// the signature.
pub fn classify(target: &Target, signature: &Signature) -> Result<CallLayout> {
    match Abi::of(signature.convention, target)? {
        Abi::SysV64 => Ok(sysv64::classify(target, signature)),
        Abi::Win64 => Ok(win64::classify(target, signature)),
        Abi::Aapcs64(flavour) => Ok(aapcs64::classify(flavour, target, signature)),
        Abi::Aapcs32Vfp => Ok(aapcs32::classify(target, signature)),
        Abi::X86(variant) => x86::classify(variant, target, signature),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::parse_signature;

    fn layout(target: &Target, text: &str) -> Result<CallLayout> {
        classify(target, &parse_signature(text, &target.model).expect(text))
    }

    #[test]
    fn conventions_mean_something_on_x86_alone() {
        for arch in [Arch::X64, Arch::Aarch64] {
            let target = Target::new(arch, Os::Windows, Toolchain::Msvc);
            let plain = layout(&target, "(ptr, i32) -> f64").unwrap();
            assert_eq!(layout(&target, "stdcall (ptr, i32) -> f64").unwrap(), plain);
            assert_eq!(layout(&target, "thiscall (ptr, i32) -> f64").unwrap(), plain);
        }
        let target = Target::new(Arch::X86, Os::Windows, Toolchain::Msvc);
        assert_eq!(layout(&target, "(ptr, i32) -> f64").unwrap().callee_pops, 0);
        assert_eq!(layout(&target, "stdcall (ptr, i32) -> f64").unwrap().callee_pops, 8);
        assert_eq!(layout(&target, "thiscall (ptr, i32) -> f64").unwrap().callee_pops, 4);
        assert_eq!(layout(&target, "fastcall (ptr, i32) -> f64").unwrap().callee_pops, 0);
    }

    #[test]
    fn a_variadic_function_is_cdecl() {
        let target = Target::new(Arch::X86, Os::Windows, Toolchain::Gnu);
        let plain = layout(&target, "(ptr, ..., i32) -> struct{i32[3]}").unwrap();
        for convention in ["stdcall", "fastcall", "thiscall"] {
            let text = format!("{convention} (ptr, ..., i32) -> struct{{i32[3]}}");
            assert_eq!(layout(&target, &text).unwrap(), plain);
        }
    }

    #[test]
    fn what_no_rule_covers_is_refused() {
        let refused = |arch, os, text| {
            let target = Target::new(arch, os, Toolchain::Gnu);
            layout(&target, text).unwrap_err().code
        };
        for text in ["thiscall () -> i32", "thiscall (f64, ptr) -> i32", "thiscall (i64) -> i32"] {
            assert_eq!(refused(Arch::X86, Os::Windows, text), Code::UnsupportedAbi, "{text}");
        }
        for (arch, os) in
            [(Arch::X86, Os::Darwin), (Arch::Arm32, Os::Darwin), (Arch::Arm32, Os::Windows)]
        {
            assert_eq!(refused(arch, os, "() -> void"), Code::UnsupportedAbi, "{arch:?} {os:?}");
        }
    }
}
