'use strict';

const values = require('../cases/values');
const { FLOOR, MANY } = require('../lib/paths');

/** C calling C in a loop (bench/native/floor.c): what is left when nothing is in between. */
module.exports = {
  order: 60,
  title: 'C loop',
  role: 'floor',
  version: () => 'cc -O2',
  cases: () => floorCases(require(FLOOR)),
};

/** What the C loop of a case returns, from what the case expects. */
const PICKS = {
  void: () => 0,
  bool: Number,
  errno: (expected) => expected.value,
  concat: (expected) => expected.charCodeAt(0),
  str16_result: (expected) => expected.charCodeAt(0),
  str1k_result: (expected) => expected.charCodeAt(0),
  str_utf8_result: (expected) => Buffer.from(expected)[0],
  i32_array_result: (expected) => expected[99],
  create_free: (_, i) => i,
  struct_pointer_result: (expected) => expected.id,
  struct_inout: (expected) => expected.x,
  struct16: (expected) => expected.y,
  struct24: (expected) => expected.a,
  struct_nested: (expected) => expected.origin.x,
  qsort: (expected) => expected[999],
};

const LOOPS = [
  'void',
  'i32_result',
  'sum',
  'double2',
  'float2',
  'ints8',
  'mixed12',
  'u8',
  'bool',
  'errno',
  'concat',
  'atoi',
  'str16',
  'str200',
  'str1k',
  'str_utf8',
  'str16_result',
  'str1k_result',
  'str_utf8_result',
  'buffer',
  'memset64',
  'i32_array',
  'i32_array_result',
  'out_int',
  'create_free',
  'struct_pointer',
  'struct_pointer_result',
  'struct_inout',
  'struct16',
  'struct24',
  'struct_nested',
  'callback',
  'callback_100',
  'qsort',
];

const bytesOf = (view) => Buffer.from(view.buffer, view.byteOffset, view.byteLength);

function floorCases(floor) {
  floor.prepare(values.BYTES, bytesOf(Int32Array.from(values.INTS)), bytesOf(values.UNSORTED));
  const loop = (name) => () => ({
    loop: (n) => floor.run(name, n),
    pick: PICKS[name],
  });
  const cases = Object.fromEntries(LOOPS.map((name) => [name, loop(name)]));
  cases.i64_number = loop('i64');
  cases.bind = () => ({
    run: (names, call) => [floor.resolve(MANY, names.length, call)],
    callsItself: true,
  });
  for (const name of [
    'i64_bigint',
    'many_functions',
    'restore_doubles',
    'callback_transient',
    'callback_thread',
    'open_close',
    'async_sum',
    'require',
  ]) {
    cases[name] = 'nothing to measure';
  }
  return cases;
}
