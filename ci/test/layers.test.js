'use strict';
// The layer check must find what it forbids: each rule is broken once here.

const assert = require('node:assert/strict');
const test = require('node:test');
const { checkJs, checkRust } = require('../layers.js');

const rust = (file, source) => checkRust(file, source).map((problem) => problem.split(': ')[0]);

test('a row imports only from rows above it', () => {
  assert.deepEqual(rust('src/abi/x.rs', 'use crate::types::Type;\nuse crate::plan::Plan;'), [
    'src/abi/x.rs:2',
  ]);
  assert.deepEqual(rust('src/target/x.rs', 'use crate::types::Type;'), ['src/target/x.rs:1']);
  assert.deepEqual(rust('src/plan/x.rs', 'fn f() { crate::arch::emit() }'), ['src/plan/x.rs:1']);
  assert.deepEqual(rust('src/plan/mod.rs', 'use super::arch;'), ['src/plan/mod.rs:1']);
  assert.deepEqual(rust('src/plan/x.rs', 'use super::super::arch;'), ['src/plan/x.rs:1']);
  assert.deepEqual(rust('src/plan/x.rs', 'use super::arch;'), []);
  assert.deepEqual(rust('src/call/x.rs', 'use crate::{\n  abi::A,\n  node::{B, abi},\n};'), [
    'src/call/x.rs:3',
  ]);
  assert.deepEqual(rust('src/error.rs', 'use crate::types::Type;'), ['src/error.rs:1']);
  assert.deepEqual(rust('src/odd/mod.rs', ''), ['src/odd/mod.rs:1']);
});

test('what is allowed, and what only looks forbidden, passes', () => {
  const source = `
    //! [\`crate::node\`] and unsafe in a comment
    use crate::error::Result; /* unsafe */
    use crate::{error::Code, target::{Arch, Target}};
    fn f<'a>(x: &'a str) -> char { let _ = ("unsafe \\" crate::node", r#"unsafe"#); '"' }
    fn g() { if cfg!(test) { windows() } }
    #[cfg(test)] mod tests { use super::*; use super::super::target; }
  `;
  assert.deepEqual(checkRust('src/types/mod.rs', source), []);
  assert.deepEqual(checkRust('src/lib.rs', '#[cfg(feature = "node")] pub mod node;'), []);
  assert.deepEqual(checkRust('src/code/os.rs', '#[cfg(target_os = "linux")] unsafe fn f() {}'), []);
});

test('pure rows have no unsafe and no cfg on the target', () => {
  assert.deepEqual(rust('src/arch/x64.rs', 'fn f() {\n unsafe { g() }\n}'), ['src/arch/x64.rs:2']);
  assert.deepEqual(rust('src/abi/a.rs', '#[cfg(target_arch = "x86")]\nfn f() {}'), [
    'src/abi/a.rs:1',
  ]);
  assert.deepEqual(rust('src/abi/a.rs', 'if cfg!(windows) {}'), ['src/abi/a.rs:1']);
  assert.deepEqual(rust('src/abi/a.rs', '#[cfg(all(test, target_os = "linux"))]'), [
    'src/abi/a.rs:1',
  ]);
});

test('napi appears only in src/node/sys.rs', () => {
  assert.deepEqual(rust('src/call/x.rs', 'use napi::sys;'), ['src/call/x.rs:1']);
  assert.deepEqual(rust('src/node/x.rs', 'use napi::sys;'), ['src/node/x.rs:1']);
  assert.deepEqual(rust('src/node/sys.rs', 'pub use napi::sys::Status;'), []);
});

test('js/core stands alone, a dialect stands on it', () => {
  const lines = (file, source) => checkJs(file, source).map((problem) => problem.split(': ')[0]);
  assert.deepEqual(lines('js/core/a.js', "require('../ffi-rs/index.js');"), ['js/core/a.js:1']);
  assert.deepEqual(lines('js/core/a.js', "require('left-pad');"), ['js/core/a.js:1']);
  assert.deepEqual(lines('js/ffi-rs/a.js', "\nrequire('../koffi/b.js');"), ['js/ffi-rs/a.js:2']);
  assert.deepEqual(lines('js/ffi-rs/a.mjs', "import x from '../test/b.js';"), [
    'js/ffi-rs/a.mjs:1',
  ]);
  assert.deepEqual(lines('js/ffi-rs/a.js', "require('../core/b.js'); require('./c.js');"), []);
  assert.deepEqual(lines('js/core/a.js', "require('node:fs');\n// require('left-pad')"), []);
  assert.deepEqual(lines('js/core/packaged.js', "require('ffi-jit-linux-x64-gnu');"), []);
});
