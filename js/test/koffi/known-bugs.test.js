'use strict';
// Section 15: what the published Koffi gets wrong, with the right result. One test per bug, in the
// order of the contract. Those that end the peer's process are skipped on it.

const assert = require('node:assert/strict');
const test = require('node:test');
const { koffi, fn, lib, ours, throws, asResult } = require('../support/koffi');
const { inChild } = require('../support/child');

koffi.struct('Point', { x: 'int', y: 'double' });

ours('1: a wrong value for an integer member is a TypeError', () => {
  const echo = fn('Point echo_Point(Point)');
  for (const [kind, value] of Object.entries({
    String: '1',
    Null: null,
    Boolean: true,
    Object: {},
    Array: [1],
    Symbol: Symbol('s'),
  })) {
    throws(() => echo({ x: value, y: 1 }), `Unexpected ${kind} value, expected number`, TypeError);
  }
  assert.deepEqual(echo({ x: 1, y: 2 }), { x: 1, y: 2 });
});

ours('2: packed structs by value', () => {
  const packed = koffi.pack('Packed', { a: 'int8_t', b: 'double', c: 'int16_t' });
  const echo = lib.func('echo_Packed', packed, [packed]);
  for (let i = 0; i < 10; i++)
    assert.deepEqual(echo({ a: i, b: i / 8, c: 0 - i }), { a: i, b: i / 8, c: 0 - i });
});

ours('3: nested arrays, arrays of pointers and of strings', () => {
  const memory = new Int32Array([1, 2, 3, 4, 5, 6]);
  const rows = koffi.decode(memory, 'int[3][2]');
  assert.ok(Array.isArray(rows));
  assert.deepEqual(
    rows.map((row) => [...row]),
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
  );
  const cube = koffi.decode(memory, 'int[1][2][3]');
  assert.deepEqual(
    cube.map((plane) => plane.map((row) => [...row])),
    [
      [[1], [2]],
      [[3], [4]],
      [[5], [6]],
    ],
  );
  const pointers = new BigUint64Array([koffi.address(memory), 0n]);
  assert.deepEqual(koffi.decode(pointers, 'int *[2]'), [koffi.address(memory), null]);
  const texts = new BigUint64Array([koffi.address(lib.symbol('exported_text')), 0n]);
  assert.deepEqual(koffi.decode(texts, 'str[2]'), ['exported', null]);
  assert.deepEqual(koffi.decode(texts, 'char *', 2), ['exported', null]);
  assert.deepEqual(koffi.decode(Buffer.from('ab\0cd\0'), 'char[3][2]'), ['ab', 'cd']);
});

ours('4: arrays of void and of opaque types', () => {
  koffi.opaque('Opaque4');
  for (const type of ['void', 'Opaque4']) {
    throws(() => koffi.array(type, 3), 'Cannot make array of empty or incomplete type', TypeError);
    throws(
      () => koffi.resolve(`${type}[3]`),
      'Cannot make array of empty or incomplete type',
      TypeError,
    );
    throws(
      () => koffi.decode(Buffer.alloc(8), type, 3),
      /Cannot make array of empty or incomplete type|Cannot decode value of type/,
      TypeError,
    );
  }
});

ours('5: const behind a star', () => {
  assert.equal(lib.func('int64_t bytes_of(const char *const s)')('four'), 4);
  assert.equal(lib.func('int64_t bytes_of(const char *const)')('four'), 4);
  assert.equal(lib.func('int read_int(const int *const)')([4]), 4);
  assert.equal(lib.func('double sum_int32s(const int *const a, int n)')([1, 2], 2), 3);
  assert.equal(lib.func('const char *const echo_str(const char *const)')('text'), 'text');
});

ours('6: uint64_t callback arguments of 2^63 and more', () => {
  const call = lib.func('call_uint64', 'uint64_t', [
    koffi.pointer(koffi.proto('uint64_t (uint64_t)')),
    'uint64_t',
  ]);
  const seen = [];
  for (const value of [2n ** 63n, 2n ** 64n - 1n, 2n ** 53n + 1n]) {
    call((given) => {
      seen.push(given);
      return 0;
    }, value);
    assert.equal(seen.pop(), asResult(value));
  }
});

ours('7: float in variadic calls', () => {
  const sum = fn('double sum_variadic_doubles(int n, ...)');
  assert.equal(sum(2, 'float', 0.5, 'float', 0.25), 0.75);
  assert.equal(sum(3, 'float', 0.1, 'double', 1, 'float', 2), Math.fround(0.1) + 3);
  const format = lib.func('format_new', 'char *!', ['str', '...']);
  assert.equal(format('%.2f %d %.1f', 'float', 1.25, 'int', 7, 'float', -0.5), '1.25 7 -0.5');
});

ours('8: a flexible array longer than its largest length', () => {
  koffi.struct('Flexible', { len: 'int', values: koffi.array('int', 'len', 8) });
  const sum = fn('int flexible_sum(const Flexible *)');
  throws(() => sum({ len: 9, values: Array(9).fill(1) }), /length|max|values/i);
  assert.equal(sum({ len: 8, values: Array(8).fill(0) }), 0);
});

ours('9: an out parameter that is no object', () => {
  const fill = fn('void points_fill(_Out_ Point *, int)');
  throws(() => fill(true, 1), 'Unexpected Boolean value, expected Point *', TypeError);
  throws(() => fill(Symbol('s'), 1), /^Unexpected Symbol value, expected /, TypeError);
});

ours('10: an array is no struct', () => {
  throws(
    () => fn('Point echo_Point(Point)')([1, 2]),
    'Unexpected Array value, expected object',
    TypeError,
  );
  throws(
    () => fn('Point echo_Point(Point)')(new Float64Array(2)),
    /^Unexpected Float64Array value, expected object$/,
    TypeError,
  );
});

ours('11: names of disposables are names', () => {
  throws(() => koffi.disposable('not a name', 'str'), "Invalid type name 'not a name'", Error);
  throws(() => koffi.disposable('1st', 'str'), "Invalid type name '1st'", Error);
  koffi.disposable('Disposable11', 'str');
  throws(
    () => koffi.disposable('Disposable11', 'str'),
    "Duplicate type name 'Disposable11'",
    Error,
  );
});

test('12: a number is an address', () => {
  const memory = Buffer.from('text\0');
  assert.equal(fn('str echo_str(str)')(Number(koffi.address(memory))), 'text');
  assert.equal(fn('bool is_null(const void *)')(0), true);
});

ours('13: an array of numbers for a string parameter', () => {
  assert.equal(fn('str echo_str(str)')([97, 98, 99, 0]), 'abc');
  assert.equal(fn('str echo_str(const char *)')([97, 98, 99, 0]), 'abc');
  assert.equal(fn('str16 echo_str16(str16)')([97, 0x20ac, 0]), 'a\u20ac');
  assert.equal(fn('uint8_t read_byte(const void *, int)')(koffi.as([97, 98], 'char *'), 1), 98);
});

ours('14: an enumeration with a storage of its own keeps its values', () => {
  const type = koffi.enumeration('Colour', { RED: 1, GREEN: 2n }, 'uint8_t');
  assert.deepEqual({ ...type.values }, { RED: 1, GREEN: 2n });
  assert.equal(koffi.sizeof('Colour'), 1);
});

test('15: a callback left registered does not disturb the end of the process', () => {
  for (let i = 0; i < 3; i++) {
    const run = inChild(
      ({ koffi: k, lib: l }) => {
        k.proto('int Unary(int)');
        const pointer = k.register((v) => v, 'Unary *');
        l.func('void keep_callback(Unary *)')(pointer);
        return l.func('int call_kept(int)')(3);
      },
      { helpers: './koffi' },
    );
    assert.equal(run.status, 0, `${run.signal} ${run.stderr}`);
    assert.equal(run.value, 3);
  }
});

// Found while these suites were written against the published 3.3.4.
ours('16: an empty string of 32-bit units is no NULL', () => {
  assert.equal(fn('str32 echo_str32(str32)')(''), '');
  assert.equal(fn('wstring echo_wide(wstring)')(''), '');
});

ours('17: an exception of a getter is thrown', () => {
  const failing = {
    get x() {
      throw new RangeError('in the getter');
    },
  };
  throws(() => fn('Point echo_Point(Point)')(failing), 'in the getter', RangeError);
  throws(() => fn('double point_sum_at(const Point *)')(failing), 'in the getter', RangeError);
  throws(
    () => fn('double points_sum(const Point *, int)')([{ x: 1 }, failing], 2),
    'in the getter',
    RangeError,
  );
});

ours('18: errors of variadic arguments and of prototypes are errors', () => {
  const sum = fn('int sum_variadic(int n, ...)');
  throws(() => sum(1, 'missing_t', 1), "Unknown or invalid type name 'missing_t'", TypeError);
  throws(() => sum(1, 'int', 'x'), 'Unexpected String value, expected number', TypeError);
  throws(() => lib.func('int! forty_two()'), /Cannot create disposable type for non-pointer/);
});

ours('19: NULL for a function, a view, a fast reader', () => {
  throws(() => koffi.call(null, koffi.proto('int (int)'), 1), /NULL/i);
  throws(() => koffi.view(null, 5), /NULL/i);
  throws(() => koffi.decode.int(null), /NULL/i);
});

ours('20: the readers stay inside of sized memory', () => {
  throws(
    () => koffi.decode.int(Buffer.alloc(2)),
    /^Expected buffer with size superior or equal to type int \(4 bytes\)$/,
  );
  assert.deepEqual(koffi.decode(new Int32Array([1, 2, 3]), 'int', -1), new Int32Array([1, 2, 3]));
});

ours('21: errno is not disturbed by what JavaScript does', () => {
  fn('int fail_with(int)')(17);
  for (let i = 0; i < 50; i++) Buffer.alloc(1_000_000);
  try {
    require('node:fs').readFileSync('/nonexistent');
  } catch {}
  assert.equal(koffi.errno(), 17);
});

ours('22: pointers to anonymous types are pointers to those types', () => {
  const union = koffi.union({ i: 'int' });
  const proto = koffi.proto(null, 'int', ['int']);
  assert.notEqual(koffi.pointer(union), koffi.pointer(proto));
  assert.equal(koffi.pointer(proto).primitive, 'Callback');
  assert.equal(koffi.pointer(union).primitive, 'Pointer');
});
