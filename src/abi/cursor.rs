//! The second step of every classifier: handing out registers and stack offsets in order.

use super::Location;

/// Registers not yet given out, one class after the other (SysV, AAPCS): a position in a list of
/// encodings per class. Positional ABIs (Win64) advance both classes together.
#[derive(Clone, Debug)]
pub struct Registers {
    list: &'static [u8],
    next: usize,
}

impl Registers {
    /// All of `list`, first to last.
    pub const fn new(list: &'static [u8]) -> Self {
        Registers { list, next: 0 }
    }

    /// How many are left.
    pub const fn left(&self) -> usize {
        self.list.len() - self.next
    }

    /// How many were given out.
    pub const fn used(&self) -> usize {
        self.next
    }

    /// The next one, if any is left.
    pub fn take(&mut self) -> Option<u8> {
        let register = self.list.get(self.next).copied();
        self.next += usize::from(register.is_some());
        register
    }
}

/// The stack argument area, filled from low to high addresses.
#[derive(Clone, Debug)]
pub struct StackArea {
    bytes: u32,
    max_align: u32,
}

impl StackArea {
    /// An area that starts with `home` bytes for the callee.
    pub const fn new(home: u32) -> Self {
        StackArea { bytes: home, max_align: 1 }
    }

    /// The next `size` bytes at a multiple of `align`, a power of two.
    pub fn take(&mut self, size: u32, align: u32) -> Location {
        let offset = self.bytes.next_multiple_of(align);
        self.bytes = offset + size;
        self.max_align = self.max_align.max(align);
        Location::Stack(offset)
    }

    /// Bytes used so far.
    pub const fn bytes(&self) -> u32 {
        self.bytes
    }

    /// The largest alignment asked for.
    pub const fn max_align(&self) -> u32 {
        self.max_align
    }
}
