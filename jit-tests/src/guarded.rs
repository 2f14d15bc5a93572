//! Memory between pages that cannot be touched.
#![cfg(unix)]

use std::ptr::NonNull;

/// One page of zeros between two pages without any access.
#[derive(Debug)]
pub struct Guarded {
    page: NonNull<u8>,
    size: usize,
}

impl Guarded {
    /// Maps three pages.
    ///
    /// # Panics
    /// If the system refuses them.
    pub fn new() -> Guarded {
        // SAFETY: asks for a number.
        let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
        let (private, nowhere) = (libc::MAP_PRIVATE | libc::MAP_ANON, std::ptr::null_mut());
        // SAFETY: a new anonymous mapping, of which the middle page is opened.
        let page = unsafe {
            let start = libc::mmap(nowhere, 3 * size, libc::PROT_NONE, private, -1, 0);
            assert_ne!(start, libc::MAP_FAILED, "three pages");
            let page = start.cast::<u8>().add(size);
            let opened = libc::mprotect(page.cast(), size, libc::PROT_READ | libc::PROT_WRITE);
            assert_eq!(opened, 0, "one page to read and write");
            page
        };
        Guarded { page: NonNull::new(page).expect("a mapping is not at 0"), size }
    }

    /// The page.
    pub fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the page is ours, readable, writable and initialised.
        unsafe { std::slice::from_raw_parts_mut(self.page.as_ptr(), self.size) }
    }
}

impl Default for Guarded {
    fn default() -> Self {
        Guarded::new()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the mapping that `new` made.
        unsafe { libc::munmap(self.page.as_ptr().sub(self.size).cast(), 3 * self.size) };
    }
}
