//! 64-bit ARM (Procedure Call Standard for the Arm 64-bit Architecture, section 6.8) in three
//! flavours: as written (Linux), Apple's ("Writing ARM64 code for Apple platforms") and
//! Microsoft's ("Overview of ARM64 ABI conventions").

use super::aggregate::{Homogeneous, whole, words};
use super::cursor::{Registers, StackArea};
use super::{Abi, CallLayout, Ext, Location, Passing, Piece, Returning};
use crate::target::{DataModel, Target};
use crate::types::{Signature, Type};

const INT_ARGS: [u8; 8] = [0, 1, 2, 3, 4, 5, 6, 7]; // x0..7
const FP_ARGS: [u8; 8] = [0, 1, 2, 3, 4, 5, 6, 7]; // v0..7
const RESULT_POINTER: Location = Location::Int(8); // x8
const STACK_ALIGN: u32 = 16;
const SLOT: u32 = 8;

/// Whose flavour of the standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aapcs64 {
    /// The standard's own.
    Linux,
    /// Apple platforms.
    Darwin,
    /// Windows.
    Windows,
}

/// Where the arguments of a variadic call go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variadic {
    /// As those of any other call.
    AsFixed,
    /// The variadic ones on the stack.
    Stack,
    /// All of them as if to "an imaginary stack, where the first 64 bytes are loaded into x0-x7":
    /// no floating-point registers, and a composite may be split behind x7.
    CoreRegisters,
}

/// What a flavour decides.
struct Rules {
    /// Scalars and homogeneous aggregates on the stack take their own size and alignment.
    packs_stack: bool,
    /// A composite aligned to 16 starts at an even register (stage C.10).
    even_pairs: bool,
    /// The sender of a narrow integer extends it to 32 bits.
    extends: bool,
    /// A homogeneous aggregate on the stack is aligned to 16 if its type is.
    aligns_homogeneous: bool,
    /// What is different in a variadic call.
    variadic: Variadic,
}

impl Aapcs64 {
    const fn rules(self) -> Rules {
        match self {
            Aapcs64::Linux => Rules {
                packs_stack: false,
                even_pairs: true,
                extends: false,
                aligns_homogeneous: true,
                variadic: Variadic::AsFixed,
            },
            Aapcs64::Darwin => Rules {
                packs_stack: true,
                even_pairs: false,
                extends: true,
                aligns_homogeneous: false,
                variadic: Variadic::Stack,
            },
            Aapcs64::Windows => Rules {
                packs_stack: false,
                even_pairs: true,
                extends: false,
                aligns_homogeneous: false,
                variadic: Variadic::CoreRegisters,
            },
        }
    }
}

/// Step one (stage B): how a value is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// It has no bytes.
    Empty,
    /// One to four floating-point registers.
    Floating(Homogeneous),
    /// Anything else of up to 16 bytes: one or two general-purpose registers.
    General,
    /// More than 16 bytes.
    Memory,
}

/// The class of a value; without `floating`, as if there were no floating-point registers.
fn class(ty: &Type, model: &DataModel, floating: bool) -> Class {
    match (ty.size(model), Homogeneous::of(ty, model)) {
        (0, _) => Class::Empty,
        (_, Some(homogeneous)) if floating => Class::Floating(homogeneous),
        (1..=16, _) => Class::General,
        _ => Class::Memory,
    }
}

/// Step two (stage C): the next registers and the next stacked argument address.
struct Cursor {
    rules: Rules,
    ints: Registers,
    fps: Registers,
    area: StackArea,
}

impl Cursor {
    fn extension(&self, ty: &Type) -> Ext {
        if self.rules.extends { Ext::widen(ty, 4) } else { Ext::None }
    }

    /// Each member of a homogeneous aggregate in a register of its own; all or none.
    fn floating(&mut self, h: Homogeneous, model: &DataModel) -> Option<Vec<Piece>> {
        if self.fps.left() < h.count as usize {
            self.fps.exhaust();
            return None;
        }
        let len = h.base.size(model);
        h.offsets(model)
            .map(|at| Some(Piece::new(at, len, Location::Fp(self.fps.take()?))))
            .collect()
    }

    /// Up to 16 bytes in general-purpose registers; all or none, or with `split` what fits.
    fn general(&mut self, ty: &Type, model: &DataModel, split: bool) -> Option<Vec<Piece>> {
        let (size, ext) = (ty.size(model), self.extension(ty));
        if self.rules.even_pairs && ty.align(model) >= 16 {
            self.ints.align_to_pair();
        }
        if self.ints.left() == 0 || (!split && self.ints.left() < size.div_ceil(SLOT) as usize) {
            self.ints.exhaust();
            return None;
        }
        let piece = |(at, len)| match self.ints.take() {
            Some(int) => Piece { at, len, ext, loc: Location::Int(int) },
            None => Piece::new(at, len, self.area.take(SLOT, SLOT)),
        };
        Some(words(0, size, SLOT).map(piece).collect())
    }

    /// On the stack: in slots of 8 bytes, or packed.
    fn stacked(&mut self, ty: &Type, class: Class, packed: bool, model: &DataModel) -> Location {
        let (size, align) = (ty.size(model), ty.align(model));
        match class {
            Class::Floating(h) if packed => self.area.take(size, h.base.align(model)),
            _ if packed && !ty.is_aggregate() => self.area.take(size, align),
            Class::Floating(_) if !self.rules.aligns_homogeneous => {
                self.area.take(size.next_multiple_of(SLOT), SLOT)
            }
            _ => self.area.take(size.next_multiple_of(SLOT), align.clamp(SLOT, 16)),
        }
    }

    fn pointer(&mut self, stack: bool) -> Location {
        match self.ints.take().filter(|_| !stack) {
            Some(int) => Location::Int(int),
            None => self.area.take(SLOT, SLOT),
        }
    }

    fn argument(&mut self, signature: &Signature, index: usize, model: &DataModel) -> Passing {
        let ty = &signature.params[index];
        let on_stack = self.rules.variadic == Variadic::Stack && signature.is_variadic_arg(index);
        let core_only = self.rules.variadic == Variadic::CoreRegisters && signature.fixed.is_some();
        let (size, class) = (ty.size(model), class(ty, model, !core_only));
        let registers = match class {
            Class::Empty => return Passing::Ignore,
            Class::Memory => {
                let ptr = self.pointer(on_stack);
                return Passing::Reference { ptr, size, align: ty.align(model) };
            }
            _ if on_stack => None,
            Class::Floating(h) => self.floating(h, model),
            Class::General => self.general(ty, model, core_only),
        };
        Passing::Value(registers.unwrap_or_else(|| {
            let packed = self.rules.packs_stack && !on_stack;
            whole(size, self.stacked(ty, class, packed, model))
        }))
    }
}

/// Classifies a signature. `target` must be a 64-bit ARM target.
pub(super) fn classify(flavour: Aapcs64, target: &Target, signature: &Signature) -> CallLayout {
    let model = &target.model;
    let cursor = || Cursor {
        rules: flavour.rules(),
        ints: Registers::new(&INT_ARGS),
        fps: Registers::new(&FP_ARGS),
        area: StackArea::new(0),
    };

    // Section 6.9: a result travels as a first argument of its type would, or in memory that x8
    // points to.
    let result = |pieces: Option<Vec<Piece>>| Returning::Value(pieces.unwrap_or_default());
    let ret = match class(&signature.ret, model, true) {
        Class::Empty => Returning::Void,
        Class::Floating(h) => result(cursor().floating(h, model)),
        Class::General => result(cursor().general(&signature.ret, model, false)),
        Class::Memory => {
            Returning::Memory { ptr: RESULT_POINTER, back: None, size: signature.ret.size(model) }
        }
    };

    let mut cursor = cursor();
    let args = (0..signature.params.len()).map(|i| cursor.argument(signature, i, model)).collect();

    CallLayout {
        abi: Abi::Aapcs64(flavour),
        args,
        ret,
        stack_bytes: cursor.area.bytes(),
        stack_align: STACK_ALIGN,
        home_bytes: 0,
        callee_pops: 0,
        vector_count: None,
    }
}
