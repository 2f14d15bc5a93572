'use strict';

/**
 * The cases in terms of the ffi-rs API. `api` is whatever implements it: the published
 * package or ours.
 *
 * A signature is written as functions that return literals, so that the `load` contestants
 * build their types afresh on every call, as code written against that API does, while the
 * `define` contestants evaluate them once.
 */
const values = require('../../cases/values');
const { BENCH, MANY } = require('../paths');

/** name -> { symbol, ret, params, args }: the cases that are one call. */
function signatures({ DataType, arrayConstructor, FFITypeTag }) {
  const {
    I32,
    Double,
    Float,
    I64,
    BigInt: Big,
    U8,
    I16,
    U32,
    Boolean: Bool,
    Void,
    String: Str,
    U8Array,
    I32Array,
  } = DataType;
  const { BYTES, INTS, RECORD, TEXT_16, TEXT_200, TEXT_1K, TEXT_UMLAUTS, BIG } = values;
  const byValue = FFITypeTag.StackStruct;
  const inline = FFITypeTag.StackArray;
  const text = (symbol, value) => ({
    symbol,
    ret: () => I32,
    params: () => [Str],
    args: () => [value],
  });
  const textResult = (symbol) => ({ symbol, ret: () => Str, params: () => [], args: () => [] });
  const record = () => ({ id: I32, score: Double, stamp: I64, level: I32 });
  const point = () => ({ x: Double, y: Double, ffiTypeTag: byValue });
  const mixed = () => ({ a: I32, b: I32, c: Double, d: I64, ffiTypeTag: byValue });
  const grid = () => ({
    origin: { x: Double, y: Double, ffiTypeTag: byValue },
    cells: arrayConstructor({ type: I32Array, length: 4, ffiTypeTag: inline }),
    ffiTypeTag: byValue,
  });

  return {
    void: { symbol: 'nop', ret: () => Void, params: () => [], args: () => [] },
    i32_result: { symbol: 'answer', ret: () => I32, params: () => [], args: () => [] },
    sum: { symbol: 'sum', ret: () => I32, params: () => [I32, I32], args: (i) => [i, 2] },
    double2: {
      symbol: 'add_doubles',
      ret: () => Double,
      params: () => [Double, Double],
      args: (i) => [i, 0.5],
    },
    float2: {
      symbol: 'add_floats',
      ret: () => Float,
      params: () => [Float, Float],
      args: (i) => [i & 1023, 0.5],
    },
    ints8: {
      symbol: 'sum8',
      ret: () => I32,
      params: () => [I32, I32, I32, I32, I32, I32, I32, I32],
      args: (i) => [i, 1, 2, 3, 4, 5, 6, 7],
    },
    mixed12: {
      symbol: 'mixed12',
      ret: () => Double,
      params: () => [I32, Double, U8, I64, I16, Double, U32, Bool, I32, Double, I64, I32],
      args: (i) => [i, 1.5, 3, 4, 5, 6.5, 7, true, 9, 10, 11, 9],
    },
    u8: { symbol: 'add_u8', ret: () => U8, params: () => [U8, U8], args: (i) => [i & 127, 100] },
    bool: {
      symbol: 'negate',
      ret: () => Bool,
      params: () => [Bool],
      args: (i) => [(i & 1) === 1],
    },
    i64_number: {
      symbol: 'add_i64',
      ret: () => I64,
      params: () => [I64, I64],
      args: (i) => [i, 4294967296],
    },
    i64_bigint: {
      symbol: 'add_i64',
      ret: () => Big,
      params: () => [Big, Big],
      args: () => [BIG, 5n],
    },
    concat: {
      symbol: 'concat',
      ret: () => Str,
      params: () => [Str, Str],
      args: () => ['foo', 'bar'],
    },
    atoi: text('atoi', '1000'),
    str16: text('text_length', TEXT_16),
    str200: text('text_length', TEXT_200),
    str1k: text('text_length', TEXT_1K),
    str_utf8: text('text_length', TEXT_UMLAUTS),
    str16_result: textResult('text_16'),
    str1k_result: textResult('text_1k'),
    str_utf8_result: textResult('text_umlauts'),
    buffer: {
      symbol: 'ends_u8',
      ret: () => I32,
      params: () => [U8Array, I32],
      args: () => [BYTES, 100],
    },
    i32_array: {
      symbol: 'ends_i32',
      ret: () => I32,
      params: () => [I32Array, I32],
      args: () => [INTS, 100],
    },
    i32_array_result: {
      symbol: 'hundred_ints',
      ret: () => arrayConstructor({ type: I32Array, length: 100 }),
      params: () => [],
      args: () => [],
    },
    struct_pointer: {
      symbol: 'record_total',
      ret: () => Double,
      params: () => [record()],
      args: (i) => [{ id: i, score: RECORD.score, stamp: RECORD.stamp, level: RECORD.level }],
    },
    struct_pointer_result: {
      symbol: 'record_static',
      ret: record,
      params: () => [],
      args: () => [],
    },
    struct16: {
      symbol: 'swap_point',
      ret: point,
      params: () => [point()],
      args: (i) => [{ x: i, y: 2.5 }],
    },
    struct24: {
      symbol: 'bump_mixed',
      ret: mixed,
      params: () => [mixed()],
      args: (i) => [{ a: i, b: 2, c: 3.5, d: 4 }],
    },
    struct_nested: {
      symbol: 'shift_grid',
      ret: grid,
      params: () => [grid()],
      args: (i) => [{ origin: { x: i, y: 2.5 }, cells: [1, 2, 3, 4] }],
    },
  };
}

/** Functions from `define`: the types are read once. */
function defineCases(api) {
  const { I32, Double, Void, External, U8Array, I32Array, DoubleArray } = api.DataType;
  const { RsPointer } = api.PointerType;
  api.open({ library: 'bench', path: BENCH });
  const define = (symbol, entry) =>
    api.define({ [symbol]: { library: 'bench', ...entry } })[symbol];
  const cases = {};

  for (const [name, { symbol, ret, params, args }] of Object.entries(signatures(api))) {
    cases[name] = () => {
      const f = define(symbol, { retType: ret(), paramsType: params() });
      return (i) => f(args(i));
    };
  }

  cases.many_functions = () => {
    api.open({ library: 'many', path: MANY });
    const entry = () => ({ library: 'many', retType: I32, paramsType: [I32, I32] });
    const names = values.manyNames(8);
    const made = api.define(Object.fromEntries(names.map((name) => [name, entry()])));
    const functions = names.map((name) => made[name]);
    return (i) => functions[i & 7]([i, 2]);
  };

  cases.errno = () => {
    const f = define('fail_with', { retType: I32, paramsType: [I32], errno: true });
    return () => {
      const { errnoCode, value } = f([2]);
      return { code: errnoCode, value };
    };
  };

  cases.out_int = () => {
    const f = define('double_into', { retType: Void, paramsType: [I32, External] });
    return (i) => {
      const cell = api.createPointer({ paramsType: [I32], paramsValue: [0] });
      f([i, cell[0]]);
      const [value] = api.restorePointer({ retType: [I32], paramsValue: cell });
      api.freePointer({ paramsType: [I32], paramsValue: cell, pointerType: RsPointer });
      return value;
    };
  };

  cases.memset64 = () => {
    const f = define('fill', { retType: Void, paramsType: [U8Array, I32, I32] });
    const bytes = Buffer.alloc(64);
    return (i) => {
      f([bytes, i & 255, 64]);
      return bytes[63];
    };
  };

  cases.struct_inout = () => {
    const type = { x: Double, y: Double };
    const f = define('move_point', { retType: Void, paramsType: [External, Double] });
    return (i) => {
      const cell = api.createPointer({ paramsType: [type], paramsValue: [{ x: i, y: 2.5 }] });
      const [struct] = api.unwrapPointer(cell);
      f([struct, 1]);
      const [point] = api.restorePointer({ retType: [type], paramsValue: cell });
      api.freePointer({ paramsType: [type], paramsValue: cell, pointerType: RsPointer });
      return point;
    };
  };

  cases.create_free = () => (i) => {
    const cell = api.createPointer({ paramsType: [I32], paramsValue: [i] });
    api.freePointer({ paramsType: [I32], paramsValue: cell, pointerType: RsPointer });
    return cell.length === 1;
  };

  cases.restore_doubles = () => {
    const cell = api.wrapPointer([
      define('five_doubles', { retType: External, paramsType: [] })([]),
    ]);
    const type = api.arrayConstructor({ type: DoubleArray, length: 5 });
    return () => api.restorePointer({ retType: [type], paramsValue: cell })[0];
  };

  const unary = (extra) => api.funcConstructor({ paramsType: [I32], retType: I32, ...extra });
  const register = (type, f) =>
    api.unwrapPointer(api.createPointer({ paramsType: [type], paramsValue: [f] }))[0];
  const withCallback = (symbol, extra) => () => {
    const f = define(symbol, { retType: I32, paramsType: [External, I32], ...extra });
    const pointer = register(unary(), (value) => value + 1);
    return (i) => f([pointer, extra || symbol === 'apply' ? i : i % 1000]);
  };
  cases.callback = withCallback('apply');
  cases.callback_100 = withCallback('apply_100');
  cases.callback_thread = withCallback('apply', { runInNewThread: true });
  cases.callback_transient = () => {
    const f = define('apply', { retType: I32, paramsType: [unary({ needFree: true }), I32] });
    return (i) => f([(value) => value + 1, i]);
  };
  cases.qsort = () => {
    const int = () => api.arrayConstructor({ type: I32Array, length: 1 });
    const compare = api.funcConstructor({ paramsType: [int(), int()], retType: I32 });
    const f = define('sort_ints', { retType: Void, paramsType: [U8Array, I32, External] });
    const pointer = register(compare, (a, b) => a[0] - b[0]);
    const items = new Int32Array(values.UNSORTED.length);
    const bytes = Buffer.from(items.buffer);
    return () => {
      items.set(values.UNSORTED);
      f([bytes, items.length, pointer]);
      return items;
    };
  };

  cases.async_sum = () => {
    const f = define('sum', { retType: I32, paramsType: [I32, I32], runInNewThread: true });
    return (i) => f([i, 2]);
  };

  cases.open_close = () => (i) => {
    api.open({ library: 'passing', path: BENCH });
    const entry = { library: 'passing', retType: I32, paramsType: [I32, I32] };
    const result = api.define({ sum: entry }).sum([i, 2]);
    api.close('passing');
    return result;
  };
  cases.bind = () => ({
    run(names) {
      api.open({ library: 'many', path: MANY });
      const entries = {};
      for (const name of names) {
        entries[name] = { library: 'many', retType: I32, paramsType: [I32, I32] };
      }
      const made = api.define(entries);
      return names.map((name) => made[name]);
    },
    call: (f, a, b) => f([a, b]),
  });
  return cases;
}

/** `load` with fresh literals on every call: the API's everyday form. */
function loadCases(api) {
  const { I32 } = api.DataType;
  api.open({ library: 'bench', path: BENCH });
  const cases = {};

  for (const [name, { symbol, ret, params, args }] of Object.entries(signatures(api))) {
    cases[name] = () => (i) =>
      api.load({
        library: 'bench',
        funcName: symbol,
        retType: ret(),
        paramsType: params(),
        paramsValue: args(i),
      });
  }

  cases.many_functions = () => {
    api.open({ library: 'many', path: MANY });
    const names = values.manyNames(8);
    return (i) =>
      api.load({
        library: 'many',
        funcName: names[i & 7],
        retType: I32,
        paramsType: [I32, I32],
        paramsValue: [i, 2],
      });
  };

  cases.errno = () => () => {
    const { errnoCode, value } = api.load({
      library: 'bench',
      funcName: 'fail_with',
      retType: I32,
      paramsType: [I32],
      paramsValue: [2],
      errno: true,
    });
    return { code: errnoCode, value };
  };

  cases.async_sum = () => (i) =>
    api.load({
      library: 'bench',
      funcName: 'sum',
      retType: I32,
      paramsType: [I32, I32],
      paramsValue: [i, 2],
      runInNewThread: true,
    });

  for (const name of [
    'out_int',
    'create_free',
    'restore_doubles',
    'callback',
    'callback_transient',
    'callback_100',
    'callback_thread',
    'qsort',
    'open_close',
    'require',
  ]) {
    cases[name] = 'measured with define';
  }
  cases.bind = 'load binds nothing';
  return cases;
}

module.exports = { defineCases, loadCases };
