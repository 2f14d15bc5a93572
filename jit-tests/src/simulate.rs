//! A symbolic machine that runs plans on byte tags, written without looking at the verifier of
//! `plan`: a downcall and the upcall it reaches must together be the identity.

use crate::leaves::used_bytes;
use ffi_jit::abi::{CallLayout, Ext, Location, Passing, Piece, Returning};
use ffi_jit::plan::{Base, FrameLayout, Op, Place, Plan};
use ffi_jit::target::{Arch, Os, Target};
use ffi_jit::types::{Signature, Type};

/// What a byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tag {
    /// A byte of an argument's C memory form.
    Arg { index: usize, at: u32 },
    /// A byte of the result's C memory form.
    Ret { at: u32 },
    /// A byte of a pointer into the caller's frame.
    Pointer { to: u32, byte: u32 },
    /// A byte that widening made.
    Widened,
    /// A byte of the saved errno.
    Errno,
}

/// Where a byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spot {
    Int(u8, u32),
    Fp(u32),
    X87(u8, u32),
    Area(u32),
    Local(u8, u32),
    Frame(u32),
}

impl Spot {
    /// Its kind and its number among that kind.
    fn index(self) -> (usize, usize) {
        let (kind, index) = match self {
            Spot::Int(n, byte) => (0, u32::from(n) * 8 + byte),
            Spot::Fp(byte) => (1, byte),
            Spot::X87(n, byte) => (2, u32::from(n) * 16 + byte),
            Spot::Area(byte) => (3, byte),
            Spot::Local(n, byte) => (4, u32::from(n) * 8 + byte),
            Spot::Frame(byte) => (5, byte),
        };
        (kind, index as usize)
    }
}

/// What spots hold: a list per kind of spot, because a hash map of every byte costs too much.
#[derive(Clone, Debug, Default)]
struct Bytes([Vec<Option<(Spot, Tag)>>; 6]);

impl Bytes {
    fn get(&self, spot: Spot) -> Option<Tag> {
        let (kind, index) = spot.index();
        self.0[kind].get(index).copied().flatten().map(|(_, tag)| tag)
    }

    /// Sets a spot and returns what it held.
    fn insert(&mut self, spot: Spot, tag: Tag) -> Option<Tag> {
        let (kind, index) = spot.index();
        let list = &mut self.0[kind];
        if list.len() <= index {
            list.resize(index + 1, None);
        }
        list[index].replace((spot, tag)).map(|(_, old)| old)
    }

    fn iter(&self) -> impl Iterator<Item = (Spot, Tag)> {
        self.0.iter().flatten().copied().flatten()
    }

    /// The ones whose spots pass.
    fn only(&self, wanted: impl Fn(Spot) -> bool) -> Bytes {
        self.iter().filter(|&(spot, _)| wanted(spot)).collect()
    }
}

impl FromIterator<(Spot, Tag)> for Bytes {
    fn from_iter<I: IntoIterator<Item = (Spot, Tag)>>(items: I) -> Bytes {
        let mut bytes = Bytes::default();
        bytes.extend(items);
        bytes
    }
}

impl Extend<(Spot, Tag)> for Bytes {
    fn extend<I: IntoIterator<Item = (Spot, Tag)>>(&mut self, items: I) {
        for (spot, tag) in items {
            self.insert(spot, tag);
        }
    }
}

/// One trampoline while it runs: what it sees in registers and the argument area, and its frame.
struct Run<'p> {
    plan: &'p Plan,
    target: &'p Target,
    /// What it reads: registers and area as they were on entry or after the call, and the frame.
    source: Bytes,
    /// What it wrote; nothing is written twice.
    written: Bytes,
    /// The caller's frame, that pointers point into (upcalls).
    behind: Bytes,
    /// What was written through pointers.
    written_behind: Bytes,
}

type Outcome = Result<(), String>;

impl<'p> Run<'p> {
    fn new(plan: &'p Plan, target: &'p Target, source: Bytes) -> Self {
        let empty = Bytes::default;
        Run { plan, target, source, written: empty(), behind: empty(), written_behind: empty() }
    }

    fn spot(&self, place: Place, byte: u32) -> Result<Spot, String> {
        Ok(match place {
            Place::Int(n) => Spot::Int(n, byte),
            // On arm32 d3 is s6 and s7; elsewhere a register is a whole vector.
            Place::Fp(n) if self.target.arch == Arch::Arm32 => Spot::Fp(u32::from(n) * 4 + byte),
            Place::Fp(n) => Spot::Fp(u32::from(n) * 16 + byte),
            Place::X87(n) => Spot::X87(n, byte),
            Place::Local(n) if n < self.plan.locals => Spot::Local(n, byte),
            Place::Local(n) => return Err(format!("there is no local slot {n}")),
            Place::Mem(Base::Frame, at) if at + byte < self.plan.frame_bytes => {
                Spot::Frame(at + byte)
            }
            Place::Mem(Base::Frame, at) => {
                return Err(format!("frame byte {at}+{byte} is outside"));
            }
            Place::Mem(Base::Out, at) if at + byte >= self.plan.out_bytes => {
                return Err(format!("area byte {at}+{byte} is outside"));
            }
            Place::Mem(Base::Out | Base::In, at) => Spot::Area(at + byte),
            Place::Mem(Base::Behind(_), _) => return Err("a pointer is no spot".to_owned()),
        })
    }

    /// Where the pointer in a local slot points.
    fn target_of(&self, slot: u8) -> Result<u32, String> {
        let bytes: Vec<Option<Tag>> = (0..self.target.pointer_size())
            .map(|byte| self.written.get(Spot::Local(slot, byte)))
            .collect();
        match bytes[0] {
            Some(Tag::Pointer { to, byte: 0 })
                if (0..).zip(&bytes).all(|(i, tag)| *tag == Some(Tag::Pointer { to, byte: i })) =>
            {
                Ok(to)
            }
            _ => Err(format!("local slot {slot} holds no pointer but {bytes:?}")),
        }
    }

    fn read(&self, place: Place, byte: u32) -> Result<Tag, String> {
        if let Place::Mem(Base::Behind(slot), at) = place {
            let spot = Spot::Frame(self.target_of(slot)? + at + byte);
            return self.behind.get(spot).ok_or(format!("{spot:?} behind is not set"));
        }
        let spot = self.spot(place, byte)?;
        let from = if matches!(spot, Spot::Local(..)) { &self.written } else { &self.source };
        from.get(spot).ok_or(format!("{spot:?} is read but not set"))
    }

    fn write(&mut self, place: Place, byte: u32, tag: Tag) -> Outcome {
        let (bytes, spot) = match place {
            Place::Mem(Base::Behind(slot), at) => {
                let spot = Spot::Frame(self.target_of(slot)? + at + byte);
                (&mut self.written_behind, spot)
            }
            Place::Mem(Base::In, _) => return Err("the incoming area is written".to_owned()),
            _ => {
                let spot = self.spot(place, byte)?;
                (&mut self.written, spot)
            }
        };
        match bytes.insert(spot, tag) {
            Some(old) => Err(format!("{spot:?} is written twice: {old:?}, then {tag:?}")),
            None => Ok(()),
        }
    }

    fn shift(&mut self, from: Place, to: Place, len: u32, ext: Ext) -> Outcome {
        for byte in 0..len {
            let tag = self.read(from, byte)?;
            self.write(to, byte, tag)?;
        }
        match ext {
            Ext::None => Ok(()),
            Ext::Zero(width) | Ext::Sign(width) => {
                (len..u32::from(width)).try_for_each(|byte| self.write(to, byte, Tag::Widened))
            }
        }
    }

    fn step(&mut self, op: &Op) -> Outcome {
        match *op {
            Op::Move { from, to, len, ext } => self.shift(from, to, len, ext),
            Op::Copy { from, to, len } => {
                self.shift(Place::Mem(from.0, from.1), Place::Mem(to.0, to.1), len, Ext::None)
            }
            Op::Address { of: (Base::Frame, at), to } => (0..self.target.pointer_size())
                .try_for_each(|byte| self.write(to, byte, Tag::Pointer { to: at, byte })),
            Op::Address { of, .. } => Err(format!("address of {of:?}")),
            // al: its own register byte, which no argument may share.
            Op::VectorCount(_) => self.write(Place::Int(0), 0, Tag::Widened),
            Op::SaveErrno { to } => (0..4)
                .try_for_each(|byte| self.write(Place::Mem(Base::Frame, to), byte, Tag::Errno)),
            Op::Call => Err("a second call".to_owned()),
        }
    }

    fn steps(&mut self, ops: &[Op]) -> Outcome {
        ops.iter().try_for_each(|op| self.step(op).map_err(|what| format!("{what}, at {op:?}")))
    }
}

/// The ops before and after the call.
fn halves(plan: &Plan) -> Result<(&[Op], &[Op]), String> {
    let at = plan.ops.iter().position(|op| *op == Op::Call).ok_or("there is no call")?;
    Ok((&plan.ops[..at], &plan.ops[at + 1..]))
}

/// The cells of a value in a frame, every byte tagged.
fn cell(at: u32, size: u32, tag: impl Fn(u32) -> Tag) -> impl Iterator<Item = (Spot, Tag)> {
    (0..size).map(move |byte| (Spot::Frame(at + byte), tag(byte)))
}

/// Everything but this trampoline's own frame and slots: what the other side of a call sees.
fn visible(bytes: &Bytes) -> Bytes {
    bytes.only(|spot| !matches!(spot, Spot::Frame(_) | Spot::Local(..)))
}

/// Runs a downcall into an upcall and back on tags, and checks that every used byte of every
/// argument travels exactly once and arrives where the upcall's frame has it, that the result
/// comes back the same way, and that nothing is read unset, written twice or out of bounds.
///
/// # Errors
/// What went wrong, in words.
pub fn round_trip(
    signature: &Signature,
    layout: &CallLayout,
    frame: &FrameLayout,
    (down, up): (&Plan, &Plan),
    target: &Target,
) -> Outcome {
    let model = &target.model;
    let (load, store) = halves(down)?;
    let (receive, give_back) = halves(up)?;

    // The caller's side: cells to locations.
    let mut cells = Bytes::default();
    for (index, (ty, &at)) in signature.params.iter().zip(&frame.args).enumerate() {
        cells.extend(cell(at, ty.size(model), |at| Tag::Arg { index, at }));
    }
    let mut caller = Run::new(down, target, cells.clone());
    caller.steps(load)?;
    once(signature, layout, frame, &caller)?;
    let argument_area = layout.home_bytes..layout.stack_bytes;
    for (spot, _) in caller.written.iter() {
        if matches!(spot, Spot::Area(at) if !argument_area.contains(&at)) {
            return Err(format!("{spot:?} is no argument's"));
        }
    }

    // The callee's side: locations to cells.
    let mut callee = Run::new(up, target, visible(&caller.written));
    callee.behind = cells;
    callee.steps(receive)?;
    for (index, (ty, &at)) in signature.params.iter().zip(&frame.args).enumerate() {
        for (byte, used) in (0..).zip(used_bytes(ty, model)) {
            let arrived = callee.written.get(Spot::Frame(at + byte));
            if used && arrived != Some(Tag::Arg { index, at: byte }) {
                return Err(format!("byte {byte} of argument {index} arrives as {arrived:?}"));
            }
        }
    }

    // The way back.
    let size = signature.ret.size(model);
    callee.source = cell(frame.ret, size, |at| Tag::Ret { at }).collect();
    callee.written = callee.written.only(|spot| matches!(spot, Spot::Local(..)));
    callee.steps(give_back)?;
    caller.source = visible(&callee.written);
    caller.written = Bytes::default();
    caller.steps(store)?;
    let mut results = std::mem::take(&mut caller.written);
    for (spot, tag) in callee.written_behind.iter() {
        if results.insert(spot, tag).is_some() {
            return Err(format!("{spot:?} of the result is written from both sides"));
        }
    }
    for (byte, used) in (0..).zip(used_bytes(&signature.ret, model)) {
        let arrived = results.get(Spot::Frame(frame.ret + byte));
        if used && arrived != Some(Tag::Ret { at: byte }) {
            return Err(format!("byte {byte} of the result arrives as {arrived:?}"));
        }
    }
    let cell = frame.ret..frame.ret + size;
    for (spot, tag) in results.iter() {
        let inside = matches!(spot, Spot::Frame(at) if cell.contains(&at));
        if !inside && tag != Tag::Errno {
            return Err(format!("{tag:?} is stored to {spot:?} outside the result"));
        }
    }
    if let Returning::Memory { back: Some(back), .. } = layout.ret {
        for byte in 0..target.pointer_size() {
            let spot = caller.spot(place(back), byte)?;
            if caller.source.get(spot) != Some(Tag::Pointer { to: frame.ret, byte }) {
                return Err(format!("the result's address is not handed back in {spot:?}"));
            }
        }
    }
    Ok(())
}

/// Every used byte of every argument travels once, or its address does, and it is where the call
/// layout says; a floating-point argument of a variadic Win64 function travels in both classes.
fn once(
    signature: &Signature,
    layout: &CallLayout,
    frame: &FrameLayout,
    caller: &Run<'_>,
) -> Outcome {
    let target = caller.target;
    let sizes = signature.params.iter().map(|ty| ty.size(&target.model) as usize);
    let mut times: Vec<Vec<u32>> = sizes.map(|size| vec![0; size]).collect();
    let mut addresses = vec![0; times.len()];
    for (_, tag) in caller.written.iter() {
        match tag {
            Tag::Arg { index, at } => times[index][at as usize] += 1,
            Tag::Pointer { to, byte: 0 } => {
                let index = frame.args.iter().zip(&times).position(|(&at, bytes)| {
                    at == to && !bytes.is_empty() // an empty value shares its cell's offset
                });
                index.into_iter().for_each(|index| addresses[index] += 1);
            }
            _ => {}
        }
    }
    let doubled = |ty: &Type| {
        let win64 = target.os == Os::Windows && target.arch == Arch::X64;
        let float = matches!(ty, Type::Scalar(scalar) if scalar.is_float());
        if win64 && signature.fixed.is_some() && float { 1..=2 } else { 1..=1 }
    };
    for (index, (ty, passing)) in signature.params.iter().zip(&layout.args).enumerate() {
        for (at, used) in (0..).zip(used_bytes(ty, &target.model)) {
            let count = match passing {
                Passing::Reference { .. } => addresses[index],
                _ => times[index][at as usize],
            };
            if used && !doubled(ty).contains(&count) {
                return Err(format!("byte {at} of argument {index} travels {count} times"));
            }
        }
        let (pieces, tag): (&[Piece], &dyn Fn(u32) -> Tag) = match passing {
            Passing::Ignore => continue,
            Passing::Value(pieces) => (pieces, &|at| Tag::Arg { index, at }),
            Passing::Reference { ptr, .. } => {
                let len = target.pointer_size();
                let piece = Piece { at: 0, len, ext: Ext::None, loc: *ptr };
                (&[piece], &|byte| Tag::Pointer { to: frame.args[index], byte })
            }
        };
        for piece in pieces {
            for byte in 0..piece.len {
                let spot = caller.spot(place(piece.loc), byte)?;
                let found = caller.written.get(spot);
                if found != Some(tag(piece.at + byte)) {
                    return Err(format!("{spot:?} has {found:?}, not what {piece:?} says"));
                }
            }
        }
    }
    Ok(())
}

/// A location as the caller's plan names it.
fn place(loc: Location) -> Place {
    match loc {
        Location::Int(n) => Place::Int(n),
        Location::Fp(n) => Place::Fp(n),
        Location::X87(n) => Place::X87(n),
        Location::Stack(at) => Place::Mem(Base::Out, at),
    }
}
