'use strict';
// The published form of the sources: modules joined into files (ci/lib/packages/joined.js), without
// what only people need (shortened.js).

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { JOINED, joinModules } = require('../../lib/packages/joined.js');
const { shortened } = require('../../lib/packages/shortened.js');
const { addon, root } = require('../../lib/paths.js');
const { record } = require('../../../js/test/parity/record.js');

const SKIP = !fs.existsSync(addon) && 'there is no addon: npm run build';

/** A folder with the package's sources, joined, and the addon's place. */
function joinedTree(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ffi-jit-joined-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  for (const name of ['core', 'ffi-rs', 'koffi']) {
    fs.cpSync(path.join(root, 'js', name), path.join(folder, 'js', name), { recursive: true });
  }
  joinModules(path.join(folder, 'js'));
  fs.symlinkSync(path.join(root, 'prebuilds'), path.join(folder, 'prebuilds'), 'junction');
  return folder;
}

/** What a program prints in a folder. */
function run(folder, program) {
  const env = { ...process.env, FFI_JIT_NATIVE_PATH: '', FFI_JIT_TIER: '' };
  return execFileSync(process.execPath, ['-e', program], { cwd: folder, env, encoding: 'utf8' });
}

/** Modules that a program loads, below js/. */
const loaded = (folder, program) =>
  JSON.parse(
    run(
      folder,
      `${program};
       const own = Object.keys(require.cache).map((file) => file.replaceAll('\\\\', '/'));
       console.log(JSON.stringify(own.map((file) => file.split('/js/')[1])));`,
    ),
  ).sort();

test('each module is published once, and what is required is there', (t) => {
  const js = path.join(joinedTree(t), 'js');
  const modules = Object.values(JOINED).flat();
  assert.equal(new Set(modules).size, modules.length);
  for (const module of modules) assert.equal(fs.existsSync(path.join(js, module)), false, module);
  let checked = 0;
  for (const name of fs.readdirSync(js, { recursive: true })) {
    if (!/\.m?js$/.test(name)) continue;
    const file = path.join(js, name);
    const text = fs.readFileSync(file, 'utf8');
    const required = /require\('(\.[^']+)'\)(?:\.get\('([^']+)'\))?/g;
    for (const [, target, joined] of text.matchAll(required)) {
      const found = path.join(path.dirname(file), target);
      assert.ok(fs.existsSync(found), `${name} requires ${target}`);
      const home = path.relative(js, found).replaceAll('\\', '/');
      if (joined !== undefined) assert.ok(JOINED[home].includes(joined), `${name}: ${joined}`);
      else assert.equal(JOINED[home], undefined, `${name} requires ${target} as a module`);
      checked++;
    }
    for (const [, own] of text.matchAll(/[^.]get\('([\w/-]+\.js)'\)/g)) {
      assert.ok(JOINED[name.replaceAll('\\', '/')].includes(own), `${name}: ${own}`);
      checked++;
    }
  }
  assert.ok(checked > 100, String(checked));
});

const FIRST_CALL = `
  const { DataType: { I32 }, define, open } = require('./js/ffi-rs/index.js');
  open({ library: 'c', path: process.platform === 'win32' ? 'ucrtbase.dll' : '' });
  const { abs } = define({ abs: { library: 'c', retType: I32, paramsType: [I32] } });
  require('node:assert').equal(abs([-7]), 7);`;

const FIRST_CALL_OF_KOFFI = `
  const koffi = require('./js/koffi/index.js');
  const c = koffi.load(process.platform === 'win32' ? 'ucrtbase.dll' : null);
  require('node:assert').equal(c.func('int abs(int)')(-8), 8);`;

test('a first call loads what is joined, and no more', { skip: SKIP }, (t) => {
  const folder = joinedTree(t);
  const core = ['core/calls.js', 'core/loader.js'];
  assert.deepEqual(loaded(folder, FIRST_CALL), [...core, 'ffi-rs/calls.js', 'ffi-rs/index.js']);
  const koffi = ['koffi/calls.js', 'koffi/index.js'];
  assert.deepEqual(loaded(folder, FIRST_CALL_OF_KOFFI), [...core, ...koffi]);
});

test('both APIs work on one core', { skip: SKIP }, (t) => {
  const folder = joinedTree(t);
  const smoke = path.join(folder, 'js/test/smoke.js');
  fs.mkdirSync(path.dirname(smoke));
  fs.copyFileSync(path.join(root, 'js/test/smoke.js'), smoke);
  assert.match(run(folder, "require('./js/test/smoke.js')"), /\b0 failed/);
  const both = loaded(folder, `{${FIRST_CALL}} {${FIRST_CALL_OF_KOFFI}}`);
  assert.equal(both.filter((file) => file.startsWith('core/')).length, 2);
});

test('both forms answer every case of the parity suites alike', { skip: SKIP }, async (t) => {
  const folder = joinedTree(t);
  for (const [api, least] of Object.entries({ 'ffi-rs': 900, koffi: 3000 })) {
    const published = await record(path.join(folder, 'js', api), api);
    const sources = await record(path.join(root, 'js', api), api);
    assert.ok(Object.keys(sources).length > least, api);
    assert.deepEqual(published, sources);
  }
});

/** What shows of a value and what it leads to: classes, and names and lengths of functions. */
function shown(value, place, found, seen = new Set()) {
  const isObject = typeof value === 'object' || typeof value === 'function';
  if (!isObject || value === null || seen.has(value)) return found;
  seen.add(value);
  const own = typeof value === 'function' ? `${value.name}/${value.length}` : '';
  found.push(`${place}: ${value.constructor?.name} ${own}`);
  for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    for (const part of ['value', 'get', 'set']) {
      if (Object.hasOwn(property, part)) shown(property[part], `${place}.${key}`, found, seen);
    }
  }
  const prototype = Object.getPrototypeOf(value);
  const isCommon = [Object.prototype, Function.prototype, Array.prototype].includes(prototype);
  return isCommon ? found : shown(prototype, `${place}.__proto__`, found, seen);
}

/** Values of all kinds that users get. */
function made(js) {
  const ffi = require(path.join(js, 'ffi-rs'));
  const koffi = require(path.join(js, 'koffi'));
  const library = koffi.load(process.platform === 'win32' ? 'ucrtbase.dll' : null);
  const type = koffi.struct({ a: 'int' });
  let error;
  try {
    library.func('int abs(int)')('x');
  } catch (thrown) {
    error = thrown;
  }
  return [
    ...[ffi, { ...koffi }, library, type, koffi.proto('int (int)'), koffi.pointer(type)],
    ...[koffi.opaque(), koffi.union({ a: 'int' }), koffi.array('int', 3), koffi.disposable('str')],
    ...[
      library.func('int abs(int)'),
      koffi.alloc('int', 1),
      error,
      new koffi.Union(koffi.union({ a: 'int' })),
    ],
  ];
}

test('names of functions and classes are those of the sources', { skip: SKIP }, (t) => {
  const folder = joinedTree(t);
  const sources = shown(made(path.join(root, 'js')), '', []);
  assert.ok(sources.length > 200, String(sources.length));
  assert.deepEqual(shown(made(path.join(folder, 'js')), '', []), sources);
});

test('what is left out is comments, indentation and names that nobody sees', () => {
  const source = `'use strict';
// A comment.
class Shown { #count = 0; next(by) { return (this.#count += by); } }
const shown = (first, second = () => first) => second();
let later;
later = function () { return arguments.length; };
function named({ property: renamed }) { const longName = renamed; return longName; }
module.exports = { Shown, shown, later, named, 'a-b': \`// \${1} no comment\` };
`;
  const text = shortened(source);
  assert.doesNotMatch(text, /A comment|longName|renamed|#count|^ /m);
  assert.ok(text.split('\n').length > 7, text);
  const module = { exports: {} };
  new Function('module', text)(module);
  const { Shown, shown, later, named, ...rest } = module.exports;
  assert.deepEqual(rest, { 'a-b': '// 1 no comment' });
  const names = [Shown, shown, later, named].map((value) => value.name);
  assert.deepEqual(names, ['Shown', 'shown', 'later', 'named']);
  assert.deepEqual(
    [new Shown().next(2), shown(3), later(1, 2), named({ property: 4 })],
    [2, 3, 2, 4],
  );
});
