//! V8 functions whose body is a raw callback, with a C function for optimised code.

use super::layout::{Release, V8_VALUE};
use super::symbols::{CFunction, Local, Opaque, Symbols};
use crate::node::value::Value;
use std::ffi::c_void;

/// What can be had, or why it cannot.
pub type Check<T> = std::result::Result<T, String>;

/// `v8::CFunctionInfo::Int64Representation::kBigInt`.
const BIGINT: u8 = 1;

/// The isolate and context that are running.
pub struct Context<'a> {
    symbols: &'a Symbols,
    isolate: Opaque,
    context: Local,
}

impl Context<'_> {
    /// Those of the running callback.
    pub fn current(symbols: &Symbols) -> Check<Context<'_>> {
        // SAFETY: a Node-API callback is running, so an isolate and a context are entered, and a
        // handle scope is open.
        let (isolate, context) = unsafe {
            let isolate = (symbols.current_isolate)();
            if isolate.is_null() {
                return Err("no isolate is entered".to_owned());
            }
            (isolate, symbols.context(isolate))
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

    /// A function whose body is a raw V8 callback, with a C function for optimised code, or null,
    /// which must be immortal. It cannot be constructed.
    pub fn function(&self, callback: *const c_void, fast: *const CFunction) -> Check<Value> {
        // SAFETY: the isolate is entered; what `fast` points to is immortal. The result is empty or a handle of the open scope.
        let function = unsafe {
            let template = self.symbols.template(self.isolate, callback, fast);
            if template.is_null() {
                return Err("V8 made no template".to_owned());
            }
            self.symbols.function(template, self.context)
        };
        if function.is_null() { Err("V8 made no function".to_owned()) } else { Ok(function.cast()) }
    }
}

/// The signature of a C function that optimised code calls with the receiver and values of the
/// given types. It is made by V8's own constructor and compared with what the release should make
/// of it. Immortal.
pub fn function_info(
    symbols: &Symbols,
    release: &Release,
    result: u8,
    parameters: &[u8],
) -> Check<*const c_void> {
    let stride = release.type_info;
    let count = 1 + parameters.len();
    let mut types = vec![0u8; (1 + count) * stride];
    (types[0], types[stride]) = (result, V8_VALUE);
    for (i, &parameter) in parameters.iter().enumerate() {
        types[(2 + i) * stride] = parameter;
    }
    let types: &'static [u8] = Box::leak(types.into_boxed_slice());
    let first = types[stride..].as_ptr();
    // Room for twice what a known release needs.
    let info: &'static mut [usize; 4] = Box::leak(Box::new([0; 4]));
    let this = info.as_mut_ptr().cast::<c_void>();
    // SAFETY: the constructor of this release, with a result type and parameter types that live as
    // long as what refers to them.
    let strides = unsafe {
        (symbols.new_function_info)(this, types.as_ptr(), count as u32, first, BIGINT);
        let at = |index| (symbols.argument_info)(this, index).addr();
        (at(0), at(1))
    };
    let bigint = release.representation.map_or(0, |at| usize::from(BIGINT) << (8 * at));
    let expected = (first.addr(), first.addr() + stride);
    let head = usize::from(result) | bigint | count << 32;
    // Padding is nobody's.
    let known =
        usize::MAX >> 32 << 32 | 0xff | release.representation.map_or(0, |at| 0xff << (8 * at));
    if strides != expected || info[0] & known != head || info[1..] != [expected.0, 0, 0] {
        return Err("v8::CFunctionInfo has another layout".to_owned());
    }
    Ok(this)
}
