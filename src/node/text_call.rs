//! Bound functions whose text crosses with the call: JavaScript strings come as arguments and are
//! encoded into frame memory, a string that C returns goes back. All else travels in the frame.

use super::env::State;
use super::frame::{ARG, FrameMemory, PENDING, SIZE, THROWN, TOP};
use super::function::{self, Function};
use super::libraries::{self, ClosedBody};
use super::memory::numbers;
use super::text::{Encoding, Room, Written};
use super::value::{Scope, Value};
use crate::error::{Code, Error, Result};
use napi::sys;
use std::ffi::c_void;
use std::{mem, ptr};

/// The most strings that a call takes in.
pub const MAX_STRINGS: usize = 8;

/// Where a string goes.
#[derive(Clone, Copy)]
struct Parameter {
    /// Offset in the frame of the cell that gets its address.
    cell: usize,
    encoding: Encoding,
    /// Whether a string that the encoding cannot hold is a miss.
    strict: bool,
}

/// Where text that C returns is.
#[derive(Clone, Copy)]
struct Returned {
    /// Offset in the frame of the cell with its address.
    cell: usize,
    encoding: Encoding,
}

/// A bound function, and what crosses with its calls.
pub struct TextCall {
    /// The slot's code. It gets what Node-API gives its callbacks, and returns [`CLOSED`] when
    /// the library was closed.
    code: unsafe extern "C" fn() -> usize,
    scope: Scope,
    memory: FrameMemory,
    /// The fixed frame, or null for the one that the FRAME cell names.
    fixed: *mut u8,
    parameters: Box<[Parameter]>,
    /// Whether the ARG cell has the length of all strings together, for strict UTF-8.
    checks_units: bool,
    returned: Option<Returned>,
    /// Owns the slot.
    _function: Function,
}

/// How a call ended.
pub enum Outcome {
    /// With this string, or null.
    Text(Value),
    /// Without text to return.
    Done,
    /// C was not called: a string has no room, or is none that the encoding can hold.
    Missed,
    /// C was not called: the library is closed.
    Closed,
    /// A callback threw: Node-API keeps the exception.
    Thrown,
    /// The string was refused.
    Refused,
}

/// What the slot's code returns when the library was closed; trampolines return zero.
const CLOSED: usize = 1;

/// What the slot of a closed library jumps to.
extern "C" fn closed() -> usize {
    CLOSED
}

impl TextCall {
    /// Binds from `(signature id, address, library id or -1, stacked, errno, name, text)`, where
    /// `text` is a Uint32Array: `[unit, cell]` of the returned text, zeros when there is none, and
    /// `[unit, cell, strict]` of each parameter that takes a string, in the order of the arguments.
    ///
    /// # Errors
    /// As [`function::bind`].
    pub fn bind(scope: Scope, state: &State, arguments: [Value; 7]) -> Result<TextCall> {
        let [signature, address, library, stacked, errno, name, text] = arguments;
        let text = numbers(scope, text)?;
        let (returned, parameters) = describe(&text)?;
        let closed = ClosedBody::of_code(closed as *const c_void);
        let arguments = [signature, address, library, stacked, errno, name];
        let function = function::take_slot(scope, state, arguments, closed)?;
        // SAFETY: a slot is a C function. With a `Fixed` or `Stacked` body it takes no arguments
        // and returns zero.
        let code = unsafe {
            mem::transmute::<*const u8, unsafe extern "C" fn() -> usize>(function.code())
        };
        let fixed = if scope.to_bool(stacked)? { ptr::null_mut() } else { state.frame.fixed()? };
        let checks_units = parameters.iter().any(|p| p.strict && p.encoding == Encoding::Utf8);
        let memory = state.frame;
        Ok(TextCall {
            code,
            scope,
            memory,
            fixed,
            parameters,
            checks_units,
            returned,
            _function: function,
        })
    }

    /// Whether calls return text.
    pub fn returns_text(&self) -> bool {
        self.returned.is_some()
    }

    /// `null`, or what is `undefined` to Node-API.
    pub fn null(&self) -> Value {
        self.scope.null().unwrap_or(ptr::null_mut())
    }

    /// Has an error thrown by the marshaller, which looks at the PENDING cell.
    #[cold]
    pub fn pend(&self, error: &Error) {
        self.scope.throw(error);
        self.memory.set(PENDING, THROWN);
    }

    /// Calls C with strings. Values that are no strings, and those that are missing, leave their
    /// cells as JavaScript wrote them. `quick` may know a way to write some strings as UTF-8; it
    /// returns their lengths.
    #[inline(always)]
    pub fn run(
        &self,
        strings: impl ExactSizeIterator<Item = Value>,
        quick: impl Fn(Value, &mut Room) -> Option<usize>,
    ) -> Outcome {
        // Copies: nothing of `self` is used once C was called.
        let TextCall { code, scope, memory, returned, .. } = *self;
        let frame = if self.fixed.is_null() { memory.current() } else { self.fixed };
        let ended = if strings.len() > 0 {
            let top = memory.get(TOP);
            match self.put(frame, top as usize, strings, quick) {
                Some(end) => memory.set(TOP, end),
                None => return Outcome::Missed,
            }
            // SAFETY: the slot of a function that is alive, whose frame was written.
            let ended = unsafe { code() };
            memory.set(TOP, top);
            ended
        } else {
            // SAFETY: as above.
            unsafe { code() }
        };
        if memory.get(PENDING) != 0 {
            return Outcome::Thrown;
        }
        if ended == CLOSED {
            return Outcome::Closed;
        }
        let Some(Returned { cell, encoding }) = returned else { return Outcome::Done };
        // SAFETY: the result's cell is within the frame, and C says that what it points to is
        // text; its word is all there is.
        let read = unsafe {
            let address = frame.add(cell).cast::<*const u8>().read();
            encoding.read(scope, address)
        };
        read.map_or(Outcome::Refused, Outcome::Text)
    }

    /// Encodes strings into scratch memory from `top`; returns the new TOP, or None when one is a
    /// miss.
    #[inline(always)]
    fn put(
        &self,
        frame: *mut u8,
        top: usize,
        strings: impl Iterator<Item = Value>,
        quick: impl Fn(Value, &mut Room) -> Option<usize>,
    ) -> Option<u32> {
        let mut room = Room::new(self.memory.base(), top, SIZE);
        let mut units = 0;
        for (parameter, string) in self.parameters.iter().zip(strings) {
            let Parameter { cell, encoding, strict } = *parameter;
            let quickly = match encoding {
                Encoding::Utf8 => quick(string, &mut room),
                _ => None,
            };
            let written = match quickly {
                Some(units) => Written::Units(units),
                None => encoding.write(self.scope, string, &mut room, strict),
            };
            match written {
                Written::Units(count) => {
                    units += count;
                    // SAFETY: the cell of an argument is within the frame.
                    unsafe { frame.add(cell).cast::<*mut u8>().write(room.last()) }
                }
                Written::NoString => {}
                Written::Missed => return None,
            }
        }
        // As many bytes, or characters of one byte, as JavaScript counted units: nothing was
        // replaced.
        let checked = !self.checks_units || units == self.memory.get(ARG) as usize;
        (checked || !room.holds_replacement()).then(|| room.end() as u32)
    }
}

/// The error of a string that Node-API did not make.
pub fn refused() -> Error {
    Error::new(Code::Internal, "Node-API refused to make a string")
}

/// Reads the description that [`TextCall::bind`] gets.
fn describe(text: &[u32]) -> Result<(Option<Returned>, Box<[Parameter]>)> {
    let [unit, cell, ref strings @ ..] = *text else { return Err(no_description()) };
    let returned = match unit {
        0 => None,
        _ => Some(Returned { cell: cell as usize, encoding: Encoding::of_unit(unit)? }),
    };
    if strings.len() % 3 != 0 || strings.len() / 3 > MAX_STRINGS {
        return Err(no_description());
    }
    let parameter = |string: &[u32]| {
        let encoding = Encoding::of_unit(string[0])?;
        Ok(Parameter { cell: string[1] as usize, encoding, strict: string[2] != 0 })
    };
    let parameters = strings.chunks_exact(3).map(parameter).collect::<Result<_>>()?;
    Ok((returned, parameters))
}

fn no_description() -> Error {
    Error::new(Code::InvalidArgument, "this is no description of a call's text")
}

/// `bindText(signature id, address, library id or -1, stacked, errno, name, text)` -> a function
/// that takes the strings of a call in and returns the string that C returns (see
/// [`TextCall::bind`]). Otherwise as [`function::bind`].
///
/// On a miss it returns what it otherwise does not: `undefined` when there is text to return,
/// `null` when there is none. Called without arguments, it does not miss.
///
/// # Errors
/// As [`function::bind`].
pub fn bind(scope: Scope, state: &State, arguments: [Value; 7]) -> Result<Value> {
    let name = scope.to_string(arguments[5])?;
    let call = Box::new(TextCall::bind(scope, state, arguments)?);
    let code: sys::napi_callback = Some(match call.parameters.len() {
        0 => enter,
        1 | 2 => enter_with::<2>,
        _ => enter_with::<MAX_STRINGS>,
    });
    let function = scope.function(&name, code, (&raw const *call).cast_mut().cast())?;
    function::own(scope, function, call)?;
    Ok(function)
}

/// The callback of functions that take no text in.
unsafe extern "C" fn enter(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let (null, mut data) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the out-parameter outlives the call, the others are not wanted.
    unsafe {
        sys::napi_get_cb_info(env, info, ptr::null_mut(), ptr::null_mut(), null, &mut data);
        finish(Scope::new(env), data, [].into_iter())
    }
}

/// The callback of functions that take up to `N` strings in.
unsafe extern "C" fn enter_with<const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let (mut values, mut count) = ([ptr::null_mut(); N], N);
    let (list, mut data) = (values.as_mut_ptr(), ptr::null_mut());
    // SAFETY: the out-parameters outlive the call, and `values` has room for `count`.
    unsafe {
        sys::napi_get_cb_info(env, info, &mut count, list, ptr::null_mut(), &mut data);
        finish(Scope::new(env), data, values[..count.min(N)].iter().copied())
    }
}

/// Runs the call behind a callback's data, and answers Node-API.
///
/// # Safety
/// `data` must be that of a function made by [`bind`].
#[inline(always)]
unsafe fn finish(
    scope: Scope,
    data: *mut c_void,
    strings: impl ExactSizeIterator<Item = Value>,
) -> Value {
    // SAFETY: the function that is being called owns it.
    let call = unsafe { &*data.cast::<TextCall>() };
    call.memory.set(PENDING, 0);
    match call.run(strings, |_, _| None) {
        Outcome::Text(text) => text,
        Outcome::Done | Outcome::Thrown => ptr::null_mut(),
        Outcome::Missed if call.returns_text() => ptr::null_mut(),
        Outcome::Missed => call.null(),
        Outcome::Closed => throw(scope, &libraries::function_closed()),
        Outcome::Refused => throw(scope, &refused()),
    }
}

#[cold]
fn throw(scope: Scope, error: &Error) -> Value {
    scope.throw(error);
    ptr::null_mut()
}
