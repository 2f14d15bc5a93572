//! The machine code that V8 enters: it gets a token, which is the address of a record in the bits
//! of a double, puts it into the slot register as a code slot does, and jumps to the record's
//! body. The body ignores what is in the argument registers and returns as V8 expects.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x64;

#[cfg(target_arch = "aarch64")]
use aarch64 as code;
#[cfg(target_arch = "x86_64")]
use x64 as code;

pub use code::closed;

use super::layout::CallbackInfo;
use std::ffi::c_void;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Offset of a heap number's value from its tagged pointer: behind the map word.
pub const HEAP_NUMBER_VALUE: usize = 7;

static FAST: AtomicUsize = AtomicUsize::new(0);
static SLOW: AtomicUsize = AtomicUsize::new(0);
/// Entries through thunks, and through the raw callbacks in front of them.
pub static DIRECT: AtomicUsize = AtomicUsize::new(0);
pub static DIRECT_SLOW: AtomicUsize = AtomicUsize::new(0);
/// Calls of JavaScript that V8 made without Node-API.
pub static CALLED: AtomicUsize = AtomicUsize::new(0);

/// The token of a record.
pub fn token(record: *const c_void) -> f64 {
    f64::from_bits(record.expose_provenance() as u64)
}

/// What V8 enters.
#[derive(Clone, Copy)]
pub struct Entries {
    /// From optimised code: `(receiver, token)`.
    pub fast: *const c_void,
    /// From any other code: `(FunctionCallbackInfo&)`.
    pub slow: *const c_void,
}

impl Entries {
    /// The entries for a shape of callbacks, which count when tests want it.
    pub fn new(callback: CallbackInfo) -> Entries {
        let (fast, slow) = match (callback, counting()) {
            (CallbackInfo::Pointer, false) => {
                (code::fast as *const c_void, code::pointer as *const c_void)
            }
            (CallbackInfo::Frame, false) => {
                (code::fast as *const c_void, code::frame as *const c_void)
            }
            (CallbackInfo::Pointer, true) => {
                (code::fast_counted as *const c_void, code::pointer_counted as *const c_void)
            }
            (CallbackInfo::Frame, true) => {
                (code::fast_counted as *const c_void, code::frame_counted as *const c_void)
            }
        };
        Entries { fast, slow }
    }
}

/// Whether entries count: `FFI_JIT_COUNT_ENTRIES=1`, for tests.
pub fn counting() -> bool {
    static COUNTING: OnceLock<bool> = OnceLock::new();
    *COUNTING.get_or_init(|| std::env::var_os("FFI_JIT_COUNT_ENTRIES").is_some_and(|v| v == "1"))
}

/// How often the process was entered from optimised code, and from other code; and the same for
/// entries with arguments; then how often C entered JavaScript without Node-API.
pub fn counts() -> [usize; 5] {
    [&FAST, &SLOW, &DIRECT, &DIRECT_SLOW, &CALLED].map(|counter| counter.load(Ordering::Relaxed))
}

/// Counts an entry from other than optimised code.
pub fn count_slow() {
    SLOW.fetch_add(1, Ordering::Relaxed);
}
