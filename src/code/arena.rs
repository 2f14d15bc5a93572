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
        self.publish_shared(code).or_else(|shared| {
            os::private_code(code).map_err(|private| Refusals(vec![shared, private]))
        })
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
        let len = code.len().next_multiple_of(os::page_size()).max(SEGMENT);
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
