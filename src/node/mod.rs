//! Row 6: Node-API. The only row that knows JavaScript values. It exports few, dull primitives;
//! what users see is made of them in `js/`.
//!
//! A call's data never passes through here: marshallers write it into frame memory, and `enter` is a
//! code slot that Node-API calls directly, in front of every function that `bind` makes. `v8` holds
//! the optional way past Node-API.

mod addresses;
mod callback;
mod cells;
mod enter;
mod env;
mod frame;
mod function;
mod heap;
mod libraries;
mod memory;
mod owned;
mod pool;
mod relay;
mod routines;
mod shared;
mod sys;
mod task;
mod text;
mod text_call;
mod transcode;
mod v8;
mod value;

use value::Scope;

/// The entry point that Node-API looks for.
///
/// # Safety
/// Called by a Node-API runtime with a live environment and its exports object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn napi_register_module_v1(
    env: sys::napi_env,
    exports: sys::napi_value,
) -> sys::napi_value {
    // SAFETY: the runtime that called us has Node-API.
    unsafe {
        sys::setup();
    }
    let scope = Scope::new(env);
    value::guard(scope, &mut || env::register(scope, exports).map(|()| exports))
}

/// Node-API version that this addon asks for (Node 18 and later have it).
#[unsafe(no_mangle)]
pub extern "C" fn node_api_module_get_api_version_v1() -> i32 {
    8
}
