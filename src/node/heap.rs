//! Memory that outlives a call: `malloc`ed, so that C and JavaScript may free each other's.

use super::env::State;
use super::frame::ARG;
use super::memory::numbers;
use super::owned::Owned;
use super::sys;
use super::value::{Scope, Value};
use crate::error::{Code, Error, Result};
use std::ffi::c_void;
use std::ptr;

fn out_of_memory(size: usize) -> Error {
    Error::new(Code::OutOfMemory, format!("malloc({size}) failed"))
}

/// `malloc`s at least one byte.
fn allocate(size: usize) -> Result<*mut u8> {
    // SAFETY: malloc has no preconditions.
    let block = unsafe { libc::malloc(size.max(1)) };
    if block.is_null() { Err(out_of_memory(size)) } else { Ok(block.cast()) }
}

/// What `promote` has allocated so far: freed when it fails half-way.
struct Blocks(Vec<*mut u8>);

impl Drop for Blocks {
    fn drop(&mut self) {
        for &block in &self.0 {
            // SAFETY: from `allocate`, and nobody else has it.
            unsafe { libc::free(block.cast()) };
        }
    }
}

/// `promote(list)`: moves data that was written to scratch memory into blocks of its own.
///
/// `list` consists of `[keep, blocks, pointers, spills, (offset, size) per block, (cell, offset) per
/// pointer, (cell, size) per spill]`, all in frame memory: each pointer cell is set to the block that
/// starts at its offset; each spill's cell holds the address of data elsewhere, which is copied into
/// a block as well. With `keep`, the address of the first block is written into the ARG cell and
/// remembered as live. It is a Uint32Array, or in frame memory itself, at an offset that is a
/// multiple of 4. The blocks' offsets ascend.
pub fn promote(scope: Scope, state: &State, [list]: [Value; 1]) -> Result<Value> {
    let list = match scope.type_of(list)? {
        sys::ValueType::napi_number => list_in_frame(state, scope.to_u32(list)?)?,
        _ => numbers(scope, list)?,
    };
    let bad = || Error::new(Code::Internal, "promote: bad list");
    let [keep, block_count, pointer_count, spill_count, pairs @ ..] = list.as_slice() else {
        return Err(bad());
    };
    let (pairs, _) = pairs.as_chunks::<2>();
    let (blocks, pairs) = pairs.split_at_checked(*block_count as usize).ok_or_else(bad)?;
    let (pointers, spills) = pairs.split_at_checked(*pointer_count as usize).ok_or_else(bad)?;
    if spills.len() != *spill_count as usize {
        return Err(bad());
    }

    let mut made = Blocks(Vec::with_capacity(blocks.len() + spills.len()));
    for &[_, size] in blocks {
        made.0.push(allocate(size as usize)?);
    }
    let set = |cell: u32, address: *mut u8| -> Result<()> {
        let cell = state.frame.at(cell, size_of::<usize>())?.cast::<*mut u8>();
        // SAFETY: `at` checked the bounds; the cell may be unaligned.
        unsafe { cell.write_unaligned(address) };
        Ok(())
    };
    for &[cell, offset] in pointers {
        let index = blocks.binary_search_by_key(&offset, |block| block[0]).map_err(|_| bad())?;
        set(cell, made.0[index])?;
    }
    for &[cell, size] in spills {
        let source = state.frame.at(cell, size_of::<usize>())?.cast::<*const u8>();
        let copy = allocate(size as usize)?;
        made.0.push(copy);
        // SAFETY: the cell holds the address of a live spill of `size` bytes.
        unsafe { ptr::copy_nonoverlapping(source.read_unaligned(), copy, size as usize) };
        set(cell, copy)?;
    }
    for (&[offset, size], &block) in blocks.iter().zip(&made.0) {
        let source = state.frame.at(offset, size as usize)?;
        // SAFETY: `at` checked the bounds; the block has `size` bytes.
        unsafe { ptr::copy_nonoverlapping(source, block, size as usize) };
    }
    if *keep != 0 {
        let first = *made.0.first().ok_or_else(bad)?;
        set(state.frame.get(ARG), first)?;
        state.live.borrow_mut().insert(first as usize);
    }
    made.0.clear();
    scope.undefined()
}

/// The list of `promote` at an offset of frame memory.
fn list_in_frame(state: &State, at: u32) -> Result<Vec<u32>> {
    const HEAD: usize = 4;
    let words = |count: usize| -> Result<Vec<u32>> {
        let from = state.frame.at(at, count.saturating_mul(4))?.cast::<u32>();
        // SAFETY: `at` checked the bounds.
        Ok((0..count).map(|i| unsafe { from.add(i).read_unaligned() }).collect())
    };
    let pairs = words(HEAD)?.iter().skip(1).fold(0, |sum, &count| sum + count as usize);
    words(HEAD + 2 * pairs)
}

/// `isLive(external)` -> whether it holds the address of a cell that `promote` or `makeCell` made and
/// nobody freed.
pub fn is_live(scope: Scope, state: &State, [value]: [Value; 1]) -> Result<Value> {
    let address = scope.external_address(value)?;
    scope.boolean(address.is_some_and(|at| state.live.borrow().contains(&(at as usize))))
}

/// `makeCell(size)`: makes a block with the `size` bytes at the offset in the ARG cell, remembered as
/// live, and stores its address in the LENGTH cell.
pub fn make_cell(scope: Scope, state: &State, [size]: [Value; 1]) -> Result<Value> {
    let block = copy_to_heap(state, state.frame.get(ARG), scope.to_u32(size)? as usize)?;
    state.frame.set_length(f64::from_bits(block.expose_provenance() as u64));
    Ok(ptr::null_mut())
}

/// A new block with the `size` bytes at an offset of frame memory, remembered as live.
///
/// # Errors
/// [`Code::OutOfMemory`] when there is no memory, [`Code::Internal`] for a bad offset.
pub fn copy_to_heap(state: &State, from: u32, size: usize) -> Result<*mut u8> {
    let source = state.frame.at(from, size)?;
    let block = allocate(size)?;
    // SAFETY: `at` checked the bounds; the block has `size` bytes.
    unsafe { ptr::copy_nonoverlapping(source, block, size) };
    state.live.borrow_mut().insert(block as usize);
    Ok(block)
}

/// A new cell with the address of a new block with the `size` bytes at an offset of frame memory. The
/// cell is remembered as live.
///
/// # Errors
/// As [`copy_to_heap`].
pub fn copy_behind_cell(state: &State, from: u32, size: usize) -> Result<*mut u8> {
    let source = state.frame.at(from, size)?;
    let mut made = Blocks(vec![allocate(size)?]);
    let (block, cell) = (made.0[0], allocate(size_of::<usize>())?);
    // SAFETY: `at` checked the bounds; the block has `size` bytes, and the cell room for an address.
    unsafe {
        ptr::copy_nonoverlapping(source, block, size);
        cell.cast::<*mut u8>().write(block);
    }
    made.0.clear();
    state.live.borrow_mut().insert(cell as usize);
    Ok(cell)
}

/// What `free` returns.
#[derive(Clone, Copy)]
pub enum Freed {
    /// It was freed.
    Done = 0,
    /// The value is no External.
    NotExternal = 1,
    /// It is a null pointer.
    Null = 2,
    /// It is not ours, or was freed.
    NotLive = 3,
}

/// Frees what the value at an address owns, and then the memory there itself. With `ours`, only
/// if it is live (see `isLive`).
///
/// # Safety
/// As `free` in C, and the value is as `owned` describes it.
pub unsafe fn release(state: &State, address: *mut c_void, owned: &Owned, ours: bool) -> Freed {
    if address.is_null() {
        return Freed::Null;
    }
    if !state.live.borrow_mut().remove(&(address as usize)) && ours {
        return Freed::NotLive;
    }
    // SAFETY: the caller's promise; what we made came from malloc.
    unsafe {
        owned.free(address.cast());
        libc::free(address);
    }
    Freed::Done
}

/// `free(external, owned, ours)`: frees what the value at an address owns (the number of a
/// description, see `owned.rs`), and then the memory at that address itself. With `ours`, only if it
/// is live (see `isLive`). Returns 0 when it was freed, 1 for another value, 2 for a null pointer, 3 for
/// one that is not live.
pub fn free(scope: Scope, state: &State, [value, owned, ours]: [Value; 3]) -> Result<Value> {
    let freed = match scope.external_address(value)? {
        None => Freed::NotExternal,
        Some(address) => {
            let (descriptions, ours) = (state.owned.borrow(), scope.to_bool(ours)?);
            let owned = descriptions.get(scope.to_u32(owned)?)?;
            // SAFETY: the caller says so: it is what `free` means in C.
            unsafe { release(state, address, owned, ours) }
        }
    };
    scope.number(f64::from(freed as u8))
}

/// `freeOwned(offset, owned)`: frees what the value at an offset of frame memory owns.
pub fn free_owned(scope: Scope, state: &State, [offset, owned]: [Value; 2]) -> Result<Value> {
    let descriptions = state.owned.borrow();
    let owned = descriptions.get(scope.to_u32(owned)?)?;
    let at = state.frame.at(scope.to_u32(offset)?, 0)?;
    // SAFETY: a caller that asks for this (`freeResultMemory`) says that C gave the memory away.
    unsafe { owned.free(at) };
    scope.undefined()
}
