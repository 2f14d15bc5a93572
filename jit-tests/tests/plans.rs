//! Properties of plans on random signatures, for every target that has a classifier.
//! `FFI_JIT_SEED` repeats a run, `FFI_JIT_PLAN_COUNT` lengthens it.

use ffi_jit::abi::{CallLayout, Passing, classify};
use ffi_jit::arch;
use ffi_jit::plan::{self, Base, Entry, FrameLayout, Op, Place, Plan};
use ffi_jit::target::{Arch, Os, Target, Toolchain};
use ffi_jit::types::{Signature, Type};
use iced_x86::{Code, Decoder, DecoderOptions, FlowControl, Instruction};
use jit_tests::leaves::used_bytes;
use jit_tests::random;
use jit_tests::rng::{Rng, seed_from_environment};
use jit_tests::simulate::round_trip;

const RANDOM: u64 = 20_000;

const TARGETS: [Target; 9] = [
    Target::new(Arch::X64, Os::Linux, Toolchain::Gnu),
    Target::new(Arch::X64, Os::Windows, Toolchain::Msvc),
    Target::new(Arch::Aarch64, Os::Linux, Toolchain::Gnu),
    Target::new(Arch::Aarch64, Os::Darwin, Toolchain::Gnu),
    Target::new(Arch::Aarch64, Os::Windows, Toolchain::Msvc),
    Target::new(Arch::Arm32, Os::Linux, Toolchain::Gnu),
    Target::new(Arch::X86, Os::Linux, Toolchain::Gnu),
    Target::new(Arch::X86, Os::Windows, Toolchain::Gnu),
    Target::new(Arch::X86, Os::Windows, Toolchain::Msvc),
];

fn targets() -> impl Iterator<Item = Target> {
    let supported = |target: &Target| classify(target, &random::small_signature(target, 0)).is_ok();
    TARGETS.into_iter().filter(supported)
}

/// All random signatures for the first target, whose plans run here; a part for the others, which
/// share most of the code.
fn count(target: &Target) -> u64 {
    let count =
        std::env::var("FFI_JIT_PLAN_COUNT").map_or(RANDOM, |text| text.parse().expect("a number"));
    if *target == TARGETS[0] { count } else { count / 8 }
}

/// Everything that is made from one signature.
struct Made {
    layout: CallLayout,
    frame: FrameLayout,
    down: Plan,
    up: Plan,
}

fn make(signature: &Signature, target: &Target, entry: Entry, errno: bool) -> Made {
    let layout = classify(target, signature).expect("a target with a classifier");
    let frame = FrameLayout::new(signature, &target.model);
    let down = plan::downcall(&layout, &frame, entry, errno);
    let up = plan::upcall(&layout, &frame, target);
    Made { layout, frame, down, up }
}

/// Cells hold their types, aligned, apart from each other and within the frame.
fn check_frame(signature: &Signature, frame: &FrameLayout, target: &Target) -> Result<(), String> {
    let model = &target.model;
    let mut cells: Vec<(u32, u32, u32)> = signature
        .params
        .iter()
        .zip(&frame.args)
        .map(|(ty, &at)| (at, ty.size(model), ty.align(model)))
        .collect();
    cells.push((frame.ret, signature.ret.size(model), signature.ret.align(model)));
    cells.push((frame.errno, 4, 4));
    let mut end = 0;
    for &(at, size, align) in &cells {
        if !at.is_multiple_of(align.max(8)) || at < end || !frame.align.is_multiple_of(align) {
            return Err(format!("cell {at} ({size}@{align}) in {frame:?}"));
        }
        // Marshallers write whole 8-byte units.
        end = at + size.next_multiple_of(8);
    }
    if end > frame.size || !frame.size.is_multiple_of(frame.align) || frame.align < 16 {
        return Err(format!("{frame:?} ends at {end}"));
    }
    Ok(())
}

/// The order that leaves emitters their scratch registers (doc comments of `plan::downcall` and
/// `plan::upcall`).
fn check_order(plan: &Plan) -> Result<(), String> {
    let rank = |op: &Op| match (plan.entry, *op) {
        (_, Op::Call) => 4,
        (_, Op::VectorCount(_)) => 3,
        (Entry::Upcall, Op::Copy { from: (Base::Behind(_), _), .. }) => 2,
        (Entry::Upcall, Op::Copy { .. }) => 1,
        (Entry::Upcall, Op::Move { from: Place::Mem(..), .. }) => 1,
        (Entry::Upcall, _) => 0,
        (_, Op::Move { to: Place::Int(_), .. } | Op::Address { to: Place::Int(_), .. }) => 2,
        (_, Op::Move { to: Place::Mem(..), .. } | Op::Address { to: Place::Mem(..), .. }) => 0,
        (_, Op::Copy { .. }) => 0,
        _ => 1,
    };
    let call = plan.ops.iter().position(|op| *op == Op::Call).ok_or("no call")?;
    let ranks: Vec<u32> = plan.ops[..=call].iter().map(rank).collect();
    if ranks.is_sorted() { Ok(()) } else { Err(format!("ops out of order: {ranks:?}")) }
}

/// Stack arguments lie in declaration order, none on another, and SP's alignment serves them all.
fn check_area(signature: &Signature, layout: &CallLayout, target: &Target) -> Result<(), String> {
    use ffi_jit::abi::Location::Stack;
    let mut end = layout.home_bytes;
    for (ty, passing) in signature.params.iter().zip(&layout.args) {
        let Passing::Value(pieces) = passing else { continue };
        for piece in pieces {
            let Stack(offset) = piece.loc else { continue };
            let whole = piece.len == ty.size(&target.model);
            if offset < end || (whole && layout.stack_align < ty.natural_align(&target.model)) {
                return Err(format!("{piece:?} of {ty} behind byte {end}"));
            }
            end = offset + piece.len;
        }
    }
    if end > layout.stack_bytes { Err(format!("the area ends before {end}")) } else { Ok(()) }
}

fn check(signature: &Signature, target: &Target, variant: u64) -> Result<(), String> {
    let entries = [Entry::Direct, Entry::Fixed, Entry::Stacked];
    let entry = entries[(variant % 3) as usize];
    let made = make(signature, target, entry, variant.is_multiple_of(2));
    let Made { layout, frame, down, up } = &made;
    check_frame(signature, frame, target)?;
    check_area(signature, layout, target)?;
    for plan in [down, up] {
        check_order(plan)?;
        plan::verify(plan, layout, frame).map_err(|error| format!("refused: {error}"))?;
        if !plan.out_bytes.is_multiple_of(plan.stack_align) || plan.frame_bytes != frame.size {
            return Err(format!("sizes of {plan}"));
        }
    }
    round_trip(signature, layout, frame, (down, up), target)
}

fn demand(signature: &Signature, target: &Target, what: &str, seed: u64, index: u64) {
    if let Err(problem) = check(signature, target, index) {
        let made = make(signature, target, Entry::Direct, false);
        panic!(
            "{problem}\n{signature}\n{:?} {:?}, {what} {index} of seed {seed}\n{}\n{}{}",
            target.arch, target.os, made.layout, made.down, made.up
        );
    }
}

#[test]
fn plans_of_random_signatures_carry_every_byte_once() {
    let seed = seed_from_environment();
    println!("FFI_JIT_SEED={seed}");
    for target in targets() {
        for index in 0..count(&target) {
            let signature = random::signature(&target, seed, index);
            demand(&signature, &target, "signature", seed, index);
        }
    }
}

#[test]
fn plans_of_small_signatures_carry_every_byte_once() {
    let seed = seed_from_environment();
    // A stride that shares no factor with the count: in the end every signature has its turn.
    let stride = 23;
    for target in targets() {
        for number in (seed % stride..random::small_count()).step_by(stride as usize) {
            let signature = random::small_signature(&target, number);
            demand(&signature, &target, "small signature", seed, number);
        }
    }
}

/// A plan with one fault in its data moves.
fn spoil(plan: &Plan, rng: &mut Rng) -> Option<Plan> {
    let moves: Vec<usize> = (0..plan.ops.len())
        .filter(|&i| matches!(plan.ops[i], Op::Move { .. } | Op::Copy { .. } | Op::Address { .. }))
        .collect();
    if moves.is_empty() {
        return None;
    }
    let at = rng.pick(&moves);
    let mut plan = plan.clone();
    match rng.below(3) {
        0 => drop(plan.ops.remove(at)),
        1 => plan.ops.insert(at, plan.ops[at]),
        _ => match &mut plan.ops[at] {
            Op::Move { from: Place::Mem(Base::Frame, offset), .. }
            | Op::Copy { from: (Base::Frame, offset), .. }
            | Op::Address { of: (_, offset), .. }
            | Op::Move { to: Place::Mem(_, offset), .. }
            | Op::Copy { to: (_, offset), .. } => *offset += 1,
            Op::Move { len, .. } => *len -= 1,
            _ => return None,
        },
    }
    Some(plan)
}

/// Both judges, the simulation above and the verifier of the product, see a fault in a plan.
#[test]
fn spoiled_plans_are_refused() {
    let seed = seed_from_environment();
    println!("FFI_JIT_SEED={seed}");
    let mut spoiled = 0;
    for target in targets() {
        for index in 0..2000 {
            let signature = random::signature(&target, seed, index);
            // Nobody misses registers of padding alone, or an empty result.
            let packed = |ty: &Type| used_bytes(ty, &target.model).iter().all(|&used| used);
            let empty = signature.ret.size(&target.model) == 0 && signature.ret != Type::Void;
            if empty || !packed(&signature.ret) || !signature.params.iter().all(packed) {
                continue;
            }
            let mut rng = Rng::stream(seed ^ 0x5901, index);
            let Made { layout, frame, down, up } = make(&signature, &target, Entry::Direct, false);
            for upward in [false, true] {
                let Some(bad) = spoil(if upward { &up } else { &down }, &mut rng) else { continue };
                spoiled += 1;
                let context = || format!("{signature}, {index} of seed {seed}:\n{layout}\n{bad}");
                let pair = if upward { (&down, &bad) } else { (&bad, &up) };
                let seen = round_trip(&signature, &layout, &frame, pair, &target);
                assert!(seen.is_err(), "the simulation accepts {}", context());
                let refused = plan::verify(&bad, &layout, &frame);
                assert!(refused.is_err(), "the verifier accepts {}", context());
            }
        }
    }
    assert!(spoiled > 3000, "only {spoiled} plans were spoiled");
}

/// What an independent decoder says about a trampoline's code.
fn decode(code: &[u8], arch: Arch) -> Result<(), String> {
    let (bits, entry) = match arch {
        Arch::X64 => (64, Code::Endbr64),
        Arch::X86 => (32, Code::Endbr32),
        // LLVM decodes these in tests of their own.
        Arch::Aarch64 | Arch::Arm32 if !code.is_empty() && code.len().is_multiple_of(4) => {
            return Ok(());
        }
        Arch::Aarch64 | Arch::Arm32 => return Err(format!("{} bytes of code", code.len())),
    };
    let decoder = Decoder::new(bits, code, DecoderOptions::NONE);
    let list: Vec<Instruction> = decoder.into_iter().collect();
    let invalid = list.iter().find(|instruction| instruction.is_invalid());
    if let Some(instruction) = invalid {
        return Err(format!("no instruction at {}", instruction.ip()));
    }
    if list.first().map(Instruction::code) != Some(entry) {
        return Err(format!("no {entry:?} at the entry"));
    }
    for (i, instruction) in list.iter().enumerate() {
        let last = i + 1 == list.len();
        match instruction.flow_control() {
            FlowControl::Next | FlowControl::IndirectCall if !last => {}
            FlowControl::Return if last => {}
            FlowControl::ConditionalBranch => {
                let to = instruction.near_branch_target();
                if !list.iter().any(|other| other.ip() == to) {
                    return Err(format!("a branch into an instruction, to {to}"));
                }
            }
            other => return Err(format!("{other:?} at {}", instruction.ip())),
        }
    }
    let calls = list.iter().filter(|i| i.flow_control() == FlowControl::IndirectCall).count();
    if calls == 1 { Ok(()) } else { Err(format!("{calls} calls")) }
}

#[test]
fn every_plan_becomes_code_that_decodes() {
    let seed = seed_from_environment();
    println!("FFI_JIT_SEED={seed}");
    for target in targets() {
        for index in 0..count(&target) {
            let signature = random::signature(&target, seed, index);
            let entry = [Entry::Direct, Entry::Fixed, Entry::Stacked][(index % 3) as usize];
            let made = make(&signature, &target, entry, index.is_multiple_of(2));
            for plan in [&made.down, &made.up] {
                let context = || format!("{signature}\n{target:?}, {index} of seed {seed}\n{plan}");
                let blob = arch::emit(plan, &target)
                    .unwrap_or_else(|error| panic!("{error}\n{}", context()));
                if let Err(problem) = decode(&blob.code, target.arch) {
                    panic!("{problem}\n{}", context());
                }
            }
        }
    }
}
