//! The primitives of the packed tier.

use super::super::callback;
use super::super::env::State;
use super::super::libraries::ClosedBody;
use super::super::value::{Scope, Value};
use super::entry::{self, Entries, HEAP_NUMBER_VALUE, token};
use super::externals;
use super::layout::{CallbackInfo, FLOAT64, Release, VOID, release};
use super::symbols::{CFunction, Symbols};
use super::template::{Check, Context, function_info};
use super::text;
use crate::error::Result;
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// `startPacked(process.versions.modules, process.versions.v8, object)` -> undefined, or the
/// reason why this environment has no packed tier.
///
/// Sets these properties of the object: `enter(token)`; `enterPlain(token)`, the same without a
/// fast call; `enterText(shape, ...strings)` and `digest` (see [`super::text`]); `reentrant`, whether `enter` may be used while callbacks exist; and, where V8 has
/// what they need, those of [`externals::export`].
///
/// # Errors
/// As Node-API.
pub fn start(scope: Scope, state: &State, arguments: [Value; 3]) -> Result<Value> {
    let [modules, v8, object] = arguments;
    let (modules, v8) = (scope.to_u32(modules)?, scope.to_string(v8)?);
    let Some(release) = release(modules, &v8) else {
        return scope.string(&format!("V8 {v8} (modules {modules}) is not a known release"));
    };
    match prepare(scope, state, release) {
        Ok([enter, plain, text, digest]) => {
            scope.set(object, c"enter", enter)?;
            scope.set(object, c"enterPlain", plain)?;
            scope.set(object, c"enterText", text)?;
            scope.set(object, c"digest", digest)?;
            scope.set(object, c"reentrant", scope.boolean(release.reentrant)?)?;
            let wrapped = externals::export(scope, state, release, object)?;
            state.shapes.start(release, wrapped);
            scope.undefined()
        }
        Err(reason) => scope.string(&reason),
    }
}

/// Makes the functions, and tests those that the caller does not.
fn prepare(scope: Scope, state: &State, release: &Release) -> Check<[Value; 4]> {
    let symbols = Symbols::find(release)?;
    let entries = Entries::new(release.callback);
    let context = Context::current(&symbols)?;

    let inspect = match release.callback {
        CallbackInfo::Pointer => inspect::<false> as *const c_void,
        CallbackInfo::Frame => inspect::<true> as *const c_void,
    };
    let inspector = context.function(inspect, ptr::null())?;
    call(scope, inspector)?;
    if INSPECTED.take() != probe_record().addr() {
        return Err("callbacks get their arguments in another way".to_owned());
    }

    let fast = fast_function(&symbols, release)?;
    let enter = context.function(entries.slow, fast)?;
    let plain = context.function(entries.slow, ptr::null())?;
    for function in [enter, plain] {
        call(scope, function)?;
        if !PROBED.take() {
            return Err("the entry was not reached".to_owned());
        }
    }
    let text = context.function(text::callback(release.callback), ptr::null())?;
    let digest = context.function(text::digest(release.callback), ptr::null())?;
    state.ending.start(&symbols, context.isolate());
    state.handles.start(&symbols, release, context.isolate());
    state.calls.start(context.isolate(), &state.handles);
    callback::aim(scope, state);
    Ok([enter, plain, text, digest])
}

/// What optimised code calls. Immortal, because it refers to it.
fn fast_function(symbols: &Symbols, release: &Release) -> Check<&'static CFunction> {
    static MADE: OnceLock<Check<CFunction>> = OnceLock::new();
    let make = || {
        let info = function_info(symbols, release, VOID, &[FLOAT64])?;
        Ok(CFunction { address: Entries::new(release.callback).fast, info })
    };
    MADE.get_or_init(make).as_ref().map_err(String::clone)
}

/// Calls a function with the token of the probe's record.
fn call(scope: Scope, function: Value) -> Check<()> {
    scope
        .number(token(probe_record().cast()))
        .and_then(|token| scope.call_with(function, &[token]))
        .map(|_| ())
        .map_err(|error| error.message)
}

/// A record that leads to [`probed`].
fn probe_record() -> *const AtomicUsize {
    static RECORD: AtomicUsize = AtomicUsize::new(0);
    RECORD.store(probed as *const () as usize, Ordering::Relaxed);
    &raw const RECORD
}

thread_local! {
    /// Whether [`probed`] ran.
    static PROBED: Cell<bool> = const { Cell::new(false) };
    /// What [`inspect`] found.
    static INSPECTED: Cell<usize> = const { Cell::new(0) };
}

/// The body behind the probe's record.
extern "C" fn probed() -> usize {
    PROBED.set(true);
    0
}

/// A raw callback that notes the value of its only argument, a heap number, before anything relies
/// on where it is.
unsafe extern "C" fn inspect<const FRAME: bool>(info: *const usize) {
    let shape = if FRAME { CallbackInfo::Frame } else { CallbackInfo::Pointer };
    // SAFETY: V8 calls this with a structure of the release's shape.
    let (values, count) = unsafe { shape.arguments(info) };
    // SAFETY: there is one.
    let value = if count == 1 { unsafe { values.read() } } else { 0 };
    if value % 8 == 1 {
        // SAFETY: a tagged pointer to a heap object, whose map word is followed by the value.
        let bits = unsafe { ((value + HEAP_NUMBER_VALUE) as *const usize).read() };
        INSPECTED.set(bits);
    }
}

/// What entering a function of a closed library does on this tier.
pub fn closed() -> ClosedBody {
    ClosedBody::of_record(entry::closed as *const c_void)
}

/// `packedCounts()` -> how often the process was entered by fast calls, and in other ways, since
/// it started, on the packed tier and on the direct one, if `FFI_JIT_COUNT_ENTRIES=1`.
///
/// # Errors
/// As Node-API.
pub fn counts(scope: Scope, _state: &State, []: [Value; 0]) -> Result<Value> {
    scope.numbers(entry::counts().into_iter().map(|count| count as f64))
}
