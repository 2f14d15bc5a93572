//! Golden location tables: what the classifiers say about signatures that people chose.

mod common;

use ffi_jit::abi::{CallLayout, Passing, Piece, Returning, classify};
use ffi_jit::plan::{Entry, FrameLayout, downcall, upcall, verify};
use ffi_jit::target::{Arch, Os, Target, Toolchain};
use ffi_jit::types::{Signature, Type, parse_signature};

/// Every byte of every scalar in `ty` travels exactly once.
fn assert_covered<'a>(
    ty: &Type,
    target: &Target,
    pieces: impl Iterator<Item = &'a Piece>,
    name: &str,
) {
    let mut count = vec![0; ty.size(&target.model) as usize];
    for piece in pieces {
        (piece.at..piece.at + piece.len).for_each(|at| count[at as usize] += 1);
    }
    ty.leaves(0, &target.model, &mut |at, scalar| {
        let bytes = at..at + scalar.size(&target.model);
        assert!(bytes.clone().all(|at| count[at as usize] == 1), "{name}: {bytes:?} of {ty}");
        true
    });
}

fn assert_complete(signature: &Signature, layout: &CallLayout, target: &Target, name: &str) {
    assert_eq!(signature.params.len(), layout.args.len(), "{name}");
    for (ty, passing) in signature.params.iter().zip(&layout.args) {
        match passing {
            Passing::Ignore => assert_eq!(ty.size(&target.model), 0, "{name}"),
            Passing::Value(_) => assert_covered(ty, target, passing.distinct(), name),
            Passing::Reference { size, .. } => {
                assert_eq!(*size, ty.size(&target.model), "{name}");
            }
        }
    }
    match &layout.ret {
        Returning::Void => assert_eq!(signature.ret.size(&target.model), 0, "{name}"),
        Returning::Value(pieces) => {
            assert_covered(&signature.ret, target, pieces.iter(), name);
        }
        Returning::Memory { size, .. } => {
            assert_eq!(*size, signature.ret.size(&target.model), "{name}");
        }
    }
}

/// The table line of a signature, whose layout is also checked for lost bytes, and its plans by
/// the verifier.
fn line(text: &str, target: &Target) -> String {
    let signature = parse_signature(text, &target.model).expect(text);
    assert_eq!(signature.to_string(), text, "heads are in normal form");
    let layout = classify(target, &signature).expect(text);
    assert_complete(&signature, &layout, target, text);
    let frame = FrameLayout::new(&signature, &target.model);
    let plans = [
        downcall(&layout, &frame, Entry::Direct, false),
        downcall(&layout, &frame, Entry::Stacked, true),
        upcall(&layout, &frame, target),
    ];
    for plan in plans {
        verify(&plan, &layout, &frame).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
    layout.to_string()
}

#[test]
fn sysv64() {
    let target = Target::new(Arch::X64, Os::Linux, Toolchain::Gnu);
    common::check("sysv64.txt", 80, |head| line(head, &target));
}

#[test]
fn win64() {
    let target = Target::new(Arch::X64, Os::Windows, Toolchain::Msvc);
    common::check("win64.txt", 90, |head| line(head, &target));
}

#[test]
fn aapcs64() {
    let flavours = [
        ("aapcs64-linux.txt", Os::Linux),
        ("aapcs64-darwin.txt", Os::Darwin),
        ("aapcs64-windows.txt", Os::Windows),
    ];
    for (name, os) in flavours {
        let target = Target::new(Arch::Aarch64, os, Toolchain::Gnu);
        common::check(name, 110, |head| line(head, &target));
    }
}

#[test]
fn aapcs32() {
    let target = Target::new(Arch::Arm32, Os::Linux, Toolchain::Gnu);
    common::check("aapcs32.txt", 110, |head| line(head, &target));
}

#[test]
fn x86() {
    let systems = [
        ("x86-linux.txt", Os::Linux, Toolchain::Gnu),
        ("x86-windows-gnu.txt", Os::Windows, Toolchain::Gnu),
        ("x86-windows-msvc.txt", Os::Windows, Toolchain::Msvc),
    ];
    for (name, os, toolchain) in systems {
        let target = Target::new(Arch::X86, os, toolchain);
        common::check(name, 120, |head| line(head, &target));
    }
}

/// The same signatures under every other ABI: nothing is lost, and the verifier accepts the plans.
#[test]
fn every_abi_is_complete() {
    let targets = [
        (Arch::X64, Os::Windows, Toolchain::Msvc),
        (Arch::X86, Os::Linux, Toolchain::Gnu),
        (Arch::X86, Os::Windows, Toolchain::Gnu),
        (Arch::X86, Os::Windows, Toolchain::Msvc),
        (Arch::Aarch64, Os::Linux, Toolchain::Gnu),
        (Arch::Aarch64, Os::Darwin, Toolchain::Gnu),
        (Arch::Aarch64, Os::Windows, Toolchain::Msvc),
        (Arch::Arm32, Os::Linux, Toolchain::Gnu),
    ];
    let table = include_str!("../golden/sysv64.txt");
    let signatures = table.lines().filter(|line| line.starts_with('('));
    for text in signatures {
        for (arch, os, toolchain) in targets {
            let target = Target::new(arch, os, toolchain);
            line(text, &target);
            let conventions: &[&str] = match arch {
                Arch::X86 if text.starts_with("(ptr") => &["stdcall", "fastcall", "thiscall"],
                Arch::X86 => &["stdcall", "fastcall"],
                _ => &[],
            };
            for convention in conventions {
                line(&format!("{convention} {text}"), &target);
            }
        }
    }
}
