//! Frame memory: the ArrayBuffer of an environment that JavaScript writes with typed arrays and
//! trampolines read, the only channel that a call's data crosses.
//!
//! ```text
//! start of the ArrayBuffer
//! origin          control cells, 128 bytes; origin is the first multiple of 64
//!   + FRAME   u32   offset of the frame of the call being entered
//!   + TOP     u32   first free byte
//!   + ARG     u32   offset of the cell that a memory primitive works on
//!   + ERRNO   i32   errno of the last call that saved it (JavaScript's own)
//!   + EPOCH   u32   how many calls have ended (JavaScript's own)
//!   + FOREIGN u32   whether the upcall that is running came from another thread
//!   + LENGTH  f64   what a memory primitive tells besides an address
//!   + PENDING u32   what a call that was not made through Node-API has to throw
//!   + LIVE    u32   how many callbacks exist
//!   + CALLBACK u32  index of the callback that JavaScript has to run
//!   + LEVEL   u32   how many calls are suspended, when the last one is nobody's at the moment
//!   + TOKEN   f64   which function Node-API's entry shall enter (JavaScript's word to it)
//!   + CALLER  f64   the token of the function whose call was suspended
//!   + FAILED  u32   whether the callback that was run has thrown
//!   + RESULT  8 B   a result that a thunk cannot return, or not whole
//!   + STATE   8 B   the address of the environment's state
//!   + ENTERED u32   how many callbacks C has entered JavaScript for (JavaScript's to clear)
//!   + EXTENT  u32   how many bytes a memory primitive works on
//!   + OPERAND u32   what else it has to know, and what it answers
//! origin + FIXED  the fixed frame: cells of calls that keep nothing while C runs
//! origin + STACK  the frame stack, up to the end
//! ```
//! Offsets in control cells count from the start of the ArrayBuffer. All of them, and the frames,
//! are multiples of 64, which is therefore the largest alignment a frame can have.

use super::sys;
use super::value::{Scope, Value};
use crate::arch::cell;
use crate::error::{Code, Error, Result};
use std::ffi::c_void;
use std::ptr::{self, NonNull};

/// Alignment of the origin and of every frame.
pub const ALIGN: usize = 64;
/// Control cell: offset of the frame of the call being entered.
pub const FRAME: usize = 0;
/// Control cell: first free byte of the frame stack.
pub const TOP: usize = 4;
/// Control cell: offset of the cell that a memory primitive reads or writes.
pub const ARG: usize = 8;
/// Control cell: errno of the last call that saved it.
pub const ERRNO: usize = 12;
/// Control cell: how many calls have ended.
pub const EPOCH: usize = 16;
/// Control cell: whether the upcall that is running came from another thread.
pub const FOREIGN: usize = 20;
/// Control cell: what a memory primitive tells besides an address, as a double.
pub const LENGTH: usize = 24;
/// Control cell: what the caller of a bound function has to throw when the entry was not Node-API's
/// (which throws by itself): zero, [`THROWN`] or [`CLOSED`].
pub const PENDING: usize = 32;
/// Control cell: how many callbacks of the environment exist, whose JavaScript a call may run.
/// JavaScript takes those off that it keeps for later.
pub const LIVE: usize = 36;
/// Control cell: index of the callback that JavaScript has to run; 0 is none, and an error.
pub const CALLBACK: usize = 40;
/// Control cell: how many calls are suspended, while the last of them is given to JavaScript or back;
/// zero while JavaScript has it in hand. When another call finds it set, JavaScript had no stack to
/// take it over or to go on with it.
pub const LEVEL: usize = 44;
/// Control cell: whether the callback that JavaScript has run for a suspended call has thrown.
pub const FAILED: usize = 64;
/// Control cell: the token of the function whose call was suspended, as a double.
pub const CALLER: usize = 56;
/// Control cell: what a thunk writes besides what it returns.
pub const RESULT: usize = 72;
/// Control cell: the address of the environment's state, for machine code that knows only a record.
pub const STATE: usize = 80;
/// Control cell: the token of the function that Node-API's entry enters (see `enter.rs`).
pub const TOKEN: usize = 48;
/// Control cell: how many callbacks JavaScript was entered for, by C on the environment's thread,
/// since it last looked: it does when a call is [`CALLED_BACK`].
pub const ENTERED: usize = 96;
/// Control cell: how many bytes a memory primitive works on.
pub const EXTENT: usize = 100;
/// Control cell: what else a memory primitive has to know; then what it answers.
pub const OPERAND: usize = 104;
/// Value of [`PENDING`]: Node-API keeps an exception, which it throws when one of our functions
/// that it called returns.
pub const THROWN: u32 = 1;
/// Value of [`PENDING`]: the function's library was closed.
pub const CLOSED: u32 = 2;
/// Value of [`PENDING`]: the call was not made, because a value is none that it can take this way.
pub const MISSED: u32 = 3;
/// Value of [`PENDING`]: the call was left, because C has called back (see `relay`).
pub const UPCALL: u32 = 4;
/// Value of [`PENDING`]: the function has called back, from the thread's stack.
pub const CALLED_BACK: u32 = 5;

const _: () = {
    assert!(TOP - FRAME == cell::TOP as usize);
    assert!(ERRNO - FRAME == cell::ERRNO as usize);
    assert!(RESULT - FRAME == cell::RESULT as usize);
};

/// Offset of the fixed frame from the origin.
pub const FIXED: usize = 128;
/// Size of the fixed frame.
pub const FIXED_SIZE: usize = 4096;
/// Offset of the frame stack from the origin.
pub const STACK: usize = FIXED + FIXED_SIZE;
/// Size of the whole memory. The operating system backs only what is touched.
pub const SIZE: usize = 2 << 20;

/// The frame memory of one environment. The ArrayBuffer lives as long as the environment.
#[derive(Clone, Copy)]
pub struct FrameMemory {
    start: NonNull<u8>,
    origin: usize,
}

#[cold]
fn outside(offset: u32, len: usize) -> Error {
    Error::new(Code::Internal, format!("frame offset {offset} of {len} bytes"))
}

impl FrameMemory {
    /// Allocates the memory and returns it with its ArrayBuffer, which a strong reference keeps.
    ///
    /// # Errors
    /// [`Code::OutOfMemory`] when no ArrayBuffer can be had.
    pub fn new(scope: Scope) -> Result<(FrameMemory, Value)> {
        // Marshallers add offsets to the low half of the base address: a buffer that crosses a
        // 4 GiB boundary will not do. The next one cannot cross it as well.
        for _ in 0..2 {
            let (mut data, mut buffer) = (ptr::null_mut(), ptr::null_mut());
            let mut reference = ptr::null_mut();
            // SAFETY: all out-parameters outlive the calls; a strong reference keeps the buffer.
            let made = unsafe {
                sys::napi_create_arraybuffer(scope.raw(), SIZE, &mut data, &mut buffer)
                    == sys::Status::napi_ok
                    && sys::napi_create_reference(scope.raw(), buffer, 1, &mut reference)
                        == sys::Status::napi_ok
            };
            let Some(start) = NonNull::new(data.cast::<u8>()).filter(|_| made) else { break };
            let address = start.as_ptr() as usize as u64;
            if address >> 32 != (address + SIZE as u64) >> 32 {
                continue;
            }
            let origin = start.as_ptr().align_offset(ALIGN);
            let memory = FrameMemory { start, origin };
            memory.reset_top();
            return Ok((memory, buffer));
        }
        Err(Error::new(Code::OutOfMemory, format!("no ArrayBuffer of {SIZE} bytes")))
    }

    /// Takes all frames off the frame stack.
    pub fn reset_top(&self) {
        self.set(TOP, (self.origin + STACK) as u32);
    }

    /// Offset of the control cells.
    pub fn origin(&self) -> usize {
        self.origin
    }

    /// Address of the first byte.
    pub fn base(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// Address of a control cell.
    #[inline(always)]
    pub fn control(&self, cell: usize) -> *mut u32 {
        // SAFETY: control cells lie within the memory, at a multiple of 4.
        unsafe { self.start.as_ptr().add(self.origin + cell).cast() }
    }

    /// The frame that the FRAME cell names.
    pub fn current(&self) -> *mut u8 {
        // SAFETY: marshallers write offsets of frames within the memory.
        unsafe { self.start.as_ptr().add(self.get(FRAME) as usize) }
    }

    /// The fixed frame.
    ///
    /// # Errors
    /// None, as it is within the memory.
    pub fn fixed(&self) -> Result<*mut u8> {
        self.at((self.origin + FIXED) as u32, FIXED_SIZE)
    }

    /// Reads a control cell.
    #[inline(always)]
    pub fn get(&self, cell: usize) -> u32 {
        // SAFETY: as above; JavaScript runs on this thread only, so nothing races.
        unsafe { self.control(cell).read() }
    }

    /// Writes a control cell.
    #[inline(always)]
    pub fn set(&self, cell: usize, value: u32) {
        // SAFETY: as for `get`.
        unsafe { self.control(cell).write(value) }
    }

    /// Reads a control cell that holds an address in the bits of a double.
    #[inline(always)]
    pub fn get_address(&self, cell: usize) -> *const c_void {
        // SAFETY: the cell lies within the memory, at a multiple of 8.
        ptr::with_exposed_provenance(unsafe { self.control(cell).cast::<u64>().read() } as usize)
    }

    /// Writes the STATE cell.
    pub fn set_state(&self, state: *const c_void) {
        // SAFETY: as for `get`; the cell has room for an address, at a multiple of its size.
        unsafe { self.control(STATE).cast::<*const c_void>().write(state) }
    }

    /// Writes the LENGTH cell.
    pub fn set_length(&self, length: f64) {
        self.set_double(LENGTH, length);
    }

    /// Writes a control cell that holds a double.
    #[inline(always)]
    pub fn set_double(&self, cell: usize, value: f64) {
        // SAFETY: the cell lies within the memory, at a multiple of 8.
        unsafe { self.control(cell).cast::<f64>().write(value) }
    }

    /// The bytes at an offset, checked.
    ///
    /// # Errors
    /// [`Code::Internal`] when they are not within the memory.
    #[inline]
    pub fn at(&self, offset: u32, len: usize) -> Result<*mut u8> {
        self.find(offset, len).ok_or_else(|| outside(offset, len))
    }

    /// The bytes at an offset; None when they are not within the memory.
    #[inline(always)]
    pub fn find(&self, offset: u32, len: usize) -> Option<*mut u8> {
        let offset = offset as usize;
        offset.checked_add(len).filter(|&end| end <= SIZE)?;
        // SAFETY: just checked to lie within the allocation.
        Some(unsafe { self.start.as_ptr().add(offset) })
    }

    /// The pointer-sized cell that the ARG control cell names.
    ///
    /// # Errors
    /// [`Code::Internal`] when it is not within the memory.
    pub fn arg(&self) -> Result<*mut *mut u8> {
        self.at(self.get(ARG), size_of::<usize>()).map(<*mut u8>::cast)
    }

    /// The address in the pointer-sized cell that the ARG control cell names.
    ///
    /// # Errors
    /// As [`FrameMemory::arg`].
    pub fn arg_address(&self) -> Result<*mut u8> {
        // SAFETY: `arg` checked the bounds; the cell may be unaligned in a packed record.
        self.arg().map(|cell| unsafe { cell.read_unaligned() })
    }
}
