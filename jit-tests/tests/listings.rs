//! Golden listings of the x64 emitter: plans and what an independent decoder reads in their code.

mod common;

use ffi_jit::abi::classify;
use ffi_jit::arch::{Blob, SLOT_STRIDE, emit, emit_slots};
use ffi_jit::error::Code;
use ffi_jit::plan::{Entry, FrameLayout, Plan, downcall, upcall, verify};
use ffi_jit::target::{Arch, Os, Target, Toolchain};
use ffi_jit::types::parse_signature;
use iced_x86::{
    Decoder, DecoderOptions, Formatter, Instruction, InstructionInfoFactory, IntelFormatter,
    Mnemonic, OpAccess, Register,
};
use std::fmt::Write;

const LINUX: Target = Target::new(Arch::X64, Os::Linux, Toolchain::Gnu);
const WINDOWS: Target = Target::new(Arch::X64, Os::Windows, Toolchain::Msvc);

/// Every way in, with and without errno.
const ENTRIES: [&str; 7] =
    ["Direct", "Direct+errno", "Fixed", "Fixed+errno", "Stacked", "Stacked+errno", "Upcall"];

/// The plan of a signature for one of [`ENTRIES`].
fn plan(target: &Target, entry: &str, text: &str) -> Plan {
    let signature = parse_signature(text, &target.model).expect(text);
    let layout = classify(target, &signature).expect(text);
    let frame = FrameLayout::new(&signature, &target.model);
    let (entry, errno) = match entry.strip_suffix("+errno") {
        Some(entry) => (entry, true),
        None => (entry, false),
    };
    let plan = match entry {
        "Direct" => downcall(&layout, &frame, Entry::Direct, errno),
        "Fixed" => downcall(&layout, &frame, Entry::Fixed, errno),
        "Stacked" => downcall(&layout, &frame, Entry::Stacked, errno),
        "Upcall" => upcall(&layout, &frame, target),
        other => panic!("no entry {other}"),
    };
    verify(&plan, &layout, &frame).unwrap_or_else(|error| panic!("{text}: {error}"));
    plan
}

fn decode(code: &[u8]) -> Vec<Instruction> {
    Decoder::with_ip(64, code, 0, DecoderOptions::NONE).into_iter().collect()
}

/// Registers that a function of the target must leave as they are.
fn is_callee_saved(register: Register, target: &Target) -> bool {
    use Register::{R12, R13, R14, R15, RBP, RBX, RDI, RSI, RSP};
    let windows = target.os == Os::Windows;
    match register.full_register() {
        RBX | RBP | RSP | R12 | R13 | R14 | R15 => true,
        RSI | RDI => windows,
        full if full.is_vector_register() => windows && (6..=15).contains(&full.number()),
        _ => false,
    }
}

/// What holds for every trampoline.
fn assert_sound(blob: &Blob, target: &Target, name: &str) {
    let list = decode(&blob.code);
    let lines = || listing(&blob.code);
    assert_eq!(list[0].mnemonic(), Mnemonic::Endbr64, "{name}\n{}", lines());
    assert!(list.iter().all(|i| !i.is_invalid()), "{name}\n{}", lines());
    let returns = list.iter().filter(|i| i.mnemonic() == Mnemonic::Ret).count();
    assert_eq!(returns, 1, "{name}\n{}", lines());
    assert_eq!(list.last().map(|i| i.mnemonic()), Some(Mnemonic::Ret), "{name}\n{}", lines());
    let calls = list.iter().filter(|i| i.mnemonic() == Mnemonic::Call).count();
    assert_eq!(calls, 1, "{name}\n{}", lines());

    // Callee-saved registers change only as the unwind notes say, and rbp and rsp besides.
    let mut factory = InstructionInfoFactory::new();
    for instruction in &list {
        for used in factory.info(instruction).used_registers() {
            let written = matches!(
                used.access(),
                OpAccess::Write
                    | OpAccess::ReadWrite
                    | OpAccess::CondWrite
                    | OpAccess::ReadCondWrite
            );
            let register = used.register();
            if !written || !is_callee_saved(register, target) {
                continue;
            }
            let full = register.full_register();
            let noted = blob.unwind.saved.iter().any(|s| usize::from(s.0) == full.number());
            let known = noted || matches!(full, Register::RSP | Register::RBP);
            assert!(known, "{name}: {instruction} writes {register:?}\n{}", lines());
        }
    }

    // The unwind notes point behind the instructions they are about.
    let before = |end: u8| {
        let found = list.iter().find(|i| i.next_ip() == u64::from(end));
        found.unwrap_or_else(|| panic!("{name}: nothing ends at {end}\n{}", lines()))
    };
    let push = before(blob.unwind.pushed_fp);
    assert_eq!((push.mnemonic(), push.op0_register()), (Mnemonic::Push, Register::RBP), "{name}");
    let set = before(blob.unwind.set_fp);
    assert_eq!((set.mnemonic(), set.op0_register()), (Mnemonic::Mov, Register::RBP), "{name}");
    for (i, &(register, below, end)) in blob.unwind.saved.iter().enumerate() {
        let push = before(end);
        assert_eq!(push.mnemonic(), Mnemonic::Push, "{name}");
        assert_eq!(push.op0_register().number(), usize::from(register), "{name}");
        assert_eq!(below as usize, 8 * (i + 1), "{name}");
    }
}

fn listing(code: &[u8]) -> String {
    let mut formatter = IntelFormatter::new();
    formatter.options_mut().set_space_after_operand_separator(true);
    formatter.options_mut().set_branch_leading_zeros(false);
    decode(code).iter().fold(String::new(), |mut text, instruction| {
        let mut operation = String::new();
        formatter.format(instruction, &mut operation);
        writeln!(text, "{:4x}  {operation}", instruction.ip()).unwrap();
        text
    })
}

/// A head is "[windows] entry signature".
fn body(head: &str) -> String {
    let (target, rest) = match head.strip_prefix("windows ") {
        Some(rest) => (WINDOWS, rest),
        None => (LINUX, head),
    };
    let (entry, text) = rest.split_once(' ').expect(head);
    let plan = plan(&target, entry, text);
    let blob = emit(&plan, &target).expect(head);
    assert_sound(&blob, &target, head);
    format!("{plan}{}", listing(&blob.code))
}

#[test]
fn x64() {
    common::check("x64-listings.txt", 50, body);
}

/// All signatures of the location table, entered in every way.
#[test]
fn all_code_is_sound() {
    let table = include_str!("../golden/sysv64.txt");
    let mut count = 0;
    for text in table.lines().filter(|line| line.starts_with('(')) {
        for (entry, target) in ENTRIES.iter().flat_map(|&e| [(e, LINUX), (e, WINDOWS)]) {
            let name = format!("{:?} {entry} {text}", target.os);
            let blob = emit(&plan(&target, entry, text), &target).expect(&name);
            assert_sound(&blob, &target, &name);
            count += 1;
        }
    }
    assert!(count > 1000, "only {count} trampolines");
}

#[test]
fn a_call_larger_than_the_stack_is_an_error() {
    for (bytes, fits) in [(1 << 20, true), ((1 << 20) + 1, false), (1 << 29, false)] {
        let text = format!("(struct{{u8[{bytes}]}}) -> void");
        for entry in ENTRIES {
            let result = emit(&plan(&LINUX, entry, &text), &LINUX);
            if fits && entry != "Upcall" {
                assert_sound(&result.expect(entry), &LINUX, entry);
            } else if entry == "Upcall" && bytes == 1 << 20 {
                // The frame has an errno cell besides.
                assert_eq!(result.expect_err(entry).code, Code::InvalidType);
            } else {
                assert_eq!(result.expect_err(entry).code, Code::InvalidType, "{bytes} {entry}");
            }
        }
    }
}

#[test]
fn slots_find_their_records() {
    let (count, records, stride) = (256, 4096, 48);
    let code = emit_slots(&LINUX, count, records, stride).expect("slots");
    assert_eq!(code.len(), count * SLOT_STRIDE);
    for (i, slot) in code.chunks(SLOT_STRIDE).enumerate() {
        let ip = (i * SLOT_STRIDE) as u64;
        let list: Vec<_> =
            Decoder::with_ip(64, slot, ip, DecoderOptions::NONE).into_iter().collect();
        let kinds: Vec<_> = list.iter().map(Instruction::mnemonic).collect();
        use Mnemonic::{Endbr64, Int3, Jmp, Lea};
        assert_eq!(kinds, [Endbr64, Lea, Jmp, Int3, Int3]);
        assert_eq!(list[1].op0_register(), Register::R10);
        assert_eq!(list[1].ip_rel_memory_address(), (records + i * stride) as u64);
        assert_eq!((list[2].memory_base(), list[2].memory_displacement64()), (Register::R10, 0));
    }
    let far = emit_slots(&LINUX, 2, 1 << 31, 64).expect_err("too far");
    assert_eq!(far.code, Code::Internal);
}
