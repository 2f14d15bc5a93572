'use strict';

/* global Deno */
const values = require('../cases/values');
const { BENCH, MANY } = require('../lib/paths');

/** Deno with its own FFI, `Deno.dlopen`; it runs in Deno. */
module.exports = {
  order: 42,
  title: 'Deno FFI',
  role: 'peer',
  runtime: 'deno',
  execArgv: ['run', '--allow-all', '--no-lock', '--quiet'],
  gcArgv: ['--v8-flags=--expose-gc'],
  version: () => Deno.version.deno,
  cases: denoCases,
};

const I32 = 'i32';

function denoCases() {
  const { BYTES, INTS, RECORD, TEXT_16, TEXT_200, TEXT_1K, TEXT_UMLAUTS, BIG } = values;
  const get = (name, result, parameters = [], more = {}) =>
    Deno.dlopen(BENCH, { [name]: { parameters, result, ...more } }).symbols[name];
  const { UnsafePointerView: View, UnsafeCallback: Callback } = Deno;
  const encoder = new TextEncoder();
  /** Strings go in as buffers that end with a NUL. */
  const cString = (text) => encoder.encode(`${text}\0`);
  const text = (value) => () => {
    const f = get('text_length', I32, ['buffer']);
    return () => f(cString(value));
  };
  const textResult = (symbol) => () => {
    const f = get(symbol, 'pointer');
    return () => View.getCString(f());
  };
  const increment = (value) => value + 1;
  const unary = { parameters: [I32], result: I32 };
  const point = { struct: ['f64', 'f64'] };
  const mixed = { struct: [I32, I32, 'f64', 'i64'] };
  const grid = { struct: [point, I32, I32, I32, I32] };

  return {
    void: () => {
      const f = get('nop', 'void');
      return () => f();
    },
    i32_result: () => {
      const f = get('answer', I32);
      return () => f();
    },
    sum: () => {
      const f = get('sum', I32, [I32, I32]);
      return (i) => f(i, 2);
    },
    double2: () => {
      const f = get('add_doubles', 'f64', ['f64', 'f64']);
      return (i) => f(i, 0.5);
    },
    float2: () => {
      const f = get('add_floats', 'f32', ['f32', 'f32']);
      return (i) => f(i & 1023, 0.5);
    },
    ints8: () => {
      const f = get('sum8', I32, Array(8).fill(I32));
      return (i) => f(i, 1, 2, 3, 4, 5, 6, 7);
    },
    mixed12: () => {
      const f = get('mixed12', 'f64', [
        I32,
        'f64',
        'u8',
        'i64',
        'i16',
        'f64',
        'u32',
        'bool',
        I32,
        'f64',
        'i64',
        I32,
      ]);
      return (i) => f(i, 1.5, 3, 4n, 5, 6.5, 7, true, 9, 10, 11n, 9);
    },
    u8: () => {
      const f = get('add_u8', 'u8', ['u8', 'u8']);
      return (i) => f(i & 127, 100);
    },
    bool: () => {
      const f = get('negate', 'bool', ['bool']);
      return (i) => f((i & 1) === 1);
    },
    i64_number: () => {
      const f = get('add_i64', 'i64', ['i64', 'i64']);
      return (i) => Number(f(BigInt(i), 4294967296n));
    },
    i64_bigint: () => {
      const f = get('add_i64', 'i64', ['i64', 'i64']);
      return () => f(BIG, 5n);
    },
    many_functions: () => {
      const names = values.manyNames(8);
      const entry = { parameters: [I32, I32], result: I32 };
      const { symbols } = Deno.dlopen(MANY, Object.fromEntries(names.map((name) => [name, entry])));
      const functions = names.map((name) => symbols[name]);
      return (i) => functions[i & 7](i, 2);
    },
    errno: 'has no errno',

    concat: () => {
      const f = get('concat', 'pointer', ['buffer', 'buffer']);
      return () => View.getCString(f(cString('foo'), cString('bar')));
    },
    atoi: () => {
      const f = get('atoi', I32, ['buffer']);
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
      const f = get('ends_u8', I32, ['buffer', I32]);
      return () => f(BYTES, 100);
    },
    memset64: () => {
      const f = get('fill', 'void', ['buffer', I32, I32]);
      const bytes = new Uint8Array(64);
      return (i) => {
        f(bytes, i & 255, 64);
        return bytes[63];
      };
    },
    i32_array: () => {
      const f = get('ends_i32', I32, ['buffer', I32]);
      return () => f(Int32Array.from(INTS), 100);
    },
    i32_array_result: () => {
      const f = get('hundred_ints', 'pointer');
      return () => new Int32Array(View.getArrayBuffer(f(), 400));
    },
    out_int: () => {
      const f = get('double_into', 'void', [I32, 'buffer']);
      return (i) => {
        const out = new Int32Array(1);
        f(i, out);
        return out[0];
      };
    },
    create_free: 'allocates no native memory',
    restore_doubles: () => {
      const pointer = get('five_doubles', 'pointer')();
      return () => new Float64Array(View.getArrayBuffer(pointer, 40));
    },

    // Structs are bytes, which a program reads and writes with views.
    struct_pointer: () => {
      const f = get('record_total', 'f64', ['buffer']);
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
      const f = get('record_static', 'pointer');
      return () => {
        const view = new View(f());
        return {
          id: view.getInt32(0),
          score: view.getFloat64(8),
          stamp: Number(view.getBigInt64(16)),
          level: view.getInt32(24),
        };
      };
    },
    struct_inout: () => {
      const f = get('move_point', 'void', ['buffer', 'f64']);
      return (i) => {
        const at = Float64Array.of(i, 2.5);
        f(at, 1);
        return { x: at[0], y: at[1] };
      };
    },
    struct16: () => {
      const f = get('swap_point', point, [point]);
      return (i) => {
        const [x, y] = new Float64Array(f(Float64Array.of(i, 2.5)).buffer);
        return { x, y };
      };
    },
    struct24: () => {
      const f = get('bump_mixed', mixed, [mixed]);
      return (i) => {
        const view = new DataView(new ArrayBuffer(24));
        view.setInt32(0, i, true);
        view.setInt32(4, 2, true);
        view.setFloat64(8, 3.5, true);
        view.setBigInt64(16, 4n, true);
        const out = new DataView(f(view).buffer);
        return {
          a: out.getInt32(0, true),
          b: out.getInt32(4, true),
          c: out.getFloat64(8, true),
          d: Number(out.getBigInt64(16, true)),
        };
      };
    },
    struct_nested: () => {
      const f = get('shift_grid', grid, [grid]);
      return (i) => {
        const buffer = new ArrayBuffer(32);
        new Float64Array(buffer, 0, 2).set([i, 2.5]);
        new Int32Array(buffer, 16).set([1, 2, 3, 4]);
        const out = f(new Uint8Array(buffer)).buffer;
        const [x, y] = new Float64Array(out, 0, 2);
        return { origin: { x, y }, cells: Array.from(new Int32Array(out, 16)) };
      };
    },

    callback: () => {
      const f = get('apply', I32, ['function', I32]);
      const { pointer } = new Callback(unary, increment);
      return (i) => f(pointer, i);
    },
    callback_100: () => {
      const f = get('apply_100', I32, ['function', I32]);
      const { pointer } = new Callback(unary, increment);
      return (i) => f(pointer, i % 1000);
    },
    callback_transient: () => {
      const f = get('apply', I32, ['function', I32]);
      return (i) => {
        const made = new Callback(unary, (value) => value + 1);
        const result = f(made.pointer, i);
        made.close();
        return result;
      };
    },
    qsort: () => {
      const f = get('sort_ints', 'void', ['buffer', I32, 'function']);
      const { pointer } = new Callback(
        { parameters: ['pointer', 'pointer'], result: I32 },
        (a, b) => new View(a).getInt32() - new View(b).getInt32(),
      );
      const items = new Int32Array(values.UNSORTED.length);
      return () => {
        items.set(values.UNSORTED);
        f(items, items.length, pointer);
        return items;
      };
    },
    callback_thread: () => {
      const f = get('apply', I32, ['function', I32], { nonblocking: true });
      const { pointer } = Callback.threadSafe(unary, increment);
      return (i) => f(pointer, i);
    },
    async_sum: () => {
      const f = get('sum', I32, [I32, I32], { nonblocking: true });
      return (i) => f(i, 2);
    },

    open_close: () => (i) => {
      const library = Deno.dlopen(BENCH, { sum: { parameters: [I32, I32], result: I32 } });
      const result = library.symbols.sum(i, 2);
      library.close();
      return result;
    },
    bind: () => ({
      run(names) {
        const entry = { parameters: [I32, I32], result: I32 };
        const { symbols } = Deno.dlopen(
          MANY,
          Object.fromEntries(names.map((name) => [name, entry])),
        );
        return names.map((name) => symbols[name]);
      },
      call: (f, a, b) => f(a, b),
    }),
  };
}
