'use strict';
// What the case files share: values of every kind, each made anew for its case.

const NUMBERS = [
  0, -0, 1, -1, 1.9, -1.9, 127, 128, 255, 256, 32767, 32768, 65536, 2147483647, 2147483648, -2147483649,
  4294967295, 4294967296, 4294967301, 9007199254740991, 9007199254740992, -9007199254740994,
  9223372036854774784, 9223372036854775808, -9223372036854775808, 18446744073709549568,
  18446744073709551616, 1e20, 1e308, 5e-324, NaN, Infinity, -Infinity,
];
const BIGINTS = [
  0n, 1n, -1n, 255n, 2n ** 31n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n,
  -(2n ** 63n), 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, 2n ** 70n + 5n, -(2n ** 70n),
];

/** Values that are no numbers, by a name. */
const OTHERS = {
  null: () => null,
  undefined: () => undefined,
  true: () => true,
  false: () => false,
  'empty text': () => '',
  text: () => 'ab',
  'text of digits': () => '12',
  'text beyond ASCII': () => 'gr\u00fc\u00df \u{1f600}',
  symbol: () => Symbol('s'),
  function: () => () => 1,
  'empty object': () => ({}),
  'object x': () => ({ x: 3 }),
  'object x y': () => ({ x: 3, y: 4.5 }),
  'object wrong x': () => ({ x: 'x' }),
  'empty array': () => [],
  'array 1': () => [1],
  'array 1 2': () => [1, 2],
  'array 1n': () => [1n],
  'array null': () => [null],
  'array text': () => ['ab'],
  'array texts': () => ['ab', 'cd'],
  'array true': () => [true],
  'array object': () => [{ x: 3, y: 4.5 }],
  'array arrays': () => [[1, 2], [3]],
  'array function': () => [() => 1],
  uint8: () => new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]),
  int32: () => new Int32Array([1, 2]),
  float64: () => new Float64Array([1.5]),
  bigint64: () => new BigInt64Array([1n]),
  buffer: () => Buffer.from('ab\0\0\0\0\0\0'),
  'empty buffer': () => Buffer.alloc(0),
  arraybuffer: () => new ArrayBuffer(8),
  shared: () => new SharedArrayBuffer(8),
  dataview: () => new DataView(new ArrayBuffer(8)),
  map: () => new Map(),
  date: () => new Date(0),
  regexp: () => /x/,
  wrapper: () => new Number(1),
};

const label = (value) => (typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : String(value));

module.exports = Object.assign(() => [], { NUMBERS, BIGINTS, OTHERS, label });
