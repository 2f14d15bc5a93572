'use strict';
// Section 3 and 7: what load demands, in which order it looks, and what it does to its argument.

const assert = require('node:assert/strict');
const test = require('node:test');
const { ffi, call, arrayOf } = require('../support/ffi');
const { CODES, throwsCoded } = require('../support/assert-coded');

const { DataType, load } = ffi;
const good = () => ({
  library: 'fixture',
  funcName: 'echo_i32',
  retType: DataType.I32,
  paramsType: [DataType.I32],
  paramsValue: [5],
});
const FIELDS = Object.keys(good());

test('each field is required', () => {
  for (const field of FIELDS) {
    const params = good();
    delete params[field];
    throwsCoded(() => load(params), CODES.invalid, `Missing field \`${field}\``);
    throwsCoded(
      () => load({ ...good(), [field]: undefined }),
      CODES.invalid,
      `Missing field \`${field}\``,
    );
  }
  throwsCoded(() => load({}), CODES.invalid, 'Missing field `library`');
});

test('fields of the wrong type', () => {
  for (const field of ['library', 'funcName']) {
    for (const value of [null, 5, true, {}]) {
      throwsCoded(() => load({ ...good(), [field]: value }), CODES.string);
    }
  }
  for (const value of [5, 'text', {}, { 0: 1, length: 1 }, true]) {
    throwsCoded(() => load({ ...good(), paramsValue: value }), CODES.argument);
    throwsCoded(() => load({ ...good(), paramsType: value }));
  }
  throwsCoded(() => load({ ...good(), paramsValue: null }), CODES.argument);
});

test('a call without an object is a TypeError', () => {
  for (const params of [undefined, null]) {
    assert.ok(throwsCoded(() => load(params)) instanceof TypeError);
  }
  throwsCoded(() => load(5));
  throwsCoded(() => load('text'));
});

test('retType is a number or an object', () => {
  const text = (kind) => `ret_value_type can only be number or object but receive ${kind}`;
  throwsCoded(() => load({ ...good(), retType: 'I32' }), CODES.unknown, text('String'));
  throwsCoded(() => load({ ...good(), retType: true }), CODES.unknown, text('Boolean'));
  throwsCoded(() => load({ ...good(), retType: null }), CODES.unknown, text('Null'));
  throwsCoded(() => load({ ...good(), retType: () => 1 }), CODES.unknown, text('Function'));
});

test('the numbers of types and values must agree', () => {
  const text = 'params_type length is not equal with params_value length';
  throwsCoded(() => load({ ...good(), paramsValue: [] }), CODES.unknown, text);
  throwsCoded(() => load({ ...good(), paramsValue: [1, 2] }), CODES.unknown, text);
  throwsCoded(() => load({ ...good(), paramsType: [] }), CODES.unknown, text);
});

test('the order of checks', () => {
  const unknownLibrary = { library: 'not opened' };
  const unknownSymbol = { funcName: 'no_such_symbol' };
  const badType = { paramsType: [55] };
  const badCount = { paramsValue: [5, 6] };
  const badValue = { paramsValue: ['5'] };
  const badResult = { retType: 'I32' };
  const check = (params, code, message) =>
    throwsCoded(() => load({ ...good(), ...params }), code, message);

  check({ ...unknownLibrary, paramsValue: undefined }, CODES.invalid, /^Missing field/);
  check({ ...unknownLibrary, ...unknownSymbol, ...badType }, CODES.unknown, /^Before calling load/);
  check({ ...unknownSymbol, ...badType, ...badCount }, CODES.unknown, /^Cannot find/);
  check({ ...badType, ...badCount, ...badResult }, CODES.type);
  check({ ...badCount, ...badResult }, CODES.unknown, /^params_type length/);
  check({ ...badValue, ...badResult }, CODES.number);
});

test('types that are none', () => {
  for (const type of [
    55,
    21,
    -1,
    1.5,
    NaN,
    2 ** 32 + 1,
    DataType.Array,
    DataType.Function,
    DataType.StackStruct,
  ]) {
    throwsCoded(() => load({ ...good(), paramsType: [type] }), CODES.type);
    throwsCoded(() => load({ ...good(), retType: type }), CODES.type);
  }
  throwsCoded(() => load({ ...good(), paramsType: [55] }), CODES.type, /55/);
  for (const type of ['I32', null, undefined, true, 1n, Symbol('type'), () => 1]) {
    throwsCoded(() => load({ ...good(), paramsType: [type] }), CODES.type);
  }
});

test('a bare array type is no result type', () => {
  for (const name of [
    'I16Array',
    'I32Array',
    'FloatArray',
    'DoubleArray',
    'StringArray',
    'U8Array',
    'StructArray',
  ]) {
    throwsCoded(() => load({ ...good(), retType: DataType[name] }), CODES.type, /arrayConstructor/);
  }
  throwsCoded(
    () => load({ ...good(), paramsType: [DataType.StructArray], paramsValue: [[]] }),
    CODES.type,
    /arrayConstructor/,
  );
});

test('a failed call leaves the next one alone', () => {
  for (let i = 0; i < 100; i++) {
    throwsCoded(
      () => load({ ...good(), paramsType: [DataType.I32], paramsValue: ['x'] }),
      CODES.number,
    );
    assert.equal(load(good()), 5);
    throwsCoded(
      () => call('concat_strings', DataType.String, [0, 0], ['left over', 5]),
      CODES.string,
    );
    assert.equal(call('concat_strings', DataType.String, [0, 0], ['a', 'b']), 'ab');
  }
});

test('extra keys are ignored, prototypes count, order does not matter', () => {
  assert.equal(load({ more: 1, ...good(), toString: 5, [Symbol('x')]: 1 }), 5);
  assert.equal(load(Object.create(good())), 5);
  assert.equal(load(Object.fromEntries(Object.entries(good()).reverse())), 5);
  assert.equal(load(Object.assign(Object.create(null), good())), 5);
});

test('load leaves its argument alone, unlike the original', () => {
  const types = [DataType.I32Array, DataType.I32];
  const params = {
    library: 'fixture',
    funcName: 'sum_i32_array',
    retType: DataType.Double,
    paramsType: types,
    paramsValue: [[1, 2, 3], 3],
  };
  const before = { ...params };
  assert.equal(load(params), 6);
  assert.deepEqual(params, before);
  assert.equal(params.paramsType, types);
  assert.deepEqual(types, [DataType.I32Array, DataType.I32]);
  // The same object again, with another length.
  params.paramsValue = [[1, 2, 3, 4], 4];
  assert.equal(load(params), 10);
  // What the original would have left behind works as well: a length that no longer fits.
  params.paramsType = [arrayOf(DataType.I32Array, 3), DataType.I32];
  assert.equal(load(params), 10);
});

test('a frozen argument works, unlike in the original', () => {
  const params = Object.freeze({
    ...good(),
    paramsType: Object.freeze([DataType.I32]),
    paramsValue: Object.freeze([5]),
  });
  assert.equal(load(params), 5);
});

test('errors of values name the place', () => {
  const error = throwsCoded(
    () => call('add_i32', DataType.I32, [DataType.I32, DataType.I32], [1, 'two']),
    CODES.number,
  );
  if ('argument' in error) assert.equal(error.argument, 1);
});

test('a value error is thrown before anything is called', () => {
  const before = call('counted_calls', DataType.I32);
  throwsCoded(() => call('count_call', DataType.Void, [DataType.I32], ['x']), CODES.number);
  throwsCoded(() => call('count_call', 'bad'), CODES.unknown);
  throwsCoded(() => call('count_call', 55), CODES.type);
  assert.equal(call('counted_calls', DataType.I32), before);
});
