'use strict';
// Section 3.5: errno with the result.

const assert = require('node:assert/strict');
const os = require('node:os');
const test = require('node:test');
const { ffi, call, arrayOf } = require('../support/ffi');
const { CODES, throwsCoded } = require('../support/assert-coded');
const { isGlibc } = require('../support/platform');

const { DataType } = ffi;
const setErrno = (code) => call('set_errno', DataType.I32, [DataType.I32], [code], { errno: true });

test('three keys, in order', () => {
  const result = setErrno(2);
  assert.deepEqual(Object.keys(result), ['errnoCode', 'errnoMessage', 'value']);
  assert.deepEqual(result, {
    errnoCode: 2,
    errnoMessage: 'No such file or directory (os error 2)',
    value: 3,
  });
});

test('texts', () => {
  if (isGlibc) {
    assert.equal(setErrno(0).errnoMessage, 'Success (os error 0)');
    assert.equal(setErrno(9999).errnoMessage, 'Unknown error 9999 (os error 9999)');
  } else {
    assert.match(setErrno(0).errnoMessage, /^\w.* \(os error 0\)$/);
    assert.match(setErrno(9999).errnoMessage, /^\w.* \(os error 9999\)$/);
  }
  assert.equal(setErrno(os.constants.errno.EACCES).errnoMessage, 'Permission denied (os error 13)');
  assert.equal(setErrno(os.constants.errno.EINVAL).errnoMessage, 'Invalid argument (os error 22)');
});

test('every code of the system arrives', () => {
  for (const code of Object.values(os.constants.errno)) {
    const result = setErrno(code);
    assert.equal(result.errnoCode, code);
    assert.ok(result.errnoMessage.endsWith(` (os error ${code})`), result.errnoMessage);
  }
});

test('with every kind of result', () => {
  const types = [DataType.I32];
  const text = call('set_errno_string', DataType.String, types, [17], { errno: true });
  assert.deepEqual(text, {
    errnoCode: 17,
    errnoMessage: 'File exists (os error 17)',
    value: 'errno was set',
  });
  const nothing = call('set_errno_void', DataType.Void, types, [4], { errno: true });
  assert.equal(nothing.errnoCode, 4);
  assert.ok('value' in nothing);
  assert.equal(nothing.value, undefined);
  const list = call('static_i32_array', arrayOf(DataType.I32Array, 2), [], [], { errno: true });
  assert.deepEqual(list.value, [1, 2]);
  assert.equal(typeof list.errnoCode, 'number');
});

test('arguments that need memory do not disturb it', () => {
  const params = [DataType.I32, DataType.StringArray, DataType.String];
  const values = [5, ['a'.repeat(100_000), 'b'], 'c'.repeat(100_000)];
  const result = call('set_errno', DataType.I32, params, values, { errno: true });
  assert.equal(result.errnoCode, 5);
});

test('a real failure: open(2) of a missing file', () => {
  const result = ffi.load({
    library: 'main',
    funcName: process.platform === 'win32' ? '_open' : 'open',
    retType: DataType.I32,
    paramsType: [DataType.String, DataType.I32],
    paramsValue: ['/nonexistent/file', 0],
    errno: true,
  });
  assert.deepEqual(result, {
    errnoCode: 2,
    errnoMessage: 'No such file or directory (os error 2)',
    value: -1,
  });
});

test('false and undefined give the bare result', () => {
  assert.equal(call('set_errno', DataType.I32, [1], [1], { errno: false }), 2);
  assert.equal(call('set_errno', DataType.I32, [1], [1], { errno: undefined }), 2);
});

test('through define', () => {
  const { set_errno: fn } = ffi.define({
    set_errno: {
      library: 'fixture',
      retType: DataType.I32,
      paramsType: [DataType.I32],
      errno: true,
    },
  });
  assert.equal(fn([13]).errnoCode, 13);
  assert.equal(fn([0]).errnoCode, 0);
  assert.equal(fn([1]).value, 2);
});

test('options are booleans', () => {
  for (const value of [null, 1, 0, 'true', {}, 1n]) {
    for (const option of ['errno', 'runInNewThread', 'freeResultMemory']) {
      throwsCoded(
        () => call('forty_two', DataType.I32, [], [], { [option]: value }),
        CODES.boolean,
      );
    }
  }
});
