//! Long runs of the C-compiler oracle; `jit-tests/README.md` shows the uses.

use ffi_jit::target::Target;
use ffi_jit::types::parse_signature;
use jit_tests::batch::Batch;
use jit_tests::compiler::Compiler;
use jit_tests::oracle::{Options, check};
use jit_tests::rng::{parse_seed, seed_from_environment};
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Instant;

const USAGE: &str = "usage: oracle [--count N] [--seed N] [--first N] [--batch N] [--jobs N]
              [--cc COMMAND]... [--flags FLAGS] [--target TRIPLE] [--runner COMMAND]
              [--directory PATH] [--signature TEXT]
              (--runner none: compile only, which compares layouts)
       oracle check LIST LIBRARY SEED FROM      (what a runner is asked)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = arguments[1..].iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["check", list, library, seed, from] => check_command(list, library, seed, from),
        _ => run_command(&arguments[0], &words),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::from(2)
    })
}

fn check_command(list: &str, library: &str, seed: &str, from: &str) -> Result<ExitCode, String> {
    let seed = parse_seed(seed).ok_or(USAGE)?;
    let from = from.parse().map_err(|_| USAGE)?;
    check(Path::new(list), Path::new(library), seed, from).map(|()| ExitCode::SUCCESS)
}

fn run_command(program: &str, words: &[&str]) -> Result<ExitCode, String> {
    let mut options = Options::host(program, seed_from_environment(), 2000)?;
    let (mut commands, mut flags, mut signature) = (Vec::new(), None, None);
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        let Some(&value) = words.next() else { return Err(USAGE.to_owned()) };
        let number = || parse_seed(value).ok_or(format!("{word} {value}: a number is needed"));
        match word {
            "--count" => options.count = number()?,
            "--seed" => options.seed = number()?,
            "--first" => options.first = number()?,
            "--batch" => options.batch = number()?.max(1),
            "--jobs" => options.jobs = number()? as usize,
            "--cc" => commands.push(value),
            "--flags" => flags = Some(value),
            "--runner" if value == "none" => options.runner.clear(),
            "--runner" => options.runner = value.split_whitespace().map(str::to_owned).collect(),
            "--directory" => options.directory = value.into(),
            "--signature" => signature = Some(value),
            "--target" => {
                let triple = target_lexicon::Triple::from_str(value)
                    .map_err(|error| format!("{value}: {error}"))?;
                options.target = Target::from_triple(&triple).map_err(|error| error.to_string())?;
            }
            _ => return Err(USAGE.to_owned()),
        }
    }
    if !commands.is_empty() {
        let levels = flags.map_or_else(|| vec!["-O1", "-O0", "-O2"], |flags| vec![flags]);
        let with = |level: &str| {
            commands.iter().map(|cc| Compiler::new(cc, level)).collect::<Vec<Compiler>>()
        };
        options.compilers = levels.into_iter().flat_map(with).collect();
    } else if let Some(flags) = flags {
        options
            .compilers
            .iter_mut()
            .for_each(|cc| *cc = Compiler::new(&cc.command.join(" "), flags));
    }
    match signature {
        Some(text) => one(&mut options, text),
        None => many(&options),
    }
}

/// One given signature, by every compiler.
fn one(options: &mut Options, text: &str) -> Result<ExitCode, String> {
    let signature =
        parse_signature(text, &options.target.model).map_err(|error| error.to_string())?;
    std::fs::create_dir_all(&options.directory).map_err(|error| error.to_string())?;
    let batch = Batch::of(&options.target, vec![signature]);
    let mut code = ExitCode::SUCCESS;
    for compiler in &options.compilers {
        let failures = options.batch(&batch, compiler)?;
        println!("{}: {}", compiler.name(), if failures.is_empty() { "agrees" } else { "differs" });
        for failure in failures {
            println!("{failure}");
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

fn many(options: &Options) -> Result<ExitCode, String> {
    let start = Instant::now();
    let names: Vec<String> = options.compilers.iter().map(Compiler::name).collect();
    println!("seed {}, {} signatures from {}", options.seed, options.count, options.first);
    println!("compilers: {}", names.join("; "));
    let visible = std::io::stderr().is_terminal();
    let report = options.run(&|tested, failures| {
        if visible {
            eprint!("\r{tested} of {} signatures, {failures} failures ", options.count);
        }
    })?;
    if visible {
        eprintln!();
    }
    for failure in &report.failures {
        println!("\n{failure}");
    }
    println!(
        "{} signatures in both directions, {} failures, {:.1} s",
        report.tested,
        report.failures.len(),
        start.elapsed().as_secs_f32()
    );
    Ok(if report.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
