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
    #[cfg(unix)]
    dwarf::register(unwind, code);
    #[cfg(all(windows, target_arch = "x86_64"))]
    super::unwind_info::register(unwind, code);
    #[cfg(not(any(unix, all(windows, target_arch = "x86_64"))))]
    let _ = (unwind, code);
}

#[cfg(unix)]
mod dwarf {
    use super::super::{CodePtr, eh_frame};
    use crate::arch::Unwind;
    use crate::target::Target;
    use std::ffi::{CStr, c_void};
    use std::sync::OnceLock;

    type Add = unsafe extern "C" fn(*const c_void);

    /// What an unwinder takes for a table.
    #[derive(Clone, Copy)]
    enum Registry {
        /// A terminated `.eh_frame` section.
        Section(Add),
        /// One frame description entry.
        Description(Add),
    }

    /// The unwinder's registry, looked up at run time: a program may have none. LLVM's unwinder,
    /// which is Apple's too, has `__register_frame` take an entry where libgcc takes a section.
    fn registry() -> Option<Registry> {
        static FOUND: OnceLock<Option<Registry>> = OnceLock::new();
        *FOUND.get_or_init(|| {
            let entry = cfg!(target_vendor = "apple");
            find(c"__unw_add_dynamic_eh_frame_section").map(Registry::Section).or_else(|| {
                let add = find(c"__register_frame")?;
                Some(if entry { Registry::Description(add) } else { Registry::Section(add) })
            })
        })
    }

    fn find(name: &CStr) -> Option<Add> {
        // SAFETY: the name is NUL-terminated.
        let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        // SAFETY: every unwinder gives these names this type; null becomes None.
        unsafe { std::mem::transmute::<*mut c_void, Option<Add>>(address) }
    }

    pub(super) fn register(unwind: &Unwind, code: CodePtr) {
        let Ok(host) = Target::host() else { return };
        let Some(registry) = registry() else { return };
        let (start, len) = (code.addr() as u64, code.bytes().len() as u64);
        let Some(table) = eh_frame::build(host.arch, unwind, start, len) else { return };
        let section: &'static [u8] = table.section.leak();
        // SAFETY: the section is terminated, holds one description where it says, and is immortal.
        unsafe {
            match registry {
                Registry::Section(add) => add(section.as_ptr().cast()),
                Registry::Description(add) => add(section[table.description..].as_ptr().cast()),
            }
        }
    }
}
