//! Runs x64 trampolines on an x64 Linux host: a first check that emitted code does what its
//! plan says, before the C compiler's oracle looks at everything.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use ffi_jit::abi::classify;
use ffi_jit::arch::{Blob, SLOT_STRIDE, emit, emit_slots, record};
use ffi_jit::plan::{Entry, FrameLayout, downcall, upcall, verify};
use ffi_jit::target::Target;
use ffi_jit::types::{Signature, parse_signature};
use memmap2::{Mmap, MmapMut};
use std::ffi::c_void;

/// A page with code, mapped read-write first and read-execute after.
fn executable(code: &[u8]) -> Mmap {
    let mut map = MmapMut::map_anon(code.len()).expect("memory");
    map[..code.len()].copy_from_slice(code);
    map.make_exec().expect("executable memory")
}

fn parse(text: &str) -> (Signature, FrameLayout, Target) {
    let target = Target::host().expect("an x64 host");
    let signature = parse_signature(text, &target.model).expect(text);
    let frame = FrameLayout::new(&signature, &target.model);
    (signature, frame, target)
}

fn down(text: &str, entry: Entry, errno: bool) -> (Blob, FrameLayout) {
    let (signature, frame, target) = parse(text);
    let layout = classify(&target, &signature).expect(text);
    let plan = downcall(&layout, &frame, entry, errno);
    verify(&plan, &layout, &frame).expect(text);
    (emit(&plan, &target).expect(text), frame)
}

/// A frame at a multiple of 64.
#[repr(C, align(64))]
struct Frame([u8; 4096]);

impl Frame {
    fn put<T: Copy>(&mut self, at: u32, value: T) {
        let at = at as usize;
        assert!(at + size_of::<T>() <= self.0.len());
        // SAFETY: in bounds by the assertion; unaligned writes are allowed.
        unsafe { self.0.as_mut_ptr().add(at).cast::<T>().write_unaligned(value) }
    }

    fn get<T: Copy>(&self, at: u32) -> T {
        let at = at as usize;
        assert!(at + size_of::<T>() <= self.0.len());
        // SAFETY: in bounds by the assertion; the tests read plain data only.
        unsafe { self.0.as_ptr().add(at).cast::<T>().read_unaligned() }
    }
}

/// Calls `function` with cells that `fill` wrote; returns the frame.
fn call(text: &str, function: *const c_void, fill: impl Fn(&mut Frame, &FrameLayout)) -> Frame {
    let (blob, layout) = down(text, Entry::Direct, true);
    let code = executable(&blob.code);
    let mut frame = Frame([0xa5; 4096]);
    fill(&mut frame, &layout);
    let mut record = [0usize; 8];
    record[record::TARGET as usize] = function.addr();
    // SAFETY: the address of this thread's errno is always valid.
    record[record::ERRNO as usize] = unsafe { libc::__errno_location() }.addr();
    // SAFETY: a Direct trampoline is a C function with these parameters.
    let entry: extern "C" fn(*mut u8, *const usize) = unsafe { std::mem::transmute(code.as_ptr()) };
    entry(frame.0.as_mut_ptr(), record.as_ptr());
    frame
}

#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Mixed {
    a: f64,
    b: i32,
    c: u8,
}

#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Big([u64; 41]);

#[test]
fn scalars_and_errno() {
    extern "C" fn add(a: i8, b: u16, c: f32, d: f64, e: i64) -> i64 {
        // SAFETY: the address of this thread's errno is always valid.
        unsafe { *libc::__errno_location() = 1234 };
        i64::from(a) + i64::from(b) + c as i64 + d as i64 + e
    }
    let text = "(i8, u16, f32, f64, i64) -> i64";
    let layout = parse(text).1;
    let frame = call(text, add as *const c_void, |f, l| {
        f.put(l.args[0], -5i8);
        f.put(l.args[1], 60000u16);
        f.put(l.args[2], 7.0f32);
        f.put(l.args[3], 9.0f64);
        f.put(l.args[4], 1i64 << 40);
    });
    assert_eq!(frame.get::<i64>(layout.ret), -5 + 60000 + 7 + 9 + (1 << 40));
    assert_eq!(frame.get::<i32>(layout.errno), 1234);
    assert_eq!(frame.get::<u32>(layout.errno + 4), 0xa5a5_a5a5);
}

#[test]
fn structs_by_value() {
    extern "C" fn swap(m: Mixed, big: Big, x: i32) -> Mixed {
        Mixed { a: f64::from(m.b), b: m.a as i32 + x, c: m.c + big.0[40] as u8 }
    }
    let text = "(struct{f64, i32, u8}, struct{u64[41]}, i32) -> struct{f64, i32, u8}";
    let layout = parse(text).1;
    let frame = call(text, swap as *const c_void, |f, l| {
        f.put(l.args[0], Mixed { a: 3.0, b: 8, c: 1 });
        f.put(l.args[1], Big(std::array::from_fn(|i| i as u64)));
        f.put(l.args[2], 100i32);
    });
    let got = frame.get::<Mixed>(layout.ret);
    assert_eq!((got.a, got.b, got.c), (8.0, 103, 41));
}

#[test]
fn result_in_memory_and_many_arguments() {
    extern "C" fn big(a: f32, c: i64, d: i64, e: i64, f: i64, g: i64, h: i64) -> Big {
        Big(std::array::from_fn(
            |i| if i == 40 { a as u64 } else { (c + d + e + f + g + h) as u64 },
        ))
    }
    let text = "(f32, i64, i64, i64, i64, i64, i64) -> struct{u64[41]}";
    let layout = parse(text).1;
    let frame = call(text, big as *const c_void, |f, l| {
        f.put(l.args[0], 77.0f32);
        for i in 1..7 {
            f.put(l.args[i], 10i64.pow(i as u32));
        }
    });
    let got = frame.get::<Big>(layout.ret);
    assert_eq!((got.0[0], got.0[39], got.0[40]), (1_111_110, 1_111_110, 77));
}

#[test]
fn an_upcall_through_a_slot() {
    /// Answers (a + b.a, b.b, b.c) from the frame.
    extern "C" fn dispatch(context: *const FrameLayout, frame: *mut Frame) {
        // SAFETY: the record's context and the frame of the trampoline; offsets are the layout's.
        let (layout, frame) = unsafe { (&*context, frame.cast::<u8>()) };
        let at = |offset: u32| frame.wrapping_add(offset as usize);
        // SAFETY: as above.
        unsafe {
            let a = at(layout.args[0]).cast::<i8>().read();
            let b = at(layout.args[1]).cast::<Mixed>().read();
            let big = at(layout.args[2]).cast::<Big>().read();
            let sum = f64::from(a) + b.a + big.0[40] as f64;
            at(layout.ret).cast::<Mixed>().write(Mixed { a: sum, ..b });
        }
    }
    let text = "(i8, struct{f64, i32, u8}, struct{u64[41]}) -> struct{f64, i32, u8}";
    let (signature, layout, target) = parse(text);
    let calls = classify(&target, &signature).expect(text);
    let plan = upcall(&calls, &layout, &target);
    verify(&plan, &calls, &layout).expect(text);
    let body = executable(&emit(&plan, &target).expect(text).code);
    let page = 4096;
    let mut slots = emit_slots(&target, page / SLOT_STRIDE, page, 64).expect("slots");
    assert_eq!(slots.len(), page);
    let chosen = 37;
    slots.resize(page + 64 * (page / SLOT_STRIDE), 0);
    let mut put = |word: u32, value: usize| {
        let at = page + chosen * 64 + 8 * word as usize;
        slots[at..at + 8].copy_from_slice(&value.to_le_bytes());
    };
    put(record::BODY, body.as_ptr().addr());
    put(record::DISPATCH, dispatch as *const c_void as usize);
    put(record::CONTEXT, (&raw const layout).addr());
    let map = executable(&slots);
    // SAFETY: the slot is a C function of the signature above.
    let function: extern "C" fn(i8, Mixed, Big) -> Mixed =
        unsafe { std::mem::transmute(map.as_ptr().add(chosen * SLOT_STRIDE)) };
    let got =
        function(-3, Mixed { a: 40.5, b: -1, c: 200 }, Big(std::array::from_fn(|i| i as u64)));
    assert_eq!((got.a, got.b, got.c), (77.5, -1, 200));
}
