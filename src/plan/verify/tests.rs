//! Good plans pass; every plan that was corrupted in one place is refused.

use super::*;
use crate::abi::classify;
use crate::plan::{downcall, upcall};
use crate::target::{Arch, Os, Target, Toolchain};
use crate::types::parse_signature;

const TARGET: Target = Target::new(Arch::X64, Os::Linux, Toolchain::Gnu);

/// Registers and stack, every passing and result form, narrow and odd sizes, variadics.
const SIGNATURES: [&str; 12] = [
    "() -> void",
    "(i8, u16, bool, f32, f64, ptr) -> i64",
    "(i64, i64, i64, i64, i64, i64, i8, u16, struct{u8[3]}) -> f32",
    "(f64, f64, f64, f64, f64, f64, f64, f64, f32, f64) -> u8",
    "(struct{i64, f64}, struct{f64, i8}, struct{f32[3]}) -> struct{f64, i32}",
    "(struct{u8[33]}, i32, struct{i64[4]}) -> struct{i64, i64, i64}",
    "(i32, struct{u8[7]}) -> struct{u8[5]}",
    "(ptr, ..., i32, f64, struct{i64[3]}) -> i32",
    "(struct{i64@64}, i64) -> struct{f32, f32, i32}",
    "(struct{}, i32) -> struct{}",
    "(struct{u8[9]}, struct{u8[16]}, struct{u8[12]}, i16) -> struct{u8[200]}",
    "(struct{f32}, union{f64, i8[8]}) -> struct{f32, f32}",
];

struct Case {
    name: String,
    plan: Plan,
    layout: CallLayout,
    frame: FrameLayout,
}

impl Case {
    fn accepts(&self, plan: &Plan) -> bool {
        match verify(plan, &self.layout, &self.frame) {
            Ok(()) => true,
            Err(error) => {
                assert_eq!(error.code, Code::Internal);
                false
            }
        }
    }
}

/// By reference, in memory with a callee that pops: what SysV64 never has.
fn foreign_layout() -> (CallLayout, FrameLayout) {
    let reference = |ptr| Passing::Reference { ptr, size: 24, align: 16 };
    let twice = |loc| Piece { at: 0, len: 8, ext: Ext::None, loc };
    let layout = CallLayout {
        abi: crate::abi::Abi::SysV64,
        args: vec![
            reference(Location::Int(2)),
            Passing::Value(vec![twice(Location::Fp(2)), twice(Location::Int(8))]),
            reference(Location::Stack(32)),
        ],
        ret: Returning::Memory { ptr: Location::Int(1), back: Some(Location::Int(0)), size: 40 },
        stack_bytes: 40,
        stack_align: 16,
        home_bytes: 32,
        callee_pops: 8,
        vector_count: None,
    };
    let frame = FrameLayout { args: vec![0, 24, 32], ret: 56, errno: 96, size: 112, align: 16 };
    (layout, frame)
}

fn cases() -> Vec<Case> {
    let sysv = SIGNATURES.iter().map(|text| {
        let text = (*text).to_owned();
        let signature = parse_signature(&text, &TARGET.model).expect(&text);
        let layout = classify(&TARGET, &signature).expect(&text);
        (text, layout, FrameLayout::new(&signature, &TARGET.model))
    });
    let (layout, frame) = foreign_layout();
    let all = sysv.chain([("foreign".to_owned(), layout, frame)]);
    all.flat_map(|(text, layout, frame)| {
        let plans = [
            downcall(&layout, &frame, Entry::Direct, false),
            downcall(&layout, &frame, Entry::Fixed, true),
            upcall(&layout, &frame, &TARGET),
        ];
        plans.map(|plan| Case {
            name: format!("{:?} {text}", plan.entry),
            plan,
            layout: layout.clone(),
            frame: frame.clone(),
        })
    })
    .collect()
}

#[test]
fn good_plans_pass() {
    for case in cases() {
        verify(&case.plan, &case.layout, &case.frame)
            .unwrap_or_else(|error| panic!("{}: {error}\n{}", case.name, case.plan));
    }
}

/// A number of an op, if it has it.
type Number = fn(&mut Op) -> Option<&mut u32>;

/// A change of what a plan is made from.
type Mistake = fn(&mut CallLayout, &mut FrameLayout);

/// A change of a plan.
type Edit = fn(&mut Plan);

fn source(op: &mut Op) -> Option<&mut u32> {
    match op {
        Op::Move { from: Place::Mem(_, offset), .. }
        | Op::Copy { from: (_, offset), .. }
        | Op::Address { of: (_, offset), .. } => Some(offset),
        _ => None,
    }
}

fn destination(op: &mut Op) -> Option<&mut u32> {
    match op {
        Op::Move { to: Place::Mem(_, offset), .. }
        | Op::Copy { to: (_, offset), .. }
        | Op::Address { to: Place::Mem(_, offset), .. }
        | Op::SaveErrno { to: offset } => Some(offset),
        _ => None,
    }
}

fn register(op: &mut Op) -> Option<&mut u8> {
    match op {
        Op::Move { from: Place::Int(n) | Place::Fp(n) | Place::Local(n), .. }
        | Op::Move { to: Place::Int(n) | Place::Fp(n) | Place::Local(n), .. }
        | Op::Address { to: Place::Int(n), .. }
        | Op::VectorCount(n) => Some(n),
        _ => None,
    }
}

fn length(op: &mut Op) -> Option<&mut u32> {
    match op {
        Op::Move { len, .. } | Op::Copy { len, .. } => Some(len),
        _ => None,
    }
}

fn where_to(op: &Op) -> Option<Place> {
    match *op {
        Op::Move { to, .. } | Op::Address { to, .. } => Some(to),
        Op::Copy { to: (base, offset), .. } => Some(Place::Mem(base, offset)),
        Op::VectorCount(_) | Op::Call | Op::SaveErrno { .. } => None,
    }
}

fn redirect(op: &mut Op, place: Place) {
    match (op, place) {
        (Op::Move { to, .. } | Op::Address { to, .. }, place) => *to = place,
        (Op::Copy { to, .. }, Place::Mem(base, offset)) => *to = (base, offset),
        _ => {}
    }
}

/// The plan with its ops changed.
fn edited(plan: &Plan, edit: impl FnOnce(&mut Vec<Op>)) -> Plan {
    let mut plan = plan.clone();
    edit(&mut plan.ops);
    plan
}

/// The plan with one number of one op changed by `delta`, if the op has that number.
fn shifted(plan: &Plan, i: usize, number: Number, delta: i32) -> Option<Plan> {
    let mut plan = plan.clone();
    let number = number(&mut plan.ops[i])?;
    *number = number.checked_add_signed(delta)?;
    Some(plan)
}

fn same_ops(a: &Plan, b: &Plan) -> bool {
    let sorted = |plan: &Plan| {
        let mut ops: Vec<String> = plan.ops.iter().map(|op| format!("{op:?}")).collect();
        ops.sort();
        ops
    };
    sorted(a) == sorted(b)
}

/// Every corruption of one op, with its name.
fn corruptions(plan: &Plan, i: usize) -> Vec<(String, Plan)> {
    let call = plan.ops.iter().position(|op| *op == Op::Call).expect("a call");
    let op = plan.ops[i];
    let mut list = vec![("duplicated".to_owned(), edited(plan, |ops| ops.insert(i, op)))];
    if !matches!(op, Op::SaveErrno { .. }) {
        // Whether errno is wanted is the plan's own business.
        list.push((
            "dropped".to_owned(),
            edited(plan, |ops| {
                ops.remove(i);
            }),
        ));
    }
    if i != call {
        let (name, to) = if i < call { ("after the call", call) } else { ("before the call", 0) };
        list.push((
            name.to_owned(),
            edited(plan, |ops| {
                let op = ops.remove(i);
                ops.insert(to, op);
            }),
        ));
    }
    for delta in [-8, -1, 1, 8] {
        let numbers: [(&str, Number); 3] =
            [("source", source), ("destination", destination), ("length", length)];
        for (name, number) in numbers {
            let plan = shifted(plan, i, number, delta);
            list.extend(plan.map(|plan| (format!("{name} {delta:+}"), plan)));
        }
    }
    let mut other = plan.clone();
    if let Some(n) = register(&mut other.ops[i]) {
        *n += 1;
        list.push(("another register".to_owned(), other));
    }
    let mut other = plan.clone();
    if let Op::Move { ext, to: Place::Int(_) | Place::Mem(Base::Out, _), len: 1..=4, .. } =
        &mut other.ops[i]
    {
        *ext = if *ext == Ext::Sign(8) { Ext::Zero(8) } else { Ext::Sign(8) };
        list.push(("another extension".to_owned(), other));
    }
    for j in i + 1..plan.ops.len() {
        if let (Some(a), Some(b)) = (where_to(&op), where_to(&plan.ops[j])) {
            let swapped = edited(plan, |ops| {
                redirect(&mut ops[i], b);
                redirect(&mut ops[j], a);
            });
            // Two moves of the same bytes are in another order now, no more.
            if !same_ops(plan, &swapped) {
                list.push((format!("destination swapped with op {j}"), swapped));
            }
        }
    }
    list
}

#[test]
fn every_corrupted_op_is_refused() {
    let mut count = 0;
    for case in cases() {
        for i in 0..case.plan.ops.len() {
            for (name, plan) in corruptions(&case.plan, i) {
                assert!(!case.accepts(&plan), "{}: op {i} {name}\n{plan}", case.name);
                count += 1;
            }
        }
    }
    assert!(count > 1000, "only {count} corruptions were tried");
}

#[test]
fn corrupted_numbers_are_refused() {
    for case in cases() {
        let is_upcall = case.plan.entry == Entry::Upcall;
        let mut edits: Vec<(&str, Edit)> = vec![
            ("frame size", |plan| plan.frame_bytes += 16),
            ("frame alignment", |plan| plan.frame_align *= 2),
            ("pops", |plan| plan.pops += 4),
            ("area size", |plan| plan.out_bytes += 8),
            ("alignment of nothing", |plan| plan.stack_align = 0),
        ];
        if !is_upcall {
            edits.push(("locals", |plan| plan.locals += 1));
            edits.push(("area alignment", |plan| plan.stack_align = 8));
        }
        if !is_upcall && case.layout.stack_bytes > 0 {
            edits.push(("no area", |plan| plan.out_bytes = 0));
        }
        if is_upcall && case.plan.locals > 0 {
            edits.push(("no locals", |plan| plan.locals = 0));
        }
        for (name, edit) in edits {
            let mut plan = case.plan.clone();
            edit(&mut plan);
            assert!(!case.accepts(&plan), "{}: {name}", case.name);
        }
    }
}

/// Copies may use integer registers, so they come before loads and after saves.
#[test]
fn memory_moves_keep_away_from_live_registers() {
    let mut tried = 0;
    for case in cases() {
        let plan = &case.plan;
        let call = plan.ops.iter().position(|op| *op == Op::Call).expect("a call");
        let int = |op: &Op| match case.plan.entry {
            Entry::Upcall => matches!(op, Op::Move { from: Place::Int(_), .. }),
            _ => matches!(op, Op::Move { to: Place::Int(_), .. }),
        };
        let copy = plan.ops[..call].iter().position(|op| matches!(op, Op::Copy { .. }));
        let (Some(copy), true) = (copy, plan.ops[..call].iter().any(int)) else { continue };
        let moved = edited(plan, |ops| {
            let op = ops.remove(copy);
            ops.insert(if plan.entry == Entry::Upcall { 0 } else { call - 1 }, op);
        });
        assert!(!case.accepts(&moved), "{}\n{moved}", case.name);
        tried += 1;
    }
    assert!(tried > 3, "only {tried} plans have both");
}

/// A classifier's mistakes are found as well.
#[test]
fn impossible_layouts_are_refused() {
    let edits: [(&str, Mistake); 8] = [
        ("two arguments in a register", |layout, _| {
            layout.args[1] = layout.args[0].clone();
        }),
        ("an argument in the home space", |layout, _| {
            let ptr = Location::Stack(24);
            layout.args[2] = Passing::Reference { ptr, size: 24, align: 16 };
        }),
        ("an argument behind the area", |layout, _| layout.stack_bytes = 36),
        ("a value larger than its cell", |layout, _| {
            let ptr = Location::Int(2);
            layout.args[0] = Passing::Reference { ptr, size: 25, align: 16 };
        }),
        ("a result larger than its cell", |layout, _| {
            let ptr = Location::Int(1);
            layout.ret = Returning::Memory { ptr, back: None, size: 41 };
        }),
        ("a cell too few", |_, frame| {
            frame.args.pop();
        }),
        ("cells on top of each other", |_, frame| frame.args[2] = 16),
        ("the result pointer in an argument's register", |layout, _| {
            let ptr = Location::Int(2);
            layout.ret = Returning::Memory { ptr, back: None, size: 40 };
        }),
    ];
    for (name, edit) in edits {
        let (mut layout, mut frame) = foreign_layout();
        edit(&mut layout, &mut frame);
        for entry in [Entry::Direct, Entry::Upcall] {
            let plan = match entry {
                Entry::Upcall => upcall(&layout, &frame, &TARGET),
                _ => downcall(&layout, &frame, entry, true),
            };
            let error = verify(&plan, &layout, &frame).expect_err(name);
            assert_eq!(error.code, Code::Internal, "{name}");
        }
    }
}
