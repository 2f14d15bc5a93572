//! A caller's registers to C's: the plan of a thunk.
//!
//! A thunk is entered with the receiver of a JavaScript call, a token that stands for the record
//! of a bound function, and the arguments themselves, where the platform's C convention puts them
//! for a function `(ptr, f64, arguments...)`. It moves them to where the C function wants them,
//! calls it, and returns the result as the caller takes it. No frame memory is involved, except
//! for text, for what a 64-bit result cannot say in a double, and for results that JavaScript reads
//! itself.
//!
//! The arguments keep their order in both conventions, so those of one register class only ever
//! move one way, and an order of moves exists in which nothing is overwritten before it is read.
//! Text is made by a function, and memory is found by one: then the caller's registers are saved first.

#[cfg(test)]
mod tests;
mod verify;

pub use verify::verify_thunk;

use super::{Base, Place};
use crate::abi::{self, CallLayout, Ext, Location, Passing, Piece, Returning};
use crate::error::{Code, Error, Result};
use crate::target::Target;
use crate::types::{Convention, Scalar, Signature, Type};
use std::fmt;

/// The form in which the caller has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// Nothing: a result only.
    Void,
    /// 32 bits with a sign, of which a narrower C type takes the low ones.
    Int32,
    /// 32 bits without a sign.
    Uint32,
    /// 0 or 1 in 32 bits.
    Bool,
    /// A single-precision number.
    Float32,
    /// A double.
    Float64,
    /// A double that stands for a 64-bit integer, or, as an argument, for an address: an argument is
    /// in its range, a result also goes to the RESULT cell, whole.
    Number,
    /// 64 bits with a sign.
    Int64,
    /// 64 bits without a sign.
    Uint64,
    /// An address. Arguments only.
    Pointer,
    /// The address of a holder whose second word is the address that C gets; null for null.
    /// Arguments only.
    Wrapped,
    /// The address of a value that stands for text; C gets what the function of the record's shape
    /// makes of it, at the top of frame memory. Arguments only.
    Text,
    /// The address of a value that stands for memory; C gets the address of that memory, which a
    /// function of the record's shape finds. Arguments only.
    View,
    /// The result goes to the RESULT cell, the caller gets nothing. Results only.
    Cell,
}

impl Form {
    /// The C type that travels like it.
    fn carrier(self) -> Type {
        Type::Scalar(match self {
            Form::Void | Form::Cell => return Type::Void,
            Form::Int32 => Scalar::I32,
            Form::Uint32 | Form::Bool => Scalar::U32,
            Form::Float32 => Scalar::F32,
            Form::Float64 | Form::Number => Scalar::F64,
            Form::Int64 => Scalar::I64,
            Form::Uint64 => Scalar::U64,
            Form::Pointer | Form::Wrapped | Form::Text | Form::View => Scalar::Pointer,
        })
    }

    /// Whether a value of a C type can come in this form.
    fn carries(self, ty: &Type) -> bool {
        let Type::Scalar(scalar) = ty else { return false };
        match self {
            Form::Void => false,
            Form::Int32 | Form::Uint32 => matches!(
                scalar,
                Scalar::I8 | Scalar::U8 | Scalar::I16 | Scalar::U16 | Scalar::I32 | Scalar::U32
            ),
            Form::Bool => *scalar == Scalar::Bool,
            Form::Float32 => *scalar == Scalar::F32,
            Form::Float64 => *scalar == Scalar::F64,
            Form::Number | Form::Int64 | Form::Uint64 => {
                matches!(scalar, Scalar::I64 | Scalar::U64)
            }
            Form::Pointer | Form::Wrapped | Form::Text | Form::View => *scalar == Scalar::Pointer,
            Form::Cell => true,
        }
    }

    /// What makes the address that C gets, when the caller has none.
    fn maker(self) -> Option<Maker> {
        match self {
            Form::Text => Some(Maker::Text),
            Form::View => Some(Maker::View),
            _ => None,
        }
    }

    /// What becomes of it on the way to a place.
    fn arrives(self, piece: &Piece) -> How {
        match self {
            Form::Number => How::Truncated,
            Form::Wrapped => How::Unwrapped,
            _ => How::Bits { len: piece.len, ext: piece.ext },
        }
    }

    /// Whether a result of a C type can be given back in this form.
    fn returns(self, ty: &Type) -> bool {
        match self {
            Form::Void => *ty == Type::Void,
            Form::Pointer | Form::Wrapped | Form::Text | Form::View => false,
            // A result of 64 bits may be an address, for callers who want it as an integer.
            Form::Uint64 => self.carries(ty) || *ty == Type::Scalar(Scalar::Pointer),
            _ => self.carries(ty),
        }
    }

    /// Whether an argument of a C type can be passed in this form.
    fn passes(self, ty: &Type) -> bool {
        match self {
            Form::Cell => false,
            Form::Number | Form::Uint64 => self.carries(ty) || *ty == Type::Scalar(Scalar::Pointer),
            _ => self.carries(ty),
        }
    }
}

/// How a value changes on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// The low `len` bytes, widened.
    Bits {
        /// 1, 2, 4 or 8.
        len: u32,
        /// Widening.
        ext: Ext,
    },
    /// A double becomes a 64-bit integer, rounded towards zero.
    Truncated,
    /// The second word of what a pointer points to; null stays null.
    Unwrapped,
}

/// A function of the record's shape that gets the address of a value, and the record, and returns the
/// address that C gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Maker {
    /// Makes a C string ([`Form::Text`]).
    Text,
    /// Finds memory ([`Form::View`]).
    View,
}

/// One step before the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Moves a value between registers, local slots, the caller's stack arguments ([`Base::In`])
    /// and the callee's ([`Base::Out`]).
    Move {
        /// Source.
        from: Place,
        /// Destination.
        to: Place,
        /// What becomes of it.
        how: How,
    },
    /// Replaces the address of a value in a local slot by what a function of the shape makes of it.
    /// Uses all registers that a call does. When it makes nothing, the thunk returns zero, and C is
    /// not called.
    Made {
        /// The slot.
        slot: u8,
        /// The function.
        maker: Maker,
    },
    /// Puts the number of vector registers into `al` (SysV64 variadic calls).
    VectorCount(u8),
}

/// What becomes of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Back {
    /// It is where the caller looks for it, or there is none.
    AsIs,
    /// The low `len` bytes of the integer register are widened to 32 bits.
    Widened {
        /// 1 or 2.
        len: u32,
        /// With their sign.
        signed: bool,
    },
    /// The low byte of the integer register becomes 0 or 1.
    Truth,
    /// The integer register goes to the RESULT cell and, as a double, to the first vector register.
    Number {
        /// Whether it has a sign.
        signed: bool,
    },
    /// `len` bytes of the first register go to the RESULT cell.
    Cell {
        /// Whether it is the first vector register.
        fp: bool,
        /// Number of bytes, as stored.
        len: u32,
    },
}

impl Back {
    /// Whether the RESULT cell is written.
    pub fn writes_cell(self) -> bool {
        matches!(self, Back::Number { .. } | Back::Cell { .. })
    }
}

/// Everything an emitter needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Thunk {
    /// The vector register of the token.
    pub token: u8,
    /// The steps before the call, in order.
    pub steps: Vec<Step>,
    /// What becomes of the result.
    pub back: Back,
    /// Whether errno is saved, in the ERRNO cell.
    pub errno: bool,
    /// Whether entries are counted (in tests), in the word whose address the record holds.
    pub counted: bool,
    /// Number of local slots.
    pub locals: u8,
    /// Bytes of outgoing stack arguments, a multiple of `stack_align`.
    pub out_bytes: u32,
    /// Bytes of them that callees may use as they like, wherever their arguments are (the home space of
    /// Windows): the caller has reserved as many.
    pub home_bytes: u32,
    /// Alignment of SP at the call.
    pub stack_align: u32,
}

impl Thunk {
    /// Whether strings are made, which take frame memory.
    pub fn has_text(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Made { maker: Maker::Text, .. }))
    }

    /// Whether functions of the shape are called.
    pub fn has_makers(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Made { .. }))
    }

    /// Whether there are arguments on the stack.
    fn has_stack(&self) -> bool {
        self.out_bytes != self.home_bytes
    }

    /// Whether nothing is left to be done after the call, so that the thunk can jump.
    pub fn is_jump(&self) -> bool {
        self.back == Back::AsIs && !self.errno && self.locals == 0 && !self.has_stack()
    }
}

/// One step per line: the form of the golden listings.
impl fmt::Display for Thunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Thunk { token, back, errno, counted, locals, out_bytes, stack_align, .. } = self;
        writeln!(
            f,
            "token {token} locals {locals} out {out_bytes}@{stack_align} errno {errno} counted {counted}"
        )?;
        self.steps.iter().try_for_each(|step| writeln!(f, "  {step:?}"))?;
        writeln!(f, "  {back:?}")
    }
}

/// A call as a thunk sees it.
#[derive(Clone, Copy, Debug)]
pub struct Crossing<'a> {
    /// The C function's signature.
    pub signature: &'a Signature,
    /// Where the C function wants its arguments.
    pub callee: &'a CallLayout,
    /// The forms of the arguments.
    pub forms: &'a [Form],
    /// The form of the result.
    pub result: Form,
}

fn refused<T>(what: String) -> Result<T> {
    Err(Error::new(Code::UnsupportedAbi, what))
}

impl Crossing<'_> {
    /// Where the caller puts receiver, token and arguments.
    ///
    /// # Errors
    /// [`Code::UnsupportedAbi`] where there is no classifier.
    pub fn caller(&self, target: &Target) -> Result<CallLayout> {
        let leading = [Type::Scalar(Scalar::Pointer), Type::Scalar(Scalar::F64)];
        let params = leading.into_iter().chain(self.forms.iter().map(|form| form.carrier()));
        let signature = Signature {
            convention: Convention::C,
            params: params.collect(),
            fixed: None,
            ret: self.result.carrier(),
        };
        abi::classify(target, &signature)
    }

    /// Builds the plan, verified.
    ///
    /// # Errors
    /// [`Code::UnsupportedAbi`] for types that do not come in the forms, [`Code::Internal`] for a
    /// plan that does not verify.
    pub fn thunk(&self, target: &Target, errno: bool, counted: bool) -> Result<Thunk> {
        let Crossing { signature, forms, result, .. } = self;
        if forms.len() != signature.params.len() {
            return refused(format!("{} forms for {signature}", forms.len()));
        }
        let mut pairs = signature.params.iter().zip(*forms);
        if let Some((ty, form)) = pairs.find(|(ty, form)| !form.passes(ty)) {
            return refused(format!("{ty} does not come as {form:?}"));
        }
        if !result.returns(&signature.ret) {
            return refused(format!("{} is not returned as {result:?}", signature.ret));
        }
        let caller = self.caller(target)?;
        let thunk = self.build(&caller, errno, counted)?;
        verify_thunk(&thunk, self, &caller)?;
        Ok(thunk)
    }

    fn build(&self, caller: &CallLayout, errno: bool, counted: bool) -> Result<Thunk> {
        let Some(Location::Fp(token)) = caller.args.get(1).and_then(only).map(|piece| piece.loc)
        else {
            return refused("a token that does not travel in a vector register".to_owned());
        };
        let mut moves = Vec::new();
        for (i, form) in self.forms.iter().enumerate() {
            let from = caller.args.get(i + 2).and_then(only);
            let (Some(from), pieces) = (from, self.callee.args[i].pieces()) else {
                return refused(format!("argument {i} comes in no single place"));
            };
            for piece in pieces {
                let how = form.arrives(piece);
                let (from, to) = (place(from.loc, Base::In), place(piece.loc, Base::Out));
                moves.push((*form, Move { from, to, how }));
            }
        }
        let (mut steps, locals) = self.save_for_makers(&mut moves)?;
        steps.extend(ordered(moves.into_iter().map(|(_, step)| step).collect())?);
        steps.extend(self.callee.vector_count.map(Step::VectorCount));
        Ok(Thunk {
            token,
            steps,
            back: self.back()?,
            errno,
            counted,
            locals,
            out_bytes: self.callee.stack_bytes.next_multiple_of(self.callee.stack_align),
            home_bytes: self.callee.home_bytes,
            stack_align: self.callee.stack_align,
        })
    }

    /// Where a function of the shape is called: saves the registers in local slots, from where the
    /// moves take them afterwards, and calls it.
    fn save_for_makers(&self, moves: &mut [(Form, Move)]) -> Result<(Vec<Step>, u8)> {
        let (mut saves, mut makers, mut locals) = (Vec::new(), Vec::new(), 0u8);
        if self.forms.iter().all(|form| form.maker().is_none()) {
            return Ok((saves, locals));
        }
        for (form, step) in moves {
            let maker = form.maker();
            if maker.is_none() && !matches!(step.from, Place::Int(_) | Place::Fp(_)) {
                continue;
            }
            let how = How::Bits { len: 8, ext: Ext::None };
            saves.push(Step::Move { from: step.from, to: Place::Local(locals), how });
            makers.extend(maker.map(|maker| Step::Made { slot: locals, maker }));
            step.from = Place::Local(locals);
            match locals.checked_add(1) {
                Some(next) => locals = next,
                None => return refused("a call with more than 255 saved arguments".to_owned()),
            }
        }
        saves.append(&mut makers);
        Ok((saves, locals))
    }

    fn back(&self) -> Result<Back> {
        let piece = match &self.callee.ret {
            Returning::Void => return Ok(Back::AsIs),
            Returning::Value(pieces) if pieces.len() == 1 => pieces[0],
            _ => return refused("a result in more than one place".to_owned()),
        };
        let signed = matches!(
            self.signature.ret,
            Type::Scalar(Scalar::I8 | Scalar::I16 | Scalar::I32 | Scalar::I64)
        );
        Ok(match self.result {
            Form::Int32 | Form::Uint32 if piece.len < 4 => Back::Widened { len: piece.len, signed },
            Form::Bool => Back::Truth,
            Form::Number => Back::Number { signed },
            Form::Cell => Back::Cell { fp: matches!(piece.loc, Location::Fp(_)), len: piece.len },
            _ => Back::AsIs,
        })
    }
}

/// The only piece of a value.
fn only(passing: &Passing) -> Option<&Piece> {
    match passing.pieces() {
        [piece] => Some(piece),
        _ => None,
    }
}

fn place(loc: Location, area: Base) -> Place {
    Place::of(loc, area)
}

/// A move whose turn has not come.
#[derive(Clone, Copy, Debug)]
struct Move {
    from: Place,
    to: Place,
    how: How,
}

impl Move {
    fn step(self) -> Step {
        Step::Move { from: self.from, to: self.to, how: self.how }
    }

    /// Whether the value is there already.
    fn is_done(&self) -> bool {
        self.from == self.to && matches!(self.how, How::Bits { ext: Ext::None, .. })
    }
}

/// The moves in an order in which nothing is overwritten that is still to be read: those to memory
/// first, which frees registers and overwrites none.
fn ordered(moves: Vec<Move>) -> Result<Vec<Step>> {
    let (memory, mut left): (Vec<Move>, Vec<Move>) =
        moves.into_iter().partition(|step| matches!(step.to, Place::Mem(..)));
    let mut steps: Vec<Step> = memory.into_iter().map(Move::step).collect();
    left.retain(|step| !step.is_done());
    while !left.is_empty() {
        let is_free = |i: usize| (0..left.len()).all(|j| j == i || left[j].from != left[i].to);
        let Some(next) = (0..left.len()).find(|&i| is_free(i)) else {
            return Err(Error::new(Code::Internal, format!("moves in a circle: {left:?}")));
        };
        steps.push(left.remove(next).step());
    }
    Ok(steps)
}
