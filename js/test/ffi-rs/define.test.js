'use strict';
// Section 3.8: define.

const assert = require('node:assert/strict');
const test = require('node:test');
const { ffi, arrayOf, byValue } = require('../support/ffi');
const { fixturePath } = require('../support/native');
const { CODES, throwsCoded } = require('../support/assert-coded');

const { DataType, define } = ffi;
const entry = (retType, paramsType, more) => ({ library: 'fixture', retType, paramsType, ...more });

test('one function per key, which takes one array', () => {
  const lib = define({
    add_i32: entry(DataType.I32, [DataType.I32, DataType.I32]),
    concat_strings: entry(DataType.String, [DataType.String, DataType.String]),
    forty_two: entry(DataType.I32, []),
  });
  assert.deepEqual(Object.keys(lib), ['add_i32', 'concat_strings', 'forty_two']);
  assert.equal(Object.getPrototypeOf(lib), Object.prototype);
  assert.equal(lib.add_i32([40, 2]), 42);
  assert.equal(lib.concat_strings(['a', 'b']), 'ab');
  assert.equal(lib.forty_two([]), 42);
  assert.equal(lib.forty_two(), 42);
  const { add_i32: unbound } = lib;
  assert.equal(unbound([1, 2]), 3);
});

test('the arguments must come in an array', () => {
  const lib = define({ add_i32: entry(DataType.I32, [DataType.I32, DataType.I32]) });
  for (const args of [[1], [1, 2], ['12'], [{ 0: 1, 1: 2, length: 2 }], [null]]) {
    throwsCoded(() => lib.add_i32(...args), CODES.argument);
  }
  throwsCoded(
    () => lib.add_i32([1]),
    CODES.unknown,
    'params_type length is not equal with params_value length',
  );
  throwsCoded(() => lib.add_i32([1, 2, 3]), CODES.unknown);
  throwsCoded(() => lib.add_i32(), CODES.unknown);
  assert.equal(lib.add_i32([1, 2]), 3);
});

test('define without a table is empty, null is a TypeError', () => {
  const nothing = define({});
  assert.deepEqual(nothing, {});
  const error = throwsCoded(() => define(null));
  assert.ok(error instanceof TypeError);
});

test('the key is the symbol, whatever funcName says', () => {
  const lib = define({ echo_i32: entry(DataType.I32, [DataType.I32], { funcName: 'forty_two' }) });
  assert.equal(lib.echo_i32([7]), 7);
});

test('nothing is looked up before the first call', () => {
  const lib = define({
    no_such_symbol: entry(DataType.I32, []),
    forty_two: { library: 'opened later', retType: DataType.I32, paramsType: [] },
  });
  throwsCoded(
    () => lib.no_such_symbol([]),
    CODES.unknown,
    'Cannot find "no_such_symbol" function in shared library',
  );
  throwsCoded(
    () => lib.forty_two([]),
    CODES.unknown,
    'Before calling load, you need to open the file "opened later" with the open method',
  );
  ffi.open({ library: 'opened later', path: fixturePath() });
  assert.equal(lib.forty_two([]), 42);
  ffi.close('opened later');
});

test('a bare array takes its length anew on each call', () => {
  const definition = entry(DataType.Double, [DataType.I32Array, DataType.I32]);
  const lib = define({ sum_i32_array: definition });
  assert.equal(lib.sum_i32_array([[1, 2], 2]), 3);
  assert.equal(lib.sum_i32_array([[1, 2, 3, 4], 4]), 10);
  assert.equal(lib.sum_i32_array([[], 0]), 0);
  assert.deepEqual(definition, entry(DataType.Double, [DataType.I32Array, DataType.I32]));
});

test('an entry may be shared by keys and changed values', () => {
  const shared = entry(DataType.Double, [DataType.Double, DataType.Double]);
  const lib = define({ add_double: shared, pow: { ...shared, library: 'libm' } });
  ffi.open({ library: 'libm', path: process.platform === 'win32' ? 'ucrtbase.dll' : 'libm.so.6' });
  assert.equal(lib.add_double([1, 2]), 3);
  assert.equal(lib.pow([2, 10]), 1024);
  ffi.close('libm');
});

test('options per entry', async () => {
  const lib = define({
    set_errno: entry(DataType.I32, [DataType.I32], { errno: true }),
    echo_i32: entry(DataType.I32, [DataType.I32], { runInNewThread: true }),
    make_string: entry(DataType.String, [DataType.I32], { freeResultMemory: true }),
  });
  assert.equal(lib.set_errno([2]).errnoCode, 2);
  const promise = lib.echo_i32([5]);
  assert.ok(promise instanceof Promise);
  assert.equal(await promise, 5);
  assert.equal(lib.make_string([5]), 'abcde');
});

test('struct and array descriptors in entries', () => {
  const lib = define({
    static_i32_array: entry(arrayOf(DataType.I32Array, 3), []),
    vector3_cross: entry(byValue({ x: DataType.Float, y: DataType.Float, z: DataType.Float }), [
      byValue({ x: DataType.Float, y: DataType.Float, z: DataType.Float }),
      byValue({ x: DataType.Float, y: DataType.Float, z: DataType.Float }),
    ]),
  });
  assert.deepEqual(lib.static_i32_array([]), [1, 2, 3]);
  assert.deepEqual(
    lib.vector3_cross([
      { x: 1, y: 0, z: 0 },
      { x: 0, y: 1, z: 0 },
    ]),
    { x: 0, y: 0, z: 1 },
  );
});

test('errors of entries show when they are called', () => {
  const bad = {
    echo_i32: { library: 'fixture', retType: DataType.I32 },
    forty_two: { library: 'fixture', paramsType: [] },
    add_i32: { retType: DataType.I32, paramsType: [] },
    sum_i32_array: entry(DataType.Double, [55, DataType.I32]),
  };
  const lib = define(bad);
  throwsCoded(() => lib.echo_i32([1]), CODES.invalid, 'Missing field `paramsType`');
  throwsCoded(() => lib.forty_two([]), CODES.invalid, 'Missing field `retType`');
  throwsCoded(() => lib.add_i32([]), CODES.invalid, 'Missing field `library`');
  throwsCoded(() => lib.sum_i32_array([[1], 1]), CODES.type);
  throwsCoded(() => define({ a: null }).a([]));
});

test('calls may nest through getters of their own arguments', () => {
  const lib = define({ sum_i32_array: entry(DataType.Double, [DataType.I32Array, DataType.I32]) });
  const list = [1, 2, 3];
  Object.defineProperty(list, 1, { get: () => lib.sum_i32_array([[10, 20], 2]), enumerable: true });
  assert.equal(lib.sum_i32_array([list, 3]), 1 + 30 + 3);
});

test('hot use keeps giving right results and right errors', () => {
  const lib = define({ add_i32: entry(DataType.I32, [DataType.I32, DataType.I32]) });
  let total = 0;
  for (let i = 0; i < 100_000; i++) total = lib.add_i32([total, i & 3]);
  assert.equal(total, 150_000);
  throwsCoded(() => lib.add_i32([1, '2']), CODES.number);
  throwsCoded(() => lib.add_i32([1, 2n]), CODES.number);
  assert.equal(lib.add_i32([1.9, 2 ** 32 + 1]), 2);
});
