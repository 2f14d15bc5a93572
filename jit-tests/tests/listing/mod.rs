//! Golden listings: plans at the edges of what emitters must do, and the machine code that comes
//! out, as an independent decoder reads it. `BLESS=1` rewrites the files.

// Each listings test uses its part of this module.
#![allow(dead_code)]

use ffi_jit::abi::{Ext, classify};
use ffi_jit::arch::emit;
use ffi_jit::plan::{self, Base, Entry, FrameLayout, Op, Place, Plan};
use ffi_jit::target::Target;
use ffi_jit::types::parse_signature;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What the edge plans need to know about a CPU.
pub struct Cpu {
    pub target: Target,
    /// Registers that integer arguments (and results) travel in.
    pub ints: &'static [u8],
    /// Registers that floating-point arguments travel in.
    pub fps: &'static [u8],
    /// Lengths that a floating-point register moves.
    pub fp_lens: &'static [u32],
    /// Whether results come in x87 registers.
    pub x87: bool,
    /// The frame offset up to which loads need no help.
    pub far: u32,
    /// What upcalls pop.
    pub pops: u32,
    /// Signatures whose trampolines are listed, too, in both directions.
    pub signatures: &'static [&'static str],
}

impl Cpu {
    fn word(&self) -> u32 {
        self.target.pointer_size()
    }

    /// Loads of every length into the integer registers.
    fn plain_loads(&self, base: u32) -> Vec<Op> {
        let mut ops = self.int_loads(base);
        ops.truncate(self.word() as usize);
        ops
    }

    /// Loads of every length and extension into the integer registers.
    fn int_loads(&self, base: u32) -> Vec<Op> {
        let mut ops = Vec::new();
        let mut push = |i: usize, off: u32, len: u32, ext: Ext| {
            let to = Place::Int(self.ints[i % self.ints.len()]);
            ops.push(Op::Move { from: Place::Mem(Base::Frame, base + off), to, len, ext });
        };
        for len in 1..=self.word() {
            push(len as usize - 1, 8 * len, len, Ext::None);
        }
        for (len, to) in [(1, 4), (2, 4), (1, 8), (2, 8), (4, 8)] {
            if to <= self.word() {
                push(len as usize, 8, len, Ext::Zero(to as u8));
                push(len as usize, 8, len, Ext::Sign(to as u8));
            }
        }
        ops
    }

    fn fp_loads(&self, base: u32) -> Vec<Op> {
        let register = |i: usize| Place::Fp(self.fps[i % self.fps.len()]);
        let load = |(i, &len): (usize, &u32)| Op::Move {
            from: Place::Mem(Base::Frame, base + 8 * i as u32),
            to: register(i),
            len,
            ext: Ext::None,
        };
        if self.fps.is_empty() {
            return Vec::new();
        }
        self.fp_lens.iter().enumerate().map(load).collect()
    }

    /// The same ops with their ends swapped.
    fn stores(&self, loads: Vec<Op>) -> Vec<Op> {
        let swap = |op| match op {
            Op::Move { from, to, len, .. } => Op::Move { from: to, to: from, len, ext: Ext::None },
            other => other,
        };
        loads.into_iter().map(swap).collect()
    }
}

fn between(from: Base, from_off: u32, to: Base, to_off: u32, len: u32, ext: Ext) -> Op {
    Op::Move { from: Place::Mem(from, from_off), to: Place::Mem(to, to_off), len, ext }
}

fn copy(from: Base, from_off: u32, to: Base, to_off: u32, len: u32) -> Op {
    Op::Copy { from: (from, from_off), to: (to, to_off), len }
}

fn downcall(entry: Entry, out_bytes: u32, stack_align: u32, ops: Vec<Op>) -> Plan {
    Plan {
        entry,
        ops,
        out_bytes,
        stack_align,
        frame_bytes: 64,
        frame_align: 16,
        locals: 0,
        pops: 0,
    }
}

/// The plans, by name.
pub fn edge_plans(cpu: &Cpu) -> Vec<(&'static str, Plan)> {
    let word = cpu.word();
    let align = if cpu.word() == 4 && cpu.fps.len() > 1 { 8 } else { 16 };
    let int = Place::Int(cpu.ints[0]);
    let far = cpu.far;
    let call = || vec![Op::Call];
    let mut plans = vec![
        ("nothing", downcall(Entry::Direct, 0, align, call())),
        ("fixed entry", downcall(Entry::Fixed, 0, align, call())),
        ("stacked entry", downcall(Entry::Stacked, 0, align, call())),
        (
            "integer registers",
            downcall(Entry::Direct, 0, align, [cpu.int_loads(0), call()].concat()),
        ),
        (
            "far integer registers",
            downcall(Entry::Direct, 0, align, [cpu.plain_loads(far), call()].concat()),
        ),
        (
            "odd far integer registers",
            downcall(Entry::Direct, 0, align, [cpu.plain_loads(far + 70_001), call()].concat()),
        ),
        (
            "results",
            downcall(
                Entry::Fixed,
                0,
                align,
                [
                    call(),
                    cpu.stores(cpu.plain_loads(16)),
                    cpu.stores(cpu.fp_loads(80)),
                    vec![Op::SaveErrno { to: 64 }],
                ]
                .concat(),
            ),
        ),
    ];
    if !cpu.fps.is_empty() {
        let ops = [cpu.fp_loads(0), cpu.fp_loads(far), cpu.fp_loads(33_333), call()].concat();
        plans.push(("floating-point registers", downcall(Entry::Direct, 0, align, ops)));
    }
    if cpu.x87 {
        let x87 = |len, off| Op::Move {
            from: Place::X87(0),
            to: Place::Mem(Base::Frame, off),
            len,
            ext: Ext::None,
        };
        plans.push((
            "x87 results",
            downcall(Entry::Direct, 0, align, vec![Op::Call, x87(4, 8), x87(8, 70_000)]),
        ));
    }
    let mut stack: Vec<Op> =
        (1..=8).map(|n| between(Base::Frame, 8 * n, Base::Out, 8 * n, n, Ext::None)).collect();
    stack.push(between(Base::Frame, 1, Base::Out, 80, 1, Ext::Zero(4)));
    stack.push(between(Base::Frame, 2, Base::Out, 84, 1, Ext::Sign(4)));
    stack.push(between(Base::Frame, 4, Base::Out, 88, 2, Ext::Sign(4)));
    stack.push(between(Base::Frame, far + 3, Base::Out, 92, 4, Ext::None));
    stack.push(Op::Address { of: (Base::Frame, 0), to: Place::Mem(Base::Out, 96) });
    stack.push(Op::Address { of: (Base::Frame, 70_000), to: Place::Mem(Base::Out, 96 + word) });
    plans.push(("stack arguments", downcall(Entry::Direct, 112, align, [stack, call()].concat())));
    plans.push((
        "addresses",
        downcall(
            Entry::Direct,
            0,
            align,
            vec![
                Op::Address { of: (Base::Frame, 0), to: int },
                Op::Address { of: (Base::Frame, 200), to: int },
                Op::Address { of: (Base::Frame, 70_000), to: int },
                Op::Address { of: (Base::Frame, 0x12_3456), to: int },
                Op::Call,
            ],
        ),
    ));
    plans.push((
        "copies",
        downcall(
            Entry::Direct,
            1_600,
            align,
            vec![
                copy(Base::Frame, 0, Base::Out, 0, 3),
                copy(Base::Frame, 8, Base::Out, 8, 31),
                copy(Base::Frame, 3, Base::Out, 40, 64),
                copy(Base::Frame, far + 5, Base::Out, 104, 24),
                copy(Base::Frame, 100, Base::Out, 200, 65),
                copy(Base::Frame, far + 1, Base::Out, 300, 1_271),
                Op::Call,
            ],
        ),
    ));
    plans.push(("over-aligned stack", downcall(Entry::Direct, 128, 64, call())));
    plans.push(("probed stack", downcall(Entry::Direct, 20_000, align, call())));
    let local = |n, from| Op::Move { from, to: Place::Local(n), len: word, ext: Ext::None };
    let upcall = |frame_bytes, frame_align, locals, pops, ops| Plan {
        entry: Entry::Upcall,
        ops,
        out_bytes: 0,
        stack_align: align,
        frame_bytes,
        frame_align,
        locals,
        pops,
    };
    plans.push(("empty upcall", upcall(16, 16, 0, 0, call())));
    plans.push((
        "upcall",
        upcall(
            144,
            16,
            3,
            cpu.pops,
            [
                cpu.stores(cpu.plain_loads(0)),
                cpu.stores(cpu.fp_loads(80)),
                vec![
                    local(0, int),
                    local(1, Place::Mem(Base::In, 24)),
                    local(2, Place::Mem(Base::In, 5_000)),
                    between(Base::In, 8, Base::Frame, 64, 8, Ext::None),
                    between(Base::In, 16, Base::Frame, 72, 7, Ext::None),
                    copy(Base::In, 32, Base::Frame, 80, 40),
                    copy(Base::Behind(1), 0, Base::Frame, 80, 24),
                    Op::Call,
                    copy(Base::Frame, 8, Base::Behind(0), 0, 100),
                    Op::Move { from: Place::Local(2), to: int, len: word, ext: Ext::None },
                ],
                cpu.int_loads(16),
                cpu.fp_loads(80),
            ]
            .concat(),
        ),
    ));
    if cpu.x87 {
        let x87 = |len, off| Op::Move {
            from: Place::Mem(Base::Frame, off),
            to: Place::X87(0),
            len,
            ext: Ext::None,
        };
        plans.push(("upcall with an x87 result", upcall(32, 16, 0, 0, vec![Op::Call, x87(8, 16)])));
        plans
            .push(("upcall with a float result", upcall(32, 16, 0, 0, vec![Op::Call, x87(4, 16)])));
    }
    plans.push(("over-aligned upcall", upcall(256, 128, 1, 0, call())));
    plans.push(("probed upcall", upcall(65_536, 16, 0, 0, call())));
    plans
}

/// The plans of the CPU's signatures.
fn signature_plans(cpu: &Cpu) -> Vec<(&'static str, Plan)> {
    let mut plans = Vec::new();
    for text in cpu.signatures {
        let signature = parse_signature(text, &cpu.target.model).expect(text);
        let layout = classify(&cpu.target, &signature).expect(text);
        let frame = FrameLayout::new(&signature, &cpu.target.model);
        let down = plan::downcall(&layout, &frame, Entry::Direct, false);
        let up = plan::upcall(&layout, &frame, &cpu.target);
        plans.extend([(*text, down), (*text, up)]);
    }
    plans
}

/// Plans and what their code decodes to.
pub fn listing(cpu: &Cpu, decode: impl Fn(&[u8]) -> String) -> String {
    let mut text = String::new();
    for (name, plan) in signature_plans(cpu).into_iter().chain(edge_plans(cpu)) {
        let blob = emit(&plan, &cpu.target).unwrap_or_else(|e| panic!("{name}: {e}"));
        writeln!(text, "== {name}\n{plan}  {:?}\n{}", blob.unwind, decode(&blob.code)).unwrap();
    }
    text
}

/// Compares a listing with the golden file, or rewrites it.
pub fn check(name: &str, listing: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, listing).expect("a writable golden file");
        return;
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    if golden == listing {
        return;
    }
    let (at, (old, new)) = golden
        .lines()
        .chain(std::iter::repeat("(end)"))
        .zip(listing.lines().chain(["(end)"]))
        .enumerate()
        .find(|(_, (old, new))| old != new)
        .expect("the texts differ in a line");
    panic!(
        "{} line {}:\n  golden  {old}\n  emitted {new}\nBLESS=1 accepts the new listing",
        path.display(),
        at + 1
    );
}

/// Runs `llvm-mc` over `input`. None where it is not installed (which is an error in CI).
pub fn llvm_mc(arguments: &[&str], input: &str) -> Option<String> {
    let spawned = Command::new("llvm-mc")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) if std::env::var_os("CI").is_none() => {
            eprintln!("SKIPPED: llvm-mc (Debian package llvm) does not start: {error}");
            return None;
        }
        Err(error) => panic!("llvm-mc (Debian package llvm) does not start: {error}"),
    };
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("llvm-mc's output");
    writer.join().expect("the writer").expect("llvm-mc reads its input");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "llvm-mc: {errors}");
    Some(String::from_utf8(output.stdout).expect("text"))
}

/// Disassembles with `llvm-mc`, an instruction per line.
pub fn disassemble(arguments: &[&str], code: &[u8]) -> Option<String> {
    let hex: String = code.iter().map(|byte| format!("{byte:#04x} ")).collect();
    let text = llvm_mc(&[&["--disassemble"], arguments].concat(), &hex)?;
    Some(
        text.lines()
            .filter(|line| !line.trim_start().starts_with('.'))
            .map(|line| format!("  {}\n", line.trim().replace('\t', " ")))
            .collect(),
    )
}
