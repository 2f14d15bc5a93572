'use strict';
// env: FFI_JIT_TIER=node-api
// The system's unwinder walks through trampolines: what C++ exceptions, backtraces, debuggers and
// the end of threads need. (On the packed tier a trampoline is called from V8's own code, where
// unwinders end anyway.)

const assert = require('node:assert/strict');
const path = require('node:path');
const test = require('node:test');
const { ffi, call } = require('./support/ffi');
const { fixturePath } = require('./support/native');
const { path: addon } = require('../core/loader.js');

const { DataType: D } = ffi;
const SIZE = 16384;

/** Files of the frames from a C function on, or undefined where there is no unwinder. */
async function trace(options) {
  const text = Buffer.alloc(SIZE);
  const types = [D.U8Array, D.I32];
  const count = await call('trace_files', D.I32, types, [text, SIZE], options);
  return count < 0 ? undefined : text.toString('latin1').split('\n').slice(0, count);
}

const options =
  process.platform === 'win32' ? { skip: 'unwinders of Windows read its own tables' } : {};

/** How the frames must begin: C code of the fixture, then a trampoline, which is no file's. */
function behindTrampoline(files) {
  const fixture = path.basename(fixturePath());
  const own = files.findIndex((file) => path.basename(file) !== fixture);
  assert.ok(own > 0, `no frame of the fixture in ${files}`);
  assert.equal(files[own], '?', `no trampoline in ${files}`);
  return files.slice(own + 1);
}

for (const [name, more, wanted] of [
  ['on the main thread, up to Node', {}, (file) => /node/.test(path.basename(file))],
  ['on another thread, to its start', { runInNewThread: true }, (file) => file === addon],
]) {
  test(`a backtrace goes through a trampoline ${name}`, options, async (t) => {
    const files = await trace(more);
    if (!files) return t.skip('this program has no unwinder');
    if (process.arch === 'arm') {
      // Generated code cannot be announced there (docs/platforms.md): it ends, and nothing crashes.
      assert.equal(path.basename(files[0]), path.basename(fixturePath()));
      return undefined;
    }
    const rest = behindTrampoline(files);
    assert.ok(rest.length >= 2 && wanted(rest[0]), `behind the trampoline: ${rest}`);
    return undefined;
  });
}
