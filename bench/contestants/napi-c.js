'use strict';

const values = require('../cases/values');
const { ADDON, BENCH, MANY } = require('../lib/paths');

/** A hand-written Node-API addon in C (bench/native/addon*.c) around the same library. */
module.exports = {
  order: 50,
  title: 'C addon',
  role: 'peer',
  entry: ADDON,
  version: () => `Node-API ${process.versions.napi}`,
  cases: () => addonCases(require(ADDON)),
};

function addonCases(addon) {
  const { BYTES, INTS, RECORD, TEXT_16, TEXT_200, TEXT_1K, TEXT_UMLAUTS, BIG } = values;
  const text = (value) => () => {
    const f = addon.text_length;
    return () => f(value);
  };
  const textResult = (f) => () => () => f();
  const increment = (value) => value + 1;

  return {
    void: () => {
      const f = addon.nop;
      return () => f();
    },
    i32_result: () => {
      const f = addon.answer;
      return () => f();
    },
    sum: () => {
      const f = addon.sum;
      return (i) => f(i, 2);
    },
    double2: () => {
      const f = addon.add_doubles;
      return (i) => f(i, 0.5);
    },
    float2: () => {
      const f = addon.add_floats;
      return (i) => f(i & 1023, 0.5);
    },
    ints8: () => {
      const f = addon.sum8;
      return (i) => f(i, 1, 2, 3, 4, 5, 6, 7);
    },
    mixed12: () => {
      const f = addon.mixed12;
      return (i) => f(i, 1.5, 3, 4, 5, 6.5, 7, true, 9, 10, 11, 9);
    },
    u8: () => {
      const f = addon.add_u8;
      return (i) => f(i & 127, 100);
    },
    bool: () => {
      const f = addon.negate;
      return (i) => f((i & 1) === 1);
    },
    i64_number: () => {
      const f = addon.add_i64;
      return (i) => f(i, 4294967296);
    },
    i64_bigint: () => {
      const f = addon.add_bigint;
      return () => f(BIG, 5n);
    },
    many_functions: () => {
      const library = addon.open(MANY);
      const functions = values.manyNames(8).map((name) => addon.bind(library, name));
      return (i) => functions[i & 7](i, 2);
    },
    errno: () => {
      const f = addon.fail_with;
      return () => f(2);
    },

    concat: () => {
      const f = addon.concat;
      return () => f('foo', 'bar');
    },
    atoi: () => {
      const f = addon.atoi;
      return () => f('1000');
    },
    str16: text(TEXT_16),
    str200: text(TEXT_200),
    str1k: text(TEXT_1K),
    str_utf8: text(TEXT_UMLAUTS),
    str16_result: textResult(addon.text_16),
    str1k_result: textResult(addon.text_1k),
    str_utf8_result: textResult(addon.text_umlauts),

    buffer: () => {
      const f = addon.ends_u8;
      return () => f(BYTES, 100);
    },
    memset64: () => {
      const f = addon.fill;
      const bytes = Buffer.alloc(64);
      return (i) => {
        f(bytes, i & 255, 64);
        return bytes[63];
      };
    },
    i32_array: () => {
      const f = addon.ends_i32;
      return () => f(INTS, 100);
    },
    i32_array_result: () => {
      const f = addon.hundred_ints;
      return () => f();
    },
    out_int: () => {
      const f = addon.double_into;
      return (i) => f(i);
    },
    create_free: () => {
      const { create_cell: create, free_cell: free } = addon;
      return (i) => {
        const cell = create(i);
        free(cell);
        return cell !== null;
      };
    },
    restore_doubles: () => {
      const f = addon.read_doubles;
      const pointer = addon.five_doubles();
      return () => f(pointer, 5);
    },

    struct_pointer: () => {
      const f = addon.record_total;
      const { score, stamp, level } = RECORD;
      return (i) => f({ id: i, score, stamp, level });
    },
    struct_pointer_result: () => {
      const f = addon.record_static;
      return () => f();
    },
    struct_inout: () => {
      const f = addon.move_point;
      return (i) => {
        const point = { x: i, y: 2.5 };
        f(point, 1);
        return point;
      };
    },
    struct16: () => {
      const f = addon.swap_point;
      return (i) => f({ x: i, y: 2.5 });
    },
    struct24: () => {
      const f = addon.bump_mixed;
      return (i) => f({ a: i, b: 2, c: 3.5, d: 4 });
    },
    struct_nested: () => {
      const f = addon.shift_grid;
      return (i) => f({ origin: { x: i, y: 2.5 }, cells: [1, 2, 3, 4] });
    },

    callback: () => {
      const f = addon.apply;
      return (i) => f(increment, i);
    },
    callback_100: () => {
      const f = addon.apply_100;
      return (i) => f(increment, i % 1000);
    },
    callback_transient: () => {
      const f = addon.apply;
      return (i) => f((value) => value + 1, i);
    },
    qsort: () => {
      const f = addon.sort_ints;
      const compare = (a, b) => a - b;
      const items = new Int32Array(values.UNSORTED.length);
      return () => {
        items.set(values.UNSORTED);
        f(items, items.length, compare);
        return items;
      };
    },
    callback_thread: () => {
      const f = addon.apply_async;
      const callback = addon.threadsafe(increment);
      return (i) => f(callback, i);
    },
    async_sum: () => {
      const f = addon.sum_async;
      return (i) => f(i, 2);
    },

    open_close: () => (i) => {
      const library = addon.open(BENCH);
      const result = addon.bind(library, 'sum')(i, 2);
      addon.close(library);
      return result;
    },
    bind: () => ({
      run(names) {
        const library = addon.open(MANY);
        return names.map((name) => addon.bind(library, name));
      },
      call: (f, a, b) => f(a, b),
    }),
  };
}
