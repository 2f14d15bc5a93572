//! The classifier's answer: where every byte of every argument and of the result travels.

use super::Abi;
use crate::types::{Scalar, Type};
use std::fmt;

/// A register or a place in the stack argument area.
///
/// Register numbers are the machine's encodings (x64: rdi is 7), so that emitters need no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    /// General-purpose register by encoding.
    Int(u8),
    /// Floating-point or vector register by encoding: xmm on x86; v on aarch64; on arm32 the
    /// number of the single-precision register (d3 is 6).
    Fp(u8),
    /// x87 stack register (st0 is 0), for x86 results.
    X87(u8),
    /// Byte offset in the stack argument area: from SP at the call instruction, home space
    /// included, so that the callee finds it behind its return address.
    Stack(u32),
}

/// How a narrow integer is widened in its register or slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ext {
    /// The other bytes are unspecified.
    None,
    /// Zero-extended to this many bytes.
    Zero(u8),
    /// Sign-extended to this many bytes.
    Sign(u8),
}

impl Ext {
    /// How a scalar narrower than `int` is widened to `bytes`; other types keep their form.
    pub(super) const fn widen(ty: &Type, bytes: u8) -> Ext {
        match ty {
            Type::Scalar(Scalar::I8 | Scalar::I16) => Ext::Sign(bytes),
            Type::Scalar(Scalar::Bool | Scalar::U8 | Scalar::U16) => Ext::Zero(bytes),
            _ => Ext::None,
        }
    }
}

/// Some bytes of a value and where they travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Piece {
    /// Offset in the value's C memory form.
    pub at: u32,
    /// Number of bytes; any number up to the register's size, or any at all on the stack.
    pub len: u32,
    /// Widening (scalars only).
    pub ext: Ext,
    /// Where they travel.
    pub loc: Location,
}

impl Piece {
    /// A piece that is not widened.
    pub(super) const fn new(at: u32, len: u32, loc: Location) -> Piece {
        Piece { at, len, ext: Ext::None, loc }
    }
}

/// How one argument is passed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Passing {
    /// It has no bytes and is not passed.
    Ignore,
    /// By value, in pieces. A byte may travel twice (Win64 variadic floats).
    Value(Vec<Piece>),
    /// By reference: a pointer to a copy that the caller owns and the callee may change. The
    /// copy is `size` bytes at a multiple of `align`.
    Reference {
        /// Where the pointer travels.
        ptr: Location,
        /// Size of the copy in bytes.
        size: u32,
        /// Alignment of the copy in bytes.
        align: u32,
    },
}

impl Passing {
    /// The pieces of a value; none for what is ignored or passed by reference.
    pub fn pieces(&self) -> &[Piece] {
        match self {
            Passing::Value(pieces) => pieces,
            Passing::Ignore | Passing::Reference { .. } => &[],
        }
    }

    /// The pieces that carry the value once: without those that repeat an earlier one's bytes.
    pub fn distinct(&self) -> impl Iterator<Item = &Piece> {
        let pieces = self.pieces();
        let repeats = |i: usize| pieces[..i].iter().any(|before| before.at == pieces[i].at);
        (0..pieces.len()).filter(move |&i| !repeats(i)).map(|i| &pieces[i])
    }
}

/// How the result comes back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Returning {
    /// There is none.
    Void,
    /// In registers.
    Value(Vec<Piece>),
    /// In memory that the caller provides (sret).
    Memory {
        /// Where the hidden pointer travels to the callee.
        ptr: Location,
        /// Where the callee hands the pointer back, if it does.
        back: Option<Location>,
        /// Size of the memory in bytes.
        size: u32,
    },
}

/// The table of locations of one signature under one ABI: read by both directions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CallLayout {
    /// The ABI it follows.
    pub abi: Abi,
    /// One entry per parameter.
    pub args: Vec<Passing>,
    /// The result.
    pub ret: Returning,
    /// Bytes of the stack argument area, home space included; not yet rounded to `stack_align`.
    pub stack_bytes: u32,
    /// Alignment of SP at the call instruction, at least the ABI's own.
    pub stack_align: u32,
    /// Bytes at the start of the area that belong to the callee (Win64 home space).
    pub home_bytes: u32,
    /// Bytes that the callee pops on return.
    pub callee_pops: u32,
    /// For a SysV64 variadic call, the number of vector registers used, which travels in `al`.
    pub vector_count: Option<u8>,
}

impl CallLayout {
    /// Whether the callee may still use memory of the call's frame while it runs: by-reference
    /// copies and a result in memory.
    pub fn keeps_frame(&self) -> bool {
        matches!(self.ret, Returning::Memory { .. })
            || self.args.iter().any(|arg| matches!(arg, Passing::Reference { .. }))
    }
}

fn stack(f: &mut fmt::Formatter<'_>, offset: u32) -> fmt::Result {
    write!(f, "[sp+{offset}]")
}

/// Formats a location with the register names of an ABI's CPU.
struct Named(Location, Abi);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Location::Int(n) => f.write_str(self.1.int_register_names()[usize::from(n)]),
            Location::Fp(n) => write!(f, "{}{n}", self.1.fp_register_prefix()),
            Location::X87(n) => write!(f, "st{n}"),
            Location::Stack(offset) => stack(f, offset),
        }
    }
}

fn pieces(f: &mut fmt::Formatter<'_>, pieces: &[Piece], abi: Abi) -> fmt::Result {
    for (i, piece) in pieces.iter().enumerate() {
        if i > 0 {
            f.write_str(" ")?;
        }
        write!(f, "[{}..{}]", piece.at, piece.at + piece.len)?;
        match piece.ext {
            Ext::None => {}
            Ext::Zero(n) => write!(f, "z{n}")?,
            Ext::Sign(n) => write!(f, "s{n}")?,
        }
        write!(f, "→{}", Named(piece.loc, abi))?;
    }
    Ok(())
}

/// One line per argument and result: the form of the golden tables.
impl fmt::Display for CallLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, arg) in self.args.iter().enumerate() {
            write!(f, "a{i}: ")?;
            match arg {
                Passing::Ignore => f.write_str("ignored")?,
                Passing::Value(list) => pieces(f, list, self.abi)?,
                Passing::Reference { ptr, size, align } => {
                    write!(f, "copy({size}@{align})→{}", Named(*ptr, self.abi))?;
                }
            }
            f.write_str("; ")?;
        }
        f.write_str("ret: ")?;
        match &self.ret {
            Returning::Void => f.write_str("void")?,
            Returning::Value(list) => pieces(f, list, self.abi)?,
            Returning::Memory { ptr, back, size } => {
                write!(f, "memory({size}) ptr→{}", Named(*ptr, self.abi))?;
                if let Some(back) = back {
                    write!(f, " back {}", Named(*back, self.abi))?;
                }
            }
        }
        write!(f, "; stack {}@{}", self.stack_bytes, self.stack_align)?;
        if self.home_bytes > 0 {
            write!(f, " home {}", self.home_bytes)?;
        }
        if self.callee_pops > 0 {
            write!(f, " pops {}", self.callee_pops)?;
        }
        if let Some(count) = self.vector_count {
            write!(f, " al={count}")?;
        }
        Ok(())
    }
}
