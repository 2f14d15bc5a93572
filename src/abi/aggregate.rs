//! Predicates on the shape of a value that several ABIs share.

use super::{Location, Piece};
use crate::target::DataModel;
use crate::types::{RecordKind, Scalar, Type};

/// One to four values of the same floating-point type and nothing else: a `float`, a `double`,
/// or a homogeneous floating-point aggregate (AAPCS64 section 5.9.5.1, AAPCS32 section 4.3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Homogeneous {
    /// The type of every member.
    pub base: Scalar,
    /// How many there are.
    pub count: u32,
}

impl Homogeneous {
    /// What `ty` is made of, if it is homogeneous.
    pub(super) fn of(ty: &Type, model: &DataModel) -> Option<Homogeneous> {
        if ty.size(model) > 4 * 8 {
            return None;
        }
        let mut base = None;
        let count = members(ty, model, &mut base)?;
        base.filter(|_| count <= 4).map(|base| Homogeneous { base, count })
    }

    /// Offset of each member.
    pub(super) fn offsets(self, model: &DataModel) -> impl Iterator<Item = u32> {
        let size = self.base.size(model);
        (0..self.count).map(move |i| i * size)
    }
}

/// How many members of type `base` a type has, or None where it holds anything else, padding
/// included. Members of a union overlap.
fn members(ty: &Type, model: &DataModel, base: &mut Option<Scalar>) -> Option<u32> {
    match ty {
        Type::Scalar(scalar) if scalar.is_float() => {
            (*base.get_or_insert(*scalar) == *scalar).then_some(1)
        }
        Type::Void | Type::Scalar(_) => None,
        Type::Array(array) => Some(members(&array.item, model, base)? * array.count),
        Type::Record(record) => {
            let mut count = 0;
            for field in &record.fields {
                let of_field = members(&field.ty, model, base)?;
                count = match record.kind {
                    RecordKind::Struct => count + of_field,
                    RecordKind::Union => count.max(of_field),
                };
            }
            let bytes = count * base.map_or(0, |base| base.size(model));
            (bytes == record.size).then_some(count)
        }
    }
}

/// Cuts `size` bytes, from offset `from` on, into words of `width` bytes; the last may be short.
pub(super) fn words(from: u32, size: u32, width: u32) -> impl Iterator<Item = (u32, u32)> {
    (from..size).step_by(width as usize).map(move |at| (at, width.min(size - at)))
}

/// A whole value of `size` bytes in one place.
pub(super) fn whole(size: u32, loc: Location) -> Vec<Piece> {
    vec![Piece::new(0, size, loc)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{Arch, Os};
    use crate::types::parse_type;

    #[test]
    fn homogeneous_aggregates_hold_one_floating_point_type_and_no_padding() {
        let model = DataModel::of(Arch::Aarch64, Os::Linux);
        let of = |text| {
            let ty = parse_type(text, &model).expect(text);
            Homogeneous::of(&ty, &model).map(|h| (h.base, h.count))
        };
        let some = |base, count| Some((base, count));
        assert_eq!(of("f64"), some(Scalar::F64, 1));
        assert_eq!(of("struct{f32}"), some(Scalar::F32, 1));
        assert_eq!(of("struct{f64[4]}"), some(Scalar::F64, 4));
        assert_eq!(of("struct{f64[5]}"), None);
        assert_eq!(of("struct{f32, struct{f32[2]}, f32}"), some(Scalar::F32, 4));
        assert_eq!(of("union{f32, f32[3]}"), some(Scalar::F32, 3));
        assert_eq!(of("struct{union{f64, struct{f64, f64}}, f64}"), some(Scalar::F64, 3));
        assert_eq!(of("struct{f32, f64}"), None);
        assert_eq!(of("struct{f32, i32}"), None);
        assert_eq!(of("union{f32, i32}"), None);
        assert_eq!(of("struct{f32, f32@8}"), None);
        assert_eq!(of("union{struct{f32, f32@8}, f32[4]}"), None);
        assert_eq!(of("struct{f64@16, f64}"), some(Scalar::F64, 2));
        assert_eq!(of("struct#1{f32, f32}"), some(Scalar::F32, 2));
        assert_eq!(of("struct{struct{}, f32}"), some(Scalar::F32, 1));
        assert_eq!(of("struct{}"), None);
        assert_eq!(of("i64"), None);
        assert_eq!(of("void"), None);
    }

    #[test]
    fn words_cover_a_value() {
        assert_eq!(words(0, 13, 8).collect::<Vec<_>>(), [(0, 8), (8, 5)]);
        assert_eq!(words(4, 6, 4).collect::<Vec<_>>(), [(4, 2)]);
        assert_eq!(words(0, 0, 8).count(), 0);
    }
}
