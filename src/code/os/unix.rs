//! Unix but for Apple's: shared segments with two views, slot groups with a protected first page.

use super::{Attempt, Refusal, Refusals, attempt};
use crate::code::fault::Step;
use crate::code::perf;
use memmap2::{Mmap, MmapMut, MmapOptions};
use std::fs::File;
use std::io;
use std::ptr::NonNull;

pub(in crate::code) fn page_size() -> usize {
    // SAFETY: sysconf only reads.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).ok().filter(|size| size.is_power_of_two()).unwrap_or(4096)
}

/// What must follow a write to code; see `icache` for the portable part.
pub(in crate::code) fn flush(_code: &[u8]) {}

/// Memory with two views of the same pages: one readable and executable for ever, and one for
/// editing that is writable only while a blob is copied. The file behind them is closed at once,
/// so that a program which closes descriptors it does not know cannot hurt us.
#[derive(Debug)]
pub(in crate::code) struct Segment {
    code: NonNull<u8>,
    len: usize,
    /// Missing after the system refused to switch it.
    edit: Option<Mmap>,
}

// SAFETY: the segment owns its two views; the executable one is only read.
unsafe impl Send for Segment {}

impl Segment {
    /// A segment of `len` bytes, a multiple of the page size.
    pub(in crate::code) fn new(len: usize) -> Attempt<Segment> {
        let file = attempt(Step::File, || code_file(len))?;
        // SAFETY: the file is ours alone, has no name and keeps its length.
        let code =
            attempt(Step::MapShared, || unsafe { MmapOptions::new().len(len).map_exec(&file) })?;
        // SAFETY: as above.
        let edit = attempt(Step::MapShared, || unsafe { MmapOptions::new().len(len).map(&file) })?;
        Ok(Segment { code: leak(code), len, edit: Some(edit) })
    }

    pub(in crate::code) fn len(&self) -> usize {
        self.len
    }

    /// Copies bytes to a place that nothing executes yet, and returns where they are executable.
    pub(in crate::code) fn write(&mut self, at: usize, bytes: &[u8]) -> Attempt<NonNull<u8>> {
        debug_assert!(at + bytes.len() <= self.len);
        let closed = || io::Error::other("the segment is closed");
        let view = self.edit.take().ok_or_else(|| Refusal::new(Step::Edit, closed()))?;
        let mut view: MmapMut = attempt(Step::Edit, || view.make_mut())?;
        view[at..at + bytes.len()].copy_from_slice(bytes);
        self.edit = Some(attempt(Step::Edit, || view.make_read_only())?);
        // SAFETY: `at` is inside the executable view.
        Ok(unsafe { self.code.add(at) })
    }
}

/// Anonymous memory, filled by `write` and then made executable; never unmapped. Its length is
/// rounded up to whole pages by the system.
pub(in crate::code) fn private_code(code: &[u8]) -> Result<NonNull<u8>, Refusals> {
    private_pages(code).map_err(|refusal| Refusals(vec![refusal]))
}

fn private_pages(code: &[u8]) -> Attempt<NonNull<u8>> {
    let mut pages = attempt(Step::MapAnonymous, || MmapMut::map_anon(code.len()))?;
    pages[..code.len()].copy_from_slice(code);
    let pages = attempt(Step::Protect, || pages.make_exec())?;
    Ok(leak(pages))
}

/// Keeps a mapping for the rest of the process's life.
fn leak(pages: Mmap) -> NonNull<u8> {
    let start = NonNull::new(pages.as_ptr().cast_mut()).expect("a mapping has an address");
    std::mem::forget(pages);
    start
}

/// The file behind executable mappings.
fn code_file(len: usize) -> io::Result<File> {
    if perf::wanted() {
        return Err(io::Error::other("a perf map needs anonymous memory"));
    }
    anonymous_file(len)
}

/// A file without a name that lives as long as something maps it.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn anonymous_file(len: usize) -> io::Result<File> {
    use std::os::fd::FromRawFd;
    let create = memfd_create()?;
    let create = |flags: libc::c_uint| {
        // SAFETY: the name is NUL-terminated; the call makes a new descriptor or fails.
        unsafe { create(c"ffi-jit".as_ptr(), flags) }
    };
    // NOEXEC_SEAL is about execve, which this file never sees; it keeps the file acceptable where
    // vm.memfd_noexec is set, and kernels before 6.3 (which answer EINVAL) do not know it.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let mut fd = create(libc::MFD_CLOEXEC | libc::MFD_NOEXEC_SEAL);
    #[cfg(target_os = "freebsd")]
    let mut fd = -1;
    if fd < 0 {
        fd = create(libc::MFD_CLOEXEC);
    }
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and nobody else's.
    let file = unsafe { File::from_raw_fd(fd) };
    file.set_len(len as u64)?;
    Ok(file)
}

type MemfdCreate = unsafe extern "C" fn(*const libc::c_char, libc::c_uint) -> libc::c_int;

#[cfg(any(target_os = "linux", target_os = "freebsd"))]
fn memfd_create() -> io::Result<MemfdCreate> {
    Ok(libc::memfd_create)
}

/// Android's C library has it since Android 11; asking an older kernel ends the process of an app.
#[cfg(target_os = "android")]
fn memfd_create() -> io::Result<MemfdCreate> {
    use std::sync::OnceLock;
    static FOUND: OnceLock<Option<MemfdCreate>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            // SAFETY: the name is NUL-terminated.
            let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"memfd_create".as_ptr()) };
            // SAFETY: the name has this type; null becomes None.
            unsafe { std::mem::transmute::<*mut libc::c_void, Option<MemfdCreate>>(address) }
        })
        .ok_or_else(|| io::ErrorKind::Unsupported.into())
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn anonymous_file(_len: usize) -> io::Result<File> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// A group of slots: a page of code of `page` bytes (the system's size or a multiple), readable and
/// executable, and `data` bytes of zeroed read-write memory right behind it. Never unmapped.
pub(in crate::code) fn slot_group(
    code: &[u8],
    page: usize,
    data: usize,
) -> Result<NonNull<u8>, Refusals> {
    debug_assert!(code.len() <= page && data.is_multiple_of(page));
    debug_assert!(page.is_multiple_of(page_size()));
    let refused = |refusal| Refusals(vec![refusal]);
    let mut pages =
        attempt(Step::MapAnonymous, || MmapMut::map_anon(page + data)).map_err(refused)?;
    if let Err(shared) = overlay_file(&mut pages, page, code) {
        pages[..code.len()].copy_from_slice(code);
        if let Err(private) = protect_first_page(&mut pages, page) {
            return Err(Refusals(vec![shared, private]));
        }
    }
    let start = NonNull::new(pages.as_mut_ptr()).expect("a mapping has an address");
    std::mem::forget(pages);
    Ok(start)
}

/// Replaces the first page by a page of a file that holds `code` and is mapped executable.
fn overlay_file(pages: &mut MmapMut, page: usize, code: &[u8]) -> Attempt<()> {
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::FileExt;
    let file = attempt(Step::File, || {
        let file = code_file(page)?;
        file.write_all_at(code, 0)?;
        Ok(file)
    })?;
    attempt(Step::MapShared, || {
        // SAFETY: the range is the first page of a mapping that we own, and nothing refers to its
        // old contents.
        let at = unsafe {
            libc::mmap(
                pages.as_mut_ptr().cast(),
                page,
                libc::PROT_READ | libc::PROT_EXEC,
                libc::MAP_SHARED | libc::MAP_FIXED,
                file.as_raw_fd(),
                0,
            )
        };
        if at == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
    })
}

/// Makes the first page of anonymous memory executable and no longer writable.
fn protect_first_page(pages: &mut MmapMut, page: usize) -> Attempt<()> {
    attempt(Step::Protect, || {
        // SAFETY: the range is the first page of a mapping that we own.
        let result = unsafe {
            libc::mprotect(pages.as_mut_ptr().cast(), page, libc::PROT_READ | libc::PROT_EXEC)
        };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    })
}
