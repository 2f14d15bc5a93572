//! Bound functions: a code slot's record each, which the entries of the tiers find by its token, so
//! that a call goes from JavaScript straight into the trampoline.

use super::env::State;
use super::frame;
use super::libraries::{self, ClosedBody};
use super::v8;
use super::value::{Scope, Value};
use crate::call::{CallRecord, CallTarget, errno};
use crate::code::{CodePtr, Slot};
use crate::error::{Code, Error, Result};
use crate::plan::Entry;
use std::ffi::c_void;
use std::ptr;

/// What a bound JavaScript function owns.
pub struct Function {
    slot: Slot,
    library: Option<libraries::Id>,
}

impl Function {
    /// The record that the code behind the slot reads.
    fn record(&self) -> &'static CallRecord {
        CallRecord::of(self.slot.record())
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        if let Some(id) = self.library {
            libraries::detach(id, self.record());
        }
    }
}

/// The bound functions of an environment by identifier. What JavaScript does not release is
/// released with the environment.
#[derive(Default)]
pub struct Functions {
    list: Vec<Option<Function>>,
    free: Vec<u32>,
    /// By signature, and by the flags that matter to them.
    trampolines: Vec<[Option<CodePtr>; 4]>,
}

impl Functions {
    fn add(&mut self, function: Function) -> u32 {
        if let Some(id) = self.free.pop() {
            self.list[id as usize] = Some(function);
            return id;
        }
        self.list.push(Some(function));
        (self.list.len() - 1) as u32
    }

    /// The trampoline of a signature. It is the same for equal plans, but a plan takes longer to make
    /// than to look up here.
    fn trampoline(&mut self, state: &State, signature: u32, bits: u32) -> Result<CodePtr> {
        let (id, kind) = (signature as usize, (bits & (flags::STACKED | flags::ERRNO)) as usize);
        if let Some(&Some(known)) = self.trampolines.get(id).map(|list| &list[kind]) {
            return Ok(known);
        }
        let prepared = state.prepared(signature)?;
        let stacked = bits & flags::STACKED != 0;
        if !stacked && prepared.frame.size as usize > frame::FIXED_SIZE {
            return Err(Error::new(Code::Internal, "this frame does not fit the fixed frame"));
        }
        let entry = if stacked { Entry::Stacked } else { Entry::Fixed };
        let made = prepared.trampoline(entry, bits & flags::ERRNO != 0)?;
        if self.trampolines.len() <= id {
            self.trampolines.resize(id + 1, [None; 4]);
        }
        self.trampolines[id][kind] = Some(made);
        Ok(made)
    }

    fn remove(&mut self, id: u32) -> Option<Function> {
        let function = self.list.get_mut(id as usize)?.take()?;
        self.free.push(id);
        Some(function)
    }
}

/// What calling a bound function means, as flags.
mod flags {
    /// The frame is the one that the FRAME cell names, instead of the fixed one.
    pub const STACKED: u32 = 1;
    /// The frame's errno cell is filled.
    pub const ERRNO: u32 = 2;
    /// The entry is the packed tier's, instead of Node-API's.
    pub const PACKED: u32 = 4;
    /// Bits behind which the number of a shape stands, counted from 1.
    pub const SHAPE: u32 = 3;
}

/// `bind(signature id, address, library id or -1, flags, name)` -> the identifier of a bound
/// function, whose token is in the LENGTH cell; undefined when the address is undefined, and the
/// library has no symbol of that name.
///
/// Flags are the sum of 1 (the frame is the one that the FRAME cell names, instead of the fixed
/// one), 2 (the frame's errno cell is filled) and 4 (the packed tier enters it), and of eight times
/// the number of the shape whose entry may enter it, counted from 1. Once the library is closed,
/// entering the function throws `ERR_FFI_LIBRARY_CLOSED`.
///
/// # Errors
/// For identifiers that are not known, a library that is closed, a null address, and when there is
/// no executable memory.
pub fn bind(scope: Scope, state: &State, arguments: [Value; 5]) -> Result<Value> {
    let [signature, address, library, bits, name] = arguments;
    let library = libraries::to_id(scope, library)?;
    let target = match library {
        Some(id) if scope.is_nullish(address)? => {
            match libraries::find_symbol(id, &scope.to_string(name)?)? {
                Some(address) => address,
                None => return scope.undefined(),
            }
        }
        _ => ptr::with_exposed_provenance(scope.to_address(address)?),
    };
    if target.is_null() {
        let name = scope.to_string(name)?;
        return Err(Error::new(Code::InvalidArgument, format!("{name} is a null pointer")));
    }
    let function = make(state, scope.to_u32(signature)?, target, library, scope.to_u32(bits)?)?;
    state.frame.set_length(token_of(ptr::from_ref(function.record()).cast())?);
    let id = state.functions.borrow_mut().add(function);
    scope.number(f64::from(id))
}

/// The token of anything: its address in the bits of a double.
///
/// # Errors
/// For addresses that are no denormal numbers.
pub fn token_of(thing: *const c_void) -> Result<f64> {
    let bits = thing.expose_provenance() as u64;
    if bits >> 52 != 0 {
        return Err(Error::new(Code::Internal, "an address is no denormal number"));
    }
    Ok(f64::from_bits(bits))
}

/// The token of a record: its address in the bits of a double.
pub fn token(record: &CallRecord) -> f64 {
    f64::from_bits(ptr::from_ref(record).expose_provenance() as u64)
}

/// The record that a token stands for.
pub fn record_of(token: f64) -> *const CallRecord {
    ptr::with_exposed_provenance(token.to_bits() as usize)
}

/// `unbind(identifier)`: nothing refers to a bound function any more, and its slot can be used
/// again.
pub fn unbind(scope: Scope, state: &State, [id]: [Value; 1]) -> Result<Value> {
    let removed = state.functions.borrow_mut().remove(scope.to_u32(id)?);
    drop(removed);
    Ok(ptr::null_mut())
}

/// Takes a slot and writes its record.
fn make(
    state: &State,
    signature: u32,
    target: *const c_void,
    library: Option<libraries::Id>,
    bits: u32,
) -> Result<Function> {
    let has = |flag| bits & flag != 0;
    let stacked = has(flags::STACKED);
    let body = state.functions.borrow_mut().trampoline(state, signature, bits)?;
    let mut function = Function { slot: Slot::allocate()?, library: None };
    let memory = &state.frame;
    let fixed = memory.fixed()?;
    let call = CallTarget {
        target,
        frame: if stacked { memory.base() } else { fixed },
        frame_cell: memory.control(frame::FRAME),
        errno: errno::address(),
    };
    function.record().set(body, &call);
    state.shapes.prepare((bits >> flags::SHAPE).checked_sub(1), function.record())?;
    if let Some(id) = library {
        let closed = if has(flags::PACKED) { v8::closed() } else { ClosedBody::node_api() };
        libraries::attach(state, id, function.record(), closed)?;
        function.library = Some(id);
    }
    Ok(function)
}
