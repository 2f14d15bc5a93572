//! The process's code arena: blobs packed densely into shared segments, or into pages of their
//! own where the system refuses those.

use super::icache;
use super::os::{self, Refusals, Segment};
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

/// Blobs start at multiples of this.
const ALIGN: usize = 16;
/// Bytes of an ordinary segment; a larger blob gets one of its own size.
const SEGMENT: usize = 64 * 1024;

/// Copies code to executable memory and returns where it can be called.
pub(super) fn publish(code: &[u8]) -> Result<NonNull<u8>, Refusals> {
    static ARENA: Mutex<Arena> = Mutex::new(Arena::new());
    let start = ARENA.lock().unwrap_or_else(PoisonError::into_inner).publish(code)?;
    // SAFETY: the arena has just mapped and filled this range, and never writes to it again.
    let code = unsafe { std::slice::from_raw_parts(start.as_ptr(), code.len()) };
    icache::synchronise(code);
    os::flush(code);
    Ok(start)
}

/// Bytes of the segment that a blob of this length starts: whole pages.
fn segment_len(code: usize, page: usize) -> usize {
    code.next_multiple_of(page).max(SEGMENT)
}

/// The segment being filled.
#[derive(Debug)]
struct Arena {
    current: Option<Segment>,
    /// First free byte of `current`.
    next: usize,
    /// The process that fills it: after a fork both processes see the same pages, and each must
    /// write to its own.
    owner: u32,
}

impl Arena {
    const fn new() -> Arena {
        Arena { current: None, next: 0, owner: 0 }
    }

    fn publish(&mut self, code: &[u8]) -> Result<NonNull<u8>, Refusals> {
        self.publish_shared(code)
            .or_else(|shared| os::private_code(code).map_err(|private| private.after(shared)))
    }

    fn publish_shared(&mut self, code: &[u8]) -> os::Attempt<NonNull<u8>> {
        let process = std::process::id();
        if self.owner != process {
            (self.current, self.next, self.owner) = (None, 0, process);
        }
        if let Some(segment) = &mut self.current
            && code.len() <= segment.len() - self.next
        {
            let written = segment.write(self.next, code);
            match written {
                Ok(_) => self.take(code.len()),
                Err(_) => self.current = None,
            }
            return written;
        }
        let len = segment_len(code.len(), os::page_size());
        let mut segment = Segment::new(len)?;
        let start = segment.write(0, code)?;
        // A large blob may fill its segment: the fuller of the two is given up.
        let left = self.current.as_ref().map_or(0, |segment| segment.len() - self.next);
        if len - code.len() > left {
            (self.current, self.next) = (Some(segment), 0);
            self.take(code.len());
        }
        Ok(start)
    }

    fn take(&mut self, len: usize) {
        let end = self.current.as_ref().map_or(0, Segment::len);
        self.next = (self.next + len).next_multiple_of(ALIGN).min(end);
    }
}

#[cfg(all(test, unix, not(target_vendor = "apple")))]
mod tests {
    use super::*;
    use crate::code::fault::{Step, deny};

    fn addr(code: NonNull<u8>) -> usize {
        code.as_ptr() as usize
    }

    fn contents(code: NonNull<u8>, len: usize) -> &'static [u8] {
        // SAFETY: published code is immortal.
        unsafe { std::slice::from_raw_parts(code.as_ptr(), len) }
    }

    #[test]
    fn blobs_are_packed() {
        let mut arena = Arena::new();
        let blobs: Vec<Vec<u8>> = (0..5000u32).map(|i| vec![i as u8; 17]).collect();
        let placed: Vec<_> = blobs.iter().map(|blob| arena.publish(blob).unwrap()).collect();
        let jumps = placed.windows(2).filter(|pair| addr(pair[1]) != addr(pair[0]) + 32).count();
        // With its padding a blob takes 32 bytes. (Segments may happen to be neighbours.)
        assert!(jumps <= 5000 * 32 / SEGMENT, "{jumps} gaps");
        for (blob, code) in blobs.iter().zip(placed) {
            assert!(addr(code).is_multiple_of(ALIGN));
            assert_eq!(contents(code, blob.len()), blob);
        }
    }

    #[test]
    fn segments_are_whole_pages_of_every_size() {
        for page in [4 << 10, 16 << 10, 64 << 10] {
            for code in [1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 5 * SEGMENT + 1] {
                let len = segment_len(code, page);
                assert!(len >= code && len >= SEGMENT && len.is_multiple_of(page), "{page} {code}");
                assert!(len < code + SEGMENT.max(page), "{len} for {code}");
            }
        }
    }

    #[test]
    fn a_segment_is_filled_to_its_last_byte() {
        let mut arena = Arena::new();
        let first = arena.publish(&[1; SEGMENT - 15]).unwrap();
        // The rest is shorter than the alignment: it cannot be used, nor be run past.
        let second = arena.publish(&[2; 1]).unwrap();
        assert!(!(addr(first)..addr(first) + SEGMENT).contains(&addr(second)));
        let third = arena.publish(&[3; SEGMENT - 16]).unwrap();
        assert_eq!(addr(third), addr(second) + 16);
        assert_eq!(arena.next, SEGMENT);
    }

    #[test]
    fn a_large_blob_leaves_the_segment_in_use() {
        let mut arena = Arena::new();
        let small = arena.publish(&[1; 100]).unwrap();
        let large = vec![2; 3 * SEGMENT + 1];
        assert_eq!(contents(arena.publish(&large).unwrap(), large.len()), large);
        assert_eq!(addr(arena.publish(&[3; 100]).unwrap()), addr(small) + 112);
    }

    #[test]
    fn a_forked_child_leaves_the_segment_to_its_parent() {
        let mut arena = Arena::new();
        let before = arena.publish(&[1; 16]).unwrap();
        arena.owner = arena.owner.wrapping_add(1); // what a child finds
        let after = arena.publish(&[2; 16]).unwrap();
        assert!(!(addr(before)..addr(before) + SEGMENT).contains(&addr(after)));
        assert_eq!(addr(arena.publish(&[3; 16]).unwrap()), addr(after) + 16);
    }

    #[test]
    fn every_refusal_has_a_way_round() {
        for step in [Step::File, Step::MapShared, Step::Edit] {
            let mut arena = Arena::new();
            let denial = deny(&[step]);
            let code = arena.publish(&[7; 40]).unwrap();
            assert_eq!(contents(code, 40), [7; 40], "{step:?}");
            assert!(addr(code).is_multiple_of(os::page_size()), "not a page of its own");
            drop(denial);
            let (one, two) = (arena.publish(&[1; 16]).unwrap(), arena.publish(&[2; 16]).unwrap());
            assert_eq!(addr(two), addr(one) + 16, "shared again after {step:?}");
        }
    }

    #[test]
    fn a_refusal_in_mid_segment_has_a_way_round() {
        let mut arena = Arena::new();
        let first = arena.publish(&[1; 16]).unwrap();
        let denial = deny(&[Step::Edit]);
        assert_eq!(contents(arena.publish(&[2; 16]).unwrap(), 16), [2; 16]);
        drop(denial);
        assert_eq!(contents(arena.publish(&[3; 16]).unwrap(), 16), [3; 16]);
        assert_eq!(contents(first, 16), [1; 16]);
    }

    #[test]
    fn refused_everywhere_is_an_error_with_causes() {
        let _denial = deny(&[Step::File, Step::Protect]);
        let error = Arena::new().publish(&[0; 1]).unwrap_err().into_error("(i32) -> void");
        assert_eq!(error.code, crate::error::Code::ExecutableMemory);
        for part in ["(i32) -> void", "memfd: refused by", "protect: refused by", "SELinux"] {
            assert!(error.message.contains(part), "{part} in {}", error.message);
        }
    }
}
