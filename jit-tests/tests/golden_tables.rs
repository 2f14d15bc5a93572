//! Golden location tables: what the classifiers say about signatures that people chose.

mod common;

use ffi_jit::abi::{CallLayout, Passing, Returning, classify};
use ffi_jit::plan::{Entry, FrameLayout, downcall, upcall, verify};
use ffi_jit::target::{Arch, Os, Target, Toolchain};
use ffi_jit::types::{Signature, Type, parse_signature};

/// How often each byte of a value travels.
fn travels(size: u32, pieces: &[ffi_jit::abi::Piece]) -> Vec<u32> {
    let mut count = vec![0; size as usize];
    for piece in pieces {
        (piece.at..piece.at + piece.len).for_each(|at| count[at as usize] += 1);
    }
    count
}

/// Every byte of every scalar in `ty` travels exactly once.
fn assert_covered(ty: &Type, target: &Target, pieces: &[ffi_jit::abi::Piece], name: &str) {
    let count = travels(ty.size(&target.model), pieces);
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
            Passing::Value(pieces) => assert_covered(ty, target, pieces, name),
            Passing::Reference { size, .. } => {
                assert_eq!(*size, ty.size(&target.model), "{name}");
            }
        }
    }
    match &layout.ret {
        Returning::Void => assert_eq!(signature.ret.size(&target.model), 0, "{name}"),
        Returning::Value(pieces) => assert_covered(&signature.ret, target, pieces, name),
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
