'use strict';

/* global Bun */
const values = require('../cases/values');
const { BENCH, MANY } = require('../lib/paths');

const NO_STRUCTS = 'no structs by value';
const NO_THREADS = 'no asynchronous calls';

/** Bun with its own `bun:ffi`; it runs in Bun. */
module.exports = {
  order: 44,
  title: 'Bun FFI',
  role: 'peer',
  runtime: 'bun',
  gcArgv: [],
  version: () => Bun.version,
  cases: () => bunCases(require('bun:ffi')),
};

function bunCases(ffi) {
  const { BYTES, INTS, RECORD, TEXT_16, TEXT_200, TEXT_1K, TEXT_UMLAUTS, BIG } = values;
  const { dlopen, JSCallback, FFIType, toArrayBuffer, read } = ffi;
  const { i32, f64, f32, u8, i64, i64_fast: fast, i16, u32, bool, ptr, cstring } = FFIType;
  const nothing = FFIType.void;
  const get = (name, returns, args = []) =>
    dlopen(BENCH, { [name]: { args, returns } }).symbols[name];
  /** Strings go in as buffers that end with a NUL. */
  const cString = (text) => Buffer.from(`${text}\0`);
  const text = (value) => () => {
    const f = get('text_length', i32, [ptr]);
    return () => f(cString(value));
  };
  const textResult = (symbol) => () => {
    const f = get(symbol, cstring);
    return () => f().toString();
  };
  const increment = (value) => value + 1;
  const unary = { args: [i32], returns: i32 };

  return {
    void: () => {
      const f = get('nop', nothing);
      return () => f();
    },
    i32_result: () => {
      const f = get('answer', i32);
      return () => f();
    },
    sum: () => {
      const f = get('sum', i32, [i32, i32]);
      return (i) => f(i, 2);
    },
    double2: () => {
      const f = get('add_doubles', f64, [f64, f64]);
      return (i) => f(i, 0.5);
    },
    float2: () => {
      const f = get('add_floats', f32, [f32, f32]);
      return (i) => f(i & 1023, 0.5);
    },
    ints8: () => {
      const f = get('sum8', i32, Array(8).fill(i32));
      return (i) => f(i, 1, 2, 3, 4, 5, 6, 7);
    },
    mixed12: () => {
      const f = get('mixed12', f64, [i32, f64, u8, i64, i16, f64, u32, bool, i32, f64, i64, i32]);
      return (i) => f(i, 1.5, 3, 4, 5, 6.5, 7, true, 9, 10, 11, 9);
    },
    u8: () => {
      const f = get('add_u8', u8, [u8, u8]);
      return (i) => f(i & 127, 100);
    },
    bool: () => {
      const f = get('negate', bool, [bool]);
      return (i) => f((i & 1) === 1);
    },
    i64_number: () => {
      const f = get('add_i64', fast, [fast, fast]);
      return (i) => f(i, 4294967296);
    },
    i64_bigint: () => {
      const f = get('add_i64', i64, [i64, i64]);
      return () => f(BIG, 5n);
    },
    many_functions: () => {
      const names = values.manyNames(8);
      const entry = { args: [i32, i32], returns: i32 };
      const { symbols } = dlopen(MANY, Object.fromEntries(names.map((name) => [name, entry])));
      const functions = names.map((name) => symbols[name]);
      return (i) => functions[i & 7](i, 2);
    },
    errno: 'has no errno',

    concat: () => {
      const f = get('concat', cstring, [ptr, ptr]);
      return () => f(cString('foo'), cString('bar')).toString();
    },
    atoi: () => {
      const f = get('atoi', i32, [ptr]);
      return () => f(cString('1000'));
    },
    str16: text(TEXT_16),
    str200: text(TEXT_200),
    str1k: text(TEXT_1K),
    str_utf8: text(TEXT_UMLAUTS),
    str16_result: textResult('text_16'),
    str1k_result: textResult('text_1k'),
    str_utf8_result: textResult('text_umlauts'),

    buffer: () => {
      const f = get('ends_u8', i32, [ptr, i32]);
      return () => f(BYTES, 100);
    },
    memset64: () => {
      const f = get('fill', nothing, [ptr, i32, i32]);
      const bytes = new Uint8Array(64);
      return (i) => {
        f(bytes, i & 255, 64);
        return bytes[63];
      };
    },
    i32_array: () => {
      const f = get('ends_i32', i32, [ptr, i32]);
      return () => f(Int32Array.from(INTS), 100);
    },
    i32_array_result: () => {
      const f = get('hundred_ints', ptr);
      return () => new Int32Array(toArrayBuffer(f(), 0, 400));
    },
    out_int: () => {
      const f = get('double_into', nothing, [i32, ptr]);
      return (i) => {
        const out = new Int32Array(1);
        f(i, out);
        return out[0];
      };
    },
    create_free: 'allocates no native memory',
    restore_doubles: () => {
      const pointer = get('five_doubles', ptr)();
      return () => new Float64Array(toArrayBuffer(pointer, 0, 40));
    },

    // Structs are bytes, which a program reads and writes with views.
    struct_pointer: () => {
      const f = get('record_total', f64, [ptr]);
      return (i) => {
        const view = new DataView(new ArrayBuffer(32));
        view.setInt32(0, i, true);
        view.setFloat64(8, RECORD.score, true);
        view.setBigInt64(16, BigInt(RECORD.stamp), true);
        view.setInt32(24, RECORD.level, true);
        return f(view);
      };
    },
    struct_pointer_result: () => {
      const f = get('record_static', ptr);
      return () => {
        const at = f();
        return {
          id: read.i32(at, 0),
          score: read.f64(at, 8),
          stamp: Number(read.i64(at, 16)),
          level: read.i32(at, 24),
        };
      };
    },
    struct_inout: () => {
      const f = get('move_point', nothing, [ptr, f64]);
      return (i) => {
        const at = Float64Array.of(i, 2.5);
        f(at, 1);
        return { x: at[0], y: at[1] };
      };
    },
    struct16: NO_STRUCTS,
    struct24: NO_STRUCTS,
    struct_nested: NO_STRUCTS,

    callback: () => {
      const f = get('apply', i32, [ptr, i32]);
      const made = new JSCallback(increment, unary);
      return (i) => f(made.ptr, i);
    },
    callback_100: () => {
      const f = get('apply_100', i32, [ptr, i32]);
      const made = new JSCallback(increment, unary);
      return (i) => f(made.ptr, i % 1000);
    },
    callback_transient: () => {
      const f = get('apply', i32, [ptr, i32]);
      return (i) => {
        const made = new JSCallback((value) => value + 1, unary);
        const result = f(made.ptr, i);
        made.close();
        return result;
      };
    },
    qsort: () => {
      const f = get('sort_ints', nothing, [ptr, i32, ptr]);
      const made = new JSCallback((a, b) => read.i32(a, 0) - read.i32(b, 0), {
        args: [ptr, ptr],
        returns: i32,
      });
      const items = new Int32Array(values.UNSORTED.length);
      return () => {
        items.set(values.UNSORTED);
        f(items, items.length, made.ptr);
        return items;
      };
    },
    callback_thread: NO_THREADS,
    async_sum: NO_THREADS,

    open_close: () => (i) => {
      const library = dlopen(BENCH, { sum: { args: [i32, i32], returns: i32 } });
      const result = library.symbols.sum(i, 2);
      library.close();
      return result;
    },
    bind: () => ({
      run(names) {
        const entry = { args: [i32, i32], returns: i32 };
        const { symbols } = dlopen(MANY, Object.fromEntries(names.map((name) => [name, entry])));
        return names.map((name) => symbols[name]);
      },
      call: (f, a, b) => f(a, b),
    }),
  };
}
