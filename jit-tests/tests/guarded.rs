//! The driver of `ci/emulate.py` on this machine: callee-saved registers, SP, and all values of
//! some random signatures; and that it sees what is wrong.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use ffi_jit::target::Target;
use ffi_jit::types::{Signature, parse_signature};
use jit_tests::batch::Batch;
use jit_tests::compiler::Compiler;
use jit_tests::emulate::Emulation;
use jit_tests::rng::seed_from_environment;

fn emulation(name: &str) -> Emulation {
    Emulation {
        target: Target::host().expect("a known host"),
        compilers: Compiler::host(),
        runner: Vec::new(),
        directory: std::env::temp_dir().join(format!("ffi-jit-{name}-{}", std::process::id())),
        seed: seed_from_environment(),
    }
}

#[test]
fn random_signatures_keep_registers_and_values() {
    let emulation = emulation("guarded");
    println!("seed {}", emulation.seed);
    let mismatches = emulation.run(0, 150, 0).expect("a compiler and the driver");
    assert!(mismatches.is_empty(), "seed {}\n{}", emulation.seed, mismatches.join("\n\n"));
    std::fs::remove_dir_all(&emulation.directory).expect("our own directory");
}

#[test]
fn what_does_not_fit_is_seen() {
    let emulation = emulation("unfit");
    let parse = |text: &str| parse_signature(text, &emulation.target.model).expect(text);
    let [real, claimed] = [
        ["(i32, i64) -> i32", "(struct{f32, f32}) -> void", "(i8) -> f64", "() -> i64"],
        ["(i64, i32) -> i32", "(struct{i32, f32}) -> void", "(i8) -> i64", "() -> i64"],
    ]
    .map(|texts| texts.map(parse).to_vec());
    let batch = Batch::of(&emulation.target, real);
    let see = |claimed: &[Signature]| {
        let mismatches = emulation.claim(&batch, claimed, &emulation.compilers[0]);
        let mismatches = mismatches.expect("a compiler and the driver");
        mismatches.iter().map(|mismatch| mismatch.number).collect::<Vec<_>>()
    };
    assert_eq!(see(&claimed), [0, 1, 2]);
    assert_eq!(see(&batch.signatures), []);
    std::fs::remove_dir_all(&emulation.directory).expect("our own directory");
}
