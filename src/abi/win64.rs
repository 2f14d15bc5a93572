//! Microsoft x64 ("x64 calling convention" and "x64 ABI conventions" of the Microsoft C++ manual).

use super::aggregate::whole;
use super::cursor::{Registers, StackArea};
use super::{Abi, CallLayout, Ext, Location, Passing, Piece, Returning};
use crate::target::{DataModel, Target};
use crate::types::{Scalar, Signature, Type};

const INT_ARGS: [u8; 4] = [1, 2, 8, 9]; // rcx rdx r8 r9
const FP_ARGS: [u8; 4] = [0, 1, 2, 3]; // xmm0..3
const INT_RET: Location = Location::Int(0); // rax
const FP_RET: Location = Location::Fp(0); // xmm0
const HOME_BYTES: u32 = 32;
const STACK_ALIGN: u32 = 16;

/// Step one: how a value is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// `float` or `double`.
    Float,
    /// An integer, a pointer, or a record of an integer's size, whatever its members.
    Integer,
    /// Any other record: "structs or unions of other sizes are passed as a pointer to memory
    /// allocated by the caller", 16-byte aligned.
    Memory,
}

fn class(ty: &Type, model: &DataModel) -> Class {
    match (ty, ty.size(model)) {
        (Type::Scalar(scalar), _) if scalar.is_float() => Class::Float,
        (Type::Scalar(_), _) | (_, 1 | 2 | 4 | 8) => Class::Integer,
        _ => Class::Memory,
    }
}

/// The bits above a narrow integer are undefined, but a `bool` is a whole zero or one: clang
/// tests more than its low byte.
fn extension(ty: &Type) -> Ext {
    match ty {
        Type::Scalar(Scalar::Bool) => Ext::Zero(4),
        _ => Ext::None,
    }
}

/// Step two: "there is a strict one-to-one correspondence between a function call's arguments
/// and the registers used for those arguments", so that both classes advance together.
struct Positions {
    ints: Registers,
    fps: Registers,
    area: StackArea,
}

impl Positions {
    /// The place of the next argument; variadic floating-point values travel in both classes.
    fn take(&mut self, class: Class, both: bool) -> (Location, Option<Location>) {
        match (self.ints.take(), self.fps.take(), class) {
            (Some(int), Some(fp), Class::Float) => {
                (Location::Fp(fp), both.then_some(Location::Int(int)))
            }
            (Some(int), ..) => (Location::Int(int), None),
            _ => (self.area.take(8, 8), None),
        }
    }
}

/// Classifies a signature. `target` must be an x86-64 Windows target.
pub(super) fn classify(target: &Target, signature: &Signature) -> CallLayout {
    let model = &target.model;
    let mut positions = Positions {
        ints: Registers::new(&INT_ARGS),
        fps: Registers::new(&FP_ARGS),
        area: StackArea::new(HOME_BYTES),
    };

    // The result first: a hidden pointer takes the first position.
    let size = signature.ret.size(model);
    let ret = match (&signature.ret, class(&signature.ret, model)) {
        (Type::Void, _) => Returning::Void,
        (_, Class::Float) => Returning::Value(whole(size, FP_RET)),
        (ty, Class::Integer) => {
            Returning::Value(vec![Piece { ext: extension(ty), ..Piece::new(0, size, INT_RET) }])
        }
        (_, Class::Memory) => Returning::Memory {
            ptr: positions.take(Class::Integer, false).0,
            back: Some(INT_RET),
            size,
        },
    };

    let args = signature
        .params
        .iter()
        .map(|ty| {
            let (size, class) = (ty.size(model), class(ty, model));
            let (loc, also) = positions.take(class, signature.fixed.is_some());
            match class {
                Class::Memory => {
                    Passing::Reference { ptr: loc, size, align: ty.align(model).max(16) }
                }
                _ => Passing::Value(
                    [Some(loc), also]
                        .into_iter()
                        .flatten()
                        .map(|loc| Piece { at: 0, len: size, ext: extension(ty), loc })
                        .collect(),
                ),
            }
        })
        .collect();

    CallLayout {
        abi: Abi::Win64,
        args,
        ret,
        stack_bytes: positions.area.bytes(),
        stack_align: STACK_ALIGN,
        home_bytes: HOME_BYTES,
        callee_pops: 0,
        vector_count: None,
    }
}
