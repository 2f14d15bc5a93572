'use strict';

/** The cases in terms of the Koffi API. `koffi` is whatever implements it. */
const values = require('../../cases/values');
const { BENCH, MANY } = require('../paths');

function koffiCases(koffi) {
  const lib = koffi.load(BENCH);
  const { BYTES, INTS, RECORD, TEXT_16, TEXT_200, TEXT_1K, TEXT_UMLAUTS, BIG } = values;
  /** The types of the cases that have any, defined once. What a first call costs is measured without. */
  let types;
  const define = () => {
    koffi.struct('Record', { id: 'int32_t', score: 'double', stamp: 'int64_t', level: 'int32_t' });
    koffi.struct('Point', { x: 'double', y: 'double' });
    koffi.struct('Mixed24', { a: 'int32_t', b: 'int32_t', c: 'double', d: 'int64_t' });
    koffi.struct('Grid', { origin: 'Point', cells: koffi.array('int32_t', 4, 'Array') });
    return {
      unary: koffi.proto('int32_t Unary(int32_t value)'),
      compare: koffi.proto('int32_t Compare(const int32_t *a, const int32_t *b)'),
    };
  };

  const text = (value) => () => {
    const f = lib.func('int32_t text_length(const char *text)');
    return () => f(value);
  };
  const textResult = (symbol) => () => {
    const f = lib.func(`const char *${symbol}()`);
    return () => f();
  };
  const registered = (symbol, modulo) => () => {
    const f = lib.func(`int32_t ${symbol}(Unary *function, int32_t value)`);
    const pointer = koffi.register((value) => value + 1, koffi.pointer(types.unary));
    return modulo ? (i) => f(pointer, i % modulo) : (i) => f(pointer, i);
  };
  /** C memory that holds a value. */
  const filled = (type, value) => {
    const memory = koffi.alloc(type, 1);
    koffi.encode(memory, type, value);
    return memory;
  };
  /** An asynchronous call as the promise that most users make of it. */
  const promise = (f, ...args) =>
    new Promise((resolve, reject) => {
      f.async(...args, (error, result) => (error ? reject(error) : resolve(result)));
    });

  const { bind, ...others } = {
    void: () => {
      const f = lib.func('void nop()');
      return () => f();
    },
    i32_result: () => {
      const f = lib.func('int32_t answer()');
      return () => f();
    },
    sum: () => {
      const f = lib.func('int32_t sum(int32_t a, int32_t b)');
      return (i) => f(i, 2);
    },
    double2: () => {
      const f = lib.func('double add_doubles(double a, double b)');
      return (i) => f(i, 0.5);
    },
    float2: () => {
      const f = lib.func('float add_floats(float a, float b)');
      return (i) => f(i & 1023, 0.5);
    },
    ints8: () => {
      const f = lib.func('sum8', 'int32_t', Array(8).fill('int32_t'));
      return (i) => f(i, 1, 2, 3, 4, 5, 6, 7);
    },
    mixed12: () => {
      const f = lib.func('mixed12', 'double', [
        'int32_t',
        'double',
        'uint8_t',
        'int64_t',
        'int16_t',
        'double',
        'uint32_t',
        'bool',
        'int32_t',
        'double',
        'int64_t',
        'int32_t',
      ]);
      return (i) => f(i, 1.5, 3, 4, 5, 6.5, 7, true, 9, 10, 11, 9);
    },
    u8: () => {
      const f = lib.func('uint8_t add_u8(uint8_t a, uint8_t b)');
      return (i) => f(i & 127, 100);
    },
    bool: () => {
      const f = lib.func('bool negate(bool value)');
      return (i) => f((i & 1) === 1);
    },
    i64_number: () => {
      const f = lib.func('int64_t add_i64(int64_t a, int64_t b)');
      return (i) => f(i, 4294967296);
    },
    i64_bigint: () => {
      const f = lib.func('int64_t add_i64(int64_t a, int64_t b)');
      return () => f(BIG, 5n);
    },
    many_functions: () => {
      const many = koffi.load(MANY);
      const functions = values
        .manyNames(8)
        .map((name) => many.func(`int32_t ${name}(int32_t a, int32_t b)`));
      return (i) => functions[i & 7](i, 2);
    },
    errno: () => {
      const f = lib.func('int32_t fail_with(int32_t code)');
      return () => {
        const value = f(2);
        return { code: koffi.errno(), value };
      };
    },

    concat: () => {
      const f = lib.func('const char *concat(const char *a, const char *b)');
      return () => f('foo', 'bar');
    },
    atoi: () => {
      const f = lib.func('int32_t atoi(const char *text)');
      return () => f('1000');
    },
    str16: text(TEXT_16),
    str200: text(TEXT_200),
    str1k: text(TEXT_1K),
    str_utf8: text(TEXT_UMLAUTS),
    str16_result: textResult('text_16'),
    str1k_result: textResult('text_1k'),
    str_utf8_result: textResult('text_umlauts'),

    buffer: () => {
      const f = lib.func('int32_t ends_u8(const uint8_t *bytes, int32_t count)');
      return () => f(BYTES, 100);
    },
    memset64: () => {
      const f = lib.func('void fill(uint8_t *bytes, int32_t value, int32_t count)');
      const bytes = Buffer.alloc(64);
      return (i) => {
        f(bytes, i & 255, 64);
        return bytes[63];
      };
    },
    i32_array: () => {
      const f = lib.func('int32_t ends_i32(const int32_t *items, int32_t count)');
      return () => f(INTS, 100);
    },
    i32_array_result: () => {
      const f = lib.func('const int32_t *hundred_ints()');
      const type = koffi.array('int32_t', 100, 'Array');
      return () => koffi.decode(f(), type);
    },
    out_int: () => {
      const f = lib.func('void double_into(int32_t value, _Out_ int32_t *out)');
      return (i) => {
        const out = [0];
        f(i, out);
        return out[0];
      };
    },
    create_free: () => {
      const type = koffi.resolve('int32_t');
      return (i) => {
        const cell = koffi.alloc(type, 1);
        koffi.encode(cell, type, i);
        koffi.free(cell);
        return cell !== null;
      };
    },
    restore_doubles: () => {
      const pointer = lib.func('const double *five_doubles()')();
      const type = koffi.array('double', 5, 'Array');
      return () => koffi.decode(pointer, type);
    },

    struct_pointer: () => {
      const f = lib.func('double record_total(const Record *record)');
      const { score, stamp, level } = RECORD;
      return (i) => f({ id: i, score, stamp, level });
    },
    struct_pointer_result: () => {
      const f = lib.func('const Record *record_static()');
      const type = koffi.resolve('Record');
      return () => koffi.decode(f(), type);
    },
    struct_inout: () => {
      const f = lib.func('void move_point(_Inout_ Point *point, double by)');
      return (i) => {
        const point = { x: i, y: 2.5 };
        f(point, 1);
        return point;
      };
    },
    struct16: () => {
      const f = lib.func('Point swap_point(Point point)');
      return (i) => f({ x: i, y: 2.5 });
    },
    struct24: () => {
      const f = lib.func('Mixed24 bump_mixed(Mixed24 value)');
      return (i) => f({ a: i, b: 2, c: 3.5, d: 4 });
    },
    struct_nested: () => {
      const f = lib.func('Grid shift_grid(Grid grid)');
      return (i) => f({ origin: { x: i, y: 2.5 }, cells: [1, 2, 3, 4] });
    },

    decode_struct: () => {
      const memory = filled('Record', RECORD);
      return () => koffi.decode(memory, 'Record');
    },
    decode_nested: () => {
      const memory = filled('Grid', { origin: { x: 1, y: 2 }, cells: [3, 4, 5, 6] });
      return () => koffi.decode(memory, 'Grid');
    },
    decode_ints: () => {
      const memory = filled(koffi.array('int32_t', 100), INTS);
      return () => koffi.decode(memory, 'int32_t', 100);
    },
    decode_int: () => {
      const memory = filled('int32_t', 1);
      return () => koffi.decode(memory, 'int32_t');
    },
    encode_struct: () => {
      const memory = filled('Record', RECORD);
      const { score, stamp, level } = RECORD;
      return (i) => {
        koffi.encode(memory, 'Record', { id: i, score, stamp, level });
        return i;
      };
    },
    encode_ints: () => {
      const type = koffi.array('int32_t', 4);
      const memory = filled(type, [1, 2, 3, 4]);
      return (i) => {
        koffi.encode(memory, type, [i, 2, 3, 4]);
        return i;
      };
    },
    view_memory: () => {
      const memory = filled(koffi.array('int32_t', 100), INTS);
      return () => koffi.view(memory, 400).byteLength;
    },
    as_pointer: () => {
      const f = lib.func('int32_t ends_u8(const uint8_t *bytes, int32_t count)');
      return () => f(koffi.as(BYTES, 'uint8_t *'), 100);
    },
    i32_array4: () => {
      const f = lib.func('int32_t ends_i32(const int32_t *items, int32_t count)');
      return (i) => f([i, 2, 3, 4], 4);
    },
    struct_out: () => {
      const f = lib.func('void copy_record(_Out_ Record *out)');
      return () => {
        const record = {};
        f(record);
        return record;
      };
    },

    callback: registered('apply'),
    callback_100: registered('apply_100', 1000),
    callback_transient: () => {
      const f = lib.func('int32_t apply(Unary *function, int32_t value)');
      return (i) => f((value) => value + 1, i);
    },
    qsort: () => {
      const f = lib.func('void sort_ints(int32_t *items, int32_t count, Compare *compare)');
      const pointer = koffi.register(
        (a, b) => koffi.decode.int(a) - koffi.decode.int(b),
        koffi.pointer(types.compare),
      );
      const items = new Int32Array(values.UNSORTED.length);
      return () => {
        items.set(values.UNSORTED);
        f(items, items.length, pointer);
        return items;
      };
    },
    callback_thread: () => {
      const f = lib.func('int32_t apply(Unary *function, int32_t value)');
      const pointer = koffi.register((value) => value + 1, koffi.pointer(types.unary));
      return (i) => promise(f, pointer, i);
    },
    async_sum: () => {
      const f = lib.func('int32_t sum(int32_t a, int32_t b)');
      return (i) => promise(f, i, 2);
    },

    open_close: () => (i) => {
      const library = koffi.load(BENCH);
      const result = library.func('sum', 'int32_t', ['int32_t', 'int32_t'])(i, 2);
      library.unload();
      return result;
    },
    bind: () => ({
      run(names) {
        const many = koffi.load(MANY);
        return names.map((name) => many.func(name, 'int32_t', ['int32_t', 'int32_t']));
      },
      call: (f, a, b) => f(a, b),
    }),
  };
  const withTypes = (make) => () => {
    types ??= define();
    return make();
  };
  const made = Object.entries(others).map(([name, make]) => [name, withTypes(make)]);
  return { bind, ...Object.fromEntries(made) };
}

module.exports = { koffiCases };
