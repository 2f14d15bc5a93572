//! Data models: sizes and alignments of C types on a target.

use super::{Arch, Os};

/// Which C integer types have which width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntModel {
    /// 64-bit `long` and pointers (64-bit Unix).
    Lp64,
    /// 32-bit `long`, 64-bit pointers (64-bit Windows).
    Llp64,
    /// 32-bit `long` and pointers.
    Ilp32,
}

/// Sizes and alignments in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DataModel {
    /// Integer widths.
    pub ints: IntModel,
    /// Size and alignment of a pointer.
    pub pointer: u32,
    /// Size of `long`.
    pub long: u32,
    /// Size of `wchar_t`.
    pub wchar: u32,
    /// Whether `wchar_t` is signed.
    pub wchar_signed: bool,
    /// Alignment of `int64_t` in records.
    pub i64_align: u32,
    /// Alignment of `double` in records.
    pub f64_align: u32,
}

impl DataModel {
    /// The data model of a platform. `i386` System V aligns 8-byte scalars to 4 inside records
    /// (System V ABI, Intel386 supplement, table 2-1); every other target aligns them naturally.
    pub const fn of(arch: Arch, os: Os) -> Self {
        let ints = match (arch, os) {
            (Arch::X64 | Arch::Aarch64, Os::Windows) => IntModel::Llp64,
            (Arch::X64 | Arch::Aarch64, _) => IntModel::Lp64,
            (Arch::X86 | Arch::Arm32, _) => IntModel::Ilp32,
        };
        let pointer = if matches!(ints, IntModel::Ilp32) { 4 } else { 8 };
        let wide_align = match (arch, os) {
            (Arch::X86, Os::Windows) => 8,
            (Arch::X86, _) => 4,
            _ => 8,
        };
        DataModel {
            ints,
            pointer,
            long: if matches!(ints, IntModel::Lp64) { 8 } else { 4 },
            wchar: if matches!(os, Os::Windows) { 2 } else { 4 },
            // AAPCS (both widths) makes wchar_t unsigned on Linux; Apple keeps int.
            wchar_signed: !matches!(
                (arch, os),
                (_, Os::Windows) | (Arch::Aarch64 | Arch::Arm32, Os::Linux | Os::Android)
            ),
            i64_align: wide_align,
            f64_align: wide_align,
        }
    }
}
