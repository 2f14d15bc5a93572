//! Moves between places: every one touches exactly the bytes it names.

use super::{Emitter, Mem, R10, R11, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP, internal};
use crate::abi::Ext;
use crate::error::{Code, Error, Result};
use crate::plan::{Base, Place};
use dynasmrt::{DynasmApi, DynasmLabelApi, dynasm};

/// Longest copy without a loop, in bytes.
const UNROLLED: u32 = 128;

/// Emits `op reg, [memory]` with the shortest displacement; the operand's size follows where the
/// register does not tell it.
macro_rules! load {
    ($emitter:ident, $memory:expr, $op:ident $family:ident($register:expr) $(, $size:ident)?) => {{
        let Mem { base, disp } = $memory;
        match i8::try_from(disp) {
            Ok(disp) => dynasm!($emitter.asm
                ; .arch x64
                ; $op $family($register), $($size)? [BYTE Rq(base) + disp]
            ),
            Err(_) => dynasm!($emitter.asm
                ; .arch x64
                ; $op $family($register), $($size)? [Rq(base) + disp]
            ),
        }
    }};
}

/// Emits `op [memory], reg` with the shortest displacement.
macro_rules! store {
    ($emitter:ident, $memory:expr, $op:ident $family:ident($register:expr)) => {{
        let Mem { base, disp } = $memory;
        match i8::try_from(disp) {
            Ok(disp) => dynasm!($emitter.asm
                ; .arch x64
                ; $op [BYTE Rq(base) + disp], $family($register)
            ),
            Err(_) => dynasm!($emitter.asm
                ; .arch x64
                ; $op [Rq(base) + disp], $family($register)
            ),
        }
    }};
}

/// A place as the machine knows it.
#[derive(Clone, Copy, Debug)]
enum Operand {
    Int(u8),
    Xmm(u8),
    St0,
    Mem(Mem),
}

/// The parts of `len` bytes that one load or store can move: (offset, width).
fn chunks(len: u32) -> impl Iterator<Item = (u32, u32)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let width = [8, 4, 2, 1].into_iter().find(|width| at + width <= len)?;
        at += width;
        Some((at - width, width))
    })
}

/// The width of the two overlapping accesses that cover 3, 5, 6 or 7 bytes, or None where one
/// access does.
fn overlapping(len: u32) -> Option<u32> {
    match len {
        3 => Some(2),
        5..=7 => Some(4),
        _ => None,
    }
}

impl Emitter<'_> {
    /// The second scratch register: rax carries results after the call, the record is dead then.
    fn spare(&self) -> u8 {
        if self.called { R10 } else { RAX }
    }

    /// The operand for `len` bytes of memory. For `Behind`, this loads the pointer into the
    /// spare register.
    pub(super) fn mem(&mut self, base: Base, offset: u32, len: u32) -> Result<Mem> {
        let upcall = self.is_upcall();
        let (register, start) = match base {
            Base::Frame if upcall => (RSP, self.frame_at()),
            Base::Frame => (RBX, 0),
            Base::Out if !upcall => (RSP, 0),
            Base::In if upcall => (RBP, 16),
            Base::Behind(slot) => {
                let (pointer, slot) = (self.spare(), self.local(slot)?);
                load!(self, slot, mov Rq(pointer));
                (pointer, 0)
            }
            Base::Out | Base::In => return Err(internal("the stack area of the other direction")),
        };
        let disp = i64::from(start) + i64::from(offset);
        Mem::new(register, disp + i64::from(len))?;
        Mem::new(register, disp)
    }

    fn local(&self, slot: u8) -> Result<Mem> {
        if slot >= self.plan.locals {
            return Err(internal("a local slot that is not there"));
        }
        Mem::new(RBP, -8 - 8 * i64::from(slot))
    }

    fn operand(&mut self, place: Place, len: u32) -> Result<Operand> {
        Ok(match place {
            Place::Int(register) => Operand::Int(register),
            Place::Fp(register) => Operand::Xmm(register),
            Place::X87(0) => Operand::St0,
            Place::X87(_) => return Err(internal("an x87 register other than st0")),
            Place::Local(slot) => Operand::Mem(self.local(slot)?),
            Place::Mem(base, offset) => Operand::Mem(self.mem(base, offset, len)?),
        })
    }

    /// Refuses registers that callers expect to keep their values, and scratch.
    fn writable(&self, operand: Operand) -> Result<()> {
        let free = match operand {
            Operand::Int(RAX | RCX | RDX | 8 | 9) => true,
            Operand::Int(RSI | RDI) => !self.windows,
            Operand::Int(_) => false,
            Operand::Xmm(register) => register < if self.windows { 6 } else { 16 },
            Operand::St0 | Operand::Mem(_) => true,
        };
        if free {
            Ok(())
        } else {
            Err(internal("a plan writes a register that must keep its value"))
        }
    }

    pub(super) fn move_(&mut self, from: Place, to: Place, len: u32, ext: Ext) -> Result<()> {
        let width = match ext {
            Ext::None => len,
            Ext::Zero(width) | Ext::Sign(width) => u32::from(width),
        };
        one_pointer(from, to)?;
        let (from, to) = (self.operand(from, len)?, self.operand(to, width)?);
        self.writable(to)?;
        match (from, to) {
            (Operand::Int(src), Operand::Mem(to)) => self.store(to, src, len),
            (Operand::Mem(from), Operand::Int(dst)) => self.load(dst, from, len, ext),
            (Operand::Mem(from), Operand::Mem(to)) if ext == Ext::None => {
                self.copy_chunks(from, to, len)
            }
            (Operand::Mem(from), Operand::Mem(to)) => {
                self.load(R11, from, len, ext)?;
                self.store(to, R11, width)
            }
            (Operand::Xmm(src), Operand::Mem(to)) => self.store_fp(to, src, len),
            (Operand::Mem(from), Operand::Xmm(dst)) => self.load_fp(dst, from, len),
            (Operand::St0, Operand::Mem(to)) => self.store_x87(to, len),
            (Operand::Mem(from), Operand::St0) => self.load_x87(from, len),
            (from, to) => Err(unsupported(len, &format!("from {from:?} to {to:?}"))),
        }
    }

    /// Loads `len` bytes, widened as `ext` says; without extension, the rest of the register is
    /// zero.
    fn load(&mut self, dst: u8, m: Mem, len: u32, ext: Ext) -> Result<()> {
        match (len, ext) {
            (1, Ext::Sign(4)) => load!(self, m, movsx Rd(dst), BYTE),
            (1, Ext::Sign(8)) => load!(self, m, movsx Rq(dst), BYTE),
            (2, Ext::Sign(4)) => load!(self, m, movsx Rd(dst), WORD),
            (2, Ext::Sign(8)) => load!(self, m, movsx Rq(dst), WORD),
            (4, Ext::Sign(8)) => load!(self, m, movsxd Rq(dst), DWORD),
            (4, Ext::Sign(4)) | (1 | 2 | 4, Ext::Zero(4 | 8)) | (_, Ext::None) => {
                return self.load_zeroing(dst, m, len);
            }
            (_, Ext::Sign(_) | Ext::Zero(_)) => {
                return Err(internal("an extension that x64 does not have"));
            }
        }
        Ok(())
    }

    fn load_zeroing(&mut self, dst: u8, m: Mem, len: u32) -> Result<()> {
        match (len, overlapping(len)) {
            (1, _) => load!(self, m, movzx Rd(dst), BYTE),
            (2, _) => load!(self, m, movzx Rd(dst), WORD),
            (4, _) => load!(self, m, mov Rd(dst)),
            (8, _) => load!(self, m, mov Rq(dst)),
            (_, Some(width)) => {
                // The upper part, shifted into place, over the lower one: bytes that both
                // contain are equal.
                let low = if dst == R11 { self.spare() } else { R11 };
                let shift = (8 * (len - width)) as i8;
                self.load_zeroing(dst, m.plus(len - width), width)?;
                dynasm!(self.asm ; .arch x64 ; shl Rq(dst), shift);
                self.load_zeroing(low, m, width)?;
                dynasm!(self.asm ; .arch x64 ; or Rq(dst), Rq(low));
            }
            _ => return Err(internal("a register does not hold that many bytes")),
        }
        Ok(())
    }

    /// Stores the low `len` bytes of a register.
    pub(super) fn store(&mut self, m: Mem, src: u8, len: u32) -> Result<()> {
        match (len, overlapping(len)) {
            (1, _) => store!(self, m, mov Rb(src)),
            (2, _) => store!(self, m, mov Rw(src)),
            (4, _) => store!(self, m, mov Rd(src)),
            (8, _) => store!(self, m, mov Rq(src)),
            (_, Some(width)) => {
                let shift = (8 * (len - width)) as i8;
                self.store(m, src, width)?;
                if src != R11 {
                    dynasm!(self.asm ; .arch x64 ; mov r11, Rq(src));
                }
                dynasm!(self.asm ; .arch x64 ; shr r11, shift);
                self.store(m.plus(len - width), R11, width)?;
            }
            _ => return Err(internal("a register does not hold that many bytes")),
        }
        Ok(())
    }

    fn load_fp(&mut self, dst: u8, m: Mem, len: u32) -> Result<()> {
        match len {
            4 => load!(self, m, movss Rx(dst)),
            8 => load!(self, m, movsd Rx(dst)),
            _ => {
                self.load_zeroing(R11, m, len)?;
                dynasm!(self.asm ; .arch x64 ; movq Rx(dst), r11);
            }
        }
        Ok(())
    }

    fn store_fp(&mut self, m: Mem, src: u8, len: u32) -> Result<()> {
        match len {
            4 => store!(self, m, movss Rx(src)),
            8 => store!(self, m, movsd Rx(src)),
            _ => {
                dynasm!(self.asm ; .arch x64 ; movq r11, Rx(src));
                self.store(m, R11, len)?;
            }
        }
        Ok(())
    }

    fn load_x87(&mut self, Mem { base, disp }: Mem, len: u32) -> Result<()> {
        match len {
            4 => dynasm!(self.asm ; .arch x64 ; fld DWORD [Rq(base) + disp]),
            8 => dynasm!(self.asm ; .arch x64 ; fld QWORD [Rq(base) + disp]),
            _ => return Err(unsupported(len, "to st0")),
        }
        Ok(())
    }

    fn store_x87(&mut self, Mem { base, disp }: Mem, len: u32) -> Result<()> {
        match len {
            4 => dynasm!(self.asm ; .arch x64 ; fstp DWORD [Rq(base) + disp]),
            8 => dynasm!(self.asm ; .arch x64 ; fstp QWORD [Rq(base) + disp]),
            _ => return Err(unsupported(len, "from st0")),
        }
        Ok(())
    }

    /// `Op::Copy`.
    pub(super) fn copy(&mut self, from: (Base, u32), to: (Base, u32), len: u32) -> Result<()> {
        one_pointer(Place::Mem(from.0, from.1), Place::Mem(to.0, to.1))?;
        let from = self.mem(from.0, from.1, len)?;
        let to = self.mem(to.0, to.1, len)?;
        let looped = if len > UNROLLED { len & !7 } else { 0 };
        if looped > 0 {
            // From the end to the start; eight bytes at a time, because what JavaScript wrote
            // field by field is forwarded to narrow loads only.
            dynasm!(self.asm
                ; .arch x64
                ; mov ecx, looped as i32
                ; next:
                ; mov r11, [Rq(from.base) + rcx + (from.disp - 8)]
                ; mov [Rq(to.base) + rcx + (to.disp - 8)], r11
                ; sub ecx, 8
                ; jnz BYTE <next
            );
        }
        self.copy_chunks(from.plus(looped), to.plus(looped), len - looped)
    }

    /// Copies through r11 without a loop.
    fn copy_chunks(&mut self, from: Mem, to: Mem, len: u32) -> Result<()> {
        chunks(len).try_for_each(|(at, width)| {
            self.load_zeroing(R11, from.plus(at), width)?;
            self.store(to.plus(at), R11, width)
        })
    }

    /// Loads an address.
    pub(super) fn lea(&mut self, dst: u8, of: Mem) {
        load!(self, of, lea Rq(dst));
    }

    /// `Op::Address`.
    pub(super) fn address(&mut self, of: (Base, u32), to: Place) -> Result<()> {
        one_pointer(Place::Mem(of.0, of.1), to)?;
        let of = self.mem(of.0, of.1, 0)?;
        let to = self.operand(to, 8)?;
        self.writable(to)?;
        match to {
            Operand::Int(dst) => self.lea(dst, of),
            Operand::Mem(to) => {
                self.lea(R11, of);
                store!(self, to, mov Rq(R11));
            }
            Operand::Xmm(_) | Operand::St0 => {
                return Err(internal("an address in a floating-point register"));
            }
        }
        Ok(())
    }
}

/// The spare register holds one pointer at a time.
fn one_pointer(from: Place, to: Place) -> Result<()> {
    let behind = |place| matches!(place, Place::Mem(Base::Behind(_), _));
    if behind(from) && behind(to) {
        Err(internal("a move between two pointers' memory"))
    } else {
        Ok(())
    }
}

fn unsupported(len: u32, how: &str) -> Error {
    Error::new(Code::UnsupportedAbi, format!("x64 does not move {len} bytes {how}"))
}
