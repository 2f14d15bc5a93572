//! Random types and signatures under a target's data model.
//!
//! Three kinds of signatures are mixed: small ones out of a finite list (at most 3 parameters and
//! structs of at most 3 fields, as OpenJDK's tests of its foreign linker enumerate them), large
//! ones of every shape, and ones that begin with eight integers and eight doubles, so that what
//! follows travels on the stack.

use crate::faults;
use crate::rng::Rng;
use ffi_jit::target::{Arch, Target, Toolchain};
use ffi_jit::types::{Convention, Member, Record, RecordKind, Scalar, Signature, Type};

/// The `index`th random signature of a seed.
pub fn signature(target: &Target, seed: u64, index: u64) -> Signature {
    let mut generator = Generator::new(target, Rng::stream(seed, index));
    match generator.rng.weighted(&[25, 45, 30]) {
        0 => {
            let number = generator.rng.bits() % small_count();
            small_signature(target, number)
        }
        1 => generator.large(),
        _ => generator.on_the_stack(),
    }
}

const SMALL_SCALARS: [Scalar; 5] =
    [Scalar::I32, Scalar::F32, Scalar::F64, Scalar::Pointer, Scalar::I8];
const SMALL_LENGTH: u32 = 3;

/// How many lists of `from` to [`SMALL_LENGTH`] items out of `kinds` there are.
fn lists(kinds: u64, from: u32) -> u64 {
    (from..=SMALL_LENGTH).map(|length| kinds.pow(length)).sum()
}

/// The `number`th such list, as item numbers.
fn list(mut number: u64, kinds: u64, from: u32) -> Vec<usize> {
    for length in from..=SMALL_LENGTH {
        let count = kinds.pow(length);
        if number < count {
            let digit = |i: u32| (number / kinds.pow(i) % kinds) as usize;
            return (0..length).map(digit).collect();
        }
        number -= count;
    }
    unreachable!("the number is below lists(kinds, from)")
}

/// How many small signatures there are.
pub fn small_count() -> u64 {
    let scalars = SMALL_SCALARS.len() as u64;
    lists(scalars, 1) * lists(scalars + 1, 0) * (scalars + 2)
}

/// The small signature with a number below [`small_count`]: one struct of 1 to 3 fields, 0 to 3
/// parameters that are scalars or that struct, and a result that may be either or nothing.
pub fn small_signature(target: &Target, number: u64) -> Signature {
    let model = &target.model;
    let scalars = SMALL_SCALARS.len() as u64;
    let (structs, params) = (lists(scalars, 1), lists(scalars + 1, 0));
    let fields = list(number % structs, scalars, 1);
    let params = list(number / structs % params, scalars + 1, 0);
    let ret = (number / structs / lists(scalars + 1, 0)) as usize;
    let members = fields
        .into_iter()
        .map(|kind| Member { ty: SMALL_SCALARS[kind].into(), align: None })
        .collect();
    let record = Record::new_type(RecordKind::Struct, members, None, model)
        .expect("three scalars make a struct");
    let mut kinds: Vec<Type> = SMALL_SCALARS.iter().map(|&scalar| scalar.into()).collect();
    kinds.extend([record, Type::Void]);
    let params = params.into_iter().map(|kind| kinds[kind].clone()).collect();
    Signature::new(Convention::C, kinds[ret].clone(), params, None, model)
        .expect("scalars and structs make a signature")
}

/// Draws types and signatures.
pub struct Generator<'t> {
    target: &'t Target,
    rng: Rng,
}

/// No record is larger.
const LARGEST_RECORD: u32 = 1024;
/// No signature has more bytes of arguments.
const MOST_ARGUMENT_BYTES: u32 = 3000;
const DEEPEST: u32 = 3;
const MOST_MEMBERS: usize = 12;

impl<'t> Generator<'t> {
    /// A generator for a target.
    pub fn new(target: &'t Target, rng: Rng) -> Self {
        Generator { target, rng }
    }

    /// A signature of any shape.
    pub fn large(&mut self) -> Signature {
        let count = match self.rng.weighted(&[35, 40, 25]) {
            0 => self.rng.between(0, 4),
            1 => self.rng.between(4, 10),
            _ => self.rng.between(10, 20),
        };
        let records = self.rng.pick(&[10, 40, 60, 90]);
        let params = self.params(Vec::new(), count, records);
        self.finish(params)
    }

    /// A signature whose first parameters fill all argument registers.
    pub fn on_the_stack(&mut self) -> Signature {
        let mut params = vec![Type::from(Scalar::I64); 8];
        params.extend(vec![Type::from(Scalar::F64); 8]);
        // Sometimes a register or two stay free, where values split, fill gaps, or must not.
        for _ in 0..self.rng.below(4) {
            let victim = self.rng.below(params.len() as u32) as usize;
            params.remove(victim);
        }
        let count = self.rng.between(1, 6);
        let params = self.params(params, count, 60);
        self.finish(params)
    }

    fn params(&mut self, mut params: Vec<Type>, count: u32, records: u32) -> Vec<Type> {
        let mut bytes = 0;
        for _ in 0..count {
            let ty = if self.rng.percent(records) && bytes < MOST_ARGUMENT_BYTES {
                self.record(0)
            } else {
                self.any_scalar().into()
            };
            bytes += ty.size(&self.target.model);
            params.push(ty);
        }
        params
    }

    fn finish(&mut self, mut params: Vec<Type>) -> Signature {
        let mut ret = match self.rng.weighted(&[10, 35, 55]) {
            0 => Type::Void,
            1 => self.any_scalar().into(),
            _ => self.record(0),
        };
        let mut convention = Convention::C;
        let mut fixed = None;
        // C before C23 wants a named parameter in front of the dots.
        if !params.is_empty() && self.rng.percent(25) {
            let named = self.rng.between(1, params.len() as u32) as u16;
            params[usize::from(named)..].iter_mut().for_each(promote);
            fixed = Some(named);
        } else if self.target.arch == Arch::X86 {
            use Convention::{Fastcall, Stdcall, Thiscall};
            convention = self.rng.pick(&[convention, convention, Stdcall, Fastcall, Thiscall]);
            if convention == Thiscall {
                params.insert(0, Scalar::Pointer.into());
            }
        }
        let first_variadic = fixed.map_or(usize::MAX, usize::from);
        for (i, param) in params.iter_mut().enumerate() {
            if faults::known(param, i >= first_variadic, self.target) {
                *param = Scalar::I64.into();
            }
        }
        if faults::known(&ret, false, self.target) {
            ret = Scalar::I64.into();
        }
        Signature::new(convention, ret, params, fixed, &self.target.model)
            .expect("the generator makes valid signatures")
    }

    fn any_scalar(&mut self) -> Scalar {
        self.rng.pick(&Scalar::ALL)
    }

    /// A struct or union.
    pub fn record(&mut self, depth: u32) -> Type {
        if self.target.toolchain == Toolchain::Gnu && self.rng.percent(1) {
            return self.place(RecordKind::Struct, &[], None).expect("an empty struct");
        }
        let goal = match self.rng.weighted(&[35, 45, 17, 3]) {
            0 => self.rng.between(1, 16),
            1 => self.rng.between(1, 33),
            2 => self.rng.between(34, 96),
            _ => self.rng.between(97, 600),
        };
        let goal = if depth == 0 { goal } else { goal.min(20) };
        let pack = self.rng.percent(16).then(|| self.rng.pick(&[1, 1, 1, 2, 4]));
        let kind = if self.rng.percent(15) { RecordKind::Union } else { RecordKind::Struct };
        // Records of one scalar only are what HFA and SSE rules are about.
        let palette: &[Scalar] = match self.rng.weighted(&[44, 11, 11, 12, 9, 13]) {
            0 => &Scalar::ALL,
            1 => &[Scalar::F32],
            2 => &[Scalar::F64],
            3 => &[Scalar::F32, Scalar::F64, Scalar::I32],
            4 => &[Scalar::U8, Scalar::I16],
            // Only these make structs of odd sizes without packing.
            _ => &[Scalar::U8, Scalar::I8, Scalar::Bool],
        };
        let aligned = self.rng.percent(12);
        let members_of_union = self.rng.between(1, 4) as usize;
        let mut members = Vec::new();
        let mut best = None;
        loop {
            let size = best.as_ref().map_or(0, |ty: &Type| ty.size(&self.target.model));
            let done = match kind {
                RecordKind::Struct => size >= goal || members.len() == MOST_MEMBERS,
                RecordKind::Union => members.len() == members_of_union,
            };
            let left = if kind == RecordKind::Struct { goal.saturating_sub(size) } else { goal };
            if !done {
                let ty = self.member(depth, left.max(1), palette);
                let align = (aligned && self.rng.percent(40))
                    .then(|| self.rng.pick(&[1, 1, 2, 4, 8, 16, 16, 16, 32]));
                members.push(Member { ty, align });
                if let Some(next) = self.place(kind, &members, pack) {
                    best = Some(next);
                    continue;
                }
            }
            return best.unwrap_or_else(|| {
                let byte = [Member { ty: Scalar::U8.into(), align: None }];
                self.place(kind, &byte, pack).expect("a record of one byte")
            });
        }
    }

    fn place(&self, kind: RecordKind, members: &[Member], pack: Option<u32>) -> Option<Type> {
        Record::new_type(kind, members.to_vec(), pack, &self.target.model)
            .ok()
            .filter(|ty| ty.size(&self.target.model) <= LARGEST_RECORD)
    }

    /// A member of about `left` bytes or fewer.
    fn member(&mut self, depth: u32, left: u32, palette: &[Scalar]) -> Type {
        let model = &self.target.model;
        let scalar = self.rng.pick(palette);
        let fitting = (left / scalar.size(model)).max(1);
        match self.rng.weighted(&[62, 16, 14, 5, 3]) {
            1 => {
                let count = self.rng.between(1, fitting.min(40));
                Type::array(scalar.into(), count, model).expect("an array of scalars")
            }
            2 if depth < DEEPEST => self.record(depth + 1),
            3 if depth < DEEPEST => {
                let item = self.record(depth + 1);
                let fitting = (left / item.size(model).max(1)).clamp(1, 4);
                let count = self.rng.between(1, fitting);
                // An array of an empty struct is no type.
                Type::array(item.clone(), count, model).unwrap_or(item)
            }
            4 if fitting >= 4 => {
                let row = Type::array(scalar.into(), 2, model).expect("an array of scalars");
                let count = self.rng.between(1, (fitting / 2).min(3));
                Type::array(row, count, model).expect("an array of arrays")
            }
            _ => scalar.into(),
        }
    }
}

/// C's default argument promotions.
fn promote(ty: &mut Type) {
    if let Type::Scalar(scalar) = ty
        && scalar.is_promoted()
    {
        *ty = if scalar.is_float() { Scalar::F64 } else { Scalar::I32 }.into();
    }
}

/// A random value of a scalar in C memory form (little-endian, in the first bytes), with the
/// extremes more often than chance has them. `bool` is 0 or 1; on 32-bit x86, whose x87 registers
/// change signalling NaNs, NaNs are quiet.
pub fn value(rng: &mut Rng, scalar: Scalar, target: &Target) -> [u8; 8] {
    const EXTREMES: [u64; 8] =
        [0, 1, u64::MAX, 1 << 63, i64::MAX as u64, 0x8080_8080_8080_8080, 1 << 31, 1 << 15];
    const SINGLES: [u32; 7] =
        [0, 1 << 31, 0x7f80_0000, 0xff80_0000, 0x7fc1_2345, 0x7fa5_4321, 0x0000_0001];
    const DOUBLES: [u64; 7] = [
        0,
        1 << 63,
        0x7ff0_0000_0000_0000,
        0xfff0_0000_0000_0000,
        0x7ff8_0123_4567_89ab,
        0x7ff4_ba98_7654_3210,
        1,
    ];
    let special = rng.percent(25);
    let quiet = target.arch == Arch::X86;
    let bits = match scalar {
        Scalar::Bool => rng.bits() & 1,
        Scalar::F32 => {
            let bits = if special { rng.pick(&SINGLES) } else { rng.bits() as u32 };
            u64::from(if quiet && f32::from_bits(bits).is_nan() { bits | 1 << 22 } else { bits })
        }
        Scalar::F64 => {
            let bits = if special { rng.pick(&DOUBLES) } else { rng.bits() };
            if quiet && f64::from_bits(bits).is_nan() { bits | 1 << 51 } else { bits }
        }
        _ if special => rng.pick(&EXTREMES),
        _ => rng.bits(),
    };
    bits.to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ffi_jit::target::Os;
    use ffi_jit::types::parse_signature;

    const LINUX: Target = Target::new(Arch::X64, Os::Linux, Toolchain::Gnu);

    #[test]
    fn small_signatures_are_all_different() {
        let step = 97;
        let mut texts: Vec<String> = (0..small_count())
            .step_by(step)
            .map(|number| small_signature(&LINUX, number).to_string())
            .collect();
        let count = texts.len();
        texts.sort_unstable();
        texts.dedup();
        // A struct that no parameter and no result uses does not show in the text.
        assert!(texts.len() > count * 3 / 4, "{} of {count}", texts.len());
        assert_eq!(small_signature(&LINUX, 0).to_string(), "() -> i32");
    }

    #[test]
    fn every_shape_comes_up_and_is_parsed_back() {
        let wanted = [
            "...",
            "union{",
            "struct#1{",
            "struct#2{",
            "struct#4{",
            "@16",
            "@32",
            "struct{}",
            "][",
            "-> void",
            "-> bool",
            "-> f32",
            "-> struct",
            "-> union",
            "() ->",
        ];
        let mut missing = wanted.to_vec();
        let mut sizes = [0u32; 34];
        let mut longest = 0;
        for index in 0..4000 {
            let signature = signature(&LINUX, 7, index);
            let text = signature.to_string();
            assert_eq!(parse_signature(&text, &LINUX.model).as_ref(), Ok(&signature), "{text}");
            missing.retain(|part| !text.contains(part));
            longest = longest.max(signature.params.len());
            for ty in signature.params.iter().filter(|ty| ty.is_aggregate()) {
                if let Some(count) = sizes.get_mut(ty.size(&LINUX.model) as usize) {
                    *count += 1;
                }
            }
        }
        assert!(missing.is_empty(), "never drawn: {missing:?}");
        assert!(sizes.iter().all(|&count| count >= 5), "{sizes:?}");
        assert!(longest >= 20);
    }

    #[test]
    fn i386_gets_its_conventions_and_quiet_nans() {
        let target = Target::new(Arch::X86, Os::Windows, Toolchain::Gnu);
        let texts: Vec<String> =
            (0..200).map(|index| signature(&target, 1, index).to_string()).collect();
        for convention in ["stdcall", "fastcall", "thiscall"] {
            assert!(texts.iter().any(|text| text.starts_with(convention)), "{convention}");
        }
        let mut rng = Rng::new(3);
        for _ in 0..2000 {
            let bytes = value(&mut rng, Scalar::F64, &target);
            let bits = u64::from_le_bytes(bytes);
            assert!(!f64::from_bits(bits).is_nan() || bits & 1 << 51 != 0, "{bits:x}");
        }
    }
}
