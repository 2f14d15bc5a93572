//! Checks a thunk before code is made from it: the steps run on a machine whose places hold
//! argument numbers instead of values. At the call, every argument must be where the C function
//! looks for it, changed as its type asks, and nothing may have been read after it was overwritten.

use super::{Crossing, Form, How, Maker, Step, Thunk};
use crate::abi::{CallLayout, Location};
use crate::error::{Code, Error, Result};
use crate::plan::{Base, Place};

/// What a place holds: an argument, as it came or as a step made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    argument: usize,
    /// The last step that changed it; None for the value as the caller has it.
    how: Option<How>,
    /// What made an address of it.
    maker: Option<Maker>,
}

/// Simulates a thunk.
///
/// # Errors
/// [`Code::Internal`] with what is wrong.
pub fn verify_thunk(thunk: &Thunk, crossing: &Crossing, caller: &CallLayout) -> Result<()> {
    run(thunk, crossing, caller)
        .map_err(|what| Error::new(Code::Internal, format!("bad thunk: {what}\n{thunk}")))
}

fn run(thunk: &Thunk, crossing: &Crossing, caller: &CallLayout) -> std::result::Result<(), String> {
    let mut machine = Machine { places: Places::default(), locals: thunk.locals };
    for (i, passing) in caller.args.iter().enumerate().skip(2) {
        let [piece] = passing.pieces() else { return Err(format!("argument {i} is in pieces")) };
        let from = Place::of(piece.loc, Base::In);
        machine.places.put(from, Held { argument: i - 2, how: None, maker: None });
    }
    let mut count = None;
    for step in &thunk.steps {
        if count.is_some() {
            return Err(format!("{step:?} behind the vector count"));
        }
        match *step {
            Step::Move { from, to, how } => machine.transfer(from, to, how)?,
            Step::Made { slot, maker } => machine.make(slot, maker, crossing.forms)?,
            Step::VectorCount(n) => count = Some(n),
        }
    }
    if count != crossing.callee.vector_count {
        return Err(format!("vector count {count:?}"));
    }
    let (bytes, align) = (thunk.out_bytes, thunk.stack_align);
    if bytes < crossing.callee.stack_bytes || !bytes.is_multiple_of(align) {
        return Err(format!("{bytes} bytes of stack arguments"));
    }
    if align != crossing.callee.stack_align {
        return Err(format!("SP at a multiple of {align}"));
    }
    machine.check(crossing, bytes)
}

/// What places hold.
#[derive(Default)]
struct Places(Vec<(Place, Held)>);

impl Places {
    fn get(&self, place: Place) -> Option<Held> {
        self.0.iter().find(|(other, _)| *other == place).map(|&(_, held)| held)
    }

    fn put(&mut self, place: Place, held: Held) {
        self.0.retain(|(other, _)| *other != place);
        self.0.push((place, held));
    }
}

struct Machine {
    places: Places,
    locals: u8,
}

impl Machine {
    fn transfer(&mut self, from: Place, to: Place, how: How) -> std::result::Result<(), String> {
        let held = self.places.get(from).ok_or(format!("{from:?} holds nothing"))?;
        let plain = how == How::Bits { len: 8, ext: crate::abi::Ext::None };
        let held = match (held.how, to) {
            (None, Place::Local(_)) if plain => held,
            (None, _) => Held { how: Some(how), ..held },
            (Some(_), _) => return Err(format!("{from:?} is changed twice")),
        };
        match to {
            Place::Local(slot) if slot >= self.locals => return Err(format!("no slot {slot}")),
            Place::X87(_) | Place::Mem(Base::In | Base::Frame | Base::Behind(_), _) => {
                return Err(format!("{to:?} is not for arguments"));
            }
            _ => {}
        }
        self.places.put(to, held);
        Ok(())
    }

    /// An address is made: registers are used up.
    fn make(&mut self, slot: u8, maker: Maker, forms: &[Form]) -> std::result::Result<(), String> {
        self.places.0.retain(|(place, _)| !matches!(place, Place::Int(_) | Place::Fp(_)));
        match self.places.get(Place::Local(slot)) {
            Some(held) if forms[held.argument].maker() == Some(maker) && held.maker.is_none() => {
                self.places.put(Place::Local(slot), Held { maker: Some(maker), ..held });
                Ok(())
            }
            other => Err(format!("slot {slot} holds {other:?}, nothing for {maker:?}")),
        }
    }

    fn check(&self, crossing: &Crossing, bytes: u32) -> std::result::Result<(), String> {
        let mut wanted = Places::default();
        for (argument, passing) in crossing.callee.args.iter().enumerate() {
            let form = crossing.forms[argument];
            for piece in passing.pieces() {
                let how = form.arrives(piece);
                if let Location::Stack(at) = piece.loc
                    && at + piece.len > bytes
                {
                    return Err(format!("argument {argument} leaves the stack arguments"));
                }
                let held = Held { argument, how: Some(how), maker: form.maker() };
                wanted.put(Place::of(piece.loc, Base::Out), held);
            }
        }
        for &(place, want) in &wanted.0 {
            let have = self.places.get(place);
            // What was there already needed no step.
            let stayed = Held { how: None, ..want };
            let plain = matches!(want.how, Some(How::Bits { ext: crate::abi::Ext::None, .. }));
            if have != Some(want) && !(plain && have == Some(stayed)) {
                return Err(format!("{place:?} holds {have:?} instead of {want:?}"));
            }
        }
        let astray =
            |place| matches!(place, Place::Mem(Base::Out, _)) && wanted.get(place).is_none();
        match self.places.0.iter().find(|&&(place, _)| astray(place)) {
            Some((place, _)) => Err(format!("{place:?} is written for no argument")),
            None => Ok(()),
        }
    }
}
