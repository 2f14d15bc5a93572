//! Unwind tables: lets C++ exceptions, backtraces, debuggers and `pthread_cancel` walk through
//! trampolines.

use super::CodePtr;
use crate::arch::{Blob, Unwind};
use std::borrow::Cow;

/// The bytes to publish for a blob: its code, and on 64-bit Windows, where the unwinder wants
/// tables within 4 GiB of the code, its unwind information behind it.
pub(super) fn image(blob: &Blob) -> Cow<'_, [u8]> {
    #[cfg(all(windows, target_arch = "x86_64"))]
    return Cow::Owned(super::unwind_info::append(&blob.code, &blob.unwind));
    #[cfg(not(all(windows, target_arch = "x86_64")))]
    Cow::Borrowed(&blob.code)
}

/// Registers the unwind table of published code, where the platform has a registry. Table and
/// registration last as long as the code: for ever.
pub(super) fn register(unwind: &Unwind, code: CodePtr) {
    #[cfg(all(unix, not(target_vendor = "apple")))]
    {
        let Ok(host) = crate::target::Target::host() else { return };
        let Some(add) = elf::register_frame() else { return };
        let start = code.addr() as u64;
        if let Some(table) =
            super::eh_frame::build(host.arch, unwind, start, code.bytes().len() as u64)
        {
            elf::add(add, table.leak());
        }
    }
    #[cfg(all(windows, target_arch = "x86_64"))]
    super::unwind_info::register(unwind, code);
    #[cfg(not(any(
        all(unix, not(target_vendor = "apple")),
        all(windows, target_arch = "x86_64")
    )))]
    let _ = (unwind, code);
}

#[cfg(all(unix, not(target_vendor = "apple")))]
mod elf {
    use std::ffi::c_void;
    use std::sync::OnceLock;

    pub(super) type RegisterFrame = unsafe extern "C" fn(*const c_void);

    /// The unwinder's registry, looked up at run time: a program may have none.
    pub(super) fn register_frame() -> Option<RegisterFrame> {
        static FOUND: OnceLock<Option<RegisterFrame>> = OnceLock::new();
        *FOUND.get_or_init(|| {
            // SAFETY: the name is NUL-terminated.
            let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__register_frame".as_ptr()) };
            // SAFETY: every unwinder gives this name this type; null becomes None.
            unsafe { std::mem::transmute::<*mut c_void, Option<RegisterFrame>>(address) }
        })
    }

    /// Hands over a table that is never freed.
    pub(super) fn add(add: RegisterFrame, table: &'static [u8]) {
        // SAFETY: the table is a terminated .eh_frame section and immortal.
        unsafe { add(table.as_ptr().cast()) }
    }
}
