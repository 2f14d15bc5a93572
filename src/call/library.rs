//! Shared libraries and their symbols.

use crate::error::{Code, Error, Result};
use std::error::Error as _;
use std::ffi::c_void;
use std::sync::Arc;

#[cfg(unix)]
use libloading::os::unix as system;
#[cfg(windows)]
use libloading::os::windows as system;

/// A loaded library. It is unloaded when the last owner lets go: whoever holds an address from
/// it holds the library too.
#[derive(Debug)]
pub struct Library {
    loaded: system::Library,
    path: String,
}

/// How a library is loaded. Where a system has no such choice, it is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// Functions are bound when they are first called.
    pub lazy: bool,
    /// Libraries that are loaded later see its symbols.
    pub global: bool,
    /// It prefers its own symbols to global ones of the same name.
    pub deep: bool,
}

impl OpenOptions {
    #[cfg(unix)]
    fn flags(self) -> i32 {
        let choose = |on, yes, no| if on { yes } else { no };
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        let deep = libc::RTLD_DEEPBIND;
        #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
        let deep = 0;
        choose(self.lazy, libc::RTLD_LAZY, libc::RTLD_NOW)
            | choose(self.global, libc::RTLD_GLOBAL, libc::RTLD_LOCAL)
            | choose(self.deep, deep, 0)
    }
}

impl Library {
    /// Loads a library, lazily bound and with its symbols kept local. A name without a separator
    /// is searched by the system's loader; the empty path is the main program and everything
    /// that was loaded with it.
    ///
    /// # Errors
    /// [`Code::Library`] with the loader's own text.
    pub fn open(path: &str) -> Result<Arc<Library>> {
        let loaded = if path.is_empty() {
            main_program()
        } else {
            // SAFETY: initialisers of the library run, which is what the user asks for by
            // naming it.
            unsafe { system::Library::new(path) }
        };
        Self::loaded(loaded, path)
    }

    /// The same with a choice of how.
    ///
    /// # Errors
    /// As [`Library::open`].
    pub fn open_with(path: &str, options: OpenOptions) -> Result<Arc<Library>> {
        if path.is_empty() {
            return Self::open(path);
        }
        Self::loaded(load_with(path, options), path)
    }

    fn loaded(
        loaded: std::result::Result<system::Library, libloading::Error>,
        path: &str,
    ) -> Result<Arc<Library>> {
        let loaded = loaded.map_err(|error| Error::new(Code::Library, text(&error)))?;
        Ok(Arc::new(Library { loaded, path: path.to_owned() }))
    }

    /// The path it was opened with; empty for the main program.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The address of a function or variable. On Windows `#12` is the export with the ordinal 12.
    ///
    /// # Errors
    /// [`Code::Symbol`] with the loader's own text, or for an address that is null.
    pub fn symbol(&self, name: &str) -> Result<*const c_void> {
        let fail = |cause| {
            let place = if self.path.is_empty() { "the main program" } else { &self.path };
            Err(Error::new(Code::Symbol, format!("cannot find {name:?} in {place}: {cause}")))
        };
        // SAFETY: only the address is taken, without a claim about what is there.
        match unsafe { find(&self.loaded, name) } {
            Ok(symbol) if symbol.is_null() => fail("its address is null".to_owned()),
            #[cfg(windows)]
            Err(error) if self.path.is_empty() => {
                modules::find(name).map_or_else(|| fail(text(&error)), Ok)
            }
            Ok(symbol) => Ok(*symbol),
            Err(error) => fail(text(&error)),
        }
    }
}

#[cfg(unix)]
fn load_with(
    path: &str,
    options: OpenOptions,
) -> std::result::Result<system::Library, libloading::Error> {
    // SAFETY: as in `Library::open`.
    unsafe { system::Library::open(Some(path), options.flags()) }
}

#[cfg(windows)]
fn load_with(
    path: &str,
    _options: OpenOptions,
) -> std::result::Result<system::Library, libloading::Error> {
    // SAFETY: as in `Library::open`.
    unsafe { system::Library::new(path) }
}

#[cfg(unix)]
fn main_program() -> std::result::Result<system::Library, libloading::Error> {
    Ok(system::Library::this())
}

#[cfg(windows)]
fn main_program() -> std::result::Result<system::Library, libloading::Error> {
    system::Library::this()
}

/// Looks a symbol up in one library.
///
/// # Safety
/// The result claims nothing about what is at the address.
#[cfg(unix)]
unsafe fn find(
    library: &system::Library,
    name: &str,
) -> std::result::Result<system::Symbol<*const c_void>, libloading::Error> {
    // SAFETY: only the address is taken.
    unsafe { library.get::<*const c_void>(name) }
}

/// The same, also by ordinal.
///
/// # Safety
/// As above.
#[cfg(windows)]
unsafe fn find(
    library: &system::Library,
    name: &str,
) -> std::result::Result<system::Symbol<*const c_void>, libloading::Error> {
    let ordinal = name.strip_prefix('#').and_then(|digits| digits.parse().ok());
    // SAFETY: only the address is taken.
    unsafe {
        match ordinal {
            Some(ordinal) => library.get_ordinal::<*const c_void>(ordinal),
            None => library.get::<*const c_void>(name),
        }
    }
}

/// What was loaded with the main program: Windows looks up a symbol in one module at a time.
#[cfg(windows)]
mod modules {
    use std::ffi::{CString, c_char, c_void};
    use std::ptr;

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetCurrentProcess() -> *mut c_void;
        fn GetModuleHandleA(name: *const c_char) -> *mut c_void;
        fn GetProcAddress(module: *mut c_void, name: *const c_char) -> *const c_void;
        fn K32EnumProcessModules(
            process: *mut c_void,
            modules: *mut *mut c_void,
            bytes: u32,
            needed: *mut u32,
        ) -> i32;
    }

    /// The address of a symbol in the C library, or else in the first module that has it.
    pub(super) fn find(name: &str) -> Option<*const c_void> {
        let name = CString::new(name).ok()?;
        // SAFETY: the name is NUL-terminated; null is the answer when it is not loaded.
        let c_library = unsafe { GetModuleHandleA(c"ucrtbase.dll".as_ptr()) };
        [c_library].into_iter().chain(loaded()).filter(|module| !module.is_null()).find_map(
            |module| {
                // SAFETY: the module was loaded a moment ago; for one that was unloaded since,
                // the system answers null.
                let address = unsafe { GetProcAddress(module, name.as_ptr()) };
                (!address.is_null()).then_some(address)
            },
        )
    }

    /// The modules of this process, in the order in which they were loaded.
    fn loaded() -> Vec<*mut c_void> {
        let mut modules = vec![ptr::null_mut(); 1024];
        let (room, mut needed) = (size_of_val(&modules[..]) as u32, 0);
        // SAFETY: the array has `room` bytes.
        let done = unsafe {
            K32EnumProcessModules(GetCurrentProcess(), modules.as_mut_ptr(), room, &mut needed)
        };
        let bytes = if done == 0 { 0 } else { needed.min(room) };
        modules.truncate(bytes as usize / size_of::<*mut c_void>());
        modules
    }
}

/// What the loader said, without libloading's own frame around it.
fn text(error: &libloading::Error) -> String {
    match error.source() {
        Some(source) => source.to_string(),
        None => error.to_string(),
    }
}
