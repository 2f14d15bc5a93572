//! The records that trampolines read, as Rust sees them.

use crate::arch::record;
use crate::code::{CodePtr, RECORD_STRIDE, Record};
use std::ffi::c_void;
use std::mem::offset_of;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The record of a downcall. Fields are atomics because a slot's record may be read by a call on
/// one thread while another rebinds or closes it; loads and stores cost what plain ones do.
#[repr(C)]
#[derive(Debug, Default)]
pub struct CallRecord {
    /// Where the slot jumps to: a trampoline, or any function of the same C type that shall
    /// answer instead (after a library was closed, say). Unused by [`crate::plan::Entry::Direct`].
    pub body: AtomicPtr<c_void>,
    /// The C function.
    pub target: AtomicPtr<c_void>,
    /// [`crate::plan::Entry::Fixed`]: the frame. [`crate::plan::Entry::Stacked`]: the base that
    /// the frame cell counts from.
    pub frame: AtomicPtr<u8>,
    /// [`crate::plan::Entry::Stacked`]: address of the 32-bit cell with the frame's offset.
    pub frame_cell: AtomicPtr<u32>,
    /// Address of the calling thread's errno, read by trampolines that save it.
    pub errno: AtomicPtr<i32>,
    /// Thunks: what the owner knows of the shape of its calls: see [`crate::arch::record::SHAPE`].
    pub shape: AtomicPtr<c_void>,
    /// For the record's owner; trampolines do not read it. The first word is the trampoline that
    /// `set` pointed the record at, whatever the body is now.
    pub spare: [AtomicPtr<c_void>; 2],
}

/// The record of an upcall.
#[repr(C)]
#[derive(Debug, Default)]
pub struct UpcallRecord {
    /// Where the slot jumps to.
    pub body: AtomicPtr<c_void>,
    /// The dispatcher that the trampoline calls.
    pub dispatch: AtomicPtr<c_void>,
    /// The dispatcher's first argument.
    pub context: AtomicPtr<c_void>,
    /// For the record's owner; trampolines do not read it.
    pub spare: [AtomicPtr<c_void>; 5],
}

/// What a downcall's record is set to.
#[derive(Clone, Copy, Debug)]
pub struct CallTarget {
    /// The C function.
    pub target: *const c_void,
    /// See [`CallRecord::frame`].
    pub frame: *mut u8,
    /// See [`CallRecord::frame_cell`].
    pub frame_cell: *mut u32,
    /// See [`CallRecord::errno`].
    pub errno: *mut i32,
}

const WORD: usize = size_of::<usize>();
const _: () = {
    assert!(offset_of!(CallRecord, body) == record::BODY as usize * WORD);
    assert!(offset_of!(CallRecord, target) == record::TARGET as usize * WORD);
    assert!(offset_of!(CallRecord, frame) == record::FRAME as usize * WORD);
    assert!(offset_of!(CallRecord, frame_cell) == record::FRAME_CELL as usize * WORD);
    assert!(offset_of!(CallRecord, errno) == record::ERRNO as usize * WORD);
    assert!(offset_of!(CallRecord, shape) == record::SHAPE as usize * WORD);
    assert!(offset_of!(CallRecord, spare) == record::SPARE as usize * WORD);
    assert!(offset_of!(UpcallRecord, body) == record::BODY as usize * WORD);
    assert!(offset_of!(UpcallRecord, dispatch) == record::DISPATCH as usize * WORD);
    assert!(offset_of!(UpcallRecord, context) == record::CONTEXT as usize * WORD);
    assert!(size_of::<CallRecord>() == size_of::<Record>());
    assert!(size_of::<UpcallRecord>() == size_of::<Record>());
    assert!(align_of::<CallRecord>() == align_of::<Record>());
    assert!(size_of::<CallRecord>() <= RECORD_STRIDE);
};

impl CallRecord {
    /// A slot's record as that of a downcall.
    pub fn of(record: &'static Record) -> &'static CallRecord {
        // SAFETY: same size and alignment (asserted above); both consist of word-sized atomics,
        // for which every bit pattern is valid.
        unsafe { &*std::ptr::from_ref(record).cast() }
    }

    /// Points the record at a function and its frame and then, so that no call sees half of it,
    /// at the body.
    pub fn set(&self, body: CodePtr, call: &CallTarget) {
        self.target.store(call.target.cast_mut(), Ordering::Relaxed);
        self.frame.store(call.frame, Ordering::Relaxed);
        self.frame_cell.store(call.frame_cell, Ordering::Relaxed);
        self.errno.store(call.errno, Ordering::Relaxed);
        self.spare[0].store(body.as_ptr().cast_mut().cast(), Ordering::Relaxed);
        self.redirect(body.as_ptr().cast());
    }

    /// The trampoline that the record was pointed at.
    pub fn trampoline(&self) -> *const c_void {
        self.spare[0].load(Ordering::Relaxed)
    }

    /// Lets the slot jump to something that stands in front of the trampoline, unless it was
    /// redirected before.
    pub fn replace_body(&self, body: *const c_void) {
        let (from, to) = (self.trampoline().cast_mut(), body.cast_mut());
        let _ = self.body.compare_exchange(from, to, Ordering::Release, Ordering::Relaxed);
    }

    /// Lets the slot jump somewhere else from now on: to a function of the same C type.
    pub fn redirect(&self, body: *const c_void) {
        self.body.store(body.cast_mut(), Ordering::Release);
    }

    /// Lets thunks, which do not go through the body, call another function from now on. It finds
    /// the record where trampolines have it.
    pub fn retarget(&self, target: *const c_void) {
        self.target.store(target.cast_mut(), Ordering::Release);
    }

    /// Undoes [`CallRecord::replace_body`] with the same body.
    pub fn restore_body(&self, body: *const c_void) {
        let (from, to) = (body.cast_mut(), self.trampoline().cast_mut());
        let _ = self.body.compare_exchange(from, to, Ordering::Release, Ordering::Relaxed);
    }

    /// A record for a direct entry: the function, and where errno is.
    pub fn direct(target: *const c_void, errno: *mut i32) -> CallRecord {
        CallRecord {
            target: AtomicPtr::new(target.cast_mut()),
            errno: AtomicPtr::new(errno),
            ..CallRecord::default()
        }
    }
}

impl UpcallRecord {
    /// A slot's record as that of an upcall.
    pub fn of(record: &'static Record) -> &'static UpcallRecord {
        // SAFETY: as for `CallRecord::of`.
        unsafe { &*std::ptr::from_ref(record).cast() }
    }

    /// Points the record at a dispatcher and then, so that no call sees half of it, at the body.
    pub(super) fn set(&self, body: *const u8, dispatch: *const c_void, context: *mut c_void) {
        self.context.store(context, Ordering::Relaxed);
        self.dispatch.store(dispatch.cast_mut(), Ordering::Relaxed);
        self.body.store(body.cast_mut().cast(), Ordering::Release);
    }
}
