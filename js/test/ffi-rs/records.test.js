'use strict';
// Sections 3.3 and 3.4: text and arrays in structs, inline and pointed to, struct arrays
// anywhere, and the person with a field of every kind.

const assert = require('node:assert/strict');
const test = require('node:test');
const support = require('../support/ffi');
const { CODES, assertCoded, throwsCoded } = require('../support/assert-coded');
const { ffi, call, arrayOf, inlineOf, structArrayOf, byValue, pointerTo, restore } = support;

const { DataType: D } = ffi;
const POINT = { x: D.I32, y: D.Double };

const INLINE = {
  bytes: inlineOf(D.U8Array, 5),
  shorts: inlineOf(D.I16Array, 3),
  ints: inlineOf(D.I32Array, 4),
  floats: inlineOf(D.FloatArray, 3),
  doubles: inlineOf(D.DoubleArray, 2),
};
const INLINE_VALUES = {
  bytes: Buffer.from([1, 2, 3, 4, 255]),
  shorts: [-1, 2, -32768],
  ints: [1, -2, 3, -(2 ** 31)],
  floats: [0.5, -1.5, 2.5],
  doubles: [0.1, -1e300],
};

test('inline arrays of every kind, both ways', () => {
  assert.deepEqual(call('inline_arrays_make', byValue(INLINE)), INLINE_VALUES);
  assert.deepEqual(
    call('inline_arrays_echo', byValue(INLINE), [byValue(INLINE)], [INLINE_VALUES]),
    INLINE_VALUES,
  );
  const value = { ...INLINE_VALUES, doubles: [0.5, 0.25] };
  const expected = 265 - 32767 + 1.5 + 2 - 2 ** 31 + 0.75;
  assert.equal(call('inline_arrays_sum', D.Double, [INLINE], [value]), expected);
  const cell = pointerTo(byValue(INLINE), INLINE_VALUES);
  assert.deepEqual(restore(byValue(INLINE), cell), INLINE_VALUES);
});

/** What reading back gives, or undefined when the value was refused with a coded Error. */
function restoredOrRefused(type, value) {
  let cell;
  try {
    cell = pointerTo(type, value);
  } catch (error) {
    assertCoded(error);
    return undefined;
  }
  return restore(type, cell);
}

test('a value of another length than its inline array is refused, cut, or filled with zeros', () => {
  const ints = byValue({ a: inlineOf(D.I32Array, 4), end: D.I32 });
  const bytes = byValue({ a: inlineOf(D.U8Array, 4), end: D.I32 });
  for (const [type, value, expected] of [
    [ints, [1, 2], [1, 2, 0, 0]],
    [ints, [], [0, 0, 0, 0]],
    [ints, [1, 2, 3, 4, 5, 6], [1, 2, 3, 4]],
    [bytes, Buffer.from([1]), Buffer.from([1, 0, 0, 0])],
    [bytes, Buffer.from([1, 2, 3, 4, 5]), Buffer.from([1, 2, 3, 4])],
  ]) {
    const restored = restoredOrRefused(type, { a: value, end: 77 });
    if (restored !== undefined) assert.deepEqual(restored, { a: expected, end: 77 });
  }
});

test('inline arrays refuse wrong elements', () => {
  for (const wrong of ['1', null, undefined, 1n]) {
    throwsCoded(() => pointerTo(byValue({ a: inlineOf(D.I32Array, 2) }), { a: [1, wrong] }));
  }
  throwsCoded(() => pointerTo(byValue({ a: inlineOf(D.I32Array, 2) }), { a: new Int32Array(2) }));
});

test('an inline StringArray is an array of char *, or refused', () => {
  const type = byValue({ names: inlineOf(D.StringArray, 2) });
  let cell;
  try {
    cell = pointerTo(type, { names: ['a', 'b'] });
  } catch (error) {
    assert.equal(error.code, CODES.type);
    return;
  }
  assert.deepEqual(restore(type, cell), { names: ['a', 'b'] });
});

const POINTED = {
  text: D.String,
  wide: D.WString,
  names: arrayOf(D.StringArray, 2),
  bytes: arrayOf(D.U8Array, 3),
  shorts: arrayOf(D.I16Array, 2),
  ints: arrayOf(D.I32Array, 3),
  floats: arrayOf(D.FloatArray, 2),
  doubles: arrayOf(D.DoubleArray, 2),
};
const POINTED_VALUES = {
  text: 'text',
  wide: 'wide \u20ac',
  names: ['ann', 'bo'],
  bytes: Buffer.from([9, 8, 7]),
  shorts: [-5, 5],
  ints: [100, -100, 7],
  floats: [0.25, 0.75],
  doubles: [1.125, -2.5],
};
const POINTED_SUM = 4 + 600 + 5000 + 0 + 1 - 1.375 + 24 + 7;

test('text and arrays behind pointers, both ways', () => {
  assert.deepEqual(call('pointed_static', POINTED), POINTED_VALUES);
  assert.equal(call('pointed_sum', D.Double, [POINTED], [POINTED_VALUES]), POINTED_SUM);
  assert.equal(
    call('pointed_sum_value', D.Double, [byValue(POINTED)], [POINTED_VALUES]),
    POINTED_SUM,
  );
  const cell = pointerTo(POINTED, POINTED_VALUES);
  assert.deepEqual(restore(POINTED, cell), POINTED_VALUES);
  ffi.freePointer({
    paramsType: [POINTED],
    paramsValue: [cell],
    pointerType: ffi.PointerType.RsPointer,
  });
});

test('NULL behind every pointer field is null', () => {
  const nulls = Object.fromEntries(Object.keys(POINTED).map((name) => [name, null]));
  assert.deepEqual(call('pointed_nulls', POINTED), nulls);
});

test('long text in a struct', () => {
  const value = { ...POINTED_VALUES, text: 'x'.repeat(200_000), names: ['y'.repeat(100_000), ''] };
  const cell = pointerTo(POINTED, value);
  assert.deepEqual(restore(POINTED, cell), value);
});

test('struct arrays as parameters: contiguous and of pointers', () => {
  const value = [
    { x: 1, y: 0.5 },
    { x: 2, y: 0.25 },
    { x: 3, y: 0 },
  ];
  const expected = 1.5 + 4.5 + 9;
  assert.equal(
    call('points_sum', D.Double, [structArrayOf(byValue(POINT), 3), D.I32], [value, 3]),
    expected,
  );
  assert.equal(
    call('point_pointers_sum', D.Double, [structArrayOf(POINT, 3), D.I32], [value, 3]),
    expected,
  );
});

test('struct arrays as results: contiguous and of pointers', () => {
  const points = [
    { x: 1, y: 1.5 },
    { x: 2, y: 2.5 },
    { x: 3, y: 3.5 },
  ];
  assert.deepEqual(call('points_static', structArrayOf(byValue(POINT), 3)), points);
  assert.deepEqual(call('points_static', structArrayOf(byValue(POINT), 1)), points.slice(0, 1));
  assert.deepEqual(call('points_static', structArrayOf(byValue(POINT), 0)), []);
  assert.deepEqual(
    call('point_pointers_static', structArrayOf(POINT, 3)),
    points.slice().reverse(),
  );
  assert.equal(call('points_null', structArrayOf(byValue(POINT), 2)), null);
});

test('a struct array parameter of another length than its descriptor', () => {
  const sum = (length, value) =>
    call(
      'points_sum',
      D.Double,
      [structArrayOf(byValue(POINT), length), D.I32],
      [value, value.length],
    );
  const two = [
    { x: 1, y: 0 },
    { x: 2, y: 0 },
  ];
  assert.equal(sum(5, two), 5, 'fewer values: the rest is zero');
  assert.equal(sum(2, []), 0);
  assert.equal(sum(0, []), 0);
  // More values than the descriptor says: all of them, like other arrays, or an error.
  let total;
  try {
    total = sum(1, two);
  } catch (error) {
    assert.equal(typeof error.code, 'string');
    return;
  }
  assert.equal(total, 5);
});

test('wrong items of struct arrays', () => {
  const sum = (value) =>
    call('points_sum', D.Double, [structArrayOf(byValue(POINT), 2), D.I32], [value, 2]);
  throwsCoded(
    () => sum([{ x: 1, y: 2 }, { x: 3 }]),
    CODES.invalid,
    "Object property 'y' type mismatch. Expect value to be Number, but received Undefined",
  );
  for (const wrong of [null, undefined, 5, 'text']) throwsCoded(() => sum([{ x: 1, y: 2 }, wrong]));
  throwsCoded(() => sum({ length: 0 }), CODES.array);
  throwsCoded(() => call('points_static', arrayOf(D.StructArray, 2)), CODES.type);
  throwsCoded(() => call('points_static', structArrayOf(5, 2)), CODES.type);
  throwsCoded(() => call('points_static', structArrayOf({ x: 55 }, 2)), CODES.type);
});

test('a struct array in the middle of a struct, inline', () => {
  const type = {
    id: D.U8,
    points: inlineOf(D.StructArray, 3, { structItemType: byValue(POINT) }),
    after: D.Double,
  };
  const value = {
    id: 7,
    points: [
      { x: 1, y: 0.5 },
      { x: 2, y: 0.25 },
      { x: 3, y: 0 },
    ],
    after: 2,
  };
  assert.equal(call('shape_inline_sum', D.Double, [type], [value]), 7 + 15 + 2000);
  assert.deepEqual(call('shape_inline_next', byValue(type), [byValue(type)], [value]), {
    id: 8,
    points: [
      { x: 11, y: 0.5 },
      { x: 12, y: 0.25 },
      { x: 13, y: 0 },
    ],
    after: 3,
  });
  const cell = pointerTo(byValue(type), value);
  assert.deepEqual(restore(byValue(type), cell), value);
});

test('a struct array in the middle of a struct, behind a pointer', () => {
  const type = { id: D.U8, points: structArrayOf(byValue(POINT), 3), after: D.Double };
  const value = {
    id: 7,
    points: [
      { x: 1, y: 0.5 },
      { x: 2, y: 0.25 },
      { x: 3, y: 0 },
    ],
    after: 2,
  };
  assert.equal(call('shape_pointer_sum', D.Double, [type], [value]), 7 + 15 + 2000);
  assert.deepEqual(call('shape_pointer_static', type), {
    id: 5,
    points: [
      { x: 1, y: 1.5 },
      { x: 2, y: 2.5 },
      { x: 3, y: 3.5 },
    ],
    after: 0.125,
  });
});

test('inline arrays of struct pointers', () => {
  const type = {
    id: D.U8,
    points: inlineOf(D.StructArray, 2, { structItemType: POINT }),
    after: D.Double,
  };
  const value = {
    id: 7,
    points: [
      { x: 1, y: 0 },
      { x: 2, y: 0 },
    ],
    after: 2,
  };
  assert.equal(call('shape_inline_pointers_sum', D.Double, [type], [value]), 7 + 1 + 20 + 2000);
  assert.deepEqual(restore(type, pointerTo(type, value)), value);
});

const PERSON = {
  age: D.I32,
  scores: arrayOf(D.DoubleArray, 2),
  name: D.String,
  aliases: arrayOf(D.StringArray, 2),
  married: D.Boolean,
  id: D.I64,
  level: D.U8,
  rank: D.I16,
  flags: D.U32,
  serial: D.U64,
  weight: D.Float,
  height: D.Double,
  fortune: D.BigInt,
  handle: D.External,
  home: byValue(POINT),
  work: POINT,
  photo: arrayOf(D.U8Array, 4),
  lucky: inlineOf(D.I32Array, 3),
  route: inlineOf(D.StructArray, 2, { structItemType: byValue(POINT) }),
  parent: {},
};
const PERSON_VALUES = {
  age: 41,
  scores: [1.5, -2.5],
  name: 'Alice \u20ac',
  aliases: ['Al', 'Ally'],
  married: true,
  id: 1234567890123,
  level: 250,
  rank: -300,
  flags: 0xf0000001,
  serial: 2 ** 50,
  weight: 61.5,
  height: 1.75,
  fortune: 2n ** 63n - 1n,
  home: { x: 3, y: 4.25 },
  work: { x: 30, y: 40.5 },
  photo: Buffer.from([0xde, 0xad, 0xbe, 0xef]),
  lucky: [7, 13, -21],
  route: [
    { x: 1, y: 0.5 },
    { x: 2, y: 0.25 },
  ],
};
const withoutHandle = ({ handle, ...rest }) => rest;

test('a person from C, by pointer and by value', () => {
  const expected = { ...PERSON_VALUES, parent: {} };
  const pointed = call('person_make', PERSON);
  assert.deepEqual(withoutHandle(pointed), expected);
  assert.equal(restore(D.I32, pointed.handle), 77);
  assert.deepEqual(withoutHandle(call('person_value', byValue(PERSON))), expected);
  assert.deepEqual(Object.keys(pointed), Object.keys(PERSON));
});

test('a person with a parent of the same kind', () => {
  const child = call('person_make', { ...PERSON, parent: PERSON });
  assert.equal(child.parent.age, 70);
  assert.equal(child.parent.name, 'Parent');
  assert.deepEqual(child.parent.parent, {});
  assert.deepEqual(withoutHandle({ ...child.parent, age: 41, name: PERSON_VALUES.name }), {
    ...PERSON_VALUES,
    parent: {},
  });
});

test('a person to C and back, by pointer and by value', () => {
  const handle = pointerTo(D.I32, 5);
  const value = { ...PERSON_VALUES, handle, parent: {} };
  const expected = { ...PERSON_VALUES, parent: {} };
  assert.deepEqual(withoutHandle(call('person_echo', PERSON, [PERSON], [value])), expected);
  const byCopy = call('person_echo_value', byValue(PERSON), [byValue(PERSON)], [value]);
  assert.deepEqual(withoutHandle(byCopy), expected);
  assert.equal(restore(D.I32, byCopy.handle), 5);
  const read = call('person_make', PERSON);
  assert.equal(
    call('person_sum', D.Double, [PERSON], [read]),
    call('person_sum', D.Double, [D.External], [call('person_make', D.External)]),
  );
});

test('a person in a cell, changed by C', () => {
  const value = { ...PERSON_VALUES, handle: pointerTo(D.I32, 5), parent: {} };
  const cell = pointerTo(PERSON, value);
  call('person_birthday', D.Void, [D.External], [support.unwrap(cell)]);
  const after = restore(PERSON, cell);
  assert.deepEqual(withoutHandle(after), {
    ...PERSON_VALUES,
    age: 42,
    height: 2,
    name: 'Renamed',
    parent: {},
  });
});

test('deeply nested types', () => {
  let inline = { value: D.I32 };
  let pointers = { value: D.I32 };
  let value = { value: 99 };
  for (let depth = 0; depth < 40; depth++) {
    inline = { tag: D.U8, in: byValue(inline) };
    pointers = { tag: D.U8, in: pointers };
    value = { tag: depth, in: value };
  }
  assert.deepEqual(restore(byValue(inline), pointerTo(byValue(inline), value)), value);
  assert.deepEqual(restore(pointers, pointerTo(pointers, value)), value);
});

test('wide structs', () => {
  const names = Array.from({ length: 500 }, (_, i) => `field${i}`);
  const type = Object.fromEntries(
    names.map((name, i) => [name, [D.U8, D.Double, D.I16, D.String][i % 4]]),
  );
  const value = Object.fromEntries(
    names.map((name, i) => [name, [i & 255, i / 2, i, name][i % 4]]),
  );
  assert.deepEqual(restore(type, pointerTo(type, value)), value);
  assert.deepEqual(restore(byValue(type), pointerTo(byValue(type), value)), value);
});
