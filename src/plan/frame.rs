//! The picture of a call's data that JavaScript, trampolines and dispatchers share.

use crate::target::DataModel;
use crate::types::Signature;

/// Offsets of a call's cells from the start of its frame, in bytes. The frame starts at a multiple
/// of `align`; cells hold values in C memory form, each at a multiple of 8 and of its type's
/// alignment.
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
            let at = end.next_multiple_of(cell_align.max(8));
            end = at + size.next_multiple_of(8);
            align = align.max(cell_align);
            at
        };
        let args =
            signature.params.iter().map(|ty| cell(ty.size(model), ty.align(model))).collect();
        let ret = cell(signature.ret.size(model), signature.ret.align(model));
        let errno = cell(4, 4);
        FrameLayout { args, ret, errno, size: end.next_multiple_of(align), align }
    }
}
