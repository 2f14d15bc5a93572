//! Objects on V8's heap, as far as they are the same in all known releases (64-bit, no pointer
//! compression): a pointer to one has its lowest bit set, small integers have it clear; an object
//! starts with its map, and a map has the object's type.

/// Offset in a map of the instance type (u16).
const TYPE: usize = 12;

/// A tagged pointer, as V8 has it.
#[derive(Clone, Copy)]
pub struct Tagged(pub usize);

impl Tagged {
    /// What lies at an offset of the object.
    ///
    /// # Safety
    /// The object must have such a field.
    #[inline(always)]
    pub unsafe fn field<T: Copy>(self, offset: usize) -> T {
        // SAFETY: the caller's promise; a tagged pointer is one more than the address.
        unsafe { ((self.0 - 1 + offset) as *const T).read() }
    }

    /// Its instance type, of an object on the heap; None for a small integer.
    ///
    /// # Safety
    /// It must be a live value.
    #[inline(always)]
    pub unsafe fn instance_type(self) -> Option<u16> {
        // SAFETY: every object starts with its map, and every map has a type.
        (self.0 & 3 == 1).then(|| unsafe { self.field::<Tagged>(0).field(TYPE) })
    }
}
