//! The C compiler as oracle for CPUs that this machine only emulates.
//!
//! Trampolines are emitted here; everything that runs there is C: a batch's callees and callers,
//! and `c/driver.c`, which calls the trampolines and is called by them. No Rust for the target is
//! needed, and the driver's assembly sees what Rust could not: callee-saved registers, SP at every
//! call and behind every return.

use crate::batch::{Batch, Slot};
use crate::c_source::RESULT_SALT;
use crate::compiler::Compiler;
use crate::leaves::{Leaf, leaves};
use crate::random;
use crate::rng::Rng;
use crate::shrink::shrink;
use ffi_jit::abi::Passing;
use ffi_jit::arch::{SLOT_STRIDE, emit, emit_slots};
use ffi_jit::call::Prepared;
use ffi_jit::code::eh_frame;
use ffi_jit::plan::{Entry, verify};
use ffi_jit::target::{Arch, Os, Target};
use ffi_jit::types::{Convention, Scalar, Signature, Type, parse_signature};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a run does.
#[derive(Clone, Debug)]
pub struct Emulation {
    /// What code is emitted for.
    pub target: Target,
    /// Compilers that make programs of the target, taken in turns.
    pub compilers: Vec<Compiler>,
    /// The command in front of a program: an emulator, or nothing.
    pub runner: Vec<String>,
    /// Where sources, programs and cases go.
    pub directory: PathBuf,
    /// The seed.
    pub seed: u64,
}

/// A signature on which we and the compiler disagree.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// Position in the batch.
    pub number: usize,
    /// What happened.
    pub problem: String,
}

/// Slots on a page as the driver maps them, and the bytes of their records.
const SLOTS: usize = 256;
const RECORDS: usize = 65_536;
const RECORD_STRIDE: usize = 64;

/// Calls of each signature in each direction; the first three take the three kinds of entry.
const ROUNDS: u32 = 3;

/// What random signatures are too small for: stacks of many pages, copies of all lengths, offsets
/// beyond what instructions encode, large alignments. The first batch of a run has them, too.
const EDGES: [&str; 6] = [
    "(struct{u8[5000]}, i32, struct{u64[2000]}) -> struct{u8[9001]}",
    "(struct{u8[100003]}, struct{u8[100000]}, f64, i8) -> struct{u8[70001]}",
    "(i8, struct{i8, i64@64}, struct{u8[40000]}, i8, struct{f64@128}) -> struct{i8@256}",
    "(struct{f32[4]}, ..., struct{u8[4095]}, struct{u8[4096]}, struct{i16[2049]}) -> i64",
    "(struct{u16[300]}, struct{u8[255]}, struct{u8[1021]}, struct{u8[4097]}, struct{u8[33000]}, \
     i16, u8, struct{u8[3]}, struct{u8[7]}, struct{u8[13]}, f32, f64, struct{f64[4]}, \
     struct{u8[5]}, struct{u16[3]}) -> struct{u8[15]}",
    "(struct{u8[2040]}, struct{u8[2047]}, struct{u8[2043]}) -> void",
];

/// The driver's file: little-endian words, and blobs padded to a multiple of 4.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: u32) {
        self.0.extend(number.to_le_bytes());
    }

    fn blob(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u32);
        self.0.extend(bytes);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }
}

/// The leaves of a value of a frame.
struct Cell {
    at: u32,
    leaves: Vec<Leaf>,
}

impl Cell {
    fn draw(&self, rng: &mut Rng, target: &Target) -> Vec<Slot> {
        self.leaves.iter().map(|leaf| random::value(rng, leaf.scalar, target)).collect()
    }
}

/// Bytes of the frame that a downcall may change: its result, errno, and copies that the callee
/// owns.
fn free_bytes(prepared: &Prepared) -> Vec<u8> {
    let Prepared { target, signature, layout, frame } = prepared;
    let mut mask = vec![0; frame.size as usize];
    let mut free = |at: u32, size: u32| mask[at as usize..(at + size) as usize].fill(1);
    free(frame.ret, signature.ret.size(&target.model));
    free(frame.errno, 4);
    for (passing, &at) in layout.args.iter().zip(&frame.args) {
        if let Passing::Reference { size, .. } = passing {
            free(at, *size);
        }
    }
    mask
}

fn write_case(writer: &mut Writer, prepared: &Prepared, rng: &mut Rng) -> Result<(), String> {
    let Prepared { target, signature, layout, frame } = prepared;
    let model = &target.model;
    let mut blobs = Vec::new();
    for entry in [Entry::Direct, Entry::Fixed, Entry::Stacked, Entry::Upcall] {
        let plan = prepared.plan(entry, true);
        let blob = verify(&plan, layout, frame).and_then(|()| emit(&plan, target));
        blobs.push(blob.map_err(|error| format!("{entry:?} of {signature}: {error}"))?);
    }
    let pops = prepared.plan(Entry::Upcall, true).pops;
    for number in [frame.size, frame.align, layout.stack_align, pops, frame.errno] {
        writer.number(number);
    }
    for blob in &blobs {
        writer.blob(&blob.code);
        let table = eh_frame::build(target.arch, &blob.unwind, 0, blob.code.len() as u64);
        writer.blob(table.as_ref().map_or(&[], |table| &table.section));
        writer.number(table.as_ref().map_or(0, |table| table.description as u32));
    }
    writer.blob(&free_bytes(prepared));

    let cell = |ty: &Type, at, salt| Cell { at, leaves: leaves(ty, model, salt) };
    let params = (0..).zip(&signature.params).zip(&frame.args);
    let args: Vec<Cell> = params.map(|((salt, ty), &at)| cell(ty, at, salt)).collect();
    let ret = cell(&signature.ret, frame.ret, RESULT_SALT);
    for cells in [&args[..], std::slice::from_ref(&ret)] {
        writer.number(cells.iter().map(|cell| cell.leaves.len() as u32).sum());
        for (cell, leaf) in cells.iter().flat_map(|c| c.leaves.iter().map(move |leaf| (c, leaf))) {
            writer.number(cell.at + leaf.at);
            writer.number(leaf.scalar.size(model));
        }
    }
    writer.number(ROUNDS);
    for _ in 0..ROUNDS {
        let mut bytes: Vec<u8> = (0..frame.size).map(|_| rng.bits() as u8).collect();
        let mut values = Vec::new();
        for cell in &args {
            for (leaf, value) in cell.leaves.iter().zip(cell.draw(rng, target)) {
                let (at, size) = ((cell.at + leaf.at) as usize, leaf.scalar.size(model) as usize);
                bytes[at..at + size].copy_from_slice(&value[..size]);
                values.push(value);
            }
        }
        writer.blob(&bytes);
        writer.blob(values.as_flattened());
        writer.blob(ret.draw(rng, target).as_flattened());
        writer.number(rng.below(0x7FFF));
        writer.number(rng.below(256));
    }
    Ok(())
}

/// The cases of a batch as the driver reads them.
fn cases(target: &Target, signatures: &[Signature], seed: u64) -> Result<Vec<u8>, String> {
    let mut writer = Writer::default();
    let runs_c = usize::from(runs_c(target));
    for number in [signatures.len(), runs_c, SLOTS, RECORDS, RECORD_STRIDE] {
        writer.number(number as u32);
    }
    let slots =
        emit_slots(target, SLOTS, RECORDS, RECORD_STRIDE).map_err(|error| error.to_string())?;
    assert_eq!(slots.len(), SLOTS * SLOT_STRIDE);
    writer.blob(&slots);
    for (number, signature) in (0..).zip(signatures) {
        let prepared = Prepared::new(*target, signature.clone())
            .map_err(|error| format!("{signature}: {error}"))?;
        write_case(&mut writer, &prepared, &mut Rng::stream(!seed, number))?;
    }
    Ok(writer.0)
}

/// Whether C code of the target's ABI can run where the code runs. Apple's and Windows' flavours
/// of AAPCS64 run as Linux programs: of them downcalls meet upcalls only.
fn runs_c(target: &Target) -> bool {
    target.arch != Arch::Aarch64 || matches!(target.os, Os::Linux | Os::Android)
}

/// Whether c/unwind.h tests the unwinder on programs for the target.
fn unwinds(target: &Target) -> bool {
    target.arch == Arch::Aarch64
        || target.arch != Arch::Arm32 && matches!(target.os, Os::Linux | Os::Android)
}

/// The program's source: the batch, tables of its functions, the driver.
fn program_text(target: &Target, batch: &Batch) -> String {
    let none = Batch::of(target, Vec::new());
    let batch = if runs_c(target) { batch } else { &none };
    let mut text = batch.text();
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("c").join("driver.c");
    let mut table = |declaration: &str, name: &str| {
        let _ = writeln!(text, "{declaration} = {{");
        for number in 0..batch.signatures.len() {
            let _ = writeln!(text, "  (void *){name}_{number},");
        }
        text.push_str("};\n");
    };
    table("void *const callees[]", "callee");
    table("void (*const callers[])(void (*)(void))", "caller");
    let _ = writeln!(text, "#include {:?}", driver.display().to_string());
    text
}

fn with_this(signature: Signature, target: &Target) -> Signature {
    if signature.convention != Convention::Thiscall {
        return signature;
    }
    let Signature { convention, ret, mut params, fixed } = signature;
    params.insert(0, Scalar::Pointer.into());
    Signature::new(convention, ret, params, fixed, &target.model)
        .expect("one parameter more is no problem")
}

/// Whether this compiler does what the others do. GCC and Clang disagree on
/// - fastcall and thiscall: Clang counts the words of small records against the registers but
///   does not skip the registers, GCC also counts those of 64-bit integers; GCC passes the
///   hidden result pointer in ecx, Clang as Microsoft's compilers do. Our tables follow Clang but
///   for the small records;
/// - a packed record of doubles on arm32's stack: Clang aligns it to 8, GCC to 4 as the AAPCS
///   says.
fn is_settled(signature: &Signature, target: &Target, clang: bool) -> bool {
    let model = &target.model;
    let any_param = |of: &dyn Fn(&Type) -> bool| signature.params.iter().any(of);
    let packed_doubles = |ty: &Type| {
        ty.is_aggregate()
            && ty.align(model) < 8
            && ty.leaves(0, model, &mut |_, scalar| scalar == Scalar::F64)
    };
    match (target.arch, signature.convention) {
        (Arch::X86, Convention::Fastcall) if clang => {
            !any_param(&|ty| ty.is_aggregate() && ty.size(model) <= 8)
        }
        (Arch::X86, Convention::Fastcall | Convention::Thiscall) => clang,
        (Arch::Arm32, _) => !clang || !any_param(&packed_doubles),
        _ => true,
    }
}

impl Emulation {
    /// Runs the signatures `first..first + count`, with batch 0 the edges, too; a text for each
    /// mismatch.
    ///
    /// # Errors
    /// A compiler, emulator or driver that does not work.
    pub fn run(&self, first: u64, count: u64, batch_number: u64) -> Result<Vec<String>, String> {
        let compiler = &self.compilers[batch_number as usize % self.compilers.len()];
        let signature = |index| self.signature(index, compiler);
        let mut signatures: Vec<Signature> = (first..first + count).map(signature).collect();
        if batch_number == 0 {
            let edge = |text| parse_signature(text, &self.target.model);
            signatures.extend(EDGES.map(|text| edge(text).expect("a signature")));
        }
        let batch = Batch::of(&self.target, signatures);
        let mismatches = self.batch(&batch, compiler)?;
        let mut texts = Vec::new();
        for (i, Mismatch { number, problem }) in mismatches.iter().enumerate() {
            let signature = &batch.signatures[*number];
            let mut text = format!(
                "signature {} of seed {}, compiled by {}\n{signature}\n{problem}",
                first + *number as u64,
                self.seed,
                compiler.name()
            );
            if i == 0 {
                let smallest = self.shrink(signature, compiler);
                let described = Prepared::new(self.target, smallest).map_or_else(
                    |error| error.to_string(),
                    |p| {
                        format!(
                            "{}\n{}\n{}{}",
                            p.signature,
                            p.layout,
                            p.plan(Entry::Direct, false),
                            p.plan(Entry::Upcall, false)
                        )
                    },
                );
                let _ = write!(text, "\nshrunk: {described}");
            }
            texts.push(text);
        }
        Ok(texts)
    }

    /// A random signature that the compiler is an oracle for; a thiscall function gets the
    /// pointer that it needs.
    fn signature(&self, index: u64, compiler: &Compiler) -> Signature {
        let clang = compiler.command.iter().any(|w| w.contains("zig") || w.contains("clang"));
        // Indices of other runs are far below the step.
        (0..1000)
            .map(|attempt| random::signature(&self.target, self.seed, index + (attempt << 40)))
            .map(|signature| with_this(signature, &self.target))
            .find(|signature| is_settled(signature, &self.target, clang))
            .expect("most signatures are settled")
    }

    fn shrink(&self, signature: &Signature, compiler: &Compiler) -> Signature {
        shrink(signature.clone(), &self.target.model, &mut |list| {
            let batch = Batch::of(&self.target, list.to_vec());
            let mismatches = self.batch(&batch, compiler).unwrap_or_default();
            (0..list.len()).map(|i| mismatches.iter().any(|m| m.number == i)).collect()
        })
    }

    /// Compiles and runs one batch.
    ///
    /// # Errors
    /// As [`Emulation::run`].
    pub fn batch(&self, batch: &Batch, compiler: &Compiler) -> Result<Vec<Mismatch>, String> {
        self.claim(batch, &batch.signatures, compiler)
    }

    /// As [`Emulation::batch`], with trampolines for other signatures than those that C has: what
    /// must end in mismatches.
    ///
    /// # Errors
    /// As [`Emulation::run`].
    pub fn claim(
        &self,
        batch: &Batch,
        claimed: &[Signature],
        compiler: &Compiler,
    ) -> Result<Vec<Mismatch>, String> {
        fs::create_dir_all(&self.directory)
            .map_err(|error| format!("{}: {error}", self.directory.display()))?;
        let path = |name: &str| self.directory.join(name);
        let (source, program, data) = (path("batch.c"), path("batch.exe"), path("batch.cases"));
        let put = |path: &Path, bytes: &[u8]| {
            fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
        };
        put(&source, program_text(&self.target, batch).as_bytes())?;
        put(&data, &cases(&self.target, claimed, self.seed)?)?;
        self.compile(compiler, &source, &program)?;

        let mut mismatches = Vec::new();
        let mut from = 0;
        while from < batch.signatures.len() {
            let (text, success, end) = self.drive(&program, &data, from)?;
            let mut at = None;
            for line in text.lines() {
                let mut words = line.splitn(3, ' ');
                let kind = words.next();
                let number = words.next().and_then(|word| word.parse::<usize>().ok());
                match (kind, number) {
                    (Some("at"), Some(number)) => at = Some(number),
                    (Some("failed"), Some(number)) => {
                        let problem = words.next().unwrap_or_default().to_owned();
                        mismatches.push(Mismatch { number, problem });
                    }
                    _ => {}
                }
            }
            if text.ends_with("done\n") && success {
                break;
            }
            let number = at.ok_or(format!("the driver did not start: {end}"))?;
            mismatches.push(Mismatch { number, problem: format!("the driver died: {end}") });
            from = number + 1;
        }
        Ok(mismatches)
    }

    fn compile(&self, compiler: &Compiler, source: &Path, program: &Path) -> Result<(), String> {
        let (head, leading) = compiler.command.split_first().ok_or("an empty compiler command")?;
        let mut command = Command::new(head);
        command.args(leading).args(["-std=gnu11", "-w", "-funwind-tables"]);
        if self.target.os != Os::Windows || !runs_c(&self.target) {
            command.args(["-static", "-fno-pie", "-no-pie"]);
        }
        command.args(&compiler.flags).arg("-o").arg(program).arg(source);
        // The unwinder comes with gcc, and has to be asked for with zig.
        if unwinds(&self.target) && compiler.command.iter().any(|word| word.contains("zig")) {
            command.arg("-lunwind");
        }
        let output = command.output().map_err(|error| format!("{head}: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&output.stderr);
        let head: Vec<&str> = text.lines().take(30).collect();
        Err(format!("{command:?}: {}\n{}", output.status, head.join("\n")))
    }

    /// Runs the driver: what it printed, whether it succeeded, how it ended.
    fn drive(
        &self,
        program: &Path,
        data: &Path,
        from: usize,
    ) -> Result<(String, bool, String), String> {
        let words = self.runner.iter().map(Path::new).chain([program]);
        let words: Vec<&Path> = words.collect();
        let output = Command::new(words[0])
            .args(&words[1..])
            .arg(data)
            .arg(from.to_string())
            .output()
            .map_err(|error| format!("{}: {error}", words[0].display()))?;
        let errors = String::from_utf8_lossy(&output.stderr);
        let end = format!("{} {}", output.status, errors.trim());
        // Windows programs end their lines with carriage returns.
        let text = String::from_utf8_lossy(&output.stdout).replace('\r', "");
        Ok((text, output.status.success(), end))
    }
}
