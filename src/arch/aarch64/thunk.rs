//! Thunks (AAPCS64 on Linux).
//!
//! ```text
//! x29 + 16      incoming stack arguments (Base::In)
//! x29           the caller's x29, x30
//! x29 - 16      address of the FRAME cell, TOP as it was  (if a control cell is written)
//! x29 - 24      address of errno                          (if it is saved)
//! x29 - 32      the record                                (if functions of the shape are called)
//! x29 - 40 - 8i local slot i
//! sp            outgoing stack arguments (Base::Out)
//! ```
//! A thunk with nothing to do after the call has no frame and jumps. x16 holds the record until the
//! call: what a closed library's functions are replaced by finds it there. Scratch: x9 to x15, x17.

use super::{At, BTI_C, DATA, FP, SP, access, finish, is_encodable, is_scaled};
use crate::abi::Ext;
use crate::arch::support::internal;
use crate::arch::{Blob, MAX_THUNK_OUT, NOTHING, Unwind, cell, maker_at, record};
use crate::error::{Code, Error, Result};
use crate::plan::{Back, Base, How, Maker, Place, Step, Thunk};
use dynasmrt::aarch64::Aarch64Relocation;
use dynasmrt::{DynasmApi, DynasmLabelApi, VecAssembler, dynasm};

const RECORD: u8 = 16;
/// Bytes below x29 for what is remembered over the call.
const KEPT: i64 = 32;

/// What is added to [`NOTHING`] to get zero.
const MINUS_NOTHING: u32 = NOTHING.wrapping_neg() as u32;

struct Emitter<'a> {
    asm: VecAssembler<Aarch64Relocation>,
    thunk: &'a Thunk,
}

macro_rules! asm {
    ($self:expr ; $($line:tt)*) => { dynasm!($self.asm ; .arch aarch64 ; $($line)*) };
}

/// See [`crate::arch::emit_thunk`].
pub fn emit_thunk(thunk: &Thunk) -> Result<Blob> {
    if thunk.stack_align != 16 || thunk.out_bytes > MAX_THUNK_OUT {
        let message = format!("{} bytes of stack arguments", thunk.out_bytes);
        return Err(Error::new(Code::UnsupportedAbi, message));
    }
    let mut emitter = Emitter { asm: VecAssembler::new(0), thunk };
    let unwind = emitter.enter();
    for step in &thunk.steps {
        emitter.step(step)?;
    }
    emitter.leave()?;
    let code = finish(emitter.asm)?;
    let end = code.len().min(255) as u8;
    // A thunk that jumps never has a frame.
    let unwind = unwind.unwrap_or(Unwind { pushed_fp: end, set_fp: end, saved: Vec::new() });
    Ok(Blob { code, unwind })
}

impl Emitter<'_> {
    /// The record into x16, and the frame.
    fn enter(&mut self) -> Option<Unwind> {
        let Thunk { token, locals, out_bytes, .. } = *self.thunk;
        asm!(self ; hint BTI_C);
        let frame = (!self.thunk.is_jump()).then(|| {
            asm!(self ; stp x29, x30, [sp, -16]!);
            let pushed_fp = self.asm.offset().0 as u8;
            asm!(self ; mov x29, sp);
            Unwind { pushed_fp, set_fp: self.asm.offset().0 as u8, saved: Vec::new() }
        });
        asm!(self ; fmov X(RECORD), D(token));
        if self.thunk.counted {
            asm!(self
                ; ldr x9, [X(RECORD), 8 * record::SHAPE]
                ; ldr x9, [x9]
                ; ldr x10, [x9]
                ; add x10, x10, 1
                ; str x10, [x9]);
        }
        if frame.is_some() {
            let bytes = KEPT as u32 + (8 * u32::from(locals)).next_multiple_of(16) + out_bytes;
            asm!(self ; sub sp, sp, bytes);
        }
        if self.uses_cells() {
            asm!(self
                ; ldr x9, [X(RECORD), 8 * record::FRAME_CELL]
                ; ldr w10, [x9, cell::TOP]
                ; stp x9, x10, [x29, -16]);
        }
        if self.thunk.errno {
            asm!(self ; ldr x9, [X(RECORD), 8 * record::ERRNO] ; stur x9, [x29, -24]);
        }
        if self.thunk.has_makers() {
            asm!(self ; stur X(RECORD), [x29, -32]);
        }
        frame
    }

    /// Whether control cells are written.
    fn uses_cells(&self) -> bool {
        self.thunk.errno || self.thunk.back.writes_cell() || self.thunk.has_text()
    }

    fn step(&mut self, step: &Step) -> Result<()> {
        match *step {
            Step::Move { from, to, how } => self.transfer(from, to, how),
            Step::Made { slot, maker } => {
                let slot = self.local(slot)?;
                self.make(slot, maker)
            }
            Step::VectorCount(_) => internal(format!("{step:?} on aarch64")),
        }
    }

    fn local(&self, slot: u8) -> Result<At> {
        if slot >= self.thunk.locals {
            return internal("a local slot that is not there".to_owned());
        }
        Ok(At { base: FP, off: -KEPT - 8 * (i64::from(slot) + 1) })
    }

    fn memory(&mut self, place: Place, scratch: u8) -> Result<Option<At>> {
        let at = match place {
            Place::Local(slot) => self.local(slot)?,
            Place::Mem(Base::In, at) if !self.thunk.is_jump() => {
                At { base: FP, off: 16 + i64::from(at) }
            }
            Place::Mem(Base::In | Base::Out, at) => At { base: SP, off: at.into() },
            Place::Int(_) | Place::Fp(_) => return Ok(None),
            Place::X87(_) | Place::Mem(..) => {
                return internal("a place that thunks lack".to_owned());
            }
        };
        if is_encodable(at.off, 8) || is_scaled(at.off, 8) {
            return Ok(Some(at));
        }
        let distance = at.off.unsigned_abs() as u32;
        if distance > 4095 {
            return internal("a place out of reach".to_owned());
        }
        if at.off < 0 {
            asm!(self ; sub XSP(scratch), XSP(at.base), distance);
        } else {
            asm!(self ; add XSP(scratch), XSP(at.base), distance);
        }
        Ok(Some(At { base: scratch, off: 0 }))
    }

    fn transfer(&mut self, from: Place, to: Place, how: How) -> Result<()> {
        let (source, target) = (self.memory(from, 12)?, self.memory(to, 13)?);
        // Integers on their way to memory go through a scratch register.
        let through = if let Place::Int(n) = to { n } else { DATA };
        match (how, from, source, to) {
            (How::Truncated, Place::Fp(n), _, _) => asm!(self ; fcvtzs X(through), D(n)),
            (How::Truncated, _, Some(at), _) => {
                access!(self, 8, ldr ldur D(31) at);
                asm!(self ; fcvtzs X(through), d31);
            }
            (How::Unwrapped, Place::Int(n), _, _) => {
                asm!(self ; mov X(through), X(n));
                self.unwrap(through);
            }
            (How::Unwrapped, _, Some(at), _) => {
                access!(self, 8, ldr ldur X(through) at);
                self.unwrap(through);
            }
            (How::Bits { len, .. }, Place::Fp(a), _, Place::Fp(b)) => match len {
                4 => asm!(self ; fmov S(b), S(a)),
                _ => asm!(self ; fmov D(b), D(a)),
            },
            (How::Bits { len, .. }, Place::Fp(a), _, _) => {
                let Some(at) = target else { return self.unable(from, to) };
                match len {
                    4 => access!(self, 4, str stur S(a) at),
                    _ => access!(self, 8, str stur D(a) at),
                }
                return Ok(());
            }
            (How::Bits { len, .. }, _, Some(at), Place::Fp(b)) => match len {
                4 => access!(self, 4, ldr ldur S(b) at),
                _ => access!(self, 8, ldr ldur D(b) at),
            },
            (How::Bits { len, ext }, Place::Int(a), _, _) => self.widen(through, a, len, ext)?,
            (How::Bits { len, ext }, _, Some(at), _) => self.load(through, at, len, ext)?,
            _ => return self.unable(from, to),
        }
        match (how, to, target) {
            (_, Place::Int(_) | Place::Fp(_), _) => Ok(()),
            (How::Bits { len, ext: Ext::None }, _, Some(at)) => self.store(through, at, len),
            (How::Bits { .. }, _, Some(at)) => self.store(through, at, 4),
            (How::Truncated | How::Unwrapped, _, Some(at)) => self.store(through, at, 8),
            _ => self.unable(from, to),
        }
    }

    fn unable(&self, from: Place, to: Place) -> Result<()> {
        internal(format!("no aarch64 move {from:?} to {to:?}"))
    }

    /// The second word of what a register points to; null stays null.
    fn unwrap(&mut self, register: u8) {
        asm!(self
            ; cbz X(register), >null
            ; ldr X(register), [X(register), 8]
            ; null:);
    }

    /// The low `len` bytes of a register into another, widened.
    fn widen(&mut self, to: u8, from: u8, len: u32, ext: Ext) -> Result<()> {
        match (len, ext) {
            (1, Ext::Sign(4)) => asm!(self ; sxtb W(to), W(from)),
            (2, Ext::Sign(4)) => asm!(self ; sxth W(to), W(from)),
            (1, Ext::Zero(4)) => asm!(self ; uxtb W(to), W(from)),
            (2, Ext::Zero(4)) => asm!(self ; uxth W(to), W(from)),
            (1 | 2 | 4, Ext::None) => asm!(self ; mov W(to), W(from)),
            (8, Ext::None) => asm!(self ; mov X(to), X(from)),
            _ => return internal("an extension that thunks lack".to_owned()),
        }
        Ok(())
    }

    fn load(&mut self, to: u8, at: At, len: u32, ext: Ext) -> Result<()> {
        match (len, ext) {
            (1, Ext::Sign(4)) => access!(self, 1, ldrsb ldursb W(to) at),
            (2, Ext::Sign(4)) => access!(self, 2, ldrsh ldursh W(to) at),
            (1, Ext::Zero(4) | Ext::None) => access!(self, 1, ldrb ldurb W(to) at),
            (2, Ext::Zero(4) | Ext::None) => access!(self, 2, ldrh ldurh W(to) at),
            (4, Ext::None) => access!(self, 4, ldr ldur W(to) at),
            (8, Ext::None) => access!(self, 8, ldr ldur X(to) at),
            _ => return internal("an extension that thunks lack".to_owned()),
        }
        Ok(())
    }

    fn store(&mut self, from: u8, at: At, len: u32) -> Result<()> {
        match len {
            1 => access!(self, 1, strb sturb W(from) at),
            2 => access!(self, 2, strh sturh W(from) at),
            4 => access!(self, 4, str stur W(from) at),
            8 => access!(self, 8, str stur X(from) at),
            _ => return internal("a store of an odd size".to_owned()),
        }
        Ok(())
    }

    /// `Step::Made`: what the shape's function makes. Without it, the thunk ends.
    fn make(&mut self, slot: At, maker: Maker) -> Result<()> {
        self.load(0, slot, 8, Ext::None)?;
        asm!(self
            ; ldur x1, [x29, -32]
            ; ldr x9, [x1, 8 * record::SHAPE]
            ; ldr x9, [x9, maker_at(maker)]
            ; blr x9
            ; cmn x0, MINUS_NOTHING
            ; b.eq >missed);
        self.store(0, slot, 8)
    }

    /// The call, errno, the result.
    fn leave(&mut self) -> Result<()> {
        if self.thunk.has_makers() {
            asm!(self ; ldur X(RECORD), [x29, -32]);
        }
        asm!(self ; ldr x17, [X(RECORD), 8 * record::TARGET]);
        if self.thunk.is_jump() {
            asm!(self ; br x17);
            return Ok(());
        }
        asm!(self ; blr x17);
        if self.uses_cells() {
            asm!(self ; ldp x9, x10, [x29, -16]);
        }
        if self.thunk.errno {
            asm!(self
                ; ldur x11, [x29, -24]
                ; ldr w11, [x11]
                ; str w11, [x9, cell::ERRNO]);
        }
        if self.thunk.has_text() {
            asm!(self ; str w10, [x9, cell::TOP]);
        }
        self.give_back()?;
        self.end();
        if self.thunk.has_makers() {
            asm!(self ; missed:);
            if self.thunk.has_text() {
                asm!(self ; ldp x9, x10, [x29, -16] ; str w10, [x9, cell::TOP]);
            }
            asm!(self ; mov x0, xzr ; fmov d0, xzr);
            self.end();
        }
        Ok(())
    }

    fn end(&mut self) {
        asm!(self
            ; mov sp, x29
            ; ldp x29, x30, [sp], 16
            ; ret);
    }

    fn give_back(&mut self) -> Result<()> {
        match self.thunk.back {
            Back::AsIs => {}
            Back::Widened { len: 1, signed: true } => asm!(self ; sxtb w0, w0),
            Back::Widened { len: 2, signed: true } => asm!(self ; sxth w0, w0),
            Back::Widened { len: 1, .. } => asm!(self ; uxtb w0, w0),
            Back::Widened { len: 2, .. } => asm!(self ; uxth w0, w0),
            Back::Widened { .. } => {
                return internal("a result that needs no widening".to_owned());
            }
            Back::Truth => asm!(self ; tst w0, 0xff ; cset w0, ne),
            Back::Number { signed } => {
                asm!(self ; str x0, [x9, cell::RESULT]);
                if signed {
                    asm!(self ; scvtf d0, x0);
                } else {
                    asm!(self ; ucvtf d0, x0);
                }
            }
            Back::Cell { fp: true, len: 4 } => asm!(self ; str s0, [x9, cell::RESULT]),
            Back::Cell { fp: true, .. } => asm!(self ; str d0, [x9, cell::RESULT]),
            Back::Cell { len, .. } => {
                self.store(0, At { base: 9, off: cell::RESULT.into() }, len)?;
            }
        }
        Ok(())
    }
}
