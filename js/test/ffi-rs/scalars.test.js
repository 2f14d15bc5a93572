'use strict';
// Section 3.1: every scalar in both directions, over a grid of values.

const assert = require('node:assert/strict');
const test = require('node:test');
const { ffi, call } = require('../support/ffi');
const { CODES, throwsCoded } = require('../support/assert-coded');
const { narrowIsOpen } = require('../support/platform');

const { DataType } = ffi;

const GRID = [
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
  257,
  32767,
  32768,
  -32768,
  -32769,
  65535,
  65536,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  -(2 ** 31) - 1,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 32 + 1,
  -(2 ** 32),
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
  Math.PI,
  NaN,
  Infinity,
  -Infinity,
];

const clamp = (value, low, high) => (value < low ? low : value > high ? high : value);
const truncated = (v) => (Number.isFinite(v) ? BigInt(Math.trunc(v)) : 0n);
const MIN_I64 = -(2n ** 63n);
const MAX_I64 = 2n ** 63n - 1n;
const MAX_U64 = 2n ** 64n - 1n;

/** What C must see, as JavaScript computes it. */
const CONVERT = {
  u8: (v) => (v >>> 0) & 0xff,
  i16: (v) => ((v | 0) << 16) >> 16,
  i32: (v) => v | 0,
  u32: (v) => v >>> 0,
  i64: (v) => clamp(truncated(v), MIN_I64, MAX_I64),
  // Negative numbers wrap as in the original; large ones arrive whole, unlike there.
  u64: (v) => {
    const whole = truncated(v);
    return whole < 0n ? BigInt.asUintN(64, clamp(whole, MIN_I64, 0n)) : clamp(whole, 0n, MAX_U64);
  },
  float: (v) => Math.fround(v),
  double: (v) => v,
};

const TYPE = {
  u8: DataType.U8,
  i16: DataType.I16,
  i32: DataType.I32,
  u32: DataType.U32,
  i64: DataType.I64,
  u64: DataType.U64,
  float: DataType.Float,
  double: DataType.Double,
};

for (const [name, convert] of Object.entries(CONVERT)) {
  test(`${name}: parameter and result over the grid`, () => {
    for (const value of GRID) {
      const expected = Number(convert(value));
      const result = call(`echo_${name}`, TYPE[name], [TYPE[name]], [value]);
      assert.ok(Object.is(result, expected), `${value}: got ${result}, expected ${expected}`);
    }
  });

  test(`${name}: what C stored is what was passed`, () => {
    for (const value of [1, 200, -3, 1e6, 0.75]) {
      call(`keep_${name}`, DataType.Void, [TYPE[name]], [value]);
      assert.equal(call(`kept_value_${name}`, TYPE[name]), Number(convert(value)));
    }
  });

  test(`${name}: arithmetic in C`, () => {
    const sum = call(`add_${name}`, TYPE[name], [TYPE[name], TYPE[name]], [100, 27]);
    assert.equal(sum, 127);
  });

  test(`${name}: what is no number is refused`, () => {
    const wrong = [
      '1',
      true,
      null,
      undefined,
      1n,
      {},
      [],
      [1],
      () => 1,
      Symbol('1'),
      new Number(1),
    ];
    for (const value of wrong) {
      throwsCoded(() => call(`echo_${name}`, TYPE[name], [TYPE[name]], [value]), CODES.number);
    }
  });
}

test('I64 and U64 bit for bit, seen as a bigint', () => {
  for (const value of GRID) {
    assert.equal(call('echo_i64', DataType.BigInt, [DataType.I64], [value]), CONVERT.i64(value));
    const bits = BigInt.asUintN(64, call('echo_u64', DataType.BigInt, [DataType.U64], [value]));
    assert.equal(bits, CONVERT.u64(value), String(value));
  }
});

test('U64 results are unsigned', () => {
  assert.equal(call('max_u64', DataType.U64), 2 ** 64);
  assert.equal(call('dirty_register', DataType.U64), Number(0xdeadbeefcafe8180n));
});

test('I64 results at the limits', () => {
  assert.equal(call('min_i64', DataType.I64), -(2 ** 63));
  assert.equal(call('max_i64', DataType.I64), 2 ** 63);
});

test('Float results', () => {
  assert.equal(call('third_float', DataType.Float), Math.fround(1 / 3));
  const sum = Math.fround(Math.fround(0.1) + Math.fround(0.2));
  assert.equal(
    call('add_float', DataType.Float, [DataType.Float, DataType.Float], [0.1, 0.2]),
    sum,
  );
});

test('BigInt wraps at 64 bits and is signed', () => {
  const grid = [
    0n,
    1n,
    -1n,
    MAX_I64,
    MIN_I64,
    2n ** 63n,
    2n ** 64n - 1n,
    2n ** 64n,
    2n ** 70n,
    -(2n ** 63n) - 1n,
  ];
  for (const value of [...grid, 2n ** 70n + 5n, -(2n ** 64n) + 3n]) {
    const result = call('echo_i64', DataType.BigInt, [DataType.BigInt], [value]);
    assert.equal(result, BigInt.asIntN(64, value), String(value));
  }
  assert.equal(call('max_u64', DataType.BigInt), -1n);
  for (const value of [1, '1', true, null, undefined, {}, Object(1n)]) {
    throwsCoded(() => call('echo_i64', DataType.BigInt, [DataType.BigInt], [value]), CODES.bigint);
  }
});

test('Boolean is a byte, and any byte but 0 is true', () => {
  assert.equal(call('echo_bool', DataType.Boolean, [DataType.Boolean], [true]), true);
  assert.equal(call('not_bool', DataType.Boolean, [DataType.Boolean], [true]), false);
  assert.equal(call('echo_u8', DataType.U8, [DataType.Boolean], [true]), 1);
  assert.equal(call('echo_u8', DataType.U8, [DataType.Boolean], [false]), 0);
  for (const byte of [1, 2, 128, 255]) {
    assert.equal(call('echo_u8', DataType.Boolean, [DataType.U8], [byte]), true);
  }
  assert.equal(call('echo_u8', DataType.Boolean, [DataType.U8], [0]), false);
  for (const value of [1, 0, 'true', null, undefined, {}, new Boolean(true)]) {
    throwsCoded(
      () => call('not_bool', DataType.Boolean, [DataType.Boolean], [value]),
      CODES.boolean,
    );
  }
});

test('a narrow result looks at its own bytes only', () => {
  assert.equal(call('dirty_register', DataType.U8), 0x80);
  assert.equal(call('dirty_register', DataType.I16), 0x8180 - 0x10000);
  assert.equal(call('dirty_register', DataType.I32), 0xcafe8180 | 0);
  assert.equal(call('dirty_register', DataType.U32), 0xcafe8180);
  assert.equal(call('dirty_register', DataType.Boolean), true);
  assert.equal(call('dirty_zero_byte', DataType.Boolean), false);
});

test('a narrow parameter reaches C extended', { skip: narrowIsOpen }, () => {
  // The callee takes 64 bits as they are in the register; the low 32 are what the ABI settles.
  assert.equal(call('echo_i32', DataType.I32, [DataType.I16], [-2]), -2);
  assert.equal(call('echo_u32', DataType.U32, [DataType.U8], [200]), 200);
  assert.equal(call('echo_u32', DataType.U32, [DataType.Boolean], [true]), 1);
});

test('Void gives undefined, and the call was made', () => {
  const before = call('counted_calls', DataType.I32);
  assert.equal(call('count_call', DataType.Void), undefined);
  assert.equal(call('count_call', DataType.Void), undefined);
  assert.equal(call('counted_calls', DataType.I32), before + 2);
});

test('a Void parameter is no garbage: NULL, or refused', () => {
  let result;
  try {
    result = call('pointer_is_null', DataType.Boolean, [DataType.Void], [undefined]);
  } catch (error) {
    assert.equal(error.code, CODES.type);
    return;
  }
  assert.equal(result, true);
});

test('twenty parameters', () => {
  const values = Array.from({ length: 20 }, (_, i) => (i + 1) * 3);
  const expected = values.reduce((total, value, i) => total + (i + 1) * value, 0);
  assert.equal(
    call(
      'weigh_i32_20',
      DataType.I32,
      values.map(() => DataType.I32),
      values,
    ),
    expected,
  );
});

test('fourteen parameters of mixed types', () => {
  const D = DataType;
  const types = [D.U8, D.I16, D.I32, D.U32, D.I64, D.U64, D.Float, D.Double, D.Boolean, D.String];
  const values = [1, -2, 3, 4, -5, 6, 7.5, 8.25, true, 'A', 11.5, 12.25, -13, 14];
  const weights = [1, -2, 3, 4, -5, 6, 7.5, 8.25, 1, 65, 11.5, 12.25, -13, 14];
  const expected = weights.reduce((total, value, i) => total + (i + 1) * value, 0);
  const result = call(
    'weigh_mixed_14',
    D.Double,
    [...types, D.Double, D.Float, D.I64, D.U8],
    values,
  );
  assert.equal(result, expected);
});

test('twelve doubles', () => {
  const values = Array.from({ length: 12 }, (_, i) => i + 0.5);
  const expected = values.reduce((total, value, i) => total + (i + 1) * value, 0);
  const result = call(
    'weigh_double_12',
    DataType.Double,
    values.map(() => DataType.Double),
    values,
  );
  assert.equal(result, expected);
});

test('variadic functions work by declaring each argument', () => {
  const types = Array(8).fill(DataType.I32);
  assert.equal(call('sum_variadic', DataType.I32, types, [7, 1, 2, 3, 4, 5, 6, 7]), 28);
});

test('the same literal signature with other values, many times', () => {
  for (let i = 1; i <= 1000; i++) {
    assert.equal(call('add_i32', DataType.I32, [DataType.I32, DataType.I32], [i, -2 * i]), -i);
  }
});

test('External: round trip, NULL, and what is none', () => {
  const pointer = call('static_i32_array', DataType.External);
  const back = call('echo_pointer', DataType.External, [DataType.External], [pointer]);
  const address = (p) => call('pointer_address', DataType.BigInt, [DataType.External], [p]);
  assert.equal(address(back), address(pointer));
  assert.notEqual(address(pointer), 0n);
  const none = call('null_pointer', DataType.External);
  assert.equal(call('pointer_is_null', DataType.Boolean, [DataType.External], [none]), true);
  assert.equal(ffi.isNullPointer(none), true);
  const shifted = call('offset_pointer', DataType.External, [DataType.External, 1], [pointer, 4]);
  assert.equal(address(shifted), address(pointer) + 4n);
  for (const [value, name] of [
    [0, 'Number'],
    [1, 'Number'],
    ['p', 'String'],
    [true, 'Boolean'],
    [{}, 'Object'],
    [1n, 'BigInt'],
    [undefined, 'Undefined'],
    [() => 1, 'Function'],
  ]) {
    throwsCoded(
      () => call('echo_pointer', DataType.External, [DataType.External], [value]),
      CODES.invalid,
      `expect External, got: ${name}`,
    );
  }
});
