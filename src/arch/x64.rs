//! x86-64 emitter, for System V and for Windows.
//!
//! ```text
//!  downcall                               upcall
//!  ...                                    incoming stack arguments     Base::In   [rbp+16+n]
//!  return address                         return address
//!  caller's rbp             <- rbp        caller's rbp                 <- rbp
//!  caller's rbx                           local slot 0                 Place::Local(n)
//!  address of errno (if it is saved)      local slot 1 ...                        [rbp-8-8n]
//!  (alignment)                            (alignment)
//!  outgoing stack arguments               frame                        Base::Frame
//!    Base::Out   [rsp+n]    <- rsp        home space (Windows)         <- rsp
//!
//!  rbx  frame           Base::Frame       r10  record, until the call
//!  r10  record, until the call            r11, rax (later r10)  scratch
//!  r11, rax (later r10)  scratch          rcx  counter of copy loops
//!  rcx  counter of copy loops
//! ```
//!
//! Scratch registers are never argument registers: `rax` is free until `Op::VectorCount`, and the
//! plan's order (memory first, integer registers last) frees `rcx` for the copies. SP is restored
//! from `rbp`, so that it does not matter what a callee pops.

// What `dynasm!` makes of `Rq(register)` converts a u8 into a u8.
#![allow(clippy::useless_conversion)]

mod moves;
#[cfg(test)]
mod tests;
mod thunk;

pub(super) use thunk::emit_thunk;

use super::record;
use super::support::stack_bytes;
use super::{Blob, SLOT_STRIDE, Unwind};
use crate::error::{Code, Error, Result};
use crate::plan::{Base, Entry, Op, Plan};
use crate::target::{Os, Target};
use dynasmrt::x64::X64Relocation;
use dynasmrt::{DynasmApi, DynasmError, DynasmLabelApi, VecAssembler, dynasm};

/// Distance of two stack probes: the size of a guard page.
const PAGE: u32 = 4096;

/// `endbr64`: where an indirect branch may land (Intel CET).
const ENDBR64: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa];

const RAX: u8 = 0;
const RCX: u8 = 1;
const RDX: u8 = 2;
const RBX: u8 = 3;
const RSP: u8 = 4;
const RBP: u8 = 5;
const RSI: u8 = 6;
const RDI: u8 = 7;
const R10: u8 = 10;
const R11: u8 = 11;

type Assembler = VecAssembler<X64Relocation>;

/// A memory operand: base register and displacement.
#[derive(Clone, Copy, Debug)]
struct Mem {
    base: u8,
    disp: i32,
}

impl Mem {
    fn new(base: u8, disp: i64) -> Result<Mem> {
        match i32::try_from(disp) {
            Ok(disp) => Ok(Mem { base, disp }),
            Err(_) => Err(Error::new(Code::InvalidType, "the values of a call are too large")),
        }
    }

    /// The operand `bytes` higher. Operands stay below 2^31 because the last byte of what they
    /// belong to was checked with [`Mem::new`].
    fn plus(self, bytes: u32) -> Mem {
        Mem { base: self.base, disp: self.disp.saturating_add_unsigned(bytes) }
    }
}

/// A trampoline in the making.
struct Emitter<'a> {
    asm: Assembler,
    plan: &'a Plan,
    windows: bool,
    /// Whether `Op::Call` is behind us.
    called: bool,
    unwind: Unwind,
}

pub(super) fn emit(plan: &Plan, target: &Target) -> Result<Blob> {
    let mut emitter = Emitter {
        asm: Assembler::new(0),
        plan,
        windows: target.os == Os::Windows,
        called: false,
        unwind: Unwind { pushed_fp: 0, set_fp: 0, saved: Vec::new() },
    };
    emitter.prologue()?;
    for op in &plan.ops {
        emitter.op(op)?;
    }
    emitter.epilogue()?;
    Ok(Blob { code: finish(emitter.asm)?, unwind: emitter.unwind })
}

/// See [`super::emit_slots`].
pub(super) fn emit_slots(count: usize, records: usize, record_stride: usize) -> Result<Vec<u8>> {
    const LEA_END: i64 = 11;
    let mut asm = Assembler::new(0);
    for i in 0..count {
        let from_lea = (records + i * record_stride) as i64 - (i * SLOT_STRIDE) as i64 - LEA_END;
        let delta = i32::try_from(from_lea)
            .map_err(|_| Error::new(Code::Internal, "a slot's record is out of its reach"))?;
        dynasm!(asm
            ; .arch x64
            ; .bytes ENDBR64
            ; lea r10, [rip + delta]
            ; jmp QWORD [r10]
            ; int3
            ; int3
        );
    }
    finish(asm)
}

fn finish(asm: Assembler) -> Result<Vec<u8>> {
    asm.finalize().map_err(|error: DynasmError| internal(&format!("assembler: {error}")))
}

fn internal(what: &str) -> Error {
    Error::new(Code::Internal, what)
}

/// The displacement of a record's field.
const fn field(index: u32) -> i8 {
    index as i8 * 8
}

impl Emitter<'_> {
    fn is_upcall(&self) -> bool {
        self.plan.entry == Entry::Upcall
    }

    fn saves_errno(&self) -> bool {
        self.plan.ops.iter().any(|op| matches!(op, Op::SaveErrno { .. }))
    }

    /// Code emitted so far, as prologue offsets are counted.
    fn offset(&self) -> u8 {
        self.asm.offset().0 as u8
    }

    fn prologue(&mut self) -> Result<()> {
        dynasm!(self.asm ; .arch x64 ; .bytes ENDBR64 ; push rbp);
        self.unwind.pushed_fp = self.offset();
        dynasm!(self.asm ; .arch x64 ; mov rbp, rsp);
        self.unwind.set_fp = self.offset();
        if self.is_upcall() { self.enter_upcall() } else { self.enter_downcall() }
    }

    /// Downcall: frame in rbx, record in r10, the address of errno pushed, the area reserved.
    fn enter_downcall(&mut self) -> Result<()> {
        dynasm!(self.asm ; .arch x64 ; push rbx);
        self.unwind.saved.push((RBX, 8, self.offset()));
        match self.plan.entry {
            Entry::Direct if self.windows => {
                dynasm!(self.asm ; .arch x64 ; mov rbx, rcx ; mov r10, rdx);
            }
            Entry::Direct => dynasm!(self.asm ; .arch x64 ; mov rbx, rdi ; mov r10, rsi),
            Entry::Stacked => dynasm!(self.asm
                ; .arch x64
                ; mov r11, [BYTE r10 + field(record::FRAME_CELL)]
                ; mov ebx, [r11]
                ; add rbx, [BYTE r10 + field(record::FRAME)]
            ),
            Entry::Fixed | Entry::Upcall => {
                dynasm!(self.asm ; .arch x64 ; mov rbx, [BYTE r10 + field(record::FRAME)]);
            }
        }
        let mut pushed = 8;
        if self.saves_errno() {
            dynasm!(self.asm ; .arch x64 ; push QWORD [BYTE r10 + field(record::ERRNO)]);
            pushed += 8;
        }
        self.reserve(pushed, self.plan.out_bytes, self.plan.stack_align)
    }

    /// Upcall: the record stays in r10; slots, frame and home space are reserved.
    fn enter_upcall(&mut self) -> Result<()> {
        let slots = u32::from(self.plan.locals) * 8;
        let frame = self.plan.frame_bytes.checked_add(self.frame_at());
        let align = self.plan.frame_align.max(self.plan.stack_align);
        // Slots are counted from rbp; a multiple of 16 keeps what follows aligned.
        let bytes = frame.and_then(|frame| frame.checked_add(slots.next_multiple_of(16)));
        let bytes = bytes.and_then(|bytes| bytes.checked_next_multiple_of(align));
        self.reserve(0, bytes.unwrap_or(u32::MAX), align)
    }

    /// Where an upcall's frame starts, counted from SP.
    fn frame_at(&self) -> u32 {
        self.plan.out_bytes.next_multiple_of(self.plan.frame_align)
    }

    /// Lowers SP by at least `bytes`, a multiple of `align`, to a multiple of `align`; `pushed`
    /// bytes lie between rbp, which is a multiple of 16, and SP.
    fn reserve(&mut self, pushed: u32, bytes: u32, align: u32) -> Result<()> {
        stack_bytes(&[bytes])?;
        let bytes = if align > 16 {
            let mask = -(align as i32);
            dynasm!(self.asm ; .arch x64 ; and rsp, mask);
            bytes
        } else {
            bytes + (pushed + bytes) % 16
        };
        if bytes + align > PAGE {
            self.reserve_with_probes(bytes);
        } else {
            self.lower_sp(bytes);
        }
        Ok(())
    }

    fn lower_sp(&mut self, bytes: u32) {
        match i8::try_from(bytes) {
            Ok(0) => {}
            Ok(bytes) => dynasm!(self.asm ; .arch x64 ; sub rsp, BYTE bytes),
            Err(_) => dynasm!(self.asm ; .arch x64 ; sub rsp, bytes as i32),
        }
    }

    /// Touches every page on the way down: Windows commits a stack page by page.
    fn reserve_with_probes(&mut self, bytes: u32) {
        let pages = (bytes / PAGE) as i32;
        dynasm!(self.asm ; .arch x64 ; test [rsp], eax);
        if pages > 0 {
            dynasm!(self.asm
                ; .arch x64
                ; mov eax, pages
                ; probe:
                ; sub rsp, PAGE as i32
                ; test [rsp], eax
                ; dec eax
                ; jnz BYTE <probe
            );
        }
        self.lower_sp(bytes % PAGE);
    }

    fn op(&mut self, op: &Op) -> Result<()> {
        match *op {
            Op::Move { from, to, len, ext } => self.move_(from, to, len, ext),
            Op::Copy { from, to, len } => self.copy(from, to, len),
            Op::Address { of, to } => self.address(of, to),
            Op::VectorCount(count) => {
                dynasm!(self.asm ; .arch x64 ; mov eax, i32::from(count));
                Ok(())
            }
            Op::Call if self.called => Err(internal("a plan calls once")),
            Op::Call => self.call(),
            Op::SaveErrno { to } => self.save_errno(to),
        }
    }

    fn call(&mut self) -> Result<()> {
        if self.is_upcall() {
            // The dispatcher's arguments: the record's context and the frame.
            let frame = self.mem(Base::Frame, 0, 0)?;
            let (context, address) = if self.windows { (RCX, RDX) } else { (RDI, RSI) };
            self.lea(address, frame);
            dynasm!(self.asm
                ; .arch x64
                ; mov Rq(context), [BYTE r10 + field(record::CONTEXT)]
                ; cld
                ; call QWORD [BYTE r10 + field(record::DISPATCH)]
            );
        } else {
            dynasm!(self.asm ; .arch x64 ; call QWORD [BYTE r10 + field(record::TARGET)]);
        }
        self.called = true;
        Ok(())
    }

    /// The address of errno lies below rbx (see `enter_downcall`).
    fn save_errno(&mut self, to: u32) -> Result<()> {
        let to = self.mem(Base::Frame, to, 4)?;
        dynasm!(self.asm
            ; .arch x64
            ; mov r11, [rbp - 16]
            ; mov r11d, [r11]
        );
        self.store(to, R11, 4)
    }

    /// Restores what the prologue saved. The form (`lea rsp`, pops, `ret`) is the one that
    /// Windows recognises as an epilogue.
    fn epilogue(&mut self) -> Result<()> {
        if matches!(self.plan.entry, Entry::Fixed | Entry::Stacked) {
            dynasm!(self.asm ; .arch x64 ; xor eax, eax);
        }
        if self.is_upcall() {
            dynasm!(self.asm ; .arch x64 ; lea rsp, [rbp] ; pop rbp);
        } else {
            dynasm!(self.asm ; .arch x64 ; lea rsp, [rbp - 8] ; pop rbx ; pop rbp);
        }
        match i16::try_from(self.plan.pops) {
            Ok(0) => dynasm!(self.asm ; .arch x64 ; ret),
            Ok(pops) => dynasm!(self.asm ; .arch x64 ; ret pops),
            Err(_) => return Err(internal("an x64 function pops no such amount")),
        }
        Ok(())
    }
}
