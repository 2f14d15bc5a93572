//! One signature under test: a downcall to its callee and an upcall from its caller, compared
//! leaf by leaf.

use crate::batch::{Loaded, Slot};
use crate::c_source::RESULT_SALT;
use crate::leaves::{Leaf, leaves};
use crate::random;
use crate::rng::Rng;
use ffi_jit::abi::Passing;
use ffi_jit::call::{Downcall, Frame, Prepared, Upcall};
use ffi_jit::types::Signature;
use std::ffi::{c_int, c_void};
use std::ops::Range;

/// Which of the two C functions takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// We call the callee.
    Down,
    /// The caller calls us.
    Up,
}

impl Direction {
    /// Both.
    pub const ALL: [Direction; 2] = [Direction::Down, Direction::Up];

    /// As a word.
    pub const fn name(self) -> &'static str {
        match self {
            Direction::Down => "downcall",
            Direction::Up => "upcall",
        }
    }
}

/// A value of a frame: where its leaves are.
#[derive(Clone, Debug)]
struct Cell {
    at: u32,
    leaves: Vec<Leaf>,
}

/// A signature made ready.
#[derive(Clone, Debug)]
pub struct Case {
    prepared: Prepared,
    args: Vec<Cell>,
    ret: Cell,
}

/// The leaves of a call: what goes in and what comes out.
#[derive(Clone, Debug)]
struct Values {
    args: Vec<Slot>,
    ret: Vec<Slot>,
}

type Outcome = Result<(), String>;

impl Case {
    /// Prepares a signature for the running machine.
    ///
    /// # Errors
    /// The text of the error that preparing gave.
    pub fn new(signature: &Signature) -> Result<Case, String> {
        let prepared = Prepared::host(signature.clone()).map_err(|error| error.to_string())?;
        let model = &prepared.target.model;
        let args = (0..)
            .zip(&signature.params)
            .zip(&prepared.frame.args)
            .map(|((salt, ty), &at)| Cell { at, leaves: leaves(ty, model, salt) })
            .collect();
        let ret =
            Cell { at: prepared.frame.ret, leaves: leaves(&signature.ret, model, RESULT_SALT) };
        Ok(Case { prepared, args, ret })
    }

    /// Runs one direction with fresh random values.
    ///
    /// # Errors
    /// The first difference.
    pub fn run(
        &self,
        direction: Direction,
        library: &Loaded,
        number: usize,
        rng: &mut Rng,
    ) -> Outcome {
        let values = self.values(rng);
        match direction {
            Direction::Down => self.down(library, number, &values, rng),
            Direction::Up => self.up(library, number, &values, rng),
        }
    }

    fn values(&self, rng: &mut Rng) -> Values {
        let target = &self.prepared.target;
        let mut draw = |cell: &Cell| -> Vec<Slot> {
            cell.leaves.iter().map(|leaf| random::value(rng, leaf.scalar, target)).collect()
        };
        let args = self.args.iter().flat_map(&mut draw).collect();
        Values { args, ret: draw(&self.ret) }
    }

    fn size(&self, leaf: &Leaf) -> usize {
        leaf.scalar.size(&self.prepared.target.model) as usize
    }

    fn range(&self, cell: &Cell, leaf: &Leaf) -> Range<usize> {
        let start = (cell.at + leaf.at) as usize;
        start..start + self.size(leaf)
    }

    fn all_args(&self) -> impl Iterator<Item = (usize, &Cell, &Leaf)> {
        self.args
            .iter()
            .enumerate()
            .flat_map(|(i, cell)| cell.leaves.iter().map(move |leaf| (i, cell, leaf)))
    }

    fn write_args(&self, frame: &mut [u8], args: &[Slot]) {
        for ((_, cell, leaf), value) in self.all_args().zip(args) {
            let range = self.range(cell, leaf);
            frame[range.clone()].copy_from_slice(&value[..range.len()]);
        }
    }

    fn write_ret(&self, frame: &mut [u8], ret: &[Slot]) {
        for (leaf, value) in self.ret.leaves.iter().zip(ret) {
            let range = self.range(&self.ret, leaf);
            frame[range.clone()].copy_from_slice(&value[..range.len()]);
        }
    }

    fn same_args(&self, expected: &[Slot], seen: impl Fn(usize, &Cell, &Leaf) -> Slot) -> Outcome {
        for (slot, ((i, cell, leaf), value)) in self.all_args().zip(expected).enumerate() {
            let seen = seen(slot, cell, leaf);
            self.same(leaf, value, &seen).map_err(|what| format!("argument {i}, {what}"))?;
        }
        Ok(())
    }

    fn same_ret(&self, expected: &[Slot], seen: impl Fn(usize, &Leaf) -> Slot) -> Outcome {
        for (slot, (leaf, value)) in self.ret.leaves.iter().zip(expected).enumerate() {
            self.same(leaf, value, &seen(slot, leaf)).map_err(|what| format!("result, {what}"))?;
        }
        Ok(())
    }

    fn same(&self, leaf: &Leaf, expected: &Slot, seen: &Slot) -> Outcome {
        let size = self.size(leaf);
        if expected[..size] == seen[..size] {
            return Ok(());
        }
        let name = leaf.scalar.name();
        Err(format!(
            "{name} at offset {}: {:02x?} was sent, {:02x?} arrived",
            leaf.at,
            &expected[..size],
            &seen[..size]
        ))
    }

    /// The leaf's bytes in a frame.
    fn in_frame(&self, frame: &[u8], cell: &Cell, leaf: &Leaf) -> Slot {
        let range = self.range(cell, leaf);
        let mut slot = [0; 8];
        slot[..range.len()].copy_from_slice(&frame[range]);
        slot
    }

    /// Every second call also captures errno.
    fn down(&self, library: &Loaded, number: usize, values: &Values, rng: &mut Rng) -> Outcome {
        let with_errno = rng.percent(50);
        let code = (rng.bits() & 0xffff) as c_int;
        let mut frame = Frame::new(&self.prepared.frame);
        frame.fill_with(|| rng.bits() as u8);
        self.write_args(&mut frame, &values.args);
        let before = frame.to_vec();
        library.set(&[], &values.ret)?;
        library.set_errno(Some(code))?;
        let downcall =
            Downcall::new(&self.prepared, with_errno).map_err(|error| error.to_string())?;
        let callee = library.callee(number)?;
        // SAFETY: the callee was generated from this signature.
        unsafe { downcall.call(callee, &mut frame) }.map_err(|error| error.to_string())?;

        let arrived = library.get("oracle_args", values.args.len())?;
        self.same_args(&values.args, |slot, _, _| arrived[slot])?;
        self.same_ret(&values.ret, |_, leaf| self.in_frame(&frame, &self.ret, leaf))?;
        self.untouched(&before, &frame, with_errno)?;
        let saved = frame.view().errno();
        if with_errno && saved != code {
            return Err(format!("errno was {code}, {saved} was saved"));
        }
        Ok(())
    }

    /// A downcall writes its result, errno if asked, copies that the callee owns, and no other
    /// byte of the frame.
    fn untouched(&self, before: &[u8], after: &[u8], with_errno: bool) -> Outcome {
        let Prepared { signature, layout, frame, target } = &self.prepared;
        let cell = |at: u32, size: u32| at as usize..(at + size) as usize;
        let mut free = vec![cell(frame.ret, signature.ret.size(&target.model))];
        if with_errno {
            free.push(cell(frame.errno, 4));
        }
        for (passing, &at) in layout.args.iter().zip(&frame.args) {
            if let Passing::Reference { size, .. } = passing {
                free.push(cell(at, *size));
            }
        }
        let changed = (0..before.len())
            .find(|at| before[*at] != after[*at] && !free.iter().any(|range| range.contains(at)));
        match changed {
            Some(at) => Err(format!("byte {at} of the frame was overwritten")),
            None => Ok(()),
        }
    }

    fn up(&self, library: &Loaded, number: usize, values: &Values, rng: &mut Rng) -> Outcome {
        library.set(&values.args, &[])?;
        library.set_errno(None)?;
        let mut answer =
            Answer { case: self, values, garbage: rng.bits() as u8, calls: 0, seen: Ok(()) };
        let context = (&raw mut answer).cast::<c_void>();
        let upcall = Upcall::new(&self.prepared, Answer::dispatch, context)
            .map_err(|error| error.to_string())?;
        // SAFETY: the code follows this signature; the context lives until the call is over.
        unsafe { library.call_caller(number, upcall.code()) }?;
        drop(upcall);
        answer.seen?;
        if answer.calls != 1 {
            return Err(format!("the dispatcher ran {} times", answer.calls));
        }
        let arrived = library.get("oracle_ret", values.ret.len())?;
        self.same_ret(&values.ret, |slot, _| arrived[slot])
    }
}

/// What an upcall under test knows.
struct Answer<'a> {
    case: &'a Case,
    values: &'a Values,
    garbage: u8,
    calls: u32,
    seen: Outcome,
}

impl Answer<'_> {
    unsafe extern "C" fn dispatch(context: *mut c_void, frame: *mut u8) {
        // SAFETY: the context is the answer of `Case::up`, which nothing else uses meanwhile.
        let answer = unsafe { &mut *context.cast::<Answer<'_>>() };
        let case = answer.case;
        let layout = &case.prepared.frame;
        answer.calls += 1;
        if !frame.addr().is_multiple_of(layout.align as usize) {
            answer.seen = Err(format!("the upcall's frame is at {frame:p}"));
            return;
        }
        // SAFETY: the trampoline gives a frame of this size for us alone.
        let frame = unsafe { std::slice::from_raw_parts_mut(frame, layout.size as usize) };
        let values = answer.values;
        answer.seen =
            case.same_args(&values.args, |_, cell, leaf| case.in_frame(frame, cell, leaf));
        // All of the frame is the dispatcher's.
        frame.fill(answer.garbage);
        case.write_ret(frame, &values.ret);
    }
}
