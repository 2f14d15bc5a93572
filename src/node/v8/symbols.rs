//! V8's own functions, found in the running program. They are C++ methods, whose names and results
//! differ by the C++ ABI:
//!
//! - Itanium C++ ABI: `Local<T>` is one pointer that travels in a register (a trivially copyable class).
//! - Microsoft's: it is passed in a register, but returned through a hidden pointer, because it has
//!   constructors. That pointer is the first argument, behind `this` where there is one.

use super::layout::Release;
use std::ffi::{CStr, c_void};
use std::mem;
use std::ptr;

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

/// Defines functions that call one of V8's which returns a `Local`, by its address. What stands before
/// the semicolon is `this`.
macro_rules! returning_local {
    ($($(#[$doc:meta])* fn $name:ident($($this:ident: $class:ty)?; $($arg:ident: $type:ty),*);)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// `address` must be that function's; the rest is as V8 says.
        #[allow(clippy::too_many_arguments)]
        unsafe fn $name(address: *mut c_void, $($this: $class,)? $($arg: $type),*) -> Local {
            #[cfg(not(windows))]
            // SAFETY: the caller's promise.
            unsafe {
                type Method = unsafe extern "C" fn($($class,)? $($type),*) -> Local;
                let method = mem::transmute::<*mut c_void, Method>(address);
                method($($this,)? $($arg),*)
            }
            #[cfg(windows)]
            // SAFETY: as above; the function writes its result, which outlives the call.
            unsafe {
                type Method = unsafe extern "C" fn($($class,)? *mut Local, $($type),*) -> *mut Local;
                let method = mem::transmute::<*mut c_void, Method>(address);
                let mut made: Local = ptr::null_mut();
                method($($this,)? &raw mut made, $($arg),*);
                made
            }
        }
    )*};
}

returning_local! {
    /// `static Local<FunctionTemplate> FunctionTemplate::New(Isolate*, FunctionCallback, Local<Value>
    /// data, Local<Signature>, int length, ConstructorBehavior, SideEffectType, const CFunction*,
    /// uint16_t instance_type, uint16_t range_start, uint16_t range_end)`.
    fn new_template(;
        isolate: Opaque, callback: *const c_void, data: Local, signature: Local, length: i32,
        construct: i32, effects: i32, fast: *const CFunction, instance_type: u16,
        range_start: u16, range_end: u16
    );
    /// `MaybeLocal<Function> FunctionTemplate::GetFunction(Local<Context>)`.
    fn get_function(this: Local; context: Local);
    /// `Local<Context> Isolate::GetCurrentContext()`.
    fn get_current_context(this: Opaque;);
    /// `static Local<External> External::New(Isolate*, void*)`; later releases have a tag behind it,
    /// and the others do not look at one.
    fn new_external(; isolate: Opaque, value: *mut c_void, tag: u16);
    /// `MaybeLocal<Value> Function::Call(Local<Context>, Local<Value> receiver, int count,
    /// Local<Value> arguments[])`.
    fn call_function(
        this: Local; context: Local, receiver: Local, count: i32, arguments: *const Local
    );
    /// `Local<Value> TryCatch::Exception() const`.
    fn caught_exception(this: *const c_void;);
}

/// The symbols that every known release has.
pub struct Symbols {
    new_template: *mut c_void,
    get_function: *mut c_void,
    current_context: *mut c_void,
    /// `Isolate* Isolate::TryGetCurrent()`.
    pub current_isolate: unsafe extern "C" fn() -> Opaque,
    /// `bool Isolate::IsExecutionTerminating()`.
    pub is_terminating: unsafe extern "C" fn(Opaque) -> bool,
    /// `const CTypeInfo& CFunctionInfo::ArgumentInfo(unsigned) const`.
    pub argument_info: unsafe extern "C" fn(*const c_void, u32) -> *const c_void,
    /// The constructor of `CFunctionInfo`: `(this, const CTypeInfo& result, unsigned count, const
    /// CTypeInfo*, Int64Representation)`; earlier releases have no last parameter, and ignore it.
    pub new_function_info: unsafe extern "C" fn(*mut c_void, *const u8, u32, *const u8, u8),
}

/// A function's name in the C++ ABI of this platform.
const fn name(itanium: &'static CStr, microsoft: &'static CStr) -> &'static CStr {
    if cfg!(windows) { microsoft } else { itanium }
}

const NEW_TEMPLATE: &CStr = name(
    c"_ZN2v816FunctionTemplate3NewEPNS_7IsolateEPFvRKNS_20FunctionCallbackInfoINS_5ValueEEEENS_5LocalIS4_EENSA_INS_9SignatureEEEiNS_19ConstructorBehaviorENS_14SideEffectTypeEPKNS_9CFunctionEttt",
    c"?New@FunctionTemplate@v8@@SA?AV?$Local@VFunctionTemplate@v8@@@2@PEAVIsolate@2@P6AXAEBV?$FunctionCallbackInfo@VValue@v8@@@2@@ZV?$Local@VValue@v8@@@2@V?$Local@VSignature@v8@@@2@HW4ConstructorBehavior@2@W4SideEffectType@2@PEBVCFunction@2@GGG@Z",
);
const GET_FUNCTION: &CStr = name(
    c"_ZN2v816FunctionTemplate11GetFunctionENS_5LocalINS_7ContextEEE",
    c"?GetFunction@FunctionTemplate@v8@@QEAA?AV?$MaybeLocal@VFunction@v8@@@2@V?$Local@VContext@v8@@@2@@Z",
);
const CURRENT_ISOLATE: &CStr =
    name(c"_ZN2v87Isolate13TryGetCurrentEv", c"?TryGetCurrent@Isolate@v8@@SAPEAV12@XZ");
const IS_TERMINATING: &CStr = name(
    c"_ZN2v87Isolate22IsExecutionTerminatingEv",
    c"?IsExecutionTerminating@Isolate@v8@@QEAA_NXZ",
);
const CURRENT_CONTEXT: &CStr = name(
    c"_ZN2v87Isolate17GetCurrentContextEv",
    c"?GetCurrentContext@Isolate@v8@@QEAA?AV?$Local@VContext@v8@@@2@XZ",
);
const ARGUMENT_INFO: &CStr = name(
    c"_ZNK2v813CFunctionInfo12ArgumentInfoEj",
    c"?ArgumentInfo@CFunctionInfo@v8@@QEBAAEBVCTypeInfo@2@I@Z",
);
const FUNCTION_INFO: &CStr = name(
    c"_ZN2v813CFunctionInfoC1ERKNS_9CTypeInfoEjPS2_",
    c"??0CFunctionInfo@v8@@QEAA@AEBVCTypeInfo@1@IPEBV21@@Z",
);
const FUNCTION_INFO_INT64: &CStr = name(
    c"_ZN2v813CFunctionInfoC1ERKNS_9CTypeInfoEjPS2_NS0_19Int64RepresentationE",
    c"??0CFunctionInfo@v8@@QEAA@AEBVCTypeInfo@1@IPEBV21@W4Int64Representation@01@@Z",
);
const NEW_EXTERNAL: &CStr = name(
    c"_ZN2v88External3NewEPNS_7IsolateEPv",
    c"?New@External@v8@@SA?AV?$Local@VExternal@v8@@@2@PEAVIsolate@2@PEAX@Z",
);
const NEW_TAGGED_EXTERNAL: &CStr = name(
    c"_ZN2v88External3NewEPNS_7IsolateEPvt",
    c"?New@External@v8@@SA?AV?$Local@VExternal@v8@@@2@PEAVIsolate@2@PEAXG@Z",
);
const EXTERNAL_VALUE: &CStr = name(c"_ZNK2v88External5ValueEv", c"?Value@External@v8@@QEBAPEAXXZ");
const TAGGED_EXTERNAL_VALUE: &CStr =
    name(c"_ZNK2v88External5ValueEt", c"?Value@External@v8@@QEBAPEAXG@Z");

const CALL: &CStr = name(
    c"_ZN2v88Function4CallENS_5LocalINS_7ContextEEENS1_INS_5ValueEEEiPS5_",
    c"?Call@Function@v8@@QEAA?AV?$MaybeLocal@VValue@v8@@@2@V?$Local@VContext@v8@@@2@V?$Local@VValue@v8@@@2@HQEAV52@@Z",
);
const OPEN_CATCH: &CStr =
    name(c"_ZN2v88TryCatchC1EPNS_7IsolateE", c"??0TryCatch@v8@@QEAA@PEAVIsolate@1@@Z");
const CLOSE_CATCH: &CStr = name(c"_ZN2v88TryCatchD1Ev", c"??1TryCatch@v8@@QEAA@XZ");
const HAS_TERMINATED: &CStr =
    name(c"_ZNK2v88TryCatch13HasTerminatedEv", c"?HasTerminated@TryCatch@v8@@QEBA_NXZ");
const EXCEPTION: &CStr = name(
    c"_ZNK2v88TryCatch9ExceptionEv",
    c"?Exception@TryCatch@v8@@QEBA?AV?$Local@VValue@v8@@@2@XZ",
);
/// Of the object itself, from V8 12 on.
const GLOBALIZE: &CStr = name(
    c"_ZN2v812api_internal18GlobalizeReferenceEPNS_8internal7IsolateEm",
    c"?GlobalizeReference@api_internal@v8@@YAPEA_KPEAVIsolate@internal@2@_K@Z",
);
/// Of what a handle points to.
const GLOBALIZE_AT: &CStr = name(
    c"_ZN2v812api_internal18GlobalizeReferenceEPNS_8internal7IsolateEPm",
    c"?GlobalizeReference@api_internal@v8@@YAPEA_KPEAVIsolate@internal@2@PEA_K@Z",
);
const DISPOSE_GLOBAL: &CStr =
    name(c"_ZN2v812api_internal13DisposeGlobalEPm", c"?DisposeGlobal@api_internal@v8@@YAXPEA_K@Z");

const OPEN_SCOPE: &CStr =
    name(c"_ZN2v811HandleScopeC1EPNS_7IsolateE", c"??0HandleScope@v8@@QEAA@PEAVIsolate@1@@Z");
const DELETE_EXTENSIONS: &CStr = name(
    c"_ZN2v811HandleScope16DeleteExtensionsEPNS_7IsolateE",
    c"?DeleteExtensions@HandleScope@v8@@AEAAXPEAVIsolate@2@@Z",
);
const CLOSE_SCOPE: &CStr = name(c"_ZN2v811HandleScopeD1Ev", c"??1HandleScope@v8@@QEAA@XZ");

impl Symbols {
    /// Looks all of them up; the error says which one is missing.
    pub fn find(release: &Release) -> Result<Symbols, String> {
        let program = Program::running()?;
        let function_info =
            if release.representation.is_some() { FUNCTION_INFO_INT64 } else { FUNCTION_INFO };
        // SAFETY: the name of each symbol encodes the types of its parameters, and the results
        // are those that V8's headers of these releases declare.
        unsafe {
            Ok(Symbols {
                new_template: program.look_up(NEW_TEMPLATE)?,
                get_function: program.look_up(GET_FUNCTION)?,
                current_context: program.look_up(CURRENT_CONTEXT)?,
                current_isolate: mem::transmute::<*mut c_void, unsafe extern "C" fn() -> Opaque>(
                    program.look_up(CURRENT_ISOLATE)?,
                ),
                is_terminating: mem::transmute::<*mut c_void, unsafe extern "C" fn(Opaque) -> bool>(
                    program.look_up(IS_TERMINATING)?,
                ),
                argument_info: mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(*const c_void, u32) -> *const c_void,
                >(program.look_up(ARGUMENT_INFO)?),
                new_function_info: mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(*mut c_void, *const u8, u32, *const u8, u8),
                >(program.look_up(function_info)?),
            })
        }
    }

    /// A template of functions whose body is `callback`, with a C function for optimised code, or null.
    ///
    /// # Safety
    /// The isolate must be entered, and a handle scope open; what `fast` points to is immortal.
    pub unsafe fn template(
        &self,
        isolate: Opaque,
        callback: *const c_void,
        fast: *const CFunction,
    ) -> Local {
        const THROWS_WHEN_CONSTRUCTED: i32 = 0;
        const HAS_SIDE_EFFECTS: i32 = 0;
        let (behaviour, effects) = (THROWS_WHEN_CONSTRUCTED, HAS_SIDE_EFFECTS);
        // Empty handles.
        let none = ptr::null_mut();
        let address = self.new_template;
        // SAFETY: the caller's promise; empty handles are allowed for data and signature.
        unsafe {
            new_template(
                address, isolate, callback, none, none, 1, behaviour, effects, fast, 0, 0, 0,
            )
        }
    }

    /// The function of a template in a context, or an empty handle.
    ///
    /// # Safety
    /// Both must be live handles.
    pub unsafe fn function(&self, template: Local, context: Local) -> Local {
        // SAFETY: the caller's promise.
        unsafe { get_function(self.get_function, template, context) }
    }

    /// The running context.
    ///
    /// # Safety
    /// The isolate must be entered, and a handle scope open.
    pub unsafe fn context(&self, isolate: Opaque) -> Local {
        // SAFETY: the caller's promise.
        unsafe { get_current_context(self.current_context, isolate) }
    }
}

/// What tells how Externals are made.
pub struct ExternalSymbols {
    new: *mut c_void,
    /// `void* External::Value() const`; later releases have a tag behind it.
    pub value: unsafe extern "C" fn(Local, u16) -> *mut c_void,
}

impl ExternalSymbols {
    /// Looks them up; the error says which one is missing.
    pub fn find(release: &Release) -> Result<ExternalSymbols, String> {
        let (new, value) = if release.tagged_externals {
            (NEW_TAGGED_EXTERNAL, TAGGED_EXTERNAL_VALUE)
        } else {
            (NEW_EXTERNAL, EXTERNAL_VALUE)
        };
        let program = Program::running()?;
        // SAFETY: as in `Symbols::find`; a parameter too many, in a register, is not looked at.
        unsafe {
            Ok(ExternalSymbols {
                new: program.look_up(new)?,
                value: mem::transmute::<*mut c_void, unsafe extern "C" fn(Local, u16) -> *mut c_void>(
                    program.look_up(value)?,
                ),
            })
        }
    }

    /// A new External that holds a pointer.
    ///
    /// # Safety
    /// The isolate must be entered, and a handle scope open.
    pub unsafe fn make(&self, isolate: Opaque, value: *mut c_void) -> Local {
        // SAFETY: the caller's promise.
        unsafe { new_external(self.new, isolate, value, 0) }
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
    /// Looks them up; the error says which one is missing.
    pub fn find() -> Result<ScopeSymbols, String> {
        let program = Program::running()?;
        let (open, close) = (program.look_up(OPEN_SCOPE)?, program.look_up(CLOSE_SCOPE)?);
        // SAFETY: as in `Symbols::find`; constructors and destructors get `this` first, and return
        // nothing (Itanium C++ ABI, section 3.1.5) or `this` (Microsoft's).
        unsafe {
            Ok(ScopeSymbols {
                open: mem::transmute::<*mut c_void, unsafe extern "C" fn(*mut c_void, Opaque)>(
                    open,
                ),
                close: mem::transmute::<*mut c_void, unsafe extern "C" fn(*mut c_void)>(close),
            })
        }
    }

    /// `void HandleScope::DeleteExtensions(Isolate*)`: `(this, Isolate*)`.
    pub fn delete_extensions() -> Result<unsafe extern "C" fn(*mut c_void, Opaque), String> {
        let found = Program::running()?.look_up(DELETE_EXTENSIONS)?;
        // SAFETY: as above.
        Ok(unsafe {
            mem::transmute::<*mut c_void, unsafe extern "C" fn(*mut c_void, Opaque)>(found)
        })
    }
}

/// What calls JavaScript, and tells what became of it.
pub struct CallSymbols {
    /// The constructor of `TryCatch`: `(this, Isolate*)`.
    pub open_catch: unsafe extern "C" fn(*mut c_void, Opaque),
    /// Its destructor.
    pub close_catch: unsafe extern "C" fn(*mut c_void),
    /// `bool TryCatch::HasTerminated() const`.
    pub has_terminated: unsafe extern "C" fn(*const c_void) -> bool,
    /// `void DisposeGlobal(Address*)`.
    pub dispose: unsafe extern "C" fn(Local),
    call: *mut c_void,
    exception: *mut c_void,
    current_context: *mut c_void,
    globalize: Globalize,
}

/// `Address* GlobalizeReference(Isolate*, ...)`, which takes an object or the handle of one.
#[derive(Clone, Copy)]
enum Globalize {
    Object(unsafe extern "C" fn(Opaque, usize) -> Local),
    Handle(unsafe extern "C" fn(Opaque, Local) -> Local),
}

impl CallSymbols {
    /// Looks them up; the error says which one is missing.
    pub fn find() -> Result<CallSymbols, String> {
        type Constructor = unsafe extern "C" fn(*mut c_void, Opaque);
        type Destructor = unsafe extern "C" fn(*mut c_void);
        type Query = unsafe extern "C" fn(*const c_void) -> bool;
        type Dispose = unsafe extern "C" fn(Local);
        type OfObject = unsafe extern "C" fn(Opaque, usize) -> Local;
        type OfHandle = unsafe extern "C" fn(Opaque, Local) -> Local;
        let program = Program::running()?;
        let [open, close] = [program.look_up(OPEN_CATCH)?, program.look_up(CLOSE_CATCH)?];
        let [query, dispose] = [program.look_up(HAS_TERMINATED)?, program.look_up(DISPOSE_GLOBAL)?];
        // SAFETY: as in `ScopeSymbols::find`.
        unsafe {
            let globalize = match program.look_up(GLOBALIZE) {
                Ok(found) => Globalize::Object(mem::transmute::<*mut c_void, OfObject>(found)),
                Err(_) => {
                    let found = program.look_up(GLOBALIZE_AT)?;
                    Globalize::Handle(mem::transmute::<*mut c_void, OfHandle>(found))
                }
            };
            Ok(CallSymbols {
                open_catch: mem::transmute::<*mut c_void, Constructor>(open),
                close_catch: mem::transmute::<*mut c_void, Destructor>(close),
                has_terminated: mem::transmute::<*mut c_void, Query>(query),
                dispose: mem::transmute::<*mut c_void, Dispose>(dispose),
                call: program.look_up(CALL)?,
                exception: program.look_up(EXCEPTION)?,
                current_context: program.look_up(CURRENT_CONTEXT)?,
                globalize,
            })
        }
    }

    /// Calls a function without arguments: its result; an empty handle when it has thrown or was ended.
    ///
    /// # Safety
    /// The handles are live, the isolate is entered, and a handle scope open.
    #[inline(always)]
    pub unsafe fn call(&self, function: Local, context: Local, receiver: Local) -> Local {
        // SAFETY: the caller's promise; no argument is read.
        unsafe { call_function(self.call, function, context, receiver, 0, ptr::null()) }
    }

    /// What a `TryCatch` has caught: an empty handle when that is nothing.
    ///
    /// # Safety
    /// It is open.
    pub unsafe fn exception(&self, catch: *const c_void) -> Local {
        // SAFETY: the caller's promise.
        unsafe { caught_exception(self.exception, catch) }
    }

    /// The running context.
    ///
    /// # Safety
    /// The isolate must be entered, and a handle scope open.
    pub unsafe fn context(&self, isolate: Opaque) -> Local {
        // SAFETY: the caller's promise.
        unsafe { get_current_context(self.current_context, isolate) }
    }

    /// A handle that lives until `dispose` gets it.
    ///
    /// # Safety
    /// The handle is live, and the isolate its.
    pub unsafe fn globalize(&self, isolate: Opaque, local: Local) -> Local {
        // SAFETY: the caller's promise. A handle is the address of a tagged word.
        unsafe {
            match self.globalize {
                Globalize::Object(make) => make(isolate, local.cast::<usize>().read()),
                Globalize::Handle(make) => make(isolate, local),
            }
        }
    }
}

/// The running program, which exports V8.
struct Program(#[cfg(windows)] libloading::os::windows::Library);

impl Program {
    #[cfg(not(windows))]
    fn running() -> Result<Program, String> {
        Ok(Program())
    }

    #[cfg(windows)]
    fn running() -> Result<Program, String> {
        let this = libloading::os::windows::Library::this();
        this.map(Program).map_err(|error| error.to_string())
    }

    /// The address of a function.
    fn look_up(&self, name: &'static CStr) -> Result<*mut c_void, String> {
        // SAFETY: a look-up in what is loaded already runs no code of it.
        #[cfg(not(windows))]
        let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        #[cfg(windows)]
        // SAFETY: only the address is taken; the program stays.
        let address = unsafe { self.0.get::<*mut c_void>(name.to_bytes_with_nul()) }
            .map_or(ptr::null_mut(), |symbol| *symbol);
        if address.is_null() {
            return Err(format!("no symbol {}", name.to_string_lossy()));
        }
        Ok(address)
    }
}
