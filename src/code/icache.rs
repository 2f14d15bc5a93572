//! Instruction caches: x86 keeps them coherent by itself, ARM wants to be told.

/// Makes freshly written code visible to instruction fetch on every core.
pub(super) fn synchronise(code: &[u8]) {
    dynasmrt::cache_control::synchronize_icache(code);
    dynasmrt::cache_control::prepare_for_execution(code);
    clear_arm32(code);
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
