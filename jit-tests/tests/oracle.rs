//! The C-compiler oracle on this machine: random signatures, called in both directions.
//! `FFI_JIT_SEED` repeats a run, `FFI_JIT_ORACLE_COUNT` lengthens it.

use jit_tests::batch::Batch;
use jit_tests::c_source::RESULT_SALT;
use jit_tests::compiler::Compiler;
use jit_tests::leaves::leaves;
use jit_tests::oracle::Options;
use jit_tests::rng::seed_from_environment;

const SIGNATURES: u64 = 4000;

fn options(seed: u64, count: u64) -> Options {
    Options::host(env!("CARGO_BIN_EXE_oracle"), seed, count).expect("a host with a classifier")
}

#[test]
fn random_signatures_agree_with_the_c_compiler() {
    let seed = seed_from_environment();
    println!("FFI_JIT_SEED={seed}");
    let count = std::env::var("FFI_JIT_ORACLE_COUNT")
        .map_or(SIGNATURES, |text| text.parse().expect("FFI_JIT_ORACLE_COUNT is a number"));
    let report = options(seed, count).run(&|_, _| {}).expect("a compiler and a runner that work");
    assert_eq!(report.tested, count);
    assert!(
        report.failures.is_empty(),
        "{} of {count} signatures fail with FFI_JIT_SEED={seed}\n\n{}",
        report.failures.len(),
        report.failures.join("\n\n")
    );
}

/// C code that changes one byte on each way is found out, for every signature that has any, and
/// what fails is shrunk to next to nothing.
#[test]
fn the_oracle_sees_a_changed_byte() {
    let (seed, count) = (3, 40);
    let mut options = options(seed, count);
    options.directory.push("spoiled");
    let cc = options.compilers[0].command.join(" ");
    options.compilers = vec![Compiler::new(&cc, "-O1 -DORACLE_SPOIL")];
    let model = options.target.model;
    let visible = Batch::random(&options.target, seed, 0, count)
        .signatures
        .iter()
        .filter(|signature| {
            let result = leaves(&signature.ret, &model, RESULT_SALT);
            let args = (0..).zip(&signature.params).flat_map(|(i, ty)| leaves(ty, &model, i));
            !result.is_empty() || args.count() > 0
        })
        .count();
    let report = options.run(&|_, _| {}).expect("a compiler and a runner that work");
    assert_eq!(report.failures.len(), visible, "{}", report.failures.join("\n"));
    let shrunk: Vec<&str> = report
        .failures
        .iter()
        .flat_map(|failure| failure.lines())
        .filter_map(|line| line.strip_prefix("shrunk: "))
        .collect();
    assert_eq!(shrunk.len(), 5);
    for signature in shrunk {
        assert!(["(i32) -> void", "() -> i32"].contains(&signature), "{signature}");
    }
    std::fs::remove_dir_all(&options.directory).expect("our own directory");
}
