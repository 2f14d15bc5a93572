//! A symbolic machine that runs plans on byte tags, written without looking at the verifier of
//! `plan`: a downcall and the upcall it reaches must together be the identity.

use crate::leaves::used_bytes;
use ffi_jit::abi::{CallLayout, Ext, Passing, Returning};
use ffi_jit::plan::{Base, FrameLayout, Op, Place, Plan};
use ffi_jit::target::{Arch, Target};
use ffi_jit::types::Signature;
use std::collections::HashMap;

/// What a byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Spot {
    Int(u8, u32),
    Fp(u32),
    X87(u8, u32),
    Area(u32),
    Local(u8, u32),
    Frame(u32),
}

type Bytes = HashMap<Spot, Tag>;

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
        let empty = Bytes::new;
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
        let bytes: Vec<Option<&Tag>> = (0..self.target.pointer_size())
            .map(|byte| self.written.get(&Spot::Local(slot, byte)))
            .collect();
        match bytes[0] {
            Some(&Tag::Pointer { to, byte: 0 })
                if (0..)
                    .zip(&bytes)
                    .all(|(i, tag)| *tag == Some(&Tag::Pointer { to, byte: i })) =>
            {
                Ok(to)
            }
            _ => Err(format!("local slot {slot} holds no pointer but {bytes:?}")),
        }
    }

    fn read(&self, place: Place, byte: u32) -> Result<Tag, String> {
        if let Place::Mem(Base::Behind(slot), at) = place {
            let spot = Spot::Frame(self.target_of(slot)? + at + byte);
            return self.behind.get(&spot).copied().ok_or(format!("{spot:?} behind is not set"));
        }
        let spot = self.spot(place, byte)?;
        let from = if matches!(spot, Spot::Local(..)) { &self.written } else { &self.source };
        from.get(&spot).copied().ok_or(format!("{spot:?} is read but not set"))
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
    let outside = |spot: &Spot| !matches!(spot, Spot::Frame(_) | Spot::Local(..));
    bytes.iter().filter(|(spot, _)| outside(spot)).map(|(&spot, &tag)| (spot, tag)).collect()
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
    let mut cells = Bytes::new();
    for (index, (ty, &at)) in signature.params.iter().zip(&frame.args).enumerate() {
        cells.extend(cell(at, ty.size(model), |at| Tag::Arg { index, at }));
    }
    let mut caller = Run::new(down, target, cells.clone());
    caller.steps(load)?;
    once(signature, layout, frame, &caller.written, target)?;
    if let Some(spot) = caller.written.keys().find(
        |spot| matches!(spot, Spot::Area(at) if *at < layout.home_bytes || *at >= layout.stack_bytes),
    ) {
        return Err(format!("{spot:?} is no argument's"));
    }

    // The callee's side: locations to cells.
    let mut callee = Run::new(up, target, visible(&caller.written));
    callee.behind = cells;
    callee.steps(receive)?;
    for (index, (ty, &at)) in signature.params.iter().zip(&frame.args).enumerate() {
        for (byte, used) in (0..).zip(used_bytes(ty, model)) {
            let arrived = callee.written.get(&Spot::Frame(at + byte)).copied();
            if used && arrived != Some(Tag::Arg { index, at: byte }) {
                return Err(format!("byte {byte} of argument {index} arrives as {arrived:?}"));
            }
        }
    }

    // The way back.
    let size = signature.ret.size(model);
    callee.source = cell(frame.ret, size, |at| Tag::Ret { at }).collect();
    let locals = |spot: &Spot, _: &mut Tag| matches!(spot, Spot::Local(..));
    callee.written.retain(locals);
    callee.steps(give_back)?;
    caller.source = visible(&callee.written);
    caller.written = Bytes::new();
    caller.steps(store)?;
    let mut results = caller.written;
    for (spot, tag) in callee.written_behind {
        if results.insert(spot, tag).is_some() {
            return Err(format!("{spot:?} of the result is written from both sides"));
        }
    }
    for (byte, used) in (0..).zip(used_bytes(&signature.ret, model)) {
        let arrived = results.remove(&Spot::Frame(frame.ret + byte));
        if used && arrived != Some(Tag::Ret { at: byte }) {
            return Err(format!("byte {byte} of the result arrives as {arrived:?}"));
        }
    }
    if let Returning::Memory { back: Some(back), .. } = layout.ret {
        let register = (0..target.pointer_size())
            .map(|byte| caller.source.get(&callee_spot(back, byte)).copied());
        let pointer = (0..).map(|byte| Some(Tag::Pointer { to: frame.ret, byte }));
        if !register.eq(pointer.take(target.pointer_size() as usize)) {
            return Err("the result's address is not handed back".to_owned());
        }
    }
    results.retain(|_, tag| *tag != Tag::Errno);
    match results.iter().next() {
        Some((spot, tag)) => Err(format!("{tag:?} is stored to {spot:?} outside the result")),
        None => Ok(()),
    }
}

fn callee_spot(back: ffi_jit::abi::Location, byte: u32) -> Spot {
    match back {
        ffi_jit::abi::Location::Int(n) => Spot::Int(n, byte),
        other => unreachable!("no ABI hands a result's address back in {other:?}"),
    }
}

/// Every used byte of every argument travels once, or as a pointer; a floating-point variadic
/// argument of Win64 travels in both classes.
fn once(
    signature: &Signature,
    layout: &CallLayout,
    frame: &FrameLayout,
    written: &Bytes,
    target: &Target,
) -> Outcome {
    let mut times: HashMap<Tag, u32> = HashMap::new();
    for &tag in written.values() {
        *times.entry(tag).or_default() += 1;
    }
    for (index, (ty, passing)) in signature.params.iter().zip(&layout.args).enumerate() {
        let twice = signature.is_variadic_arg(index)
            && target.os == ffi_jit::target::Os::Windows
            && target.arch == Arch::X64;
        for (at, used) in (0..).zip(used_bytes(ty, &target.model)) {
            let tag = match passing {
                Passing::Reference { .. } => Tag::Pointer { to: frame.args[index], byte: 0 },
                _ => Tag::Arg { index, at },
            };
            let count = times.get(&tag).copied().unwrap_or(0);
            if used && count != 1 && !(twice && count == 2) {
                return Err(format!("byte {at} of argument {index} travels {count} times"));
            }
        }
    }
    Ok(())
}
