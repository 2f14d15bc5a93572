//! The one error type of the native side. Every failure that can reach JavaScript has a
//! [`Code`], which becomes the `code` property of the JavaScript error.

use std::fmt;

/// What kind of failure this is; [`Code::as_str`] is what JavaScript sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A type or signature description that makes no sense (text, sizes, alignments).
    InvalidType,
    /// A convention or type that the ABI of this target cannot express.
    UnsupportedAbi,
    /// The operating system refused executable memory.
    ExecutableMemory,
    /// A shared library could not be opened.
    Library,
    /// A symbol is not in its library.
    Symbol,
    /// A handle, identifier or address that is not (or no longer) known.
    InvalidArgument,
    /// A function whose library was closed was called.
    LibraryClosed,
    /// Frame memory or another bounded resource ran out.
    OutOfMemory,
    /// A fault of ours: a caught panic, a failed verification, a Node-API call that must not fail.
    Internal,
}

impl Code {
    /// The `code` property of the JavaScript error.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::InvalidType => "ERR_FFI_INVALID_TYPE",
            Code::UnsupportedAbi => "ERR_FFI_UNSUPPORTED_ABI",
            Code::ExecutableMemory => "ERR_FFI_EXECUTABLE_MEMORY",
            Code::Library => "ERR_FFI_LIBRARY",
            Code::Symbol => "ERR_FFI_SYMBOL",
            Code::InvalidArgument => "ERR_FFI_INVALID_ARGUMENT",
            Code::LibraryClosed => "ERR_FFI_LIBRARY_CLOSED",
            Code::OutOfMemory => "ERR_FFI_OUT_OF_MEMORY",
            Code::Internal => "ERR_FFI_INTERNAL",
        }
    }
}

/// A failure: a [`Code`] and a sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of failure.
    pub code: Code,
    /// What went wrong, with the offending value.
    pub message: String,
}

impl Error {
    /// Makes an error from a code and a message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Error { code, message: message.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for Error {}

/// `Result` with the crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
