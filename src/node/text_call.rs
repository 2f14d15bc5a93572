//! Calls whose text crosses with them: JavaScript strings come as arguments and are encoded into frame
//! memory, a string that C returns goes back. All else travels in the frame, and which function is
//! entered the TOKEN cell says, as on Node-API's tier (`enter.rs`).

use super::env::State;
use super::frame::{ARG, FrameMemory, PENDING, SIZE, TEXT, THROWN, TOP, UPCALL};
use super::memory::numbers;
use super::sys;
use super::text::{Encoding, Room, Written};
use super::value::{Scope, Value};
use super::{enter, function, transcode};
use crate::error::{Code, Error, Result};
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::rc::Rc;
use std::{mem, ptr};

/// The most strings that a call takes in.
pub const MAX_STRINGS: usize = 4;

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

/// What crosses with the calls of a signature.
pub struct TextShape {
    /// Node-API's entry, which finds the function in the TOKEN cell.
    enter: unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value,
    scope: Scope,
    memory: FrameMemory,
    /// The fixed frame, or null for the one that the FRAME cell names.
    fixed: *mut u8,
    parameters: Box<[Parameter]>,
    /// Whether there is strict UTF-8: the units of all strings together are compared with its bytes.
    checks_units: bool,
    /// Whether the last short UTF-8 had other characters than ASCII: then the next is not read as UTF-8,
    /// but as UTF-16, which is quicker unless it is ASCII.
    is_wide: Cell<bool>,
    returned: Option<Returned>,
}

/// The shapes of an environment. They live as long as it does.
#[derive(Default)]
pub struct TextShapes(RefCell<Vec<Rc<TextShape>>>);

/// How a call ended.
pub enum Outcome {
    /// With this string, or null.
    Text(Value),
    /// Without text to return.
    Done,
    /// C was not called: a string has no room, or is none that the encoding can hold.
    Missed,
    /// The PENDING cell says what is to be done; the result, if there is one, is in its cell.
    Pending,
    /// The string was refused.
    Refused,
}

impl TextShape {
    /// The shape of a description: `[stacked, unit, cell, ...]`, with unit and cell of the returned
    /// text (zeros when there is none), and then `unit, cell, strict` of each parameter that takes a
    /// string, in the order of the arguments.
    fn new(scope: Scope, state: &State, text: &[u32]) -> Result<TextShape> {
        let [stacked, unit, cell, ref strings @ ..] = *text else { return Err(no_description()) };
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
        let parameters: Box<[_]> = strings.chunks_exact(3).map(parameter).collect::<Result<_>>()?;
        let checks_units = parameters.iter().any(|p| p.strict && p.encoding == Encoding::Utf8);
        let fixed = if stacked == 0 { state.frame.fixed()? } else { ptr::null_mut() };
        let (enter, memory) = (enter::code(state)?, state.frame);
        let is_wide = Cell::new(false);
        Ok(TextShape { enter, scope, memory, fixed, parameters, checks_units, is_wide, returned })
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
        let TextShape { enter, scope, memory, returned, .. } = *self;
        let frame = if self.fixed.is_null() { memory.current() } else { self.fixed };
        memory.set(PENDING, 0);
        // SAFETY: the TOKEN cell has a function that is alive, whose frame was written.
        let enter = || unsafe { enter(scope.raw(), ptr::null_mut()) };
        if strings.len() > 0 {
            let top = memory.get(TOP);
            match self.put(frame, top as usize, strings, quick) {
                Some(end) => memory.set(TOP, end),
                None => return Outcome::Missed,
            }
            enter();
            // Strings of a call that is suspended are still in use: its marshaller restores TOP.
            if memory.get(PENDING) != UPCALL {
                memory.set(TOP, top);
            }
        } else {
            enter();
        }
        if memory.get(PENDING) != 0 {
            return Outcome::Pending;
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
        // JavaScript knows it of calls with UTF-8.
        let expected = self.memory.get(ARG) as usize;
        let is_short = expected <= transcode::SHORT;
        let reads_units = is_short && self.is_wide.get();
        for (parameter, string) in self.parameters.iter().zip(strings) {
            let Parameter { cell, encoding, strict } = *parameter;
            let quickly = match encoding {
                Encoding::Utf8 => quick(string, &mut room),
                _ => None,
            };
            let written = match quickly {
                Some(units) => Written::Units(units),
                None if reads_units && encoding == Encoding::Utf8 => {
                    transcode::write_short(self.scope, string, &mut room, strict)
                }
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
        let checked = !self.checks_units || reads_units || units == expected;
        if is_short {
            self.is_wide.set(room.taken() != expected + self.parameters.len());
        }
        (checked || !room.holds_replacement()).then(|| room.end() as u32)
    }
}

/// The error of a string that Node-API did not make.
pub fn refused() -> Error {
    Error::new(Code::Internal, "Node-API refused to make a string")
}

fn no_description() -> Error {
    Error::new(Code::InvalidArgument, "this is no description of a call's text")
}

/// `textShape(description)` -> the token of a shape, for the TEXT cell and for `enterText`: its
/// address in the bits of a double. See [`TextShape::new`]. The caller asks once per description.
///
/// # Errors
/// [`Code::InvalidArgument`] for another value.
pub fn shape(scope: Scope, state: &State, [description]: [Value; 1]) -> Result<Value> {
    let text = numbers(scope, description)?;
    let made = Rc::new(TextShape::new(scope, state, &text)?);
    let token = function::token_of(Rc::as_ptr(&made).cast())?;
    state.texts.0.borrow_mut().push(made);
    scope.number(token)
}

/// `textEntry(count)` -> Node-API's entry for calls with up to so many strings:
/// `callText(...strings)`, which calls the function that the TOKEN cell names with
/// the shape in the TEXT cell, and returns the string that C returns.
///
/// On a miss it returns what it otherwise does not: `undefined` when there is text to return, `null`
/// when there is none. When something is pending, it returns `undefined`.
///
/// # Errors
/// As Node-API.
pub fn entry(scope: Scope, state: &State, [count]: [Value; 1]) -> Result<Value> {
    let code: sys::napi_callback = Some(match scope.to_u32(count)? {
        0 => enter_with::<0>,
        1 => enter_with::<1>,
        2 => enter_with::<2>,
        _ => enter_with::<MAX_STRINGS>,
    });
    scope.function("callText", code, state.frame.control(TEXT).cast())
}

/// The callback of functions that take up to `N` strings in; its data is the TEXT cell.
unsafe extern "C" fn enter_with<const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let (mut values, mut count) = ([ptr::null_mut(); N], N);
    let (list, mut data) = (values.as_mut_ptr(), ptr::null_mut::<c_void>());
    // SAFETY: the out-parameters outlive the call, and `values` has room for `count`; the cell has
    // the token of a shape of the environment.
    let shape = unsafe {
        sys::napi_get_cb_info(env, info, &mut count, list, ptr::null_mut(), &mut data);
        &*data.cast::<*const TextShape>().read()
    };
    answer(shape, &values[..count.min(N)])
}

/// Makes a call for Node-API.
#[inline(never)]
fn answer(shape: &TextShape, strings: &[Value]) -> Value {
    match shape.run(strings.iter().copied(), |_, _| None) {
        Outcome::Text(text) => text,
        Outcome::Done | Outcome::Pending => ptr::null_mut(),
        Outcome::Missed if shape.returns_text() => ptr::null_mut(),
        Outcome::Missed => shape.null(),
        Outcome::Refused => {
            shape.scope.throw(&refused());
            ptr::null_mut()
        }
    }
}

const _: () = assert!(mem::size_of::<f64>() >= mem::size_of::<*const TextShape>());
