//! Golden plans, what is refused, and that the verifier notices every fault.

use super::*;
use crate::abi::classify;
use crate::target::{Arch, Os, Toolchain};
use crate::types::parse_signature;

const X64: Target = Target::new(Arch::X64, Os::Linux, Toolchain::Gnu);
const WIN64: Target = Target::new(Arch::X64, Os::Windows, Toolchain::Gnu);
const ARM64: Target = Target::new(Arch::Aarch64, Os::Linux, Toolchain::Gnu);

fn forms(text: &str) -> Vec<Form> {
    text.chars()
        .map(|c| match c {
            'v' => Form::Void,
            'i' => Form::Int32,
            'u' => Form::Uint32,
            'b' => Form::Bool,
            'f' => Form::Float32,
            'd' => Form::Float64,
            'n' => Form::Number,
            'l' => Form::Int64,
            'L' => Form::Uint64,
            'p' => Form::Pointer,
            'w' => Form::Wrapped,
            's' => Form::Text,
            'm' => Form::View,
            'c' => Form::Cell,
            other => panic!("no form {other}"),
        })
        .collect()
}

fn with<T>(
    target: &Target,
    text: &str,
    letters: &str,
    body: impl FnOnce(&Crossing, &CallLayout) -> T,
) -> T {
    let signature = parse_signature(text, &target.model).expect(text);
    let callee = classify(target, &signature).expect(text);
    let mut forms = forms(letters);
    let result = forms.pop().expect("a result");
    let crossing = Crossing { signature: &signature, callee: &callee, forms: &forms, result };
    let caller = crossing.caller(target).expect(text);
    body(&crossing, &caller)
}

fn thunk(target: &Target, text: &str, letters: &str) -> Result<Thunk> {
    with(target, text, letters, |crossing, _| crossing.thunk(target, false, false))
}

fn listing(target: &Target, text: &str, letters: &str) -> String {
    thunk(target, text, letters).expect(text).to_string()
}

#[test]
fn registers_move_down() {
    let expected = "token 0 locals 0 out 0@16 errno false counted false
  Move { from: Int(6), to: Int(7), how: Bits { len: 4, ext: None } }
  Move { from: Int(2), to: Int(6), how: Bits { len: 4, ext: None } }
  AsIs
";
    assert_eq!(listing(&X64, "(i32, i32) -> i32", "iii"), expected);
    assert!(thunk(&X64, "(i32, i32) -> i32", "iii").expect("a thunk").is_jump());
    let expected = "token 0 locals 0 out 0@16 errno false counted false
  Move { from: Int(1), to: Int(0), how: Bits { len: 1, ext: None } }
  Move { from: Fp(1), to: Fp(0), how: Bits { len: 8, ext: None } }
  Widened { len: 1, signed: false }
";
    assert_eq!(listing(&ARM64, "(u8, f64) -> u8", "udi"), expected);
}

#[test]
fn integers_that_come_as_doubles_take_integer_registers() {
    // rdx goes up to rcx before rsi takes its place.
    let expected = "token 0 locals 0 out 0@16 errno false counted false
  Move { from: Fp(1), to: Int(7), how: Truncated }
  Move { from: Int(2), to: Int(1), how: Bits { len: 4, ext: None } }
  Move { from: Int(6), to: Int(2), how: Bits { len: 2, ext: Sign(4) } }
  Move { from: Fp(2), to: Int(6), how: Truncated }
  Number { signed: false }
";
    assert_eq!(listing(&X64, "(i64, u64, i16, i32) -> u64", "nniin"), expected);
}

#[test]
fn addresses_that_come_as_doubles_are_arguments_only() {
    let expected = "token 0 locals 0 out 0@16 errno false counted false
  Move { from: Fp(1), to: Int(7), how: Truncated }
  Move { from: Int(6), to: Int(6), how: Bits { len: 1, ext: Sign(4) } }
  Move { from: Fp(2), to: Int(2), how: Truncated }
  AsIs
";
    assert_eq!(listing(&X64, "(ptr, i8, ptr) -> f64", "nind"), expected);
    assert!(thunk(&X64, "(ptr) -> ptr", "nn").is_err());
}

#[test]
fn the_stack_comes_first() {
    let expected = "token 0 locals 0 out 16@16 errno false counted false
  Move { from: Mem(In, 8), to: Mem(Out, 0), how: Bits { len: 1, ext: Sign(4) } }
  Move { from: Mem(In, 16), to: Mem(Out, 8), how: Bits { len: 8, ext: None } }
  Move { from: Int(6), to: Int(7), how: Bits { len: 4, ext: None } }
  Move { from: Int(2), to: Int(6), how: Bits { len: 4, ext: None } }
  Move { from: Int(1), to: Int(2), how: Bits { len: 4, ext: None } }
  Move { from: Int(8), to: Int(1), how: Bits { len: 4, ext: None } }
  Move { from: Int(9), to: Int(8), how: Bits { len: 4, ext: None } }
  Move { from: Mem(In, 0), to: Int(9), how: Bits { len: 4, ext: None } }
  AsIs
";
    let text = "(i32, i32, i32, i32, i32, i32, i8, ptr) -> void";
    assert_eq!(listing(&X64, text, "iiiiiiiLv"), expected);
}

/// On Windows a parameter's position decides on its register, whatever its class, and the stack
/// arguments lie behind the home space.
#[test]
fn positions_move_down_by_two_on_windows() {
    let expected = "token 1 locals 0 out 48@16 errno false counted false
  Move { from: Mem(In, 48), to: Mem(Out, 32), how: Bits { len: 1, ext: None } }
  Move { from: Mem(In, 56), to: Mem(Out, 40), how: Bits { len: 8, ext: None } }
  Move { from: Int(8), to: Int(1), how: Bits { len: 4, ext: None } }
  Move { from: Fp(3), to: Fp(1), how: Bits { len: 8, ext: None } }
  Move { from: Mem(In, 32), to: Int(8), how: Truncated }
  Move { from: Mem(In, 40), to: Fp(3), how: Bits { len: 4, ext: None } }
  AsIs
";
    let text = "(i32, f64, i64, f32, i8, ptr) -> void";
    let made = thunk(&WIN64, text, "idnfiLv").expect("a thunk");
    assert!(!made.is_jump());
    assert_eq!(made.to_string(), expected);
    let made = thunk(&WIN64, "(i32, f64) -> i32", "idi").expect("a thunk");
    assert!(made.is_jump() && made.out_bytes == 32);
}

#[test]
fn variadic_doubles_take_both_classes_on_windows() {
    let expected = "token 1 locals 0 out 32@16 errno false counted false
  Move { from: Int(8), to: Int(1), how: Bits { len: 8, ext: None } }
  Move { from: Fp(3), to: Fp(1), how: Bits { len: 8, ext: None } }
  Move { from: Fp(3), to: Int(2), how: Bits { len: 8, ext: None } }
  Move { from: Mem(In, 32), to: Fp(2), how: Bits { len: 8, ext: None } }
  Move { from: Mem(In, 32), to: Int(8), how: Bits { len: 8, ext: None } }
  AsIs
";
    assert_eq!(listing(&WIN64, "(ptr, ..., f64, f64) -> i32", "Lddi"), expected);
}

#[test]
fn text_is_made_when_the_registers_are_saved() {
    let expected = "token 0 locals 3 out 0@16 errno false counted false
  Move { from: Int(6), to: Local(0), how: Bits { len: 8, ext: None } }
  Move { from: Int(2), to: Local(1), how: Bits { len: 8, ext: None } }
  Move { from: Fp(1), to: Local(2), how: Bits { len: 8, ext: None } }
  Made { slot: 0, maker: Text }
  Move { from: Local(0), to: Int(7), how: Bits { len: 8, ext: None } }
  Move { from: Local(1), to: Int(6), how: Bits { len: 4, ext: None } }
  Move { from: Local(2), to: Fp(0), how: Bits { len: 8, ext: None } }
  Cell { fp: false, len: 8 }
";
    assert_eq!(listing(&X64, "(ptr, i32, f64) -> ptr", "sidc"), expected);
}

#[test]
fn memory_is_found_when_the_registers_are_saved() {
    let expected = "token 0 locals 4 out 0@16 errno false counted false
  Move { from: Int(1), to: Local(0), how: Bits { len: 8, ext: None } }
  Move { from: Int(2), to: Local(1), how: Bits { len: 8, ext: None } }
  Move { from: Int(3), to: Local(2), how: Bits { len: 8, ext: None } }
  Move { from: Fp(1), to: Local(3), how: Bits { len: 8, ext: None } }
  Made { slot: 0, maker: View }
  Made { slot: 2, maker: Text }
  Move { from: Local(0), to: Int(0), how: Bits { len: 8, ext: None } }
  Move { from: Local(1), to: Int(1), how: Bits { len: 4, ext: None } }
  Move { from: Local(2), to: Int(2), how: Bits { len: 8, ext: None } }
  Move { from: Local(3), to: Fp(0), how: Bits { len: 8, ext: None } }
  AsIs
";
    assert_eq!(listing(&ARM64, "(ptr, i32, ptr, f64) -> void", "misdv"), expected);
    let made = thunk(&ARM64, "(ptr) -> void", "mv").expect("a thunk");
    assert!(made.has_makers() && !made.has_text());
    let made = thunk(&ARM64, "(ptr) -> void", "sv").expect("a thunk");
    assert!(made.has_makers() && made.has_text());
}

#[test]
fn variadic_calls_tell_the_number_of_vector_registers() {
    let made = thunk(&X64, "(ptr, ..., f64, i32) -> i32", "sdii").expect("a thunk");
    assert_eq!(made.steps.last(), Some(&Step::VectorCount(1)));
}

#[test]
fn forms_must_fit_the_types() {
    for (text, letters) in [
        ("(i64) -> void", "iv"),
        ("(i32) -> void", "nv"),
        ("(f32) -> void", "dv"),
        ("(bool) -> void", "iv"),
        ("(i32) -> void", "pv"),
        ("(f64) -> void", "sv"),
        ("(struct{i32}) -> void", "iv"),
        ("(i32) -> void", "v"),
        ("() -> i64", "i"),
        ("() -> i32", "v"),
        ("() -> void", "i"),
        ("() -> struct{i32}", "c"),
        ("() -> ptr", "s"),
        ("() -> ptr", "m"),
        ("(i64) -> void", "mv"),
        ("() -> ptr", "p"),
        ("() -> ptr", "w"),
        ("(i64) -> void", "wv"),
        ("(i32) -> void", "cv"),
        ("(i32) -> void", "vv"),
    ] {
        for target in [X64, WIN64, ARM64] {
            let error = thunk(&target, text, letters).expect_err(text);
            assert_eq!(error.code, Code::UnsupportedAbi, "{text} as {letters}");
        }
    }
}

/// Every signature of up to `depth` scalars builds and verifies, with and without makers.
#[test]
fn every_mixture_has_an_order() {
    let kinds = [
        ("i32", 'i'),
        ("i64", 'n'),
        ("f64", 'd'),
        ("ptr", 's'),
        ("ptr", 'w'),
        ("u8", 'u'),
        ("ptr", 'm'),
    ];
    let count = kinds.len();
    for target in [X64, WIN64, ARM64] {
        for lead in [0, 1, 2, 4, 5, 8, 9] {
            for mixture in 0..count.pow(4) {
                let picked = (0..4).map(|i| kinds[mixture / count.pow(i) % count]);
                let all: Vec<_> = std::iter::repeat_n(("i32", 'i'), lead)
                    .chain(std::iter::repeat_n(("f64", 'd'), lead))
                    .chain(picked)
                    .collect();
                let types: Vec<_> = all.iter().map(|kind| kind.0).collect();
                let letters: String = all.iter().map(|kind| kind.1).chain(['v']).collect();
                thunk(&target, &format!("({}) -> void", types.join(", ")), &letters)
                    .expect(&letters);
            }
        }
    }
}

/// Thunks with a fault: for each step it is missing, goes astray or changes the value in another way;
/// and what is said of the stack is wrong.
fn faults(good: &Thunk) -> Vec<(String, Thunk)> {
    let mut made = Vec::new();
    for (i, step) in good.steps.iter().enumerate() {
        let mut missing = good.clone();
        missing.steps.remove(i);
        made.push((format!("without {step:?}"), missing));
        if let Step::Made { slot, maker } = *step {
            let maker = if maker == Maker::Text { Maker::View } else { Maker::Text };
            let mut mistaken = good.clone();
            mistaken.steps[i] = Step::Made { slot, maker };
            made.push((format!("{:?}", mistaken.steps[i]), mistaken));
        }
        let Step::Move { from, to, how } = *step else { continue };
        let elsewhere = Place::Mem(Base::Out, 240);
        let other = How::Bits { len: 3, ext: Ext::None };
        for step in [Step::Move { from, to: elsewhere, how }, Step::Move { from, to, how: other }] {
            let mut bad = good.clone();
            bad.steps[i] = step;
            made.push((format!("{step:?}"), bad));
        }
    }
    made.push(("alignment".to_owned(), Thunk { stack_align: 32, ..good.clone() }));
    let home_bytes = good.home_bytes + 32;
    made.push(("home space".to_owned(), Thunk { home_bytes, ..good.clone() }));
    if let Some(out_bytes) = good.out_bytes.checked_sub(16) {
        made.push(("less stack".to_owned(), Thunk { out_bytes, ..good.clone() }));
    }
    made
}

#[test]
fn the_verifier_notices_faults() {
    let cases = [
        ("(i64, u64, i16, i32) -> u64", "nniin"),
        ("(ptr, i32, ptr, f64) -> ptr", "sisdc"),
        ("(i32, i32, i32, i32, i32, i32, i8, ptr, f32) -> void", "iiiiiiiLfv"),
        ("(ptr, ..., f64, i32) -> i32", "sdii"),
        ("(ptr, i32, ptr, f64) -> ptr", "misdc"),
    ];
    for (text, letters) in cases {
        for target in [X64, WIN64] {
            with(&target, text, letters, |crossing, caller| {
                let good = crossing.thunk(&target, false, false).expect(text);
                for (what, bad) in faults(&good) {
                    let found = verify_thunk(&bad, crossing, caller);
                    assert!(found.is_err(), "{text} on {:?} with {what}", target.os);
                }
            });
        }
    }
    // In a plan whose registers hand values on, no two steps can change places.
    with(&X64, "(i32, i32, i32) -> void", "iiiv", |crossing, caller| {
        let mut bad = crossing.thunk(&X64, false, false).expect("a thunk");
        bad.steps.swap(0, 1);
        assert!(verify_thunk(&bad, crossing, caller).is_err());
    });
}
