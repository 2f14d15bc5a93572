//! The state of one Node-API environment, and what it exports.

use super::addresses::Addresses;
use super::callback::{self, Callbacks};
use super::frame::{self, FrameMemory};
use super::relay::{self, Relay};
use super::shared::{Alive, Shared};
use super::sys;
use super::value::{Scope, Value, arguments, guard, panicked};
use super::{
    cells, enter, function, heap, libraries, memory, owned, routines, task, text_call, v8,
};
use crate::call::Prepared;
use crate::code::Slot;
use crate::error::{Code, Error, Result};
use crate::plan::FrameLayout;
use crate::target::Target;
use crate::types::{Type, parse_signature, parse_type};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::ffi::{CStr, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;

/// Everything an environment owns. Lives until the environment's finalizer.
pub struct State {
    env: sys::napi_env,
    /// The target we run on.
    pub target: Target,
    /// Frame memory.
    pub frame: FrameMemory,
    /// Libraries that functions of this environment may be running in.
    pub held: RefCell<libraries::Held>,
    /// What other threads know of us.
    pub shared: &'static Shared,
    /// Our callbacks.
    pub callbacks: RefCell<Callbacks>,
    /// Calls that are left when C calls back.
    pub relay: Relay,
    /// What keeps the event loop alive.
    pub alive: Alive,
    /// Calls on other threads.
    pub tasks: task::Tasks,
    /// Addresses of heap cells that were made for JavaScript and not freed.
    pub live: RefCell<Addresses>,
    /// JavaScript that V8 has ended inside of a call of C.
    pub ending: v8::Ending,
    /// How handle scopes are opened.
    pub handles: v8::Handles,
    /// How C calls JavaScript.
    pub calls: v8::Calls,
    /// Shapes of calls that V8 makes with their arguments.
    pub shapes: v8::Shapes,
    /// What Externals hold that were not made by Node-API.
    pub wrappers: RefCell<v8::Wrappers>,
    /// What values may own.
    pub owned: RefCell<owned::Descriptions>,
    /// The bound functions.
    pub functions: RefCell<function::Functions>,
    /// What crosses with calls that have text.
    pub texts: text_call::TextShapes,
    /// The slot of Node-API's entry.
    pub entry: OnceCell<Slot>,
    /// How many upcalls are running, one inside the other.
    pub upcalls: Cell<u32>,
    signatures: RefCell<Signatures>,
}

#[derive(Default)]
struct Signatures {
    list: Vec<Rc<Prepared>>,
    by_text: HashMap<String, u32>,
}

impl State {
    /// The scope of a callback that the environment is running.
    pub fn scope(&self) -> Scope {
        Scope::new(self.env)
    }

    /// Whether no call of this environment can be running in C: JavaScript was not entered from
    /// an upcall.
    pub fn is_idle(&self) -> bool {
        self.upcalls.get() == 0
    }

    /// The prepared signature with an identifier that `signature` returned.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for an unknown identifier.
    pub fn prepared(&self, id: u32) -> Result<Rc<Prepared>> {
        let signatures = self.signatures.borrow();
        signatures
            .list
            .get(id as usize)
            .cloned()
            .ok_or_else(|| Error::new(Code::InvalidArgument, format!("unknown signature {id}")))
    }

    /// Prepares a signature once per text and returns its identifier.
    fn prepare(&self, text: &str) -> Result<u32> {
        if let Some(&id) = self.signatures.borrow().by_text.get(text) {
            return Ok(id);
        }
        let signature = parse_signature(text, &self.target.model)?;
        let prepared = Prepared::new(self.target, signature)?;
        if prepared.frame.align as usize > frame::ALIGN {
            let align = prepared.frame.align;
            return Err(Error::new(
                Code::UnsupportedAbi,
                format!("alignment {align} is more than the {} of a frame", frame::ALIGN),
            ));
        }
        let mut signatures = self.signatures.borrow_mut();
        let id = signatures.list.len() as u32;
        signatures.list.push(Rc::new(prepared));
        signatures.by_text.insert(text.to_owned(), id);
        Ok(id)
    }
}

/// A primitive: gets its arguments and the environment's state.
pub type Primitive<const N: usize> = fn(Scope, &State, [Value; N]) -> Result<Value>;

/// Defines the C entry of a primitive.
macro_rules! primitive {
    ($body:path, $count:literal) => {{
        unsafe extern "C" fn entry(
            env: sys::napi_env,
            info: sys::napi_callback_info,
        ) -> sys::napi_value {
            let scope = Scope::new(env);
            let body: Primitive<$count> = $body;
            guard(scope, &mut || {
                let (values, data) = arguments::<$count>(scope, info)?;
                // SAFETY: `register` made the function with the state as its data, and the state
                // outlives every function of the environment.
                let state = unsafe { &*data.cast::<State>() };
                body(scope, state, values)
            })
        }
        entry as unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value
    }};
}

/// Defines the C entry of a primitive whose arguments are control cells; its body does not fail. Its
/// results are control cells, or a value. What it uses of the state is borrowed for as long as it runs,
/// and no JavaScript runs then, so that it should not panic either; the guard costs nothing until it
/// does.
macro_rules! plain {
    ($body:path) => {{
        fn body(_: Scope, state: &State) -> Value {
            $body(state);
            ptr::null_mut()
        }
        plain!(body => value)
    }};
    ($body:path => value) => {{
        unsafe extern "C" fn entry(
            env: sys::napi_env,
            info: sys::napi_callback_info,
        ) -> sys::napi_value {
            let body: fn(Scope, &State) -> Value = $body;
            let run = || {
                let (mut data, null) = (ptr::null_mut(), ptr::null_mut());
                let (count, this) = (ptr::null_mut(), ptr::null_mut());
                // SAFETY: the out-parameter outlives the call; as for `primitive`.
                let state = unsafe {
                    sys::napi_get_cb_info(env, info, count, null, this, &mut data);
                    &*data.cast::<State>()
                };
                body(Scope::new(env), state)
            };
            catch_unwind(AssertUnwindSafe(run))
                .unwrap_or_else(|panic| panicked(Scope::new(env), &*panic))
        }
        entry as unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value
    }};
}

/// A function that is exported, by its name.
type Export = (&'static CStr, sys::napi_callback);

/// What a program needs for its first call of a function.
const FIRST: &[Export] = &[
    (c"layout", Some(primitive!(layout, 1))),
    (c"signature", Some(primitive!(signature, 1))),
    (c"bind", Some(primitive!(function::bind, 5))),
    (c"entry", Some(primitive!(enter::entry, 0))),
    (c"textShape", Some(primitive!(text_call::shape, 1))),
    (c"startPacked", Some(primitive!(v8::start, 3))),
    (c"directEntry", Some(primitive!(v8::direct_entry, 3))),
    (c"openLibrary", Some(primitive!(libraries::open, 2))),
    (c"symbol", Some(primitive!(libraries::symbol, 2))),
    (c"openKey", Some(primitive!(libraries::open_key, 2))),
    (c"closeKey", Some(primitive!(libraries::close_key, 1))),
    (c"findKey", Some(primitive!(libraries::find_key, 1))),
    (c"limitTasks", Some(primitive!(task::limit, 3))),
    (c"more", Some(primitive!(more, 1))),
];

/// The rest. A function costs a microsecond and a half, and `require` waits for it: these are made when
/// JavaScript asks for one of them (js/core/loader.js).
const MORE: &[Export] = &[
    (c"unbind", Some(primitive!(function::unbind, 1))),
    (c"textEntry", Some(primitive!(text_call::entry, 2))),
    (c"packedCounts", Some(primitive!(v8::counts, 0))),
    (c"foundAddress", Some(primitive!(v8::found_address, 1))),
    (c"rethrow", Some(primitive!(callback::rethrow, 0))),
    (c"reportUncaught", Some(primitive!(callback::report_uncaught, 1))),
    (c"startRelay", Some(primitive!(relay::start, 0))),
    (c"stopRelay", Some(primitive!(relay::stop, 0))),
    (c"relayCalls", Some(primitive!(relay::promote, 2))),
    (c"closeLibrary", Some(primitive!(libraries::close, 1))),
    (c"errnoMessage", Some(primitive!(memory::errno_message, 1))),
    (c"string", Some(primitive!(memory::string, 0))),
    (c"wideString", Some(primitive!(memory::wide_string, 0))),
    (c"string16", Some(primitive!(memory::string16, 0))),
    (c"string32", Some(primitive!(memory::string32, 0))),
    (c"routine", Some(primitive!(routines::address, 1))),
    (c"external", Some(primitive!(memory::external, 0))),
    (c"externalAddress", Some(primitive!(memory::external_address, 1))),
    (c"viewAddress", Some(primitive!(memory::view_address, 1))),
    (c"copyOut", Some(primitive!(memory::copy_out, 1))),
    (c"bufferAt", Some(primitive!(memory::buffer_at, 2))),
    (c"arrayBufferAt", Some(primitive!(memory::array_buffer_at, 1))),
    (c"viewAt", Some(plain!(memory::view_at => value))),
    (c"makeCellAt", Some(plain!(cells::make_at))),
    (c"freeCellAt", Some(plain!(cells::free_at))),
    (c"fetchAt", Some(plain!(cells::fetch_at))),
    (c"fetchBehindAt", Some(plain!(cells::fetch_behind_at))),
    (c"promote", Some(primitive!(heap::promote, 1))),
    (c"isLive", Some(primitive!(heap::is_live, 1))),
    (c"free", Some(primitive!(heap::free, 3))),
    (c"makeCell", Some(primitive!(heap::make_cell, 1))),
    (c"describeOwned", Some(primitive!(owned::describe, 1))),
    (c"freeOwned", Some(primitive!(heap::free_owned, 2))),
    (c"onCallbacks", Some(primitive!(callback::on_callbacks, 4))),
    (c"giveBack", Some(primitive!(callback::give_back, 0))),
    (c"stopCalls", Some(primitive!(callback::stop_calls, 0))),
    (c"createCallback", Some(primitive!(callback::create, 4))),
    (c"releaseCallback", Some(primitive!(callback::release, 1))),
    (c"startTask", Some(primitive!(task::start, 6))),
    (c"collectTask", Some(primitive!(task::collect, 0))),
    (c"waitAtExit", Some(primitive!(task::wait_at_exit, 1))),
    (c"keepAlive", Some(primitive!(keep_alive, 1))),
    (c"onTasks", Some(primitive!(task::on_finished, 1))),
];

/// Makes functions and sets them as properties.
fn export(scope: Scope, object: Value, functions: &[Export], data: *mut c_void) -> Result<()> {
    for (name, code) in functions {
        let function = scope.function(&name.to_string_lossy(), *code, data)?;
        scope.set(object, name, function)?;
    }
    Ok(())
}

/// `more(exports)`: exports the functions that are seldom used.
fn more(scope: Scope, state: &State, [exports]: [Value; 1]) -> Result<Value> {
    export(scope, exports, MORE, ptr::from_ref(state).cast_mut().cast())?;
    scope.undefined()
}

/// Creates the state of an environment and fills its exports.
///
/// # Errors
/// When the platform is unknown or the environment refuses.
pub fn register(scope: Scope, exports: Value) -> Result<()> {
    let target = Target::host()?;
    let (frame, buffer) = FrameMemory::new(scope)?;
    let state = Box::new(State {
        env: scope.raw(),
        target,
        shared: Shared::new(scope)?,
        callbacks: RefCell::default(),
        relay: Relay::default(),
        alive: Alive::default(),
        tasks: task::Tasks::default(),
        live: RefCell::default(),
        frame,
        held: RefCell::default(),
        ending: v8::Ending::default(),
        handles: v8::Handles::default(),
        calls: v8::Calls::default(),
        shapes: v8::Shapes::default(),
        wrappers: RefCell::default(),
        owned: RefCell::default(),
        functions: RefCell::default(),
        texts: text_call::TextShapes::default(),
        entry: OnceCell::new(),
        upcalls: Cell::new(0),
        signatures: RefCell::default(),
    });
    describe(scope, exports, &state, buffer)?;
    let data = Box::into_raw(state);
    let shared = {
        // SAFETY: just leaked; freed by `drop_state` only.
        let state = unsafe { &*data };
        state.shared.attach(data);
        state.shared
    };
    let data = data.cast::<c_void>();
    scope.on_cleanup(close, ptr::from_ref(shared).cast_mut().cast())?;
    export(scope, exports, FIRST, data)?;
    // SAFETY: `data` came from `Box::into_raw`; the finalizer is its only owner.
    let status = unsafe {
        sys::napi_set_instance_data(scope.raw(), data, Some(drop_state), ptr::null_mut())
    };
    if status == sys::Status::napi_ok {
        Ok(())
    } else {
        Err(Error::new(Code::Internal, "the environment refused instance data"))
    }
}

/// The first thing that happens when an environment ends: nothing enters it any more, and what
/// other threads still do for it comes to an end.
unsafe extern "C" fn close(data: *mut c_void) {
    // SAFETY: `register` gave the leaked shared side.
    let shared = unsafe { &*data.cast::<Shared>() };
    shared.close();
    if let Some(state) = shared.state() {
        relay::close(state);
        task::close(state);
        callback::release_all(state);
    }
}

/// The finalizer of an environment's state: runs after everything that refers to it.
unsafe extern "C" fn drop_state(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: `register` leaked the box for this call, which happens once.
    let state = unsafe { Box::from_raw(data.cast::<State>()) };
    state.shared.attach(ptr::null_mut());
}

/// Exports what JavaScript must know about memory and target.
fn describe(scope: Scope, exports: Value, state: &State, buffer: Value) -> Result<()> {
    let (target, memory) = (&state.target, &state.frame);
    let number = |name: &CStr, value: usize| {
        scope.number(value as f64).and_then(|value| scope.set(exports, name, value))
    };
    scope.set(exports, c"memory", buffer)?;
    scope.set(exports, c"base", scope.bigint(memory.base() as usize as u64)?)?;
    scope.set(exports, c"env", scope.bigint(scope.raw() as usize as u64)?)?;
    number(c"origin", memory.origin())?;
    number(c"frameCell", frame::FRAME)?;
    number(c"topCell", frame::TOP)?;
    number(c"argCell", frame::ARG)?;
    number(c"errnoCell", frame::ERRNO)?;
    number(c"epochCell", frame::EPOCH)?;
    number(c"foreignCell", frame::FOREIGN)?;
    number(c"lengthCell", frame::LENGTH)?;
    number(c"pendingCell", frame::PENDING)?;
    number(c"liveCell", frame::LIVE)?;
    number(c"resultCell", frame::RESULT)?;
    number(c"thrown", frame::THROWN as usize)?;
    number(c"missed", frame::MISSED as usize)?;
    number(c"closed", frame::CLOSED as usize)?;
    number(c"callbackCell", frame::CALLBACK)?;
    number(c"levelCell", frame::LEVEL)?;
    number(c"failedCell", frame::FAILED)?;
    number(c"callerCell", frame::CALLER)?;
    number(c"tokenCell", frame::TOKEN)?;
    number(c"enteredCell", frame::ENTERED)?;
    number(c"extentCell", frame::EXTENT)?;
    number(c"operandCell", frame::OPERAND)?;
    number(c"fixed", frame::FIXED)?;
    number(c"fixedSize", frame::FIXED_SIZE)?;
    number(c"frameAlign", frame::ALIGN)?;
    number(c"pointerSize", target.model.pointer as usize)?;
    number(c"longSize", target.model.long as usize)?;
    number(c"wcharSize", target.model.wchar as usize)?;
    // The loader compares it with the version of the package.
    scope.set(exports, c"version", scope.string(env!("CARGO_PKG_VERSION"))?)?;
    scope.set(exports, c"arch", scope.string(&format!("{:?}", target.arch).to_lowercase())?)?;
    scope.set(exports, c"os", scope.string(&format!("{:?}", target.os).to_lowercase())?)
}

/// `layout(type)` -> `[size, align, ...offsets of a record's members]`, in bytes.
fn layout(scope: Scope, state: &State, [text]: [Value; 1]) -> Result<Value> {
    let model = &state.target.model;
    let ty = parse_type(&scope.to_string(text)?, model)?;
    let mut numbers = vec![ty.size(model), ty.align(model)];
    if let Type::Record(record) = &ty {
        numbers.extend(record.fields.iter().map(|field| field.offset));
    }
    scope.numbers(numbers.into_iter().map(f64::from))
}

/// `keepAlive(boolean)`: one reason more, or one less, for the event loop to go on.
fn keep_alive(scope: Scope, state: &State, [more]: [Value; 1]) -> Result<Value> {
    if scope.to_bool(more)? {
        state.alive.add(scope, state.shared)?;
    } else {
        state.alive.remove(scope, state.shared)?;
    }
    scope.undefined()
}

/// `signature(text)` -> `[id, frame size, keeps its frame (0 or 1), result offset, errno offset,
/// ...argument offsets]`, in bytes from the start of the frame.
fn signature(scope: Scope, state: &State, [text]: [Value; 1]) -> Result<Value> {
    let id = state.prepare(&scope.to_string(text)?)?;
    let prepared = state.prepared(id)?;
    let FrameLayout { args, ret, errno, size, .. } = &prepared.frame;
    let mut numbers = vec![id, *size, u32::from(prepared.layout.keeps_frame()), *ret, *errno];
    numbers.extend(args);
    scope.numbers(numbers.into_iter().map(f64::from))
}
