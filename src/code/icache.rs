//! Instruction caches: x86 keeps them coherent by itself, ARM wants to be told.

/// Makes freshly written code visible to instruction fetch on every core, and to threads that are
/// running now.
pub(super) fn synchronise(code: &[u8]) {
    // By the processor's own instructions, or what Apple's system library has for it. Windows does
    // not say whether programs may use them: there the system does it (`os::flush`).
    #[cfg(not(windows))]
    dynasmrt::cache_control::synchronize_icache(code);
    clear_arm32(code);
    other_threads::synchronise();
    dynasmrt::cache_control::prepare_for_execution(code);
}

#[cfg(target_arch = "arm")]
fn clear_arm32(code: &[u8]) {
    unsafe extern "C" {
        fn __clear_cache(start: *const u8, end: *const u8);
    }
    let range = code.as_ptr_range();
    // SAFETY: the compiler's runtime library takes any mapped range.
    unsafe { __clear_cache(range.start, range.end) }
}

#[cfg(not(target_arch = "arm"))]
fn clear_arm32(_code: &[u8]) {}

/// A core may have fetched instructions from a place before code was written there. Its own
/// barrier drops them, and only the kernel can make other threads pass one (Arm Architecture
/// Reference Manual, "Concurrent modification and execution of instructions"; membarrier(2)).
#[cfg(all(
    any(target_arch = "aarch64", target_arch = "arm"),
    any(target_os = "linux", target_os = "android")
))]
mod other_threads {
    use std::sync::OnceLock;

    const PRIVATE_EXPEDITED_SYNC_CORE: libc::c_int = 1 << 5;
    const REGISTER_PRIVATE_EXPEDITED_SYNC_CORE: libc::c_int = 1 << 6;

    /// Kernels before 4.16, and emulators, do not have it: there threads meet the barrier when
    /// they next enter the kernel.
    pub(super) fn synchronise() {
        static REGISTERED: OnceLock<bool> = OnceLock::new();
        if *REGISTERED.get_or_init(|| membarrier(REGISTER_PRIVATE_EXPEDITED_SYNC_CORE)) {
            membarrier(PRIVATE_EXPEDITED_SYNC_CORE);
        }
    }

    fn membarrier(command: libc::c_int) -> bool {
        // SAFETY: the call takes two numbers and touches no memory.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0) == 0 }
    }
}

#[cfg(not(all(
    any(target_arch = "aarch64", target_arch = "arm"),
    any(target_os = "linux", target_os = "android")
)))]
mod other_threads {
    pub(super) fn synchronise() {}
}
