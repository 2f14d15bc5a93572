'use strict';
// The package as its users import it: CommonJS and ES modules give the same things, by the
// package's own name.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const root = path.join(__dirname, '../..');
const manifest = require('ffi-jit/package.json');

test('import and require give the same functions under the same names', async () => {
  const required = require('ffi-jit');
  const { default: whole, ...imported } = await import('ffi-jit');
  assert.equal(whole, required);
  assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort());
  for (const name of Object.keys(required)) assert.equal(imported[name], required[name], name);
});

test('every file that package.json names exists', () => {
  const targets = (value) =>
    typeof value === 'string' ? [value] : Object.values(value).flatMap(targets);
  const { exports, main, types, files } = manifest;
  for (const file of [...targets(exports), main, types, ...files]) {
    assert.ok(fs.existsSync(path.join(root, file)), file);
  }
});

test('nothing else is reachable, nothing runs at install, nothing is depended on', () => {
  assert.throws(() => require('ffi-jit/js/core/loader.js'), {
    code: 'ERR_PACKAGE_PATH_NOT_EXPORTED',
  });
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) {
    assert.equal(manifest.scripts[name], undefined, name);
  }
  assert.equal(manifest.dependencies, undefined);
});

test('bundlers are not told that modules have no side effects', () => {
  // Some have: types and codecs register themselves, and webpack would drop what is only required.
  assert.equal(manifest.sideEffects, undefined);
});
