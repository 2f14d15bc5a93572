//! 32-bit x86: cdecl, stdcall, fastcall and thiscall (System V ABI, Intel386 supplement, chapter
//! 3; "Argument passing and naming conventions" of the Microsoft C++ manual; where those are
//! silent, what GCC and Clang agree on).

use super::aggregate::{whole, words};
use super::cursor::{Registers, StackArea};
use super::{Abi, CallLayout, Ext, Location, Passing, Piece, Returning};
use crate::error::{Code, Error, Result};
use crate::target::{DataModel, Target};
use crate::types::{Convention, Record, Scalar, Signature, Type};

const FASTCALL_ARGS: [u8; 2] = [1, 2]; // ecx edx
const THIS: [u8; 1] = [1]; // ecx
const INT_RETS: [u8; 2] = [0, 2]; // eax edx
const FP_RET: Location = Location::X87(0); // st0
const WORD: u32 = 4;
/// Required on System V; on Windows the stack is only aligned to 4, and 16 is within that.
const STACK_ALIGN: u32 = 16;

/// Who wrote the callee's compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum X86System {
    /// Linux and other System V systems.
    SysV,
    /// Windows, GCC's and Clang's conventions.
    MinGw,
    /// Windows, Microsoft's conventions.
    Msvc,
}

/// A convention of a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct X86 {
    /// Whose rules.
    pub system: X86System,
    /// Which convention.
    pub convention: Convention,
}

/// Step one, results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ResultClass {
    Void,
    /// In st0.
    Floating,
    /// In eax, or in eax and edx.
    General,
    Memory,
}

impl X86 {
    fn result_class(self, ty: &Type, model: &DataModel) -> ResultClass {
        let in_registers = match self.system {
            // "A function that returns a structure or union returns its address", however small.
            X86System::SysV => false,
            X86System::MinGw => register_sized(ty, model),
            X86System::Msvc => matches!(ty.size(model), 1 | 2 | 4 | 8),
        };
        match ty {
            Type::Void => ResultClass::Void,
            // GNU C's empty struct; on System V it goes the way of every other.
            Type::Record(record) if record.size == 0 && self.system != X86System::SysV => {
                ResultClass::Void
            }
            Type::Scalar(scalar) if scalar.is_float() => ResultClass::Floating,
            Type::Scalar(_) => ResultClass::General,
            _ if !in_registers => ResultClass::Memory,
            // GCC gives a record of one floating-point member that member's machine mode.
            _ if self.system == X86System::MinGw && is_one_float(ty, model) => {
                ResultClass::Floating
            }
            _ => ResultClass::General,
        }
    }

    /// Microsoft's compilers since 2015 pass records with an explicit alignment above 4 by
    /// reference; nobody else does, and nobody does for variadic arguments.
    fn by_reference(self, ty: &Type) -> bool {
        self.system == X86System::Msvc
            && matches!(ty, Type::Record(record) if required_align(record) > WORD)
    }

    /// Whether a value may travel in fastcall's registers: "the first two DWORD or smaller
    /// arguments"; only integers and pointers.
    fn fits_register(ty: &Type, model: &DataModel) -> bool {
        matches!(ty, Type::Scalar(scalar) if !scalar.is_float()) && ty.size(model) <= WORD
    }

    /// Whether the words of a value on the stack are counted against the registers: GCC and Clang
    /// do that for records, unless they are one floating-point value; Microsoft does not. (GCC
    /// counts the words of a 64-bit integer, too.)
    fn counts_words(self, ty: &Type, model: &DataModel) -> bool {
        self.system != X86System::Msvc && ty.is_aggregate() && !is_one_float(ty, model)
    }
}

/// Whether GCC gives a record a machine mode, so that it can be in registers: its own size and
/// that of every part is 1, 2, 4 or 8.
fn register_sized(ty: &Type, model: &DataModel) -> bool {
    matches!(ty.size(model), 1 | 2 | 4 | 8)
        && match ty {
            Type::Void | Type::Scalar(_) => true,
            Type::Array(array) => register_sized(&array.item, model),
            Type::Record(record) => record
                .fields
                .iter()
                .all(|field| field.ty.size(model) == 0 || register_sized(&field.ty, model)),
        }
}

/// Whether a record is one `float` or `double` and nothing else, padding included.
fn is_one_float(ty: &Type, model: &DataModel) -> bool {
    fn only_scalar(ty: &Type, model: &DataModel) -> Option<Scalar> {
        match ty {
            Type::Void => None,
            Type::Scalar(scalar) => Some(*scalar),
            Type::Array(array) if array.count == 1 => only_scalar(&array.item, model),
            Type::Array(_) => None,
            Type::Record(record) => {
                let mut fields = record.fields.iter().filter(|field| field.ty.size(model) > 0);
                let only = only_scalar(&fields.next()?.ty, model)?;
                (fields.next().is_none() && only.size(model) == record.size).then_some(only)
            }
        }
    }
    only_scalar(ty, model).is_some_and(Scalar::is_float)
}

/// The largest explicit alignment in a record.
fn required_align(record: &Record) -> u32 {
    fn of(ty: &Type) -> u32 {
        match ty {
            Type::Array(array) => of(&array.item),
            Type::Record(record) => required_align(record),
            _ => 1,
        }
    }
    let fields = record.fields.iter();
    fields.map(|field| field.explicit_align.unwrap_or(1).max(of(&field.ty))).max().unwrap_or(1)
}

/// Step two: registers of the convention, then the stack in words.
struct Cursor {
    ints: Registers,
    area: StackArea,
}

impl Cursor {
    fn new(convention: Convention) -> Self {
        let ints = match convention {
            Convention::C | Convention::Stdcall => Registers::new(&[]),
            Convention::Fastcall => Registers::new(&FASTCALL_ARGS),
            Convention::Thiscall => Registers::new(&THIS),
        };
        Cursor { ints, area: StackArea::new(0) }
    }

    fn stacked(&mut self, size: u32) -> Location {
        self.area.take(size.next_multiple_of(WORD), WORD)
    }

    fn word(&mut self) -> Location {
        match self.ints.take() {
            Some(int) => Location::Int(int),
            None => self.stacked(WORD),
        }
    }
}

/// Classifies a signature. `target` must be a 32-bit x86 target.
///
/// # Errors
/// [`Code::UnsupportedAbi`] for a thiscall function whose first parameter cannot be `this`.
pub(super) fn classify(variant: X86, target: &Target, signature: &Signature) -> Result<CallLayout> {
    let model = &target.model;
    // A variadic function pops nothing and takes nothing in registers, whatever it is declared.
    let convention = if signature.fixed.is_some() { Convention::C } else { variant.convention };
    let variant = X86 { convention, ..variant };
    let mut cursor = Cursor::new(convention);
    if convention == Convention::Thiscall
        && !signature.params.first().is_some_and(|this| X86::fits_register(this, model))
    {
        return Err(Error::new(
            Code::UnsupportedAbi,
            format!("a thiscall function takes a pointer first: {signature}"),
        ));
    }

    let size = signature.ret.size(model);
    let ret = match variant.result_class(&signature.ret, model) {
        ResultClass::Void => Returning::Void,
        ResultClass::Floating => Returning::Value(whole(size, FP_RET)),
        ResultClass::General => {
            let ext = Ext::widen(&signature.ret, 4);
            let piece = |((at, len), int)| Piece { at, len, ext, loc: Location::Int(int) };
            Returning::Value(words(0, size, WORD).zip(INT_RETS).map(piece).collect())
        }
        ResultClass::Memory => {
            // Microsoft's compilers keep the registers for declared parameters, and Clang does as
            // they do; MinGW's thiscall gives ecx to the first argument it passes. (GCC passes
            // fastcall's pointer, and on Linux thiscall's, in ecx.)
            let ptr = match (convention, variant.system) {
                (Convention::Thiscall, X86System::MinGw) => cursor.word(),
                _ => cursor.stacked(WORD),
            };
            Returning::Memory { ptr, back: Some(Location::Int(INT_RETS[0])), size }
        }
    };

    let mut args = Vec::with_capacity(signature.params.len());
    for (i, ty) in signature.params.iter().enumerate() {
        let (size, align) = (ty.size(model), ty.align(model));
        args.push(if size == 0 {
            Passing::Ignore
        } else if variant.by_reference(ty) && !signature.is_variadic_arg(i) {
            Passing::Reference { ptr: cursor.word(), size, align }
        } else {
            let loc = if X86::fits_register(ty, model) {
                cursor.word()
            } else {
                if variant.counts_words(ty, model) {
                    cursor.ints.skip(size.div_ceil(WORD) as usize);
                }
                cursor.stacked(size)
            };
            Passing::Value(vec![Piece { at: 0, len: size, ext: Ext::widen(ty, 4), loc }])
        });
    }

    let stack_bytes = cursor.area.bytes();
    let callee_pops = match (convention, variant.system, &ret) {
        (Convention::Stdcall | Convention::Fastcall | Convention::Thiscall, ..) => stack_bytes,
        (Convention::C, X86System::SysV, Returning::Memory { .. }) => WORD,
        _ => 0,
    };
    Ok(CallLayout {
        abi: Abi::X86(variant),
        args,
        ret,
        stack_bytes,
        stack_align: STACK_ALIGN,
        home_bytes: 0,
        callee_pops,
        vector_count: None,
    })
}
