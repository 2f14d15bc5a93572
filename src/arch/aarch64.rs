//! 64-bit ARM emitter (AAPCS64 on Linux, Apple and Windows: the flavours differ in call layouts
//! only).
//!
//! The stack of a trampoline:
//!
//! ```text
//! x29 + 16      incoming stack arguments (Base::In)
//! x29 + 8       return address
//! x29           the caller's x29
//! x29 - 16      x19, x20
//! x29 - 24 - 8i local slot i
//!               (gap where alignment needs one)
//! sp + n        the frame (Base::Frame), of upcalls only
//! sp            outgoing stack arguments (Base::Out)
//! ```
//! x19 holds the frame's address and x20 the record's. Scratch: x9 to x15, x16, v16 and v17; x18
//! belongs to the platform and is never touched. The slot register is x16.

// What `dynasm!` makes of `X(register)` converts a u8 into a u8.
#![allow(clippy::useless_conversion)]

mod thunk;

pub(super) use thunk::emit_thunk;

use super::support::{PROBE_BYTES, internal, parts, stack_bytes};
use super::{Blob, SLOT_STRIDE, Unwind, record};
use crate::abi::Ext;
use crate::error::Result;
use crate::plan::{Base, Entry, Op, Place, Plan};
use dynasmrt::aarch64::Aarch64Relocation;
use dynasmrt::{DynasmApi, DynasmLabelApi, VecAssembler, dynasm};

const FRAME: u8 = 19;
const RECORD: u8 = 20;
const SLOT: u8 = 16;
const FP: u8 = 29;
const SP: u8 = 31;
// Scratch: data on its way, a part of it, addresses of source and destination, a loop's counter.
const DATA: u8 = 9;
const PART: u8 = 10;
const FROM: u8 = 12;
const TO: u8 = 13;
const COUNT: u8 = 14;
const TARGET: u8 = 16;

/// `bti c`: where indirect calls, and jumps through x16 and x17, may land.
const BTI_C: u32 = 34;
/// Bytes below x29 that hold x19 and x20.
const SAVED_BYTES: u32 = 16;
/// Copies up to this size are unrolled.
const UNROLLED_BYTES: u32 = 64;

/// Instructions of this CPU, whatever the host's is.
macro_rules! asm {
    ($self:expr ; $($line:tt)*) => { dynasm!($self.asm ; .arch aarch64 ; $($line)*) };
}

/// A load or store with whichever immediate form encodes the offset: the scaled 12-bit one or
/// the unscaled 9-bit one.
macro_rules! access {
    ($self:expr, $size:expr, $scaled:ident $unscaled:ident $family:ident ($reg:expr) $at:expr) => {
        match $at {
            At { base, off } if is_scaled(off, $size) => {
                asm!($self ; $scaled $family($reg), [XSP(base), off as u32])
            }
            At { base, off } => asm!($self ; $unscaled $family($reg), [XSP(base), off as i32]),
        }
    };
}

/// An address: a register and an offset.
#[derive(Clone, Copy, Debug)]
struct At {
    base: u8,
    off: i64,
}

impl At {
    fn plus(self, bytes: u32) -> At {
        At { off: self.off + i64::from(bytes), ..self }
    }
}

fn is_scaled(off: i64, size: u32) -> bool {
    let size = i64::from(size);
    off >= 0 && off % size == 0 && off / size <= 4095
}

/// Whether one load or store of `size` bytes can address `off`.
fn is_encodable(off: i64, size: u32) -> bool {
    (-256..256).contains(&off) || is_scaled(off, size)
}

use access;

struct Emitter<'a> {
    asm: VecAssembler<Aarch64Relocation>,
    plan: &'a Plan,
}

/// Emits the machine code of a plan.
pub(super) fn emit(plan: &Plan) -> Result<Blob> {
    if plan.pops != 0 {
        return internal(format!("aarch64 functions pop nothing, not {}", plan.pops));
    }
    let mut emitter = Emitter { asm: VecAssembler::new(0), plan };
    let unwind = emitter.prologue()?;
    for op in &plan.ops {
        emitter.op(op)?;
    }
    emitter.epilogue();
    Ok(Blob { code: finish(emitter.asm)?, unwind })
}

fn finish(asm: VecAssembler<Aarch64Relocation>) -> Result<Vec<u8>> {
    asm.finalize().or_else(|e| internal(format!("aarch64 assembler: {e}")))
}

/// Emits code slots: the record's address into x16, a jump through its first word.
pub(super) fn emit_slots(count: usize, records: usize, record_stride: usize) -> Result<Vec<u8>> {
    let mut code = Vec::with_capacity(count * SLOT_STRIDE);
    for i in 0..count {
        // ADR counts from its own address, 4 bytes into the slot, and reaches 1 MiB.
        let distance = (records + i * record_stride) as i64 - (i * SLOT_STRIDE + 4) as i64;
        if distance.abs() >= 1 << 20 {
            return internal(format!("slot {i} is {distance} bytes from its record"));
        }
        let mut slot = VecAssembler::<Aarch64Relocation>::new(0);
        dynasm!(slot
            ; .arch aarch64
            ; hint BTI_C
            ; adr X(SLOT), distance as i32
            ; ldr x17, [X(SLOT), 8 * record::BODY]
            ; br x17);
        code.extend(finish(slot)?);
    }
    Ok(code)
}

impl Emitter<'_> {
    fn is_upcall(&self) -> bool {
        self.plan.entry == Entry::Upcall
    }

    fn offset(&self) -> u8 {
        self.asm.offset().0 as u8
    }

    /// Offset of an upcall's frame from SP.
    fn frame_offset(&self) -> u32 {
        self.plan.out_bytes.next_multiple_of(self.plan.frame_align)
    }

    fn prologue(&mut self) -> Result<Unwind> {
        asm!(self ; hint BTI_C ; stp x29, x30, [sp, -16]!);
        let pushed_fp = self.offset();
        asm!(self ; mov x29, sp);
        let set_fp = self.offset();
        asm!(self ; stp X(FRAME), X(RECORD), [sp, -16]!);
        let saved = vec![(FRAME, 16, self.offset()), (RECORD, 8, self.offset())];
        let record = if self.plan.entry == Entry::Direct { 1 } else { SLOT };
        asm!(self ; mov X(RECORD), X(record));
        self.reserve()?;
        match self.plan.entry {
            Entry::Direct => asm!(self ; mov X(FRAME), x0),
            Entry::Fixed => asm!(self ; ldr X(FRAME), [X(RECORD), 8 * record::FRAME]),
            Entry::Stacked => asm!(self
                ; ldr X(FRAME), [X(RECORD), 8 * record::FRAME]
                ; ldr X(DATA), [X(RECORD), 8 * record::FRAME_CELL]
                ; ldr W(DATA), [X(DATA)]
                ; add X(FRAME), X(FRAME), X(DATA)),
            Entry::Upcall => {
                self.lea(FRAME, At { base: SP, off: i64::from(self.frame_offset()) });
            }
        }
        Ok(Unwind { pushed_fp, set_fp, saved })
    }

    /// Moves SP below the local slots, the frame and the outgoing area.
    fn reserve(&mut self) -> Result<()> {
        let (out, align, frame) = if self.is_upcall() {
            let align = self.plan.stack_align.max(self.plan.frame_align);
            (self.frame_offset(), align, self.plan.frame_bytes)
        } else {
            (self.plan.out_bytes, self.plan.stack_align, 0)
        };
        let bytes = stack_bytes(&[8 * u32::from(self.plan.locals), frame, out])?;
        let bytes = bytes.next_multiple_of(16);
        if align <= 16 && bytes < PROBE_BYTES {
            if bytes > 0 {
                asm!(self ; sub sp, sp, bytes);
            }
            return Ok(());
        }
        self.lea(DATA, At { base: SP, off: -i64::from(bytes) });
        if align > 16 {
            asm!(self ; and XSP(DATA), X(DATA), !u64::from(align - 1));
        }
        if bytes + align >= PROBE_BYTES {
            asm!(self
                ; page:
                ; sub XSP(PART), sp, X(DATA), uxtx
                ; cmp XSP(PART), 1, lsl 12
                ; b.lo >done
                ; sub sp, sp, 1, lsl 12
                ; str xzr, [sp]
                ; b <page
                ; done:);
        }
        asm!(self ; mov sp, XSP(DATA));
        Ok(())
    }

    fn epilogue(&mut self) {
        if matches!(self.plan.entry, Entry::Fixed | Entry::Stacked) {
            asm!(self ; mov x0, xzr);
        }
        asm!(self
            ; ldp X(FRAME), X(RECORD), [x29, -16]
            ; mov sp, x29
            ; ldp x29, x30, [sp], 16
            ; ret);
    }

    fn op(&mut self, op: &Op) -> Result<()> {
        match *op {
            Op::Move { from, to, len, ext } => self.transfer(from, to, len, ext)?,
            Op::Copy { from, to, len } => {
                let from = self.memory(from.0, from.1, FROM);
                let to = self.memory(to.0, to.1, TO);
                self.copy(from, to, len);
            }
            Op::Address { of, to } => {
                let of = self.memory(of.0, of.1, FROM);
                match to {
                    Place::Int(n) => self.lea(n, of),
                    _ => {
                        self.lea(DATA, of);
                        self.transfer(Place::Int(DATA), to, 8, Ext::None)?;
                    }
                }
            }
            Op::Call if self.is_upcall() => asm!(self
                ; ldr x0, [X(RECORD), 8 * record::CONTEXT]
                ; mov x1, X(FRAME)
                ; ldr X(TARGET), [X(RECORD), 8 * record::DISPATCH]
                ; blr X(TARGET)),
            Op::Call => asm!(self
                ; ldr X(TARGET), [X(RECORD), 8 * record::TARGET]
                ; blr X(TARGET)),
            Op::SaveErrno { to } => {
                asm!(self ; ldr X(FROM), [X(RECORD), 8 * record::ERRNO]);
                self.copy(At { base: FROM, off: 0 }, At { base: FRAME, off: to.into() }, 4);
            }
            Op::VectorCount(_) => return internal(format!("{op:?} on aarch64")),
        }
        Ok(())
    }

    /// Where memory of a plan is; `Behind` loads its pointer into `scratch`.
    fn memory(&mut self, base: Base, off: u32, scratch: u8) -> At {
        let off = i64::from(off);
        match base {
            Base::Frame => At { base: FRAME, off },
            Base::Out => At { base: SP, off },
            Base::In => At { base: FP, off: 16 + off },
            Base::Behind(slot) => {
                self.load(scratch, self.local(slot), 8);
                At { base: scratch, off }
            }
        }
    }

    fn local(&self, slot: u8) -> At {
        At { base: FP, off: -i64::from(SAVED_BYTES + 8 * (u32::from(slot) + 1)) }
    }

    /// `at`, or `scratch` pointing there if the accesses to `len` bytes cannot encode it.
    fn reach(&mut self, at: At, len: u32, scratch: u8) -> At {
        if parts(len, 8).all(|(i, size)| is_encodable(at.off + i64::from(i), size)) {
            return at;
        }
        self.lea(scratch, at);
        At { base: scratch, off: 0 }
    }

    fn transfer(&mut self, from: Place, to: Place, len: u32, ext: Ext) -> Result<()> {
        let unable = || internal(format!("no aarch64 move {from:?} to {to:?} of {len}"));
        if !(1..=8).contains(&len) {
            return unable();
        }
        let source = match from {
            Place::Mem(base, off) => Some(self.memory(base, off, FROM)),
            Place::Local(slot) => Some(self.local(slot)),
            _ => None,
        };
        let source = source.map(|at| self.reach(at, len, FROM));
        // A widened value fills its slot, too.
        let width = match ext {
            Ext::Zero(width) | Ext::Sign(width) => len.max(width.into()),
            Ext::None => len,
        };
        let target = match to {
            Place::Mem(base, off) => Some(self.memory(base, off, TO)),
            Place::Local(slot) => Some(self.local(slot)),
            _ => None,
        };
        let target = target.map(|at| self.reach(at, width, TO));
        match (from, source, to, target) {
            (_, Some(at), Place::Int(n), _) => self.load_extended(n, at, len, ext),
            (_, Some(at), Place::Fp(n), _) => match len {
                4 => access!(self, 4, ldr ldur S(n) at),
                8 => access!(self, 8, ldr ldur D(n) at),
                _ => {
                    self.load_extended(DATA, at, len, Ext::None);
                    asm!(self ; fmov D(n), X(DATA));
                }
            },
            (_, Some(from), _, Some(to)) => {
                self.load_extended(DATA, from, len, ext);
                self.store_bytes(DATA, to, width);
            }
            (Place::Int(n), _, _, Some(at)) => self.store_bytes(n, at, len),
            (Place::Fp(n), _, _, Some(at)) => match len {
                4 => access!(self, 4, str stur S(n) at),
                8 => access!(self, 8, str stur D(n) at),
                _ => {
                    asm!(self ; fmov X(DATA), D(n));
                    self.store_bytes(DATA, at, len);
                }
            },
            _ => return unable(),
        }
        Ok(())
    }

    /// Loads a whole register from 1, 2, 4 or 8 bytes, zero-extended.
    fn load(&mut self, to: u8, at: At, size: u32) {
        match size {
            1 => access!(self, 1, ldrb ldurb W(to) at),
            2 => access!(self, 2, ldrh ldurh W(to) at),
            4 => access!(self, 4, ldr ldur W(to) at),
            _ => access!(self, 8, ldr ldur X(to) at),
        }
    }

    fn store(&mut self, from: u8, at: At, size: u32) {
        match size {
            1 => access!(self, 1, strb sturb W(from) at),
            2 => access!(self, 2, strh sturh W(from) at),
            4 => access!(self, 4, str stur W(from) at),
            _ => access!(self, 8, str stur X(from) at),
        }
    }

    /// Loads exactly `len` bytes into a register: sign-extended as `ext` says, else zero-extended.
    fn load_extended(&mut self, to: u8, at: At, len: u32, ext: Ext) {
        match (len, ext) {
            (1, Ext::Sign(8)) => access!(self, 1, ldrsb ldursb X(to) at),
            (1, Ext::Sign(_)) => access!(self, 1, ldrsb ldursb W(to) at),
            (2, Ext::Sign(8)) => access!(self, 2, ldrsh ldursh X(to) at),
            (2, Ext::Sign(_)) => access!(self, 2, ldrsh ldursh W(to) at),
            (4, Ext::Sign(8)) => access!(self, 4, ldrsw ldursw X(to) at),
            _ => {
                for (i, size) in parts(len, 8) {
                    if i == 0 {
                        self.load(to, at, size);
                    } else {
                        self.load(PART, at.plus(i), size);
                        asm!(self ; orr X(to), X(to), X(PART), lsl 8 * i);
                    }
                }
            }
        }
    }

    /// Stores the low `len` bytes of a register, which keeps its value.
    fn store_bytes(&mut self, from: u8, at: At, len: u32) {
        for (i, size) in parts(len, 8) {
            if i == 0 {
                self.store(from, at, size);
            } else {
                asm!(self ; lsr X(PART), X(from), 8 * i);
                self.store(PART, at.plus(i), size);
            }
        }
    }

    /// Puts the address `at` into a register.
    fn lea(&mut self, to: u8, at: At) {
        let At { base, off } = at;
        match off {
            0 if to == base => {}
            0 => asm!(self ; mov XSP(to), XSP(base)),
            1..=4095 => asm!(self ; add XSP(to), XSP(base), off as u32),
            -4095..=-1 => asm!(self ; sub XSP(to), XSP(base), -off as u32),
            _ => {
                // `to` may be `base`: the constant needs a register of its own.
                self.constant(PART, off.unsigned_abs() as u32);
                if off > 0 {
                    asm!(self ; add XSP(to), XSP(base), X(PART), uxtx);
                } else {
                    asm!(self ; sub XSP(to), XSP(base), X(PART), uxtx);
                }
            }
        }
    }

    /// Copies `len` bytes.
    fn copy(&mut self, from: At, to: At, len: u32) {
        if len <= UNROLLED_BYTES {
            let (from, to) = (self.reach(from, len, FROM), self.reach(to, len, TO));
            return self.copy_unrolled(from, to, len);
        }
        self.lea(FROM, from);
        self.lea(TO, to);
        let rounds = len / 32;
        self.constant(COUNT, rounds);
        asm!(self
            ; again:
            ; ldp q16, q17, [X(FROM)], 32
            ; stp q16, q17, [X(TO)], 32
            ; subs X(COUNT), XSP(COUNT), 1
            ; b.ne <again);
        self.copy_unrolled(At { base: FROM, off: 0 }, At { base: TO, off: 0 }, len % 32);
    }

    fn copy_unrolled(&mut self, from: At, to: At, len: u32) {
        for (i, size) in parts(len, 8) {
            self.load(DATA, from.plus(i), size);
            self.store(DATA, to.plus(i), size);
        }
    }

    fn constant(&mut self, to: u8, value: u32) {
        let (low, high) = (value & 0xFFFF, value >> 16);
        match (low, high) {
            (_, 0) => asm!(self ; movz W(to), low),
            (0, _) => asm!(self ; movz W(to), high, lsl 16),
            _ => asm!(self ; movz W(to), low ; movk W(to), high, lsl 16),
        }
    }
}
