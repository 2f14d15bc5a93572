//! Externals and heap cells past Node-API: what `memory::external`, `memory::external_address`,
//! `heap::make_cell` and `heap::free` do, as functions of V8's own. Optimised code reads what an
//! External holds and makes an External itself (a `kPointer` parameter or result), which takes a
//! tenth of the time that Node-API needs.
//!
//! What Node-API puts into an External is not the address but a *wrapper* around it, which it
//! allocates for each External and frees when that is collected. Ours are made like that, so that
//! Externals can be passed to other addons and come from them ([`Wrappers`]).
//!
//! None of the functions runs JavaScript, so all releases may call them directly at any time. One
//! number of each is the token of the environment's state.

use super::super::addresses::AddressMap;
use super::super::cells;
use super::super::env::State;
use super::super::heap::{self, Freed};
use super::super::owned::Owned;
use super::super::value::{Scope, Value};
use super::entry::{HEAP_NUMBER_VALUE, token};
use super::layout::{BOOL, CallbackInfo, FLOAT64, INT32, POINTER, Release, UINT32};
use super::symbols::{CFunction, ExternalSymbols, Symbols};
use super::template::{Check, Context, function_info};
use crate::error::Result;
use crate::node::sys;
use std::ffi::{CStr, c_void};
use std::ptr::{self, NonNull};
use std::sync::OnceLock;

/// What an External of Node-API's holds (`v8impl::ExternalWrapper`): [`check`] looks whether the
/// address is there. The rest is zero in ours: no handle, no type tag.
#[repr(C)]
#[derive(Clone, Copy)]
struct Wrapper {
    handle: usize,
    address: *mut c_void,
    rest: [usize; 4],
}

/// Our wrappers, one for each address. They live as long as the environment, so their number is
/// bounded; beyond that Node-API makes Externals.
#[derive(Default)]
pub struct Wrappers {
    by_address: AddressMap<NonNull<Wrapper>>,
    chunks: Vec<Box<[Wrapper]>>,
    used: usize,
}

/// How many wrappers an environment makes, and how many at a time.
const MAX_WRAPPERS: usize = 1 << 15;
const CHUNK: usize = 128;

impl Wrappers {
    /// The wrapper of an address; null for NULL, and when there are too many.
    fn of(&mut self, address: *mut c_void) -> *mut c_void {
        if address.is_null() {
            return ptr::null_mut();
        }
        match self.by_address.get(&address.addr()) {
            Some(wrapper) => wrapper.as_ptr().cast(),
            None => self.add(address),
        }
    }

    #[cold]
    fn add(&mut self, address: *mut c_void) -> *mut c_void {
        if self.used == MAX_WRAPPERS {
            return ptr::null_mut();
        }
        if self.used.is_multiple_of(CHUNK) {
            let none = Wrapper { handle: 0, address: ptr::null_mut(), rest: [0; 4] };
            self.chunks.push(vec![none; CHUNK].into_boxed_slice());
        }
        let Some(chunk) = self.chunks.last_mut() else { return ptr::null_mut() };
        let wrapper = NonNull::from(&mut chunk[self.used % CHUNK]);
        // SAFETY: just borrowed; nobody else has it yet.
        unsafe { (*wrapper.as_ptr()).address = address };
        self.used += 1;
        self.by_address.insert(address.addr(), wrapper);
        wrapper.as_ptr().cast()
    }
}

/// The address in what an External holds; NULL for null.
fn unwrap(wrapper: *mut c_void) -> *mut c_void {
    let wrapper = wrapper.cast::<Wrapper>();
    // SAFETY: Externals are made by Node-API or by us.
    if wrapper.is_null() { ptr::null_mut() } else { unsafe { (*wrapper).address } }
}

/// A function of this module: what optimised code calls, and what any other code does.
struct Entry {
    name: &'static CStr,
    result: u8,
    parameters: &'static [u8],
    fast: *const c_void,
    /// The raw callback, for either shape of callbacks.
    slow: [*const c_void; 2],
}

/// A raw callback for both shapes.
macro_rules! both {
    ($callback:ident) => {
        [$callback::<false> as *const c_void, $callback::<true> as *const c_void]
    };
}

/// The functions.
fn entries() -> [Entry; 5] {
    [
        Entry {
            name: c"externalAt",
            result: POINTER,
            parameters: &[FLOAT64, UINT32],
            fast: external_at as *const c_void,
            slow: both!(external_at_slowly),
        },
        Entry {
            name: c"addressTo",
            result: BOOL,
            parameters: &[POINTER, FLOAT64, UINT32],
            fast: address_to as *const c_void,
            slow: both!(address_to_slowly),
        },
        Entry {
            name: c"makeCell",
            result: POINTER,
            parameters: &[FLOAT64, UINT32, UINT32, BOOL],
            fast: make_cell as *const c_void,
            slow: both!(make_cell_slowly),
        },
        Entry {
            name: c"freeCell",
            result: INT32,
            parameters: &[POINTER, FLOAT64, UINT32],
            fast: free_cell as *const c_void,
            slow: both!(free_cell_slowly),
        },
        Entry {
            name: c"fetchTo",
            result: BOOL,
            parameters: &[FLOAT64, UINT32, UINT32, UINT32],
            fast: fetch_to as *const c_void,
            slow: both!(fetch_to_slowly),
        },
    ]
}

/// Sets these properties of an object, or none of them:
///
/// ```text
/// state                           the token that all of them get
/// externalAt(state, cell)         an External of the address at an offset of frame memory; null
///                                 for a null pointer, and when Node-API has to make it
/// addressTo(value, state, cell)   stores the address of an External (null: a null pointer);
///                                 false for other values
/// makeCell(state, from, size, behind)
///                                 as `makeCell` of the addon with the offset as an argument; with
///                                 `behind`, the cell holds the address of a block with these bytes.
///                                 null when the addon has to make it
/// freeCell(value, state, how)     as `free` of the addon: `how` is twice `owned`, plus `ours`
/// fetchTo(state, cell, at, size)  copies bytes from where a pointer cell points to an offset of frame
///                                 memory; false for NULL
/// ```
///
/// Returns whether Externals hold wrappers.
///
/// # Errors
/// As Node-API.
pub fn export(scope: Scope, state: &State, release: &Release, object: Value) -> Result<bool> {
    let Ok(made) = make(scope, release) else { return Ok(false) };
    let state = ptr::from_ref(state);
    if state.addr() >> 52 != 0 {
        return Ok(true);
    }
    scope.set(object, c"state", scope.number(token(state.cast()))?)?;
    for (entry, function) in entries().iter().zip(made) {
        scope.set(object, entry.name, function)?;
    }
    Ok(true)
}

/// Makes the functions.
fn make(scope: Scope, release: &Release) -> Check<Vec<Value>> {
    let symbols = Symbols::find(release)?;
    let context = Context::current(&symbols)?;
    check(scope, &context, release)?;
    let functions = c_functions(&symbols, release)?;
    let shape = usize::from(release.callback == CallbackInfo::Frame);
    entries().iter().zip(functions).map(|(e, c)| context.function(e.slow[shape], c)).collect()
}

/// Looks whether wrappers are as we think: in an External of Node-API's, and by giving Node-API one
/// of ours.
fn check(scope: Scope, context: &Context, release: &Release) -> Check<()> {
    static PROBE: [usize; 8] = [0; 8];
    let symbols = ExternalSymbols::find(release)?;
    let failed = || "Externals hold something else".to_owned();
    let probe = ptr::from_ref(&PROBE).cast::<c_void>().cast_mut();
    let theirs = scope.external(probe).map_err(|error| error.message)?;
    // SAFETY: a handle of an External. What it holds is the probe, or a structure that begins like
    // a wrapper, if it is anything we know.
    let held = unsafe { (symbols.value)(theirs.cast(), 0) };
    if held.is_null() || held == probe || unwrap(held) != probe {
        return Err(failed());
    }
    let mut wrappers = Wrappers::default();
    // SAFETY: the isolate is entered, and the External is gone from sight before its wrapper is.
    let ours = unsafe { (symbols.new)(context.isolate(), wrappers.of(probe), 0) };
    match scope.external_address(ours.cast()) {
        Ok(Some(address)) if address == probe => Ok(()),
        _ => Err(failed()),
    }
}

/// What optimised code calls. Immortal, because it refers to it.
fn c_functions(symbols: &Symbols, release: &Release) -> Check<&'static [CFunction]> {
    static MADE: OnceLock<Check<Vec<CFunction>>> = OnceLock::new();
    let make = || {
        let describe = |entry: &Entry| {
            let info = function_info(symbols, release, entry.result, entry.parameters)?;
            Ok(CFunction { address: entry.fast, info })
        };
        entries().iter().map(describe).collect()
    };
    MADE.get_or_init(make).as_deref().map_err(String::clone)
}

/// The state behind a token.
fn state_of(token: f64) -> &'static State {
    let state: *const State = ptr::with_exposed_provenance(token.to_bits() as usize);
    // SAFETY: only our own JavaScript calls these functions, with the token of `export`; the state
    // outlives every function of the environment.
    unsafe { &*state }
}

/// Stores an address in a pointer cell of frame memory; false for a cell outside.
fn store(state: &State, cell: u32, address: *mut c_void) -> bool {
    let Some(cell) = state.frame.find(cell, size_of::<usize>()) else { return false };
    // SAFETY: as above.
    unsafe { cell.cast::<*mut c_void>().write_unaligned(address) };
    true
}

extern "C" fn external_at(_receiver: usize, state: f64, cell: u32) -> *mut c_void {
    let state = state_of(state);
    state.wrappers.borrow_mut().of(cells::address_at(state, cell))
}

extern "C" fn address_to(_receiver: usize, held: *mut c_void, state: f64, cell: u32) -> bool {
    store(state_of(state), cell, unwrap(held))
}

extern "C" fn make_cell(
    _receiver: usize,
    state: f64,
    from: u32,
    size: u32,
    behind: bool,
) -> *mut c_void {
    let state = state_of(state);
    let Ok(cell) = cells::make(state, from, size, behind) else { return ptr::null_mut() };
    let wrapper = state.wrappers.borrow_mut().of(cell);
    if wrapper.is_null() {
        let owned = if behind { Owned::one_block() } else { Owned::default() };
        // SAFETY: just made, and nobody has it.
        unsafe { heap::release(state, cell, &owned, true) };
    }
    wrapper
}

extern "C" fn free_cell(_receiver: usize, held: *mut c_void, state: f64, how: u32) -> i32 {
    cells::free(state_of(state), unwrap(held), how).map_or(-1, |freed| freed as i32)
}

extern "C" fn fetch_to(_receiver: usize, state: f64, cell: u32, at: u32, size: u32) -> bool {
    cells::fetch(state_of(state), cell, at, size)
}

/// The arguments of a raw callback, as Node-API values.
struct Arguments {
    state: &'static State,
    first: *mut usize,
}

impl Arguments {
    fn value(&self, index: usize) -> Value {
        // SAFETY: V8's arguments are consecutive words; every function here reads as many as its
        // JavaScript passes. The address of such a word is a handle.
        unsafe { self.first.add(index).cast() }
    }

    fn number(&self, index: usize) -> Result<u32> {
        self.state.scope().to_u32(self.value(index))
    }

    fn truth(&self, index: usize) -> Result<bool> {
        self.state.scope().to_bool(self.value(index))
    }

    /// The address of an External, NULL for null, None for other values.
    fn address(&self, index: usize) -> Result<Option<*mut c_void>> {
        let (scope, value) = (self.state.scope(), self.value(index));
        match scope.type_of(value)? {
            sys::ValueType::napi_null => Ok(Some(ptr::null_mut())),
            _ => scope.external_address(value),
        }
    }
}

/// Runs the body of a raw callback whose argument `token` is that of the state, and returns what it
/// gives; null when it fails.
///
/// # Safety
/// `info` must be what V8 gave to a callback, and `FRAME` its shape.
unsafe fn answer<const FRAME: bool>(
    info: *mut usize,
    token: usize,
    body: impl FnOnce(&Arguments) -> Result<Value>,
) {
    let shape = if FRAME { CallbackInfo::Frame } else { CallbackInfo::Pointer };
    // SAFETY: the caller's promise; the argument is a heap number, because its value is no small
    // integer.
    let (first, result, state) = unsafe {
        let (first, result) = shape.cells(info);
        let number = first.add(token).read() + HEAP_NUMBER_VALUE;
        (first, result, state_of((number as *const f64).read_unaligned()))
    };
    let arguments = Arguments { state, first };
    if let Ok(value) = body(&arguments).or_else(|_| state.scope().null()) {
        // SAFETY: a handle points to the tagged word, which is what the result is.
        unsafe { result.write(value.cast::<usize>().read()) };
    }
}

unsafe extern "C" fn external_at_slowly<const FRAME: bool>(info: *mut usize) {
    let body = |call: &Arguments| {
        let address = cells::address_at(call.state, call.number(1)?);
        let scope = call.state.scope();
        if address.is_null() { scope.null() } else { scope.external(address) }
    };
    // SAFETY: V8 calls this with its structure.
    unsafe { answer::<FRAME>(info, 0, body) }
}

unsafe extern "C" fn address_to_slowly<const FRAME: bool>(info: *mut usize) {
    let body = |call: &Arguments| {
        let found = call.address(0)?;
        let cell = call.number(2)?;
        let stored = found.is_some_and(|address| store(call.state, cell, address));
        call.state.scope().boolean(stored)
    };
    // SAFETY: as above.
    unsafe { answer::<FRAME>(info, 1, body) }
}

unsafe extern "C" fn make_cell_slowly<const FRAME: bool>(info: *mut usize) {
    let body = |call: &Arguments| {
        let (from, size) = (call.number(1)?, call.number(2)?);
        let cell = cells::make(call.state, from, size, call.truth(3)?)?;
        call.state.scope().external(cell)
    };
    // SAFETY: as above.
    unsafe { answer::<FRAME>(info, 0, body) }
}

unsafe extern "C" fn free_cell_slowly<const FRAME: bool>(info: *mut usize) {
    let body = |call: &Arguments| {
        let freed = match call.address(0)? {
            None => Freed::NotExternal,
            Some(address) => cells::free(call.state, address, call.number(2)?)?,
        };
        call.state.scope().number(f64::from(freed as u8))
    };
    // SAFETY: as above.
    unsafe { answer::<FRAME>(info, 1, body) }
}

unsafe extern "C" fn fetch_to_slowly<const FRAME: bool>(info: *mut usize) {
    let body = |call: &Arguments| {
        let (cell, at, size) = (call.number(1)?, call.number(2)?, call.number(3)?);
        call.state.scope().boolean(cells::fetch(call.state, cell, at, size))
    };
    // SAFETY: as above.
    unsafe { answer::<FRAME>(info, 0, body) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_wrapper_and_their_number_is_bounded() {
        let mut wrappers = Wrappers::default();
        let address = |i: usize| ptr::without_provenance_mut::<c_void>(16 * (i + 1));
        let first = wrappers.of(address(0));
        assert_eq!(unwrap(first), address(0));
        for i in 0..MAX_WRAPPERS {
            let wrapper = wrappers.of(address(i));
            assert_eq!((unwrap(wrapper), wrappers.of(address(i))), (address(i), wrapper));
        }
        assert!(wrappers.of(address(MAX_WRAPPERS)).is_null());
        assert_eq!(wrappers.of(address(0)), first);
        assert!(wrappers.of(ptr::null_mut()).is_null());
        assert!(unwrap(ptr::null_mut()).is_null());
    }
}
