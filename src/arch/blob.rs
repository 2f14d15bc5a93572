//! What an emitter hands over.

/// Position-independent machine code of one trampoline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// The code. Execution starts at its first byte.
    pub code: Vec<u8>,
    /// What unwinders need.
    pub unwind: Unwind,
}

/// The frame a trampoline builds, for unwind tables. All trampolines keep a frame pointer: behind
/// `set_fp` the caller's frame follows from it, whatever SP is. (For Windows: `saved` registers
/// are `UWOP_SAVE_NONVOL`, because they lie below the frame pointer.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwind {
    /// Code offset behind the instruction that pushes the caller's frame pointer.
    pub pushed_fp: u8,
    /// Code offset behind the instruction that sets the frame pointer.
    pub set_fp: u8,
    /// Registers saved below the frame pointer: (machine encoding, offset below the frame
    /// pointer in bytes, code offset behind the saving instruction).
    pub saved: Vec<(u8, u32, u8)>,
}
