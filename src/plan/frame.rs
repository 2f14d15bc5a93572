//! The picture of a call's data that JavaScript, trampolines and dispatchers share.

use crate::target::DataModel;
use crate::types::{Signature, Type};

/// Offsets of a call's cells from the start of its frame, in bytes. The frame starts at a multiple
/// of `align`; cells hold values in C memory form, each at a multiple of 8 and of its type's
/// alignment, aggregates at a multiple of 16 (what Win64 asks of a by-reference copy).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FrameLayout {
    /// One cell per parameter.
    pub args: Vec<u32>,
    /// The result cell; its size is the result type's, rounded up to 8.
    pub ret: u32,
    /// Where errno is stored (4 bytes), if it is asked for.
    pub errno: u32,
    /// Total size, a multiple of `align`.
    pub size: u32,
    /// Alignment, at least 16.
    pub align: u32,
}

impl FrameLayout {
    /// The frame of a signature: arguments in order, then the result, then errno.
    pub fn new(signature: &Signature, model: &DataModel) -> FrameLayout {
        let (mut end, mut align) = (0u32, 16u32);
        let mut cell = |size: u32, cell_align: u32| {
            let at = end.next_multiple_of(cell_align);
            end = at + size.next_multiple_of(8);
            align = align.max(cell_align);
            at
        };
        let aligned = |ty: &Type| ty.align(model).max(if ty.is_aggregate() { 16 } else { 8 });
        let args = signature.params.iter().map(|ty| cell(ty.size(model), aligned(ty))).collect();
        let ret = cell(signature.ret.size(model), aligned(&signature.ret));
        let errno = cell(4, 8);
        FrameLayout { args, ret, errno, size: end.next_multiple_of(align), align }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{Arch, Os};
    use crate::types::parse_signature;

    #[test]
    fn cells_are_in_order_and_aligned() {
        let model = DataModel::of(Arch::X64, Os::Linux);
        let frame = |text| FrameLayout::new(&parse_signature(text, &model).expect(text), &model);
        let (args, ret, errno) = (vec![0, 8, 16], 24, 32);
        let flat = FrameLayout { args, ret, errno, size: 48, align: 16 };
        assert_eq!(frame("(i8, f64, i16) -> i32"), flat);
        let (args, ret, errno) = (vec![0, 16, 32, 64, 128], 144, 160);
        let mixed = FrameLayout { args, ret, errno, size: 192, align: 64 };
        let text = "(i8, struct{u8[9]}, struct{}, struct{i8@64}, i8) -> struct{f32[3]}";
        assert_eq!(frame(text), mixed);
        let (args, ret, errno) = (vec![], 0, 0);
        assert_eq!(frame("() -> void"), FrameLayout { args, ret, errno, size: 16, align: 16 });
    }
}
