//! Shared pieces of the heavy tests: a seeded generator of types and signatures, their C source,
//! a symbolic machine that runs plans, and the C-compiler oracle. Everything that can takes a
//! [`ffi_jit::target::Target`], so that it also serves targets that run under emulation.

pub mod batch;
pub mod c_source;
pub mod case;
pub mod compiler;
pub mod emulate;
pub mod faults;
pub mod guarded;
pub mod leaves;
pub mod oracle;
pub mod random;
pub mod rng;
pub mod shrink;
pub mod simulate;
