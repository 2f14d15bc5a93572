'use strict';
// Section 11: address, decode, encode, view, call, alloc, free, and the fast readers.

const assert = require('node:assert/strict');
const test = require('node:test');
const { koffi, fn, lib, ours, throws } = require('../support/koffi');
const { valueInChild } = require('../support/child');
const { DOUBLE_ALIGN, WORD, is32Bit } = require('../support/platform');

/** Pointers in a row, as C has them. */
const pointers = (...addresses) =>
  is32Bit ? new Uint32Array(addresses.map(Number)) : new BigUint64Array(addresses);

const bytes = () => Buffer.from([1, 2, 3, 4, 5, 6, 7, 8, 0, 9]);
const Point = koffi.struct('Point', { x: 'int', y: 'double' });
/** Its size. */
const POINT = DOUBLE_ALIGN + 8;
koffi.proto('int Unary(int)');

test('address', () => {
  assert.equal(koffi.address(null), 0n);
  assert.equal(koffi.address(undefined), 0n);
  assert.equal(koffi.address(5n), 5n);
  assert.equal(koffi.address(5), 5n);
  const buffer = new ArrayBuffer(64);
  const start = koffi.address(buffer);
  assert.equal(BigInt(fn('uint64_t address_of(const void *)')(buffer)), start);
  assert.equal(koffi.address(new Int16Array(buffer, 6)), start + 6n);
  assert.equal(koffi.address(Buffer.from(buffer, 10, 5)), start + 10n);
  throws(() => koffi.address('x'), 'Unexpected String value for ptr, expected pointer', TypeError);
  throws(() => koffi.address({}), 'Unexpected Object value for ptr, expected pointer', TypeError);
  throws(
    () => koffi.address(() => 1),
    'Unexpected Function value for ptr, expected pointer',
    TypeError,
  );
});

test('decode: numbers at offsets, from pointers and memory', () => {
  const memory = bytes();
  for (const ref of [memory, koffi.address(memory), new Uint8Array(memory), memory.subarray(0)]) {
    assert.equal(koffi.decode(ref, 'uint8_t'), 1);
    assert.equal(koffi.decode(ref, 3, 'uint8_t'), 4);
    assert.equal(koffi.decode(ref, 'int'), 0x04030201);
    assert.equal(koffi.decode(ref, 4, 'int'), 0x08070605);
    assert.equal(koffi.decode(ref, 1, 'uint16_be_t'), 0x0203);
    assert.equal(koffi.decode(ref, koffi.types.int64), 0x0807060504030201n);
  }
  assert.equal(koffi.decode(memory.subarray(2), 'uint8_t'), 3);
  assert.equal(koffi.decode(new DataView(memory.buffer, memory.byteOffset + 4, 4), 'uint8_t'), 5);
});

test('decode: structs, arrays, strings, pointers', () => {
  const memory = Buffer.alloc(16);
  memory.writeInt32LE(-5, 0);
  memory.writeDoubleLE(0.5, DOUBLE_ALIGN);
  assert.deepEqual(koffi.decode(memory, Point), { x: -5, y: 0.5 });
  assert.deepEqual(koffi.decode(memory, 'Point'), { x: -5, y: 0.5 });
  const cells = pointers(koffi.address(lib.symbol('exported_text')), 0n);
  assert.equal(koffi.decode(cells, 'str'), 'exported');
  assert.equal(koffi.decode(cells, 'char *'), 'exported');
  assert.equal(koffi.decode(cells, WORD, 'str'), null);
  assert.equal(koffi.decode(cells, 'void *'), BigInt(cells[0]));
  assert.equal(koffi.decode(cells, WORD, 'int *'), null);
  assert.deepEqual(koffi.decode(new Int32Array([1, 2, 3]), 'int[3]'), new Int32Array([1, 2, 3]));
  const inner = koffi.struct({ a: 'int', b: koffi.struct({ c: 'int64_t' }) });
  const laid = new Int32Array(4);
  laid.set([1]);
  laid.set([2], DOUBLE_ALIGN / 4);
  assert.deepEqual(koffi.decode(laid, inner), { a: 1, b: { c: 2 } });
});

test('decode: a length', () => {
  const memory = bytes();
  assert.deepEqual(koffi.decode(memory, 'uint8_t', 3), new Uint8Array([1, 2, 3]));
  assert.deepEqual(koffi.decode(memory, 2, 'uint8_t', 3), new Uint8Array([3, 4, 5]));
  assert.deepEqual(koffi.decode(memory, 'uint8_t', 0), new Uint8Array());
  const points = Buffer.alloc(32);
  points.writeInt32LE(7, POINT);
  assert.deepEqual(koffi.decode(points, 'Point', 2), [
    { x: 0, y: 0 },
    { x: 7, y: 0 },
  ]);
  assert.equal(koffi.decode(lib.symbol('exported_text'), 'char', 3), 'exp');
  assert.equal(koffi.decode(Buffer.from('ab\0c'), 'char', 4), 'ab');
});

test('decode: up to the zero', () => {
  assert.equal(koffi.decode(lib.symbol('exported_text'), 'char', -1), 'exported');
  assert.deepEqual(koffi.decode(new Int32Array([1, 2, 0, 4]), 'int', -1), new Int32Array([1, 2]));
  assert.equal(
    koffi.decode(
      fn('const char16_t *static_text16()').info && lib.func('static_text16', 'void *', [])(),
      'char16_t',
      -1,
    ),
    'gr\u00fc\u00df \u{1F600}',
  );
  assert.equal(
    koffi.decode(lib.func('static_text32', 'void *', [])(), 'char32_t', -1),
    'gr\u00fc\u00df \u{1F600}',
  );
  assert.deepEqual(
    koffi.decode(fn('int *static_ints()')(), 'int', -1),
    new Int32Array([1, -2, 3, -4, 5]),
  );
});

ours('decode: no zero before the end of the memory', () => {
  assert.deepEqual(koffi.decode(new Int32Array([1, 2, 3]), 'int', -1), new Int32Array([1, 2, 3]));
  assert.equal(koffi.decode(Buffer.from('abc'), 'char', -1), 'abc');
  assert.equal(koffi.decode(Buffer.alloc(8), 'char32_t', -1), '');
});

test('decode: errors', () => {
  const memory = bytes();
  throws(() => koffi.decode(null, 'int'), 'Cannot encode data in NULL pointer', Error);
  throws(() => koffi.decode(memory, -1, 'int'), 'Offset must be >= 0', Error);
  throws(
    () => koffi.decode(memory, 8, 'int'),
    'Expected buffer with size superior or equal to type int (12 bytes)',
    Error,
  );
  throws(
    () => koffi.decode(memory, 'uint8_t', 11),
    'Expected buffer with size superior or equal to type uint8_t[11] (11 bytes)',
    Error,
  );
  throws(
    () => koffi.decode(memory, 'double', -1),
    'Cannot determine null-terminated length for type double',
    TypeError,
  );
  throws(() => koffi.decode(memory, 'void'), 'Cannot decode value of type void', TypeError);
  throws(
    () => koffi.decode({}, 'int'),
    'Unexpected Object value for reference, expected pointer',
    TypeError,
  );
  throws(
    () => koffi.decode('text', 'int'),
    'Unexpected String value for reference, expected pointer',
    TypeError,
  );
  throws(() => koffi.decode(memory), 'Expected 2 to 4 arguments, got 1', TypeError);
  throws(
    () => koffi.decode(memory, 'missing_t'),
    "Unknown or invalid type name 'missing_t'",
    TypeError,
  );
});

test('decode: functions', () => {
  const add = koffi.decode(lib.symbol('int_add'), koffi.proto('int (int, int)'));
  assert.equal(add(40, 2), 42);
  assert.equal(typeof add.async, 'function');
});

test('encode: numbers, structs, arrays, text', () => {
  const memory = bytes();
  assert.equal(koffi.encode(memory, 'int', -1), undefined);
  assert.equal(memory.readInt32LE(0), -1);
  koffi.encode(memory, 4, 'uint16_be_t', 0x1234);
  assert.equal(memory.readUInt16BE(4), 0x1234);
  koffi.encode(memory, 1, 'uint8_t', [7, 8], 2);
  assert.deepEqual([...memory.subarray(0, 4)], [255, 7, 8, 255]);
  const points = Buffer.alloc(32);
  koffi.encode(
    points,
    'Point',
    [
      { x: 1, y: 0.5 },
      { x: 2, y: 1.5 },
    ],
    2,
  );
  assert.deepEqual(koffi.decode(points, POINT, 'Point'), { x: 2, y: 1.5 });
  koffi.encode(koffi.address(points), POINT, Point, { x: 3 });
  assert.deepEqual(koffi.decode(points, POINT, 'Point'), { x: 3, y: 0 });
  const text = koffi.alloc('char', 16);
  koffi.encode(text, 'char', 'gr\u00fc\u00df', 16);
  assert.equal(koffi.decode(text, 'char', -1), 'gr\u00fc\u00df');
  koffi.free(text);
});

test('encode: strings stay alive in memory', () => {
  const run = valueInChild(
    ({ koffi: k }) => {
      const word = k.sizeof('char *');
      const cells = k.alloc('char *', 100);
      for (let i = 0; i < 100; i++) k.encode(cells, word * i, 'char *', `text number ${i}`);
      for (let i = 0; i < 20; i++) {
        globalThis.gc();
        Buffer.alloc(100_000, 0xee);
      }
      const read = Array.from({ length: 100 }, (_, i) => k.decode(cells, word * i, 'char *'));
      k.free(cells);
      return read;
    },
    { helpers: './koffi', flags: ['--expose-gc'] },
  );
  assert.deepEqual(
    run,
    Array.from({ length: 100 }, (_, i) => `text number ${i}`),
  );
});

test('encode: errors', () => {
  throws(() => koffi.encode(null, 'int', 5), 'Cannot encode data in NULL pointer', Error);
  throws(() => koffi.encode(bytes(), -1, 'int', 5), 'Offset must be >= 0', Error);
  throws(
    () => koffi.encode(bytes(), 8, 'int', 5),
    'Expected buffer with size superior or equal to type int (12 bytes)',
    Error,
  );
  throws(
    () => koffi.encode(bytes(), 'uint8_t', Array(11).fill(1), 11),
    'Expected buffer with size superior or equal to type uint8_t[11] (11 bytes)',
    Error,
  );
  throws(
    () => koffi.encode(bytes(), 'int', 'x'),
    'Unexpected String value, expected number',
    TypeError,
  );
  throws(
    () => koffi.encode(Buffer.alloc(8), 'Unary *', () => 1),
    'Cannot encode non-registered callback',
    Error,
  );
});

test('encode: registered callbacks', () => {
  const cell = Buffer.alloc(8);
  const pointer = koffi.register((v) => v + 1, 'Unary *');
  koffi.encode(cell, 'Unary *', pointer);
  assert.equal(cell.readBigUInt64LE(), pointer);
  assert.equal(fn('int call_list(Unary **, int, int)')(cell, 1, 8), 9);
  koffi.unregister(pointer);
});

test('view', () => {
  const memory = koffi.alloc('uint8_t', 16);
  const view = koffi.view(memory, 16);
  assert.ok(view instanceof ArrayBuffer);
  assert.equal(view.byteLength, 16);
  new Uint8Array(view)[3] = 42;
  assert.equal(koffi.decode(memory, 3, 'uint8_t'), 42);
  koffi.encode(memory, 5, 'uint8_t', 7);
  assert.equal(new Uint8Array(view)[5], 7);
  assert.equal(koffi.view(memory, 0).byteLength, 0);
  // Both ways to it give the same.
  for (const length of [7, 7.9, 7n]) {
    const some = new Uint8Array(koffi.view(memory, length));
    assert.deepEqual([some.length, some[3], some[5]], [7, 42, 7]);
  }
  assert.equal(koffi.view(memory, 0.5).byteLength, 0);
  for (const nowhere of [null, 0n, 0]) throws(() => koffi.view(nowhere, 5), /NULL/);
  throws(() => koffi.view(memory, -1), 'Array length must be positive and non-zero', TypeError);
});

test('alloc and free', () => {
  const memory = koffi.alloc('int64_t', 1000);
  assert.equal(typeof memory, 'bigint');
  assert.ok(koffi.decode(memory, 'int64_t', 1000).every((value) => value === 0n));
  assert.equal(koffi.free(memory), undefined);
  assert.equal(koffi.free(null), undefined);
  const points = koffi.alloc(Point, 3);
  koffi.encode(points, 32, Point, { x: 5, y: 6 });
  assert.deepEqual(koffi.decode(points, 32, Point), { x: 5, y: 6 });
  koffi.free(points);
  koffi.free(fn('void *new_text(str)')('freed by JavaScript'));
  throws(() => koffi.alloc('int', 0), 'Size must be greater than 0', Error);
  throws(() => koffi.alloc('int', -1), 'Size must be greater than 0', Error);
  throws(
    () => koffi.alloc('void', 1),
    'Cannot allocate memory for zero-sized type void',
    TypeError,
  );
  throws(() => koffi.alloc('int'), 'Expected 2 arguments, got 1', TypeError);
  throws(
    () => koffi.alloc('int', '3'),
    'Unexpected String value for length, expected number',
    TypeError,
  );
  throws(() => koffi.free('x'), 'Unexpected String value for ptr, expected pointer', TypeError);
});

test('call', () => {
  const type = koffi.proto('int (int, int)');
  assert.equal(koffi.call(lib.symbol('int_add'), type, 40, 2), 42);
  assert.equal(
    koffi.call(lib.symbol('sum_variadic'), koffi.proto('int (int, ...)'), 2, 'int', 40, 'int', 2),
    42,
  );
  const out = [0];
  koffi.call(lib.symbol('set_int'), koffi.proto('void (_Out_ int *, int)'), out, 7);
  assert.deepEqual(out, [7]);
  throws(
    () => koffi.call(lib.symbol('int_add'), 'Unary *', 5),
    'Unexpected String value for type, expected function type',
    TypeError,
  );
  throws(
    () => koffi.call(lib.symbol('int_add'), 'int *', 5),
    'Unexpected String value for type, expected function type',
    TypeError,
  );
  throws(
    () => koffi.call(lib.symbol('int_add'), 'Unary'),
    /^Expected 1 arguments?, got 0$/,
    TypeError,
  );
});

ours('call: NULL', () => {
  throws(() => koffi.call(null, koffi.proto('int (int)'), 5), /NULL|null/);
  throws(() => koffi.view(null, 5), /NULL|null/i);
  throws(() => koffi.decode(null, koffi.proto('int (int)')), /NULL/);
});

const FAST = {
  char: 'Int8',
  uchar: 'UInt8',
  short: 'Int16LE',
  ushort: 'UInt16LE',
  int: 'Int32LE',
  uint: 'UInt32LE',
  long: koffi.sizeof('long') === 8 ? 'BigInt64LE' : 'Int32LE',
  ulong: koffi.sizeof('long') === 8 ? 'BigUInt64LE' : 'UInt32LE',
  longlong: 'BigInt64LE',
  ulonglong: 'BigUInt64LE',
  int8: 'Int8',
  uint8: 'UInt8',
  int16: 'Int16LE',
  int16le: 'Int16LE',
  int16be: 'Int16BE',
  uint16: 'UInt16LE',
  uint16le: 'UInt16LE',
  uint16be: 'UInt16BE',
  int32: 'Int32LE',
  int32le: 'Int32LE',
  int32be: 'Int32BE',
  uint32: 'UInt32LE',
  uint32le: 'UInt32LE',
  uint32be: 'UInt32BE',
  int64: 'BigInt64LE',
  int64le: 'BigInt64LE',
  int64be: 'BigInt64BE',
  uint64: 'BigUInt64LE',
  uint64le: 'BigUInt64LE',
  uint64be: 'BigUInt64BE',
  float: 'FloatLE',
  double: 'DoubleLE',
};

for (const [name, reader] of Object.entries(FAST)) {
  test(`decode.${name}`, () => {
    for (const pattern of [
      [255, 254, 253, 252, 251, 250, 249, 248],
      [1, 0, 0, 0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0, 0, 0, 128],
      [1, 2, 3, 4, 5, 6, 7, 64],
    ]) {
      const memory = Buffer.from(pattern);
      let expected = memory[`read${reader}`](0);
      if (typeof expected === 'bigint' && expected >= -(2n ** 53n) && expected <= 2n ** 53n)
        expected = Number(expected);
      assert.ok(Object.is(koffi.decode[name](memory), expected), `${pattern}`);
      assert.ok(Object.is(koffi.decode[name](koffi.address(memory)), expected));
      const shifted = Buffer.concat([Buffer.alloc(3), memory]).subarray(3);
      assert.ok(Object.is(koffi.decode[name](shifted), expected));
    }
    throws(
      () => koffi.decode[name]('x'),
      'Unexpected String value for ptr, expected pointer',
      TypeError,
    );
  });
}

test('decode.string and its relatives read text at the pointer', () => {
  assert.equal(koffi.decode.string(lib.symbol('exported_text')), 'exported');
  assert.equal(koffi.decode.string(lib.symbol('exported_text'), 3), 'exp');
  assert.equal(koffi.decode.string(Buffer.from('gr\u00fc\u00df\0')), 'gr\u00fc\u00df');
  assert.equal(koffi.decode.string16(Buffer.from('abc\0', 'utf16le')), 'abc');
  assert.equal(koffi.decode.string16(Buffer.from('abc\0', 'utf16le'), 2), 'ab');
  assert.equal(
    koffi.decode.string32(lib.func('static_text32', 'void *', [])()),
    'gr\u00fc\u00df \u{1F600}',
  );
  assert.equal(koffi.decode.wstring(lib.func('static_wide', 'void *', [])()), 'wide \u20ac');
  assert.equal(koffi.decode.string(null), null);
});

ours('the fast readers check what they can', () => {
  throws(() => koffi.decode.int(null), /NULL/);
  throws(
    () => koffi.decode.int(Buffer.alloc(2)),
    /Expected buffer with size superior or equal to type int \(4 bytes\)/,
  );
  assert.equal(koffi.decode.string(Buffer.from('abc')), 'abc', 'no further than the memory');
});
