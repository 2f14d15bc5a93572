'use strict';
// js/core/loader.js: which file it takes, and what it says when there is none. Each case is a copy
// of the loader in an empty folder, run in a process of its own.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { NODE } = require('./support/child');

const LOADER = path.join(__dirname, '../core/loader.js');
const { platform, arch } = process;

/** A folder with the loader where a package would have it, and files by name. */
function folder(t, files = {}) {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'ffi-jit-loader-'));
  t.after(() => fs.rmSync(root, { recursive: true }));
  const all = { 'js/core/loader.js': fs.readFileSync(LOADER, 'utf8'), ...files };
  for (const [name, content] of Object.entries(all)) {
    const file = path.join(root, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
  }
  return root;
}

/** Runs an expression with the loader's exports, or its error, as `got`, after `prelude`. */
function evaluate(root, expression, { env = {}, prelude = '' } = {}) {
  const program = `
    ${prelude}
    let got;
    try { got = require('./js/core/loader.js'); } catch (error) { got = error; }
    console.log(JSON.stringify(${expression}));`;
  const clean = { ...process.env, FFI_JIT_NATIVE_PATH: '', ...env };
  const options = { cwd: root, env: clean, encoding: 'utf8' };
  return JSON.parse(execFileSync(NODE, ['-e', program], options));
}

/** A package that stands for the addon of a platform. */
const standIn = (name) => ({
  [`node_modules/${name}/index.js`]: `exports.name = ${JSON.stringify(name)};`,
});

/** What makes the process look like one of another platform. */
const pretend = (what) => `
  for (const [key, value] of Object.entries(${JSON.stringify(what)})) {
    Object.defineProperty(process, key, { value });
  }`;

/** What makes process.report name a C library: '' is none, as on musl. */
const glibc = (version) => `
  Object.defineProperty(process, 'report', {
    value: { getReport: () => ({ header: { glibcVersionRuntime: '${version}' || undefined } }) },
  });`;

test('without an addon, the error lists what was tried, how to mend it, and its causes', (t) => {
  const [code, message, causes] = evaluate(
    folder(t),
    '[got.code, got.message, [got.cause.code, got.cause.cause.message]]',
  );
  assert.equal(code, 'ERR_FFI_ADDON_LOAD');
  assert.match(message, new RegExp(`prebuilds.${platform}-${arch}.ffi-jit\\.node: there is no`));
  assert.match(message, new RegExp(`ffi-jit-${platform}-${arch}[\\w-]*: Cannot find module`));
  assert.match(message, /npm run build/);
  assert.match(message, /optional dependency/);
  assert.deepEqual(causes, ['MODULE_NOT_FOUND', 'there is no such file']);
});

test('FFI_JIT_NATIVE_PATH names the only file that is tried', (t) => {
  const root = folder(t, standIn('ffi-jit-linux-x64-gnu'));
  const env = { FFI_JIT_NATIVE_PATH: 'missing.node' };
  const message = evaluate(root, 'got.message', { env });
  assert.match(message, /FFI_JIT_NATIVE_PATH=missing\.node: Cannot find module/);
  assert.match(message, /unset FFI_JIT_NATIVE_PATH/);
  assert.doesNotMatch(message, /prebuilds/);

  const working = folder(t, { 'my.js': 'exports.mine = true;' });
  const mine = { env: { FFI_JIT_NATIVE_PATH: 'my.js' } };
  assert.equal(evaluate(working, 'got.native.mine', mine), true);
});

test('a local build that does not load is reported, and the package is taken', (t) => {
  const local = { 'prebuilds/linux-x64/ffi-jit.node': 'not a library' };
  const name = 'ffi-jit-linux-x64-gnu';
  const prelude = pretend({ platform: 'linux', arch: 'x64' }) + glibc('2.36');
  const both = folder(t, { ...local, ...standIn(name) });
  assert.equal(evaluate(both, 'got.path', { prelude }), name);
  const message = evaluate(folder(t, local), 'got.message', { prelude });
  assert.match(message, /linux-x64.ffi-jit\.node: .+\n {2}- ffi-jit-linux-x64-gnu: Cannot find/);
});

test('the package is that of the platform and its C library', (t) => {
  const cases = [
    ['ffi-jit-linux-arm64-gnu', { platform: 'linux', arch: 'arm64' }, glibc('2.36')],
    ['ffi-jit-linux-x64-gnu', { platform: 'linux', arch: 'x64' }, glibc('2.17')],
    ['ffi-jit-darwin-arm64', { platform: 'darwin', arch: 'arm64' }, ''],
    ['ffi-jit-win32-x64-msvc', { platform: 'win32', arch: 'x64' }, ''],
  ];
  for (const [name, what, report] of cases) {
    const prelude = pretend(what) + report;
    const root = folder(t, standIn(name));
    assert.equal(evaluate(root, 'got.native?.name', { prelude }), name);
  }
  const unknown = pretend({ platform: 'sunos', arch: 'sparc' });
  const message = evaluate(folder(t), 'got.message', { prelude: unknown });
  assert.match(message, /no package exists for sunos-sparc/);
});

test('musl is told by its loader file when the report names no glibc', (t) => {
  const root = folder(t, standIn('ffi-jit-linux-x64-musl'));
  const prelude = `
    ${pretend({ platform: 'linux', arch: 'x64' })}
    ${glibc('')}
    const fs = require('node:fs');
    const { existsSync } = fs;
    fs.existsSync = (file) => file === '/lib/ld-musl-x86_64.so.1' || existsSync(file);`;
  assert.equal(evaluate(root, 'got.native?.name', { prelude }), 'ffi-jit-linux-x64-musl');
});

test('the report is not asked for when there is a local build', (t) => {
  const local = `prebuilds/${platform}-${arch}/ffi-jit.node`;
  const root = folder(t, { [local]: '' });
  const prelude = `
    require.extensions['.node'] = (module) => { module.exports = { local: true }; };
    Object.defineProperty(process, 'report', { get() { throw new Error('asked'); } });`;
  assert.equal(evaluate(root, 'got.native.local', { prelude }), true);
});
