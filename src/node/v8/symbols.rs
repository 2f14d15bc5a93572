//! V8's own functions, found in the running program. They are C++ methods: `Local<T>` is one
//! pointer that travels in a register (Itanium C++ ABI, trivially copyable class).

use super::layout::Release;
use std::ffi::{CStr, c_void};
use std::mem;

/// A C++ pointer that is only passed on.
pub type Opaque = *mut c_void;
/// `v8::Local` or `v8::MaybeLocal`; null is empty. It is a `napi_value` as well.
pub type Local = *mut c_void;

/// `v8::CFunction`.
#[repr(C)]
pub struct CFunction {
    /// The machine code.
    pub address: *const c_void,
    /// Its signature, a `v8::CFunctionInfo`.
    pub info: *const c_void,
}

// SAFETY: both point to immortal data that nothing writes.
unsafe impl Send for CFunction {}
// SAFETY: as above.
unsafe impl Sync for CFunction {}

/// `Local<FunctionTemplate> FunctionTemplate::New(Isolate*, FunctionCallback, Local<Value> data,
/// Local<Signature>, int length, ConstructorBehavior, SideEffectType, const CFunction*,
/// uint16_t instance_type, uint16_t range_start, uint16_t range_end)`.
type NewTemplate = unsafe extern "C" fn(
    Opaque,
    *const c_void,
    Local,
    Local,
    i32,
    i32,
    i32,
    *const CFunction,
    u16,
    u16,
    u16,
) -> Local;

/// The symbols that every known release has.
pub struct Symbols {
    /// `FunctionTemplate::New`.
    pub new_template: NewTemplate,
    /// `MaybeLocal<Function> FunctionTemplate::GetFunction(Local<Context>)`.
    pub get_function: unsafe extern "C" fn(Local, Local) -> Local,
    /// `Isolate* Isolate::TryGetCurrent()`.
    pub current_isolate: unsafe extern "C" fn() -> Opaque,
    /// `bool Isolate::IsExecutionTerminating()`.
    pub is_terminating: unsafe extern "C" fn(Opaque) -> bool,
    /// `Local<Context> Isolate::GetCurrentContext()`.
    pub current_context: unsafe extern "C" fn(Opaque) -> Local,
    /// `const CTypeInfo& CFunctionInfo::ArgumentInfo(unsigned) const`.
    pub argument_info: unsafe extern "C" fn(*const c_void, u32) -> *const c_void,
    /// The constructor of `CFunctionInfo`: `(this, const CTypeInfo& result, unsigned count, const
    /// CTypeInfo*, Int64Representation)`; earlier releases have no last parameter, and ignore it.
    pub new_function_info: unsafe extern "C" fn(*mut c_void, *const u8, u32, *const u8, u8),
}

const NEW_TEMPLATE: &CStr = c"_ZN2v816FunctionTemplate3NewEPNS_7IsolateEPFvRKNS_20FunctionCallbackInfoINS_5ValueEEEENS_5LocalIS4_EENSA_INS_9SignatureEEEiNS_19ConstructorBehaviorENS_14SideEffectTypeEPKNS_9CFunctionEttt";
const GET_FUNCTION: &CStr = c"_ZN2v816FunctionTemplate11GetFunctionENS_5LocalINS_7ContextEEE";
const CURRENT_ISOLATE: &CStr = c"_ZN2v87Isolate13TryGetCurrentEv";
const IS_TERMINATING: &CStr = c"_ZN2v87Isolate22IsExecutionTerminatingEv";
const CURRENT_CONTEXT: &CStr = c"_ZN2v87Isolate17GetCurrentContextEv";
const ARGUMENT_INFO: &CStr = c"_ZNK2v813CFunctionInfo12ArgumentInfoEj";
const FUNCTION_INFO: &CStr = c"_ZN2v813CFunctionInfoC1ERKNS_9CTypeInfoEjPS2_";
const FUNCTION_INFO_INT64: &CStr =
    c"_ZN2v813CFunctionInfoC1ERKNS_9CTypeInfoEjPS2_NS0_19Int64RepresentationE";

impl Symbols {
    /// Looks all of them up; the error says which one is missing.
    pub fn find(release: &Release) -> Result<Symbols, String> {
        Self::look_up_all(release).map_err(missing)
    }

    fn look_up_all(release: &Release) -> Result<Symbols, &'static CStr> {
        let function_info =
            if release.representation.is_some() { FUNCTION_INFO_INT64 } else { FUNCTION_INFO };
        // SAFETY: the name of each symbol encodes the types of its parameters, and the results
        // are those that V8's headers of these releases declare.
        unsafe {
            Ok(Symbols {
                new_template: mem::transmute::<*mut c_void, NewTemplate>(look_up(NEW_TEMPLATE)?),
                get_function: mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(Local, Local) -> Local,
                >(look_up(GET_FUNCTION)?),
                current_isolate: mem::transmute::<*mut c_void, unsafe extern "C" fn() -> Opaque>(
                    look_up(CURRENT_ISOLATE)?,
                ),
                is_terminating: mem::transmute::<*mut c_void, unsafe extern "C" fn(Opaque) -> bool>(
                    look_up(IS_TERMINATING)?,
                ),
                current_context: mem::transmute::<*mut c_void, unsafe extern "C" fn(Opaque) -> Local>(
                    look_up(CURRENT_CONTEXT)?,
                ),
                argument_info: mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(*const c_void, u32) -> *const c_void,
                >(look_up(ARGUMENT_INFO)?),
                new_function_info: mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(*mut c_void, *const u8, u32, *const u8, u8),
                >(look_up(function_info)?),
            })
        }
    }
}

/// What tells how Externals are made.
pub struct ExternalSymbols {
    /// `Local<External> External::New(Isolate*, void*)`; later releases have a tag behind it.
    pub new: unsafe extern "C" fn(Opaque, *mut c_void, u16) -> Local,
    /// `void* External::Value() const`; later releases have a tag behind it.
    pub value: unsafe extern "C" fn(Local, u16) -> *mut c_void,
}

impl ExternalSymbols {
    /// Looks them up; the error says which one is missing.
    pub fn find(release: &Release) -> Result<ExternalSymbols, String> {
        Self::look_up_all(release).map_err(missing)
    }

    fn look_up_all(release: &Release) -> Result<ExternalSymbols, &'static CStr> {
        let (new, value) = if release.tagged_externals {
            (c"_ZN2v88External3NewEPNS_7IsolateEPvt", c"_ZNK2v88External5ValueEt")
        } else {
            (c"_ZN2v88External3NewEPNS_7IsolateEPv", c"_ZNK2v88External5ValueEv")
        };
        // SAFETY: as in `Symbols::find`; a parameter too many, in a register, is not looked at.
        unsafe {
            Ok(ExternalSymbols {
                new: mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(Opaque, *mut c_void, u16) -> Local,
                >(look_up(new)?),
                value: mem::transmute::<*mut c_void, unsafe extern "C" fn(Local, u16) -> *mut c_void>(
                    look_up(value)?,
                ),
            })
        }
    }
}

/// What opens and closes handle scopes.
#[derive(Clone, Copy)]
pub struct ScopeSymbols {
    /// The constructor of `HandleScope`: `(this, Isolate*)`.
    pub open: unsafe extern "C" fn(*mut c_void, Opaque),
    /// Its destructor.
    pub close: unsafe extern "C" fn(*mut c_void),
}

impl ScopeSymbols {
    /// Looks them up; the error names the one that is missing.
    pub fn find() -> Result<ScopeSymbols, &'static CStr> {
        let open = look_up(c"_ZN2v811HandleScopeC1EPNS_7IsolateE")?;
        let close = look_up(c"_ZN2v811HandleScopeD1Ev")?;
        // SAFETY: as in `Symbols::find`; constructors and destructors get `this` first, and return
        // nothing (Itanium C++ ABI, section 3.1.5).
        unsafe {
            Ok(ScopeSymbols {
                open: mem::transmute::<*mut c_void, unsafe extern "C" fn(*mut c_void, Opaque)>(
                    open,
                ),
                close: mem::transmute::<*mut c_void, unsafe extern "C" fn(*mut c_void)>(close),
            })
        }
    }
}

fn missing(name: &CStr) -> String {
    format!("no symbol {}", name.to_string_lossy())
}

fn look_up(name: &'static CStr) -> Result<*mut c_void, &'static CStr> {
    // SAFETY: a look-up in what is loaded already runs no code of it.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    if address.is_null() { Err(name) } else { Ok(address) }
}
