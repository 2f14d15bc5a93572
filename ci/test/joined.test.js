'use strict';
// The published form of the sources (ci/lib/packages/joined.js): modules joined into files.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { JOINED, joinModules } = require('../lib/packages/joined.js');
const { addon, root } = require('../lib/paths.js');

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
  const define = ['ffi-rs/index.js', 'ffi-rs/load.js'];
  assert.deepEqual(loaded(folder, FIRST_CALL), [...core, 'ffi-rs/calls.js', ...define]);
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
