use super::*;
use std::arch::naked_asm;
use std::ptr;

/// What the body below works on: the record's words stand for anything.
#[repr(C)]
struct Work {
    run: Cell<extern "C" fn(&Work)>,
    fiber: Cell<*const Fiber>,
    seen: Cell<u64>,
    /// The stack pointer at the body's start.
    entered_at: Cell<usize>,
}

/// A body, as trampolines are: it gets the record in r10.
#[unsafe(naked)]
unsafe extern "C" fn body() {
    naked_asm!("mov rdi, r10", "mov [r10 + 24], rsp", "jmp [r10]")
}

fn work(run: extern "C" fn(&Work), fiber: &Fiber) -> Work {
    Work {
        run: Cell::new(run),
        fiber: Cell::new(fiber),
        seen: Cell::new(0),
        entered_at: Cell::new(0),
    }
}

fn start(fiber: &Fiber, work: &Work) -> Outcome {
    extern "C" fn count(fiber: &'static Fiber) {
        ENDED.with(|ended| ended.set(ended.get() + 1));
        assert!(!fiber.record().is_null());
    }
    // SAFETY: `body` reads the work as its record.
    unsafe {
        fiber.set(body as *const c_void, ptr::from_ref(work).cast(), count);
        fiber.resume()
    }
}

thread_local! {
    /// How many calls were said to have ended.
    static ENDED: Cell<u32> = const { Cell::new(0) };
}

fn fiber() -> &'static Fiber {
    let here = 0u8;
    Fiber::new(ptr::from_ref(&here).addr()).expect("a fiber")
}

#[test]
fn a_call_that_ends_returns_and_the_fiber_is_used_again() {
    extern "C" fn count(work: &Work) {
        work.seen.set(work.seen.get() + 1);
    }
    let fiber = fiber();
    let work = work(count, fiber);
    for i in 1..=1000 {
        assert_eq!(start(fiber, &work), Outcome::Ended);
        assert_eq!(work.seen.get(), i);
        // As the C convention has it: the return address lies below a multiple of 16.
        assert_eq!(work.entered_at.get() % 16, 8);
    }
    assert_eq!(ENDED.get(), 1000);
}

#[test]
fn a_list_gives_the_last_fiber_first() {
    let list = FiberList::default();
    let (first, second) = (fiber(), fiber());
    list.push(first);
    list.push(second);
    assert!(list.pop().is_some_and(|fiber| ptr::eq(fiber, second)));
    assert!(list.pop().is_some_and(|fiber| ptr::eq(fiber, first)));
    assert!(list.pop().is_none());
}

#[test]
fn a_suspended_call_goes_on_where_it_was() {
    extern "C" fn three_times(work: &Work) {
        let local = Cell::new(40);
        // SAFETY: the test keeps the fiber, and this runs on it.
        let fiber = unsafe { &*work.fiber.get() };
        assert!(fiber.contains(ptr::from_ref(&local).addr()));
        for i in 1..=3 {
            work.seen.set(local.get() + i);
            // SAFETY: on the fiber's stack.
            unsafe { fiber.suspend() };
        }
        work.seen.set(99);
    }
    let fiber = fiber();
    let work = work(three_times, fiber);
    let local = 0u8;
    assert!(!fiber.contains(ptr::from_ref(&local).addr()));
    assert_eq!(start(fiber, &work), Outcome::Suspended);
    for i in 1..=3 {
        assert_eq!(work.seen.get(), 40 + i);
        // SAFETY: it is suspended.
        let outcome = unsafe { fiber.resume() };
        assert_eq!(outcome == Outcome::Ended, i == 3);
    }
    assert_eq!(work.seen.get(), 99);
}

#[test]
fn fibers_nest() {
    extern "C" fn inner(work: &Work) {
        work.seen.set(work.seen.get() * 2);
    }
    extern "C" fn outer(work: &Work) {
        let second = fiber();
        let nested = super::tests::work(inner, second);
        nested.seen.set(21);
        assert_eq!(start(second, &nested), Outcome::Ended);
        work.seen.set(nested.seen.get());
    }
    // A fiber may only be made on a stack above the new one: here, on the thread's.
    let fiber = fiber();
    let work = work(outer, fiber);
    assert_eq!(start(fiber, &work), Outcome::Ended);
    assert_eq!(work.seen.get(), 42);
}

#[test]
fn a_stack_has_room_and_lies_below() {
    extern "C" fn deep(work: &Work) {
        fn recurse(depth: u64) -> u64 {
            let block = std::hint::black_box([depth; 512]);
            if depth == 0 { block[0] } else { recurse(depth - 1) + 1 }
        }
        work.seen.set(recurse(1000));
    }
    let fiber = fiber();
    let here = 0u8;
    assert!(fiber.stack.top().addr() < ptr::from_ref(&here).addr());
    let work = work(deep, fiber);
    assert_eq!(start(fiber, &work), Outcome::Ended);
    assert_eq!(work.seen.get(), 1000);
}
