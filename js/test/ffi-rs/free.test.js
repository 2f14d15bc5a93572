'use strict';
// Sections 3.7 and 4.1: who frees what. In children with a tracker preloaded that sees every
// free() of the process, so that blocks are counted exactly.

const assert = require('node:assert/strict');
const test = require('node:test');
const support = require('../support/ffi');
const { CODES, throwsCoded } = require('../support/assert-coded');
const { valueInChild } = require('../support/child');
const { PRELOADS, trackerPath } = require('../support/native');

const { ffi, call, arrayOf, structArrayOf, pointerTo, unwrap, wrap } = support;
const { DataType: D, PointerType } = ffi;
const tracked = (body, options) =>
  valueInChild(body, { env: { LD_PRELOAD: trackerPath() }, ...options });

test('the tracker sees frees', PRELOADS, () => {
  const live = tracked(({ ffi: { load, DataType: T }, call }) => {
    const count = () =>
      load({
        library: 'main',
        funcName: 'tracked_live',
        retType: T.I64,
        paramsType: [],
        paramsValue: [],
      });
    const pointer = call('make_string', T.External, [T.I32], [100]);
    const before = count();
    load({
      library: 'main',
      funcName: 'free',
      retType: T.Void,
      paramsType: [T.External],
      paramsValue: [pointer],
    });
    return [before, count()];
  });
  assert.deepEqual(live, [1, 0]);
});

test('freeResultMemory frees strings, arrays and structs, and only them', PRELOADS, async () => {
  const live = tracked(
    async ({ ffi: { load, DataType: T }, call, arrayOf: array, structArrayOf, byValue }) => {
      const count = () =>
        load({
          library: 'main',
          funcName: 'tracked_live',
          retType: T.I64,
          paramsType: [],
          paramsValue: [],
        });
      const pointed = {
        text: T.String,
        wide: T.WString,
        names: array(T.StringArray, 2),
        bytes: array(T.U8Array, 3),
        shorts: array(T.I16Array, 2),
        ints: array(T.I32Array, 3),
        floats: array(T.FloatArray, 2),
        doubles: array(T.DoubleArray, 2),
      };
      const point = byValue({ x: T.I32, y: T.Double });
      const cases = {
        string: ['make_string', T.String, [T.I32], [10]],
        wide: ['concat_wide', T.WString, [T.WString, T.WString], ['a', 'b']],
        i16: ['make_i16_array', array(T.I16Array, 5), [T.I32], [5]],
        i32: ['make_i32_array', array(T.I32Array, 5), [T.I32], [5]],
        float: ['make_float_array', array(T.FloatArray, 5), [T.I32], [5]],
        double: ['make_double_array', array(T.DoubleArray, 5), [T.I32], [5]],
        u8: ['make_u8_array', array(T.U8Array, 5), [T.I32], [5]],
        strings: ['make_string_array', array(T.StringArray, 5), [T.I32], [5]],
        struct: ['pointed_make', pointed, [], []],
        structs: ['points_make', structArrayOf(point, 3), [T.I32], [3]],
      };
      const seen = {};
      for (const [name, args] of Object.entries(cases)) {
        const options = { freeResultMemory: true };
        const value = call(...args, options);
        const again = await call(...args, { ...options, runInNewThread: true });
        seen[name] = [count(), value, again];
      }
      // Nothing to free: these must neither crash nor free anything.
      const keep = { freeResultMemory: true };
      call('forty_two', T.I32, [], [], keep);
      call('nothing', T.Void, [], [], keep);
      call('null_string', T.String, [], [], keep);
      call('null_i32_array', array(T.I32Array, 2), [], [], keep);
      const pair = byValue({ a: T.I32, b: T.Double });
      call('pair_i32_double_twice', pair, [pair], [{ a: 1, b: 2 }], keep);
      call('make_string', T.External, [T.I32], [10], keep);
      seen.external = [count()];
      return seen;
    },
  );
  const values = {
    string: 'abcdefghij',
    wide: 'ab',
    i16: [0, 1, 2, 3, 4],
    i32: [0, 1, 2, 3, 4],
    float: [0, 1, 2, 3, 4],
    double: [0, 1, 2, 3, 4],
    u8: JSON.parse(JSON.stringify(Buffer.from([0, 1, 2, 3, 4]))),
    strings: ['s0', 's1', 's2', 's3', 's4'],
    struct: {
      text: 'made',
      wide: 'w\u20ac',
      names: ['first', 'second'],
      bytes: JSON.parse(JSON.stringify(Buffer.from([1, 2, 3]))),
      shorts: [0, 1],
      ints: [0, 1, 2],
      floats: [0, 1],
      doubles: [0, 1],
    },
    structs: [
      { x: 0, y: 0.5 },
      { x: 1, y: 1.5 },
      { x: 2, y: 2.5 },
    ],
  };
  for (const [name, value] of Object.entries(values)) {
    assert.deepEqual(live[name], [0, value, value], name);
  }
  assert.deepEqual(live.external, [1], 'what an External holds is left alone');
});

test('without freeResultMemory nothing is freed', PRELOADS, () => {
  const live = tracked(({ ffi: { load, DataType: T }, call, arrayOf: array }) => {
    call('make_string', T.String, [T.I32], [10]);
    call('make_string_array', array(T.StringArray, 2), [T.I32], [2], { freeResultMemory: false });
    return load({
      library: 'main',
      funcName: 'tracked_live',
      retType: T.I64,
      paramsType: [],
      paramsValue: [],
    });
  });
  assert.equal(live, 1 + 3);
});

test('freePointer of C memory', PRELOADS, () => {
  const live = tracked(({ ffi, call, arrayOf: array, wrap: toCell, pointerTo: cellOf }) => {
    const { load, freePointer, DataType: T } = ffi;
    const count = () =>
      load({
        library: 'main',
        funcName: 'tracked_live',
        retType: T.I64,
        paramsType: [],
        paramsValue: [],
      });
    const free = (type, pointer) =>
      freePointer({
        paramsType: [type],
        paramsValue: [pointer],
        pointerType: ffi.PointerType.CPointer,
      });
    const seen = {};
    free(T.External, call('make_string', T.External, [T.I32], [10]));
    seen.external = count();
    free(T.String, toCell(call('make_string', T.External, [T.I32], [10])));
    seen.string = count();
    free(array(T.I32Array, 3), toCell(call('make_i32_array', T.External, [T.I32], [3])));
    seen.array = count();
    const out = cellOf(T.Void, undefined);
    call('write_string', T.Void, [T.External], [out]);
    free(T.String, out);
    seen.out = count();
    // The common mix: a wrapped C string, freed as if it were ours.
    const cell = toCell(call('make_string', T.External, [T.I32], [10]));
    freePointer({
      paramsType: [T.String],
      paramsValue: [cell],
      pointerType: ffi.PointerType.RsPointer,
    });
    seen.mixed = count();
    return seen;
  });
  assert.deepEqual(live, { external: 0, string: 0, array: 0, out: 0, mixed: 0 });
});

test('cells and strings are from malloc: C may free them', () => {
  const free = (pointer) =>
    ffi.load({
      library: 'main',
      funcName: 'free',
      retType: D.Void,
      paramsType: [D.External],
      paramsValue: [pointer],
    });
  for (let i = 0; i < 1000; i++) {
    free(pointerTo(D.I32, 5));
    const text = pointerTo(D.String, `text ${i}`);
    free(unwrap(text));
    free(text);
    const list = pointerTo(D.I32Array, [1, 2, 3]);
    free(unwrap(list));
    free(list);
  }
});

test('freePointer returns undefined, for every type', () => {
  const types = [
    [D.I32, 1],
    [D.U8, 1],
    [D.I16, 1],
    [D.U32, 1],
    [D.I64, 1],
    [D.U64, 1],
    [D.BigInt, 1n],
    [D.Float, 1],
    [D.Double, 1],
    [D.Boolean, true],
    [D.String, 'x'],
    [D.WString, 'x'],
    [D.External, call('static_i32_array', D.External)],
    [D.Void, undefined],
    [arrayOf(D.I32Array, 2), [1, 2]],
    [arrayOf(D.StringArray, 2), ['a', 'b']],
    [arrayOf(D.U8Array, 2), Buffer.from([1, 2])],
    [
      { a: D.I32, b: D.String, c: { d: D.Double } },
      { a: 1, b: 'x', c: { d: 1 } },
    ],
    [{ a: D.String, ffiTypeTag: D.StackStruct }, { a: 'x' }],
  ];
  for (const [type, value] of types) {
    const cell = pointerTo(type, value);
    const result = ffi.freePointer({
      paramsType: [type],
      paramsValue: [cell],
      pointerType: PointerType.RsPointer,
    });
    assert.equal(result, undefined);
  }
});

test('a bare array type is enough to free what it made', () => {
  const cell = pointerTo(D.I32Array, [1, 2, 3]);
  try {
    ffi.freePointer({
      paramsType: [D.I32Array],
      paramsValue: [cell],
      pointerType: PointerType.RsPointer,
    });
  } catch (error) {
    assert.equal(error.code, CODES.type, 'or it says which type it wants');
  }
});

test('empty data is freed once, whatever lies beside it', () => {
  const item = { b: D.I32, ffiTypeTag: D.StackStruct };
  const nothing = { v: D.Void };
  const pairs = [
    [
      { a: arrayOf(D.I16Array, 0), b: structArrayOf(item, 2) },
      { a: [], b: [{ b: 1 }, { b: 2 }] },
    ],
    [
      { a: arrayOf(D.I32Array, 0), b: arrayOf(D.I32Array, 0), c: D.String },
      { a: [], b: [], c: '' },
    ],
    [structArrayOf(nothing, 3), [{ v: undefined }, { v: undefined }, { v: undefined }]],
    [
      { a: nothing, b: nothing },
      { a: { v: undefined }, b: { v: undefined } },
    ],
    [arrayOf(D.StringArray, 2), ['', '']],
  ];
  for (let i = 0; i < 100; i++) {
    for (const [type, value] of pairs) {
      const paramsValue = [pointerTo(type, value)];
      ffi.freePointer({ paramsType: [type], paramsValue, pointerType: PointerType.RsPointer });
    }
  }
});

test('fewer strings than the descriptor says are freed as they were made', () => {
  for (let i = 0; i < 100; i++) {
    for (const value of [[], ['one'], ['one', 'two']]) {
      const type = arrayOf(D.StringArray, 8);
      const paramsValue = [pointerTo(type, value)];
      ffi.freePointer({ paramsType: [type], paramsValue, pointerType: PointerType.RsPointer });
    }
  }
});

test('bad arguments of freePointer', () => {
  const cell = pointerTo(D.I32, 1);
  throwsCoded(
    () => ffi.freePointer({ paramsType: [D.I32], paramsValue: [cell] }),
    CODES.invalid,
    'Missing field `pointerType`',
  );
  throwsCoded(() => ffi.freePointer({ paramsType: [D.I32], paramsValue: [cell], pointerType: 7 }));
  throwsCoded(
    () => ffi.freePointer({ paramsType: [55], paramsValue: [cell], pointerType: 0 }),
    CODES.type,
  );
  ffi.freePointer({ paramsType: [D.I32], paramsValue: [cell], pointerType: PointerType.RsPointer });
});

test('freeing a cell of ours twice is an error', () => {
  for (const [type, value] of [
    [D.I32, 1],
    [D.String, 'x'],
    [arrayOf(D.I32Array, 2), [1, 2]],
    [{ a: D.I32 }, { a: 1 }],
  ]) {
    const free = (cell) =>
      ffi.freePointer({
        paramsType: [type],
        paramsValue: [cell],
        pointerType: PointerType.RsPointer,
      });
    const cell = pointerTo(type, value);
    free(cell);
    throwsCoded(() => free(cell));
  }
});

test('a freed address that was handed out again is fresh', () => {
  for (let i = 0; i < 1000; i++) {
    const cell = pointerTo(D.I32, i);
    assert.equal(ffi.restorePointer({ retType: [D.I32], paramsValue: [cell] })[0], i);
    ffi.freePointer({
      paramsType: [D.I32],
      paramsValue: [cell],
      pointerType: PointerType.RsPointer,
    });
  }
  assert.equal(ffi.isNullPointer(wrap(call('null_pointer', D.External))), false);
});
