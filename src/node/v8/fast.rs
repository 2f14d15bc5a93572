//! The primitives of the packed tier.

use super::super::env::State;
use super::super::function;
use super::super::libraries::ClosedBody;
use super::super::value::{Scope, Value};
use super::entry::{self, Entries, HEAP_NUMBER_VALUE, token};
use super::layout::{CallbackInfo, FLOAT64, Release, V8_VALUE, VOID, release};
use super::symbols::{CFunction, Local, Opaque, Symbols};
use super::text;
use crate::error::{Code, Error, Result};
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Why the tier cannot be used.
type Check<T> = std::result::Result<T, String>;

/// `startPacked(process.versions.modules, process.versions.v8, object)` -> undefined, or the
/// reason why this environment has no packed tier.
///
/// Sets five properties of the object: `enter(token)`; `enterPlain(token)`, the same without a
/// fast call; `enterText(token, ...strings)` and `digest` (see [`super::text`]); and `reentrant`, whether `enter` may be used while callbacks exist.
///
/// # Errors
/// As Node-API.
pub fn start(scope: Scope, _state: &State, arguments: [Value; 3]) -> Result<Value> {
    let [modules, v8, object] = arguments;
    let (modules, v8) = (scope.to_u32(modules)?, scope.to_string(v8)?);
    let Some(release) = release(modules, &v8) else {
        return scope.string(&format!("V8 {v8} (modules {modules}) is not a known release"));
    };
    match prepare(scope, release) {
        Ok([enter, plain, text, digest]) => {
            scope.set(object, c"enter", enter)?;
            scope.set(object, c"enterPlain", plain)?;
            scope.set(object, c"enterText", text)?;
            scope.set(object, c"digest", digest)?;
            scope.set(object, c"reentrant", scope.boolean(release.reentrant)?)?;
            scope.undefined()
        }
        Err(reason) => scope.string(&reason),
    }
}

/// Makes and tests the functions.
fn prepare(scope: Scope, release: &Release) -> Check<[Value; 4]> {
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
    let text = context.function(text::callback(release.callback), ptr::null())?;
    let digest = context.function(text::digest(release.callback), ptr::null())?;
    Ok([enter, plain, text, digest])
}

/// What optimised code calls. Immortal, because it refers to it.
fn fast_function(symbols: &Symbols, release: &Release) -> Check<&'static CFunction> {
    static MADE: OnceLock<Check<CFunction>> = OnceLock::new();
    let make = || {
        let info = function_info(symbols, release)?;
        Ok(CFunction { address: Entries::new(release.callback).fast, info })
    };
    MADE.get_or_init(make).as_ref().map_err(String::clone)
}

/// The signature of the fast entry, `void (receiver, double)`, made by V8's own constructor and
/// compared with what the release should make of it.
fn function_info(symbols: &Symbols, release: &Release) -> Check<*const c_void> {
    let stride = release.type_info;
    let mut types = vec![0u8; 3 * stride];
    (types[0], types[stride], types[2 * stride]) = (VOID, V8_VALUE, FLOAT64);
    let types: &'static [u8] = Box::leak(types.into_boxed_slice());
    let parameters = types[stride..].as_ptr();
    // Room for twice what a known release needs.
    let info: &'static mut [usize; 4] = Box::leak(Box::new([0; 4]));
    let this = info.as_mut_ptr().cast::<c_void>();
    // SAFETY: the constructor of this release, with a result type and two parameter types that
    // live as long as what refers to them.
    let strides = unsafe {
        (symbols.new_function_info)(this, types.as_ptr(), 2, parameters, 0);
        let at = |index| (symbols.argument_info)(this, index).addr();
        (at(0), at(1))
    };
    let expected = (parameters.addr(), parameters.addr() + stride);
    let count = (info[0] >> 32) as u32;
    let result = info[0] as u8;
    if strides != expected || (result, count) != (VOID, 2) || info[1..] != [expected.0, 0, 0] {
        return Err("v8::CFunctionInfo has another layout".to_owned());
    }
    Ok(this)
}

/// The isolate and context that are running.
struct Context<'a> {
    symbols: &'a Symbols,
    isolate: Opaque,
    context: Local,
}

impl Context<'_> {
    fn current(symbols: &Symbols) -> Check<Context<'_>> {
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

    /// A function of one parameter whose body is a raw V8 callback, with a C function for
    /// optimised code, or null. It cannot be constructed.
    fn function(&self, callback: *const c_void, fast: *const CFunction) -> Check<Value> {
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
    let (values, count) = unsafe { shape.arguments(info) };
    // SAFETY: as many as there are.
    let value = if count == 1 { unsafe { values.read() } } else { 0 };
    if value % 8 == 1 {
        // SAFETY: a tagged pointer to a heap object, whose map word is followed by the value.
        let bits = unsafe { ((value + HEAP_NUMBER_VALUE) as *const usize).read() };
        INSPECTED.set(bits);
    }
}

/// `bindPacked(signature id, address, library id or -1, stacked, errno, name, link)` -> what
/// `link(token)` returns: a function, which owns what the token stands for and passes it to
/// `enter`. Otherwise as [`function::bind`].
///
/// # Errors
/// As there, and what `link` throws.
pub fn bind(scope: Scope, state: &State, arguments: [Value; 7]) -> Result<Value> {
    let [signature, address, library, stacked, errno, name, link] = arguments;
    let closed = ClosedBody::of_code(entry::closed as *const c_void);
    let arguments = [signature, address, library, stacked, errno, name];
    let function = function::take_slot(scope, state, arguments, closed)?;
    let record: *const c_void = ptr::from_ref(function.record()).cast();
    if record.addr() >> 52 != 0 {
        return Err(Error::new(Code::Internal, "a record's address is no denormal number"));
    }
    let token = scope.number(token(record))?;
    let value = scope.call_with(link, &[token])?;
    function::own(scope, value, Box::new(function))?;
    Ok(value)
}

/// `packedCounts()` -> how often the process was entered by fast calls, and in other ways, since
/// it started, if `FFI_JIT_COUNT_ENTRIES=1`.
///
/// # Errors
/// As Node-API.
pub fn counts(scope: Scope, _state: &State, []: [Value; 0]) -> Result<Value> {
    scope.numbers(entry::counts().into_iter().map(|count| count as f64))
}
