//! Heap cells, and memory behind pointer cells, as both kinds of tiers offer them to JavaScript: what
//! V8's own functions (`v8/externals.rs`) get as arguments, Node-API's read in control cells, because
//! to read an argument through Node-API takes longer than the work.

use super::env::State;
use super::frame::{ARG, EXTENT, OPERAND};
use super::heap::{self, Freed};
use crate::error::Result;
use std::ffi::c_void;
use std::ptr;

/// The address in a pointer cell of frame memory; NULL for a cell outside.
pub fn address_at(state: &State, cell: u32) -> *mut c_void {
    match state.frame.find(cell, size_of::<usize>()) {
        // SAFETY: within the bounds; the cell may be unaligned in a packed record.
        Some(cell) => unsafe { cell.cast::<*mut c_void>().read_unaligned() },
        None => ptr::null_mut(),
    }
}

/// A new heap cell with the `size` bytes at an offset of frame memory, remembered as live; with
/// `behind`, one that holds the address of a block with these bytes.
///
/// # Errors
/// As [`heap::copy_to_heap`].
pub fn make(state: &State, from: u32, size: u32, behind: bool) -> Result<*mut c_void> {
    let make = if behind { heap::copy_behind_cell } else { heap::copy_to_heap };
    Ok(make(state, from, size as usize)?.cast())
}

/// Frees a cell; the lowest bit of `how` says that it must be ours, the others what it owns.
///
/// # Errors
/// For a number that is no description's.
pub fn free(state: &State, address: *mut c_void, how: u32) -> Result<Freed> {
    let descriptions = state.owned.borrow();
    let owned = descriptions.get(how >> 1)?;
    // SAFETY: the caller says that the memory may be freed, as `free` in C does.
    Ok(unsafe { heap::release(state, address, owned, how & 1 != 0) })
}

/// Copies bytes from where a pointer cell points to an offset of frame memory; false for NULL.
#[inline]
pub fn fetch(state: &State, cell: u32, at: u32, size: u32) -> bool {
    let from = address_at(state, cell).cast::<u8>();
    let Some(to) = state.frame.find(at, size as usize) else { return false };
    if from.is_null() {
        return false;
    }
    // SAFETY: the caller says that so many bytes are there; they may be frame memory's.
    unsafe {
        match size {
            // A call of `memmove` would cost more.
            4 => to.cast::<u32>().write_unaligned(from.cast::<u32>().read_unaligned()),
            8 => to.cast::<u64>().write_unaligned(from.cast::<u64>().read_unaligned()),
            16 => to.cast::<u128>().write_unaligned(from.cast::<u128>().read_unaligned()),
            _ => ptr::copy(from, to, size as usize),
        }
    }
    true
}

/// `makeCellAt()`: [`make`] with the offset in the ARG cell, the size in the EXTENT cell and `behind`
/// in the OPERAND cell. Stores the cell's address in the LENGTH cell; NULL when there is no memory.
pub fn make_at(state: &State) {
    let frame = &state.frame;
    let cell = make(state, frame.get(ARG), frame.get(EXTENT), frame.get(OPERAND) != 0);
    let address = cell.map_or(0, |cell| cell.expose_provenance());
    frame.set_length(f64::from_bits(address as u64));
}

/// `freeCellAt()`: [`free`] of the address in the pointer cell that the ARG cell names, with `how` in the
/// OPERAND cell, which gets what [`Freed`] says.
pub fn free_at(state: &State) {
    let frame = &state.frame;
    let address = address_at(state, frame.get(ARG));
    let freed = free(state, address, frame.get(OPERAND)).unwrap_or(Freed::NotLive);
    frame.set(OPERAND, freed as u32);
}

/// `fetchAt()`: [`fetch`] from where the pointer cell points that the ARG cell names, of as many bytes as
/// the EXTENT cell says, to the offset in the OPERAND cell, which becomes 1, or 0 for NULL.
pub fn fetch_at(state: &State) {
    let frame = &state.frame;
    let fetched = fetch(state, frame.get(ARG), frame.get(OPERAND), frame.get(EXTENT));
    frame.set(OPERAND, u32::from(fetched));
}

/// `fetchBehindAt()`: the same from where the pointer points that is there.
pub fn fetch_behind_at(state: &State) {
    let frame = &state.frame;
    let to = frame.get(OPERAND);
    let fetched = fetch(state, frame.get(ARG), to, size_of::<usize>() as u32)
        && fetch(state, to, to, frame.get(EXTENT));
    frame.set(OPERAND, u32::from(fetched));
}
