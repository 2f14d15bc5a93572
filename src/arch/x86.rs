//! 32-bit x86 emitter (cdecl, stdcall, fastcall and thiscall, on Linux and on Windows: what
//! differs is in the call layouts).
//!
//! The stack of a trampoline, itself a cdecl function where C calls it directly:
//!
//! ```text
//! ebp + 8       incoming stack arguments (Base::In)
//! ebp + 4       return address
//! ebp           the caller's ebp
//! ebp - 4       ebx
//! ebp - 8       esi
//! ebp - 12 - 4i local slot i
//!               (gap where alignment needs one)
//! esp + n       the frame (Base::Frame), of upcalls only
//! esp           outgoing stack arguments (Base::Out), or the dispatcher's two
//! ```
//! ebx holds the frame's address and esi the record's. Scratch is eax, which no convention passes
//! an argument in; copies also use ecx and edx, which the order of a plan's steps leaves free for
//! them (memory first, integer registers last). The slot register is eax.
//!
//! Windows promises a stack aligned to 4 bytes only, so esp is always aligned by masking.

// What `dynasm!` makes of `Rd(register)` converts a u8 into a u8.
#![allow(clippy::useless_conversion)]

use super::support::{PROBE_BYTES, internal, parts, stack_bytes};
use super::{Blob, SLOT_STRIDE, Unwind, record};
use crate::abi::Ext;
use crate::error::Result;
use crate::plan::{Base, Entry, Op, Place, Plan};
use dynasmrt::x86::X86Relocation;
use dynasmrt::{DynasmApi, DynasmLabelApi, VecAssembler, dynasm};

const EAX: u8 = 0;
const ECX: u8 = 1;
const EDX: u8 = 2;
const EBX: u8 = 3;
const ESP: u8 = 4;
const EBP: u8 = 5;
const ESI: u8 = 6;

const FRAME: u8 = EBX;
const RECORD: u8 = ESI;

/// Bytes below ebp that hold ebx and esi.
const SAVED_BYTES: i32 = 8;
/// Copies up to this size are unrolled.
const UNROLLED_BYTES: u32 = 32;

/// `endbr32`: where an indirect branch may land.
const ENDBR32: [u8; 4] = [0xF3, 0x0F, 0x1E, 0xFB];

/// Instructions of this CPU, whatever the host's is.
macro_rules! asm {
    ($self:expr ; $($line:tt)*) => { dynasm!($self.asm ; .arch x86 ; $($line)*) };
}

/// A memory operand: a register and a displacement.
#[derive(Clone, Copy, Debug)]
struct At {
    base: u8,
    disp: i32,
}

impl At {
    /// The operand `bytes` higher. [`Emitter::memory`] saw that there is room for them.
    fn plus(self, bytes: u32) -> At {
        At { disp: self.disp.wrapping_add_unsigned(bytes), ..self }
    }
}

struct Emitter<'a> {
    asm: VecAssembler<X86Relocation>,
    plan: &'a Plan,
}

/// Emits the machine code of a plan.
pub(super) fn emit(plan: &Plan) -> Result<Blob> {
    let mut emitter = Emitter { asm: VecAssembler::new(0), plan };
    let unwind = emitter.prologue()?;
    for op in &plan.ops {
        emitter.op(op)?;
    }
    emitter.epilogue()?;
    Ok(Blob { code: finish(emitter.asm)?, unwind })
}

fn finish(asm: VecAssembler<X86Relocation>) -> Result<Vec<u8>> {
    asm.finalize().or_else(|e| internal(format!("x86 assembler: {e}")))
}

/// Emits code slots: the record's address into eax, a jump through its first word.
///
/// There is no addressing relative to eip: a call to the next instruction pushes it (processors
/// know this idiom and keep their return predictions). An `endbr32` would not fit; no operating
/// system tracks indirect branches in 32-bit programs.
pub(super) fn emit_slots(count: usize, records: usize, record_stride: usize) -> Result<Vec<u8>> {
    let mut asm = VecAssembler::new(0);
    for i in 0..count {
        // What the pop yields is the address of itself, 5 bytes into the slot.
        let distance = (records + i * record_stride) as i64 - (i * SLOT_STRIDE + 5) as i64;
        let Ok(distance) = i32::try_from(distance) else {
            return internal(format!("slot {i} is {distance} bytes from its record"));
        };
        dynasm!(asm
            ; .arch x86
            ; call >next
            ; next:
            ; pop eax
            ; .bytes [0x05] // add eax, imm32: always the long form
            ; .i32 distance
            ; jmp DWORD [eax] // record::BODY
            ; .align SLOT_STRIDE, 0xCC);
    }
    finish(asm)
}

const _: () = assert!(record::BODY == 0, "slots jump through the first word");

/// The displacement of a record's field.
const fn field(index: u32) -> i32 {
    4 * index as i32
}

impl Emitter<'_> {
    fn is_upcall(&self) -> bool {
        self.plan.entry == Entry::Upcall
    }

    fn offset(&self) -> u8 {
        self.asm.offset().0 as u8
    }

    /// Bytes of the outgoing area; an upcall's holds the dispatcher's arguments.
    fn out_bytes(&self) -> u32 {
        if self.is_upcall() { self.plan.out_bytes.max(8) } else { self.plan.out_bytes }
    }

    /// Offset of an upcall's frame from esp.
    fn frame_offset(&self) -> u32 {
        self.out_bytes().next_multiple_of(self.plan.frame_align)
    }

    fn prologue(&mut self) -> Result<Unwind> {
        asm!(self ; .bytes ENDBR32 ; push ebp);
        let pushed_fp = self.offset();
        asm!(self ; mov ebp, esp);
        let set_fp = self.offset();
        asm!(self ; push ebx);
        let mut saved = vec![(EBX, 4, self.offset())];
        asm!(self ; push esi);
        saved.push((ESI, 8, self.offset()));
        match self.plan.entry {
            Entry::Direct => asm!(self ; mov Rd(FRAME), [ebp + 8] ; mov Rd(RECORD), [ebp + 12]),
            Entry::Fixed => asm!(self
                ; mov Rd(RECORD), eax
                ; mov Rd(FRAME), [eax + field(record::FRAME)]),
            Entry::Stacked => asm!(self
                ; mov Rd(RECORD), eax
                ; mov Rd(FRAME), [eax + field(record::FRAME_CELL)]
                ; mov Rd(FRAME), [Rd(FRAME)]
                ; add Rd(FRAME), [eax + field(record::FRAME)]),
            Entry::Upcall => asm!(self ; mov Rd(RECORD), eax),
        }
        self.reserve()?;
        if self.is_upcall() {
            asm!(self ; lea Rd(FRAME), [esp + self.frame_offset() as i32]);
        }
        Ok(Unwind { pushed_fp, set_fp, saved })
    }

    /// Moves esp below the local slots, the frame and the outgoing area.
    fn reserve(&mut self) -> Result<()> {
        let locals = 4 * u32::from(self.plan.locals);
        let (bytes, align) = if self.is_upcall() {
            let align = self.plan.stack_align.max(self.plan.frame_align);
            (stack_bytes(&[locals, self.plan.frame_bytes, self.frame_offset()])?, align)
        } else {
            (stack_bytes(&[locals, self.plan.out_bytes])?, self.plan.stack_align)
        };
        let align = align.max(16);
        if bytes + align < PROBE_BYTES {
            if bytes > 0 {
                asm!(self ; sub esp, bytes as i32);
            }
        } else {
            // Windows commits a stack page by page: every page is touched on the way down.
            let (pages, rest) = ((bytes / PROBE_BYTES) as i32, (bytes % PROBE_BYTES) as i32);
            asm!(self
                ; mov eax, pages + 1
                ; page:
                ; test [esp], eax
                ; dec eax
                ; jz >done
                ; sub esp, PROBE_BYTES as i32
                ; jmp <page
                ; done:
                ; sub esp, rest);
        }
        let mask = (align as i32).wrapping_neg();
        asm!(self ; and esp, mask);
        Ok(())
    }

    fn epilogue(&mut self) -> Result<()> {
        if matches!(self.plan.entry, Entry::Fixed | Entry::Stacked) {
            asm!(self ; xor eax, eax);
        }
        asm!(self ; lea esp, [ebp - SAVED_BYTES] ; pop esi ; pop ebx ; pop ebp);
        match u16::try_from(self.plan.pops) {
            Ok(0) => asm!(self ; ret),
            Ok(pops) => asm!(self ; ret pops as i16),
            Err(_) => return internal(format!("x86 cannot pop {} bytes", self.plan.pops)),
        }
        Ok(())
    }

    fn op(&mut self, op: &Op) -> Result<()> {
        match *op {
            Op::Move { from, to, len, ext } => self.transfer(from, to, len, ext)?,
            Op::Copy { from: (Base::Behind(_), _), to: (Base::Behind(_), _), .. } => {
                return internal(format!("{op:?}: x86 has a register for one pointer"));
            }
            Op::Copy { from, to, len } => {
                let from = self.memory(from.0, from.1, len)?;
                let to = self.memory(to.0, to.1, len)?;
                self.copy(from, to, len);
            }
            Op::Address { of, to } => {
                let of = self.memory(of.0, of.1, 0)?;
                match to {
                    Place::Int(n) => asm!(self ; lea Rd(n), [Rd(of.base) + of.disp]),
                    _ => {
                        asm!(self ; lea eax, [Rd(of.base) + of.disp]);
                        self.transfer(Place::Int(EAX), to, 4, Ext::None)?;
                    }
                }
            }
            Op::Call if self.is_upcall() => asm!(self
                ; mov eax, [Rd(RECORD) + field(record::CONTEXT)]
                ; mov [esp], eax
                ; mov [esp + 4], Rd(FRAME)
                ; cld
                ; call DWORD [Rd(RECORD) + field(record::DISPATCH)]),
            Op::Call => asm!(self ; call DWORD [Rd(RECORD) + field(record::TARGET)]),
            Op::SaveErrno { to } => {
                let to = self.memory(Base::Frame, to, 4)?;
                asm!(self
                    ; mov eax, [Rd(RECORD) + field(record::ERRNO)]
                    ; mov eax, [eax]
                    ; mov [Rd(to.base) + to.disp], eax);
            }
            Op::VectorCount(_) => return internal(format!("{op:?} on x86")),
        }
        Ok(())
    }

    /// Where `len` bytes of a plan's memory are; `Behind` loads its pointer into edx.
    fn memory(&mut self, base: Base, off: u32, len: u32) -> Result<At> {
        let (base, start) = match base {
            Base::Frame => (FRAME, 0),
            Base::Out => (ESP, 0),
            Base::In => (EBP, 8),
            Base::Behind(slot) => {
                let At { base, disp } = local(slot);
                asm!(self ; mov edx, [Rd(base) + disp]);
                (EDX, 0)
            }
        };
        let disp = i64::from(off) + start;
        match (i32::try_from(disp), i32::try_from(disp + i64::from(len))) {
            (Ok(disp), Ok(_)) => Ok(At { base, disp }),
            _ => internal(format!("{disp} is beyond 32-bit addressing")),
        }
    }

    fn transfer(&mut self, from: Place, to: Place, len: u32, ext: Ext) -> Result<()> {
        let source = self.place(from, len)?;
        let target = self.place(to, len)?;
        match (from, source, to, target) {
            (_, Some(at), Place::Int(n), _) if (1..=4).contains(&len) => {
                self.load_extended(n, at, len, ext);
            }
            (_, Some(from), _, Some(to)) if len <= 2 && ext != Ext::None => {
                self.load_extended(EAX, from, len, ext);
                asm!(self ; mov [Rd(to.base) + to.disp], eax);
            }
            (_, Some(from), _, Some(to)) if len <= 8 => self.copy_unrolled(from, to, len),
            (Place::Int(n), _, _, Some(at)) if (1..=4).contains(&len) => {
                self.store_bytes(n, at, len);
            }
            (_, Some(at), Place::X87(0), _) if len == 4 => {
                asm!(self ; fld DWORD [Rd(at.base) + at.disp]);
            }
            (_, Some(at), Place::X87(0), _) if len == 8 => {
                asm!(self ; fld QWORD [Rd(at.base) + at.disp]);
            }
            (Place::X87(0), _, _, Some(at)) if len == 4 => {
                asm!(self ; fstp DWORD [Rd(at.base) + at.disp]);
            }
            (Place::X87(0), _, _, Some(at)) if len == 8 => {
                asm!(self ; fstp QWORD [Rd(at.base) + at.disp]);
            }
            _ => return internal(format!("no x86 move {from:?} to {to:?} of {len}")),
        }
        Ok(())
    }

    fn place(&mut self, place: Place, len: u32) -> Result<Option<At>> {
        Ok(match place {
            Place::Mem(base, off) => Some(self.memory(base, off, len)?),
            Place::Local(slot) => Some(local(slot)),
            Place::Int(_) | Place::Fp(_) | Place::X87(_) => None,
        })
    }

    /// Loads exactly `len` bytes, 1 to 4, into a register: sign-extended where `ext` says so,
    /// else zero-extended.
    fn load_extended(&mut self, to: u8, at: At, len: u32, ext: Ext) {
        let At { base, disp } = at;
        match (len, ext) {
            (1, Ext::Sign(_)) => asm!(self ; movsx Rd(to), BYTE [Rd(base) + disp]),
            (2, Ext::Sign(_)) => asm!(self ; movsx Rd(to), WORD [Rd(base) + disp]),
            (1, _) => asm!(self ; movzx Rd(to), BYTE [Rd(base) + disp]),
            (2, _) => asm!(self ; movzx Rd(to), WORD [Rd(base) + disp]),
            (3, _) => asm!(self
                ; movzx Rd(to), BYTE [Rd(base) + at.plus(2).disp]
                ; shl Rd(to), 16
                ; mov Rw(to), [Rd(base) + disp]),
            _ => asm!(self ; mov Rd(to), [Rd(base) + disp]),
        }
    }

    /// Stores the low `len` bytes, 1 to 4, of a register, which keeps its value.
    fn store_bytes(&mut self, from: u8, at: At, len: u32) {
        let At { base, disp } = at;
        // Only the first four registers have a low byte to store.
        let byte = if from < 4 { from } else { EAX };
        if len % 2 == 1 && byte != from {
            asm!(self ; mov Rd(byte), Rd(from));
        }
        match len {
            1 => asm!(self ; mov [Rd(base) + disp], Rb(byte)),
            2 => asm!(self ; mov [Rd(base) + disp], Rw(from)),
            3 => asm!(self
                ; mov [Rd(base) + disp], Rw(from)
                ; ror Rd(byte), 16
                ; mov [Rd(base) + at.plus(2).disp], Rb(byte)
                ; ror Rd(byte), 16),
            _ => asm!(self ; mov [Rd(base) + disp], Rd(from)),
        }
    }

    /// Copies `len` bytes through eax; long runs word by word, counted down in ecx.
    fn copy(&mut self, from: At, to: At, len: u32) {
        if len <= UNROLLED_BYTES {
            return self.copy_unrolled(from, to, len);
        }
        // The counter is also the index: the last word goes first.
        let words = (len / 4) as i32;
        asm!(self
            ; mov Rd(ECX), words
            ; again:
            ; mov eax, [Rd(from.base) + ecx * 4 + (from.disp - 4)]
            ; mov [Rd(to.base) + ecx * 4 + (to.disp - 4)], eax
            ; dec Rd(ECX)
            ; jnz <again);
        let done = len & !3;
        self.copy_unrolled(from.plus(done), to.plus(done), len % 4);
    }

    fn copy_unrolled(&mut self, from: At, to: At, len: u32) {
        for (i, size) in parts(len, 4) {
            self.load_extended(EAX, from.plus(i), size, Ext::None);
            self.store_bytes(EAX, to.plus(i), size);
        }
    }
}

/// Where a local slot is.
fn local(slot: u8) -> At {
    At { base: EBP, disp: -SAVED_BYTES - 4 * (i32::from(slot) + 1) }
}
