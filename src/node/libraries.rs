//! The process-wide table of open libraries. Threads (environments) share it: a key that the main
//! thread opened is seen by workers. What runs in a library keeps it mapped: an environment holds
//! every library it has bound functions of, and lets go of a closed one only when none of its
//! own calls can be inside.

use super::addresses::AddressMap;
use super::env::State;
use super::frame::{PENDING, THROWN};
use super::sys;
use super::value::{Scope, Value};
use crate::call::{CallRecord, Library, OpenOptions};
use crate::error::{Code, Error, Result};
use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

/// Identifier of an open library; never used twice.
pub type Id = u32;

#[derive(Default)]
struct Table {
    next: Id,
    open: HashMap<Id, Open>,
    keys: HashMap<String, Id>,
}

struct Open {
    library: Arc<Library>,
    /// Records of the functions bound to this library in any environment, by address, each with
    /// what its slot does once the library is closed.
    records: AddressMap<(&'static CallRecord, ClosedBody)>,
}

/// What the slot of a bound function of a closed library jumps to.
#[derive(Clone, Copy)]
pub struct ClosedBody {
    code: *const c_void,
    /// Whether it also stands for the C function itself, which thunks call.
    is_target: bool,
}

// SAFETY: the address of a function of ours.
unsafe impl Send for ClosedBody {}

impl ClosedBody {
    /// For functions that Node-API calls.
    pub fn node_api() -> ClosedBody {
        ClosedBody { code: closed as *const c_void, is_target: false }
    }

    /// A body that keeps the C convention, ignores its arguments and finds what it needs in the
    /// record, like a trampoline.
    #[cfg(any(
        all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")),
        all(windows, target_arch = "x86_64"),
    ))]
    pub fn of_record(code: *const c_void) -> ClosedBody {
        ClosedBody { code, is_target: true }
    }

    /// Puts it in the place of a function.
    fn replace(self, record: &CallRecord) {
        if self.is_target {
            record.retarget(self.code);
        }
        record.redirect(self.code);
    }
}

static TABLE: LazyLock<Mutex<Table>> = LazyLock::new(Mutex::default);

fn table() -> MutexGuard<'static, Table> {
    // The table is consistent between statements; a panic elsewhere does not spoil it.
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The libraries that an environment keeps mapped.
#[derive(Default)]
pub struct Held {
    libraries: HashMap<Id, Arc<Library>>,
}

impl Held {
    /// Lets go of libraries that were closed since. Only to be called when no call of this
    /// environment is running.
    fn sweep(&mut self, table: &Table) {
        self.libraries.retain(|id, _| table.open.contains_key(id));
    }
}

impl Table {
    fn add(&mut self, library: Arc<Library>) -> Id {
        let id = self.next;
        self.next += 1;
        self.open.insert(id, Open { library, records: AddressMap::default() });
        id
    }

    /// Forgets a library and makes every function of it throw. Returns its last reference in the
    /// table, to be dropped outside the lock (unloading runs the library's own code).
    fn remove(&mut self, id: Id) -> Option<Arc<Library>> {
        let open = self.open.remove(&id)?;
        for (record, body) in open.records.values() {
            body.replace(record);
        }
        Some(open.library)
    }
}

/// What a bound function of a closed library does: the slot jumps here with Node-API's own
/// arguments.
unsafe extern "C" fn closed(env: sys::napi_env, _info: sys::napi_callback_info) -> sys::napi_value {
    let scope = Scope::new(env);
    scope.throw(&function_closed());
    // For entries that do more than to call C.
    if let Some(state) = scope.state() {
        state.frame.set(PENDING, THROWN);
    }
    std::ptr::null_mut()
}

/// The error of a call of a function whose library was closed.
pub fn function_closed() -> Error {
    Error::new(Code::LibraryClosed, "the library of this function was closed")
}

/// Reads a library identifier; -1 means none.
///
/// # Errors
/// When the value is not a number.
pub fn to_id(scope: Scope, value: Value) -> Result<Option<Id>> {
    let id = scope.to_u32(value)?;
    Ok((id != u32::MAX).then_some(id))
}

/// Notes that a record runs code of a library, and holds the library for this environment. When
/// the library is closed the record's slot jumps to `closed`.
///
/// # Errors
/// [`Code::LibraryClosed`] when the library was closed meanwhile.
pub fn attach(
    state: &State,
    id: Id,
    record: &'static CallRecord,
    closed: ClosedBody,
) -> Result<()> {
    let mut table = table();
    let open = table.open.get_mut(&id).ok_or_else(closed_error)?;
    open.records.insert(ptr::from_ref(record) as usize, (record, closed));
    let held = &mut state.held.borrow_mut().libraries;
    held.entry(id).or_insert_with(|| Arc::clone(&open.library));
    Ok(())
}

/// The library with an identifier.
///
/// # Errors
/// [`Code::LibraryClosed`] when it is not open (any more).
pub fn get(id: Id) -> Result<Arc<Library>> {
    table().open.get(&id).map(|open| Arc::clone(&open.library)).ok_or_else(closed_error)
}

/// Undoes [`attach`] for a record whose slot is about to be released.
pub fn detach(id: Id, record: &'static CallRecord) {
    if let Some(open) = table().open.get_mut(&id) {
        open.records.remove(&(ptr::from_ref(record) as usize));
    }
}

fn closed_error() -> Error {
    Error::new(Code::LibraryClosed, "this library was closed")
}

/// `openLibrary(path or null for the main program, flags or undefined)` -> identifier. Flags are
/// the sum of 1 (bind lazily), 2 (symbols are global) and 4 (the library's own symbols first).
pub fn open(scope: Scope, _state: &State, [path, flags]: [Value; 2]) -> Result<Value> {
    let path = scope.to_optional_string(path)?.unwrap_or_default();
    let library = if scope.is_nullish(flags)? {
        Library::open(&path)?
    } else {
        let flags = scope.to_u32(flags)?;
        let has = |bit| flags & bit != 0;
        Library::open_with(&path, OpenOptions { lazy: has(1), global: has(2), deep: has(4) })?
    };
    let id = table().add(library);
    scope.number(f64::from(id))
}

/// `closeLibrary(identifier)`: functions of it throw from now on. Unknown ones are ignored.
pub fn close(scope: Scope, state: &State, [id]: [Value; 1]) -> Result<Value> {
    let id = scope.to_u32(id)?;
    let removed = table().remove(id);
    drop(removed);
    release(state);
    scope.undefined()
}

/// Lets go of closed libraries, unless a call of this environment may be running in one.
fn release(state: &State) {
    if state.is_idle() {
        let mut held = std::mem::take(&mut *state.held.borrow_mut());
        held.sweep(&table());
        *state.held.borrow_mut() = held;
    }
}

/// `symbol(identifier, name)` -> address as a bigint, or undefined when there is no such symbol.
pub fn symbol(scope: Scope, _state: &State, [id, name]: [Value; 2]) -> Result<Value> {
    match find_symbol(scope.to_u32(id)?, &scope.to_string(name)?)? {
        Some(address) => scope.bigint(address as usize as u64),
        None => scope.undefined(),
    }
}

/// The address of a library's symbol; None when there is no such symbol.
///
/// # Errors
/// [`Code::LibraryClosed`].
pub fn find_symbol(id: Id, name: &str) -> Result<Option<*const c_void>> {
    match get(id)?.symbol(name) {
        Ok(address) => Ok(Some(address)),
        Err(error) if error.code == Code::Symbol => Ok(None),
        Err(error) => Err(error),
    }
}

/// `openKey(key, path)`: opens a library under a key, for every thread. A key that is open
/// already stays as it is.
pub fn open_key(scope: Scope, _state: &State, [key, path]: [Value; 2]) -> Result<Value> {
    let key = scope.to_string(key)?;
    if !table().keys.contains_key(&key) {
        // Opened outside the lock: a library's constructors may do anything.
        let library = Library::open(&scope.to_optional_string(path)?.unwrap_or_default())?;
        let mut table = table();
        if !table.keys.contains_key(&key) {
            let id = table.add(library);
            table.keys.insert(key, id);
        }
    }
    scope.undefined()
}

/// `closeKey(key)`: as `closeLibrary` for the library under a key. Unknown keys are ignored.
pub fn close_key(scope: Scope, state: &State, [key]: [Value; 1]) -> Result<Value> {
    let key = scope.to_string(key)?;
    let removed = {
        let mut table = table();
        table.keys.remove(&key).and_then(|id| table.remove(id))
    };
    drop(removed);
    release(state);
    scope.undefined()
}

/// `findKey(key)` -> the identifier of the library under a key, or -1.
pub fn find_key(scope: Scope, _state: &State, [key]: [Value; 1]) -> Result<Value> {
    let key = scope.to_string(key)?;
    scope.number(table().keys.get(&key).map_or(-1.0, |&id| f64::from(id)))
}
