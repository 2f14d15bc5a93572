//! Thunks (System V).
//!
//! ```text
//!  incoming stack arguments   Base::In    [rbp+16+n]
//!  return address
//!  caller's rbp               <- rbp
//!  address of the FRAME cell  (if a control cell is written)
//!  address of errno           (if it is saved)
//!  TOP as it was              (if there is text)
//!  the record                 (if functions of the shape are called)
//!  local slot 0 ...           Place::Local(n)
//!  (alignment)
//!  outgoing stack arguments   Base::Out   [rsp+n]
//! ```
//! A thunk with nothing to do after the call has no frame and jumps. r10 holds the record until
//! the call: what a closed library's functions are replaced by finds it there. rax and r11 are
//! scratch.

use super::{Assembler, ENDBR64, Mem, R11, RAX, RBP, RDI, RSP, field, finish, internal};
use crate::abi::Ext;
use crate::arch::{Blob, MAX_THUNK_OUT, Unwind, cell, maker_at, record};
use crate::error::{Code, Error, Result};
use crate::plan::{Back, Base, How, Maker, Place, Step, Thunk};
use dynasmrt::{DynasmApi, DynasmLabelApi, dynasm};

/// Emits `op reg, memory`.
macro_rules! load {
    ($asm:expr, $memory:expr, $op:ident $family:ident($register:expr) $(, $size:ident)?) => {{
        let Mem { base, disp } = $memory;
        dynasm!($asm ; .arch x64 ; $op $family($register), $($size)? [Rq(base) + disp])
    }};
}

/// Emits `op memory, reg`.
macro_rules! store {
    ($asm:expr, $memory:expr, $op:ident $family:ident($register:expr)) => {{
        let Mem { base, disp } = $memory;
        dynasm!($asm ; .arch x64 ; $op [Rq(base) + disp], $family($register))
    }};
}

/// [`crate::arch::NOTHING`] as an immediate.
const NOTHING: i32 = crate::arch::NOTHING as i32;

struct Emitter<'a> {
    asm: Assembler,
    thunk: &'a Thunk,
    /// Words pushed below rbp.
    pushed: i32,
    /// Where TOP and the record are kept, from rbp.
    top_at: i32,
    record_at: i32,
}

/// See [`crate::arch::emit_thunk`].
pub fn emit_thunk(thunk: &Thunk) -> Result<Blob> {
    if thunk.stack_align != 16 || thunk.out_bytes > MAX_THUNK_OUT {
        let message = format!("{} bytes of stack arguments", thunk.out_bytes);
        return Err(Error::new(Code::UnsupportedAbi, message));
    }
    let mut emitter = Emitter { asm: Assembler::new(0), thunk, pushed: 0, top_at: 0, record_at: 0 };
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
    /// The record into r10, and the frame.
    fn enter(&mut self) -> Option<Unwind> {
        let token = self.thunk.token;
        dynasm!(self.asm ; .arch x64 ; .bytes ENDBR64);
        let frame = (!self.thunk.is_jump()).then(|| {
            dynasm!(self.asm ; .arch x64 ; push rbp);
            let pushed_fp = self.asm.offset().0 as u8;
            dynasm!(self.asm ; .arch x64 ; mov rbp, rsp);
            Unwind { pushed_fp, set_fp: self.asm.offset().0 as u8, saved: Vec::new() }
        });
        dynasm!(self.asm ; .arch x64 ; movq r10, Rx(token));
        if self.thunk.counted {
            dynasm!(self.asm
                ; .arch x64
                ; mov r11, [BYTE r10 + field(record::SHAPE)]
                ; mov r11, [r11]
                ; inc QWORD [r11]
            );
        }
        if self.uses_cells() {
            self.push(Mem { base: 10, disp: field(record::FRAME_CELL).into() });
        }
        if self.thunk.errno {
            self.push(Mem { base: 10, disp: field(record::ERRNO).into() });
        }
        if self.thunk.has_text() {
            dynasm!(self.asm ; .arch x64 ; mov r11, [rbp - 8]);
            self.push(Mem { base: R11, disp: cell::TOP as i32 });
            self.top_at = -8 * self.pushed;
        }
        if self.thunk.has_makers() {
            dynasm!(self.asm ; .arch x64 ; push r10);
            self.pushed += 1;
            self.record_at = -8 * self.pushed;
        }
        if frame.is_some() {
            let words = self.pushed + i32::from(self.thunk.locals);
            self.lower_sp(8 * (words + words % 2 - self.pushed) + self.thunk.out_bytes as i32);
        }
        frame
    }

    /// Whether control cells are written.
    fn uses_cells(&self) -> bool {
        self.thunk.errno || self.thunk.back.writes_cell() || self.thunk.has_text()
    }

    #[inline(never)]
    fn push(&mut self, Mem { base, disp }: Mem) {
        dynasm!(self.asm ; .arch x64 ; push QWORD [Rq(base) + disp]);
        self.pushed += 1;
    }

    #[inline(never)]
    fn lower_sp(&mut self, bytes: i32) {
        if bytes > 0 {
            dynasm!(self.asm ; .arch x64 ; sub rsp, bytes);
        }
    }

    fn step(&mut self, step: &Step) -> Result<()> {
        match *step {
            Step::Move { from, to, how } => self.transfer(from, to, how),
            Step::Made { slot, maker } => {
                let slot = self.local(slot)?;
                self.make(slot, maker);
                Ok(())
            }
            Step::VectorCount(count) => {
                dynasm!(self.asm ; .arch x64 ; mov eax, i32::from(count));
                Ok(())
            }
        }
    }

    fn local(&self, slot: u8) -> Result<Mem> {
        if slot >= self.thunk.locals {
            return Err(internal("a local slot that is not there"));
        }
        Ok(Mem { base: RBP, disp: -8 * (self.pushed + 1 + i32::from(slot)) })
    }

    #[inline(never)]
    fn memory(&self, place: Place) -> Result<Option<Mem>> {
        Ok(match place {
            Place::Local(slot) => Some(self.local(slot)?),
            Place::Mem(Base::In, at) if !self.thunk.is_jump() => {
                Some(Mem::new(RBP, 16 + i64::from(at))?)
            }
            Place::Mem(Base::In, at) => Some(Mem::new(RSP, 8 + i64::from(at))?),
            Place::Mem(Base::Out, at) => Some(Mem::new(RSP, at.into())?),
            Place::Int(_) | Place::Fp(_) => None,
            Place::X87(_) | Place::Mem(..) => return Err(internal("a place that thunks lack")),
        })
    }

    fn transfer(&mut self, from: Place, to: Place, how: How) -> Result<()> {
        let (source, target) = (self.memory(from)?, self.memory(to)?);
        match how {
            How::Truncated => {
                let register = if let Place::Int(n) = to { n } else { RAX };
                match (from, source) {
                    (Place::Fp(n), _) => {
                        dynasm!(self.asm ; .arch x64 ; cvttsd2si Rq(register), Rx(n));
                    }
                    (_, Some(m)) => load!(self.asm, m, cvttsd2si Rq(register), QWORD),
                    _ => return Err(internal("a double in an integer register")),
                }
                match (to, target) {
                    (Place::Int(_), _) => Ok(()),
                    (_, Some(m)) => self.store(m, RAX, 8),
                    _ => Err(internal("an integer for a vector register")),
                }
            }
            How::Unwrapped => {
                let register = if let Place::Int(n) = to { n } else { RAX };
                match (from, source) {
                    (Place::Int(n), _) => self.widen(register, n, 8, Ext::None)?,
                    (_, Some(m)) => self.load(register, m, 8, Ext::None)?,
                    _ => return Err(internal("a pointer in a vector register")),
                }
                dynasm!(self.asm
                    ; .arch x64
                    ; test Rq(register), Rq(register)
                    ; jz >null
                    ; mov Rq(register), [Rq(register) + 8]
                    ; null:
                );
                match (to, target) {
                    (Place::Int(_), _) => Ok(()),
                    (_, Some(m)) => self.store(m, RAX, 8),
                    _ => Err(internal("a pointer for a vector register")),
                }
            }
            How::Bits { len, ext } => match (from, source, to, target) {
                (Place::Int(a), _, Place::Int(b), _) => self.widen(b, a, len, ext),
                (Place::Int(a), _, _, Some(m)) if ext == Ext::None => self.store(m, a, len),
                (Place::Int(a), _, _, Some(m)) => {
                    self.widen(RAX, a, len, ext)?;
                    self.store(m, RAX, 4)
                }
                (_, Some(m), Place::Int(b), _) => self.load(b, m, len, ext),
                (_, Some(a), _, Some(b)) => {
                    self.load(RAX, a, len, ext)?;
                    self.store(b, RAX, if ext == Ext::None { len } else { 4 })
                }
                (Place::Fp(a), _, Place::Fp(b), _) => {
                    dynasm!(self.asm ; .arch x64 ; movaps Rx(b), Rx(a));
                    Ok(())
                }
                (Place::Fp(a), _, _, Some(m)) if len == 4 => {
                    store!(self.asm, m, movss Rx(a));
                    Ok(())
                }
                (Place::Fp(a), _, _, Some(m)) => {
                    store!(self.asm, m, movsd Rx(a));
                    Ok(())
                }
                (_, Some(m), Place::Fp(b), _) if len == 4 => {
                    load!(self.asm, m, movss Rx(b));
                    Ok(())
                }
                (_, Some(m), Place::Fp(b), _) => {
                    load!(self.asm, m, movsd Rx(b));
                    Ok(())
                }
                _ => Err(internal("a move between register classes")),
            },
        }
    }

    /// The low `len` bytes of a register into another, widened.
    #[inline(never)]
    fn widen(&mut self, to: u8, from: u8, len: u32, ext: Ext) -> Result<()> {
        match (len, ext) {
            (1, Ext::Sign(4)) => dynasm!(self.asm ; .arch x64 ; movsx Rd(to), Rb(from)),
            (2, Ext::Sign(4)) => dynasm!(self.asm ; .arch x64 ; movsx Rd(to), Rw(from)),
            (1, Ext::Zero(4)) => dynasm!(self.asm ; .arch x64 ; movzx Rd(to), Rb(from)),
            (2, Ext::Zero(4)) => dynasm!(self.asm ; .arch x64 ; movzx Rd(to), Rw(from)),
            (1 | 2 | 4, Ext::None) => dynasm!(self.asm ; .arch x64 ; mov Rd(to), Rd(from)),
            (8, Ext::None) => dynasm!(self.asm ; .arch x64 ; mov Rq(to), Rq(from)),
            _ => return Err(internal("an extension that thunks lack")),
        }
        Ok(())
    }

    #[inline(never)]
    fn load(&mut self, to: u8, m: Mem, len: u32, ext: Ext) -> Result<()> {
        match (len, ext) {
            (1, Ext::Sign(4)) => load!(self.asm, m, movsx Rd(to), BYTE),
            (2, Ext::Sign(4)) => load!(self.asm, m, movsx Rd(to), WORD),
            (1, Ext::Zero(4) | Ext::None) => load!(self.asm, m, movzx Rd(to), BYTE),
            (2, Ext::Zero(4) | Ext::None) => load!(self.asm, m, movzx Rd(to), WORD),
            (4, Ext::None) => load!(self.asm, m, mov Rd(to)),
            (8, Ext::None) => load!(self.asm, m, mov Rq(to)),
            _ => return Err(internal("an extension that thunks lack")),
        }
        Ok(())
    }

    #[inline(never)]
    fn store(&mut self, m: Mem, from: u8, len: u32) -> Result<()> {
        match len {
            1 => store!(self.asm, m, mov Rb(from)),
            2 => store!(self.asm, m, mov Rw(from)),
            4 => store!(self.asm, m, mov Rd(from)),
            8 => store!(self.asm, m, mov Rq(from)),
            _ => return Err(internal("a store of an odd size")),
        }
        Ok(())
    }

    /// `Step::Made`: what the shape's function makes. Without it, the thunk ends.
    fn make(&mut self, slot: Mem, maker: Maker) {
        load!(self.asm, slot, mov Rq(RDI));
        dynasm!(self.asm
            ; .arch x64
            ; mov rsi, [rbp + self.record_at]
            ; mov r11, [BYTE rsi + field(record::SHAPE)]
            ; call QWORD [BYTE r11 + maker_at(maker) as i8]
            ; cmp rax, NOTHING
            ; je >missed
        );
        store!(self.asm, slot, mov Rq(RAX));
    }

    /// The call, errno, the result.
    fn leave(&mut self) -> Result<()> {
        if self.thunk.is_jump() {
            dynasm!(self.asm ; .arch x64 ; jmp QWORD [BYTE r10 + field(record::TARGET)]);
            return Ok(());
        }
        if self.thunk.has_makers() {
            dynasm!(self.asm ; .arch x64 ; mov r10, [rbp + self.record_at]);
        }
        dynasm!(self.asm ; .arch x64 ; call QWORD [BYTE r10 + field(record::TARGET)]);
        if self.uses_cells() {
            dynasm!(self.asm ; .arch x64 ; mov r10, [rbp - 8]);
        }
        if self.thunk.errno {
            dynasm!(self.asm
                ; .arch x64
                ; mov r11, [rbp - 16]
                ; mov r11d, [r11]
                ; mov [BYTE r10 + cell::ERRNO as i8], Rd(R11)
            );
        }
        if self.thunk.has_text() {
            self.restore_top();
        }
        self.give_back()?;
        dynasm!(self.asm ; .arch x64 ; leave ; ret);
        if self.thunk.has_makers() {
            dynasm!(self.asm ; .arch x64 ; missed:);
            if self.thunk.has_text() {
                dynasm!(self.asm ; .arch x64 ; mov r10, [rbp - 8]);
                self.restore_top();
            }
            dynasm!(self.asm ; .arch x64 ; xor eax, eax ; xorps xmm0, xmm0 ; leave ; ret);
        }
        Ok(())
    }

    /// TOP as it was, with the address of the FRAME cell in r10.
    fn restore_top(&mut self) {
        dynasm!(self.asm
            ; .arch x64
            ; mov r11, [rbp + self.top_at]
            ; mov [BYTE r10 + cell::TOP as i8], r11d
        );
    }

    fn give_back(&mut self) -> Result<()> {
        let result = Mem { base: 10, disp: cell::RESULT as i32 };
        match self.thunk.back {
            Back::AsIs => {}
            Back::Widened { len: 1, signed: true } => dynasm!(self.asm ; .arch x64 ; movsx eax, al),
            Back::Widened { len: 2, signed: true } => dynasm!(self.asm ; .arch x64 ; movsx eax, ax),
            Back::Widened { len: 1, .. } => dynasm!(self.asm ; .arch x64 ; movzx eax, al),
            Back::Widened { len: 2, .. } => dynasm!(self.asm ; .arch x64 ; movzx eax, ax),
            Back::Widened { .. } => return Err(internal("a result that needs no widening")),
            Back::Truth => dynasm!(self.asm
                ; .arch x64
                ; test al, al
                ; setne al
                ; movzx eax, al
            ),
            Back::Number { signed } => {
                store!(self.asm, result, mov Rq(RAX));
                dynasm!(self.asm ; .arch x64 ; xorps xmm0, xmm0);
                if !signed {
                    // Twice the half, whose lost bit still decides how it is rounded.
                    dynasm!(self.asm
                        ; .arch x64
                        ; test rax, rax
                        ; jns >fits
                        ; mov ecx, eax
                        ; shr rax, 1
                        ; and ecx, 1
                        ; or rax, rcx
                        ; cvtsi2sd xmm0, rax
                        ; addsd xmm0, xmm0
                        ; leave
                        ; ret
                        ; fits:
                    );
                }
                dynasm!(self.asm ; .arch x64 ; cvtsi2sd xmm0, rax);
            }
            Back::Cell { fp: true, len: 4 } => store!(self.asm, result, movss Rx(0)),
            Back::Cell { fp: true, .. } => store!(self.asm, result, movsd Rx(0)),
            Back::Cell { len, .. } => self.store(result, RAX, len)?,
        }
        Ok(())
    }
}
