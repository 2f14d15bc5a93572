//! The C-compiler oracle for emulated CPUs; `ci/emulate.py` prepares compilers and emulators.

use ffi_jit::target::Target;
use ffi_jit::types::parse_signature;
use jit_tests::batch::Batch;
use jit_tests::compiler::Compiler;
use jit_tests::emulate::Emulation;
use jit_tests::rng::{parse_seed, seed_from_environment};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Instant;

const USAGE: &str = "usage: emulate --target TRIPLE --cc COMMAND [--flags FLAGS]... \
[--runner COMMAND] [--directory PATH] [--count N] [--first N] [--batch N] [--seed N] \
[--signature TEXT]";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    run(&words).unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::from(2)
    })
}

fn run(words: &[String]) -> Result<ExitCode, String> {
    let (mut triple, mut cc, mut runner, mut flags) = (None, None, "", Vec::new());
    let (mut count, mut first, mut batch) = (1000, 0, 250);
    let mut seed = seed_from_environment();
    let mut directory =
        std::env::temp_dir().join(format!("ffi-jit-emulate-{}", std::process::id()));
    let mut signature = None;
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let value = rest.next().ok_or(USAGE)?.as_str();
        let number = || parse_seed(value).ok_or(format!("{word} {value}: a number is needed"));
        match word.as_str() {
            "--target" => triple = Some(value),
            "--cc" => cc = Some(value),
            "--runner" => runner = value,
            "--flags" => flags.push(value),
            "--count" => count = number()?,
            "--first" => first = number()?,
            "--batch" => batch = number()?.max(1),
            "--seed" => seed = number()?,
            "--directory" => directory = value.into(),
            "--signature" => signature = Some(value),
            _ => return Err(USAGE.to_owned()),
        }
    }
    let triple = triple.ok_or(USAGE)?;
    let cc = cc.ok_or(USAGE)?;
    let parsed =
        target_lexicon::Triple::from_str(triple).map_err(|error| format!("{triple}: {error}"))?;
    let target = Target::from_triple(&parsed).map_err(|error| error.to_string())?;
    if flags.is_empty() {
        flags = vec!["-O1", "-O0", "-O2"];
    }
    let emulation = Emulation {
        target,
        compilers: flags.into_iter().map(|flags| Compiler::new(cc, flags)).collect(),
        runner: runner.split_whitespace().map(str::to_owned).collect(),
        directory,
        seed,
    };
    if let Some(text) = signature {
        return one(&emulation, text);
    }

    println!("{triple}: seed {seed}, {count} signatures from {first}");
    let start = Instant::now();
    let mut mismatches = 0;
    for number in 0..count.div_ceil(batch) {
        let at = first + number * batch;
        for text in emulation.run(at, batch.min(first + count - at), number)? {
            mismatches += 1;
            println!("\n{text}");
        }
    }
    println!(
        "{triple}: {count} signatures in both directions, {mismatches} mismatches, {:.1} s",
        start.elapsed().as_secs_f32()
    );
    Ok(if mismatches == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One given signature, by every compiler.
fn one(emulation: &Emulation, text: &str) -> Result<ExitCode, String> {
    let signature =
        parse_signature(text, &emulation.target.model).map_err(|error| error.to_string())?;
    let batch = Batch::of(&emulation.target, vec![signature]);
    let mut code = ExitCode::SUCCESS;
    for compiler in &emulation.compilers {
        let mismatches = emulation.batch(&batch, compiler)?;
        println!(
            "{}: {}",
            compiler.name(),
            if mismatches.is_empty() { "agrees" } else { "differs" }
        );
        for mismatch in mismatches {
            println!("{}", mismatch.problem);
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}
