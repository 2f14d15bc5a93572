//! Row 0: what a target is. A plain value made from a triple, so that every rule that depends on
//! it can be run and tested on any host.

mod model;

pub use model::{DataModel, IntModel};

use crate::error::{Code, Error, Result};
use target_lexicon::{
    Architecture, ArmArchitecture, Environment, OperatingSystem, Triple, X86_32Architecture,
};

/// Instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arch {
    /// x86-64.
    X64,
    /// 32-bit x86.
    X86,
    /// 64-bit ARM.
    Aarch64,
    /// 32-bit ARM with the hard-float (VFP) procedure call standard.
    Arm32,
}

/// Operating system family, as far as calling conventions and data models care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Os {
    /// Linux (glibc or musl), the BSDs and everything else that follows System V.
    Linux,
    /// Android (bionic): System V rules, kept apart for packaging and memory policy.
    Android,
    /// macOS and iOS.
    Darwin,
    /// Windows.
    Windows,
}

/// C compiler family of a Windows target; elsewhere [`Toolchain::Gnu`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Toolchain {
    /// GCC and Clang conventions.
    Gnu,
    /// Microsoft conventions.
    Msvc,
}

/// A target: everything that layouts, classifiers and emitters may depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Instruction set.
    pub arch: Arch,
    /// Operating system family.
    pub os: Os,
    /// C compiler family.
    pub toolchain: Toolchain,
    /// Sizes and alignments of C types.
    pub model: DataModel,
}

impl Target {
    /// A target from its parts; the data model follows from them.
    pub const fn new(arch: Arch, os: Os, toolchain: Toolchain) -> Self {
        Target { arch, os, toolchain, model: DataModel::of(arch, os) }
    }

    /// The target that a triple names.
    ///
    /// # Errors
    /// [`Code::UnsupportedAbi`] for architectures without a classifier (and soft-float ARM).
    pub fn from_triple(triple: &Triple) -> Result<Self> {
        Self::known(triple).ok_or_else(|| unsupported(triple))
    }

    /// The same, which the compiler can do for the machine that it compiles for.
    const fn known(triple: &Triple) -> Option<Self> {
        let arch = match triple.architecture {
            Architecture::X86_64 | Architecture::X86_64h => Arch::X64,
            Architecture::X86_32(
                X86_32Architecture::I386 | X86_32Architecture::I586 | X86_32Architecture::I686,
            ) => Arch::X86,
            Architecture::Aarch64(_) => Arch::Aarch64,
            Architecture::Arm(
                ArmArchitecture::Arm
                | ArmArchitecture::Armv6
                | ArmArchitecture::Armv7
                | ArmArchitecture::Armv7a
                | ArmArchitecture::Armv8
                | ArmArchitecture::Armv8a,
            ) if matches!(triple.environment, Environment::Gnueabihf | Environment::Musleabihf) => {
                Arch::Arm32
            }
            _ => return None,
        };
        let os = match (triple.operating_system, triple.environment) {
            (OperatingSystem::Windows, _) => Os::Windows,
            (_, Environment::Android) => Os::Android,
            (
                OperatingSystem::Linux
                | OperatingSystem::Freebsd
                | OperatingSystem::Openbsd
                | OperatingSystem::Netbsd,
                _,
            ) => Os::Linux,
            (
                OperatingSystem::Darwin(_) | OperatingSystem::MacOSX(_) | OperatingSystem::IOS(_),
                _,
            ) => Os::Darwin,
            _ => return None,
        };
        let msvc = matches!(os, Os::Windows) && matches!(triple.environment, Environment::Msvc);
        let toolchain = if msvc { Toolchain::Msvc } else { Toolchain::Gnu };
        Some(Target::new(arch, os, toolchain))
    }

    /// The target whose libraries this one calls. On 32-bit Windows that follows Microsoft's
    /// conventions, whichever compiler made us: the system's own libraries and most others do
    /// (the two differ in how small records of floats are returned, and in over-aligned ones).
    ///
    /// # Errors
    /// As [`Target::from_triple`].
    #[inline]
    pub fn host() -> Result<Self> {
        const TRIPLE: &Triple = &target_lexicon::HOST;
        const HOST: Option<Target> = Target::known(TRIPLE);
        HOST.map(Target::of_system).ok_or_else(|| unsupported(TRIPLE))
    }

    /// The same target with the conventions of the system's own libraries.
    const fn of_system(self) -> Self {
        match self.os {
            Os::Windows => Target { toolchain: Toolchain::Msvc, ..self },
            _ => self,
        }
    }

    /// Size of a pointer in bytes.
    pub const fn pointer_size(&self) -> u32 {
        self.model.pointer
    }
}

#[cold]
fn unsupported(triple: &Triple) -> Error {
    Error::new(Code::UnsupportedAbi, format!("no calling convention for {triple}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    fn target(triple: &str) -> Result<Target> {
        Target::from_triple(&Triple::from_str(triple).expect("a triple"))
    }

    #[test]
    fn triples_name_targets() {
        let cases = [
            ("x86_64-unknown-linux-gnu", Arch::X64, Os::Linux, Toolchain::Gnu),
            ("x86_64-unknown-linux-musl", Arch::X64, Os::Linux, Toolchain::Gnu),
            ("x86_64-pc-windows-msvc", Arch::X64, Os::Windows, Toolchain::Msvc),
            ("x86_64-pc-windows-gnu", Arch::X64, Os::Windows, Toolchain::Gnu),
            ("x86_64-apple-darwin", Arch::X64, Os::Darwin, Toolchain::Gnu),
            ("aarch64-apple-darwin", Arch::Aarch64, Os::Darwin, Toolchain::Gnu),
            ("aarch64-linux-android", Arch::Aarch64, Os::Android, Toolchain::Gnu),
            ("armv7-unknown-linux-gnueabihf", Arch::Arm32, Os::Linux, Toolchain::Gnu),
            ("i686-unknown-linux-gnu", Arch::X86, Os::Linux, Toolchain::Gnu),
            ("i686-pc-windows-gnu", Arch::X86, Os::Windows, Toolchain::Gnu),
        ];
        for (triple, arch, os, toolchain) in cases {
            assert_eq!(target(triple).unwrap(), Target::new(arch, os, toolchain), "{triple}");
        }
    }

    #[test]
    fn systems_have_conventions_of_their_own() {
        let ours = |triple| target(triple).unwrap().of_system().toolchain;
        assert_eq!(ours("i686-pc-windows-gnu"), Toolchain::Msvc);
        assert_eq!(ours("i686-pc-windows-msvc"), Toolchain::Msvc);
        assert_eq!(ours("x86_64-unknown-linux-gnu"), Toolchain::Gnu);
    }

    #[test]
    fn unknown_targets_are_refused() {
        for triple in
            ["riscv64gc-unknown-linux-gnu", "armv7-unknown-linux-gnueabi", "wasm32-wasip1"]
        {
            assert_eq!(target(triple).unwrap_err().code, Code::UnsupportedAbi, "{triple}");
        }
    }
}
