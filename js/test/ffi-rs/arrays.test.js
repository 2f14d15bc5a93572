'use strict';
// Section 3.2: arrays as parameters and results.

const assert = require('node:assert/strict');
const test = require('node:test');
const { ffi, call, arrayOf } = require('../support/ffi');
const { CODES, throwsCoded } = require('../support/assert-coded');

const { DataType } = ffi;

const NUMERIC = {
  i16: { type: DataType.I16Array, element: DataType.I16, values: [0, 1, -1, 32767, -32768] },
  i32: {
    type: DataType.I32Array,
    element: DataType.I32,
    values: [0, 1, -1, 2147483647, -2147483648],
  },
  float: {
    type: DataType.FloatArray,
    element: DataType.Float,
    values: [0, -0, 1.5, -2.25, 3.4028234663852886e38],
  },
  double: {
    type: DataType.DoubleArray,
    element: DataType.Double,
    values: [0, -0, 0.1, 1e308, 5e-324],
  },
};

for (const [name, { type, element, values }] of Object.entries(NUMERIC)) {
  const sum = (list, descriptor = type) =>
    call(`sum_${name}_array`, DataType.Double, [descriptor, DataType.I32], [list, list.length]);

  test(`${name} array: bare and described parameters`, () => {
    assert.equal(sum([1, 2, 3]), 6);
    assert.equal(sum([]), 0);
    assert.equal(sum([1, 2, 3], arrayOf(type, 3)), 6);
    // The length of a descriptor neither cuts nor pads a parameter.
    assert.equal(sum([1, 2, 3], arrayOf(type, 1)), 6);
    assert.equal(sum([1, 2, 3], arrayOf(type, 9)), 6);
  });

  test(`${name} array: every element arrives`, () => {
    values.forEach((value, i) => {
      const got = call(`at_${name}_array`, element, [type, DataType.I32], [values, i]);
      assert.ok(Object.is(got, value), `${value} arrived as ${got}`);
    });
  });

  test(`${name} array: results are copies`, () => {
    const eight = call(`static_${name}_array`, arrayOf(type, 8));
    assert.ok(Array.isArray(eight));
    assert.deepEqual(eight, [1, 2, 3, 4, 5, 6, 7, 8]);
    eight[0] = 99;
    assert.deepEqual(call(`static_${name}_array`, arrayOf(type, 2)), [1, 2]);
    assert.deepEqual(call(`static_${name}_array`, arrayOf(type, 0)), []);
  });

  test(`${name} array: an argument returned`, () => {
    assert.deepEqual(
      call(`echo_${name}_array`, arrayOf(type, values.length), [type], [values]),
      values,
    );
    const long = Array.from({ length: 30_000 }, (_, i) => i % 1000);
    assert.deepEqual(call(`echo_${name}_array`, arrayOf(type, long.length), [type], [long]), long);
  });

  test(`${name} array: what C writes is not copied back`, () => {
    const list = [7, 7, 7];
    call(`fill_${name}_array`, DataType.Void, [type, DataType.I32, DataType.I32], [list, 3, 1]);
    assert.deepEqual(list, [7, 7, 7]);
  });

  test(`${name} array: NULL is null`, () => {
    assert.equal(call(`null_${name}_array`, arrayOf(type, 3)), null);
  });

  test(`${name} array: elements of the wrong type`, () => {
    for (const wrong of ['1', true, null, undefined, 1n, {}, [1]]) {
      throwsCoded(() => sum([1, wrong, 3]), CODES.number);
      throwsCoded(() => sum([wrong], arrayOf(type, 1)), CODES.number);
    }
    const holed = [1, 2, 3];
    delete holed[1];
    throwsCoded(() => sum(holed), CODES.number);
    throwsCoded(() => sum(new Array(5)), CODES.number);
  });

  test(`${name} array: what is no array`, () => {
    const typed = [new Int16Array(2), new Int32Array(2), new Float32Array(2), new Float64Array(2)];
    for (const value of [...typed, Buffer.alloc(8), { length: 1, 0: 1 }]) {
      throwsCoded(() => sum(value), CODES.array, /^Object is not array/);
      throwsCoded(() => sum(value, arrayOf(type, 2)), CODES.array, /^Object is not array/);
    }
    for (const value of [undefined, 5, 'text', true, 1n, () => [1]]) {
      const params = [
        [type, DataType.I32],
        [value, 1],
      ];
      throwsCoded(() => call(`sum_${name}_array`, DataType.Double, ...params));
      params[0] = [arrayOf(type, 1), DataType.I32];
      throwsCoded(() => call(`sum_${name}_array`, DataType.Double, ...params));
    }
  });

  test(`${name} array: the StackArray tag changes nothing outside structs`, () => {
    const tagged = arrayOf(type, 3, { ffiTypeTag: DataType.StackArray });
    assert.equal(sum([1, 2, 3], tagged), 6);
    assert.deepEqual(call(`static_${name}_array`, tagged), [1, 2, 3]);
  });

  test(`${name} array: a bare type as result is an error with advice`, () => {
    throwsCoded(() => call(`static_${name}_array`, type), CODES.type, /arrayConstructor/);
  });
}

test('elements convert like scalars', () => {
  const at = (name, type, element, value) =>
    call(`at_${name}_array`, element, [type, DataType.I32], [[value], 0]);
  for (const value of [1.9, -1.9, 2 ** 31, 2 ** 32 + 5, 1e20, NaN, Infinity, 70_000, -70_000]) {
    assert.equal(at('i32', DataType.I32Array, DataType.I32, value), value | 0);
    assert.equal(at('i16', DataType.I16Array, DataType.I16, value), ((value | 0) << 16) >> 16);
    assert.equal(at('float', DataType.FloatArray, DataType.Float, value), Math.fround(value));
    assert.equal(at('double', DataType.DoubleArray, DataType.Double, value), value);
  }
});

test('edge values of floating-point results', () => {
  const doubles = call('edge_double_array', arrayOf(DataType.DoubleArray, 5));
  assert.deepEqual(doubles, [0, -0, 1e308, 5e-324, 1 / 3]);
  const floats = call('edge_float_array', arrayOf(DataType.FloatArray, 5));
  assert.deepEqual(floats, [0, -0, 3.4028234663852886e38, 1.5, Math.fround(1 / 3)]);
});

test('U8Array: C works on the live memory', () => {
  const buffer = Buffer.from([1, 2, 3, 4]);
  call('xor_bytes', DataType.I32, [DataType.U8Array, DataType.I32, DataType.U8], [buffer, 4, 0xff]);
  assert.deepEqual([...buffer], [254, 253, 252, 251]);
  const bytes = new Uint8Array([1, 2, 3, 4, 5, 6]);
  const view = bytes.subarray(2, 4);
  call(
    'xor_bytes',
    DataType.I32,
    [arrayOf(DataType.U8Array, 2), DataType.I32, DataType.U8],
    [view, 2, 1],
  );
  assert.deepEqual([...bytes], [1, 2, 2, 5, 5, 6]);
});

test('U8Array: small pooled, large, and resized memory', () => {
  const sum = (bytes) =>
    call('sum_u8_array', DataType.Double, [DataType.U8Array, DataType.I32], [bytes, bytes.length]);
  assert.equal(sum(Buffer.from('abc')), 97 + 98 + 99);
  assert.equal(sum(Buffer.alloc(1 << 20, 1)), 1 << 20);
  assert.equal(sum(new Uint8Array(0)), 0);
  assert.equal(sum(new Uint8Array(new SharedArrayBuffer(8)).fill(2)), 16);
  const slab = new ArrayBuffer(64);
  assert.equal(sum(new Uint8Array(slab, 60).fill(3)), 12);
});

test('U8Array: a detached buffer is empty or refused', () => {
  const bytes = new Uint8Array(16);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  let result;
  try {
    result = call('pointer_is_null', DataType.Boolean, [DataType.U8Array], [bytes]);
  } catch (error) {
    assert.equal(typeof error.code, 'string');
    return;
  }
  assert.equal(result, true);
});

test('U8Array: results are fresh Buffers', () => {
  const bytes = call('static_u8_array', arrayOf(DataType.U8Array, 3));
  assert.ok(Buffer.isBuffer(bytes));
  assert.deepEqual(bytes, Buffer.from([1, 2, 3]));
  bytes[0] = 99;
  assert.deepEqual(call('static_u8_array', arrayOf(DataType.U8Array, 1)), Buffer.from([1]));
  assert.deepEqual(call('static_u8_array', arrayOf(DataType.U8Array, 0)), Buffer.alloc(0));
  assert.equal(call('null_u8_array', arrayOf(DataType.U8Array, 3)), null);
});

test('U8Array: what is no bytes', () => {
  for (const value of [[1, 2, 3], 'abc', 5, undefined, {}, true]) {
    throwsCoded(() =>
      call('sum_u8_array', DataType.Double, [DataType.U8Array, DataType.I32], [value, 0]),
    );
    throwsCoded(() =>
      call(
        'sum_u8_array',
        DataType.Double,
        [arrayOf(DataType.U8Array, 3), DataType.I32],
        [value, 0],
      ),
    );
  }
  throwsCoded(() => call('static_u8_array', DataType.U8Array), CODES.type, /arrayConstructor/);
});

test('StringArray: parameters', () => {
  const bytes = (list, type = DataType.StringArray) =>
    call('string_array_bytes', DataType.I32, [type, DataType.I32], [list, list.length]);
  assert.equal(bytes(['one', '', 'dr\u00fc']), 7);
  assert.equal(bytes([]), 0);
  assert.equal(bytes(['a', 'b'], arrayOf(DataType.StringArray, 7)), 2);
  assert.equal(bytes(['cut\0 here']), 3);
  const long = Array.from({ length: 5000 }, (_, i) => `${i} \u20ac`);
  assert.equal(
    bytes(long),
    long.reduce((total, text) => total + Buffer.byteLength(text), 0),
  );
  assert.equal(
    call('join_string_array', DataType.String, [DataType.StringArray, 1], [long, 5000]),
    long.join(),
  );
});

test('StringArray: results', () => {
  assert.deepEqual(call('static_string_array', arrayOf(DataType.StringArray, 4)), [
    'one',
    '',
    'dr\u00fc',
    'vier',
  ]);
  assert.deepEqual(call('static_string_array', arrayOf(DataType.StringArray, 0)), []);
  assert.deepEqual(
    call(
      'echo_string_array',
      arrayOf(DataType.StringArray, 2),
      [DataType.StringArray],
      [['a', 'b\u20ac']],
    ),
    ['a', 'b\u20ac'],
  );
  assert.deepEqual(call('string_array_invalid', arrayOf(DataType.StringArray, 2)), [
    'ok',
    'a\ufffdb',
  ]);
  assert.deepEqual(
    call('make_string_array', arrayOf(DataType.StringArray, 3), [DataType.I32], [3]),
    ['s0', 's1', 's2'],
  );
});

test('StringArray: NULL is null, as a whole and as an element', () => {
  assert.equal(call('null_string_array', arrayOf(DataType.StringArray, 3)), null);
  assert.deepEqual(call('string_array_with_null', arrayOf(DataType.StringArray, 3)), [
    'one',
    null,
    'three',
  ]);
});

test('StringArray: elements of the wrong type', () => {
  const bytes = (list) =>
    call('string_array_bytes', DataType.I32, [DataType.StringArray, DataType.I32], [list, 0]);
  throwsCoded(() => bytes(['a', 1]), CODES.invalid, /^expect String, got: Number/);
  throwsCoded(() => bytes([undefined]), CODES.invalid, /^expect String, got: Undefined/);
  throwsCoded(() => bytes(['a', {}]), CODES.invalid, /^expect String, got: Object/);
  const holed = ['a', 'b', 'c'];
  delete holed[1];
  throwsCoded(() => bytes(holed), CODES.invalid, /^expect String, got: Undefined/);
  throwsCoded(() => bytes(['\ud800']), CODES.invalid, 'invalid utf-16: lone surrogate found');
  throwsCoded(
    () => call('static_string_array', DataType.StringArray),
    CODES.type,
    /arrayConstructor/,
  );
});

test('descriptors that make no sense', () => {
  const bad = [
    { ffiTypeTag: 997 },
    { ffiTypeTag: 997, type: DataType.I32Array },
    { ffiTypeTag: 997, length: 3 },
    { ffiTypeTag: 997, type: DataType.I32, length: 3 },
    { ffiTypeTag: 997, type: 12345, length: 3 },
    { ffiTypeTag: 997, type: 'I32Array', length: 3 },
    { ffiTypeTag: 997, type: DataType.I32Array, length: -1 },
    { ffiTypeTag: 997, type: DataType.I32Array, length: '3' },
    { ffiTypeTag: 997, type: DataType.I32Array, length: null },
    { ffiTypeTag: 997, type: DataType.I32Array, length: NaN },
    { ffiTypeTag: 997, type: DataType.I32Array, length: 2 ** 60 },
    { ffiTypeTag: 997, type: null, length: 1 },
  ];
  for (const type of bad) {
    throwsCoded(() => call('static_i32_array', type), CODES.type);
  }
});

test('results of every length, through frame memory and past it', () => {
  for (const length of [0, 1, 16, 17, 8191, 8192, 8193, 300_000]) {
    const list = Array.from({ length }, (_, i) => i - 0.5);
    const [cell] = ffi.createPointer({ paramsType: [DataType.DoubleArray], paramsValue: [list] });
    const type = arrayOf(DataType.DoubleArray, length);
    assert.deepEqual(ffi.restorePointer({ retType: [type], paramsValue: [cell] }), [list]);
    ffi.freePointer({
      paramsType: [type],
      paramsValue: [cell],
      pointerType: ffi.PointerType.RsPointer,
    });
  }
});
