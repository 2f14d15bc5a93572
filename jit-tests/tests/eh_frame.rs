//! Unwind tables of every CPU that has them, read by gimli and compared with what the code does:
//! behind each instruction of a prologue the table must find the caller's SP, and every register
//! that was pushed where it was pushed. `FFI_JIT_SEED` repeats a run.

use ffi_jit::arch::{Blob, emit};
use ffi_jit::call::Prepared;
use ffi_jit::code::eh_frame;
use ffi_jit::plan::Entry;
use ffi_jit::target::{Arch, Os, Target, Toolchain};
use gimli::{
    BaseAddresses, CfaRule, EhFrame, LittleEndian, Register, RegisterRule, UnwindContext,
    UnwindSection,
};
use iced_x86::{Decoder, DecoderOptions, Mnemonic};
use jit_tests::random;
use jit_tests::rng::seed_from_environment;
use std::collections::BTreeMap;

const RANDOM: u64 = 300;
const START: u64 = 0x0123_4000;

/// Where things are, counted from the caller's SP (the canonical frame address).
#[derive(Clone, Debug, Default)]
struct State {
    sp: i64,
    /// Where the frame pointer points, once it is ours.
    fp: Option<i64>,
    /// Registers in memory, by DWARF number; the return address among them.
    saved: BTreeMap<u16, i64>,
}

impl State {
    fn push(&mut self, register: u16, word: i64) {
        self.sp -= word;
        self.saved.insert(register, self.sp);
    }
}

/// A CPU as this test sees it.
struct Machine {
    word: u8,
    /// DWARF numbers of SP, the frame pointer and the return address.
    sp: u16,
    fp: u16,
    return_address: u16,
    /// States by code offset, from the first instruction to the last that the prologue's notes
    /// tell of.
    states: fn(&Blob) -> Vec<(u64, State)>,
}

fn machine(target: &Target) -> Machine {
    match target.arch {
        Arch::X64 => {
            Machine { word: 8, sp: 7, fp: 6, return_address: 16, states: |blob| x86(blob, 64) }
        }
        Arch::X86 => {
            Machine { word: 4, sp: 4, fp: 5, return_address: 8, states: |blob| x86(blob, 32) }
        }
        Arch::Aarch64 => Machine { word: 8, sp: 31, fp: 29, return_address: 30, states: aarch64 },
        Arch::Arm32 => unreachable!("32-bit ARM reads no .eh_frame"),
    }
}

/// End of what the unwind notes tell of.
fn noted(blob: &Blob) -> u64 {
    let ends = blob.unwind.saved.iter().map(|&(_, _, behind)| behind);
    u64::from(ends.max().unwrap_or(blob.unwind.set_fp))
}

/// Carries out pushes and `mov fp, sp`; the rest of a prologue's start moves nothing.
fn x86(blob: &Blob, bits: u32) -> Vec<(u64, State)> {
    let word = i64::from(bits / 8);
    let (fp, return_address) = if bits == 64 { (6, 16) } else { (5, 8) };
    let dwarf = |number: usize| match bits {
        // rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi: the four middle ones in another order.
        64 => [0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15][number],
        _ => number as u16,
    };
    let mut state = State::default();
    state.push(return_address, word);
    let mut states = vec![(0, state.clone())];
    for instruction in &mut Decoder::new(bits, &blob.code, DecoderOptions::NONE) {
        if instruction.next_ip() > noted(blob) {
            break;
        }
        match instruction.mnemonic() {
            Mnemonic::Push => state.push(dwarf(instruction.op0_register().number()), word),
            Mnemonic::Mov if dwarf(instruction.op0_register().number()) == fp => {
                state.fp = Some(state.sp);
            }
            Mnemonic::Endbr32 | Mnemonic::Endbr64 => {}
            other => panic!("{other:?} in a prologue"),
        }
        states.push((instruction.next_ip(), state.clone()));
    }
    states
}

/// The few instructions that prologues start with, by their encodings.
fn aarch64(blob: &Blob) -> Vec<(u64, State)> {
    let mut state = State::default();
    let mut states = vec![(0, state.clone())];
    let words = blob.code.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap()));
    for (i, word) in words.take(noted(blob) as usize / 4).enumerate() {
        match word {
            0xD503_245F => {} // bti c
            0xA9BF_7BFD | 0xA9BF_53F3 => {
                // stp x29, x30, [sp, -16]! and stp x19, x20, [sp, -16]!
                let first = (word & 31) as u16;
                state.push((word >> 10 & 31) as u16, 8);
                state.push(first, 8);
            }
            0x9100_03FD => state.fp = Some(state.sp), // mov x29, sp
            other => panic!("{other:#x} in a prologue"),
        }
        states.push((4 * (i as u64 + 1), state.clone()));
    }
    states
}

fn check(target: &Target, blob: &Blob, name: &str) {
    let machine = machine(target);
    let len = blob.code.len() as u64;
    let table = eh_frame::build(target.arch, &blob.unwind, START, len).expect("a table");
    let mut section = EhFrame::new(&table.section, LittleEndian);
    section.set_address_size(machine.word);
    let bases = BaseAddresses::default();
    let find = |address| section.fde_for_address(&bases, address, EhFrame::cie_from_offset);
    assert!(find(START - 1).is_err() && find(START + len).is_err(), "{name}: too much is covered");

    let mut states = (machine.states)(blob);
    assert!(states.last().is_some_and(|(_, state)| state.fp.is_some()), "{name}: no frame");
    // From there on the frame pointer says it all, until the epilogue.
    states.push((len - 1, states.last().unwrap().1.clone()));
    let mut context = UnwindContext::new();
    for (i, (offset, state)) in states.iter().enumerate() {
        let what = || format!("{name} at {offset:#x}: {state:x?}");
        let fde = find(START + offset).unwrap();
        assert_eq!(fde.offset(), table.description, "{name}");
        assert_eq!(fde.cie().return_address_register(), Register(machine.return_address));
        let row =
            fde.unwind_info_for_address(&section, &bases, &mut context, START + offset).unwrap();
        let CfaRule::RegisterAndOffset { register, offset: up } = *row.cfa() else {
            panic!("{}: {:?}", what(), row.cfa());
        };
        let base = if register == Register(machine.sp) {
            assert!(i + 1 < states.len(), "{}: SP moves in the body", what());
            state.sp
        } else {
            assert_eq!(register, Register(machine.fp), "{}", what());
            state.fp.unwrap_or_else(|| panic!("{}: the frame pointer is the caller's", what()))
        };
        assert_eq!(base + up, 0, "{}: the caller's SP", what());
        let known: BTreeMap<u16, i64> = row
            .registers()
            .map(|(register, rule)| match rule {
                RegisterRule::Offset(at) => (register.0, *at),
                other => panic!("{}: {other:?}", what()),
            })
            .collect();
        assert_eq!(known, state.saved, "{}", what());
    }
}

#[test]
fn tables_tell_what_prologues_do() {
    let seed = seed_from_environment();
    println!("FFI_JIT_SEED={seed}");
    let targets = [
        Target::new(Arch::X64, Os::Linux, Toolchain::Gnu),
        Target::new(Arch::X86, Os::Linux, Toolchain::Gnu),
        Target::new(Arch::Aarch64, Os::Linux, Toolchain::Gnu),
        Target::new(Arch::Aarch64, Os::Darwin, Toolchain::Gnu),
    ];
    for target in targets {
        for index in 0..RANDOM {
            let signature = random::signature(&target, seed, index);
            let prepared = Prepared::new(target, signature).expect("a random signature");
            for entry in [Entry::Direct, Entry::Fixed, Entry::Stacked, Entry::Upcall] {
                let blob = emit(&prepared.plan(entry, true), &target).expect("code");
                let name = format!("{target:?} {entry:?} {} (seed {seed})", prepared.signature);
                check(&target, &blob, &name);
            }
        }
    }
}
