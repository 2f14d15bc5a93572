//! ffi-jit: call any C library from JavaScript.
//!
//! A C signature is classified once into a table of locations; two small compilers turn that
//! table into machine code (the trampoline) and JavaScript (the marshaller); a call then moves
//! plain bytes and nothing else. A module imports only from rows above it:
//!
//! ```text
//! 0 target  types        data: triples, data models, type layouts                 pure
//! 1 abi                  classify: signature -> call layout                        pure
//! 2 plan                 moves for downcall and upcall; verifier                   pure
//! 3 arch                 emit: plan -> code blob                                   pure
//! 4 code                 executable memory: arena, W^X, slots, unwind, perf map    unsafe begins
//! 5 call                 libraries and symbols, errno, invoke, upcalls             no JavaScript
//! 6 node                 Node-API: environment, frame memory, entries, memory
//! 7 js/core              loader, type descriptors, marshaller compiler, errors     JavaScript
//! 8 js/ffi-rs            dialects
//! ```
//! Rows 0 to 3 take a [`target::Target`] value and contain no `unsafe`, so that every ABI is
//! tested on any host. `docs/architecture.md` tells the rest.

pub mod abi;
pub mod arch;
pub mod call;
pub mod code;
pub mod error;
#[cfg(feature = "node")]
pub mod node;
pub mod plan;
pub mod target;
pub mod types;
