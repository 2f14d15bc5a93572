//! A system that keeps Apple's rules: it says what was asked of it, and panics at what the real one
//! would kill a process for.

use super::*;
use crate::code::fault::deny;
use crate::error::Code;
use std::alloc::{Layout, alloc_zeroed};
use std::cell::{Cell, RefCell};

const PAGE: usize = 16_384;

struct Range {
    start: usize,
    len: usize,
    access: Access,
    origin: Origin,
}

/// A call of the system, with offsets from the start of what was mapped last.
#[derive(Debug, PartialEq)]
enum Said {
    Map(usize, Access, Origin),
    Replace(usize, usize),
    Protect(usize, Access),
    Unmap(usize),
    Switch(bool),
    Fill(usize),
}
use Access::{Either, Execute, Write};
use Origin::{Jit, Ordinary};
use Said::{Fill, Map, Protect, Replace, Switch, Unmap};

struct Fake {
    /// Apple silicon.
    threads_switch: bool,
    /// The entitlement is there, or the process is not hardened.
    jit: bool,
    /// Ordinary pages may become executable: the process is not hardened.
    ordinary: bool,
    replaces: bool,
    writing: Cell<bool>,
    ranges: RefCell<Vec<Range>>,
    said: RefCell<Vec<Said>>,
}

impl Fake {
    fn new(threads_switch: bool) -> Fake {
        Fake {
            threads_switch,
            jit: true,
            ordinary: true,
            replaces: true,
            writing: Cell::new(false),
            ranges: RefCell::default(),
            said: RefCell::default(),
        }
    }

    fn say(&self, what: Said) {
        self.said.borrow_mut().push(what);
    }

    fn said(&self) -> Vec<Said> {
        self.said.take()
    }

    /// Offset of an address in the range that it belongs to. (The newest one: replaced pages.)
    fn offset(&self, at: NonNull<u8>) -> usize {
        let at = at.as_ptr().addr();
        let ranges = self.ranges.borrow();
        at - ranges.iter().find(|r| (r.start..r.start + r.len).contains(&at)).unwrap().start
    }

    /// What this thread may do at an address now.
    fn rights(&self, at: NonNull<u8>) -> (bool, bool) {
        let at = at.as_ptr().addr();
        let ranges = self.ranges.borrow();
        let range = ranges.iter().rev().find(|r| (r.start..r.start + r.len).contains(&at)).unwrap();
        match (range.access, range.origin) {
            (Either, Jit) => (self.writing.get(), !self.writing.get()),
            (Either, Ordinary) => panic!("writable and executable"),
            (Write, _) => (true, false),
            (Execute, _) => (false, true),
        }
    }

    fn check(&self, at: NonNull<u8>, rights: (bool, bool)) {
        assert_eq!(self.rights(at), rights, "(write, execute)");
    }
}

fn refused() -> io::Error {
    io::Error::from(io::ErrorKind::PermissionDenied)
}

impl System for Fake {
    fn page_size(&self) -> usize {
        PAGE
    }

    fn threads_switch(&self) -> bool {
        self.threads_switch
    }

    fn map(&self, len: usize, access: Access, origin: Origin) -> io::Result<NonNull<u8>> {
        assert!(len.is_multiple_of(PAGE) && len > 0);
        assert!(access != Either || (origin == Jit && self.threads_switch));
        self.say(Map(len, access, origin));
        if origin == Jit && !self.jit {
            return Err(refused());
        }
        // SAFETY: the size is not zero. The memory stays for ever, as mappings do.
        let start = unsafe { alloc_zeroed(Layout::from_size_align(len, PAGE).unwrap()) };
        self.ranges.borrow_mut().push(Range { start: start.addr(), len, access, origin });
        Ok(NonNull::new(start).unwrap())
    }

    fn replace(&self, start: NonNull<u8>, len: usize) -> io::Result<()> {
        self.say(Replace(self.offset(start), len));
        if !self.replaces {
            return Err(refused());
        }
        let start = start.as_ptr().addr();
        let new = Range { start, len, access: Write, origin: Ordinary };
        self.ranges.borrow_mut().push(new);
        Ok(())
    }

    fn protect(&self, start: NonNull<u8>, len: usize, access: Access) -> io::Result<()> {
        self.say(Protect(len, access));
        let mut ranges = self.ranges.borrow_mut();
        let range = ranges.last_mut().unwrap();
        assert_eq!(range.start, start.as_ptr().addr());
        assert!(!(self.threads_switch && range.origin == Jit), "cannot be changed");
        if range.origin == Ordinary && !self.ordinary {
            return Err(refused());
        }
        let (rest, origin) = (range.len - len, range.origin);
        (range.len, range.access) = (len, access);
        let (start, access) = (range.start + len, Write);
        if rest > 0 {
            ranges.insert(0, Range { start, len: rest, access, origin });
        }
        Ok(())
    }

    fn unmap(&self, start: NonNull<u8>, len: usize) {
        self.say(Unmap(len));
        self.ranges.borrow_mut().retain(|range| range.start != start.as_ptr().addr());
    }

    fn let_thread_write(&self, write: bool) {
        assert_ne!(self.writing.replace(write), write);
        self.say(Switch(write));
    }

    fn fill(&self, start: NonNull<u8>, bytes: &[u8]) {
        assert!(self.rights(start).0, "a write to memory that cannot be written");
        self.say(Fill(self.offset(start)));
        // SAFETY: the range is in memory of `map`, which nobody else uses.
        unsafe { start.copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len()) };
    }
}

fn contents(start: NonNull<u8>, len: usize) -> &'static [u8] {
    // SAFETY: memory of `map` stays for ever.
    unsafe { std::slice::from_raw_parts(start.as_ptr(), len) }
}

const CODE: &[u8] = &[0xc3; 24];

#[test]
fn a_segment_is_written_by_one_thread_and_never_protected_anew() {
    let system = Fake::new(true);
    let mut segment = Segment::new(&system, 4 * PAGE).unwrap();
    assert_eq!(segment.len(), 4 * PAGE);
    let first = segment.write(&system, 0, CODE).unwrap();
    let second = segment.write(&system, 32, CODE).unwrap();
    assert_eq!(second.as_ptr().addr() - first.as_ptr().addr(), 32);
    assert_eq!(
        system.said(),
        [
            Map(4 * PAGE, Either, Jit),
            Switch(true),
            Fill(0),
            Switch(false),
            Switch(true),
            Fill(32),
            Switch(false)
        ]
    );
    assert_eq!(contents(first, 24), CODE);
    system.check(first, (false, true));
}

#[test]
fn a_group_of_slots_has_ordinary_data_behind_pages_that_threads_switch() {
    let system = Fake::new(true);
    let start = slot_group(&system, CODE, 2 * PAGE).unwrap();
    assert_eq!(
        system.said(),
        [Map(3 * PAGE, Either, Jit), Replace(PAGE, 2 * PAGE), Switch(true), Fill(0), Switch(false)]
    );
    system.check(start, (false, true));
    // SAFETY: inside the group.
    system.check(unsafe { start.add(PAGE) }, (true, false));
}

#[test]
fn elsewhere_pages_are_switched_and_nothing_is_shared() {
    let system = Fake::new(false);
    let refusal = Segment::new(&system, PAGE).unwrap_err();
    assert_eq!(refusal.cause.kind(), io::ErrorKind::Unsupported);
    let start = private_code(&system, CODE).unwrap();
    let expected = [Map(PAGE, Write, Jit), Fill(0), Protect(PAGE, Execute)];
    assert_eq!(system.said(), expected);
    system.check(start, (false, true));
    let start = slot_group(&system, CODE, PAGE).unwrap();
    let expected = [Map(2 * PAGE, Write, Jit), Fill(0), Protect(PAGE, Execute)];
    assert_eq!(system.said(), expected);
    system.check(start, (false, true));
    // SAFETY: inside the group.
    system.check(unsafe { start.add(PAGE) }, (true, false));
}

#[test]
fn without_the_entitlement_ordinary_pages_are_tried() {
    for threads_switch in [true, false] {
        let system = Fake { jit: false, ..Fake::new(threads_switch) };
        let start = slot_group(&system, CODE, PAGE).unwrap();
        system.check(start, (false, true));
        assert_eq!(
            system.said()[1..],
            [Map(2 * PAGE, Write, Ordinary), Fill(0), Protect(PAGE, Execute)]
        );
        assert!(!system.writing.get());
    }
}

#[test]
fn a_hardened_process_without_the_entitlement_gets_an_error_that_names_both_refusals() {
    for threads_switch in [true, false] {
        let system = Fake { jit: false, ordinary: false, ..Fake::new(threads_switch) };
        let shared = Segment::new(&system, PAGE).unwrap_err();
        let error =
            private_code(&system, CODE).unwrap_err().after(shared).into_error("(i32) -> void");
        assert_eq!(error.code, Code::ExecutableMemory);
        let ways = "(i32) -> void (map-jit: permission denied; protect: permission denied)";
        assert!(error.message.contains(ways), "{error}");
        assert!(system.said().contains(&Unmap(PAGE)), "what is of no use is given back");
    }
}

#[test]
fn what_cannot_be_put_behind_the_code_is_a_refusal() {
    let system = Fake { replaces: false, ..Fake::new(true) };
    let start = slot_group(&system, CODE, PAGE).unwrap();
    system.check(start, (false, true));
    assert_eq!(
        system.said(),
        [
            Map(2 * PAGE, Either, Jit),
            Replace(PAGE, PAGE),
            Unmap(2 * PAGE),
            Map(2 * PAGE, Write, Ordinary),
            Fill(0),
            Protect(PAGE, Execute)
        ]
    );
}

#[test]
fn refusals_can_be_injected() {
    let system = Fake::new(true);
    let mut segment = Segment::new(&system, PAGE).unwrap();
    {
        let _denial = deny(&[Step::Edit]);
        assert_eq!(segment.write(&system, 0, CODE).unwrap_err().step, Step::Edit);
    }
    let _denial = deny(&[Step::MapJit, Step::MapAnonymous]);
    system.said();
    assert!(Segment::new(&system, PAGE).is_err());
    assert_eq!(private_code(&system, CODE).unwrap_err().0.len(), 2);
    assert_eq!(system.said(), []);
}
