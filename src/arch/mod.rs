//! Row 3: emitters. An emitter is a pure function plan -> [`Blob`]: position-independent machine
//! code without relocations (targets and dispatchers are in the record that every entry gets).

mod aarch64;
pub mod arm32;
mod blob;
mod support;
#[cfg(test)]
mod thunk_tests;
mod x64;
mod x86;

pub use blob::{Blob, Unwind};

use crate::error::{Code, Error, Result};
use crate::plan::{Maker, Plan, Thunk};
use crate::target::{Arch, Os, Target};

/// Emits the machine code of a plan for a target's CPU.
///
/// # Errors
/// [`InvalidType`](crate::error::Code::InvalidType) for a call that needs more stack than threads
/// have, [`Internal`](crate::error::Code::Internal) for a plan that the CPU cannot carry out.
#[inline]
pub fn emit(plan: &Plan, target: &Target) -> Result<Blob> {
    match target.arch {
        Arch::X64 => x64::emit(plan, target),
        Arch::Aarch64 => aarch64::emit(plan),
        Arch::X86 => x86::emit(plan),
        Arch::Arm32 => arm32::emit(plan),
    }
}

/// Emits the machine code of a thunk, where there is such a thing.
///
/// # Errors
/// [`UnsupportedAbi`](crate::error::Code::UnsupportedAbi) on other targets than 64-bit Linux, and
/// for thunks with more stack arguments than they take.
#[inline]
pub fn emit_thunk(thunk: &Thunk, target: &Target) -> Result<Blob> {
    match (target.arch, target.os) {
        (Arch::X64, Os::Linux) => x64::emit_thunk(thunk),
        (Arch::Aarch64, Os::Linux) => aarch64::emit_thunk(thunk),
        (arch, os) => Err(Error::new(
            Code::UnsupportedAbi,
            format!("there are no thunks for {arch:?} {os:?}"),
        )),
    }
}

/// Emits a page of code slots: `count` entries of [`SLOT_STRIDE`] bytes. Slot `i` puts the
/// address of its record, `records + i * record_stride` bytes behind the page's first byte, into
/// the slot register (x64 r10, aarch64 x16, arm32 ip, x86 eax) and jumps to the address in the
/// record's first word.
///
/// # Errors
/// As [`emit`].
#[inline]
pub fn emit_slots(
    target: &Target,
    count: usize,
    records: usize,
    record_stride: usize,
) -> Result<Vec<u8>> {
    match target.arch {
        Arch::X64 => x64::emit_slots(count, records, record_stride),
        Arch::Aarch64 => aarch64::emit_slots(count, records, record_stride),
        Arch::X86 => x86::emit_slots(count, records, record_stride),
        Arch::Arm32 => arm32::emit_slots(count, records, record_stride),
    }
}

/// Bytes of one code slot.
pub const SLOT_STRIDE: usize = 16;

/// Field offsets of the records that trampolines read, in pointer-sized words. Row 5 defines the
/// structs and asserts that they agree.
pub mod record {
    /// All records: the address that the slot jumps to.
    pub const BODY: u32 = 0;
    /// Downcall: the C function.
    pub const TARGET: u32 = 1;
    /// Downcall: `Fixed`, the frame; `Stacked`, the base that the frame cell counts from.
    pub const FRAME: u32 = 2;
    /// Downcall, `Stacked`: address of the 32-bit cell with the frame's offset.
    pub const FRAME_CELL: u32 = 3;
    /// Downcall: address of the thread's errno.
    pub const ERRNO: u32 = 4;
    /// Downcall, thunks: what the owner knows of the shape of its calls. For a thunk that counts, its
    /// first word is the address of the counter. The next words are makers ([`super::maker_at`]).
    pub const SHAPE: u32 = 5;
    /// Downcall: the first of the owner's words.
    pub const SPARE: u32 = 6;
    /// Upcall: the dispatcher, `extern "C" fn(context: *mut c_void, frame: *mut u8)`.
    pub const DISPATCH: u32 = 1;
    /// Upcall: the dispatcher's first argument.
    pub const CONTEXT: u32 = 2;
}

/// Control cells that thunks write, in bytes from the cell that the record's
/// [`record::FRAME_CELL`] names. Row 6 asserts that they agree.
pub mod cell {
    /// Offset of the first free byte of frame memory, counted from its start (4 bytes).
    pub const TOP: u32 = 4;
    /// errno after the call (4 bytes).
    pub const ERRNO: u32 = 12;
    /// The result (8 bytes).
    pub const RESULT: u32 = 72;
}

/// Offset of a maker in what [`record::SHAPE`] points to:
/// `extern "C" fn(value: *const c_void, record: *const c_void) -> *const u8`, which returns
/// [`NOTHING`] when it cannot make an address.
pub const fn maker_at(maker: Maker) -> u32 {
    match maker {
        Maker::Text => 8,
        Maker::View => 16,
    }
}

/// The address that makers return for none. Unlike NULL, it is nobody's.
pub const NOTHING: usize = usize::MAX;

/// The most bytes of stack arguments that a thunk takes: so much needs no probes.
const MAX_THUNK_OUT: u32 = 2048;
