//! Cells at the very edge of memory that may be touched: a trampoline reads and writes exactly
//! the bytes of a value, whatever its size. (libffi's `overread` test is the model.)
#![cfg(all(target_arch = "x86_64", unix))]

use ffi_jit::arch;
use ffi_jit::call::{CallRecord, Prepared, Upcall, errno};
use ffi_jit::code;
use ffi_jit::plan::{self, Entry, FrameLayout};
use ffi_jit::target::Target;
use ffi_jit::types::{Signature, parse_signature};
use jit_tests::batch::{Batch, Loaded};
use jit_tests::c_source::RESULT_SALT;
use jit_tests::compiler::Compiler;
use jit_tests::guarded::Guarded;
use jit_tests::leaves::{Leaf, leaves};
use std::ffi::c_void;
use std::ops::Range;

/// Structs of every size from 1 to 33 bytes, of integers, of floats, mixed, and with fields that
/// send them to memory.
fn structs() -> Vec<String> {
    let mut list: Vec<String> = (1..=33).map(|n| format!("struct{{u8[{n}]}}")).collect();
    list.extend((1..=16).map(|n| format!("struct{{i16[{n}]}}")));
    list.extend((1..=8).map(|n| format!("struct{{f32[{n}]}}")));
    list.extend((1..=4).map(|n| format!("struct{{f64[{n}]}}")));
    for n in 1..=8 {
        list.push(format!("struct#1{{f64, u8[{n}]}}"));
        list.push(format!("struct#1{{u8[8], u8[{n}]}}"));
        list.push(format!("struct#1{{f32, u8[{n}]}}"));
        list.push(format!("struct#1{{u8[{n}], f64}}"));
        list.push(format!("struct#1{{i64, u8[{n}]}}"));
    }
    list.extend(["struct#1{u8[8], f32}", "struct#1{f64, f32}"].map(str::to_owned));
    list
}

/// The struct in registers where its class allows, on the stack, and twice.
fn signatures(target: &Target) -> Vec<Signature> {
    let ints = ["i64"; 6].join(", ");
    let floats = ["f64"; 8].join(", ");
    structs()
        .iter()
        .flat_map(|s| {
            [
                format!("({s}) -> {s}"),
                format!("({ints}, {s}) -> {s}"),
                format!("({ints}, {floats}, {s}, {s}) -> {s}"),
            ]
        })
        .map(|text| parse_signature(&text, &target.model).expect(&text))
        .collect()
}

/// A value that is somewhere special.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Its first byte is the page's first.
    Start,
    /// Its last byte is the page's last.
    End,
}

/// A frame of one page whose value number `special` (the result behind the arguments) is at its
/// start or end; the others stand apart in the middle.
fn frame(signature: &Signature, special: usize, place: Place, page: u32) -> FrameLayout {
    let model = Target::host().expect("a host with a classifier").model;
    let types: Vec<_> = signature.params.iter().chain([&signature.ret]).collect();
    let mut cells: Vec<u32> = (0..).step_by(64).map(|at| 512 + at).take(types.len()).collect();
    cells[special] = match place {
        Place::Start => 0,
        Place::End => page - types[special].size(&model),
    };
    let ret = cells.pop().expect("a cell for the result");
    FrameLayout { args: cells, ret, errno: 256, size: page, align: 16 }
}

struct Test {
    prepared: Prepared,
    args: Vec<Vec<Leaf>>,
    ret: Vec<Leaf>,
}

/// A byte for each byte of a value: all different within 200 bytes.
fn pattern(index: usize) -> u8 {
    (index * 7 % 199) as u8 + 1
}

impl Test {
    fn new(target: Target, signature: &Signature) -> Test {
        let prepared = Prepared::new(target, signature.clone()).expect("a supported signature");
        let model = &target.model;
        let args = (0..).zip(&signature.params).map(|(salt, ty)| leaves(ty, model, salt)).collect();
        let ret = leaves(&signature.ret, model, RESULT_SALT);
        Test { prepared, args, ret }
    }

    fn size(&self, leaf: &Leaf) -> usize {
        leaf.scalar.size(&self.prepared.target.model) as usize
    }

    fn bytes(&self, cell: u32, leaf: &Leaf) -> Range<usize> {
        let start = (cell + leaf.at) as usize;
        start..start + self.size(leaf)
    }

    /// Calls the callee over a frame in a guarded page.
    fn downcall(&self, library: &Loaded, number: usize, special: usize, place: Place) {
        let signature = &self.prepared.signature;
        let context = format!("{signature}, value {special} at the {place:?}");
        let mut memory = Guarded::new();
        let page = memory.bytes();
        let frame = frame(signature, special, place, page.len() as u32);
        let plan = plan::downcall(&self.prepared.layout, &frame, Entry::Direct, false);
        let blob = arch::emit(&plan, &self.prepared.target).expect(&context);
        let code = code::publish(&blob, "overread").expect(&context);

        page.fill(0xd7);
        let mut written = 0..;
        for (leaves, &cell) in self.args.iter().zip(&frame.args) {
            for leaf in leaves {
                for at in self.bytes(cell, leaf) {
                    page[at] = written.next().map_or(0, pattern);
                }
            }
        }
        let before = page.to_vec();
        let result: Vec<[u8; 8]> = (0..self.ret.len())
            .map(|slot| std::array::from_fn(|i| pattern(1000 + slot * 8 + i)))
            .collect();
        library.set(&[], &result).expect(&context);
        library.set_errno(None).expect(&context);
        let record = CallRecord::direct(library.callee(number).expect(&context), errno::address());
        // SAFETY: a direct trampoline of a plan whose frame is this page; the callee was generated
        // from the signature.
        unsafe {
            let enter = std::mem::transmute::<
                *const u8,
                unsafe extern "C" fn(*mut u8, *const CallRecord),
            >(code.as_ptr());
            enter(page.as_mut_ptr(), &raw const record);
        }

        let count = self.args.iter().map(Vec::len).sum();
        let seen = library.get("oracle_args", count).expect(&context);
        let mut sent = 0..;
        for (leaf, slot) in self.args.iter().flatten().zip(seen) {
            for byte in &slot[..self.size(leaf)] {
                assert_eq!(Some(*byte), sent.next().map(pattern), "arguments of {context}");
            }
        }
        let mut expected = before;
        for (leaf, slot) in self.ret.iter().zip(&result) {
            let range = self.bytes(frame.ret, leaf);
            let size = range.len();
            expected[range].copy_from_slice(&slot[..size]);
        }
        let wrong = (0..expected.len()).find(|&at| expected[at] != page[at]);
        assert_eq!(wrong, None, "byte of the frame after {context}, result at {}", frame.ret);
    }
}

#[test]
fn downcalls_touch_exactly_their_values() {
    let target = Target::host().expect("a host with a classifier");
    let batch = Batch::of(&target, signatures(&target));
    let directory = std::env::temp_dir().join(format!("ffi-jit-overread-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a temporary directory");
    let (source, path) = (directory.join("edge.c"), directory.join("edge.so"));
    std::fs::write(&source, batch.text()).expect("a file");
    Compiler::host()[0].compile(&source, &path, &target).expect("a C compiler");
    let library = Loaded::open(&path, &batch).expect("the library just made");
    std::fs::remove_dir_all(&directory).expect("our own directory");
    for (number, signature) in batch.signatures.iter().enumerate() {
        let test = Test::new(target, signature);
        let values = signature.params.len() + 1;
        let scalars = signature.params.iter().filter(|ty| !ty.is_aggregate()).count();
        for special in scalars..values {
            for place in [Place::Start, Place::End] {
                test.downcall(&library, number, special, place);
            }
        }
    }
}

/// The dispatcher of the test below: fills the whole result cell and what follows of the frame.
unsafe extern "C" fn fill(context: *mut c_void, frame: *mut u8) {
    // SAFETY: the context is the test's frame layout, by which the frame is laid out.
    unsafe {
        let layout = &*context.cast::<FrameLayout>();
        let from = frame.add(layout.ret as usize);
        for i in 0..(layout.size - layout.ret) as usize {
            from.add(i).write(pattern(i));
        }
    }
}

/// A result in memory that C provides, with not a byte to spare.
#[test]
fn upcalls_write_exactly_their_results() {
    let target = Target::host().expect("a host with a classifier");
    let in_memory: Vec<u32> = (17..=33).chain([40, 63, 64, 65, 127, 128, 129, 200, 263]).collect();
    for size in in_memory {
        let text = format!("() -> struct{{u8[{size}]}}");
        let signature = parse_signature(&text, &target.model).expect(&text);
        let prepared = Prepared::new(target, signature).expect(&text);
        let mut layout = prepared.frame.clone();
        let context = (&raw mut layout).cast();
        let upcall = Upcall::new(&prepared, fill, context).expect(&text);
        let mut memory = Guarded::new();
        let page = memory.bytes();
        let size = size as usize;
        for at in [0, page.len() - size] {
            page.fill(0xd7);
            let result = page[at..].as_mut_ptr();
            // SAFETY: on SysV64 a function with a result in memory takes and returns its address.
            let back = unsafe {
                let call = std::mem::transmute::<
                    *const c_void,
                    unsafe extern "C" fn(*mut u8) -> *mut u8,
                >(upcall.code());
                call(result)
            };
            assert_eq!(back, result, "{text}");
            for (i, &byte) in page.iter().enumerate() {
                let inside = (at..at + size).contains(&i);
                let expected = if inside { pattern(i - at) } else { 0xd7 };
                assert_eq!(byte, expected, "byte {i}, result at {at} of {text}");
            }
        }
    }
}
