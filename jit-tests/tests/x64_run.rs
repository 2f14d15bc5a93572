//! Runs x64 trampolines on an x64 Linux host: a first check that emitted code does what its
//! plan says, before the C compiler's oracle looks at everything.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use ffi_jit::abi::{Ext, classify};
use ffi_jit::arch::{Blob, SLOT_STRIDE, emit, emit_slots, record};
use ffi_jit::plan::{Base, Entry, FrameLayout, Op, Place, Plan, downcall, upcall, verify};
use ffi_jit::target::Target;
use ffi_jit::types::{Signature, parse_signature};
use std::ffi::c_void;

const PAGE: usize = 4096;

/// Whole pages of memory.
struct Pages {
    start: *mut u8,
    len: usize,
}

impl Pages {
    fn new(len: usize) -> Pages {
        let len = len.next_multiple_of(PAGE);
        let (access, kind) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANON);
        // SAFETY: a new mapping touches nothing that exists.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), len, access, kind, -1, 0) };
        assert_ne!(start, libc::MAP_FAILED);
        Pages { start: start.cast(), len }
    }

    fn protect(&mut self, from: usize, access: i32) {
        assert!(from < self.len);
        // SAFETY: from..len are pages of this mapping.
        let done = unsafe { libc::mprotect(self.start.add(from).cast(), self.len - from, access) };
        assert_eq!(done, 0);
    }

    /// The first `len` bytes, which must be writable.
    fn bytes(&mut self, len: usize) -> &mut [u8] {
        assert!(len <= self.len);
        // SAFETY: bytes of this mapping, borrowed with it.
        unsafe { std::slice::from_raw_parts_mut(self.start, len) }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the mapping is whole, and nobody can refer to it any more.
        unsafe { libc::munmap(self.start.cast(), self.len) };
    }
}

/// Pages with code, writable first and executable after.
fn executable(code: &[u8]) -> Pages {
    let mut pages = Pages::new(code.len());
    pages.bytes(code.len()).copy_from_slice(code);
    pages.protect(0, libc::PROT_READ | libc::PROT_EXEC);
    pages
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

const FRAME: usize = 1 << 17;

/// A frame at a multiple of 64.
#[repr(C, align(64))]
struct Frame([u8; FRAME]);

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
    let mut frame = Frame([0xa5; FRAME]);
    fill(&mut frame, &layout);
    let mut record = [0usize; 8];
    record[record::TARGET as usize] = function.addr();
    // SAFETY: the address of this thread's errno is always valid.
    record[record::ERRNO as usize] = unsafe { libc::__errno_location() }.addr();
    // SAFETY: a Direct trampoline is a C function with these parameters.
    let entry: extern "C" fn(*mut u8, *const usize) = unsafe { std::mem::transmute(code.start) };
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

/// The stack is probed page by page, and the copy loops.
#[test]
fn an_area_of_many_pages() {
    #[derive(Clone, Copy)]
    #[repr(C)]
    struct Huge([u64; 10_000]);
    extern "C" fn sum(huge: Huge, last: f64) -> f64 {
        huge.0.iter().sum::<u64>() as f64 + last
    }
    let text = "(struct{u64[10000]}, f64) -> f64";
    let layout = parse(text).1;
    let frame = call(text, sum as *const c_void, |f, l| {
        f.put(l.args[0], Huge(std::array::from_fn(|i| i as u64)));
        f.put(l.args[1], 0.5f64);
    });
    assert_eq!(frame.get::<f64>(layout.ret), 49_995_000.5);
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
    let page = PAGE;
    let mut slots = emit_slots(&target, page / SLOT_STRIDE, page, 64).expect("slots");
    assert_eq!(slots.len(), page);
    let chosen = 37;
    slots.resize(page + 64 * (page / SLOT_STRIDE), 0);
    let mut put = |word: u32, value: usize| {
        let at = page + chosen * 64 + 8 * word as usize;
        slots[at..at + 8].copy_from_slice(&value.to_le_bytes());
    };
    put(record::BODY, body.start.addr());
    put(record::DISPATCH, dispatch as *const c_void as usize);
    put(record::CONTEXT, (&raw const layout).addr());
    let map = executable(&slots);
    // SAFETY: the slot is a C function of the signature above.
    let function: extern "C" fn(i8, Mixed, Big) -> Mixed =
        unsafe { std::mem::transmute(map.start.add(chosen * SLOT_STRIDE)) };
    let got =
        function(-3, Mixed { a: 40.5, b: -1, c: 200 }, Big(std::array::from_fn(|i| i as u64)));
    assert_eq!((got.a, got.b, got.c), (77.5, -1, 200));
}

/// Two pages, the second one without access: what runs over the end of the first one crashes.
struct Edge(Pages);

impl Edge {
    fn new() -> Edge {
        let mut pages = Pages::new(2 * PAGE);
        pages.protect(PAGE, libc::PROT_NONE);
        Edge(pages)
    }

    fn page(&mut self) -> &mut [u8] {
        self.0.bytes(PAGE)
    }

    /// Runs a Direct trampoline on the last `len` bytes of the page.
    fn run(&mut self, plan: &Plan, function: *const c_void, len: usize) {
        let target = Target::host().expect("an x64 host");
        let code = executable(&emit(plan, &target).expect("code").code);
        let mut record = [0usize; 8];
        record[record::TARGET as usize] = function.addr();
        // SAFETY: a Direct trampoline is a C function with these parameters.
        let entry: extern "C" fn(*mut u8, *const usize) =
            unsafe { std::mem::transmute(code.start) };
        entry(self.page()[PAGE - len..].as_mut_ptr(), record.as_ptr());
    }
}

fn plan(ops: Vec<Op>, out_bytes: u32) -> Plan {
    let (entry, stack_align, frame_bytes) = (Entry::Direct, 16, 16);
    Plan { entry, ops, out_bytes, stack_align, frame_bytes, frame_align: 16, locals: 0, pops: 0 }
}

fn mov(from: Place, to: Place, len: u32) -> Op {
    Op::Move { from, to, len, ext: Ext::None }
}

/// Every length goes through a register and back: nothing else is read or written.
#[test]
fn moves_touch_their_bytes_only() {
    extern "C" fn same(value: u64) -> u64 {
        value
    }
    extern "C" fn same_float(value: f64) -> f64 {
        value
    }
    let int = (Place::Int(7), Place::Int(0), same as *const c_void);
    let float = (Place::Fp(0), Place::Fp(0), same_float as *const c_void);
    for (to, back, function) in [int, float] {
        for len in 1..=8u32 {
            let n = len as usize;
            let value = &[1, 2, 3, 4, 5, 6, 7, 8][..n];
            let through = |from, at| {
                let (from, at) = (Place::Mem(Base::Frame, from), Place::Mem(Base::Frame, at));
                plan(vec![mov(from, to, len), Op::Call, mov(back, at, len)], 0)
            };
            // The destination is the end of the page, then the source is.
            let mut edge = Edge::new();
            edge.page().fill(0xee);
            edge.page()[PAGE - n - 8..PAGE - 8].copy_from_slice(value);
            edge.run(&through(0, 8), function, n + 8);
            assert_eq!(&edge.page()[PAGE - n..], value, "{to:?} {len}");
            let before = if n < 8 { 0xee } else { 8 };
            assert_eq!(edge.page()[PAGE - n - 1], before, "{to:?} {len}");
            edge.page()[..PAGE - n].fill(0xdd);
            edge.run(&through(8, 0), function, n + 8);
            assert_eq!(&edge.page()[PAGE - n - 8..PAGE - 8], value, "{to:?} {len}");
            assert!(edge.page()[PAGE - 8..PAGE - n].iter().all(|&byte| byte == 0xdd), "{len}");
            assert_eq!(edge.page()[PAGE - n - 9], 0xdd, "{to:?} {len}");
        }
    }
}

/// Copies of every length, unrolled and looped, to the stack and back.
#[test]
fn copies_touch_their_bytes_only() {
    extern "C" fn nothing() {}
    for len in (1..=40).chain(120..=145).chain([200, 255, 1000, 1999]) {
        let n = len as usize;
        let ops = vec![
            Op::Copy { from: (Base::Frame, len), to: (Base::Out, 0), len },
            Op::Call,
            Op::Copy { from: (Base::Out, 0), to: (Base::Frame, 0), len },
        ];
        let mut edge = Edge::new();
        edge.page().fill(0xee);
        let value: Vec<u8> = (0..n).map(|i| (i % 251) as u8).collect();
        edge.page()[PAGE - n..].copy_from_slice(&value);
        edge.run(&plan(ops, len.next_multiple_of(16)), nothing as *const c_void, 2 * n);
        assert_eq!(&edge.page()[PAGE - 2 * n..PAGE - n], value, "{len}");
        assert_eq!(&edge.page()[PAGE - n..], value, "{len}");
        assert!(edge.page()[..PAGE - 2 * n].iter().all(|&byte| byte == 0xee), "{len}");
    }
}
