//! Calls whose text crosses with them: JavaScript strings come as arguments and are encoded into frame
//! memory, a string that C returns goes back. All else travels in the frame, and which function is
//! entered the TOKEN cell says, as on Node-API's tier (`enter.rs`).

use super::env::State;
use super::frame::{ARG, FRAME, FrameMemory, PENDING, SIZE, THROWN, TOKEN, TOP, UPCALL};
use super::memory::numbers;
use super::sys;
use super::text::{Encoding, Room, SLACK, Written};
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
    scope: Scope,
    memory: FrameMemory,
    /// The fixed frame, or null for the one that the FRAME cell names.
    fixed: *mut u8,
    parameters: Box<[Parameter]>,
    /// Whether there is strict UTF-8: the units of all strings together are compared with its bytes.
    checks_units: bool,
    /// Up to how many units text is read as UTF-16 although it is likely to be ASCII, because that is
    /// quicker on this release.
    as_units: usize,
    /// Whether the last text had other characters: short text is then read as UTF-16, and encoded in a
    /// fraction of Node-API's time.
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
    /// The shape of a description: `[stacked, units, unit, cell, ...]`, with up to how many units text
    /// is read as UTF-16 to become UTF-8, unit and cell of the returned text (zeros when there is none),
    /// and then `unit, cell, strict` of each parameter that takes a string, in the order of the
    /// arguments.
    fn new(scope: Scope, state: &State, text: &[u32]) -> Result<TextShape> {
        let [stacked, units, unit, cell, ref strings @ ..] = *text else {
            return Err(no_description());
        };
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
        let memory = state.frame;
        let as_units = (units as usize).min(transcode::MOST);
        let is_wide = Cell::new(false);
        Ok(TextShape {
            scope,
            memory,
            fixed,
            parameters,
            checks_units,
            as_units,
            is_wide,
            returned,
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
        if strings.len() == 0 {
            return self.run_none();
        }
        let frame = self.begin();
        let top = self.memory.get(TOP);
        match self.put(frame, top as usize, strings, quick) {
            Some(end) if self.enter_above(frame, top, end) => self.result_apart(frame),
            Some(_) => Outcome::Pending,
            None => Outcome::Missed,
        }
    }

    /// The same for Node-API with the one string that the shape takes in, as UTF-8.
    #[inline(always)]
    fn run_one(&self, string: Value) -> Value {
        let frame = self.begin();
        let top = self.memory.get(TOP);
        let Some(end) = self.put_one(frame, top as usize, string) else { return self.missed() };
        if self.enter_above(frame, top, end) && self.returned.is_some() {
            self.answer(self.result(frame))
        } else {
            ptr::null_mut()
        }
    }

    /// The same without strings.
    #[inline(always)]
    fn run_none(&self) -> Outcome {
        let frame = self.begin();
        if self.enter() { self.result(frame) } else { Outcome::Pending }
    }

    /// Begins a call; returns its frame. After a miss, too, nothing is pending.
    #[inline(always)]
    fn begin(&self) -> *mut u8 {
        self.memory.set(PENDING, 0);
        if self.fixed.is_null() { self.memory.current() } else { self.fixed }
    }

    /// Calls C with strings that stand in scratch memory from `top` to `end`; false when something is
    /// pending then.
    #[inline(always)]
    fn enter_above(&self, frame: *mut u8, top: u32, end: u32) -> bool {
        let memory = self.memory;
        memory.set(TOP, end);
        // What takes strings looks for its frame there.
        memory.set(FRAME, (frame.addr() - memory.base().addr()) as u32);
        let is_over = self.enter();
        // Strings of a call that is suspended are still in use: its marshaller restores TOP.
        if is_over || memory.get(PENDING) != UPCALL {
            memory.set(TOP, top);
        }
        is_over
    }

    /// Calls C; false when something is pending then.
    #[inline(always)]
    fn enter(&self) -> bool {
        let record = self.memory.get_address(TOKEN);
        // SAFETY: the TOKEN cell has a function that is alive, whose frame was written.
        unsafe { enter::enter_record(self.scope.raw(), ptr::null_mut(), record) };
        self.memory.get(PENDING) == 0
    }

    /// What C has returned.
    #[inline(always)]
    fn result(&self, frame: *mut u8) -> Outcome {
        let Some(Returned { cell, encoding }) = self.returned else { return Outcome::Done };
        // SAFETY: the result's cell is within the frame, and C says that what it points to is
        // text; its word is all there is.
        let read = unsafe {
            let address = frame.add(cell).cast::<*const u8>().read();
            encoding.read(self.scope, address)
        };
        read.map_or(Outcome::Refused, Outcome::Text)
    }

    /// The same, kept out of what has much to do itself.
    #[inline(never)]
    fn result_apart(&self, frame: *mut u8) -> Outcome {
        self.result(frame)
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
        let reads_units = expected <= self.most_units();
        for (parameter, string) in self.parameters.iter().zip(strings) {
            let Parameter { cell, encoding, strict } = *parameter;
            let quickly = match encoding {
                Encoding::Utf8 => quick(string, &mut room),
                _ => None,
            };
            let written = match quickly {
                Some(units) => Written::Units(units),
                None if reads_units && encoding == Encoding::Utf8 => {
                    self.write_units(string, &mut room, strict)
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
        let checked = !self.checks_units || units == expected;
        self.is_wide.set(room.taken() != expected + self.parameters.len());
        (checked || !room.holds_replacement()).then(|| room.end() as u32)
    }

    /// The same for the only string, as UTF-8: without what several strings and encodings take.
    #[inline(always)]
    fn put_one(&self, frame: *mut u8, top: usize, string: Value) -> Option<u32> {
        let parameter = self.parameters.first()?;
        let expected = self.memory.get(ARG) as usize;
        if expected <= self.most_units() {
            return self.put_units(frame, top, string, expected);
        }
        if top + SLACK >= SIZE {
            return None;
        }
        let free = SIZE - top;
        // SAFETY: `free` bytes are there from `top` on.
        let written = unsafe {
            let to = self.memory.base().add(top);
            // The cell of an argument is within the frame. What is no string leaves it as it was.
            let cell = frame.add(parameter.cell).cast::<*mut u8>();
            let len = self.scope.copy_utf8(string, to, free);
            if len.is_some() {
                cell.write(to);
            }
            len
        };
        match written {
            // All of it is ASCII.
            Some(len) if len == expected && len + SLACK <= free => {
                self.is_wide.set(false);
                Some((top + len + 1) as u32)
            }
            Some(len) if len + SLACK <= free => self.accept(top, len, parameter.strict),
            Some(_) => None,
            None => Some(top as u32),
        }
    }

    /// The end of `len` bytes of UTF-8 from `top` on that are not all ASCII; None when a lone surrogate may
    /// have been replaced that should not.
    #[cold]
    fn accept(&self, top: usize, len: usize, strict: bool) -> Option<u32> {
        self.is_wide.set(true);
        let mut room = Room::new(self.memory.base(), top, SIZE);
        // SAFETY: within the memory.
        room.take(unsafe { self.memory.base().add(top) }, len + 1, len);
        (!strict || !room.holds_replacement()).then(|| room.end() as u32)
    }

    /// The same, read as UTF-16.
    fn put_units(&self, frame: *mut u8, top: usize, string: Value, expected: usize) -> Option<u32> {
        let parameter = self.parameters.first()?;
        let mut room = Room::new(self.memory.base(), top, SIZE);
        match self.write_units(string, &mut room, parameter.strict) {
            Written::Units(count) => {
                // SAFETY: the cell of an argument is within the frame.
                unsafe { frame.add(parameter.cell).cast::<*mut u8>().write(room.last()) };
                self.is_wide.set(room.taken() != expected + 1);
                let checked = !parameter.strict || count == expected;
                (checked || !room.holds_replacement()).then(|| room.end() as u32)
            }
            Written::NoString => Some(top as u32),
            Written::Missed => None,
        }
    }

    /// Writes a string that is read as UTF-16 as UTF-8.
    #[inline(always)]
    fn write_units(&self, string: Value, room: &mut Room, strict: bool) -> Written {
        transcode::write(self.scope, string, room, strict, self.is_wide.get())
    }

    /// The most units that text is read as UTF-16 with.
    #[inline(always)]
    fn most_units(&self) -> usize {
        if self.is_wide.get() { transcode::SHORT } else { self.as_units }
    }
}

/// The error of a string that Node-API did not make.
pub fn refused() -> Error {
    Error::new(Code::Internal, "Node-API refused to make a string")
}

fn no_description() -> Error {
    Error::new(Code::InvalidArgument, "this is no description of a call's text")
}

/// `textShape(description)` -> the token of a shape, for `textEntry` and `enterText`: its
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

/// `textEntry(shape, count)` -> Node-API's entry for calls with `count` strings of a shape, or with as
/// many as it takes in: `callText(...strings)`, which calls the function that the TOKEN cell names, and
/// returns the string that C returns. The shape is a token that [`shape`] returned.
///
/// On a miss it returns what it otherwise does not: `undefined` when there is text to return, `null`
/// when there is none. When something is pending, it returns `undefined`.
///
/// # Errors
/// [`Code::InvalidArgument`] for another token; as Node-API.
pub fn entry(scope: Scope, state: &State, [token, count]: [Value; 2]) -> Result<Value> {
    let token = scope.to_f64(token)?.to_bits();
    let known = state.texts.0.borrow();
    let shape = known
        .iter()
        .find(|shape| Rc::as_ptr(shape).expose_provenance() as u64 == token)
        .ok_or_else(no_description)?;
    let is_utf8 = matches!(*shape.parameters, [Parameter { encoding: Encoding::Utf8, .. }]);
    let code: sys::napi_callback = Some(match scope.to_u32(count)? {
        0 => enter_without,
        1 if is_utf8 => enter_with_one,
        1 => enter_with::<1>,
        2 => enter_with::<2>,
        _ => enter_with::<MAX_STRINGS>,
    });
    scope.function("callText", code, Rc::as_ptr(shape).cast_mut().cast())
}

/// The callback of functions that take up to `N` strings in; its data is the shape.
unsafe extern "C" fn enter_with<const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let (mut values, mut count) = ([ptr::null_mut(); N], N);
    let (list, mut data) = (values.as_mut_ptr(), ptr::null_mut::<c_void>());
    // SAFETY: the out-parameters outlive the call, and `values` has room for `count`; shapes live as
    // long as the environment.
    let shape = unsafe {
        sys::napi_get_cb_info(env, info, &mut count, list, ptr::null_mut(), &mut data);
        &*data.cast::<TextShape>()
    };
    answer(shape, &values[..count.min(N)])
}

/// The same without strings, or with strings that stand in the frame already.
unsafe extern "C" fn enter_without(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let (none, mut data) = (ptr::null_mut(), ptr::null_mut::<c_void>());
    // SAFETY: as above; arguments are not asked for.
    let shape = unsafe {
        sys::napi_get_cb_info(env, info, none, ptr::null_mut(), ptr::null_mut(), &mut data);
        &*data.cast::<TextShape>()
    };
    shape.answer(shape.run_none())
}

/// The same for a shape that takes one string in, as UTF-8.
unsafe extern "C" fn enter_with_one(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let (mut string, mut count, mut data) = (ptr::null_mut(), 1, ptr::null_mut::<c_void>());
    // SAFETY: as above, with room for one.
    let shape = unsafe {
        sys::napi_get_cb_info(env, info, &mut count, &mut string, ptr::null_mut(), &mut data);
        &*data.cast::<TextShape>()
    };
    shape.run_one(string)
}

/// Makes a call for Node-API.
#[inline(never)]
fn answer(shape: &TextShape, strings: &[Value]) -> Value {
    shape.answer(shape.run(strings.iter().copied(), |_, _| None))
}

impl TextShape {
    /// What Node-API's entry returns.
    #[inline(always)]
    fn answer(&self, outcome: Outcome) -> Value {
        match outcome {
            Outcome::Text(text) => text,
            Outcome::Done | Outcome::Pending => ptr::null_mut(),
            Outcome::Missed => self.missed(),
            Outcome::Refused => self.refused(),
        }
    }

    #[cold]
    fn missed(&self) -> Value {
        if self.returns_text() { ptr::null_mut() } else { self.null() }
    }

    #[cold]
    fn refused(&self) -> Value {
        self.scope.throw(&refused());
        ptr::null_mut()
    }
}

const _: () = assert!(mem::size_of::<f64>() >= mem::size_of::<*const TextShape>());
