'use strict';
// Names, sizes and kinds of the primitives.

const assert = require('node:assert/strict');
const test = require('node:test');
const { native } = require('../../../core/loader.js');
const { api: koffi } = require('../../../koffi/types');
const { peerFolder } = require('../../support/peer');

test('every primitive is the one of the published Koffi', () => {
  const peer = require(peerFolder('koffi'));
  assert.deepEqual(Object.keys(koffi.types), Object.keys(peer.types));
  for (const [name, type] of Object.entries(peer.types)) {
    assert.deepEqual({ ...koffi.types[name] }, { ...type }, name);
    assert.deepEqual({ ...koffi.type(name) }, { ...type }, name);
  }
  for (const name of ['char *', 'char16_t *', 'char16 *', 'char32_t *', 'char32 *', 'wchar *']) {
    assert.deepEqual({ ...koffi.type(name) }, { ...peer.type(name) }, name);
  }
});

test('sizes follow the data model', () => {
  const sizes = { long: native.longSize, 'unsigned long': native.longSize };
  Object.assign(sizes, { wchar_t: native.wcharSize, size_t: native.pointerSize });
  Object.assign(sizes, { intptr_t: native.pointerSize, 'void *': native.pointerSize });
  Object.assign(sizes, { str: native.pointerSize, char: 1, char16_t: 2, char32_t: 4, double: 8 });
  for (const [name, size] of Object.entries(sizes)) assert.equal(koffi.sizeof(name), size, name);
  assert.equal(koffi.type('long').primitive, `Int${native.longSize * 8}`);
  assert.equal(koffi.types.wstring.primitive, `String${native.wcharSize * 8}`);
});

test('names are case sensitive, and no other spellings are known', () => {
  const wrong = ['Int', 'signed int', 'signed char', 'short int', 'long int', 'unsigned'];
  for (const name of [...wrong, 'long unsigned', 'long double', '_Bool', 'ssize_t', 'Void']) {
    assert.throws(() => koffi.type(name), {
      name: 'TypeError',
      message: `Unknown or invalid type name '${name}'`,
    });
  }
});
