//! Shared libraries and their symbols.

use crate::error::{Code, Error, Result};
use std::error::Error as _;
use std::ffi::c_void;
use std::sync::Arc;

/// A loaded library. It is unloaded when the last owner lets go: whoever holds an address from
/// it holds the library too.
#[derive(Debug)]
pub struct Library {
    loaded: libloading::Library,
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
            unsafe { libloading::Library::new(path) }
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
        loaded: std::result::Result<libloading::Library, libloading::Error>,
        path: &str,
    ) -> Result<Arc<Library>> {
        let loaded = loaded.map_err(|error| Error::new(Code::Library, text(&error)))?;
        Ok(Arc::new(Library { loaded, path: path.to_owned() }))
    }

    /// The path it was opened with; empty for the main program.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The address of a function or variable.
    ///
    /// # Errors
    /// [`Code::Symbol`] with the loader's own text, or for an address that is null.
    pub fn symbol(&self, name: &str) -> Result<*const c_void> {
        let fail = |cause| {
            let place = if self.path.is_empty() { "the main program" } else { &self.path };
            Err(Error::new(Code::Symbol, format!("cannot find {name:?} in {place}: {cause}")))
        };
        // SAFETY: only the address is taken, without a claim about what is there.
        match unsafe { self.loaded.get::<*const c_void>(name) } {
            Ok(symbol) if symbol.is_null() => fail("its address is null".to_owned()),
            Ok(symbol) => Ok(*symbol),
            Err(error) => fail(text(&error)),
        }
    }
}

#[cfg(unix)]
fn load_with(
    path: &str,
    options: OpenOptions,
) -> std::result::Result<libloading::Library, libloading::Error> {
    // SAFETY: as in `Library::open`.
    unsafe { libloading::os::unix::Library::open(Some(path), options.flags()) }.map(Into::into)
}

#[cfg(windows)]
fn load_with(
    path: &str,
    _options: OpenOptions,
) -> std::result::Result<libloading::Library, libloading::Error> {
    // SAFETY: as in `Library::open`.
    unsafe { libloading::Library::new(path) }
}

#[cfg(unix)]
fn main_program() -> std::result::Result<libloading::Library, libloading::Error> {
    Ok(libloading::os::unix::Library::this().into())
}

#[cfg(windows)]
fn main_program() -> std::result::Result<libloading::Library, libloading::Error> {
    libloading::os::windows::Library::this().map(Into::into)
}

/// What the loader said, without libloading's own frame around it.
fn text(error: &libloading::Error) -> String {
    match error.source() {
        Some(source) => source.to_string(),
        None => error.to_string(),
    }
}
