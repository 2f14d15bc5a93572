'use strict';
// Sections 5 and 6: arrays in structs with every hint, counted members, dynamic pointers, unions.

const assert = require('node:assert/strict');
const test = require('node:test');
const { koffi, fn, lib, ours, throws } = require('../support/koffi');

koffi.struct('Arrays', {
  n: koffi.array('int32_t', 4),
  d: koffi.array('double', 2, 'Array'),
  text: koffi.array('char', 16),
  wide: koffi.array('char16_t', 8, 'Typed'),
});

test('array members: arrays, typed arrays, strings', () => {
  const echo = fn('Arrays echo_Arrays(Arrays)');
  const result = echo({
    n: [1, 2, 3, 4],
    d: new Float64Array([0.5, 1.5]),
    text: 'gr\u00fc\u00df',
    wide: 'wide',
  });
  assert.deepEqual(result, {
    n: new Int32Array([1, 2, 3, 4]),
    d: [0.5, 1.5],
    text: 'gr\u00fc\u00df',
    wide: new Int16Array([119, 105, 100, 101, 0, 0, 0, 0]),
  });
});

test('short arrays are filled with zeros, long ones are cut', () => {
  const echo = fn('Arrays echo_Arrays(Arrays)');
  const short = echo({ n: [1], d: [], text: '', wide: '' });
  assert.deepEqual([...short.n], [1, 0, 0, 0]);
  assert.deepEqual(short.d, [0, 0]);
  assert.equal(short.text, '');
  const long = echo({
    n: [1, 2, 3, 4, 5, 6],
    d: new Float64Array(10).fill(7),
    text: 'x'.repeat(50),
    wide: 'y'.repeat(50),
  });
  assert.deepEqual([...long.n], [1, 2, 3, 4]);
  assert.deepEqual(long.d, [7, 7]);
  assert.equal(long.text, 'x'.repeat(15));
  assert.deepEqual([...long.wide], [...Array(7).fill(121), 0]);
});

test('array members: bytes of a Buffer, whatever the element', () => {
  const echo = fn('Arrays echo_Arrays(Arrays)');
  const result = echo({ n: Buffer.from([1, 0, 0, 0, 2]), text: Buffer.from('bytes') });
  assert.deepEqual([...result.n], [1, 2, 0, 0]);
  assert.equal(result.text, 'bytes');
});

test('array members: what is no array', () => {
  const echo = fn('Arrays echo_Arrays(Arrays)');
  throws(() => echo({ n: 5 }), 'Unexpected Number value, expected array', TypeError);
  throws(
    () => echo({ n: 'text' }),
    /^(Unexpected String value, expected array|Strings cannot be converted to int32_t array)$/,
    TypeError,
  );
  throws(() => echo({ n: null }), 'Unexpected Null value, expected array', TypeError);
  throws(() => echo({ d: {} }), 'Unexpected Object value, expected array', TypeError);
});

test('every hint reads as it says', () => {
  const bytes = Buffer.from('AB\0C');
  const as = (type, hint, length = 4) => koffi.decode(bytes, koffi.array(type, length, hint));
  assert.deepEqual(as('uint8_t', 'Typed'), new Uint8Array([65, 66, 0, 67]));
  assert.deepEqual(as('uint8_t', 'Array'), [65, 66, 0, 67]);
  assert.deepEqual(as('uint8_t'), new Uint8Array([65, 66, 0, 67]));
  const buffer = as('uint8_t', 'Buffer');
  assert.ok(Buffer.isBuffer(buffer));
  assert.deepEqual([...buffer], [65, 66, 0, 67]);
  assert.equal(as('char', 'String'), 'AB');
  assert.equal(as('char'), 'AB');
  assert.deepEqual(as('char', 'Typed'), new Int8Array([65, 66, 0, 67]));
  assert.deepEqual(as('char', 'Array'), [65, 66, 0, 67]);
  assert.deepEqual(as('int16_t', 'Typed', 2), new Int16Array([0x4241, 0x4300]));
  assert.deepEqual(
    koffi.decode(new BigInt64Array([5n]), koffi.array('int64_t', 1)),
    new BigInt64Array([5n]),
  );
  assert.deepEqual(koffi.decode(new BigInt64Array([5n]), koffi.array('int64_t', 1, 'Array')), [5]);
  assert.deepEqual(koffi.decode(Buffer.from([1, 0]), koffi.array('bool', 2)), [true, false]);
  const copy = as('uint8_t', 'Typed');
  copy[0] = 9;
  assert.equal(bytes[0], 65, 'a typed array is a copy');
});

ours('nested arrays and arrays of pointers', () => {
  koffi.struct('Matrix', { m: 'int[3][2]' });
  const at = fn('int matrix_at(Matrix, int, int)');
  const matrix = {
    m: [
      [1, 2, 3],
      [4, 5, 6],
    ],
  };
  assert.equal(at(matrix, 1, 2), 6);
  assert.equal(at(matrix, 0, 1), 2);
  const result = fn('Matrix echo_Matrix(Matrix)')(matrix);
  assert.deepEqual(
    result.m.map((row) => [...row]),
    matrix.m,
  );
  koffi.struct('Pointers', { p: 'int *[2]', s: 'str[2]' });
  const numbers = fn('int *static_ints()')();
  const echoed = fn('Pointers echo_Pointers(Pointers)')({ p: [numbers, null], s: ['one', null] });
  assert.deepEqual(echoed, { p: [numbers, null], s: ['one', null] });
});

test('arrays of structs inside structs', () => {
  koffi.struct('APoint', { x: 'int', y: 'double' });
  const type = koffi.struct({ p: koffi.array('APoint', 2), n: 'int' });
  const echo = lib.func('echo_Points2', type, [type]);
  assert.deepEqual(echo({ p: [{ x: 1, y: 2 }], n: 5 }), {
    p: [
      { x: 1, y: 2 },
      { x: 0, y: 0 },
    ],
    n: 5,
  });
});

test('flexible members counted by another', () => {
  koffi.struct('Flexible', { len: 'int', values: koffi.array('int', 'len', 8) });
  const sum = fn('int flexible_sum(const Flexible *)');
  assert.equal(sum({ len: 3, values: [1, 2, 3] }), (1 * 3 + 2) * 3 + 3);
  assert.equal(sum({ len: 0, values: [] }), 0);
  throws(
    () => sum({ len: 3, values: [1, 2] }),
    "Mismatched dynamic length between 'len' and actual array",
    Error,
  );
  throws(
    () => sum({ len: 1, values: new Int32Array([1, 2]) }),
    "Mismatched dynamic length between 'len' and actual array",
    Error,
  );
  const out = {};
  fn('void flexible_fill(_Out_ Flexible *, int)')(out, 3);
  assert.equal(out.len, 3);
  assert.deepEqual([...out.values], [1, 2, 3]);
});

ours('flexible members: a count above the declared length', () => {
  const sum = fn('int flexible_sum(const Flexible *)');
  throws(() => sum({ len: 20, values: Array(20).fill(1) }), /length|values|max/i);
  throws(() => sum({ len: -1, values: [] }), /Mismatched dynamic length|length/i);
  const read = {};
  fn('void flexible_fill(_Out_ Flexible *, int)')(read, 8);
  assert.deepEqual([...read.values], [1, 2, 3, 4, 5, 6, 7, 8]);
});

test('dynamic pointers counted by another member', () => {
  koffi.struct('Counted', { len: 'int', values: koffi.pointer(null, 'int', 'len') });
  const sum = fn('int counted_sum(Counted)');
  assert.equal(sum({ len: 3, values: [1, 2, 3] }), (1 * 3 + 2) * 3 + 3);
  throws(
    () => sum({ len: 2, values: [1, 2, 3] }),
    "Mismatched dynamic length between 'len' and actual array",
    Error,
  );
  const made = fn('Counted counted_make(int)')(4);
  assert.equal(made.len, 4);
  assert.deepEqual([...made.values], [5, 6, 7, 8]);
});

test('counters: errors', () => {
  throws(
    () => koffi.struct('NoCounter', { values: koffi.array('int', 'len', 8) }),
    "Record type NoCounter does not have member 'len'",
  );
  throws(
    () => koffi.struct('TextCounter', { len: 'double', values: koffi.array('int', 'len', 8) }),
    'Dynamic length member len is not an integer',
  );
});

// Unions.
koffi.union('Any', { i: 'int32_t', f: 'float', b: koffi.array('uint8_t', 8), d: 'double' });
koffi.struct('Tagged', { tag: 'int', value: 'Any' });

test('unions: one named member', () => {
  const asDouble = fn('double any_double(Any)');
  const asInt = fn('int32_t any_int(Any)');
  assert.equal(asDouble({ d: 0.5 }), 0.5);
  assert.equal(asInt({ i: -7 }), -7);
  assert.equal(asInt({ f: 1 }), 0x3f800000);
  assert.equal(asDouble({ b: [0, 0, 0, 0, 0, 0, 0xf8, 0x3f] }), 1.5);
  throws(() => asDouble({}), 'Expected object with single property name for union', Error);
  throws(
    () => asDouble({ i: 1, d: 2 }),
    'Expected object with single property name for union',
    Error,
  );
  throws(() => asDouble({ q: 1 }), 'Unknown member q in union type Any');
});

test('unions: objects of their own', () => {
  const value = new koffi.Union('Any');
  value.d = 2.5;
  assert.equal(value.d, 2.5);
  assert.equal(fn('double any_double(Any)')(value), 2.5);
  assert.throws(() => value.i, Error);
  value.i = 5;
  assert.equal(value.i, 5);
  assert.throws(() => value.d, Error);
  throws(
    () => fn('double any_double(Any)')(new koffi.Union('Any')),
    'Cannot use ambiguous empty union',
    Error,
  );
  koffi.union('AnyOther', { i: 'int' });
  const other = new koffi.Union('AnyOther');
  other.i = 1;
  throws(
    () => fn('double any_double(Any)')(other),
    'Expected union type Any, got AnyOther',
    TypeError,
  );
  throws(
    () => koffi.Union('Any'),
    'This function is a constructor and must be called with new',
    TypeError,
  );
  throws(() => new koffi.Union('int'), /^Expected union type, got /, TypeError);
});

test('unions: results give every member', () => {
  const result = fn('Any echo_Any(Any)')({ f: 1 });
  assert.equal(result.f, 1);
  assert.equal(result.i, 0x3f800000);
  assert.deepEqual([...result.b], [0, 0, 0x80, 0x3f, 0, 0, 0, 0]);
  assert.equal(fn('int32_t any_int(Any)')(result), 0x3f800000);
  assert.deepEqual(Object.keys(result), []);
  const tagged = fn('Tagged echo_Tagged(Tagged)')({ tag: 3, value: { d: 0.5 } });
  assert.equal(tagged.tag, 3);
  assert.equal(tagged.value.d, 0.5);
});

test('unions: out parameters', () => {
  const out = new koffi.Union('Any');
  fn('void any_fill(_Out_ Any *)')(out);
  assert.equal(out.d, 1.5);
  const list = [null];
  fn('void any_fill(_Out_ Any *)')(list);
  assert.equal(list[0].d, 1.5);
  throws(
    () => fn('void any_fill(_Out_ Any *)')({}),
    'Unexpected Object value, expected union value',
    TypeError,
  );
});

test('bool bytes are 0 or 1', () => {
  koffi.struct('AFlags', { a: 'bool', b: 'bool', c: 'uint64_t' });
  const bits = lib.func('uint32_t flags_bits(AFlags)');
  assert.equal(bits({ a: true, b: true, c: 0 }), 0x101);
  assert.equal(koffi.decode(Buffer.from([2, 0]), 'bool'), true);
});

test('arrays and records where they are not aligned', () => {
  const inner = koffi.struct({ a: 'float', b: 'double', c: koffi.array('int16_t', 2, 'Array') });
  const type = koffi.pack({
    flag: 'bool',
    list: koffi.array('int16_t', 3, 'Array'),
    byte: 'int8_t',
    records: koffi.array(inner, 2, 'Array'),
    wide: koffi.array('int64_t', 2, 'Array'),
  });
  const record = { a: 1.5, b: 2.5, c: [7, -8] };
  const value = { flag: true, list: [1, -2, 3], byte: 4, records: [record, record], wide: [5, -6] };
  const memory = Buffer.alloc(koffi.sizeof(type) + 1);
  koffi.encode(memory, 1, type, value);
  assert.deepEqual(koffi.decode(memory, 1, type), value);
  assert.equal(memory.readInt16LE(1 + koffi.offsetof(type, 'list') + 2), -2);
});
