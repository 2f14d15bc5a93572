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

    /// How many were given out or passed over.
    pub const fn used(&self) -> usize {
        self.next
    }

    /// The next one, if any is left.
    pub fn take(&mut self) -> Option<u8> {
        let register = self.list.get(self.next).copied();
        self.next += usize::from(register.is_some());
        register
    }

    /// Passes over one register if needed so that the next has an even position.
    pub fn align_to_pair(&mut self) {
        self.next = self.next.next_multiple_of(2).min(self.list.len());
    }

    /// Passes over `count` registers, or over all that are left.
    pub fn skip(&mut self, count: usize) {
        self.next = self.next.saturating_add(count).min(self.list.len());
    }

    /// Passes over all registers that are left.
    pub fn exhaust(&mut self) {
        self.next = self.list.len();
    }
}

/// The 16 single-precision argument registers of AAPCS32: double-precision registers are pairs
/// of them, and a gap left by alignment is filled by a later, smaller argument.
#[derive(Clone, Debug)]
pub struct SingleRegisters {
    free: u16,
}

impl SingleRegisters {
    /// All of them.
    pub const fn new() -> Self {
        SingleRegisters { free: u16::MAX }
    }

    /// The first of the lowest `count * width` consecutive free registers that start at a multiple
    /// of `width`. Where there are none, no register is given out any more (stage C.2).
    pub fn take(&mut self, count: u32, width: u32) -> Option<u8> {
        let block = (1u32 << (count * width)) - 1;
        let starts = (0..=16 - count * width).step_by(width as usize);
        let first = starts.into_iter().find(|&n| u32::from(self.free) & (block << n) == block << n);
        self.free = first.map_or(0, |n| self.free & !((block << n) as u16));
        first.map(|n| n as u8)
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
