//! The primitives of the packed tier.

use super::super::env::State;
use super::super::libraries::ClosedBody;
use super::super::value::{Scope, Value};
use super::entry::{self, Entries, HEAP_NUMBER_VALUE, token};
use super::externals;
use super::layout::{CallbackInfo, FLOAT64, Release, V8_VALUE, VOID, release};
use super::symbols::{CFunction, Local, Opaque, Symbols};
use crate::error::Result;
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Why the tier cannot be used.
pub type Check<T> = std::result::Result<T, String>;

/// `startPacked(process.versions.modules, process.versions.v8, object)` -> undefined, or the
/// reason why this environment has no packed tier.
///
/// Sets these properties of the object: `enter(token)`; `enterPlain(token)`, the same without a
/// fast call; `reentrant`, whether `enter` may be used while callbacks exist; and, where V8 has
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
    match prepare(scope, release) {
        Ok((enter, plain)) => {
            scope.set(object, c"enter", enter)?;
            scope.set(object, c"enterPlain", plain)?;
            scope.set(object, c"reentrant", scope.boolean(release.reentrant)?)?;
            externals::export(scope, state, release, object)?;
            scope.undefined()
        }
        Err(reason) => scope.string(&reason),
    }
}

/// Makes and tests the two functions.
fn prepare(scope: Scope, release: &Release) -> Check<(Value, Value)> {
    let symbols = Symbols::find(release.int64_representation)
        .map_err(|name| format!("no symbol {}", name.to_string_lossy()))?;
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
    Ok((enter, plain))
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

/// The signature of a C function, `result (receiver, parameters...)`, made by V8's own constructor
/// and compared with what the release should make of it. Immortal.
pub fn function_info(
    symbols: &Symbols,
    release: &Release,
    result: u8,
    parameters: &[u8],
) -> Check<*const c_void> {
    let stride = release.type_info;
    let count = parameters.len() + 1;
    let mut types = vec![0u8; (count + 1) * stride];
    (types[0], types[stride]) = (result, V8_VALUE);
    for (i, &parameter) in parameters.iter().enumerate() {
        types[(i + 2) * stride] = parameter;
    }
    let types: &'static [u8] = Box::leak(types.into_boxed_slice());
    let list = types[stride..].as_ptr();
    // Room for twice what a known release needs.
    let info: &'static mut [usize; 4] = Box::leak(Box::new([0; 4]));
    let this = info.as_mut_ptr().cast::<c_void>();
    // SAFETY: the constructor of this release, with a result type and `count` parameter types that
    // live as long as what refers to them.
    let strides = unsafe {
        (symbols.new_function_info)(this, types.as_ptr(), count as u32, list, 0);
        let at = |index| (symbols.argument_info)(this, index).addr();
        (at(0), at(1))
    };
    let expected = (list.addr(), list.addr() + stride);
    let found = (info[0] as u8, info[0] >> 32);
    if strides != expected || found != (result, count) || info[1..] != [expected.0, 0, 0] {
        return Err("v8::CFunctionInfo has another layout".to_owned());
    }
    Ok(this)
}

/// The isolate and context that are running.
pub struct Context<'a> {
    symbols: &'a Symbols,
    isolate: Opaque,
    context: Local,
}

impl Context<'_> {
    /// Those of the callback that is running.
    pub fn current(symbols: &Symbols) -> Check<Context<'_>> {
        // SAFETY: a Node-API callback is running, so an isolate and a context are entered, and a
        // handle scope is open.
        let (isolate, context) = unsafe {
            let isolate = (symbols.current_isolate)();
            if isolate.is_null() {
                return Err("no isolate is entered".to_owned());
            }
            (isolate, (symbols.current_context)(isolate))
        };
        if context.is_null() {
            return Err("no context is entered".to_owned());
        }
        Ok(Context { symbols, isolate, context })
    }

    /// The isolate.
    pub fn isolate(&self) -> Opaque {
        self.isolate
    }

    /// A function of one parameter whose body is a raw V8 callback, with a C function for
    /// optimised code, or null. It cannot be constructed.
    pub fn function(&self, callback: *const c_void, fast: *const CFunction) -> Check<Value> {
        const THROWS_WHEN_CONSTRUCTED: i32 = 0;
        const HAS_SIDE_EFFECTS: i32 = 0;
        let none = ptr::null_mut();
        // SAFETY: the isolate is entered; empty handles are allowed for data and signature; what
        // `fast` points to is immortal. The result is empty or a handle of the open scope.
        let function = unsafe {
            let template = (self.symbols.new_template)(
                self.isolate,
                callback,
                none,
                none,
                1,
                THROWS_WHEN_CONSTRUCTED,
                HAS_SIDE_EFFECTS,
                fast,
                0,
                0,
                0,
            );
            if template.is_null() {
                return Err("V8 made no template".to_owned());
            }
            (self.symbols.get_function)(template, self.context)
        };
        if function.is_null() { Err("V8 made no function".to_owned()) } else { Ok(function.cast()) }
    }
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
    let (value, count) = unsafe { shape.first_argument(info) };
    if count == 1 && value % 8 == 1 {
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
/// it started, if `FFI_JIT_COUNT_ENTRIES=1`.
///
/// # Errors
/// As Node-API.
pub fn counts(scope: Scope, _state: &State, []: [Value; 0]) -> Result<Value> {
    scope.numbers(entry::counts().into_iter().map(|count| count as f64))
}
