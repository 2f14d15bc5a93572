'use strict';
// Every scalar over a grid of values that fit, nearly fit, and do not fit.

const NUMBERS = [
  0,
  -0,
  1,
  -1,
  1.9,
  -1.9,
  0.5,
  127,
  128,
  255,
  256,
  32767,
  32768,
  -32769,
  65536,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 32,
  2 ** 32 + 5,
  Number.MAX_SAFE_INTEGER,
  2 ** 53 + 2,
  -(2 ** 53) - 2,
  2 ** 63 - 1024,
  2 ** 63,
  -(2 ** 63),
  2 ** 64 - 2048,
  2 ** 64,
  1e20,
  -1e20,
  1e308,
  5e-324,
  NaN,
  Infinity,
  -Infinity,
];
const BIGINTS = [
  0n,
  1n,
  -1n,
  2n ** 31n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  2n ** 63n,
  2n ** 64n - 1n,
  2n ** 64n,
  -(2n ** 63n) - 1n,
  2n ** 70n,
  2n ** 70n + 5n,
];
const WRONG = {
  string: '1',
  boolean: true,
  null: null,
  undefined,
  bigint: 1n,
  object: {},
  array: [1],
  function: () => 1,
  wrapper: new Number(1),
};

const label = (value) => (Object.is(value, -0) ? '-0' : String(value));

module.exports = ({ ffi: { DataType: D }, call }) => {
  const cases = [];
  const add = (id, run) => cases.push([`scalars/${id}`, run]);
  const kinds = {
    u8: 'U8',
    i16: 'I16',
    i32: 'I32',
    u32: 'U32',
    i64: 'I64',
    u64: 'U64',
    float: 'Float',
    double: 'Double',
  };
  for (const [name, typeName] of Object.entries(kinds)) {
    const type = D[typeName];
    for (const value of NUMBERS) {
      add(`${name}/${label(value)}`, () => call(`echo_${name}`, type, [type], [value]));
    }
    for (const [kind, value] of Object.entries(WRONG)) {
      add(`${name}/wrong ${kind}`, () => call(`echo_${name}`, type, [type], [value]));
    }
    add(`${name}/sum`, () => call(`add_${name}`, type, [type, type], [100, 27]));
  }
  // What C got, apart from how results are read.
  for (const value of NUMBERS) {
    add(`i64 bits/${label(value)}`, () => call('echo_i64', D.BigInt, [D.I64], [value]));
    add(`u64 bits/${label(value)}`, () => call('echo_u64', D.BigInt, [D.U64], [value]));
    add(`float as seen by C/${label(value)}`, () =>
      call('sum_float_array', D.Double, [D.FloatArray, D.I32], [[value], 1]),
    );
  }
  for (const value of BIGINTS)
    add(`bigint/${value}`, () => call('echo_i64', D.BigInt, [D.BigInt], [value]));
  for (const [kind, value] of Object.entries({ ...WRONG, bigint: 'n', number: 1 })) {
    add(`bigint/wrong ${kind}`, () => call('echo_i64', D.BigInt, [D.BigInt], [value]));
  }
  for (const value of [true, false])
    add(`boolean/${value}`, () => call('not_bool', D.Boolean, [D.Boolean], [value]));
  for (const [kind, value] of Object.entries({ ...WRONG, boolean: 'true', number: 1 })) {
    add(`boolean/wrong ${kind}`, () => call('not_bool', D.Boolean, [D.Boolean], [value]));
  }
  // Other bytes than these make the original hand out whatever lies in the engine's memory.
  for (const byte of [0, 1]) {
    add(`boolean/of byte ${byte}`, () => call('echo_u8', D.Boolean, [D.U8], [byte]));
  }
  add('limits/max u64', () => call('max_u64', D.U64));
  add('limits/max u64 as bigint', () => call('max_u64', D.BigInt));
  add('limits/min i64', () => call('min_i64', D.I64));
  add('limits/max i64', () => call('max_i64', D.I64));
  for (const name of ['U8', 'I16', 'I32', 'U32', 'BigInt']) {
    add(`dirty register/${name}`, () => call('dirty_register', D[name]));
  }
  add('void', () => call('nothing', D.Void));
  add('twenty parameters', () =>
    call(
      'weigh_i32_20',
      D.I32,
      Array(20).fill(D.I32),
      Array.from({ length: 20 }, (_, i) => i),
    ),
  );
  add('twelve doubles', () =>
    call(
      'weigh_double_12',
      D.Double,
      Array(12).fill(D.Double),
      Array.from({ length: 12 }, (_, i) => i / 2),
    ),
  );
  add('variadic', () => call('sum_variadic', D.I32, Array(6).fill(D.I32), [5, 1, 2, 3, 4, 5]));
  for (const [kind, value] of Object.entries({ ...WRONG, number: 0 })) {
    add(`external/wrong ${kind}`, () => call('pointer_is_null', D.Boolean, [D.External], [value]));
  }
  add('external/null', () =>
    call('pointer_is_null', D.Boolean, [D.External], [call('null_pointer', D.External)]),
  );
  add('external/result', () => call('null_pointer', D.External));
  return cases;
};
