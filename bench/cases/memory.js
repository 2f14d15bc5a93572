'use strict';

const { DOUBLES, INTS } = require('./values');

/** Buffers, arrays and pointers. */
module.exports = [
  { name: 'buffer', title: 'Buffer of 100 bytes in', expected: () => 101 },
  {
    name: 'memset64',
    title: 'Buffer of 64 bytes, written by C',
    expected: (i) => i & 255,
  },
  { name: 'i32_array', title: 'int[100] in, from an Array', expected: () => 299 },
  {
    name: 'i32_array_result',
    title: 'int[100] out',
    expected: () => INTS,
  },
  {
    name: 'out_int',
    title: 'void f(int, int *out), read back',
    expected: (i) => i * 2,
  },
  {
    name: 'create_free',
    title: 'make and free a cell (createPointer, freePointer)',
    expected: () => true,
  },
  {
    name: 'restore_doubles',
    title: 'read double[5] (restorePointer)',
    expected: () => DOUBLES,
  },
];
