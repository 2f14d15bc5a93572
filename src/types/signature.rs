//! Signatures: what a user declares about a C function.

use super::{MAX_SIZE, Type};
use crate::error::{Code, Error, Result};
use crate::target::DataModel;
use std::fmt;

/// The convention a user names. What it means on a target is the ABI's business; on every target
/// but 32-bit x86 the last three are the same as [`Convention::C`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Convention {
    /// The platform's C convention (`cdecl` on x86).
    #[default]
    C,
    /// x86 `__stdcall`.
    Stdcall,
    /// x86 `__fastcall`.
    Fastcall,
    /// x86 `__thiscall`.
    Thiscall,
}

impl Convention {
    /// The notation word; empty for C.
    pub const fn name(self) -> &'static str {
        match self {
            Convention::C => "",
            Convention::Stdcall => "stdcall",
            Convention::Fastcall => "fastcall",
            Convention::Thiscall => "thiscall",
        }
    }
}

/// A function type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Signature {
    /// Calling convention.
    pub convention: Convention,
    /// Result type; never an array.
    pub ret: Type,
    /// Parameter types, variadic ones included; scalars and records only.
    pub params: Vec<Type>,
    /// For a variadic function, how many leading parameters are fixed.
    pub fixed: Option<u16>,
}

impl Signature {
    /// The most parameters a signature may have (V8 itself allows 65,535 arguments; C compilers
    /// must accept 127).
    pub const MAX_PARAMS: usize = 1024;

    /// A checked signature.
    ///
    /// # Errors
    /// [`Code::InvalidType`] for void or array parameters, array results, more fixed parameters
    /// than parameters, variadic arguments of a type that C would promote, more than
    /// [`Signature::MAX_PARAMS`] parameters, or more than [`MAX_SIZE`] bytes of arguments.
    pub fn new(
        convention: Convention,
        ret: Type,
        params: Vec<Type>,
        fixed: Option<u16>,
        model: &DataModel,
    ) -> Result<Signature> {
        let invalid = |message: String| Err(Error::new(Code::InvalidType, message));
        if matches!(ret, Type::Array(_)) {
            return invalid(format!("a function cannot return the array {ret}"));
        }
        if params.len() > Self::MAX_PARAMS {
            return invalid(format!("{} parameters are too many", params.len()));
        }
        let mut bytes = 0u64;
        for (i, param) in params.iter().enumerate() {
            bytes += u64::from(param.size(model)) + 64;
            match param {
                Type::Void => return invalid(format!("parameter {i} is void")),
                Type::Array(_) => {
                    return invalid(format!("parameter {i} is the array {param}; pass a pointer"));
                }
                Type::Scalar(scalar)
                    if scalar.is_promoted() && fixed.is_some_and(|n| i >= usize::from(n)) =>
                {
                    return invalid(format!(
                        "variadic argument {i} is {param}, which C promotes before the call"
                    ));
                }
                _ => {}
            }
        }
        if bytes > u64::from(MAX_SIZE) {
            return invalid(format!("{bytes} bytes of arguments are too many"));
        }
        if fixed.is_some_and(|n| usize::from(n) > params.len()) {
            return invalid("more fixed parameters than parameters".to_owned());
        }
        Ok(Signature { convention, ret, params, fixed })
    }

    /// Whether parameter `index` is passed by the rules for variadic arguments.
    pub fn is_variadic_arg(&self, index: usize) -> bool {
        self.fixed.is_some_and(|fixed| index >= usize::from(fixed))
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.convention != Convention::C {
            write!(f, "{} ", self.convention.name())?;
        }
        f.write_str("(")?;
        for i in 0..=self.params.len() {
            let mut sep = if i > 0 { ", " } else { "" };
            if self.fixed.map(usize::from) == Some(i) {
                write!(f, "{sep}...")?;
                sep = ", ";
            }
            if let Some(param) = self.params.get(i) {
                write!(f, "{sep}{param}")?;
            }
        }
        write!(f, ") -> {}", self.ret)
    }
}
