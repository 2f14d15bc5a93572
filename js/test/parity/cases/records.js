'use strict';
// Structs, struct arrays and cells.

module.exports = (helpers) => {
  const { ffi, call, arrayOf, inlineOf, structArrayOf, byValue, pointerTo, restore, unwrap, wrap } =
    helpers;
  const { DataType: D, PointerType } = ffi;
  const cases = [];
  const add = (id, run) => cases.push([id, run]);
  const POINT = { x: D.I32, y: D.Double };
  const SCALARS = {
    flag: D.Boolean,
    u8: D.U8,
    i16: D.I16,
    i32: D.I32,
    u32: D.U32,
    i64: D.I64,
    u64: D.U64,
    d: D.Double,
  };
  const values = {
    flag: true,
    u8: 200,
    i16: -5,
    i32: -6,
    u32: 4000000000,
    i64: -7,
    u64: 8,
    d: 0.5,
  };
  const back = (type, value) => () => restore(type, pointerTo(type, value));

  add('structs/scalars', back(SCALARS, values));
  add('structs/scalars by value', back(byValue(SCALARS), values));
  for (const [name, type, value] of [
    ['U8', D.U8, 257],
    ['I16', D.I16, 40_000],
    ['I32', D.I32, 2 ** 31],
    ['U32', D.U32, -1],
    ['I64', D.I64, 1e20],
    ['BigInt number', D.BigInt, 5],
    ['BigInt bigint', D.BigInt, 5n],
    ['Float', D.Float, 0.5],
    ['String', D.String, '\u20ac'],
    ['WString', D.WString, '\u20ac'],
    ['Void', D.Void, undefined],
    ['Boolean', D.Boolean, false],
  ]) {
    add(`structs/field ${name}`, back({ a: type, end: D.I32 }, { a: value, end: 77 }));
  }
  for (const [kind, value] of Object.entries({
    string: '5',
    null: null,
    undefined,
    bigint: 1n,
    boolean: true,
    object: {},
  })) {
    add(`structs/wrong number field ${kind}`, back({ d: D.I32 }, { d: value }));
    add(
      `structs/wrong string field ${kind}`,
      back({ d: D.String }, { d: kind === 'string' ? 5 : value }),
    );
  }
  add('structs/missing field', back({ d: D.I32 }, {}));
  add('structs/number as struct', back({ d: D.I32 }, 5));
  add('structs/nested pointer', () =>
    call(
      'outer_pointer_sum',
      D.Double,
      [{ tag: D.U8, in: { x: D.I16, y: D.Double }, tail: D.Float }],
      [{ tag: 1, in: { x: 2, y: 3 }, tail: 4 }],
    ),
  );
  add('structs/nested inline', () =>
    call(
      'outer_inline_sum',
      D.Double,
      [{ tag: D.U8, in: byValue({ x: D.I16, y: D.Double }), tail: D.Float }],
      [{ tag: 1, in: { x: 2, y: 3 }, tail: 4 }],
    ),
  );
  add('structs/order of keys', () =>
    call(
      'ordered_weigh',
      D.Double,
      [{ b: D.Double, a: D.Double, 2: D.I32, 1: D.I32 }],
      [{ a: 4, b: 3, 1: 1, 2: 2 }],
    ),
  );
  add('structs/inherited types and values', () =>
    call(
      'ordered_weigh',
      D.Double,
      [Object.assign(Object.create({ b: D.Double, a: D.Double }), { one: D.I32, two: D.I32 })],
      [Object.create({ one: 1, two: 2, b: 3, a: 4 })],
    ),
  );
  add('structs/names of descriptors', () =>
    call('named_make', byValue({ type: D.I32, length: D.Double, value: D.I32, paramsType: D.I32 })),
  );
  add('structs/result by pointer', () => call('points_static', POINT));
  add('structs/result by value', () =>
    call(
      'pair_i32_double_twice',
      byValue({ a: D.I32, b: D.Double }),
      [byValue({ a: D.I32, b: D.Double })],
      [{ a: 1, b: 2 }],
    ),
  );
  add('structs/doubles by value', () =>
    call(
      'pair_double_double_twice',
      byValue({ a: D.Double, b: D.Double }),
      [byValue({ a: D.Double, b: D.Double })],
      [{ a: 1, b: 2 }],
    ),
  );
  add('structs/empty type', () => call('points_static', {}));
  add('structs/keys of results', () =>
    Object.keys(
      call(
        'named_make',
        byValue({ type: D.I32, length: D.Double, value: D.I32, paramsType: D.I32 }),
      ),
    ),
  );
  add('structs/unknown field type', () => call('points_static', { x: 55 }));
  add('structs/bare array field', () => call('points_static', { x: D.I32Array }));
  add('structs/NULL pointer', () => call('scalars_null', POINT));
  add('structs/NULL string field', () => call('pointed_nulls', { text: D.String }));

  const inline = byValue({
    bytes: inlineOf(D.U8Array, 5),
    shorts: inlineOf(D.I16Array, 3),
    ints: inlineOf(D.I32Array, 4),
  });
  add(
    'structs/inline arrays',
    back(inline, { bytes: Buffer.from([1, 2, 3, 4, 5]), shorts: [1, -2, 3], ints: [1, -2, 3, 4] }),
  );
  add(
    'structs/inline doubles',
    back(byValue({ d: inlineOf(D.DoubleArray, 2), end: D.I32 }), { d: [0.5, -1], end: 7 }),
  );
  add(
    'structs/inline floats',
    back(byValue({ f: inlineOf(D.FloatArray, 2), end: D.I32 }), { f: [0.5, -1], end: 7 }),
  );
  add(
    'structs/inline strings',
    back(byValue({ s: inlineOf(D.StringArray, 2) }), { s: ['a', 'b'] }),
  );
  const pointed = {
    text: D.String,
    names: arrayOf(D.StringArray, 2),
    bytes: arrayOf(D.U8Array, 3),
    ints: arrayOf(D.I32Array, 2),
    doubles: arrayOf(D.DoubleArray, 2),
  };
  add(
    'structs/pointed arrays',
    back(pointed, {
      text: 't',
      names: ['a', 'b'],
      bytes: Buffer.from([1, 2, 3]),
      ints: [1, 2],
      doubles: [0.5, 1],
    }),
  );

  const list = [
    { x: 1, y: 0.5 },
    { x: 2, y: 0.25 },
  ];
  add('struct arrays/contiguous parameter', () =>
    call('points_sum', D.Double, [structArrayOf(byValue(POINT), 2), D.I32], [list, 2]),
  );
  add('struct arrays/pointer parameter', () =>
    call('point_pointers_sum', D.Double, [structArrayOf(POINT, 2), D.I32], [list, 2]),
  );
  add('struct arrays/contiguous result', () =>
    call('points_static', structArrayOf(byValue(POINT), 3)),
  );
  add('struct arrays/cell', back(structArrayOf(byValue(POINT), 2), list));
  add(
    'struct arrays/last field',
    back(
      byValue({ id: D.U8, points: inlineOf(D.StructArray, 2, { structItemType: byValue(POINT) }) }),
      { id: 1, points: list },
    ),
  );
  add('struct arrays/wrong item', () =>
    call(
      'points_sum',
      D.Double,
      [structArrayOf(byValue(POINT), 2), D.I32],
      [[list[0], { x: 1 }], 2],
    ),
  );
  add('struct arrays/no values', () =>
    call('points_sum', D.Double, [structArrayOf(byValue(POINT), 2), D.I32], [[], 0]),
  );

  for (const [name, value] of Object.entries({
    U8: 200,
    I16: -5,
    I32: -6,
    U32: 4000000000,
    I64: -7,
    U64: 8,
    Double: 0.5,
    Float: 0.5,
    Boolean: true,
    BigInt: 5n,
    String: '\u20ac',
    WString: '\u20ac',
    Void: undefined,
  })) {
    add(`pointers/${name}`, back(D[name], value));
  }
  for (const [name, value] of Object.entries({
    I16Array: [1, -2],
    I32Array: [1, -2],
    DoubleArray: [0.5, -2],
    FloatArray: [0.5, -2],
    StringArray: ['a', '\u20ac'],
    U8Array: Buffer.from([1, 2]),
  })) {
    add(`pointers/${name}`, () => restore(arrayOf(D[name], 2), pointerTo(D[name], value)));
    add(`pointers/bare ${name}`, () => restore(D[name], pointerTo(D[name], value)));
  }
  add('pointers/wrapped string', () => restore(D.String, wrap(call('static_string', D.External))));
  add('pointers/wrapped array', () =>
    restore(arrayOf(D.I32Array, 3), wrap(call('static_i32_array', D.External))),
  );
  add('pointers/scalar from C', () => restore(D.I32, call('static_i32_array', D.External)));
  add('pointers/C writes', () => {
    const cell = pointerTo(D.I32, 1);
    call('write_i32', D.Void, [D.External, D.I32], [cell, 99]);
    return restore(D.I32, cell);
  });
  add('pointers/C points elsewhere', () => {
    const cell = pointerTo(D.String, 'before');
    call('write_static_string', D.Void, [D.External], [cell]);
    return restore(D.String, cell);
  });
  add('pointers/unwrapped', () =>
    call('string_bytes', D.I32, [D.External], [unwrap(pointerTo(D.String, 'four'))]),
  );
  add('pointers/null', () => [helpers.nullPointer(), pointerTo(D.I32, 0)]);
  add('pointers/short lists', () =>
    ffi.restorePointer({ retType: [D.I32, D.I32], paramsValue: [pointerTo(D.I32, 5)] }),
  );
  add('pointers/number as External', () => pointerTo(D.External, 0));
  add('pointers/wrong count', () => ffi.createPointer({ paramsType: [D.I32], paramsValue: [] }));
  add('pointers/isNullPointer of null', () => ffi.isNullPointer(null));
  add('pointers/unwrap a number', () => ffi.unwrapPointer([5]));
  add('pointers/unwrap no list', () => ffi.unwrapPointer(5));
  add('pointers/NULL string in a cell', () => restore(D.String, pointerTo(D.Void, undefined)));
  add('pointers/view', () => ffi.createExternalBuffer(pointerTo(D.I32, 0x01020304), 4));
  add('pointers/empty view', () => ffi.createExternalBuffer(pointerTo(D.I32, 1), 0));
  add('pointers/view of null', () => ffi.createExternalBuffer(helpers.nullPointer(), 4));
  add('pointers/view without length', () => ffi.createExternalBuffer(pointerTo(D.I32, 1)));
  const free = (type, cell, pointerType = PointerType.RsPointer) =>
    ffi.freePointer({ paramsType: [type], paramsValue: [cell], pointerType });
  for (const [name, type, value] of [
    ['scalar', D.I32, 1],
    ['string', D.String, 'x'],
    ['array', arrayOf(D.I32Array, 2), [1, 2]],
    ['struct', { a: D.String }, { a: 'x' }],
  ]) {
    add(`pointers/free ${name}`, () => free(type, pointerTo(type, value)));
  }
  add('pointers/free C string', () =>
    free(D.String, wrap(call('make_string', D.External, [D.I32], [5])), PointerType.CPointer),
  );
  add('pointers/free without pointerType', () => free(D.I32, pointerTo(D.I32, 1), null));
  add('pointers/free bare array', () => free(D.I32Array, pointerTo(D.I32Array, [1])));
  return cases;
};
