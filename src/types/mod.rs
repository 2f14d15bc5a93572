//! Row 0: C types and their layouts under a data model. Types carry no names: names belong to
//! the JavaScript side, and a layout depends on none of them.

mod notation;
mod record;
mod signature;

pub use notation::{parse_signature, parse_type};
pub use record::{Field, Member, Record, RecordKind};
pub use signature::{Convention, Signature};

use crate::error::{Code, Error, Result};
use crate::target::DataModel;
use std::fmt;
use std::sync::Arc;

/// The largest type, in bytes. Offsets and sizes fit `u32` with room to add.
pub const MAX_SIZE: u32 = 1 << 30;

/// A scalar C type by representation. Names such as `long` or `size_t` are resolved to one of
/// these under a [`DataModel`] by [`Scalar::named`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// C `_Bool`: one byte, 0 or 1.
    Bool,
    /// 8-bit signed integer.
    I8,
    /// 8-bit unsigned integer.
    U8,
    /// 16-bit signed integer.
    I16,
    /// 16-bit unsigned integer.
    U16,
    /// 32-bit signed integer.
    I32,
    /// 32-bit unsigned integer.
    U32,
    /// 64-bit signed integer.
    I64,
    /// 64-bit unsigned integer.
    U64,
    /// IEEE binary32.
    F32,
    /// IEEE binary64.
    F64,
    /// Data or function pointer.
    Pointer,
}

impl Scalar {
    /// Every scalar, in declaration order.
    pub const ALL: [Scalar; 12] = [
        Scalar::Bool,
        Scalar::I8,
        Scalar::U8,
        Scalar::I16,
        Scalar::U16,
        Scalar::I32,
        Scalar::U32,
        Scalar::I64,
        Scalar::U64,
        Scalar::F32,
        Scalar::F64,
        Scalar::Pointer,
    ];

    /// The scalar a notation name stands for: `bool i8 u8 i16 u16 i32 u32 i64 u64 f32 f64 ptr`,
    /// and the model-dependent `long ulong isize usize wchar`.
    pub fn named(name: &str, model: &DataModel) -> Option<Scalar> {
        let signed = |size: u32| if size == 8 { Scalar::I64 } else { Scalar::I32 };
        let unsigned = |size: u32| if size == 8 { Scalar::U64 } else { Scalar::U32 };
        Some(match name {
            "bool" => Scalar::Bool,
            "i8" => Scalar::I8,
            "u8" => Scalar::U8,
            "i16" => Scalar::I16,
            "u16" => Scalar::U16,
            "i32" => Scalar::I32,
            "u32" => Scalar::U32,
            "i64" => Scalar::I64,
            "u64" => Scalar::U64,
            "f32" => Scalar::F32,
            "f64" => Scalar::F64,
            "ptr" => Scalar::Pointer,
            "long" => signed(model.long),
            "ulong" => unsigned(model.long),
            "isize" => signed(model.pointer),
            "usize" => unsigned(model.pointer),
            "wchar" => match (model.wchar, model.wchar_signed) {
                (2, _) => Scalar::U16,
                (_, true) => Scalar::I32,
                (_, false) => Scalar::U32,
            },
            _ => return None,
        })
    }

    /// The notation name.
    pub const fn name(self) -> &'static str {
        match self {
            Scalar::Bool => "bool",
            Scalar::I8 => "i8",
            Scalar::U8 => "u8",
            Scalar::I16 => "i16",
            Scalar::U16 => "u16",
            Scalar::I32 => "i32",
            Scalar::U32 => "u32",
            Scalar::I64 => "i64",
            Scalar::U64 => "u64",
            Scalar::F32 => "f32",
            Scalar::F64 => "f64",
            Scalar::Pointer => "ptr",
        }
    }

    /// Size in bytes.
    pub const fn size(self, model: &DataModel) -> u32 {
        match self {
            Scalar::Bool | Scalar::I8 | Scalar::U8 => 1,
            Scalar::I16 | Scalar::U16 => 2,
            Scalar::I32 | Scalar::U32 | Scalar::F32 => 4,
            Scalar::I64 | Scalar::U64 | Scalar::F64 => 8,
            Scalar::Pointer => model.pointer,
        }
    }

    /// Alignment inside a record, in bytes.
    pub const fn align(self, model: &DataModel) -> u32 {
        match self {
            Scalar::I64 | Scalar::U64 => model.i64_align,
            Scalar::F64 => model.f64_align,
            _ => self.size(model),
        }
    }

    /// Whether this is `float` or `double`.
    pub const fn is_float(self) -> bool {
        matches!(self, Scalar::F32 | Scalar::F64)
    }

    /// Whether a narrow value is sign-extended when widened.
    pub const fn is_signed(self) -> bool {
        matches!(self, Scalar::I8 | Scalar::I16 | Scalar::I32 | Scalar::I64)
    }

    /// Whether C's default argument promotions change this type (C17 6.5.2.2p6), so that it
    /// cannot be a variadic argument.
    pub const fn is_promoted(self) -> bool {
        matches!(
            self,
            Scalar::Bool | Scalar::I8 | Scalar::U8 | Scalar::I16 | Scalar::U16 | Scalar::F32
        )
    }
}

/// A fixed array.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Array {
    /// Element type.
    pub item: Type,
    /// Number of elements, at least 1.
    pub count: u32,
    /// Size in bytes.
    pub size: u32,
}

/// A C type. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// `void`: only a result.
    Void,
    /// A scalar.
    Scalar(Scalar),
    /// A fixed array: only inside records (as a parameter it would decay to a pointer).
    Array(Arc<Array>),
    /// A struct or union.
    Record(Arc<Record>),
}

impl Type {
    /// A fixed array of `count` items.
    ///
    /// # Errors
    /// [`Code::InvalidType`] for a zero count, a void or empty item, or a size over [`MAX_SIZE`].
    pub fn array(item: Type, count: u32, model: &DataModel) -> Result<Type> {
        let item_size = item.size(model);
        let size = u64::from(item_size) * u64::from(count);
        if size == 0 {
            return Err(Error::new(Code::InvalidType, "an array needs a sized item and a length"));
        }
        if size > u64::from(MAX_SIZE) {
            return Err(Error::new(
                Code::InvalidType,
                format!("array of {size} bytes is too large"),
            ));
        }
        Ok(Type::Array(Arc::new(Array { item, count, size: size as u32 })))
    }

    /// Size in bytes; 0 for `void`.
    pub fn size(&self, model: &DataModel) -> u32 {
        match self {
            Type::Void => 0,
            Type::Scalar(scalar) => scalar.size(model),
            Type::Array(array) => array.size,
            Type::Record(record) => record.size,
        }
    }

    /// Alignment in bytes; 1 for `void`.
    pub fn align(&self, model: &DataModel) -> u32 {
        match self {
            Type::Void => 1,
            Type::Scalar(scalar) => scalar.align(model),
            Type::Array(array) => array.item.align(model),
            Type::Record(record) => record.align,
        }
    }

    /// Alignment by content alone, without explicit alignment of members. (What AAPCS64 section
    /// 6.8.2 calls the natural alignment includes that: it is [`Type::align`].)
    pub fn natural_align(&self, model: &DataModel) -> u32 {
        match self {
            Type::Array(array) => array.item.natural_align(model),
            Type::Record(record) => record.natural_align,
            _ => self.align(model),
        }
    }

    /// Whether this is a struct, union or array.
    pub fn is_aggregate(&self) -> bool {
        matches!(self, Type::Array(_) | Type::Record(_))
    }

    /// Calls `visit(offset, scalar)` for every scalar leaf, in declaration order; union members
    /// overlap. Stops early when `visit` returns false, and says whether it ran to the end.
    /// Costs one call per leaf: classifiers look at the size first.
    pub fn leaves(
        &self,
        at: u32,
        model: &DataModel,
        visit: &mut dyn FnMut(u32, Scalar) -> bool,
    ) -> bool {
        match self {
            Type::Void => true,
            Type::Scalar(scalar) => visit(at, *scalar),
            Type::Array(array) => {
                let stride = array.item.size(model);
                (0..array.count).all(|i| array.item.leaves(at + i * stride, model, visit))
            }
            Type::Record(record) => {
                record.fields.iter().all(|f| f.ty.leaves(at + f.offset, model, visit))
            }
        }
    }
}

impl From<Scalar> for Type {
    fn from(scalar: Scalar) -> Self {
        Type::Scalar(scalar)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Void => f.write_str("void"),
            Type::Scalar(scalar) => f.write_str(scalar.name()),
            Type::Array(array) => write!(f, "{}[{}]", array.item, array.count),
            Type::Record(record) => write!(f, "{record}"),
        }
    }
}
