//! Downcalls from Rust: what asynchronous calls and tests use.

use super::{CallRecord, Prepared, errno};
use crate::code::CodePtr;
use crate::error::{Code, Error, Result};
use crate::plan::Entry;
use std::ffi::c_void;

/// A signature's direct trampoline.
#[derive(Clone, Copy, Debug)]
pub struct Downcall {
    code: CodePtr,
    size: usize,
    align: usize,
}

type Direct = unsafe extern "C" fn(frame: *mut u8, record: *const CallRecord);

impl Downcall {
    /// Gets the trampoline. With `errno`, calls store the thread's errno in the frame.
    ///
    /// # Errors
    /// As [`Prepared::trampoline`].
    pub fn new(prepared: &Prepared, errno: bool) -> Result<Downcall> {
        let code = prepared.trampoline(Entry::Direct, errno)?;
        let (size, align) = (prepared.frame.size as usize, prepared.frame.align as usize);
        Ok(Downcall { code, size, align })
    }

    /// Calls the target of a record, with the arguments in a frame that is as large and aligned as
    /// the signature's.
    ///
    /// # Safety
    /// The record's target must be a function of this signature, or one that can stand for it, the
    /// arguments what it expects, and the frame as large and aligned as its layout says.
    pub unsafe fn enter(&self, frame: *mut u8, record: &CallRecord) {
        // SAFETY: a direct trampoline has this type; the caller vouches for the rest.
        unsafe {
            let enter = std::mem::transmute::<*const u8, Direct>(self.code.as_ptr());
            enter(frame, record);
        }
    }

    /// Calls `target` with the arguments in `frame`, and leaves its result there.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for a null target and for a frame that is too small or
    /// misaligned.
    ///
    /// # Safety
    /// `target` must be a function of this signature, and its arguments what it expects.
    pub unsafe fn call(&self, target: *const c_void, frame: &mut [u8]) -> Result<()> {
        if target.is_null() {
            return Err(Error::new(Code::InvalidArgument, "the function's address is null"));
        }
        if frame.len() < self.size || !frame.as_ptr().addr().is_multiple_of(self.align) {
            let (size, align) = (self.size, self.align);
            let message = format!("a frame of {size} bytes at a multiple of {align} is needed");
            return Err(Error::new(Code::InvalidArgument, message));
        }
        let record = CallRecord::direct(target, errno::address());
        // SAFETY: a direct trampoline has this type; the frame is as large and aligned as its
        // plan says; the record lives until it returns; the caller vouches for the target.
        unsafe {
            let enter = std::mem::transmute::<*const u8, Direct>(self.code.as_ptr());
            enter(frame.as_mut_ptr(), &raw const record);
        }
        Ok(())
    }
}
