'use strict';
// Names, sizes and kinds of the primitives.

const assert = require('node:assert/strict');
const test = require('node:test');
const { native } = require('../../../core/loader.js');
const { api: koffi } = require('../../../koffi/types');

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
