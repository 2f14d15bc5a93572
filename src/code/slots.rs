//! Code slots: pre-built entry points, each with a record of data that the code behind it reads.
//!
//! A group is one page of code, filled once, with the records right behind it:
//!
//! ```text
//! page     slot 0 | slot 1 | ...        read, execute     record address -> r10, jump [r10]
//! +page    record 0 | record 1 | ...    read, write       body, and what the body needs
//! ```
//! So binding a function or registering a callback writes data only. Groups are never unmapped:
//! the address of a slot can always be called, also after its release.

use super::{os, perf};
use crate::arch::{SLOT_STRIDE, emit_slots, record};
use crate::error::Result;
use crate::target::Target;
use std::collections::VecDeque;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Bytes from one record to the next.
pub const RECORD_STRIDE: usize = 64;
/// Words of a record.
pub const RECORD_WORDS: usize = 8;

/// A slot's record: see [`crate::arch::record`] for what its words are. Words are written with
/// atomics because C may enter a slot on any thread at any time.
pub type Record = [AtomicUsize; RECORD_WORDS];

const _: () = assert!(size_of::<Record>() <= RECORD_STRIDE);

/// How many released slots wait before the first of them is taken again: a late call should find
/// a slot that nobody owns, not another function.
const QUARANTINE: usize = 256;

/// Leading words that a retired slot may still read on another thread while it is taken again;
/// they are only ever replaced by their new values.
const RETIRED_WORDS: usize = 3;

/// An entry point of one's own. Dropping it returns it for reuse, after at least 256 others where
/// memory allows; until then calls of its address return zero.
#[derive(Debug)]
pub struct Slot {
    code: NonNull<u8>,
    record: &'static Record,
}

// SAFETY: the code is read-only and the record consists of atomics; both are immortal.
unsafe impl Send for Slot {}
// SAFETY: as above.
unsafe impl Sync for Slot {}

impl Slot {
    /// Takes a free slot. Its body is the vacant one; the owner writes the words that its own
    /// body reads, and then the body.
    ///
    /// # Errors
    /// [`crate::error::Code::ExecutableMemory`] when a new group was needed and refused.
    pub fn allocate() -> Result<Slot> {
        let slot = POOL.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        slot.record[record::BODY as usize].store(vacant_address(), Ordering::Release);
        for word in &slot.record[RETIRED_WORDS..] {
            word.store(0, Ordering::Relaxed);
        }
        Ok(slot)
    }

    /// The address that C calls.
    pub fn code(&self) -> *const u8 {
        self.code.as_ptr()
    }

    /// The data behind the code.
    pub fn record(&self) -> &'static Record {
        self.record
    }

    /// Returns the slot for reuse with its record as it is: the caller has made it answer late
    /// calls itself, without anything that can be freed.
    pub fn retire(self) {
        let slot = std::mem::ManuallyDrop::new(self);
        POOL.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .free
            .push_back((slot.code, slot.record));
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.record[record::BODY as usize].store(vacant_address(), Ordering::Release);
        Slot { code: self.code, record: self.record }.retire();
    }
}

/// What a slot without an owner does: it returns zero in the first integer register and, on
/// x86-64 System V, in the first vector register (the structure is classified INTEGER, SSE; System
/// V ABI, AMD64 supplement, section 3.2.3). It reads no argument and no memory.
#[cfg(all(target_arch = "x86_64", not(windows)))]
extern "C" fn vacant() -> Zero {
    Zero { _integer: 0, _float: 0.0 }
}

#[cfg(all(target_arch = "x86_64", not(windows)))]
#[repr(C)]
struct Zero {
    _integer: u64,
    _float: f64,
}

/// What a slot without an owner does: it returns zero in the first integer register. It reads no
/// argument and no memory.
#[cfg(not(all(target_arch = "x86_64", not(windows))))]
extern "C" fn vacant() -> usize {
    0
}

fn vacant_address() -> usize {
    vacant as *const () as usize
}

static POOL: Mutex<Pool> = Mutex::new(Pool { free: VecDeque::new(), fresh: None });

/// Slots that nobody owns.
struct Pool {
    /// Released ones, the longest released first.
    free: VecDeque<(NonNull<u8>, &'static Record)>,
    /// The newest group and how many of its slots were ever taken.
    fresh: Option<(Group, usize)>,
}

// SAFETY: the pointers are to immortal groups, which any thread may use.
unsafe impl Send for Pool {}

impl Pool {
    fn take(&mut self) -> Result<Slot> {
        if self.free.len() >= QUARANTINE
            && let Some(slot) = self.take_released()
        {
            return Ok(slot);
        }
        let (group, taken) = match self.fresh.take() {
            Some((group, taken)) if taken < group.count => (group, taken),
            _ => match Group::new(os::page_size()) {
                Ok(group) => (group, 0),
                Err(error) => return self.take_released().ok_or(error),
            },
        };
        let slot = group.slot(taken);
        self.fresh = Some((group, taken + 1));
        Ok(slot)
    }

    fn take_released(&mut self) -> Option<Slot> {
        self.free.pop_front().map(|(code, record)| Slot { code, record })
    }
}

/// One page of slots and its records.
struct Group {
    start: NonNull<u8>,
    page: usize,
    count: usize,
}

/// The code of a group's page of this size, and the bytes of its records: whole pages.
fn contents(target: &Target, page: usize) -> Result<(Vec<u8>, usize)> {
    let count = page / SLOT_STRIDE;
    let code = emit_slots(target, count, page, RECORD_STRIDE)?;
    Ok((code, (count * RECORD_STRIDE).next_multiple_of(page)))
}

impl Group {
    /// A group whose page has this size: the system's (4, 16 or 64 KiB), or a multiple of it.
    fn new(page: usize) -> Result<Group> {
        let (code, data) = contents(&Target::host()?, page)?;
        let start = os::slot_group(&code, page, data).map_err(|r| r.into_error("code slots"))?;
        // SAFETY: the group's first page is mapped readable and never written again.
        let published = unsafe { std::slice::from_raw_parts(start.as_ptr(), code.len()) };
        super::icache::synchronise(published);
        os::flush(published);
        perf::note(start.as_ptr() as usize, code.len(), "slots");
        Ok(Group { start, page, count: page / SLOT_STRIDE })
    }

    fn slot(&self, index: usize) -> Slot {
        assert!(index < self.count);
        // SAFETY: both are inside the group: `count` slots fit its first page, and as many
        // records the data behind it. Records are 64-byte aligned zeroed memory that lives for
        // ever and is only accessed as atomics.
        unsafe {
            let code = self.start.add(index * SLOT_STRIDE);
            let record = self.start.add(self.page + index * RECORD_STRIDE).cast::<Record>();
            Slot { code, record: record.as_ref() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{Arch, Os, Toolchain};

    const PAGES: [usize; 3] = [4 << 10, 16 << 10, 64 << 10];

    /// The address that a slot computes, counted from the page's first byte.
    fn record_of(arch: Arch, page: &[u8], slot: usize) -> i64 {
        let start = slot * SLOT_STRIDE;
        let word = |at: usize| i32::from_le_bytes(page[start + at..][..4].try_into().unwrap());
        let start = start as i64;
        match arch {
            Arch::X64 => start + 11 + i64::from(word(7)), // lea r10, [rip + d]
            Arch::X86 => start + 5 + i64::from(word(7)),  // call; pop eax; add eax, d
            Arch::Arm32 => start + 12 + i64::from(word(12)), // add ip, pc, ip
            Arch::Aarch64 => {
                // adr x16, d: bits 5 to 23, and below them 29 and 30.
                let adr = word(4);
                start + 4 + i64::from((adr << 8 >> 13) << 2 | adr >> 29 & 3)
            }
        }
    }

    #[test]
    fn slots_of_every_cpu_find_their_records_on_pages_of_every_size() {
        for arch in [Arch::X64, Arch::X86, Arch::Arm32, Arch::Aarch64] {
            let target = Target::new(arch, Os::Linux, Toolchain::Gnu);
            for page in PAGES {
                let (code, data) = contents(&target, page).unwrap();
                assert_eq!(code.len(), page, "{arch:?}");
                assert!(data.is_multiple_of(page) && data >= page / SLOT_STRIDE * RECORD_STRIDE);
                for slot in 0..page / SLOT_STRIDE {
                    let expected = page + slot * RECORD_STRIDE;
                    assert_eq!(record_of(arch, &code, slot), expected as i64, "{arch:?} {slot}");
                }
            }
        }
    }

    /// Larger pages than the system's are whole pages, too.
    #[test]
    #[cfg(unix)]
    fn groups_work_on_pages_of_every_size() {
        extern "C" fn seven() -> usize {
            7
        }
        for page in PAGES.into_iter().filter(|page| page.is_multiple_of(os::page_size())) {
            for denied in [&[][..], &[crate::code::fault::Step::File]] {
                let denial = crate::code::fault::deny(denied);
                let group = Group::new(page).unwrap();
                drop(denial);
                for index in [0, 1, group.count / 2, group.count - 1] {
                    // The pool never learns of it: a slot that is dropped would go there.
                    let slot = std::mem::ManuallyDrop::new(group.slot(index));
                    let body = &slot.record()[record::BODY as usize];
                    assert_eq!(body.swap(seven as *const () as usize, Ordering::Release), 0);
                    // SAFETY: the slot jumps to a function of this type.
                    let enter = unsafe {
                        std::mem::transmute::<*const u8, extern "C" fn() -> usize>(slot.code())
                    };
                    assert_eq!(enter(), 7, "slot {index} of a page of {page}");
                }
            }
        }
    }
}
