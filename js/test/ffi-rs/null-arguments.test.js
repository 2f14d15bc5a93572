'use strict';
// null for C's NULL, an extension of ours: what a result may be (null for a NULL string, array
// or struct pointer), an argument may be, too. undefined stays an error: it is more often a
// mistake than a wish. The original refuses both.

const assert = require('node:assert/strict');
const test = require('node:test');
const { ffi, call } = require('../support/ffi');
const { CODES, throwsCoded } = require('../support/assert-coded');

const { DataType } = ffi;

test('null is NULL for String, WString and External', () => {
  assert.equal(call('string_is_null', DataType.Boolean, [DataType.String], [null]), true);
  assert.equal(call('wide_is_null', DataType.Boolean, [DataType.WString], [null]), true);
  assert.equal(call('pointer_is_null', DataType.Boolean, [DataType.External], [null]), true);
});

test('null is NULL for a struct pointer', () => {
  assert.equal(
    call('scalars_is_null', DataType.Boolean, [{ flag: DataType.Boolean }], [null]),
    true,
  );
});

test('undefined is refused', () => {
  throwsCoded(
    () => call('string_is_null', DataType.Boolean, [DataType.String], [undefined]),
    CODES.string,
  );
  throwsCoded(
    () => call('wide_is_null', DataType.Boolean, [DataType.WString], [undefined]),
    CODES.string,
  );
  throwsCoded(
    () => call('pointer_is_null', DataType.Boolean, [DataType.External], [undefined]),
    CODES.invalid,
  );
  throwsCoded(() =>
    call('scalars_is_null', DataType.Boolean, [{ flag: DataType.Boolean }], [undefined]),
  );
});

test('null is no number, boolean or bigint', () => {
  throwsCoded(() => call('echo_i32', DataType.I32, [DataType.I32], [null]), CODES.number);
  throwsCoded(() => call('echo_double', DataType.Double, [DataType.Double], [null]), CODES.number);
  throwsCoded(() => call('echo_bool', DataType.Boolean, [DataType.Boolean], [null]), CODES.boolean);
  throwsCoded(() => call('echo_i64', DataType.BigInt, [DataType.BigInt], [null]), CODES.bigint);
});

test('an empty Buffer is NULL, as in the original', () => {
  assert.equal(
    call('pointer_is_null', DataType.Boolean, [DataType.U8Array], [Buffer.alloc(0)]),
    true,
  );
});
