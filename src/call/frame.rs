//! Frames: the memory of one call, cell by cell.

use crate::plan::FrameLayout;
use std::alloc::{self, Layout};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::slice;

/// A value that a cell holds: a scalar for which every bit pattern is valid.
pub trait Cell: Copy + sealed::Sealed {
    /// The bytes in memory order, padded with zeros.
    fn to_bytes(self) -> [u8; 8];
    /// The value from its bytes.
    fn from_bytes(bytes: [u8; 8]) -> Self;
    /// Size in bytes.
    const SIZE: usize = size_of::<Self>();
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! cells {
    ($($ty:ty)*) => {$(
        impl sealed::Sealed for $ty {}
        impl Cell for $ty {
            fn to_bytes(self) -> [u8; 8] {
                let mut bytes = [0; 8];
                bytes[..size_of::<$ty>()].copy_from_slice(&self.to_ne_bytes());
                bytes
            }
            fn from_bytes(bytes: [u8; 8]) -> $ty {
                let (head, _) = bytes.split_first_chunk().expect("at most 8 bytes");
                <$ty>::from_ne_bytes(*head)
            }
        }
    )*};
}
cells!(u8 i8 u16 i16 u32 i32 u64 i64 usize isize f32 f64);

macro_rules! pointer_cells {
    ($($ty:ty)*) => {$(
        impl<T> sealed::Sealed for $ty {}
        impl<T> Cell for $ty {
            fn to_bytes(self) -> [u8; 8] {
                self.expose_provenance().to_bytes()
            }
            fn from_bytes(bytes: [u8; 8]) -> $ty {
                (usize::from_bytes(bytes)) as $ty
            }
        }
    )*};
}
pointer_cells!(*const T *mut T);

/// A frame in somebody's memory.
#[derive(Debug)]
pub struct FrameView<'a> {
    layout: &'a FrameLayout,
    bytes: &'a mut [u8],
}

impl<'a> FrameView<'a> {
    /// A view of the frame that starts with `bytes`.
    ///
    /// # Panics
    /// If `bytes` is shorter than the frame.
    pub fn new(layout: &'a FrameLayout, bytes: &'a mut [u8]) -> FrameView<'a> {
        assert!(bytes.len() >= layout.size as usize, "{} bytes for a frame", bytes.len());
        FrameView { layout, bytes }
    }

    /// The offsets.
    pub fn layout(&self) -> &'a FrameLayout {
        self.layout
    }

    /// All bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes
    }

    /// All bytes.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.bytes
    }

    /// The value at an offset.
    ///
    /// # Panics
    /// If it is out of bounds.
    pub fn get<T: Cell>(&self, at: u32) -> T {
        let at = at as usize;
        let mut value = [0; 8];
        value[..T::SIZE].copy_from_slice(&self.bytes[at..at + T::SIZE]);
        T::from_bytes(value)
    }

    /// Writes a value at an offset.
    ///
    /// # Panics
    /// If it is out of bounds.
    pub fn set<T: Cell>(&mut self, at: u32, value: T) {
        let at = at as usize;
        self.bytes[at..at + T::SIZE].copy_from_slice(&value.to_bytes()[..T::SIZE]);
    }

    /// The argument with this index.
    ///
    /// # Panics
    /// If there is none.
    pub fn arg<T: Cell>(&self, index: usize) -> T {
        self.get(self.layout.args[index])
    }

    /// Writes the argument with this index.
    ///
    /// # Panics
    /// If there is none.
    pub fn set_arg<T: Cell>(&mut self, index: usize, value: T) {
        self.set(self.layout.args[index], value);
    }

    /// The result.
    pub fn result<T: Cell>(&self) -> T {
        self.get(self.layout.ret)
    }

    /// Writes the result.
    pub fn set_result<T: Cell>(&mut self, value: T) {
        self.set(self.layout.ret, value);
    }

    /// The errno that the trampoline saved.
    pub fn errno(&self) -> i32 {
        self.get(self.layout.errno)
    }
}

/// A frame of its own, zeroed and aligned.
#[derive(Debug)]
pub struct Frame {
    layout: FrameLayout,
    start: NonNull<u8>,
}

// SAFETY: a frame owns plain bytes.
unsafe impl Send for Frame {}
// SAFETY: as above; changes need `&mut`.
unsafe impl Sync for Frame {}

impl Frame {
    /// Allocates a frame.
    pub fn new(layout: &FrameLayout) -> Frame {
        let memory = Frame::memory(layout);
        // SAFETY: the size is not zero.
        let start = unsafe { alloc::alloc_zeroed(memory) };
        let start = NonNull::new(start).unwrap_or_else(|| alloc::handle_alloc_error(memory));
        Frame { layout: layout.clone(), start }
    }

    fn memory(layout: &FrameLayout) -> Layout {
        let size = layout.size.max(layout.align);
        Layout::from_size_align(size as usize, layout.align as usize)
            .expect("a frame layout has a power-of-two alignment and a bounded size")
    }

    /// The cells.
    pub fn view(&mut self) -> FrameView<'_> {
        // SAFETY: the memory is ours, initialised, and at least `layout.size` long.
        let bytes =
            unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.layout.size as usize) };
        FrameView { layout: &self.layout, bytes }
    }
}

impl Deref for Frame {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the memory is ours, initialised, and at least `layout.size` long.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.layout.size as usize) }
    }
}

impl DerefMut for Frame {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `deref`.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.layout.size as usize) }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with the same layout.
        unsafe { alloc::dealloc(self.start.as_ptr(), Frame::memory(&self.layout)) }
    }
}
