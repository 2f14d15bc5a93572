//! The scalar leaves of a type, as C sees them: what a value is compared by, never its padding.

use ffi_jit::target::DataModel;
use ffi_jit::types::{RecordKind, Scalar, Type};

/// A scalar, or a run of them in an array, inside a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Offset of the first from the start of the value, in bytes.
    pub at: u32,
    /// The scalar.
    pub scalar: Scalar,
    /// How many, for an array of scalars that C code had better loop over.
    pub count: Option<u32>,
    /// The C expression behind the value's name: `.f0[2].f1`.
    pub path: String,
}

/// A scalar inside a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Offset from the start of the value, in bytes.
    pub at: u32,
    /// The scalar.
    pub scalar: Scalar,
}

/// Arrays of scalars longer than this are looped over.
const LONGEST_UNROLLED: u32 = 4;

/// The runs of a type in declaration order. Of every union one member is visited, chosen by `salt`
/// and the union's place: always the same one for the same type and salt.
pub fn runs(ty: &Type, model: &DataModel, salt: u32) -> Vec<Run> {
    let mut list = Vec::new();
    walk(ty, model, salt, 0, String::new(), &mut list);
    list
}

/// The leaves of a type in the order of [`runs`].
pub fn leaves(ty: &Type, model: &DataModel, salt: u32) -> Vec<Leaf> {
    runs(ty, model, salt)
        .into_iter()
        .flat_map(|run| {
            let stride = run.scalar.size(model);
            (0..run.count.unwrap_or(1))
                .map(move |i| Leaf { at: run.at + i * stride, scalar: run.scalar })
        })
        .collect()
}

fn walk(ty: &Type, model: &DataModel, salt: u32, at: u32, path: String, list: &mut Vec<Run>) {
    match ty {
        Type::Void => {}
        Type::Scalar(scalar) => list.push(Run { at, scalar: *scalar, count: None, path }),
        Type::Array(array) => match array.item {
            Type::Scalar(scalar) if array.count > LONGEST_UNROLLED => {
                list.push(Run { at, scalar, count: Some(array.count), path });
            }
            _ => {
                let stride = array.item.size(model);
                for i in 0..array.count {
                    let path = format!("{path}[{i}]");
                    walk(&array.item, model, salt, at + i * stride, path, list);
                }
            }
        },
        Type::Record(record) => {
            let chosen = (record.kind == RecordKind::Union && !record.fields.is_empty())
                .then(|| (salt + at + record.size) as usize % record.fields.len());
            for (i, field) in record.fields.iter().enumerate() {
                if chosen.is_none_or(|chosen| chosen == i) {
                    let path = format!("{path}.f{i}");
                    walk(&field.ty, model, salt, at + field.offset, path, list);
                }
            }
        }
    }
}

/// For every byte of a value, whether some leaf covers it (members of unions all count): the
/// bytes that a call has to carry.
pub fn used_bytes(ty: &Type, model: &DataModel) -> Vec<bool> {
    let mut used = vec![false; ty.size(model) as usize];
    ty.leaves(0, model, &mut |at, scalar| {
        used[at as usize..(at + scalar.size(model)) as usize].fill(true);
        true
    });
    used
}

#[cfg(test)]
mod tests {
    use super::*;
    use ffi_jit::target::{Arch, Os};
    use ffi_jit::types::parse_type;

    const MODEL: DataModel = DataModel::of(Arch::X64, Os::Linux);

    #[test]
    fn leaves_are_found_with_their_paths() {
        let ty = parse_type("struct{i8, struct{i16, f32}[2], u8[5]}", &MODEL).unwrap();
        let runs = runs(&ty, &MODEL, 0);
        let paths: Vec<&str> = runs.iter().map(|run| run.path.as_str()).collect();
        assert_eq!(paths, [".f0", ".f1[0].f0", ".f1[0].f1", ".f1[1].f0", ".f1[1].f1", ".f2"]);
        assert_eq!(runs[5].count, Some(5));
        let ats: Vec<u32> = leaves(&ty, &MODEL, 0).iter().map(|leaf| leaf.at).collect();
        assert_eq!(ats, [0, 4, 8, 12, 16, 20, 21, 22, 23, 24]);
    }

    #[test]
    fn a_union_shows_one_member_but_uses_all() {
        let ty = parse_type("union{f64, i16, u8[3]}", &MODEL).unwrap();
        let counts: Vec<usize> = (0..3).map(|salt| leaves(&ty, &MODEL, salt).len()).collect();
        assert_eq!(counts.iter().sum::<usize>(), 5, "{counts:?}");
        assert!(used_bytes(&ty, &MODEL).iter().all(|&used| used));
        let padded = parse_type("struct{i8, i16}", &MODEL).unwrap();
        assert_eq!(used_bytes(&padded, &MODEL), [true, false, true, true]);
    }
}
