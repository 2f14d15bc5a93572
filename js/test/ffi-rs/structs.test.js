'use strict';
// Section 3.3: structs by pointer and by value, of every size and register class.

const assert = require('node:assert/strict');
const test = require('node:test');
const {
  ffi,
  call,
  arrayOf,
  inlineOf,
  byValue,
  pointerTo,
  restore,
  nullPointer,
  callback,
} = require('../support/ffi');
const { CODES, throwsCoded } = require('../support/assert-coded');
const { inChild } = require('../support/child');

const { DataType } = ffi;
const D = DataType;

const SIZES = [...Array.from({ length: 64 }, (_, i) => i + 1), 512];
const SCALARS = {
  flag: D.Boolean,
  u8: D.U8,
  i16: D.I16,
  i32: D.I32,
  u32: D.U32,
  i64: D.I64,
  u64: D.U64,
  f: D.Float,
  d: D.Double,
  big: D.BigInt,
};
const SCALAR_VALUES = {
  flag: true,
  u8: 200,
  i16: -1234,
  i32: -123456,
  u32: 4000000000,
  i64: -(2 ** 40),
  u64: 2 ** 52,
  f: 0.5,
  d: 2.25,
  big: -(2n ** 63n),
};

test('by value, every size from 1 to 64 bytes, and 512', () => {
  for (const size of SIZES) {
    const type = byValue({ b: inlineOf(D.U8Array, size) });
    const bytes = Buffer.from(Array.from({ length: size }, (_, i) => (i * 7 + size) & 0xff));
    const next = call(`bytes_${size}_next`, type, [type], [{ b: bytes }]);
    assert.deepEqual(next, { b: bytes.map((byte, i) => byte + i + 1) }, `${size} bytes`);
    const sum = call(`bytes_${size}_sum`, D.I32, [D.I32, type, D.I32], [3, { b: bytes }, 4]);
    assert.equal(sum, 403_000 + bytes.reduce((total, byte) => total + byte, 0), `${size} bytes`);
  }
});

test('by value, every mix of register classes', () => {
  const kinds = {
    i32: D.I32,
    double: D.Double,
    float: D.Float,
    i64: D.I64,
    u8: D.U8,
    i16: D.I16,
    u32: D.U32,
  };
  const pairs = [
    'i32_double',
    'double_i32',
    'float_float',
    'float_double',
    'i64_double',
    'u8_i64',
    'i16_float',
    'u32_u8',
    'double_double',
  ];
  for (const name of pairs) {
    const [a, b] = name.split('_');
    const type = byValue({ a: kinds[a], b: kinds[b] });
    assert.deepEqual(
      call(`pair_${name}_twice`, type, [type], [{ a: 21, b: 50 }]),
      { a: 42, b: 100 },
      name,
    );
    assert.equal(
      call(`pair_${name}_sum`, D.Double, [D.Double, type, D.I32], [0.5, { a: 3, b: 4 }, 7]),
      437.5,
      name,
    );
  }
  const vector = byValue({ x: D.Float, y: D.Float, z: D.Float });
  const cross = call(
    'vector3_cross',
    vector,
    [vector, vector],
    [
      { x: 1, y: 2, z: 3 },
      { x: 4, y: 5, z: 6 },
    ],
  );
  assert.deepEqual(cross, { x: -3, y: 6, z: -3 });
  const doubles = byValue({ m: inlineOf(D.DoubleArray, 3) });
  assert.deepEqual(call('doubles3_scale', doubles, [doubles, D.Double], [{ m: [1, 2, 3] }, 0.5]), {
    m: [0.5, 1, 1.5],
  });
});

test('by value, on the stack when the registers are taken', () => {
  const type = byValue({ a: D.I64, b: D.Double });
  const I = D.I64;
  const result = call(
    'pair_after_six',
    I,
    [I, I, I, I, I, type, I, type, I],
    [1, 2, 3, 4, 5, { a: 6, b: 7 }, 8, { a: 9, b: 10 }, 11],
  );
  assert.equal(result, 1 + 4 + 9 + 16 + 25 + 36 + 49 + 64 + 81 + 100 + 121);
});

test('every scalar as a field, by value and by pointer, both ways', () => {
  assert.deepEqual(call('scalars_make', byValue(SCALARS)), SCALAR_VALUES);
  assert.deepEqual(call('scalars_static', SCALARS), SCALAR_VALUES);
  assert.deepEqual(
    call('scalars_echo', byValue(SCALARS), [byValue(SCALARS)], [SCALAR_VALUES]),
    SCALAR_VALUES,
  );
  assert.deepEqual(
    call('scalars_echo_pointer', SCALARS, [SCALARS], [SCALAR_VALUES]),
    SCALAR_VALUES,
  );
  const expected =
    1 +
    2 * 200 -
    3 * 1234 +
    4 * -123456 +
    5 * 4e9 +
    6 * -(2 ** 40) +
    7 * 2 ** 52 +
    8 * 0.5 +
    9 * 2.25 +
    10 * -(2 ** 63);
  assert.equal(call('scalars_sum', D.Double, [SCALARS], [SCALAR_VALUES]), expected);
});

test('fields lie where C has them', () => {
  const flat = byValue(SCALARS);
  const cell = pointerTo(flat, SCALAR_VALUES);
  const size = call('scalars_offset', D.I32, [D.I32], [99]);
  const bytes = ffi.createExternalBuffer(cell, size);
  const offset = (field) => call('scalars_offset', D.I32, [D.I32], [field]);
  assert.equal(bytes.readUInt8(offset(1)), 200);
  assert.equal(bytes.readInt16LE(offset(2)), -1234);
  assert.equal(bytes.readUInt32LE(offset(4)), 4000000000);
  assert.equal(bytes.readDoubleLE(offset(8)), 2.25);
  assert.equal(bytes.readBigInt64LE(offset(9)), -(2n ** 63n));
});

test('fields convert like scalars', () => {
  const type = byValue({ u8: D.U8, i16: D.I16, i32: D.I32, u32: D.U32, f: D.Float });
  const value = { u8: 257, i16: 40_000, i32: 2 ** 31, u32: -1, f: 0.1 };
  const cell = pointerTo(type, value);
  assert.deepEqual(restore(type, cell), {
    u8: 1,
    i16: 40_000 - 65_536,
    i32: -(2 ** 31),
    u32: 2 ** 32 - 1,
    f: Math.fround(0.1),
  });
});

test('a BigInt field takes bigints, and numbers as in the original', () => {
  const type = { big: D.BigInt };
  assert.deepEqual(restore(type, pointerTo(type, { big: 2n ** 62n + 1n })), {
    big: 2n ** 62n + 1n,
  });
  assert.deepEqual(restore(type, pointerTo(type, { big: -5 })), { big: -5n });
  throwsCoded(() => pointerTo(type, { big: '5' }));
});

test('the order of fields is that of the keys in JavaScript', () => {
  const type = { b: D.Double, a: D.Double, 2: D.I32, 1: D.I32 };
  assert.deepEqual(Object.keys(type), ['1', '2', 'b', 'a']);
  const value = { a: 4, 2: 2, b: 3, 1: 1 };
  assert.equal(call('ordered_weigh', D.Double, [type], [value]), 4321);
  const inherited = Object.assign(Object.create({ b: D.Double, a: D.Double }), {
    1: D.I32,
    2: D.I32,
  });
  assert.equal(call('ordered_weigh', D.Double, [inherited], [value]), 4321);
  const result = restore(type, pointerTo(type, value));
  assert.deepEqual(Object.keys(result), ['1', '2', 'b', 'a']);
});

test('the value is read by name: inherited, getters, any order, more keys', () => {
  const type = { one: D.I32, two: D.I32, b: D.Double, a: D.Double };
  assert.equal(
    call('ordered_weigh', D.Double, [type], [{ a: 4, b: 3, two: 2, one: 1, extra: 'x' }]),
    4321,
  );
  assert.equal(
    call('ordered_weigh', D.Double, [type], [Object.create({ one: 1, two: 2, b: 3, a: 4 })]),
    4321,
  );
  class Ordered {
    one = 1;
    get two() {
      return 2;
    }
    b = 3;
    a = 4;
  }
  assert.equal(call('ordered_weigh', D.Double, [type], [new Ordered()]), 4321);
  const proxy = new Proxy({ one: 1, two: 2, b: 3, a: 4 }, {});
  assert.equal(call('ordered_weigh', D.Double, [type], [proxy]), 4321);
});

test('field names that descriptors use are ordinary', () => {
  const type = byValue({ type: D.I32, length: D.Double, value: D.I32, paramsType: D.I32 });
  assert.equal(
    call('named_weigh', D.Double, [type], [{ type: 1, length: 2, value: 3, paramsType: 4 }]),
    4321,
  );
  assert.deepEqual(call('named_make', type), { type: 1, length: 2.5, value: 3, paramsType: 4 });
});

test('hostile field names', () => {
  const names = [
    '__proto__',
    'constructor',
    "a'b",
    'a"b',
    'a\\',
    'a\n',
    '$' + '{x}',
    '`',
    '\u2028',
    '',
    ' ',
    '0x',
    '-1',
  ];
  for (const name of names) {
    const type = Object.defineProperty({}, name, {
      value: D.I32,
      enumerable: true,
      configurable: true,
    });
    const value = Object.defineProperty({}, name, { value: 41, enumerable: true });
    const result = restore(type, pointerTo(type, value));
    assert.ok(Object.hasOwn(result, name), JSON.stringify(name));
    assert.equal(Object.getOwnPropertyDescriptor(result, name).value, 41);
    assert.equal(Object.getPrototypeOf(result), Object.prototype);
  }
});

test('results are plain objects that can be changed and compared', () => {
  const result = call('scalars_static', SCALARS);
  assert.equal(Object.getPrototypeOf(result), Object.prototype);
  assert.deepEqual(Object.keys(result), Object.keys(SCALARS));
  assert.deepEqual(Object.getOwnPropertyDescriptor(result, 'u8'), {
    value: 200,
    writable: true,
    enumerable: true,
    configurable: true,
  });
});

test("C's changes are not written back to the value", () => {
  const value = { ...SCALAR_VALUES };
  call('scalars_mutate', D.Void, [SCALARS], [value]);
  assert.deepEqual(value, SCALAR_VALUES);
});

test('createPointer and restorePointer show what C changed', () => {
  const cell = pointerTo(byValue(SCALARS), SCALAR_VALUES);
  call('scalars_mutate', D.Void, [D.External], [cell]);
  assert.deepEqual(restore(byValue(SCALARS), cell), {
    ...SCALAR_VALUES,
    flag: false,
    u8: 201,
    i16: -1235,
    i32: -246912,
    f: 2,
    d: -2.25,
  });
});

test('nested: inline when tagged, a pointer when not', () => {
  const inner = { x: D.I16, y: D.Double };
  const inline = { tag: D.U8, in: byValue(inner), tail: D.Float };
  const pointer = { tag: D.U8, in: inner, tail: D.Float };
  const value = { tag: 1, in: { x: 2, y: 3.5 }, tail: 0.25 };
  assert.deepEqual(call('outer_inline_next', byValue(inline), [byValue(inline)], [value]), {
    tag: 2,
    in: { x: 3, y: 4 },
    tail: 0.5,
  });
  assert.equal(call('outer_inline_sum', D.Double, [inline], [value]), 6.75);
  assert.equal(call('outer_pointer_sum', D.Double, [pointer], [value]), 6.75);
  assert.equal(call('outer_pointer_sum_value', D.Double, [byValue(pointer)], [value]), 6.75);
  const fromC = { tag: 9, in: { x: -7, y: 7.5 }, tail: 0.25 };
  assert.deepEqual(call('outer_pointer_static', pointer), fromC);
  assert.deepEqual(call('outer_pointer_value', byValue(pointer)), fromC);
});

test('NULL struct pointers read as null, and null writes NULL', () => {
  const pointer = { tag: D.U8, in: { x: D.I16, y: D.Double }, tail: D.Float };
  assert.equal(call('scalars_null', SCALARS), null);
  assert.deepEqual(call('outer_pointer_null', pointer), { tag: 1, in: null, tail: 1.5 });
  assert.deepEqual(restore(pointer, pointerTo(pointer, { tag: 1, in: null, tail: 2 })), {
    tag: 1,
    in: null,
    tail: 2,
  });
});

test('{} is a pointer that is not followed', () => {
  const type = { tag: D.U8, in: {}, tail: D.Float };
  assert.deepEqual(call('outer_pointer_static', type), { tag: 9, in: {}, tail: 0.25 });
  assert.deepEqual(restore(type, pointerTo(type, { tag: 1, in: {}, tail: 0.5 })), {
    tag: 1,
    in: {},
    tail: 0.5,
  });
  assert.deepEqual(call('scalars_static', {}), {});
});

test('a Void field has no size', () => {
  const type = { x: D.I32, nothing: D.Void, y: D.Double };
  const value = { x: 1, nothing: undefined, y: 2.5 };
  assert.equal(call('points_sum', D.Double, [type, D.I32], [value, 1]), 3.5);
  assert.deepEqual(call('points_static', type), { x: 1, nothing: undefined, y: 1.5 });
});

test('missing and mistyped fields', () => {
  const expect = (type, value, kind, received) =>
    throwsCoded(
      () => call('pointer_is_null', D.Boolean, [{ d: type }], [value]),
      CODES.invalid,
      `Object property 'd' type mismatch. Expect value to be ${kind}, but received ${received}`,
    );
  expect(D.I32, {}, 'Number', 'Undefined');
  expect(D.I32, { d: '5' }, 'Number', 'String');
  expect(D.Double, { d: null }, 'Number', 'Null');
  expect(D.String, { d: 5 }, 'String', 'Number');
  expect(D.Boolean, { d: 1 }, 'Boolean', 'Number');
  expect(arrayOf(D.I32Array, 1), { d: 1 }, 'Object', 'Number');
  expect({ e: D.I32 }, { d: 1 }, 'Object', 'Number');
  for (const value of [undefined, 5, 'text', true]) {
    throwsCoded(() => call('pointer_is_null', D.Boolean, [{ d: D.I32 }], [value]));
    throwsCoded(() => call('pointer_is_null', D.Boolean, [byValue({ d: D.I32 })], [value]));
  }
  throwsCoded(() => call('pointer_is_null', D.Boolean, [byValue({ d: D.I32 })], [null]));
  throwsCoded(() => call('pointer_is_null', D.Boolean, [{ d: D.External }], [{ d: 5 }]));
});

test('types that make no struct', () => {
  for (const type of [
    { a: 55 },
    { a: 'I32' },
    { a: null },
    { a: undefined },
    { a: D.I32Array },
    { a: D.StructArray },
    { a: { b: 55 } },
    { a: 1n },
    { a: arrayOf(55, 1) },
  ]) {
    throwsCoded(() => call('scalars_static', type), CODES.type);
    throwsCoded(() => call('pointer_is_null', D.Boolean, [type], [{ a: 1 }]), CODES.type);
    throwsCoded(() => call('scalars_static', byValue(type)), CODES.type);
  }
  const loop = { a: D.I32 };
  loop.self = loop;
  throwsCoded(() => call('scalars_static', loop), CODES.type);
});

test('External and function fields', () => {
  const type = { base: D.I32, apply: D.External };
  const add = callback({ paramsType: [D.I32, D.I32], retType: D.I32 }, (a, b) => a * 100 + b);
  assert.equal(call('operation_run', D.I32, [type, D.I32], [{ base: 5, apply: add.fn }, 7]), 507);
  assert.equal(
    call('operation_run_value', D.I32, [byValue(type), D.I32], [{ base: 5, apply: add.fn }, 8]),
    508,
  );
  add.free();
  const read = call('operation_static', type);
  assert.equal(read.base, 11);
  assert.equal(ffi.isNullPointer(read.apply), false);
  assert.deepEqual(restore(type, pointerTo(type, { base: 1, apply: nullPointer() })).base, 1);
});

test('a function given as a field is released after the call with needFree', () => {
  const run = inChild(
    ({ ffi: { DataType: T, funcConstructor }, call: load, callback: make }) => {
      const apply = funcConstructor({ paramsType: [T.I32, T.I32], retType: T.I32, needFree: true });
      const type = { base: T.I32, apply };
      const runWith = (fn) =>
        load('operation_run', T.I32, [type, T.I32], [{ base: 5, apply: fn }, 7]);
      const results = [runWith((a, b) => a - b)];
      try {
        runWith(5);
      } catch (error) {
        results.push(error.code);
      }
      const add = make({ paramsType: [T.I32, T.I32], retType: T.I32 }, (a, b) => a + b);
      results.push(runWith(add.fn)); // an External in its place is the function pointer
      add.free();
      return results;
    },
    { timeout: 10_000 },
  );
  assert.deepEqual(run.value, [-2, 'InvalidArg', 12]);
  assert.equal(run.signal, null, 'the process was kept alive');
  assert.equal(run.status, 0, run.stderr);
});
