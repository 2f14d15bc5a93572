'use strict';

const { BIG } = require('./values');

/** Calls whose arguments and results are plain numbers. `i` is the number of the iteration. */
module.exports = [
  { name: 'void', title: 'void f()', expected: () => undefined },
  { name: 'i32_result', title: 'int f()', expected: () => 42 },
  {
    name: 'sum',
    title: 'sum: int f(int, int)',
    original: true,
    expected: (i) => i + 2,
  },
  {
    name: 'double2',
    title: 'double f(double, double)',
    expected: (i) => i + 0.5,
  },
  {
    name: 'float2',
    title: 'float f(float, float)',
    expected: (i) => (i & 1023) + 0.5,
  },
  { name: 'ints8', title: 'int f(8 ints)', expected: (i) => i + 28 },
  {
    name: 'mixed12',
    title: 'double f(12 mixed), some on the stack',
    expected: (i) => i + 67,
  },
  {
    name: 'u8',
    title: 'uint8_t f(uint8_t, uint8_t)',
    expected: (i) => (i & 127) + 100,
  },
  { name: 'bool', title: 'bool f(bool)', expected: (i) => (i & 1) === 0 },
  {
    name: 'i64_number',
    title: 'int64_t f(2 x int64_t), as Number',
    expected: (i) => i + 4294967296,
  },
  {
    name: 'i64_bigint',
    title: 'int64_t f(2 x int64_t), as BigInt',
    expected: () => BIG + 5n,
  },
  {
    name: 'many_functions',
    title: 'int f(int, int), 8 functions at one call site',
    expected: (i) => i + 2 + (i & 7),
  },
  {
    name: 'errno',
    title: 'int f(int) and errno',
    expected: () => ({ code: 2, value: -1 }),
  },
];
