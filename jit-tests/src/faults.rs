//! What compilers get wrong, or each in their own way, in plain C. The generator leaves it out:
//! an oracle that contradicts itself decides nothing.

use ffi_jit::target::{Arch, DataModel, Os, Target};
use ffi_jit::types::Type;

/// Whether a compiler for the target is known to go wrong on a value of this type.
pub fn known(ty: &Type, variadic: bool, target: &Target) -> bool {
    let model = &target.model;
    let sysv64 = target.arch == Arch::X64 && target.os != Os::Windows;
    let in_registers = ty.size(model) <= 16;
    sysv64
        && in_registers
        && ((variadic && va_arg_misreads(ty, model)) || array_is_misjudged(ty, model))
}

/// gcc (seen with 12.2 at -O1 and above) reads a 16-aligned struct that travelled in registers
/// with an aligned load from the register save area, whose slots are 8-aligned. `va_arg` crashes:
/// `f(int, int, ...)` called with an `int` and a `struct { _Alignas(16) char c[9]; }`.
fn va_arg_misreads(ty: &Type, model: &DataModel) -> bool {
    ty.align(model) > 8
}

/// A struct with unaligned fields belongs in memory (System V ABI, AMD64, section 3.2.3). Of an
/// array gcc looks at the first element only, and so passes `struct { packed struct { int i;
/// char c; } a[2]; }` in registers; clang follows the text, and so do we.
fn array_is_misjudged(ty: &Type, model: &DataModel) -> bool {
    aligned(ty, 0, true, model) && !aligned(ty, 0, false, model)
}

/// Whether all scalars of a value are aligned; of arrays, all elements or the first ones.
fn aligned(ty: &Type, at: u32, first_only: bool, model: &DataModel) -> bool {
    match ty {
        Type::Void => true,
        Type::Scalar(scalar) => at.is_multiple_of(scalar.align(model)),
        Type::Array(array) => {
            let count = if first_only { 1 } else { array.count };
            let stride = array.item.size(model);
            (0..count).all(|i| aligned(&array.item, at + i * stride, first_only, model))
        }
        Type::Record(record) => record
            .fields
            .iter()
            .all(|field| aligned(&field.ty, at + field.offset, first_only, model)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ffi_jit::target::Toolchain;
    use ffi_jit::types::parse_type;

    #[test]
    fn only_the_known_shapes_are_left_out() {
        let target = Target::new(Arch::X64, Os::Linux, Toolchain::Gnu);
        let is_known = |text: &str, variadic| {
            known(&parse_type(text, &target.model).expect(text), variadic, &target)
        };
        assert!(is_known("struct{struct#1{i32, u8}[2]}", false));
        assert!(!is_known("struct{struct#1{i32, u8}[4]}", false), "in memory by its size");
        assert!(!is_known("struct#1{u8, struct#1{i32, u8}[2]}", false), "the first is unaligned");
        assert!(!is_known("struct{struct#1{i32, u32}[2]}", false));
        assert!(is_known("struct{i8[9]@16}", true));
        assert!(!is_known("struct{i8[9]@16}", false));
        assert!(!is_known("struct{i8[17]@16}", true));
    }
}
