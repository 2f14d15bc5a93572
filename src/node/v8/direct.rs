//! The primitives of the direct tier: for every shape of calls, a function of V8's own whose C
//! function is a thunk, which gets the arguments themselves.

use super::super::env::State;
use super::super::value::{Scope, Value};
use super::entry::{DIRECT, counting, token};
use super::layout::{
    BOOL, CallbackInfo, FLOAT32, FLOAT64, INT32, INT64, POINTER, Release, UINT32, UINT64, V8_VALUE,
    VOID,
};
use super::slow;
use super::strings;
use super::symbols::{CFunction, Symbols};
use super::template::{Check, Context, function_info};
use super::views;
use crate::arch::maker_at;
use crate::call::{CallRecord, Downcall, Prepared};
use crate::error::{Code, Error, Result};
use crate::node::sys;
use crate::plan::{Form, Maker};
use crate::target::Target;
use crate::types::parse_signature;
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Everything that the raw callback of a shape must know.
#[repr(C)]
pub struct Shape {
    /// What a thunk that counts counts with ([`crate::arch::record::SHAPE`]).
    pub counter: &'static AtomicUsize,
    /// What a thunk makes text with.
    pub text: strings::Maker,
    /// What it finds memory with.
    pub view: strings::Maker,
    /// The environment.
    pub env: sys::napi_env,
    /// The signature.
    pub prepared: Rc<Prepared>,
    /// The forms of the arguments.
    pub forms: Vec<Form>,
    /// The form of the result.
    pub result: Form,
    /// Whether errno is saved.
    pub errno: bool,
    /// The way into C from cells.
    pub downcall: Downcall,
}

/// Where thunks look for it.
const _: () = assert!(std::mem::offset_of!(Shape, text) == maker_at(Maker::Text) as usize);
const _: () = assert!(std::mem::offset_of!(Shape, view) == maker_at(Maker::View) as usize);

/// The shapes of an environment, which live as long as it does. There is a bound: V8 never lets go
/// of their functions.
#[derive(Default)]
pub struct Shapes {
    release: Cell<Option<&'static Release>>,
    /// Whether Externals hold wrappers ([`super::externals`]); if not, nobody knows what they hold.
    wrapped: Cell<bool>,
    list: RefCell<Vec<Rc<Shape>>>,
}

/// The most arguments that V8 passes to C besides receiver and token: its code generators keep the
/// numbers of integer and floating-point parameters in five bits each, and nothing but a check in
/// V8 14.6 says so.
const MAX_ARGUMENTS: usize = 30;

/// The most shapes of an environment.
const MAX_SHAPES: usize = 512;

impl Shapes {
    /// Notes the release that was found to be as expected, and whether Externals hold wrappers.
    pub fn start(&self, release: &'static Release, wrapped: bool) {
        self.release.set(Some(release));
        self.wrapped.set(wrapped);
    }

    /// The release that [`Shapes::start`] noted.
    pub fn release(&self) -> Option<&'static Release> {
        self.release.get()
    }

    /// Makes a record ready for the entry of a shape.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for an unknown shape.
    pub fn prepare(&self, index: Option<u32>, record: &CallRecord) -> Result<()> {
        let Some(index) = index else { return Ok(()) };
        let list = self.list.borrow();
        let shape = list.get(index as usize);
        let shape = shape.ok_or_else(|| Error::new(Code::InvalidArgument, "unknown shape"))?;
        let shape = Rc::as_ptr(shape);
        record.shape.store(shape.cast_mut().cast(), Ordering::Relaxed);
        Ok(())
    }

    /// The shape that [`Shapes::prepare`] noted in a record.
    ///
    /// # Safety
    /// The record must be prepared, and the environment alive.
    pub unsafe fn of_record<'a>(record: &CallRecord) -> &'a Shape {
        // SAFETY: shapes live as long as the environment.
        unsafe { &*record.shape.load(Ordering::Relaxed).cast::<Shape>() }
    }
}

/// The form that a letter stands for.
fn form(letter: char) -> Result<Form> {
    Ok(match letter {
        'v' => Form::Void,
        'i' => Form::Int32,
        'u' => Form::Uint32,
        'b' => Form::Bool,
        'f' => Form::Float32,
        'd' => Form::Float64,
        'n' => Form::Number,
        'l' => Form::Int64,
        'L' => Form::Uint64,
        'p' => Form::Wrapped,
        's' => Form::Text,
        'm' => Form::View,
        'c' => Form::Cell,
        _ => return Err(Error::new(Code::InvalidArgument, format!("no form {letter:?}"))),
    })
}

/// V8's name for what travels in a form.
fn type_code(form: Form) -> u8 {
    match form {
        Form::Void | Form::Cell => VOID,
        Form::Int32 => INT32,
        Form::Uint32 => UINT32,
        Form::Bool => BOOL,
        Form::Float32 => FLOAT32,
        Form::Float64 | Form::Number => FLOAT64,
        Form::Int64 => INT64,
        Form::Uint64 => UINT64,
        Form::Pointer | Form::Wrapped => POINTER,
        // Its handle: V8's own type for strings refuses those that were joined and are flat since, and
        // there is none for typed arrays in later releases.
        Form::Text | Form::View => V8_VALUE,
    }
}

/// `directEntry(signature id, forms, errno)` -> `[shape, function]`, or the reason why there is no
/// such entry. `forms` has a letter for each argument and one for the result; the function takes a
/// token and the arguments.
///
/// # Errors
/// As Node-API, and for unknown forms and identifiers.
pub fn direct_entry(scope: Scope, state: &State, arguments: [Value; 3]) -> Result<Value> {
    let [signature, forms, errno] = arguments;
    let prepared = state.prepared(scope.to_u32(signature)?)?;
    let mut forms = scope.to_string(forms)?.chars().map(form).collect::<Result<Vec<_>>>()?;
    let result = forms.pop().unwrap_or(Form::Void);
    let errno = scope.to_bool(errno)?;
    if forms.contains(&Form::Wrapped) && !state.shapes.wrapped.get() {
        return scope.string("Externals hold something else");
    }
    match make(state, &prepared, &forms, result, errno) {
        Ok((function, release)) => {
            let downcall = Downcall::new(&prepared, errno)?;
            let mut list = state.shapes.list.borrow_mut();
            let index = scope.number(list.len() as f64)?;
            let env = scope.raw();
            list.push(Rc::new(Shape {
                counter: &DIRECT,
                text: strings::maker(),
                view: views::maker(release.views),
                env,
                prepared,
                forms,
                result,
                errno,
                downcall,
            }));
            scope.list(&[index, function])
        }
        Err(reason) => scope.string(&reason),
    }
}

/// Calls a thunk as V8 would, once: what it does must be what it is for.
fn self_test() -> Check<()> {
    static TESTED: OnceLock<Check<()>> = OnceLock::new();
    TESTED
        .get_or_init(|| {
            let found = call_probe().map_err(|error| error.message)?;
            // -7 + 2 + 255 - 1000: narrow arguments are cut, numbers truncated.
            if found == -750 { Ok(()) } else { Err(format!("a thunk returned {found}")) }
        })
        .clone()
}

/// What the thunk of the test leads to.
extern "C" fn probe(a: i32, b: f64, c: u8, d: i64) -> i16 {
    (i64::from(a) + b as i64 + i64::from(c) + d) as i16
}

fn call_probe() -> Result<i32> {
    type Entry = unsafe extern "C" fn(*const c_void, f64, i32, f64, u32, f64) -> i32;
    let target = Target::host()?;
    let signature = parse_signature("(i32, f64, u8, i64) -> i16", &target.model)?;
    let forms = [Form::Int32, Form::Float64, Form::Uint32, Form::Number];
    let thunk = Prepared::new(target, signature)?.thunk(&forms, Form::Int32, false, false)?;
    let record = CallRecord::direct(probe as *const c_void, ptr::null_mut());
    let token = token(ptr::from_ref(&record).cast());
    // SAFETY: the thunk has this type, and its record leads to a function of its signature.
    unsafe {
        let enter = std::mem::transmute::<*const u8, Entry>(thunk.as_ptr());
        Ok(enter(ptr::null(), token, -7, 2.5, 0x1ff, -1000.9))
    }
}

/// Makes the function of a shape.
fn make(
    state: &State,
    prepared: &Prepared,
    forms: &[Form],
    result: Form,
    errno: bool,
) -> Check<(Value, &'static Release)> {
    let release = state.shapes.release().ok_or("the tier was not started")?;
    if state.shapes.list.borrow().len() >= MAX_SHAPES {
        return Err(format!("there are {MAX_SHAPES} shapes of direct calls already"));
    }
    self_test()?;
    if forms.len() > MAX_ARGUMENTS {
        return Err(format!("V8 passes at most {MAX_ARGUMENTS} arguments"));
    }
    let wide = |form: &Form| matches!(form, Form::Int64 | Form::Uint64);
    if release.representation.is_none() && forms.iter().chain([&result]).any(wide) {
        return Err("V8 passes no BigInts before 12.4".to_owned());
    }
    let text = |error: Error| error.message;
    let thunk = prepared.thunk(forms, result, errno, counting()).map_err(text)?;
    let symbols = Symbols::find(release)?;
    let parameters: Vec<u8> =
        [FLOAT64].into_iter().chain(forms.iter().map(|&form| type_code(form))).collect();
    let info = function_info(&symbols, release, type_code(result), &parameters)?;
    // Immortal, because V8 refers to it.
    let fast: &'static CFunction =
        Box::leak(Box::new(CFunction { address: thunk.as_ptr().cast(), info }));
    let callback = match release.callback {
        CallbackInfo::Pointer => slow::callback::<false> as *const c_void,
        CallbackInfo::Frame => slow::callback::<true> as *const c_void,
    };
    let function = Context::current(&symbols)?.function(callback, ptr::from_ref(fast))?;
    Ok((function, release))
}
