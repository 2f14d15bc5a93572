'use strict';
// Sections 5, 6 and 13: structs by value and behind pointers, packed ones, nested ones.

const assert = require('node:assert/strict');
const test = require('node:test');
const { koffi, fn, lib, ours, throws } = require('../support/koffi');

const Point = koffi.struct('Point', { x: 'int', y: 'double' });
koffi.struct('Small', { a: 'int8_t', b: 'int16_t', c: 'int8_t' });
koffi.struct('Floats3', { a: 'float', b: 'float', c: 'float' });
koffi.struct('Doubles2', { a: 'double', b: 'double' });
koffi.struct('FloatInt', { a: 'float', b: 'int' });
koffi.struct('Big', { a: 'int64_t', b: 'double', name: 'char *', flag: 'uint8_t' });
koffi.struct('Line', { from: Point, to: 'Point', label: 'str' });
koffi.pack('Packed', { a: 'int8_t', b: 'double', c: 'int16_t' });
koffi.pack('PackedSmall', { a: 'uint8_t', b: 'int32_t' });
koffi.struct('Flags', { a: 'bool', b: 'bool', c: 'uint64_t' });
koffi.struct('Points2', { p: koffi.array('Point', 2), n: 'int' });
koffi.struct('Aligned', { a: [8, 'uint8_t'] });

const VALUES = {
  Point: [
    { x: -5, y: 2.5 },
    { x: 2 ** 31 - 1, y: NaN },
  ],
  Small: [{ a: -128, b: 32767, c: 127 }],
  Floats3: [{ a: 1.5, b: -2.25, c: 0.5 }],
  Doubles2: [{ a: 1 / 3, b: -1e300 }],
  FloatInt: [{ a: 0.5, b: -7 }],
  Big: [
    { a: -(2n ** 60n), b: 0.1, name: 'gr\u00fc\u00df', flag: 255 },
    { a: 5, b: 0, name: null, flag: 0 },
  ],
  Line: [{ from: { x: 1, y: 2 }, to: { x: 3, y: 4 }, label: 'a line' }],
  Flags: [{ a: true, b: false, c: 2n ** 64n - 1n }],
  Points2: [
    {
      p: [
        { x: 1, y: 1.5 },
        { x: 2, y: 2.5 },
      ],
      n: 3,
    },
  ],
};

for (const [name, values] of Object.entries(VALUES)) {
  test(`${name}: by value and through pointers`, () => {
    const echo = fn(`${name} echo_${name}(${name} v)`);
    const copy = fn(`void copy_${name}(const ${name} *from, _Out_ ${name} *to)`);
    for (const value of values) {
      const result = echo(value);
      assert.deepEqual(result, value);
      assert.deepEqual(Object.keys(result), Object.keys(value), 'members in order of declaration');
      assert.equal(Object.getPrototypeOf(result), Object.prototype);
      const into = {};
      copy(value, into);
      assert.deepEqual(into, value);
    }
  });
}

test('sizes are those of the C compiler', () => {
  const size = fn('int packed_sizes(int)');
  const names = ['Packed', 'PackedSmall', null, null, 'Line', null, 'Flags', 'Points2'];
  names.forEach((name, i) => {
    if (name) assert.equal(koffi.sizeof(name), size(i), name);
  });
});

for (const size of [3, 5, 7, 17]) {
  test(`a struct of ${size} bytes`, () => {
    const name = `Bytes${size}`;
    koffi.struct(name, { b: koffi.array('uint8_t', size) });
    const echo = fn(`${name} echo_${name}(${name})`);
    const bytes = Uint8Array.from({ length: size }, (_, i) => 250 - i);
    for (let i = 0; i < 50; i++) assert.deepEqual(echo({ b: bytes }), { b: bytes });
  });
}

ours('packed structs by value, and many structs in registers and on the stack', () => {
  const echo = fn('Packed echo_Packed(Packed)');
  assert.deepEqual(echo({ a: -3, b: 0.125, c: -300 }), { a: -3, b: 0.125, c: -300 });
  const small = fn('PackedSmall echo_PackedSmall(PackedSmall)');
  assert.deepEqual(small({ a: 200, b: -7 }), { a: 200, b: -7 });
  const weigh = fn(
    'double weigh_structs(Point, Small, int, Floats3, Doubles2, FloatInt, double, Packed, Point, Small)',
  );
  const point = { x: 1, y: 2 };
  const small3 = { a: 1, b: 2, c: 3 };
  const result = weigh(
    point,
    small3,
    4,
    { a: 1, b: 2, c: 3 },
    { a: 0.5, b: 0.25 },
    { a: 5, b: 6 },
    7,
    { a: 8, b: 9, c: 10 },
    point,
    small3,
  );
  assert.equal(result, 3 + 60 + 400 + 6000 + 0.75 + 11 + 7 + 27 + 3 + 6);
});

test('packed structs behind pointers', () => {
  const into = {};
  fn('void copy_Packed(const Packed *, _Out_ Packed *)')({ a: -3, b: 0.125, c: -300 }, into);
  assert.deepEqual(into, { a: -3, b: 0.125, c: -300 });
});

test('missing members are zero, others are ignored, inherited ones are read', () => {
  const echo = fn('Point echo_Point(Point)');
  assert.deepEqual(echo({}), { x: 0, y: 0 });
  assert.deepEqual(echo({ y: 5, z: 7 }), { x: 0, y: 5 });
  assert.deepEqual(echo({ x: undefined, y: 5 }), { x: 0, y: 5 });
  assert.deepEqual(echo(Object.create({ x: 9 })), { x: 9, y: 0 });
  class Vector {
    y = 2;
    get x() {
      return 11;
    }
  }
  assert.deepEqual(echo(new Vector()), { x: 11, y: 2 });
  assert.deepEqual(fn('Line echo_Line(Line)')({ label: 'x' }), {
    from: { x: 0, y: 0 },
    to: { x: 0, y: 0 },
    label: 'x',
  });
});

test('what is no struct', () => {
  const echo = fn('Point echo_Point(Point)');
  for (const [kind, value] of Object.entries({
    Null: null,
    Number: 5,
    String: 'x',
    Boolean: true,
    Undefined: undefined,
  })) {
    throws(() => echo(value), `Unexpected ${kind} value, expected object`, TypeError);
  }
});

ours('members of the wrong type', () => {
  const echo = fn('Point echo_Point(Point)');
  throws(() => echo({ x: '1' }), 'Unexpected String value, expected number', TypeError);
  throws(() => echo({ x: 1, y: null }), 'Unexpected Null value, expected number', TypeError);
  throws(
    () => fn('Flags echo_Flags(Flags)')({ a: 1 }),
    'Unexpected Number value, expected boolean',
    TypeError,
  );
  throws(
    () => fn('Line echo_Line(Line)')({ from: 5 }),
    'Unexpected Number value, expected object',
    TypeError,
  );
  throws(
    () => fn('Line echo_Line(Line)')({ label: true }),
    /^Unexpected Boolean value, expected /,
    TypeError,
  );
  throws(() => echo([1, 2]), 'Unexpected Array value, expected object', TypeError);
});

ours('an exception of a getter is thrown', () => {
  const failing = {
    get x() {
      throw new RangeError('in the getter');
    },
  };
  throws(() => fn('double point_sum_at(const Point *)')(failing), 'in the getter', RangeError);
  assert.equal(fn('double point_sum(Point)')({ x: 1, y: 2 }), 3);
});

test('pointers to structs: in, out, inout, null', () => {
  const sum = fn('double point_sum_at(const Point *)');
  assert.equal(sum({ x: 1, y: 2.5 }), 3.5);
  assert.equal(sum(null), -1);
  const point = { x: 1, y: 2, other: 'kept' };
  fn('void point_move(_Inout_ Point *, int, double)')(point, 10, 0.5);
  assert.deepEqual(point, { x: 11, y: 2.5, other: 'kept' });
  const input = { x: 1, y: 2 };
  fn('void point_move(Point *, int, double)')(input, 10, 0.5);
  assert.deepEqual(input, { x: 1, y: 2 });
  const out = { x: 100, y: 100 };
  fn('void point_move(_Out_ Point *, int, double)')(out, 10, 0.5);
  assert.deepEqual(out, { x: 10, y: 0.5 });
});

test('arrays of structs', () => {
  const sum = fn('double points_sum(const Point *, int)');
  assert.equal(
    sum(
      [
        { x: 1, y: 2 },
        { x: 3, y: 4 },
      ],
      2,
    ),
    46,
  );
  const list = [
    { x: 1, y: 1 },
    { x: 2, y: 2 },
    { x: 3, y: 3 },
  ];
  const [first] = list;
  fn('void points_fill(_Inout_ Point *, int)')(list, 3);
  assert.deepEqual(list, [
    { x: 1, y: 1 },
    { x: 3, y: 2.5 },
    { x: 5, y: 4 },
  ]);
  assert.equal(list.length, 3);
  assert.deepEqual(first, { x: 1, y: 1 });
  const out = [null, null];
  fn('void points_fill(_Out_ Point *, int)')(out, 2);
  assert.deepEqual(out, [
    { x: 0, y: 0 },
    { x: 1, y: 0.5 },
  ]);
});

test('a pointer result is an address', () => {
  const pointer = fn('Point *static_point()')();
  assert.deepEqual(koffi.decode(pointer, 'Point'), { x: 7, y: 8.5 });
  assert.equal(fn('double point_sum_at(const Point *)')(pointer), 15.5);
  const out = [null];
  fn('void give_point(_Out_ Point **)')(out);
  assert.equal(out[0], pointer);
});

test('structs with callbacks', () => {
  koffi.proto('int Unary(int)');
  koffi.struct('Handler', { f: 'Unary *', seed: 'int' });
  const call = fn('int handler_call(Handler, int)');
  assert.equal(call({ f: (v) => v * 2, seed: 5 }, 1), 12);
  assert.equal(call({ f: null, seed: 5 }, 1), -1);
  const list = [1, 2, 3].map((factor) => ({ f: (v) => v * factor, seed: factor }));
  assert.equal(fn('int handlers_call(const Handler *, int, int)')(list, 3, 10), 11 + 24 + 39);
});

test('type objects, strings and anonymous types are the same', () => {
  const anonymous = koffi.struct({ x: 'int', y: 'double' });
  assert.match(anonymous.name, /^<anonymous_[0-9]+>$/);
  assert.deepEqual(lib.func('make_point', anonymous, ['int', 'double'])(3, 4), { x: 3, y: 4 });
  assert.deepEqual(lib.func('make_point', Point, ['int', 'double'])(3, 4), { x: 3, y: 4 });
});

test('hostile member names', () => {
  const tricky = koffi.struct({ constructor: 'int', toString: 'double' });
  assert.equal(lib.func('point_sum', 'double', [tricky])({ constructor: 1, toString: 2 }), 3);
  const result = lib.func('make_point', tricky, ['int', 'double'])(3, 4);
  assert.deepEqual(Object.entries(result), [
    ['constructor', 3],
    ['toString', 4],
  ]);
});

ours('a member called __proto__ is a member', () => {
  const tricky = koffi.struct({ ['__proto__']: 'int', y: 'double' });
  const result = lib.func('make_point', tricky, ['int', 'double'])(3, 4);
  assert.deepEqual(Object.keys(result), ['__proto__', 'y']);
  assert.equal(Object.getPrototypeOf(result), Object.prototype);
});

test('errors leave the next call right', () => {
  const echo = fn('Big echo_Big(Big)');
  for (let i = 0; i < 100; i++) {
    throws(() => echo({ a: 1, b: 'x', name: 'n' }), /expected number/);
    assert.deepEqual(echo({ a: i, b: i / 2, name: `n${i}`, flag: i }), {
      a: i,
      b: i / 2,
      name: `n${i}`,
      flag: i,
    });
  }
});
