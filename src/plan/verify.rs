//! Checks a plan against its call layout before code is made from it.
//!
//! The plan runs on a machine whose bytes are symbols ([`symbolic`]). At the call and at the end,
//! registers, stack and frame must hold exactly the symbols that the layout asks for: a byte that
//! is missing, comes from elsewhere, or is there without being asked for is a fault. Bytes are
//! written once. Steps that go from memory to memory may use integer registers as scratch, so the
//! machine forgets those registers.

mod symbolic;
#[cfg(test)]
mod tests;

use super::{Base, Entry, FrameLayout, Op, Place, Plan};
use crate::abi::{CallLayout, Ext, Location, Passing, Piece, Returning};
use crate::error::{Code, Error, Result};
use symbolic::{Memory, Origin, Run, Space};

/// What a check finds wrong.
type Check<T = ()> = std::result::Result<T, String>;

/// Simulates the plan symbolically and refuses what would move a byte twice, not at all, out of
/// bounds, or after it was overwritten.
///
/// # Errors
/// [`crate::error::Code::Internal`] with the offending op.
pub fn verify(plan: &Plan, layout: &CallLayout, frame: &FrameLayout) -> Result<()> {
    let fault = |what: String| Error::new(Code::Internal, format!("bad plan: {what}"));
    check_shape(plan, layout, frame).map_err(fault)?;
    let mut machine = Machine::enter(plan, layout, frame).map_err(fault)?;
    for (i, op) in plan.ops.iter().enumerate() {
        machine.step(op).map_err(|what| fault(format!("op {i}, {op:?}: {what}")))?;
    }
    machine.leave().map_err(fault)
}

/// The numbers that are no ops.
fn check_shape(plan: &Plan, layout: &CallLayout, frame: &FrameLayout) -> Check {
    let upcall = plan.entry == Entry::Upcall;
    let pops = if upcall { layout.callee_pops } else { 0 };
    let rules = [
        ("one cell per argument", frame.args.len() == layout.args.len()),
        ("the frame's size", plan.frame_bytes == frame.size),
        ("the frame's alignment", plan.frame_align == frame.align),
        ("alignments are powers of two", plan.frame_align.is_power_of_two()),
        ("alignments are powers of two", plan.stack_align.is_power_of_two()),
        ("the area keeps SP aligned", plan.out_bytes.is_multiple_of(plan.stack_align)),
        ("the area has the stack arguments", upcall || plan.out_bytes >= layout.stack_bytes),
        ("SP is aligned as the callee expects", upcall || plan.stack_align >= layout.stack_align),
        ("only upcalls have local slots", upcall || plan.locals == 0),
        ("the bytes to pop", plan.pops == pops),
    ];
    match rules.iter().find(|(_, holds)| !holds) {
        Some((rule, _)) => Err(format!("{rule}: {plan:?}")),
        None => check_cells(layout, frame),
    }
}

/// Values must fit between their cell and the next one, by-reference copies as aligned as asked.
fn check_cells(layout: &CallLayout, frame: &FrameLayout) -> Check {
    let fits = |cell: u32, bytes: u32| {
        let others = frame.args.iter().chain([&frame.ret, &frame.errno, &frame.size]);
        let end = others.copied().filter(|&other| other > cell).min().unwrap_or(cell);
        if u64::from(cell) + u64::from(bytes) <= u64::from(end) {
            Ok(())
        } else {
            Err(format!("{bytes} bytes do not fit into the cell at {cell}"))
        }
    };
    let extent = |pieces: &[Piece]| pieces.iter().map(|p| p.at + p.len).max().unwrap_or(0);
    for (passing, &cell) in layout.args.iter().zip(&frame.args) {
        match passing {
            Passing::Ignore => {}
            Passing::Value(pieces) => fits(cell, extent(pieces))?,
            Passing::Reference { size, align, .. } => {
                fits(cell, *size)?;
                if cell % align != 0 || frame.align < *align {
                    return Err(format!("the copy at {cell} is not aligned to {align}"));
                }
            }
        }
    }
    match &layout.ret {
        Returning::Void => Ok(()),
        Returning::Value(pieces) => fits(frame.ret, extent(pieces)),
        Returning::Memory { size, .. } => fits(frame.ret, *size),
    }
}

/// A trampoline in the middle of its work.
struct Machine<'a> {
    plan: &'a Plan,
    layout: &'a CallLayout,
    frame: &'a FrameLayout,
    memory: Memory,
    called: bool,
    /// Whether the step before was `Op::VectorCount`, after which scratch is scarce.
    counted: bool,
    /// Whether errno was saved.
    errno: bool,
}

impl<'a> Machine<'a> {
    /// The machine at the trampoline's entry.
    fn enter(plan: &'a Plan, layout: &'a CallLayout, frame: &'a FrameLayout) -> Check<Self> {
        let memory = Memory::default();
        let (called, counted, errno) = (false, false, false);
        let mut machine = Machine { plan, layout, frame, memory, called, counted, errno };
        // A downcall finds values in cells, an upcall where the ABI passes them.
        machine.memory =
            if machine.is_upcall() { machine.passed()? } else { machine.arguments()? };
        Ok(machine)
    }

    fn is_upcall(&self) -> bool {
        self.plan.entry == Entry::Upcall
    }

    fn pointer_size(&self) -> u64 {
        u64::from(self.layout.abi.pointer_size())
    }

    fn place(&self, loc: Location) -> (Space, u64) {
        match loc {
            Location::Int(n) => (Space::Int(n), 0),
            Location::Fp(n) => {
                (Space::Fp, u64::from(n) * u64::from(self.layout.abi.fp_register_stride()))
            }
            Location::X87(n) => (Space::X87(n), 0),
            Location::Stack(offset) => (Space::Stack, u64::from(offset)),
        }
    }

    /// `len` bytes that are where they always were.
    fn original(&self, loc: Location, len: u64, origin: fn(Space) -> Origin) -> (Space, Run) {
        let (space, start) = self.place(loc);
        (space, Run { start, len, origin: origin(space), at: start })
    }

    /// Arguments and the result pointer where the ABI passes them, as an upcall finds them.
    fn passed(&self) -> Check<Memory> {
        let mut memory = Memory::default();
        let mut put = |loc, len: u64| {
            let (space, run) = self.original(loc, len, Origin::Argument);
            memory.write(space, run)
        };
        for (loc, _) in self.pointers() {
            put(loc, self.pointer_size())?;
        }
        for piece in self.argument_pieces().map(|(piece, _)| piece) {
            put(piece.loc, piece.len.into())?;
        }
        self.check_stack(&memory)?;
        for passing in &self.layout.args {
            if let Passing::Reference { ptr, size, .. } = *passing {
                let (space, len) = (Space::Pointee(ptr), size.into());
                let origin = Origin::Argument(space);
                memory.write(space, Run { start: 0, len, origin, at: 0 })?;
            }
        }
        Ok(memory)
    }

    /// Arguments in their cells, as a downcall finds them.
    fn arguments(&self) -> Check<Memory> {
        let mut memory = Memory::default();
        for (piece, cell) in self.distinct_pieces() {
            let start = u64::from(cell) + u64::from(piece.at);
            let origin = Origin::Argument(Space::Frame);
            memory.write(Space::Frame, Run { start, len: piece.len.into(), origin, at: start })?;
        }
        Ok(memory)
    }

    /// As [`Machine::argument_pieces`], without pieces that repeat an earlier one's bytes.
    fn distinct_pieces(&self) -> impl Iterator<Item = (Piece, u32)> + use<'a> {
        let cells = self.layout.args.iter().zip(&self.frame.args);
        cells.flat_map(|(passing, &cell)| passing.distinct().map(move |&piece| (piece, cell)))
    }

    /// The pieces of all arguments with their cells.
    fn argument_pieces(&self) -> impl Iterator<Item = (Piece, u32)> + use<'a> {
        let cells = self.layout.args.iter().zip(&self.frame.args);
        cells.flat_map(|(passing, &cell)| passing.pieces().iter().map(move |&piece| (piece, cell)))
    }

    /// The locations of pointers that the ABI adds, with the cells they point to.
    fn pointers(&self) -> impl Iterator<Item = (Location, u32)> + use<'a> {
        let result = match self.layout.ret {
            Returning::Memory { ptr, .. } => Some((ptr, self.frame.ret)),
            Returning::Void | Returning::Value(_) => None,
        };
        let cells = self.layout.args.iter().zip(&self.frame.args);
        let references = cells.filter_map(|(passing, &cell)| match passing {
            Passing::Reference { ptr, .. } => Some((*ptr, cell)),
            Passing::Ignore | Passing::Value(_) => None,
        });
        result.into_iter().chain(references)
    }

    /// Stack arguments lie behind the home space and inside the area.
    fn check_stack(&self, memory: &Memory) -> Check {
        let area = u64::from(self.layout.home_bytes)..=u64::from(self.layout.stack_bytes);
        match memory.extent(Space::Stack) {
            Some((start, end)) if !(area.contains(&start) && area.contains(&end)) => {
                Err(format!("stack arguments [{start}..{end}] leave their area {area:?}"))
            }
            _ => Ok(()),
        }
    }

    fn step(&mut self, op: &Op) -> Check {
        if std::mem::replace(&mut self.counted, false) && *op != Op::Call {
            return Err("the call must follow the vector count".to_owned());
        }
        match *op {
            Op::Move { from, to, len, ext } => {
                self.check_width(from, len)?;
                self.check_width(to, len)?;
                self.transfer(self.resolve(from)?, to, len.into(), ext)?;
                self.scratch(is_memory(from) && is_memory(to));
            }
            Op::Copy { from, to, len } => {
                let from = self.resolve(Place::Mem(from.0, from.1))?;
                self.transfer(from, Place::Mem(to.0, to.1), len.into(), Ext::None)?;
                self.scratch(true);
            }
            Op::Address { of: (Base::Frame, offset), to } => {
                let (space, start) = self.resolve(to)?;
                let (len, origin) = (self.pointer_size(), Origin::Address(offset));
                self.memory.write(space, Run { start, len, origin, at: 0 })?;
                self.scratch(is_memory(to));
            }
            Op::Address { .. } => return Err("only the frame's addresses are given out".to_owned()),
            Op::VectorCount(count) => {
                let run = Run { start: 0, len: 1, origin: Origin::Number(count), at: 0 };
                self.memory.write(Space::VectorCount, run)?;
                self.counted = true;
            }
            Op::Call => self.call()?,
            Op::SaveErrno { to } => {
                if !self.called || self.is_upcall() {
                    return Err("errno is saved after the call of a downcall".to_owned());
                }
                let run = Run { start: to.into(), len: 4, origin: Origin::Errno, at: 0 };
                self.memory.write(Space::Frame, run)?;
                self.errno = true;
                self.scratch(true);
            }
        }
        Ok(())
    }

    /// A step from memory to memory may have used any integer register.
    fn scratch(&mut self, used: bool) {
        if used {
            self.memory.forget(|space| matches!(space, Space::Int(_)));
        }
    }

    /// A move must fit its register or slot.
    fn check_width(&self, place: Place, len: u32) -> Check {
        let len = u64::from(len);
        let fits = match place {
            Place::Int(_) => len <= 8,
            Place::Local(slot) => slot < self.plan.locals && len == self.pointer_size(),
            Place::Fp(_) | Place::X87(_) => len <= 16,
            Place::Mem(..) => true,
        };
        if fits && len > 0 { Ok(()) } else { Err(format!("{len} bytes do not fit {place:?}")) }
    }

    fn resolve(&self, place: Place) -> Check<(Space, u64)> {
        Ok(match place {
            Place::Int(n) => self.place(Location::Int(n)),
            Place::Fp(n) => self.place(Location::Fp(n)),
            Place::X87(n) => self.place(Location::X87(n)),
            Place::Local(slot) => (Space::Local(slot), 0),
            Place::Mem(Base::Frame, offset) => (Space::Frame, offset.into()),
            Place::Mem(Base::Out, offset) if !self.is_upcall() => (Space::Stack, offset.into()),
            Place::Mem(Base::In, offset) if self.is_upcall() => (Space::Stack, offset.into()),
            Place::Mem(Base::Behind(slot), offset) => (self.pointee(slot)?, offset.into()),
            Place::Mem(base, _) => return Err(format!("{base:?} is not of this direction")),
        })
    }

    /// What a slot points to: it must hold all of one of the ABI's pointers.
    fn pointee(&self, slot: u8) -> Check<Space> {
        let held = self.memory.read(Space::Local(slot), 0, self.pointer_size())?;
        let of = |&(loc, _): &(Location, u32)| {
            let (_, Run { origin, at, .. }) = self.original(loc, 0, Origin::Argument);
            matches!(held[..], [run] if run.origin == origin && run.at == at)
        };
        match self.pointers().find(of) {
            Some((loc, _)) => Ok(Space::Pointee(loc)),
            None => Err(format!("slot {slot} holds no pointer")),
        }
    }

    fn transfer(&mut self, from: (Space, u64), to: Place, len: u64, ext: Ext) -> Check {
        let runs = self.memory.read(from.0, from.1, len)?;
        let (space, start) = self.resolve(to)?;
        for run in runs {
            self.memory.write(space, Run { start: start + run.start, ..run })?;
        }
        self.memory.write(space, fill(start, len, ext))
    }

    fn call(&mut self) -> Check {
        if self.called {
            return Err("a second call".to_owned());
        }
        self.called = true;
        let wanted = if self.is_upcall() { self.filled_frame()? } else { self.loaded()? };
        let kept = if self.is_upcall() {
            self.memory.compare(&wanted, |space| space == Space::Frame)?;
            // The locals survive, and what the caller's pointers point to.
            |space| matches!(space, Space::Local(_) | Space::Pointee(_))
        } else {
            self.memory.compare(&wanted, |space| space != Space::Frame)?;
            |space| space == Space::Frame
        };
        self.memory.forget(|space| !kept(space));
        self.come_back()
    }

    /// What a downcall must have loaded at the call.
    fn loaded(&self) -> Check<Memory> {
        let mut wanted = Memory::default();
        for (loc, cell) in self.pointers() {
            let (space, start) = self.place(loc);
            let (len, origin) = (self.pointer_size(), Origin::Address(cell));
            wanted.write(space, Run { start, len, origin, at: 0 })?;
        }
        for (piece, cell) in self.argument_pieces() {
            let (space, start) = self.place(piece.loc);
            let (len, origin) = (u64::from(piece.len), Origin::Argument(Space::Frame));
            let at = u64::from(cell) + u64::from(piece.at);
            wanted.write(space, Run { start, len, origin, at })?;
            wanted.write(space, fill(start, len, piece.ext))?;
        }
        self.check_stack(&wanted)?;
        if let Some(count) = self.layout.vector_count {
            let run = Run { start: 0, len: 1, origin: Origin::Number(count), at: 0 };
            wanted.write(Space::VectorCount, run)?;
        }
        Ok(wanted)
    }

    /// What an upcall must have put into the frame at the call.
    fn filled_frame(&self) -> Check<Memory> {
        let mut wanted = Memory::default();
        for (piece, cell) in self.distinct_pieces() {
            let (_, run) = self.original(piece.loc, piece.len.into(), Origin::Argument);
            let start = u64::from(cell) + u64::from(piece.at);
            wanted.write(Space::Frame, Run { start, ..run })?;
        }
        for (passing, &cell) in self.layout.args.iter().zip(&self.frame.args) {
            if let Passing::Reference { ptr, size, .. } = *passing {
                let origin = Origin::Argument(Space::Pointee(ptr));
                let run = Run { start: cell.into(), len: size.into(), origin, at: 0 };
                wanted.write(Space::Frame, run)?;
            }
        }
        Ok(wanted)
    }

    /// Defines the result where the call left it: a downcall's target in the ABI's places, an
    /// upcall's dispatcher in the cell.
    fn come_back(&mut self) -> Check {
        let cell = |at: u32, len: u32| {
            let start = u64::from(self.frame.ret) + u64::from(at);
            let origin = Origin::Result(Space::Frame);
            (Space::Frame, Run { start, len: len.into(), origin, at: start })
        };
        let left = match &self.layout.ret {
            Returning::Void => Vec::new(),
            Returning::Memory { size, .. } => vec![cell(0, *size)],
            Returning::Value(pieces) if self.is_upcall() => {
                pieces.iter().map(|p| cell(p.at, p.len)).collect()
            }
            Returning::Value(pieces) => {
                let piece = |p: &Piece| self.original(p.loc, p.len.into(), Origin::Result);
                pieces.iter().map(piece).collect()
            }
        };
        left.into_iter().try_for_each(|(space, run)| self.memory.write(space, run))
    }

    /// Checks what is there when the trampoline returns.
    fn leave(&self) -> Check {
        if !self.called {
            return Err("no call".to_owned());
        }
        if self.is_upcall() {
            let written = |space| match space {
                Space::Pointee(loc) => {
                    matches!(self.layout.ret, Returning::Memory { ptr, .. } if ptr == loc)
                }
                Space::Local(_) | Space::Frame => false,
                _ => true,
            };
            self.memory.compare(&self.returned()?, written)
        } else {
            self.memory.compare(&self.stored()?, |space| space == Space::Frame)
        }
    }

    /// What an upcall must have returned.
    fn returned(&self) -> Check<Memory> {
        let mut wanted = Memory::default();
        let origin = Origin::Result(Space::Frame);
        match &self.layout.ret {
            Returning::Void => {}
            Returning::Value(pieces) => {
                for piece in pieces {
                    let (space, start) = self.place(piece.loc);
                    let len = u64::from(piece.len);
                    let at = u64::from(self.frame.ret) + u64::from(piece.at);
                    wanted.write(space, Run { start, len, origin, at })?;
                    wanted.write(space, fill(start, len, piece.ext))?;
                }
            }
            Returning::Memory { ptr, back, size } => {
                let (len, at) = (u64::from(*size), u64::from(self.frame.ret));
                wanted.write(Space::Pointee(*ptr), Run { start: 0, len, origin, at })?;
                if let Some(back) = back {
                    let (_, run) = self.original(*ptr, self.pointer_size(), Origin::Argument);
                    let (space, start) = self.place(*back);
                    wanted.write(space, Run { start, ..run })?;
                }
            }
        }
        Ok(wanted)
    }

    /// What a downcall must have left in the frame: arguments as they were, result and errno.
    fn stored(&self) -> Check<Memory> {
        let mut wanted = self.arguments()?;
        match &self.layout.ret {
            Returning::Void => {}
            Returning::Value(pieces) => {
                for piece in pieces {
                    let (_, run) = self.original(piece.loc, piece.len.into(), Origin::Result);
                    let start = u64::from(self.frame.ret) + u64::from(piece.at);
                    wanted.write(Space::Frame, Run { start, ..run })?;
                }
            }
            Returning::Memory { size, .. } => {
                let (start, len) = (u64::from(self.frame.ret), u64::from(*size));
                let origin = Origin::Result(Space::Frame);
                wanted.write(Space::Frame, Run { start, len, origin, at: start })?;
            }
        }
        if self.errno {
            let start = self.frame.errno.into();
            wanted.write(Space::Frame, Run { start, len: 4, origin: Origin::Errno, at: 0 })?;
        }
        Ok(wanted)
    }
}

/// The bytes that `ext` adds behind `len` bytes at `start`.
fn fill(start: u64, len: u64, ext: Ext) -> Run {
    let width = match ext {
        Ext::None => len,
        Ext::Zero(width) | Ext::Sign(width) => width.into(),
    };
    let len_added = width.saturating_sub(len);
    Run { start: start + len, len: len_added, origin: Origin::Fill(ext), at: 0 }
}

fn is_memory(place: Place) -> bool {
    matches!(place, Place::Mem(..) | Place::Local(_))
}
