//! Calls of real C functions, in both directions.

use super::*;
use crate::code::CodePtr;
use crate::code::tests::{child, role};
use crate::error::Code;
use crate::plan::Entry;
use crate::target::Target;
use crate::types::parse_signature;
use std::ffi::{CStr, CString, c_char, c_void};
use std::process::Command;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

fn prepared(signature: &str) -> Prepared {
    let model = Target::host().unwrap().model;
    Prepared::host(parse_signature(signature, &model).unwrap()).unwrap()
}

/// The C library of this folder.
fn fixture() -> &'static Library {
    static FIXTURE: LazyLock<Arc<Library>> = LazyLock::new(|| {
        let folder = std::env::temp_dir().join(format!("ffi-jit-call-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (source, library) = (folder.join("fixture.c"), folder.join("fixture.so"));
        std::fs::write(&source, include_str!("fixture.c")).unwrap();
        let cc = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-fexceptions", "-funwind-tables", "-o"])
            .args([&library, &source])
            .status()
            .unwrap();
        assert!(cc.success());
        let opened = Library::open(library.to_str().unwrap()).unwrap();
        std::fs::remove_dir_all(folder).unwrap();
        opened
    });
    &FIXTURE
}

/// Calls a function with arguments that `fill` writes.
fn call(
    signature: &str,
    target: *const c_void,
    fill: impl FnOnce(&mut FrameView<'_>),
) -> (Prepared, Frame) {
    let prepared = prepared(signature);
    let mut frame = Frame::new(&prepared.frame);
    fill(&mut frame.view());
    let downcall = Downcall::new(&prepared, true).unwrap();
    // SAFETY: the tests pass functions of the signature.
    unsafe { downcall.call(target, &mut frame) }.unwrap();
    (prepared, frame)
}

fn program(name: &str) -> *const c_void {
    Library::open("").unwrap().symbol(name).unwrap()
}

#[test]
fn libc_functions() {
    let (_, mut frame) = call("(i32) -> i32", program("abs"), |f| f.set_arg(0, -42i32));
    assert_eq!(frame.view().result::<i32>(), 42);
    let (_, mut frame) =
        call("(ptr) -> usize", program("strlen"), |f| f.set_arg(0, c"seven!!".as_ptr()));
    assert_eq!(frame.view().result::<usize>(), 7);
    let (_, mut frame) = call("(i32, i32) -> struct{i32, i32}", program("div"), |f| {
        f.set_arg(0, 47i32);
        f.set_arg(1, -7i32);
    });
    let at = frame.view().layout().ret;
    assert_eq!((frame.view().get::<i32>(at), frame.view().get::<i32>(at + 4)), (-6, 5));
    let (_, mut frame) = call("(long, long) -> struct{long, long}", program("ldiv"), |f| {
        f.set_arg(0, 1i64 << 40);
        f.set_arg(1, 1000i64);
    });
    assert_eq!(frame.view().get::<i64>(at), (1 << 40) / 1000);
}

#[test]
fn libm_functions() {
    let libm = Library::open("libm.so.6").unwrap();
    let (_, mut frame) = call("(f64, f64) -> f64", libm.symbol("pow").unwrap(), |f| {
        f.set_arg(0, 2f64);
        f.set_arg(1, 0.5f64);
    });
    assert_eq!(frame.view().result::<f64>(), std::f64::consts::SQRT_2);
    let (_, mut frame) =
        call("(f32) -> f32", libm.symbol("sqrtf").unwrap(), |f| f.set_arg(0, 2f32));
    assert_eq!(frame.view().result::<f32>(), std::f32::consts::SQRT_2);
}

#[test]
fn variadic_functions() {
    let mut text = [0u8; 64];
    let (_, mut frame) =
        call("(ptr, usize, ptr, ..., i32, f64, ptr, i64, f64) -> i32", program("snprintf"), |f| {
            f.set_arg(0, text.as_mut_ptr());
            f.set_arg(1, text.len());
            f.set_arg(2, c"%d %.2f %s %lld %g".as_ptr());
            f.set_arg(3, -5i32);
            f.set_arg(4, 2.25f64);
            f.set_arg(5, c"six".as_ptr());
            f.set_arg(6, i64::MIN);
            f.set_arg(7, 1e100f64);
        });
    let expected = format!("-5 2.25 six {} 1e+100", i64::MIN);
    assert_eq!(frame.view().result::<i32>() as usize, expected.len());
    assert_eq!(CStr::from_bytes_until_nul(&text).unwrap().to_str().unwrap(), expected);
}

#[test]
fn structs_by_value() {
    let (_, mut frame) =
        call("(i32, f64) -> struct{i32, f64}", fixture().symbol("make_mixed").unwrap(), |f| {
            f.set_arg(0, 41i32);
            f.set_arg(1, 0.25f64);
        });
    let at = frame.view().layout().ret;
    assert_eq!((frame.view().get::<i32>(at), frame.view().get::<f64>(at + 8)), (42, 0.5));
    let (_, mut frame) =
        call("(long) -> struct{long, long, long}", fixture().symbol("make_large").unwrap(), |f| {
            f.set_arg(0, 10i64);
        });
    let at = frame.view().layout().ret;
    assert_eq!([0, 8, 16].map(|field| frame.view().get::<i64>(at + field)), [10, 11, 12]);
    let (_, mut frame) =
        call("(struct{long, long, long}) -> long", fixture().symbol("sum_large").unwrap(), |f| {
            let cell = f.layout().args[0];
            for i in 0..3 {
                f.set(cell + i * 8, 1i64 << (i * 8));
            }
        });
    assert_eq!(frame.view().result::<i64>(), 0x10101);
}

#[test]
fn errno_is_saved_right_after_the_call() {
    errno::set(0);
    let (_, mut frame) = call("(i32) -> i32", fixture().symbol("fail_with").unwrap(), |f| {
        f.set_arg(0, libc::ENOSPC);
    });
    errno::set(0);
    assert_eq!((frame.view().result::<i32>(), frame.view().errno()), (-1, libc::ENOSPC));
}

#[test]
fn bad_frames_and_targets_are_refused() {
    let prepared = prepared("(i64, i64) -> i64");
    let downcall = Downcall::new(&prepared, false).unwrap();
    let mut frame = Frame::new(&prepared.frame);
    let size = frame.len();
    let refused = |target: *const c_void, frame: &mut [u8]| {
        // SAFETY: nothing is called.
        unsafe { downcall.call(target, frame) }.unwrap_err().code
    };
    let target = program("labs");
    assert_eq!(refused(std::ptr::null(), &mut frame), Code::InvalidArgument);
    assert_eq!(refused(target, &mut frame[..size - 1]), Code::InvalidArgument);
    let mut larger = vec![0u8; size + 64];
    let odd = 8 + larger.as_ptr().align_offset(16);
    assert_eq!(refused(target, &mut larger[odd..]), Code::InvalidArgument);
}

#[test]
fn identical_plans_share_code() {
    let code = |signature: &str, entry, errno| -> CodePtr {
        prepared(signature).trampoline(entry, errno).unwrap()
    };
    let first = code("(i64, ptr) -> u64", Entry::Direct, false);
    assert_eq!(first, code("(i64, i64) -> i64", Entry::Direct, false));
    for (signature, entry, errno) in [
        ("(i64, ptr) -> u64", Entry::Direct, true),
        ("(i64, ptr) -> u64", Entry::Fixed, false),
        ("(i64, ptr) -> u64", Entry::Stacked, false),
        ("(i64, ptr) -> u64", Entry::Upcall, false),
        ("(i64, ptr) -> u32", Entry::Direct, false),
    ] {
        assert_ne!(first, code(signature, entry, errno), "{signature} {entry:?}");
    }
}

#[test]
fn code_for_another_target_is_refused() {
    use crate::target::{Arch, Os, Toolchain};
    let target = Target::new(Arch::X64, Os::Darwin, Toolchain::Gnu);
    let signature = parse_signature("() -> void", &target.model).unwrap();
    let prepared = Prepared::new(target, signature).unwrap();
    let error = prepared.trampoline(Entry::Direct, false).unwrap_err();
    assert_eq!(error.code, Code::UnsupportedAbi);
}

#[test]
fn libraries_and_symbols() {
    let error = Library::open("/nonexistent/libnone.so").unwrap_err();
    assert_eq!(error.code, Code::Library);
    assert!(error.message.contains("cannot open shared object file"), "{error}");
    assert_eq!(Library::open("lib\0m.so.6").unwrap_err().code, Code::Library);
    let main = Library::open("").unwrap();
    let error = main.symbol("no_such_function").unwrap_err();
    assert_eq!(error.code, Code::Symbol);
    assert!(error.message.contains("undefined symbol: no_such_function"), "{error}");
    assert_eq!(main.symbol("ab\0s").unwrap_err().code, Code::Symbol);
    assert_eq!(main.symbol("").unwrap_err().code, Code::Symbol);
    // Loaded local: the main program does not see it.
    let counter = fixture().symbol("counter").unwrap();
    assert_eq!(main.symbol("counter").unwrap_err().code, Code::Symbol);
    // SAFETY: `counter` is an int.
    assert_eq!(unsafe { *counter.cast::<i32>() }, 7);
}

#[test]
fn qsort_sorts_with_a_closure() {
    let compare = Closure::new(&prepared("(ptr, ptr) -> i32"), |f| {
        // SAFETY: qsort gives pointers to items.
        let (a, b) = unsafe { (*f.arg::<*const u32>(0), *f.arg::<*const u32>(1)) };
        f.set_result(a.cmp(&b) as i32);
    })
    .unwrap();
    let mut items: Vec<u32> = (0..1000u32).map(|i| i.wrapping_mul(2_654_435_761) >> 8).collect();
    let mut expected = items.clone();
    expected.sort_unstable();
    call("(ptr, usize, usize, ptr) -> void", program("qsort"), |f| {
        f.set_arg(0, items.as_mut_ptr());
        f.set_arg(1, items.len());
        f.set_arg(2, size_of::<u32>());
        f.set_arg(3, compare.code());
    });
    assert_eq!(items, expected);
}

/// Calls the fixture's `call_...` with a function pointer and what `fill` writes behind it.
fn call_back(
    name: &str,
    signature: &str,
    function: *const c_void,
    fill: impl FnOnce(&mut FrameView<'_>),
) -> Frame {
    let (_, frame) = call(signature, fixture().symbol(name).unwrap(), |f| {
        f.set_arg(0, function);
        fill(f);
    });
    frame
}

#[test]
fn upcalls_return_every_way() {
    let negate = Closure::new(&prepared("(i8) -> i8"), |f| {
        let value: i8 = f.arg(0);
        f.set_result(value.wrapping_neg());
    })
    .unwrap();
    let mut frame = call_back("call_i8", "(ptr, i8) -> i8", negate.code(), |f| f.set_arg(1, 100i8));
    assert_eq!(frame.view().result::<i8>(), -100);

    let mixed = Closure::new(&prepared("(struct{i32, f64}) -> struct{i32, f64}"), |f| {
        let (from, to) = (f.layout().args[0], f.layout().ret);
        let (number, float) = (f.get::<i32>(from), f.get::<f64>(from + 8));
        f.set(to, number * 2);
        f.set(to + 8, float / 2.0);
    })
    .unwrap();
    let signature = "(ptr, struct{i32, f64}) -> struct{i32, f64}";
    let mut frame = call_back("call_mixed", signature, mixed.code(), |f| {
        let cell = f.layout().args[1];
        f.set(cell, 21i32);
        f.set(cell + 8, 5f64);
    });
    let at = frame.view().layout().ret;
    assert_eq!((frame.view().get::<i32>(at), frame.view().get::<f64>(at + 8)), (42, 2.5));

    let large = Closure::new(&prepared("(long) -> struct{long, long, long}"), |f| {
        let (base, to) = (f.arg::<i64>(0), f.layout().ret);
        for i in 0..3 {
            f.set(to + i * 8, base * i64::from(i));
        }
    })
    .unwrap();
    let signature = "(ptr, long) -> struct{long, long, long}";
    let mut frame = call_back("call_large", signature, large.code(), |f| f.set_arg(1, 7i64));
    let at = frame.view().layout().ret;
    assert_eq!([0, 8, 16].map(|field| frame.view().get::<i64>(at + field)), [0, 7, 14]);
}

#[test]
fn upcalls_nest() {
    const SIGNATURE: &str = "(ptr, i32, f64) -> f64";
    struct Nest {
        code: AtomicU64,
        depth: AtomicU32,
    }
    let nest = Arc::new(Nest { code: AtomicU64::new(0), depth: AtomicU32::new(0) });
    let inner = Arc::clone(&nest);
    let closure = Closure::new(&prepared("(i32, f64) -> f64"), move |f| {
        let (left, so_far) = (f.arg::<i32>(0), f.arg::<f64>(1));
        inner.depth.fetch_max(1000 - left as u32, Ordering::Relaxed);
        let result = if left == 0 {
            so_far
        } else {
            let function = inner.code.load(Ordering::Relaxed) as usize as *const c_void;
            let mut frame = call_back("call_f64", SIGNATURE, function, |f| {
                f.set_arg(1, left - 1);
                f.set_arg(2, so_far + 0.5);
            });
            frame.view().result()
        };
        f.set_result(result);
    })
    .unwrap();
    nest.code.store(closure.code().addr() as u64, Ordering::Relaxed);
    let run = || {
        let mut frame = call_back("call_f64", SIGNATURE, closure.code(), |f| {
            f.set_arg(1, 1000i32);
            f.set_arg(2, 0f64);
        });
        assert_eq!(frame.view().result::<f64>(), 500.0);
    };
    // Debug builds take more stack for a thousand levels than a test thread has.
    std::thread::scope(|scope| {
        let big = std::thread::Builder::new().stack_size(64 << 20);
        big.spawn_scoped(scope, run).unwrap().join().unwrap();
    });
    assert_eq!(nest.depth.load(Ordering::Relaxed), 1000);
}

#[test]
fn a_released_upcall_gives_zeros_of_its_type() {
    // Alone, because it calls what other tests' upcalls could take over.
    if role().is_none() {
        child("call::tests::a_released_upcall_gives_zeros_of_its_type", "alone", &[]);
        return;
    }
    let of = |signature: &str| -> *const c_void {
        // The result would be something else while it lives.
        let closure = Closure::new(&prepared(signature), |f| {
            let (at, end) = (f.layout().ret as usize, f.layout().errno as usize);
            f.bytes_mut()[at..end].fill(0x11);
        });
        closure.unwrap().code()
    };
    let code = of("(i8) -> i8");
    let mut frame = call_back("call_i8", "(ptr, i8) -> i8", code, |f| f.set_arg(1, 5i8));
    assert_eq!(frame.view().result::<i8>(), 0);
    let code = of("(i32, f64) -> f64");
    let mut frame = call_back("call_late_f64", "(ptr, i32, f64) -> f64", code, |f| {
        f.set_arg(1, 1i32);
        f.set_arg(2, 2f64);
    });
    assert_eq!(frame.view().result::<f64>(), 0.0);
    let code = of("(struct{i32, f64}) -> struct{i32, f64}");
    let signature = "(ptr, struct{i32, f64}) -> struct{i32, f64}";
    let mut frame = call_back("call_mixed", signature, code, |f| {
        let cell = f.layout().args[1];
        f.set(cell, 1i32);
        f.set(cell + 8, 1f64);
    });
    let at = frame.view().layout().ret;
    assert_eq!((frame.view().get::<i32>(at), frame.view().get::<f64>(at + 8)), (0, 0.0));
    let code = of("(long) -> struct{long, long, long}");
    let signature = "(ptr, long) -> struct{long, long, long}";
    let mut frame = call_back("call_large", signature, code, |f| {
        f.set_arg(1, 9i64);
        let at = f.layout().ret as usize;
        f.bytes_mut()[at..at + 24].fill(0xee);
    });
    let at = frame.view().layout().ret;
    assert_eq!([0, 8, 16].map(|field| frame.view().get::<i64>(at + field)), [0; 3]);
}

#[test]
fn a_panic_in_a_closure_is_kept() {
    let closure = Closure::new(&prepared("(i8) -> i8"), |f| {
        f.set_result(1i8);
        assert_ne!(f.arg::<i8>(0), 3, "three");
        f.set_result(2i8);
    })
    .unwrap();
    let run = |value: i8| {
        let mut frame =
            call_back("call_i8", "(ptr, i8) -> i8", closure.code(), |f| f.set_arg(1, value));
        frame.view().result::<i8>()
    };
    assert_eq!(run(2), 2);
    assert!(closure.take_panic().is_none());
    assert_eq!(run(3), 0);
    let payload = closure.take_panic().unwrap();
    assert!(payload.downcast_ref::<String>().unwrap().contains("three"));
    assert_eq!(run(4), 2);
    assert!(closure.take_panic().is_none());
}

#[test]
fn an_odd_context_is_refused() {
    unsafe extern "C" fn nothing(_context: *mut c_void, _frame: *mut u8) {}
    let odd = std::ptr::without_provenance_mut(1);
    let error = Upcall::new(&prepared("() -> void"), nothing, odd).unwrap_err();
    assert_eq!(error.code, Code::InvalidArgument);
}

/// Direct entries of a slot: the frame in the record, and the frame cell.
#[test]
fn slots_carry_downcalls() {
    use crate::code::Slot;
    let prepared = prepared("(i32) -> i32");
    let enter = |slot: &Slot| {
        // SAFETY: slot entries take no arguments and return a word.
        unsafe { std::mem::transmute::<*const u8, extern "C" fn() -> usize>(slot.code())() }
    };
    let bind = |entry| {
        let slot = Slot::allocate().unwrap();
        let record = CallRecord::of(slot.record());
        record.target.store(program("abs").cast_mut(), Ordering::Relaxed);
        (slot, record, prepared.trampoline(entry, false).unwrap())
    };
    let mut frame = Frame::new(&prepared.frame);
    frame.view().set_arg(0, -9i32);
    let (slot, record, code) = bind(Entry::Fixed);
    record.frame.store(frame.as_mut_ptr(), Ordering::Relaxed);
    record.body.store(code.as_ptr().cast_mut().cast(), Ordering::Release);
    assert_eq!(enter(&slot), 0);
    assert_eq!(frame.view().result::<i32>(), 9);

    #[repr(align(16))]
    struct Stack([u8; 256]);
    let mut stack = Stack([0; 256]);
    let mut cell = 128u32;
    let (slot, record, code) = bind(Entry::Stacked);
    record.frame.store(stack.0.as_mut_ptr(), Ordering::Relaxed);
    record.frame_cell.store(&raw mut cell, Ordering::Relaxed);
    record.body.store(code.as_ptr().cast_mut().cast(), Ordering::Release);
    stack.0[128..132].copy_from_slice(&(-11i32).to_ne_bytes());
    assert_eq!(enter(&slot), 0);
    let at = 128 + prepared.frame.ret as usize;
    assert_eq!(stack.0[at..at + 4], 11i32.to_ne_bytes());
}

/// Addresses in the frames above a C function, as the system's unwinder sees them.
#[test]
fn backtraces_go_through_trampolines() {
    let downcall = prepared("(ptr, i32) -> i32");
    let inside = |code: CodePtr, address: usize| {
        (code.addr()..code.addr() + code.bytes().len()).contains(&address)
    };
    let trace = |seen: &mut [usize]| {
        let mut frame = Frame::new(&downcall.frame);
        frame.view().set_arg(0, seen.as_mut_ptr());
        frame.view().set_arg(1, seen.len() as i32);
        let call = Downcall::new(&downcall, false).unwrap();
        // SAFETY: `trace` has this signature.
        unsafe { call.call(fixture().symbol("trace").unwrap(), &mut frame) }.unwrap();
        frame.view().result::<i32>() as usize
    };
    let mut seen = [0; 64];
    let count = trace(&mut seen);
    let code = downcall.trampoline(Entry::Direct, false).unwrap();
    let at = seen[..count].iter().position(|&address| inside(code, address)).unwrap();
    assert!(callers(&seen[at + 1..count]) >= 2, "{:x?}", &seen[..count]);

    // Through both: Rust, downcall, C, upcall, Rust, downcall, C.
    let deep: Arc<Mutex<Vec<usize>>> = Arc::default();
    let found = Arc::clone(&deep);
    let upcall = prepared("(i32, f64) -> f64");
    let closure = Closure::new(&upcall, {
        let downcall = downcall.clone();
        move |_| {
            let mut seen = vec![0; 64];
            let mut frame = Frame::new(&downcall.frame);
            frame.view().set_arg(0, seen.as_mut_ptr());
            frame.view().set_arg(1, 64i32);
            let call = Downcall::new(&downcall, false).unwrap();
            // SAFETY: `trace` has this signature.
            unsafe { call.call(fixture().symbol("trace").unwrap(), &mut frame) }.unwrap();
            seen.truncate(frame.view().result::<i32>() as usize);
            *found.lock().unwrap() = seen;
        }
    })
    .unwrap();
    call_back("call_f64", "(ptr, i32, f64) -> f64", closure.code(), |_| {});
    let deep = deep.lock().unwrap();
    let outer = prepared("(ptr, i32, f64) -> f64").trampoline(Entry::Direct, true).unwrap();
    let order = [code, upcall.trampoline(Entry::Upcall, false).unwrap(), outer];
    let places = order.map(|code| deep.iter().position(|&address| inside(code, address)).unwrap());
    assert!(places.is_sorted(), "{places:?} in {deep:x?}");
    assert!(callers(&deep[places[2] + 1..]) >= 2, "{deep:x?}");
}

/// How many of the addresses are code of this program.
fn callers(addresses: &[usize]) -> usize {
    let exe = std::env::current_exe().unwrap();
    let of_exe = |&&address: &&usize| {
        let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
        // SAFETY: dladdr fills the structure and takes any address; a zeroed one is valid.
        let file = unsafe {
            libc::dladdr(address as *const c_void, info.as_mut_ptr());
            info.assume_init().dli_fname
        };
        // SAFETY: the loader's names live as long as what they name.
        !file.is_null() && same_file(unsafe { CStr::from_ptr(file) }, &exe)
    };
    addresses.iter().filter(of_exe).count()
}

fn same_file(name: &CStr, path: &std::path::Path) -> bool {
    let canonical = |path: &std::path::Path| path.canonicalize().ok();
    let name = std::path::Path::new(name.to_str().unwrap_or_default());
    name.file_name() == path.file_name() && canonical(name) == canonical(path)
}

#[test]
fn threads_bind_and_call_at_once() {
    std::thread::scope(|scope| {
        for thread in 0..4usize {
            scope.spawn(move || {
                for i in 0..60 {
                    // Every thread wants the same signatures at about the same time.
                    let params = vec!["i64"; 1 + i % 12].join(", ");
                    let sum = Closure::new(&prepared(&format!("({params}) -> i64")), |f| {
                        let count = f.layout().args.len();
                        let sum = (0..count).map(|i| f.arg::<i64>(i)).sum::<i64>();
                        f.set_result(sum);
                    })
                    .unwrap();
                    let count = 1 + i % 12;
                    let (_, mut frame) = call(&format!("({params}) -> i64"), sum.code(), |f| {
                        for k in 0..count {
                            f.set_arg(k, (thread * 100 + k) as i64);
                        }
                    });
                    let expected = (0..count).map(|k| thread * 100 + k).sum::<usize>();
                    assert_eq!(frame.view().result::<i64>(), expected as i64);
                    assert!(sum.take_panic().is_none());
                }
            });
        }
    });
}

#[test]
fn one_of_two_handles_may_be_closed() {
    // Two handles of one library: closing one leaves the other's addresses valid.
    let first = Library::open("libm.so.6").unwrap();
    let second = Library::open("libm.so.6").unwrap();
    let sqrt = first.symbol("sqrt").unwrap();
    drop(second);
    let (_, mut frame) = call("(f64) -> f64", sqrt, |f| f.set_arg(0, 81f64));
    assert_eq!(frame.view().result::<f64>(), 9.0);
}

#[test]
fn strings_come_back() {
    let name = CString::new("FFI_JIT_NO_SUCH_VARIABLE").unwrap();
    let (_, mut frame) = call("(ptr) -> ptr", program("getenv"), |f| f.set_arg(0, name.as_ptr()));
    assert!(frame.view().result::<*const c_char>().is_null());
}

/// `pthread_exit` unwinds the thread's stack and runs what C functions have registered for it.
#[test]
fn unwinding_goes_through_trampolines() {
    let prepared = prepared("(i64) -> void");
    let code = prepared.trampoline(Entry::Direct, false).unwrap();
    let leave = fixture().symbol("leave_thread").unwrap();
    let record = CallRecord::direct(leave, std::ptr::null_mut());
    let mut frame = Frame::new(&prepared.frame);
    frame.view().set_arg(0, 5i64);
    let (_, mut outer) =
        call("(ptr, ptr, ptr, long) -> long", fixture().symbol("in_thread").unwrap(), |f| {
            f.set_arg(0, code.as_ptr());
            f.set_arg(1, frame.as_mut_ptr());
            f.set_arg(2, &raw const record);
            f.set_arg(3, 14i64);
        });
    // What the handler found in a register of its function, times what the exit brought.
    assert_eq!(outer.view().result::<i64>(), 14 * 3 * 5);
}
