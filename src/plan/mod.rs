//! Row 2: plans. A plan is the ordered list of moves that a trampoline makes, built from a call
//! layout for one direction; an emitter turns it into machine code line by line.
//!
//! Both directions share one picture of a call's data, the [`FrameLayout`]: one aligned cell per
//! argument in C memory form, the result cell, and the errno cell.

mod downcall;
mod frame;
mod thunk;
mod upcall;
mod verify;

pub use downcall::downcall;
pub use frame::FrameLayout;
pub use thunk::{Back, Crossing, Form, How, Maker, Step, Thunk, verify_thunk};
pub use upcall::upcall;
pub use verify::verify;

use crate::abi::{Ext, Location};
use std::fmt;

/// Memory that a plan addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Base {
    /// The call's frame: cells as [`FrameLayout`] places them.
    Frame,
    /// The outgoing stack argument area (downcall): offset from SP at the call.
    Out,
    /// The incoming stack argument area (upcall): offset from the first argument byte.
    In,
    /// What the pointer in the local slot with this index points to (upcall: by-reference
    /// arguments and the caller's result memory).
    Behind(u8),
}

/// A register or a place in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// General-purpose register by encoding.
    Int(u8),
    /// Floating-point register by encoding (see [`Location::Fp`]).
    Fp(u8),
    /// x87 stack register.
    X87(u8),
    /// A pointer-sized local slot of the trampoline (upcall: pointers to remember).
    Local(u8),
    /// Memory at a base and a byte offset.
    Mem(Base, u32),
}

impl Place {
    /// The place of a location, with stack locations relative to `area`.
    fn of(loc: Location, area: Base) -> Place {
        match loc {
            Location::Int(n) => Place::Int(n),
            Location::Fp(n) => Place::Fp(n),
            Location::X87(n) => Place::X87(n),
            Location::Stack(offset) => Place::Mem(area, offset),
        }
    }
}

/// One step of a trampoline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Moves `len` bytes. Register to memory, memory to register, or between memory of up to
    /// one register's size. Exactly `len` bytes of memory are touched. `ext` widens what arrives
    /// in an integer register or a slot.
    Move {
        /// Source.
        from: Place,
        /// Destination.
        to: Place,
        /// Number of bytes: 1 to 8 for `Int`, 4 or 8 (any up to 8 on the memory side of a
        /// partial eightbyte) for `Fp`, 4 or 8 for `X87`, pointer size for `Local`.
        len: u32,
        /// Widening.
        ext: Ext,
    },
    /// Copies `len` bytes of memory, any number; the two do not overlap.
    Copy {
        /// Source.
        from: (Base, u32),
        /// Destination.
        to: (Base, u32),
        /// Number of bytes.
        len: u32,
    },
    /// Puts the address of memory into a register, slot or outgoing memory.
    Address {
        /// The memory.
        of: (Base, u32),
        /// Where its address goes.
        to: Place,
    },
    /// Puts the number of vector registers into `al` (SysV64 variadic calls).
    VectorCount(u8),
    /// Calls the target (downcall) or the dispatcher (upcall). Everything before it loads
    /// arguments, everything after it stores results.
    Call,
    /// Copies the thread's errno, whose address the record holds, into the frame (4 bytes).
    SaveErrno {
        /// Frame offset.
        to: u32,
    },
}

/// Where a downcall trampoline finds its frame and its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Entry {
    /// `extern "C" fn(frame: *mut u8, record: *const CallRecord)`.
    Direct,
    /// Entered from a code slot with the record in the slot register; the frame's address is in
    /// the record. Returns 0 in the integer return register (to Node-API: undefined).
    Fixed,
    /// As `Fixed`, but the frame is at the record's base plus the 32-bit offset in the record's
    /// frame cell.
    Stacked,
    /// An upcall: entered by C from a code slot with the record in the slot register; the frame
    /// is on the trampoline's own stack and given to the dispatcher.
    Upcall,
}

/// Everything an emitter needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Plan {
    /// How the trampoline is entered.
    pub entry: Entry,
    /// The steps, in order.
    pub ops: Vec<Op>,
    /// Bytes to reserve for the outgoing area, a multiple of `stack_align`.
    pub out_bytes: u32,
    /// Alignment of SP at the call.
    pub stack_align: u32,
    /// Size of the frame; an upcall keeps it on the stack.
    pub frame_bytes: u32,
    /// Alignment of the frame.
    pub frame_align: u32,
    /// Number of local slots.
    pub locals: u8,
    /// Bytes that this trampoline itself pops when it returns (upcalls of callee-pops
    /// conventions); what a downcall's target pops needs no number, because SP is restored from
    /// the frame pointer.
    pub pops: u32,
}

/// One op per line: the form of the golden listings.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:?} frame {}@{} out {}@{} locals {} pops {}",
            self.entry,
            self.frame_bytes,
            self.frame_align,
            self.out_bytes,
            self.stack_align,
            self.locals,
            self.pops
        )?;
        self.ops.iter().try_for_each(|op| writeln!(f, "  {op:?}"))
    }
}
