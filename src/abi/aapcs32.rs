//! 32-bit ARM, VFP variant (Procedure Call Standard for the Arm Architecture, sections 6.4, 6.5
//! and 7.1).

use super::aggregate::{Homogeneous, whole, words};
use super::cursor::{Registers, SingleRegisters, StackArea};
use super::{Abi, CallLayout, Ext, Location, Passing, Piece, Returning};
use crate::target::{DataModel, Target};
use crate::types::{Signature, Type};

const INT_ARGS: [u8; 4] = [0, 1, 2, 3]; // r0..3
const STACK_ALIGN: u32 = 8;
const WORD: u32 = 4;

/// Step one (stage B): how a value is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// It has no bytes.
    Empty,
    /// A co-processor register candidate: one to four floating-point values.
    Floating(Homogeneous),
    /// Words in core registers, on the stack, or in both.
    General,
}

/// A variadic function follows the base standard, which knows no floating-point registers.
fn class(ty: &Type, model: &DataModel, base: bool) -> Class {
    match (ty.size(model), Homogeneous::of(ty, model)) {
        (0, _) => Class::Empty,
        (_, Some(homogeneous)) if !base => Class::Floating(homogeneous),
        _ => Class::General,
    }
}

/// Step two (stage C): the next registers and the next stacked argument address.
struct Cursor {
    ints: Registers,
    singles: SingleRegisters,
    area: StackArea,
}

impl Cursor {
    const fn new() -> Self {
        Cursor {
            ints: Registers::new(&INT_ARGS),
            singles: SingleRegisters::new(),
            area: StackArea::new(0),
        }
    }

    /// Stage C.1: the lowest free consecutive registers.
    fn floating(&mut self, h: Homogeneous, model: &DataModel) -> Option<Vec<Piece>> {
        let len = h.base.size(model);
        let width = len / WORD;
        let first = self.singles.take(h.count, width)?;
        let loc = |at: u32| Location::Fp(first + (at / WORD) as u8);
        Some(h.offsets(model).map(|at| Piece::new(at, len, loc(at))).collect())
    }

    /// Stages C.3 to C.8: core registers, an even pair for 8-byte alignment; what does not fit
    /// is split only while nothing is on the stack yet.
    fn general(&mut self, ty: &Type, model: &DataModel) -> Vec<Piece> {
        let (size, align, ext) = (ty.size(model), stack_alignment(ty, model), Ext::widen(ty, 4));
        if align == 8 {
            self.ints.align_to_pair();
        }
        let fits = self.ints.left() >= size.div_ceil(WORD) as usize;
        let mut pieces = Vec::new();
        if fits || self.area.bytes() == 0 {
            let words = words(0, size, WORD).map_while(|(at, len)| {
                Some(Piece { at, len, ext, loc: Location::Int(self.ints.take()?) })
            });
            pieces.extend(words);
        }
        let done: u32 = pieces.iter().map(|piece| piece.len).sum();
        if done < size {
            self.ints.exhaust();
            let len = size - done;
            let loc = self.area.take(len.next_multiple_of(WORD), align);
            pieces.push(Piece { at: done, len, ext, loc });
        }
        pieces
    }

    fn argument(&mut self, ty: &Type, model: &DataModel, base: bool) -> Passing {
        let class = class(ty, model, base);
        let pieces = match class {
            Class::Empty => return Passing::Ignore,
            Class::General => self.general(ty, model),
            Class::Floating(h) => self.floating(h, model).unwrap_or_else(|| {
                let (size, align) = (ty.size(model), stack_alignment(ty, model));
                whole(size, self.area.take(size.next_multiple_of(WORD), align))
            }),
        };
        Passing::Value(pieces)
    }
}

/// "The alignment of a composite type for argument passing is its natural alignment, at least 4
/// and at most 8" (stage B.6 and the note on stage C.3).
fn stack_alignment(ty: &Type, model: &DataModel) -> u32 {
    ty.align(model).clamp(WORD, 8)
}

/// Classifies a signature. `target` must be a 32-bit ARM target with hard float.
pub(super) fn classify(target: &Target, signature: &Signature) -> CallLayout {
    let model = &target.model;
    let base = signature.fixed.is_some();
    let mut cursor = Cursor::new();

    // Section 6.4, "Result return": a composite of more than a word is in memory, unless it is
    // homogeneous, and the hidden pointer takes r0.
    let (size, aggregate) = (signature.ret.size(model), signature.ret.is_aggregate());
    let ret = match class(&signature.ret, model, base) {
        Class::Empty => Returning::Void,
        Class::Floating(h) => {
            Returning::Value(Cursor::new().floating(h, model).unwrap_or_default())
        }
        Class::General if aggregate && size > WORD => Returning::Memory {
            ptr: Location::Int(cursor.ints.take().unwrap_or(INT_ARGS[0])),
            back: None,
            size,
        },
        Class::General => Returning::Value(Cursor::new().general(&signature.ret, model)),
    };

    let args = signature.params.iter().map(|ty| cursor.argument(ty, model, base)).collect();

    CallLayout {
        abi: Abi::Aapcs32Vfp,
        args,
        ret,
        stack_bytes: cursor.area.bytes(),
        stack_align: STACK_ALIGN,
        home_bytes: 0,
        callee_pops: 0,
        vector_count: None,
    }
}
