//! Structs and unions: member placement under a data model.

use super::{MAX_SIZE, Type};
use crate::error::{Code, Error, Result};
use crate::target::DataModel;
use std::fmt;
use std::sync::Arc;

/// Struct or union.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// Members one after the other.
    Struct,
    /// Members on top of each other.
    Union,
}

/// A member as declared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    /// The member's type.
    pub ty: Type,
    /// An explicit alignment that replaces the type's own (`_Alignas`, but it may also lower it).
    pub align: Option<u32>,
}

/// A member as placed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// Offset from the start of the record, in bytes.
    pub offset: u32,
    /// The member's type.
    pub ty: Type,
    /// The explicit alignment it was declared with.
    pub explicit_align: Option<u32>,
}

/// A struct or union with its layout.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// Struct or union.
    pub kind: RecordKind,
    /// Members in declaration order.
    pub fields: Vec<Field>,
    /// `#pragma pack(n)`: the largest alignment a member gets from its type.
    pub pack: Option<u32>,
    /// Size in bytes, a multiple of `align`; 0 only for a record without members.
    pub size: u32,
    /// Alignment in bytes.
    pub align: u32,
    /// Alignment from the members' types and `pack` alone (see [`Type::natural_align`]).
    pub natural_align: u32,
}

fn checked_align(align: u32) -> Result<u32> {
    if align.is_power_of_two() && align <= 4096 {
        Ok(align)
    } else {
        Err(Error::new(
            Code::InvalidType,
            format!("alignment {align} is not a power of two up to 4096"),
        ))
    }
}

/// Rounds `value` up to a multiple of `align`, a power of two.
fn round_up(value: u64, align: u32) -> u64 {
    let mask = u64::from(align) - 1;
    (value + mask) & !mask
}

impl Record {
    /// Lays out a record the C way: each member at the next multiple of its alignment (offset 0
    /// in a union), the size rounded up to the largest member alignment. `pack` caps the
    /// alignment that members have from their types; an explicit member alignment wins over it.
    ///
    /// # Errors
    /// [`Code::InvalidType`] for alignments that are not powers of two, `void` members, and sizes
    /// over [`MAX_SIZE`].
    pub fn new(
        kind: RecordKind,
        members: Vec<Member>,
        pack: Option<u32>,
        model: &DataModel,
    ) -> Result<Record> {
        let pack = pack.map(checked_align).transpose()?;
        let cap = pack.unwrap_or(u32::MAX);
        let mut fields = Vec::with_capacity(members.len());
        let (mut end, mut align, mut natural_align) = (0u64, 1, 1);
        for Member { ty, align: explicit } in members {
            if ty == Type::Void {
                return Err(Error::new(Code::InvalidType, "void cannot be a member"));
            }
            let member_align = match explicit {
                Some(explicit) => checked_align(explicit)?,
                None => ty.align(model).min(cap),
            };
            let offset = match kind {
                RecordKind::Struct => round_up(end, member_align),
                RecordKind::Union => 0,
            };
            end = end.max(offset + u64::from(ty.size(model)));
            if end > u64::from(MAX_SIZE) {
                return Err(Error::new(
                    Code::InvalidType,
                    format!("record of {end} bytes is too large"),
                ));
            }
            align = align.max(member_align);
            natural_align = natural_align.max(ty.natural_align(model).min(cap));
            fields.push(Field { offset: offset as u32, ty, explicit_align: explicit });
        }
        let size = round_up(end, align) as u32;
        Ok(Record { kind, fields, pack, size, align, natural_align })
    }

    /// As [`Record::new`], as a [`Type`].
    ///
    /// # Errors
    /// As [`Record::new`].
    pub fn new_type(
        kind: RecordKind,
        members: Vec<Member>,
        pack: Option<u32>,
        model: &DataModel,
    ) -> Result<Type> {
        Record::new(kind, members, pack, model).map(|record| Type::Record(Arc::new(record)))
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            RecordKind::Struct => "struct",
            RecordKind::Union => "union",
        })?;
        if let Some(pack) = self.pack {
            write!(f, "#{pack}")?;
        }
        f.write_str("{")?;
        for (i, field) in self.fields.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{}", field.ty)?;
            if let Some(align) = field.explicit_align {
                write!(f, "@{align}")?;
            }
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Scalar, parse_type};
    use super::*;
    use crate::target::{Arch, Os};

    fn record(text: &str, arch: Arch, os: Os) -> Arc<Record> {
        match parse_type(text, &DataModel::of(arch, os)).expect(text) {
            Type::Record(record) => record,
            other => panic!("{other} is no record"),
        }
    }

    fn layout(text: &str) -> (u32, u32, Vec<u32>) {
        let r = record(text, Arch::X64, Os::Linux);
        (r.size, r.align, r.fields.iter().map(|f| f.offset).collect())
    }

    #[test]
    fn members_are_placed_as_c_does() {
        assert_eq!(layout("struct{i8, f64, i8}"), (24, 8, vec![0, 8, 16]));
        assert_eq!(layout("struct#1{i8, f64, i8}"), (10, 1, vec![0, 1, 9]));
        assert_eq!(layout("struct#2{i8, f64, i8}"), (12, 2, vec![0, 2, 10]));
        assert_eq!(layout("struct{i8, i8@16}"), (32, 16, vec![0, 16]));
        assert_eq!(layout("struct{i8, i32@1}"), (5, 1, vec![0, 1]));
        assert_eq!(layout("union{i8, f64, i16[5]}"), (16, 8, vec![0, 0, 0]));
        assert_eq!(layout("struct{i8, struct{i16, i8}[3], f32}"), (20, 4, vec![0, 2, 16]));
        assert_eq!(layout("struct{}"), (0, 1, vec![]));
    }

    #[test]
    fn i386_aligns_wide_scalars_by_system() {
        assert_eq!(record("struct{i8, f64}", Arch::X86, Os::Linux).size, 12);
        assert_eq!(record("struct{i8, f64}", Arch::X86, Os::Windows).size, 16);
        assert_eq!(record("struct{i8, f64}", Arch::Arm32, Os::Linux).size, 16);
    }

    #[test]
    fn natural_alignment_leaves_explicit_alignment_out() {
        let r = record("struct{i32, i32@16}", Arch::Aarch64, Os::Linux);
        assert_eq!((r.align, r.natural_align), (16, 4));
        let r = record("struct#1{f64}", Arch::Aarch64, Os::Linux);
        assert_eq!((r.align, r.natural_align), (1, 1));
    }

    #[test]
    fn bad_members_are_refused() {
        let model = DataModel::of(Arch::X64, Os::Linux);
        let member = |align| Member { ty: Type::Scalar(Scalar::I32), align };
        for bad in [0, 3, 8192] {
            let err = Record::new(RecordKind::Struct, vec![member(Some(bad))], None, &model);
            assert_eq!(err.unwrap_err().code, Code::InvalidType);
        }
        let void = Member { ty: Type::Void, align: None };
        assert!(Record::new(RecordKind::Union, vec![void], None, &model).is_err());
        let huge = Type::array(Scalar::U8.into(), MAX_SIZE, &model).unwrap();
        let two = vec![Member { ty: huge.clone(), align: None }, Member { ty: huge, align: None }];
        assert!(Record::new(RecordKind::Struct, two, None, &model).is_err());
    }
}
