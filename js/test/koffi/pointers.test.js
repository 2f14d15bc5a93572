'use strict';
// Sections 5 and 7: pointers, arrays behind pointers, out and inout parameters, casts.

const assert = require('node:assert/strict');
const test = require('node:test');
const { koffi, fn, lib, ours, throws } = require('../support/koffi');
const { WORD, is32Bit } = require('../support/platform');

const KINDS = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  float: Float32Array,
  double: Float64Array,
};
const cType = (kind) => (['float', 'double'].includes(kind) ? kind : `${kind}_t`);

test('null and undefined are NULL, NULL is null', () => {
  const isNull = fn('bool is_null(const void *)');
  const echo = fn('void *echo_pointer(void *)');
  for (const none of [null, undefined, 0, 0n]) {
    assert.equal(isNull(none), true);
    assert.equal(echo(none), null);
  }
  assert.equal(isNull(1), false);
});

test('a pointer is an address, and any form of it is one', () => {
  const echo = fn('void *echo_pointer(void *)');
  const addressOf = fn('uint64_t address_of(const void *)');
  for (const value of [1n, is32Bit ? 0xbfff1234n : 0x7fff12345678n, 2n ** BigInt(8 * WORD) - 1n]) {
    assert.equal(echo(value), value);
    assert.equal(BigInt(addressOf(value)), value);
  }
  assert.equal(echo(4096), 4096n);
  const numbers = fn('int *static_ints()')();
  assert.equal(typeof numbers, 'bigint');
  assert.equal(fn('int read_int(const int *)')(numbers), 1);
  assert.equal(fn('int read_int(const int *)')(Number(numbers)), 1);
});

test('typed arrays, Buffers, ArrayBuffers and DataViews pass their own memory', () => {
  const address = fn('uint64_t address_of(const void *)');
  const readByte = fn('uint8_t read_byte(const void *, int)');
  const buffer = new ArrayBuffer(64);
  new Uint8Array(buffer).forEach((_, i, all) => {
    all[i] = i;
  });
  const views = [
    buffer,
    Buffer.from(buffer, 8, 16),
    new DataView(buffer, 8, 16),
    ...Object.values(KINDS).map((Kind) => new Kind(buffer, 8, 2)),
  ];
  for (const view of views) {
    const offset = view.byteOffset ?? 0;
    assert.equal(readByte(view, 0), offset, view.constructor.name);
    assert.equal(
      BigInt(address(view)),
      BigInt(address(buffer)) + BigInt(offset),
      view.constructor.name,
    );
  }
  const ints = new Int32Array([1, 2, 3, 4]);
  fn('void twice_int32s(int32_t *, int)')(ints.subarray(1), 2);
  assert.deepEqual([...ints], [1, 4, 6, 4]);
});

test('the element type of a typed array is not checked', () => {
  assert.equal(
    fn('double sum_int32s(const int32_t *, int)')(new Uint8Array([1, 0, 0, 0, 2, 0, 0, 0]), 2),
    3,
  );
});

test('a SharedArrayBuffer is refused', () => {
  throws(
    () => fn('bool is_null(const void *)')(new SharedArrayBuffer(8)),
    /^Unexpected .* value, expected void \*$/,
    TypeError,
  );
});

for (const [kind, Kind] of Object.entries(KINDS)) {
  const type = cType(kind);
  const one = Kind.name.startsWith('Big') ? BigInt : Number;
  test(`${type} *: arrays in, out and both`, () => {
    const sum = fn(`double sum_${kind}s(const ${type} *, int)`);
    assert.equal(sum([1, 2, 3], 3), 6);
    assert.equal(sum([], 0), 0);
    assert.equal(sum(null, 3), -1);
    assert.equal(sum(new Kind([1, 2, 3].map(one)), 3), 6);
    assert.equal(sum([100n, 27n], 2), 127);

    const source = [5, 6, 7];
    fn(`void twice_${kind}s(${type} *, int)`)(source, 3);
    assert.deepEqual(source, [5, 6, 7], 'an input is not written');

    const filled = [9, 9, 9];
    fn(`void fill_${kind}s(_Out_ ${type} *, int)`)(filled, 3);
    assert.deepEqual(filled, [1, 2, 3], 'an output starts as zeros');

    const both = [10, 20, 30];
    fn(`void fill_${kind}s(_Inout_ ${type} *, int)`)(both, 2);
    assert.deepEqual(both, [11, 22, 30]);

    const typed = new Kind([10, 20, 30].map(one));
    fn(`void fill_${kind}s(_Out_ ${type} *, int)`)(typed, 3);
    assert.deepEqual([...typed].map(Number), [11, 22, 33], 'a typed array is the memory itself');
  });
}

test('directions in the classic form', () => {
  for (const marked of ['_Out_ int *', koffi.out('int *'), koffi.out(koffi.pointer('int'))]) {
    const out = [5];
    lib.func('fill_int32s', 'void', [marked, 'int'])(out, 1);
    assert.deepEqual(out, [1]);
  }
  for (const marked of ['_Inout_ int *', koffi.inout('int *'), koffi.inout(koffi.pointer('int'))]) {
    const both = [5];
    lib.func('fill_int32s', 'void', [marked, 'int'])(both, 1);
    assert.deepEqual(both, [6]);
  }
  for (const marked of ['_In_ int *', koffi.in('int *'), koffi.pointer('int')]) {
    const input = [5];
    lib.func('fill_int32s', 'void', [marked, 'int'])(input, 1);
    assert.deepEqual(input, [5]);
  }
  for (const mark of [koffi.in, koffi.out, koffi.inout]) {
    throws(() => mark('int'), 'Unexpected int type, expected pointer or string type', TypeError);
    throws(
      () => mark(5),
      'Unexpected Number value as type specifier, expected string or type',
      TypeError,
    );
  }
});

test('several out parameters', () => {
  const divide = fn('void divide(int a, int b, _Out_ int *quotient, _Out_ int *rest)');
  const quotient = [null];
  const rest = [undefined];
  divide(17, 5, quotient, rest);
  assert.deepEqual([quotient, rest], [[3], [2]]);
  divide(17, 5, null_safe(), rest);
  function null_safe() {
    return new Int32Array(1);
  }
});

test('out booleans', () => {
  const flags = [false, false, false];
  fn('void set_bools(_Out_ bool *, int)')(flags, 3);
  assert.deepEqual(flags, [true, false, true]);
});

test('an array of the wrong values', () => {
  const sum = fn('double sum_int32s(const int32_t *, int)');
  throws(() => sum([1, '1'], 2), 'Unexpected String value, expected number', TypeError);
  throws(() => sum([1, null], 1), 'Unexpected Null value, expected number', TypeError);
  throws(
    () => fn('double sum_doubles(const double *, int)')(['x'], 1),
    'Unexpected String value, expected number',
    TypeError,
  );
});

test('what is no pointer', () => {
  const read = fn('int read_int(const int *)');
  throws(() => read(true), 'Unexpected Boolean value, expected int *', TypeError);
  throws(() => read(Symbol('s')), 'Unexpected Symbol value, expected int *', TypeError);
  throws(() => read({}), 'Unexpected Object value, expected int *', TypeError);
  throws(
    () => read(() => 1),
    /^(Unexpected Function value, expected int \*|Cannot pass function to type int \*)$/,
    TypeError,
  );
});

test('void * takes no ambiguous value', () => {
  const isNull = fn('bool is_null(const void *)');
  throws(() => isNull([1, 2]), 'Cannot pass ambiguous value to void *, use koffi.as()', TypeError);
  throws(() => isNull([1]), 'Cannot pass ambiguous value to void *, use koffi.as()', TypeError);
  throws(() => isNull({}), 'Unexpected Object value, expected void *', TypeError);
  throws(() => isNull(() => 1), 'Cannot pass function to type void *', TypeError);
});

test('as gives the type of a value', () => {
  const read = fn('uint8_t read_byte(const void *, int)');
  assert.equal(read(koffi.as([258, 3], 'int16_t *'), 0), 2);
  assert.equal(read(koffi.as([258, 3], 'int16_t *'), 1), 1);
  assert.equal(read(koffi.as([258, 3], 'int16_t *'), 2), 3);
  assert.equal(read(koffi.as('A', 'str'), 0), 65);
  assert.equal(read(koffi.as([1.5], 'double *'), 7), 0x3f);
  const point = koffi.struct({ x: 'int', y: 'double' });
  assert.equal(read(koffi.as({ x: 7 }, koffi.pointer(point)), 0), 7);
  const out = [0, 0];
  fn('void fill_int32s(_Out_ void *, int)');
  lib.func('void fill_int32s(_Out_ void *, int)')(koffi.as(out, 'int *'), 2);
  assert.deepEqual(out, [1, 2], 'the direction is that of the parameter');
  throws(
    () => koffi.as(5, 'int'),
    /^Only pointer or string types can be used for casting$/,
    TypeError,
  );
  throws(
    () => koffi.as({}, point),
    /^Only pointer or string types can be used for casting$/,
    TypeError,
  );
  throws(() => koffi.as([]), /^Expected 2 arguments, got 1$/, TypeError);
});

test('pointers to pointers', () => {
  const out = [null];
  fn('void give_ints(_Out_ int **)')(out);
  assert.equal(typeof out[0], 'bigint');
  assert.equal(koffi.decode(out[0], 'int'), 1);
  const nothing = [5n];
  fn('void give_null(_Out_ void **)')(nothing);
  assert.deepEqual(nothing, [null]);
  const sum = fn('int sum_rows(int **rows, int count, int each)');
  assert.equal(
    sum(
      [
        [1, 2],
        [3, 4],
      ],
      2,
      2,
    ),
    ((1 * 3 + 2) * 3 + 3) * 3 + 4,
  );
  assert.equal(sum([new Int32Array([1, 2]), out[0], null], 3, 2), ((1 * 3 + 2) * 3 + 1) * 3 - 2);
});

test('opaque handles are pointers', () => {
  koffi.opaque('Handle');
  const echo = lib.func('Handle *echo_pointer(Handle *)');
  assert.equal(echo(0x1234n), 0x1234n);
  assert.equal(echo(null), null);
  const out = [null];
  lib.func('void give_ints(_Out_ Handle **)')(out);
  assert.equal(out[0], fn('int *static_ints()')());
});

test('foreign byte order behind a pointer', () => {
  const read = fn('uint8_t read_byte(const uint32_be_t *, int)');
  assert.deepEqual(
    [0, 1, 2, 3].map((at) => read([0x01020304], at)),
    [1, 2, 3, 4],
  );
  const out = [0];
  fn('void fill_uint32s(_Out_ uint32_be_t *, int)')(out, 1);
  assert.deepEqual(out, [0x01000000]);
});

test('views in foreign byte order: C gets a copy, by units of the pointer', () => {
  const memory = (...words) => {
    const buffer = new ArrayBuffer(words.length * 4);
    words.forEach((word, i) => {
      new DataView(buffer).setUint32(i * 4, word, true);
    });
    return buffer;
  };
  const kinds = [
    (buffer) => buffer,
    (buffer) => new DataView(buffer),
    (buffer) => new Uint8Array(buffer),
    (buffer) => new Uint32Array(buffer),
    (buffer) => new BigInt64Array(buffer),
    (buffer) => Buffer.from(buffer),
  ];
  const read = fn('uint8_t read_byte(const uint32_be_t *, int)');
  const fill = fn('void fill_uint32s(_Out_ uint32_be_t *, int)');
  for (const view of kinds) {
    const given = memory(0x01020304, 5);
    const bytes = Array.from({ length: 8 }, (_, at) => read(view(given), at));
    assert.deepEqual(bytes, [1, 2, 3, 4, 0, 0, 0, 5]);
    assert.deepEqual(Buffer.from(given), Buffer.from(memory(0x01020304, 5)));
    fill(view(given), 1);
    // C saw what was there, and added 1.
    assert.equal(new DataView(given).getUint32(0, true), 0x05030201);
  }
  // What is left of the last unit stays as it is.
  const odd = Uint8Array.of(1, 0, 0, 0, 2, 3);
  assert.deepEqual(
    [0, 3, 4, 5].map((at) => read(odd, at)),
    [0, 1, 2, 3],
  );
});

test('large arrays', () => {
  const list = Array.from({ length: 300_000 }, (_, i) => i);
  assert.equal(
    fn('double sum_double' + 's(const double *, int)')(list, list.length),
    (299_999 * 300_000) / 2,
  );
  fn('void twice_doubles(_Inout_ double *, int)')(list, list.length);
  assert.equal(list[299_999], 599_998);
});

test('an error midway leaves the next call right', () => {
  const sum = fn('double sum_int32s(const int32_t *, int)');
  for (let i = 0; i < 200; i++) {
    throws(() => sum([...Array(1000).fill(1), 'x'], 1001), /expected number/);
    assert.equal(sum([1, 2], 2), 3);
  }
});

ours('getters and proxies may call C while arguments are read', () => {
  const sum = fn('double sum_int32s(const int32_t *, int)');
  const nested = new Proxy([1, 2, 3], {
    get: (list, key) => (key === '1' ? sum([10, 20, 30], 3) : list[key]),
  });
  assert.equal(sum(nested, 3), 64);
  const point = koffi.struct({ x: 'int', y: 'double' });
  const pointSum = lib.func('point_sum', 'double', [point]);
  const tricky = {
    get x() {
      return pointSum({ x: 1, y: 2 });
    },
    y: 0.5,
  };
  assert.equal(pointSum(tricky), 3.5);
});
