// flags: --expose-gc
// timeout: 900
'use strict';
// A million calls of each kind leave the memory of the process as it was: the everyday half,
// with success and with errors. FFI_JIT_LEAK_CALLS changes the number, for long or quick runs.

const assert = require('node:assert/strict');
const test = require('node:test');
const { ffi, call, arrayOf } = require('../support/ffi');
const { growth } = require('../support/leak');

const { DataType: D } = ffi;
const CALLS = Number(process.env.FFI_JIT_LEAK_CALLS || 1_000_000);

const entry = (retType, paramsType, more) => ({ library: 'fixture', retType, paramsType, ...more });
const bound = ffi.define({
  add_i32: entry(D.I32, [D.I32, D.I32]),
  echo_i64: entry(D.BigInt, [D.BigInt]),
  echo_string: entry(D.String, [D.String]),
  echo_wide: entry(D.WString, [D.WString]),
  sum_double_array: entry(D.Double, [D.DoubleArray, D.I32]),
  sum_u8_array: entry(D.Double, [D.U8Array, D.I32]),
  string_array_bytes: entry(D.I32, [D.StringArray, D.I32]),
  static_i32_array: entry(arrayOf(D.I32Array, 8), []),
  static_string_array: entry(arrayOf(D.StringArray, 4), []),
  static_u8_array: entry(arrayOf(D.U8Array, 8), []),
  echo_pointer: entry(D.External, [D.External]),
  set_errno: entry(D.I32, [D.I32], { errno: true }),
});
const fails = (fn) => () => {
  try {
    fn();
  } catch {
    return;
  }
  throw new Error('it should have failed');
};

const long = 'not inline at all \u20ac '.repeat(1000);
const doubles = [1, 2, 3, 4];
const manyDoubles = Array.from({ length: 3000 }, (_, i) => i);
const bytes = Buffer.alloc(64);
const pointer = call('static_i32_array', D.External);

/** What is done, and how many times less than a million because of what one turn costs. */
const KINDS = {
  'bound scalars': [() => bound.add_i32([1, 2])],
  'load with fresh literals': [() => call('add_i32', D.I32, [D.I32, D.I32], [1, 2])],
  bigints: [(i) => bound.echo_i64([BigInt(i)])],
  'short strings both ways': [() => bound.echo_string(['short'])],
  'long strings both ways': [() => bound.echo_string([long]), 50],
  'wide strings both ways': [() => bound.echo_wide(['wide \u20ac'])],
  'number arrays': [() => bound.sum_double_array([doubles, 4])],
  'long number arrays': [() => bound.sum_double_array([manyDoubles, 3000]), 50],
  buffers: [() => bound.sum_u8_array([bytes, 64])],
  'string arrays': [() => bound.string_array_bytes([['a', 'bc'], 2])],
  'array results': [() => bound.static_i32_array([])],
  'string array results': [() => bound.static_string_array([])],
  'Buffer results': [() => bound.static_u8_array([])],
  externals: [() => bound.echo_pointer([pointer])],
  errno: [() => bound.set_errno([2])],
  'descriptors of every length': [
    (i) => call('sum_i32_array', D.Double, [arrayOf(D.I32Array, i), D.I32], [[1, 2], 2]),
  ],
  'open and close': [
    () => {
      ffi.open({ library: 'again and again', path: '' });
      ffi.close('again and again');
    },
    10,
  ],
  'error: wrong type': [fails(() => bound.add_i32([1, '2'])), 5],
  'error: after a string was converted': [
    fails(() => call('concat_strings', D.String, [D.String, D.String], [long, 5])),
    50,
  ],
  'error: lone surrogate': [fails(() => bound.echo_string(['\ud800'])), 5],
  'error: bad array element': [fails(() => bound.sum_double_array([[1, '2'], 2])), 5],
  'error: wrong count': [fails(() => bound.add_i32([1])), 5],
  'error: unknown type': [fails(() => call('echo_i32', 55)), 5],
  'error: missing symbol': [fails(() => call('missing', D.I32)), 5],
  'error: library not opened': [
    fails(() =>
      ffi.load({ library: 'no', funcName: 'f', retType: 1, paramsType: [], paramsValue: [] }),
    ),
    5,
  ],
};

for (const [name, [turn, divisor = 1]] of Object.entries(KINDS)) {
  test(`${name}: memory stays flat`, async (t) => {
    const { grown, turns, flat } = await growth(turn, { turns: Math.ceil(CALLS / divisor) });
    const kilobytes = `${Math.round(grown / 1024)} KB over the best quarter of ${turns} calls`;
    t.diagnostic(kilobytes);
    assert.ok(flat, kilobytes);
  });
}
