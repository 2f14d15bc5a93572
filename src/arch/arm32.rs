//! 32-bit ARM emitter (AAPCS with VFP registers), A32 code for ARMv6 and later.
//!
//! The stack of a trampoline:
//!
//! ```text
//! r11 + 8       incoming stack arguments (Base::In)
//! r11 + 4       return address
//! r11           the caller's r11
//! r11 - 16      r4, r5, r6, r7
//! r11 - 20 - 4i local slot i
//!               (gap where alignment needs one)
//! sp + n        the frame (Base::Frame), of upcalls only
//! sp            outgoing stack arguments (Base::Out)
//! ```
//! r4 holds the frame's address and r5 the record's. Scratch: r6, r7, ip and lr. The slot
//! register is ip (r12). Targets and callers may be Thumb code: calls are `blx`, returns pop pc.
//!
//! Memory is accessed by words, halfwords and bytes, which need no alignment; VFP loads and
//! stores, which need a multiple of 4, are used where the offset is one (frames and stack areas
//! are aligned).

pub mod encode;

use super::support::{PROBE_BYTES, internal, parts, stack_bytes};
use super::{Blob, SLOT_STRIDE, Unwind, record};
use crate::abi::Ext;
use crate::error::Result;
use crate::plan::{Base, Entry, Op, Place, Plan};
use encode::{Condition, Direction, LR, PC, SP, Shift};

const FRAME: u8 = 4;
const RECORD: u8 = 5;
const FP: u8 = 11;
const SLOT: u8 = 12;
// Scratch: data on its way, a part of it or a counter, addresses of source and destination.
const DATA: u8 = 12;
const PART: u8 = LR;
const FROM: u8 = 6;
const TO: u8 = 7;

/// r4 to r7, as a register list.
const SAVED: u16 = 0x00F0;
/// Bytes below r11 that hold them.
const SAVED_BYTES: u32 = 16;
/// Copies up to this size are unrolled.
const UNROLLED_BYTES: u32 = 32;

/// An address: a register and an offset.
#[derive(Clone, Copy, Debug)]
struct At {
    base: u8,
    off: i32,
}

impl At {
    fn plus(self, bytes: u32) -> At {
        At { off: self.off.wrapping_add_unsigned(bytes), ..self }
    }
}

struct Emitter<'a> {
    code: Vec<u8>,
    plan: &'a Plan,
}

/// Emits the machine code of a plan.
pub(super) fn emit(plan: &Plan) -> Result<Blob> {
    if plan.pops != 0 {
        return internal(format!("arm32 functions pop nothing, not {}", plan.pops));
    }
    let mut emitter = Emitter { code: Vec::new(), plan };
    let unwind = emitter.prologue()?;
    for op in &plan.ops {
        emitter.op(op)?;
    }
    emitter.epilogue();
    Ok(Blob { code: emitter.code, unwind })
}

/// Emits code slots: the record's address into ip, a jump through its first word. The last word
/// of a slot is the record's distance from pc as the `add` reads it, 12 bytes into the slot.
pub(super) fn emit_slots(count: usize, records: usize, record_stride: usize) -> Result<Vec<u8>> {
    let mut code = Vec::with_capacity(count * SLOT_STRIDE);
    for i in 0..count {
        let distance = (records + i * record_stride) as i64 - (i * SLOT_STRIDE + 12) as i64;
        let Ok(distance) = i32::try_from(distance) else {
            return internal(format!("slot {i} is {distance} bytes from its record"));
        };
        let slot = [
            encode::word(Direction::Load, SLOT, PC, 4),
            encode::add_register(SLOT, PC, SLOT),
            encode::word(Direction::Load, PC, SLOT, field(record::BODY)),
            distance as u32,
        ];
        code.extend(slot.into_iter().flat_map(u32::to_le_bytes));
    }
    Ok(code)
}

/// The offset of a record's field.
const fn field(index: u32) -> i32 {
    4 * index as i32
}

impl Emitter<'_> {
    fn put(&mut self, instruction: u32) {
        self.code.extend_from_slice(&instruction.to_le_bytes());
    }

    fn put_all<const N: usize>(&mut self, instructions: [u32; N]) {
        instructions.into_iter().for_each(|instruction| self.put(instruction));
    }

    fn is_upcall(&self) -> bool {
        self.plan.entry == Entry::Upcall
    }

    fn offset(&self) -> u8 {
        self.code.len() as u8
    }

    /// Offset of an upcall's frame from SP.
    fn frame_offset(&self) -> u32 {
        self.plan.out_bytes.next_multiple_of(self.plan.frame_align)
    }

    fn mov(&mut self, to: u8, from: u8) {
        self.put(encode::mov_register(to, from, Shift::Left(0)));
    }

    /// Loads a field of the record.
    fn load_field(&mut self, to: u8, index: u32) {
        self.put(encode::word(Direction::Load, to, RECORD, field(index)));
    }

    fn prologue(&mut self) -> Result<Unwind> {
        self.put(encode::push(1 << FP | 1 << LR));
        let pushed_fp = self.offset();
        self.mov(FP, SP);
        let set_fp = self.offset();
        self.put(encode::push(SAVED));
        let saved =
            (4..8).map(|n| (n, SAVED_BYTES - 4 * u32::from(n - 4), self.offset())).collect();
        let record = if self.plan.entry == Entry::Direct { 1 } else { SLOT };
        self.mov(RECORD, record);
        self.reserve()?;
        match self.plan.entry {
            Entry::Direct => self.mov(FRAME, 0),
            Entry::Fixed => self.load_field(FRAME, record::FRAME),
            Entry::Stacked => {
                self.load_field(FRAME, record::FRAME);
                self.load_field(DATA, record::FRAME_CELL);
                self.put(encode::word(Direction::Load, DATA, DATA, 0));
                self.put(encode::add_register(FRAME, FRAME, DATA));
            }
            Entry::Upcall => self.lea(FRAME, At { base: SP, off: self.frame_offset() as i32 }),
        }
        Ok(Unwind { pushed_fp, set_fp, saved })
    }

    /// Moves SP below the local slots, the frame and the outgoing area.
    fn reserve(&mut self) -> Result<()> {
        let locals = 4 * u32::from(self.plan.locals);
        let (bytes, align) = if self.is_upcall() {
            let align = self.plan.stack_align.max(self.plan.frame_align);
            (stack_bytes(&[locals, self.plan.frame_bytes, self.frame_offset()])?, align)
        } else {
            (stack_bytes(&[locals, self.plan.out_bytes])?, self.plan.stack_align)
        };
        let mut bytes = bytes.next_multiple_of(8);
        if bytes + align >= PROBE_BYTES {
            self.constant(PART, bytes / PROBE_BYTES + 1);
            // The first round touches the page that SP is in.
            self.put_all([
                encode::word(Direction::Store, PART, SP, -4),
                encode::sub_immediate(SP, SP, PROBE_BYTES),
                encode::subs_immediate(PART, PART, 1),
                encode::branch(Condition::Ne, -12),
            ]);
            bytes %= PROBE_BYTES;
            self.lea(SP, At { base: SP, off: (PROBE_BYTES - bytes) as i32 });
        } else {
            self.lea(SP, At { base: SP, off: -(bytes as i32) });
        }
        if align > 8 {
            for part in encode::modified_parts(align - 1) {
                self.put(encode::bic_immediate(SP, SP, part));
            }
        }
        Ok(())
    }

    fn epilogue(&mut self) {
        if matches!(self.plan.entry, Entry::Fixed | Entry::Stacked) {
            self.put(encode::mov_immediate(0, 0));
        }
        self.lea(SP, At { base: FP, off: -(SAVED_BYTES as i32) });
        self.put(encode::pop(SAVED | 1 << FP | 1 << PC));
    }

    fn op(&mut self, op: &Op) -> Result<()> {
        match *op {
            Op::Move { from, to, len, ext } => self.transfer(from, to, len, ext)?,
            Op::Copy { from, to, len } => {
                let from = self.memory(from.0, from.1, len, FROM)?;
                let to = self.memory(to.0, to.1, len, TO)?;
                self.copy(from, to, len);
            }
            Op::Address { of, to } => {
                let of = self.memory(of.0, of.1, 0, FROM)?;
                match to {
                    Place::Int(n) => self.lea(n, of),
                    _ => {
                        self.lea(DATA, of);
                        self.transfer(Place::Int(DATA), to, 4, Ext::None)?;
                    }
                }
            }
            Op::Call if self.is_upcall() => {
                self.load_field(0, record::CONTEXT);
                self.mov(1, FRAME);
                self.load_field(DATA, record::DISPATCH);
                self.put(encode::call_register(DATA));
            }
            Op::Call => {
                self.load_field(DATA, record::TARGET);
                self.put(encode::call_register(DATA));
            }
            Op::SaveErrno { to } => {
                let to = self.memory(Base::Frame, to, 4, TO)?;
                self.load_field(FROM, record::ERRNO);
                self.copy(At { base: FROM, off: 0 }, to, 4);
            }
            Op::VectorCount(_) => return internal(format!("{op:?} on arm32")),
        }
        Ok(())
    }

    /// Where `len` bytes of a plan's memory are; `Behind` loads its pointer into `scratch`.
    fn memory(&mut self, base: Base, off: u32, len: u32, scratch: u8) -> Result<At> {
        let (base, start) = match base {
            Base::Frame => (FRAME, 0),
            Base::Out => (SP, 0),
            Base::In => (FP, 8),
            Base::Behind(slot) => {
                self.load(scratch, local(slot), 4);
                (scratch, 0)
            }
        };
        let off = i64::from(off) + start;
        match (i32::try_from(off), i32::try_from(off + i64::from(len))) {
            (Ok(off), Ok(_)) => Ok(At { base, off }),
            _ => internal(format!("{off} is beyond 32-bit addressing")),
        }
    }

    /// `at`, or `scratch` pointing there if offsets up to `len` bytes higher exceed `limit`.
    fn reach(&mut self, at: At, len: u32, limit: u32, scratch: u8) -> At {
        if at.off.unsigned_abs().max(at.plus(len).off.unsigned_abs()) <= limit {
            return at;
        }
        self.lea(scratch, at);
        At { base: scratch, off: 0 }
    }

    fn transfer(&mut self, from: Place, to: Place, len: u32, ext: Ext) -> Result<()> {
        if let Place::Fp(single) = from {
            return self.fp_transfer(Direction::Store, single, to, len);
        }
        if let Place::Fp(single) = to {
            return self.fp_transfer(Direction::Load, single, from, len);
        }
        // A widened value fills its slot, too.
        let width = if ext == Ext::None { len } else { len.max(4) };
        let source = self.place(from, len, ext, FROM)?;
        let target = self.place(to, width, Ext::None, TO)?;
        match (from, source, to, target) {
            (_, Some(at), Place::Int(n), _) if (1..=4).contains(&len) => {
                self.load_extended(n, at, len, ext);
            }
            (_, Some(from), _, Some(to)) if (1..=4).contains(&len) => {
                self.load_extended(DATA, from, len, ext);
                self.store_bytes(DATA, to, width);
            }
            (_, Some(from), _, Some(to)) if (5..=8).contains(&len) => {
                self.copy_unrolled(from, to, len);
            }
            (Place::Int(n), _, _, Some(at)) if (1..=4).contains(&len) => {
                self.store_bytes(n, at, len);
            }
            _ => return internal(format!("no arm32 move {from:?} to {to:?} of {len}")),
        }
        Ok(())
    }

    /// The address of a place in memory, within reach of all instructions that `len` and `ext`
    /// may need.
    fn place(&mut self, place: Place, len: u32, ext: Ext, scratch: u8) -> Result<Option<At>> {
        let at = match place {
            Place::Mem(base, off) => self.memory(base, off, len, scratch)?,
            Place::Local(slot) => local(slot),
            Place::Int(_) | Place::Fp(_) | Place::X87(_) => return Ok(None),
        };
        let plain = len.is_multiple_of(4) || (len == 1 && !matches!(ext, Ext::Sign(_)));
        Ok(Some(self.reach(at, len, if plain { 4095 } else { 255 }, scratch)))
    }

    /// Moves a single or double VFP register from (`Load`) or to memory.
    fn fp_transfer(
        &mut self,
        direction: Direction,
        single: u8,
        memory: Place,
        len: u32,
    ) -> Result<()> {
        let double = len == 8;
        let at = match memory {
            Place::Mem(base, off) if len == 4 || (double && single.is_multiple_of(2)) => {
                self.memory(base, off, len, FROM)?
            }
            _ => return internal(format!("no arm32 move s{single}, {memory:?} of {len}")),
        };
        if at.off % 4 == 0 {
            let At { base, off } = self.reach(at, 0, 1020, FROM);
            self.put(encode::vfp_memory(direction, double, single, base, off));
            return Ok(());
        }
        // Unaligned: through core registers.
        let at = self.reach(at, len, 4095, FROM);
        let words = |emitter: &mut Self| {
            emitter.put(encode::word(direction, DATA, at.base, at.off));
            if double {
                emitter.put(encode::word(direction, PART, at.base, at.off + 4));
            }
        };
        let vmov = if double {
            encode::vmov_double(opposite(direction), DATA, PART, single)
        } else {
            encode::vmov_single(opposite(direction), DATA, single)
        };
        if direction == Direction::Load {
            words(self);
            self.put(vmov);
        } else {
            self.put(vmov);
            words(self);
        }
        Ok(())
    }

    /// Loads 1, 2 or 4 bytes into a register, zero-extended.
    fn load(&mut self, to: u8, at: At, size: u32) {
        self.access(Direction::Load, to, at, size);
    }

    fn access(&mut self, direction: Direction, register: u8, At { base, off }: At, size: u32) {
        self.put(match size {
            1 => encode::byte(direction, register, base, off),
            2 => encode::halfword(direction, register, base, off),
            _ => encode::word(direction, register, base, off),
        });
    }

    /// Loads exactly `len` bytes, 1 to 4, into a register: sign-extended where `ext` says so,
    /// else zero-extended.
    fn load_extended(&mut self, to: u8, at: At, len: u32, ext: Ext) {
        match (len, ext) {
            (1, Ext::Sign(_)) => self.put(encode::load_signed_byte(to, at.base, at.off)),
            (2, Ext::Sign(_)) => self.put(encode::load_signed_halfword(to, at.base, at.off)),
            (3, _) => {
                self.load(PART, at.plus(2), 1);
                self.load(to, at, 2);
                self.put(encode::orr_register(to, to, PART, Shift::Left(16)));
            }
            _ => self.load(to, at, len),
        }
    }

    /// Stores the low `len` bytes, 1 to 4, of a register, which keeps its value.
    fn store_bytes(&mut self, from: u8, at: At, len: u32) {
        if len == 3 {
            self.access(Direction::Store, from, at, 2);
            self.put(encode::mov_register(PART, from, Shift::Right(16)));
            self.access(Direction::Store, PART, at.plus(2), 1);
        } else {
            self.access(Direction::Store, from, at, len);
        }
    }

    fn copy(&mut self, from: At, to: At, len: u32) {
        if len <= UNROLLED_BYTES {
            // Halfwords in the tail reach less far than words.
            let limit = if len & 2 == 0 { 4095 } else { 255 };
            let from = self.reach(from, len, limit, FROM);
            let to = self.reach(to, len, limit, TO);
            return self.copy_unrolled(from, to, len);
        }
        self.lea(FROM, from);
        self.lea(TO, to);
        self.constant(PART, len / 4);
        self.put_all([
            encode::word_post_indexed(Direction::Load, DATA, FROM, 4),
            encode::word_post_indexed(Direction::Store, DATA, TO, 4),
            encode::subs_immediate(PART, PART, 1),
            encode::branch(Condition::Ne, -12),
        ]);
        self.copy_unrolled(At { base: FROM, off: 0 }, At { base: TO, off: 0 }, len % 4);
    }

    fn copy_unrolled(&mut self, from: At, to: At, len: u32) {
        for (i, size) in parts(len, 4) {
            self.load(DATA, from.plus(i), size);
            self.access(Direction::Store, DATA, to.plus(i), size);
        }
    }

    /// Puts the address `at` into a register.
    fn lea(&mut self, to: u8, At { base, off }: At) {
        if off == 0 {
            if to != base {
                self.mov(to, base);
            }
            return;
        }
        let mut from = base;
        for part in encode::modified_parts(off.unsigned_abs()) {
            self.put(if off > 0 {
                encode::add_immediate(to, from, part)
            } else {
                encode::sub_immediate(to, from, part)
            });
            from = to;
        }
    }

    fn constant(&mut self, to: u8, value: u32) {
        for (i, part) in encode::modified_parts(value).into_iter().enumerate() {
            self.put(if i == 0 {
                encode::mov_immediate(to, part)
            } else {
                encode::orr_immediate(to, to, part)
            });
        }
    }
}

/// `vmov` is named as the core register sees it: what memory loads is stored into the VFP register.
fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::Load => Direction::Store,
        Direction::Store => Direction::Load,
    }
}

/// Where a local slot is.
fn local(slot: u8) -> At {
    At { base: FP, off: -((SAVED_BYTES + 4 * (u32::from(slot) + 1)) as i32) }
}
