//! Instruction caches: x86 keeps them coherent by itself, ARM wants to be told.

/// Makes freshly written code visible to instruction fetch on every core, and to threads that are
/// running now. `code` is the executable view: data caches of ARM behave as if they knew physical
/// addresses, so cleaning through it cleans what was written through another view, and instruction
/// caches may know virtual ones (Arm Architecture Reference Manual, "Caches and memory hierarchy").
pub(super) fn synchronise(code: &[u8]) {
    // By the processor's own instructions, or what Apple's system library has for it. Windows does
    // not say whether programs may use them: there the system does it (`os::flush`).
    #[cfg(not(windows))]
    dynasmrt::cache_control::synchronize_icache(code);
    clear_arm32(code);
    other_threads::synchronise();
    dynasmrt::cache_control::prepare_for_execution(code);
}

/// No instruction of a program may clean caches on 32-bit ARM: the kernel does it, for all cores.
/// (`__clear_cache` of compilers' runtimes is this call in some of them and nothing in others.)
#[cfg(all(target_arch = "arm", any(target_os = "linux", target_os = "android")))]
fn clear_arm32(code: &[u8]) {
    /// `__ARM_NR_cacheflush` (arch/arm/include/uapi/asm/unistd.h).
    const CACHE_FLUSH: libc::c_long = 0x0f_0002;
    let range = code.as_ptr_range();
    // SAFETY: the kernel takes any range of the program's memory, and changes nothing in it.
    let done = unsafe { libc::syscall(CACHE_FLUSH, range.start, range.end, 0) };
    debug_assert_eq!(done, 0, "cacheflush of {range:?}");
}

#[cfg(not(all(target_arch = "arm", any(target_os = "linux", target_os = "android"))))]
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
