//! What values point to: a description that JavaScript derives from types, by which pointed-to
//! data is copied (arguments of queued callbacks) or freed (`freePointer`, results).

use super::env::State;
use super::memory::numbers;
use super::value::{Scope, Value};
use crate::error::{Code, Error, Result};
use std::collections::HashMap;
use std::ffi::CStr;
use std::mem::size_of;
use std::ptr;

/// The pointers in a value that own data, by offset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owned {
    entries: Vec<(usize, Target)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    /// NUL-terminated units of this many bytes.
    Text(usize),
    /// A block of bytes, which may own data itself.
    Block(usize, Owned),
}

/// The descriptions of an environment by number; equal ones have the same. Number 0 owns nothing.
#[derive(Default)]
pub struct Descriptions {
    list: Vec<Owned>,
    known: HashMap<Vec<u32>, u32>,
}

impl Descriptions {
    /// The number of a description (see [`Owned::parse`]).
    fn number(&mut self, numbers: Vec<u32>) -> Result<u32> {
        if let Some(&known) = self.known.get(&numbers) {
            return Ok(known);
        }
        self.list.push(Owned::parse(&numbers)?);
        let number = self.list.len() as u32;
        self.known.insert(numbers, number);
        Ok(number)
    }

    /// The description of a number.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] when it is nobody's.
    pub fn get(&self, number: u32) -> Result<&Owned> {
        const NOTHING: &Owned = &Owned { entries: Vec::new() };
        match (number as usize).checked_sub(1) {
            None => Ok(NOTHING),
            Some(at) => self.list.get(at).ok_or_else(|| {
                Error::new(Code::InvalidArgument, "this is no number of a description")
            }),
        }
    }
}

/// `describeOwned(numbers)` -> the number of a description of owned memory (see [`Owned::parse`]).
///
/// # Errors
/// [`Code::InvalidArgument`] for anything else.
pub fn describe(scope: Scope, state: &State, [list]: [Value; 1]) -> Result<Value> {
    let number = state.owned.borrow_mut().number(numbers(scope, list)?)?;
    scope.number(f64::from(number))
}

/// Pointers followed from one value at most: bounds what a description can cost.
const MAX_ENTRIES: usize = 1 << 20;

impl Owned {
    /// Reads a description: `[count, entry...]` with entries `[offset, 1, unit size]` for text
    /// and `[offset, 2, size, count, entry...]` for a block.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for anything else.
    pub fn parse(numbers: &[u32]) -> Result<Owned> {
        let mut rest = numbers.iter().copied();
        let mut budget = MAX_ENTRIES;
        let owned = Self::parse_list(&mut rest, &mut budget);
        owned.filter(|_| rest.next().is_none()).ok_or_else(|| {
            Error::new(Code::InvalidArgument, "this is no description of owned memory")
        })
    }

    /// What the address of a block owns.
    pub fn one_block() -> Owned {
        Owned { entries: vec![(0, Target::Block(0, Owned::default()))] }
    }

    fn parse_list(rest: &mut impl Iterator<Item = u32>, budget: &mut usize) -> Option<Owned> {
        let count = rest.next()?;
        let mut entries = Vec::new();
        for _ in 0..count {
            *budget = budget.checked_sub(1)?;
            let offset = rest.next()? as usize;
            let target = match (rest.next()?, rest.next()? as usize) {
                (1, unit @ (1 | 2 | 4)) => Target::Text(unit),
                (2, size) => Target::Block(size, Self::parse_list(rest, budget)?),
                _ => return None,
            };
            entries.push((offset, target));
        }
        Some(Owned { entries })
    }

    /// Copies what the pointers in `value` own, and points them at the copies, which `copies`
    /// keeps. NULL stays NULL.
    ///
    /// # Safety
    /// The pointers that the description names are NULL or valid as it says.
    pub unsafe fn copy(&self, value: &mut [u8], copies: &mut Vec<Box<[u8]>>) {
        for (offset, target) in &self.entries {
            let Some(source) = pointer_at(value, *offset).filter(|p| !p.is_null()) else {
                continue;
            };
            // SAFETY: the caller's promise.
            let len = unsafe { target.size(source) };
            // SAFETY: as above; `len` bytes are there.
            let mut copy: Box<[u8]> = unsafe { std::slice::from_raw_parts(source, len) }.into();
            if let Target::Block(_, inner) = target {
                // SAFETY: as above, for what the block points to.
                unsafe { inner.copy(&mut copy, copies) };
            }
            let address = copy.as_ptr() as usize;
            value[*offset..*offset + size_of::<usize>()].copy_from_slice(&address.to_ne_bytes());
            copies.push(copy);
        }
    }

    /// Frees what the pointers in the value at `at` own, innermost first. NULL is nothing.
    ///
    /// # Safety
    /// `at` and the pointers that the description names are valid as it says, and the latter
    /// were allocated with `malloc` and are used by nobody else.
    pub unsafe fn free(&self, at: *mut u8) {
        for (offset, target) in &self.entries {
            // SAFETY: the value is as large as its description says; it may be unaligned.
            let inner = unsafe { at.add(*offset).cast::<*mut u8>().read_unaligned() };
            if inner.is_null() {
                continue;
            }
            if let Target::Block(_, owned) = target {
                // SAFETY: the caller's promise.
                unsafe { owned.free(inner) };
            }
            // SAFETY: the caller's promise.
            unsafe { libc::free(inner.cast()) };
        }
    }
}

impl Target {
    /// Bytes of the data at `source`, the terminator of text included.
    ///
    /// # Safety
    /// `source` points to such data.
    unsafe fn size(&self, source: *const u8) -> usize {
        match self {
            Target::Block(size, _) => *size,
            // SAFETY: NUL-terminated bytes.
            Target::Text(1) => unsafe { CStr::from_ptr(source.cast()) }.count_bytes() + 1,
            Target::Text(unit) => {
                // SAFETY: every unit up to the zero one is readable.
                let is_zero =
                    |i: usize| (0..*unit).all(|b| unsafe { *source.add(i * unit + b) } == 0);
                ((0..).position(is_zero).unwrap_or(0) + 1) * unit
            }
        }
    }
}

/// The pointer at an offset of a value.
fn pointer_at(value: &[u8], offset: usize) -> Option<*const u8> {
    let bytes = value.get(offset..offset + size_of::<usize>())?;
    Some(ptr::with_exposed_provenance(usize::from_ne_bytes(bytes.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_checked() {
        assert_eq!(Owned::parse(&[0]).unwrap(), Owned::default());
        assert_eq!(Owned::parse(&[1, 8, 2, 24, 1, 0, 1, 1]).unwrap().entries.len(), 1);
        for bad in
            [&[][..], &[1], &[0, 0], &[1, 0, 3, 0], &[1, 0, 1, 3], &[1, 0, 2, 8], &[9, 0, 1, 1]]
        {
            assert_eq!(Owned::parse(bad).unwrap_err().code, Code::InvalidArgument, "{bad:?}");
        }
    }

    #[test]
    fn equal_descriptions_have_one_number() {
        let mut all = Descriptions::default();
        let text = all.number(vec![1, 8, 1, 1]).unwrap();
        assert_eq!(all.number(vec![1, 0, 1, 1]).unwrap(), text + 1);
        assert_eq!(all.number(vec![1, 8, 1, 1]).unwrap(), text);
        assert!(all.number(vec![1]).is_err());
        assert_eq!(all.get(text).unwrap(), &Owned::parse(&[1, 8, 1, 1]).unwrap());
        assert_eq!(all.get(0).unwrap(), &Owned::default());
        assert!(all.get(text + 2).is_err());
    }

    #[test]
    fn copies_are_deep() {
        let text = c"hello".to_owned();
        let mut block = [0u8; 16];
        block[8..].copy_from_slice(&(text.as_ptr() as usize).to_ne_bytes());
        let mut value = (block.as_ptr() as usize).to_ne_bytes();
        let owned = Owned::parse(&[1, 0, 2, 16, 2, 0, 1, 1, 8, 1, 1]).unwrap();
        let mut copies = Vec::new();
        // SAFETY: the value is as its description says.
        unsafe { owned.copy(&mut value, &mut copies) };
        assert_eq!(copies.len(), 2);
        assert_eq!(&*copies[0], b"hello\0");
        assert_eq!(&copies[1][8..], (copies[0].as_ptr() as usize).to_ne_bytes());
        assert_eq!(value, (copies[1].as_ptr() as usize).to_ne_bytes());
    }
}
