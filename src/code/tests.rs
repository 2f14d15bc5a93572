//! Running published code, W^X, and what happens when the system says no.

use super::fault::{Step, deny};
use super::*;
use crate::arch::Unwind;
use std::collections::HashSet;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

/// `mov eax, value; ret`
fn constant(value: u32) -> Blob {
    let [a, b, c, d] = value.to_le_bytes();
    Blob {
        code: vec![0xb8, a, b, c, d, 0xc3],
        unwind: Unwind { pushed_fp: 0, set_fp: 0, saved: Vec::new() },
    }
}

fn run(code: *const u8) -> u32 {
    // SAFETY: the tests pass code of this type.
    unsafe { std::mem::transmute::<*const u8, extern "C" fn() -> u32>(code)() }
}

/// Lines of the memory map that are writable and executable.
fn writable_and_executable() -> Vec<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    assert!(maps.lines().any(|line| line.split(' ').nth(1) == Some("r-xp")), "{maps}");
    let both = |line: &&str| {
        let rights = line.split(' ').nth(1).unwrap_or_default();
        rights.contains('w') && rights.contains('x')
    };
    maps.lines().filter(both).map(str::to_owned).collect()
}

/// The line of the memory map that an address belongs to.
fn mapping_of(address: *const u8) -> String {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let holds = |line: &&str| {
        let range = line.split(' ').next().and_then(|range| range.split_once('-'));
        let end = |text: &str| usize::from_str_radix(text, 16).unwrap();
        range.is_some_and(|(from, to)| (end(from)..end(to)).contains(&address.addr()))
    };
    maps.lines().find(holds).unwrap().to_owned()
}

/// Runs one test of this binary in a process of its own, and returns what it printed.
pub(crate) fn child(test: &str, role: &str, environment: &[(&str, &str)]) -> (u32, String) {
    let child = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env("FFI_JIT_TEST_ROLE", role)
        .envs(environment.iter().copied())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{test} as {role}: {}\n{out}\n{err}", output.status);
    assert!(out.contains("1 passed"), "{test} did not run: {out}");
    (pid, out + &err)
}

pub(crate) fn role() -> Option<String> {
    std::env::var("FFI_JIT_TEST_ROLE").ok()
}

#[test]
fn published_code_runs() {
    let code = publish(&constant(42), "constant").unwrap();
    assert_eq!(run(code.as_ptr()), 42);
    assert_eq!(code.bytes(), constant(42).code);
}

#[test]
fn an_empty_blob_is_a_fault() {
    let blob = Blob { code: Vec::new(), ..constant(0) };
    assert_eq!(publish(&blob, "nothing").unwrap_err().code, Code::Internal);
}

#[test]
fn the_fallback_runs_too() {
    let _denial = deny(&[Step::File]);
    assert_eq!(run(publish(&constant(43), "constant").unwrap().as_ptr()), 43);
    assert_eq!(writable_and_executable(), [""; 0]);
}

#[test]
fn no_page_is_ever_writable_and_executable() {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Looks while the others publish.
        let watcher = scope.spawn(|| {
            let mut looks = 0;
            while !done.load(Ordering::Relaxed) || looks < 3 {
                assert_eq!(writable_and_executable(), [""; 0]);
                looks += 1;
            }
        });
        let publishers: Vec<_> = (0..2u32)
            .map(|thread| {
                scope.spawn(move || {
                    let mut slots = Vec::new();
                    for i in 0..2500 {
                        let value = thread << 16 | i;
                        let code = publish(&constant(value), "constant").unwrap();
                        slots.push(Slot::allocate().unwrap());
                        assert_eq!(run(code.as_ptr()), value);
                    }
                })
            })
            .collect();
        let failed = publishers.into_iter().map(|thread| thread.join()).any(|end| end.is_err());
        done.store(true, Ordering::Relaxed);
        watcher.join().unwrap();
        assert!(!failed);
    });
}

#[test]
fn code_runs_while_other_code_is_published_beside_it() {
    let done = AtomicBool::new(false);
    let code = publish(&constant(1), "constant").unwrap();
    std::thread::scope(|scope| {
        let runners: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut runs = 0u64;
                    while !done.load(Ordering::Relaxed) {
                        runs += u64::from(run(code.as_ptr()));
                    }
                    runs
                })
            })
            .collect();
        for i in 0..2000 {
            assert_eq!(run(publish(&constant(i), "constant").unwrap().as_ptr()), i);
        }
        done.store(true, Ordering::Relaxed);
        assert!(runners.into_iter().all(|runner| runner.join().unwrap() > 0));
    });
}

#[test]
fn a_slot_enters_its_body_with_its_record() {
    // mov eax, [r10 + 8]; ret: the record's second word.
    let blob = Blob { code: vec![0x41, 0x8b, 0x42, 0x08, 0xc3], ..constant(0) };
    let body = publish(&blob, "second word").unwrap();
    let slots: Vec<Slot> = (0..600).map(|_| Slot::allocate().unwrap()).collect();
    for (i, slot) in slots.iter().enumerate() {
        slot.record()[1].store(i, Ordering::Relaxed);
        slot.record()[0].store(body.addr(), Ordering::Release);
    }
    for (i, slot) in slots.iter().enumerate() {
        assert_eq!(run(slot.code()), i as u32);
    }
    let addresses: HashSet<_> = slots.iter().map(Slot::code).collect();
    assert_eq!(addresses.len(), 600);
}

#[test]
fn a_released_slot_answers_zero_and_is_used_again() {
    if role().is_none() {
        child("code::tests::a_released_slot_answers_zero_and_is_used_again", "alone", &[]);
        return;
    }
    let body = publish(&constant(9), "constant").unwrap();
    let slots: Vec<Slot> = (0..3).map(|_| Slot::allocate().unwrap()).collect();
    let addresses: Vec<_> = slots.iter().map(Slot::code).collect();
    for slot in slots {
        assert_eq!(run(slot.code()), 0, "taken but not bound");
        slot.record()[0].store(body.addr(), Ordering::Release);
        slot.record()[7].store(1, Ordering::Relaxed);
        assert_eq!(run(slot.code()), 9);
    }
    for &address in &addresses {
        assert_eq!(run(address), 0, "late");
        // SAFETY: the slot returns zero in xmm0 too.
        let float =
            unsafe { std::mem::transmute::<*const u8, extern "C" fn(f64) -> f64>(address)(1.5) };
        assert_eq!(float, 0.0);
    }
    // Others come first, and then the longest released.
    for _ in 3..256 {
        let other = Slot::allocate().unwrap();
        assert!(!addresses.contains(&other.code()));
    }
    let again: Vec<Slot> = (0..3).map(|_| Slot::allocate().unwrap()).collect();
    let denial = deny(&[Step::MapAnonymous]);
    assert_eq!(again[0].code(), addresses[0]);
    assert!(again.iter().all(|slot| slot.record()[7].load(Ordering::Relaxed) == 0));
    // Without memory for more, released ones do not have to wait.
    let mut rest = Vec::new();
    while let Ok(slot) = Slot::allocate() {
        rest.push(slot);
    }
    assert!(addresses.iter().all(|address| {
        again.iter().chain(&rest).filter(|slot| slot.code() == *address).count() == 1
    }));
    drop(denial);
}

#[test]
fn twenty_thousand_slots_are_cheap() {
    if role().is_none() {
        child("code::tests::twenty_thousand_slots_are_cheap", "alone", &[]);
        return;
    }
    let resident = || {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * os::page_size()
    };
    let before = resident();
    let mut slots = Vec::with_capacity(20_000);
    slots.resize_with(20_000, || Slot::allocate().unwrap());
    let each = (resident() - before) / slots.len();
    assert!(each < 150, "{each} bytes for a slot");
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap().lines().count();
    assert!(maps < 300, "{maps} mappings");
}

#[test]
fn slots_have_a_fallback_and_an_error() {
    if let Some(role) = role() {
        let steps: Vec<Step> = match &*role {
            "file" => vec![Step::File],
            "map" => vec![Step::MapShared],
            "protect" => vec![Step::Protect],
            _ => vec![Step::File, Step::Protect],
        };
        let denial = deny(&steps);
        let slot = Slot::allocate();
        if role == "both" {
            let error = slot.unwrap_err();
            assert_eq!(error.code, Code::ExecutableMemory);
            assert!(error.message.contains("code slots"), "{error}");
            drop(denial);
            Slot::allocate().unwrap();
        } else {
            assert_eq!(run(slot.unwrap().code()), 0);
        }
        assert_eq!(writable_and_executable(), [""; 0]);
        return;
    }
    for role in ["file", "map", "protect", "both"] {
        child("code::tests::slots_have_a_fallback_and_an_error", role, &[]);
    }
}

#[test]
fn denial_by_environment_reaches_the_error() {
    if role().is_some() {
        let error = publish(&constant(1), "constant").unwrap_err();
        assert_eq!(error.code, Code::ExecutableMemory);
        println!("{error}");
        return;
    }
    let denied = [("FFI_JIT_DENY", "memfd, map-anonymous")];
    let (_, text) = child("code::tests::denial_by_environment_reaches_the_error", "child", &denied);
    assert!(text.contains("map-anonymous: refused by fault injection"), "{text}");
}

#[test]
fn a_perf_map_is_written_when_asked_for() {
    if role().is_some() {
        let code = publish(&constant(1), "(i32) -> perf").unwrap();
        println!("published at {:x} 6", code.addr());
        let slot = Slot::allocate().unwrap();
        if std::env::var_os("FFI_JIT_PERF_MAP").is_some() {
            // What profilers take for a file is not looked up in the map.
            assert!(!mapping_of(code.as_ptr()).contains("memfd"));
            assert!(!mapping_of(slot.code()).contains("memfd"));
        } else {
            assert!(mapping_of(code.as_ptr()).contains("memfd:ffi-jit"));
            assert!(mapping_of(slot.code()).contains("memfd:ffi-jit"));
        }
        return;
    }
    let test = "code::tests::a_perf_map_is_written_when_asked_for";
    let (pid, _) = child(test, "child", &[]);
    assert!(!std::path::Path::new(&format!("/tmp/perf-{pid}.map")).exists());
    let (pid, text) = child(test, "child", &[("FFI_JIT_PERF_MAP", "1")]);
    let path = format!("/tmp/perf-{pid}.map");
    let map = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    let (_, place) = text.split_once("published at ").unwrap();
    let place = place.lines().next().unwrap();
    assert!(map.contains(&format!("{place} ffi-jit:(i32) -> perf\n")), "{place} in {map}");
    assert!(map.contains(" 1000 ffi-jit:slots\n"), "{map}");
}

#[test]
fn a_policy_of_the_kernel_is_an_error_or_a_way_round() {
    if let Some(role) = role() {
        match &*role {
            "no exec" => {
                seccomp::refuse_executable_memory();
                let error = publish(&constant(1), "constant").unwrap_err();
                assert_eq!(error.code, Code::ExecutableMemory);
                assert!(error.message.contains("map-shared: Permission denied"), "{error}");
                assert!(error.message.contains("protect: Permission denied"), "{error}");
                let error = Slot::allocate().unwrap_err();
                assert_eq!(error.code, Code::ExecutableMemory);
                assert!(error.message.contains("code slots"), "{error}");
            }
            _ => {
                seccomp::refuse_memfd();
                assert_eq!(run(publish(&constant(5), "constant").unwrap().as_ptr()), 5);
                assert_eq!(run(Slot::allocate().unwrap().code()), 0);
                let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
                assert!(!maps.contains("memfd:ffi-jit"), "{maps}");
            }
        }
        return;
    }
    for role in ["no exec", "no memfd"] {
        child("code::tests::a_policy_of_the_kernel_is_an_error_or_a_way_round", role, &[]);
    }
}

/// Seccomp filters for the calling thread: what container runtimes and hardened services install.
mod seccomp {
    use libc::{
        BPF_ABS, BPF_JEQ, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET, BPF_W, EACCES, EPERM,
        SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO, sock_filter, sock_fprog,
    };

    // Offsets in struct seccomp_data.
    const NUMBER: u32 = 0;
    const PROTECTION: u32 = 16 + 2 * 8;

    fn load(offset: u32) -> sock_filter {
        sock_filter { code: (BPF_LD | BPF_W | BPF_ABS) as u16, jt: 0, jf: 0, k: offset }
    }

    fn jump(how: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
        sock_filter { code: (BPF_JMP | how | BPF_K) as u16, jt, jf, k }
    }

    fn answer(k: u32) -> sock_filter {
        sock_filter { code: (BPF_RET | BPF_K) as u16, jt: 0, jf: 0, k }
    }

    fn install(filter: &mut [sock_filter]) {
        let program = sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
        // SAFETY: the program outlives the calls, which copy it.
        unsafe {
            assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
            let mode = libc::SECCOMP_MODE_FILTER;
            assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program), 0);
        }
    }

    /// mmap and mprotect with PROT_EXEC fail with EACCES.
    pub(super) fn refuse_executable_memory() {
        install(&mut [
            load(NUMBER),
            jump(BPF_JEQ, libc::SYS_mmap as u32, 1, 0),
            jump(BPF_JEQ, libc::SYS_mprotect as u32, 0, 3),
            load(PROTECTION),
            jump(BPF_JSET, libc::PROT_EXEC as u32, 0, 1),
            answer(SECCOMP_RET_ERRNO | EACCES as u32),
            answer(SECCOMP_RET_ALLOW),
        ]);
    }

    /// memfd_create fails with EPERM.
    pub(super) fn refuse_memfd() {
        install(&mut [
            load(NUMBER),
            jump(BPF_JEQ, libc::SYS_memfd_create as u32, 0, 1),
            answer(SECCOMP_RET_ERRNO | EPERM as u32),
            answer(SECCOMP_RET_ALLOW),
        ]);
    }
}
