'use strict';

const values = require('../cases/values');
const { BENCH, MANY } = require('../lib/paths');

const NO_STRUCTS = 'no struct types';
const NO_THREADS = 'no asynchronous calls';

/** Node's own `node:ffi` (Node 26 and later). */
module.exports = {
  order: 40,
  title: 'node:ffi',
  role: 'peer',
  unsupported: ({ major }) => (major < 26 ? 'Node 26 and later' : null),
  entry: 'node:ffi',
  version: () => process.versions.node,
  cases: () => nodeFfiCases(require('node:ffi')),
};

function nodeFfiCases(ffi) {
  const { BYTES, INTS, TEXT_16, TEXT_200, TEXT_1K, TEXT_UMLAUTS, BIG } = values;
  const lib = new ffi.DynamicLibrary(BENCH);
  const get = (name, result, parameters = []) =>
    lib.getFunction(name, { return: result, arguments: parameters });
  const callback = (f) => lib.registerCallback({ arguments: ['int32'], return: 'int32' }, f);
  const text = (value) => () => {
    const f = get('text_length', 'int32', ['string']);
    return () => f(value);
  };
  const textResult = (symbol) => () => {
    const f = get(symbol, 'pointer');
    return () => ffi.toString(f());
  };

  return {
    void: () => {
      const f = get('nop', 'void');
      return () => f();
    },
    i32_result: () => {
      const f = get('answer', 'int32');
      return () => f();
    },
    sum: () => {
      const f = get('sum', 'int32', ['int32', 'int32']);
      return (i) => f(i, 2);
    },
    double2: () => {
      const f = get('add_doubles', 'double', ['double', 'double']);
      return (i) => f(i, 0.5);
    },
    float2: () => {
      const f = get('add_floats', 'float', ['float', 'float']);
      return (i) => f(i & 1023, 0.5);
    },
    ints8: () => {
      const f = get('sum8', 'int32', Array(8).fill('int32'));
      return (i) => f(i, 1, 2, 3, 4, 5, 6, 7);
    },
    mixed12: () => {
      const f = get('mixed12', 'double', [
        'int32',
        'double',
        'uint8',
        'int64',
        'int16',
        'double',
        'uint32',
        'bool',
        'int32',
        'double',
        'int64',
        'int32',
      ]);
      return (i) => f(i, 1.5, 3, 4n, 5, 6.5, 7, 1, 9, 10, 11n, 9);
    },
    u8: () => {
      const f = get('add_u8', 'uint8', ['uint8', 'uint8']);
      return (i) => f(i & 127, 100);
    },
    bool: () => {
      const f = get('negate', 'bool', ['bool']);
      return (i) => f(i & 1) === 1;
    },
    i64_number: '64-bit integers are BigInts only',
    i64_bigint: () => {
      const f = get('add_i64', 'int64', ['int64', 'int64']);
      return () => f(BIG, 5n);
    },
    many_functions: () => {
      const many = new ffi.DynamicLibrary(MANY);
      const functions = values
        .manyNames(8)
        .map((name) => many.getFunction(name, { return: 'int32', arguments: ['int32', 'int32'] }));
      return (i) => functions[i & 7](i, 2);
    },
    errno: 'no access to errno',

    concat: () => {
      const f = get('concat', 'pointer', ['string', 'string']);
      return () => ffi.toString(f('foo', 'bar'));
    },
    atoi: () => {
      const f = get('atoi', 'int32', ['string']);
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
      const f = get('ends_u8', 'int32', ['buffer', 'int32']);
      return () => f(BYTES, 100);
    },
    memset64: () => {
      const f = get('fill', 'void', ['buffer', 'int32', 'int32']);
      const bytes = Buffer.alloc(64);
      return (i) => {
        f(bytes, i & 255, 64);
        return bytes[63];
      };
    },
    i32_array: () => {
      const f = get('ends_i32', 'int32', ['buffer', 'int32']);
      return () => f(Int32Array.from(INTS), 100);
    },
    i32_array_result: () => {
      const f = get('hundred_ints', 'pointer');
      return () => new Int32Array(ffi.toArrayBuffer(f(), 400));
    },
    out_int: () => {
      const f = get('double_into', 'void', ['int32', 'buffer']);
      return (i) => {
        const out = new Int32Array(1);
        f(i, out);
        return out[0];
      };
    },
    create_free: 'allocates no native memory',
    restore_doubles: () => {
      const pointer = get('five_doubles', 'pointer')();
      return () => new Float64Array(ffi.toArrayBuffer(pointer, 40));
    },

    struct_pointer: NO_STRUCTS,
    struct_pointer_result: NO_STRUCTS,
    struct_inout: NO_STRUCTS,
    struct16: NO_STRUCTS,
    struct24: NO_STRUCTS,
    struct_nested: NO_STRUCTS,

    callback: () => {
      const f = get('apply', 'int32', ['function', 'int32']);
      const pointer = callback((value) => value + 1);
      return (i) => f(pointer, i);
    },
    callback_100: () => {
      const f = get('apply_100', 'int32', ['function', 'int32']);
      const pointer = callback((value) => value + 1);
      return (i) => f(pointer, i % 1000);
    },
    callback_transient: () => {
      const f = get('apply', 'int32', ['function', 'int32']);
      return (i) => {
        const pointer = callback((value) => value + 1);
        const result = f(pointer, i);
        lib.unregisterCallback(pointer);
        return result;
      };
    },
    qsort: () => {
      const f = get('sort_ints', 'void', ['buffer', 'int32', 'function']);
      const pointer = lib.registerCallback(
        { arguments: ['pointer', 'pointer'], return: 'int32' },
        (a, b) => ffi.getInt32(a) - ffi.getInt32(b),
      );
      const items = new Int32Array(values.UNSORTED.length);
      return () => {
        items.set(values.UNSORTED);
        f(items, items.length, pointer);
        return items;
      };
    },
    callback_thread: NO_THREADS,
    async_sum: NO_THREADS,

    open_close: () => {
      const signature = { return: 'int32', arguments: ['int32', 'int32'] };
      return (i) => {
        const library = new ffi.DynamicLibrary(BENCH);
        const result = library.getFunction('sum', signature)(i, 2);
        library.close();
        return result;
      };
    },
    bind: () => ({
      run(names) {
        const many = new ffi.DynamicLibrary(MANY);
        return names.map((name) =>
          many.getFunction(name, { return: 'int32', arguments: ['int32', 'int32'] }),
        );
      },
      call: (f, a, b) => f(a, b),
    }),
  };
}
