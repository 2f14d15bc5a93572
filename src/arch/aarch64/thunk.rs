//! Thunks (AAPCS64 on Linux).
//!
//! ```text
//! x29 + 16      incoming stack arguments (Base::In)
//! x29           the caller's x29, x30
//! x29 - 16      address of the FRAME cell, TOP as it was  (if a control cell is written)
//! x29 - 24      address of errno                          (if it is saved)
//! x29 - 40 - 8i local slot i
//! sp            outgoing stack arguments (Base::Out)
//! ```
//! A thunk with nothing to do after the call has no frame and jumps. x16 holds the record until the
//! call: what a closed library's functions are replaced by finds it there. Scratch: x9 to x15, x17.

use super::{At, BTI_C, DATA, FP, FROM, SP, access, finish, is_encodable, is_scaled};
use crate::abi::Ext;
use crate::arch::support::internal;
use crate::arch::{Blob, MAX_THUNK_OUT, Unwind, cell, record};
use crate::error::{Code, Error, Result};
use crate::plan::{Back, Base, How, Place, Step, Thunk};
use dynasmrt::aarch64::Aarch64Relocation;
use dynasmrt::{DynasmApi, DynasmLabelApi, VecAssembler, dynasm};

const RECORD: u8 = 16;
/// Bytes below x29 for what is remembered over the call.
const KEPT: i64 = 32;

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
        frame
    }

    /// Whether control cells are written.
    fn uses_cells(&self) -> bool {
        self.thunk.errno || self.thunk.back.writes_cell() || self.thunk.has_text()
    }

    fn step(&mut self, step: &Step) -> Result<()> {
        match *step {
            Step::Move { from, to, how } => self.transfer(from, to, how),
            Step::Text { slot } => {
                let slot = self.local(slot)?;
                self.text(slot)
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

    /// `Step::Text`; see the one of x64. The integer registers were saved.
    fn text(&mut self, slot: At) -> Result<()> {
        self.load(FROM, slot, 8, Ext::None)?;
        asm!(self
            // x0: the copy, x1: the end of it, x2: characters, x3: their length, x4: their bits
            ; ldur x9, [x29, -16]
            ; ldr x10, [X(RECORD), 8 * record::FRAME]
            ; ldr w0, [x9, cell::TOP]
            ; add x0, x0, x10
            ; ldr x2, [X(FROM)]
            ; ldr w3, [X(FROM), 8]
            ; mov x4, xzr
            ; mov x1, x0
            ; lsr w5, w3, 3
            ; cbz w5, >rest
            ; word:
            ; ldr x6, [x2], 8
            ; orr x4, x4, x6
            ; str x6, [x1], 8
            ; subs w5, w5, 1
            ; b.ne <word
            ; rest:
            // The characters that are left, with zeros behind them.
            ; mov x6, xzr
            ; ands w5, w3, 7
            ; b.eq >end
            ; ldr x6, [x2]
            ; lsl w7, w5, 3
            ; movn x8, 0
            ; lsl x8, x8, x7
            ; bic x6, x6, x8
            ; end:
            ; str x6, [x1]
            ; orr x4, x4, x6
            ; add x1, x1, x5
            ; add x1, x1, 1
            ; tst x4, 0x8080_8080_8080_8080
            ; b.eq >made
            // Some are not ASCII: two bytes each, behind the first copy.
            ; mov x2, x0
            ; mov x0, x1
            ; next:
            ; ldrb w6, [x2], 1
            ; tbnz w6, 7, >two
            ; strb w6, [x1], 1
            ; b >done
            ; two:
            ; lsr w7, w6, 6
            ; orr w7, w7, 0xc0
            ; and w6, w6, 0x3f
            ; orr w6, w6, 0x80
            ; strb w7, [x1], 1
            ; strb w6, [x1], 1
            ; done:
            ; subs w3, w3, 1
            ; b.ne <next
            ; strb wzr, [x1], 1
            ; made:
            ; sub x1, x1, x10
            ; str w1, [x9, cell::TOP]);
        self.store(0, slot, 8)
    }

    /// The call, errno, the result.
    fn leave(&mut self) -> Result<()> {
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
        asm!(self
            ; mov sp, x29
            ; ldp x29, x30, [sp], 16
            ; ret);
        Ok(())
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
