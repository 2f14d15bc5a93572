'use strict';

const { RECORD } = require('./values');

/** Structs by pointer and by value. */
module.exports = [
  {
    name: 'struct_pointer',
    title: 'struct *, 4 fields, in',
    expected: (i) => i + 1003.5,
  },
  {
    name: 'struct_pointer_result',
    title: 'struct *, 4 fields, out',
    expected: () => RECORD,
  },
  {
    name: 'struct_inout',
    title: 'struct *, 2 fields, in and out',
    expected: (i) => ({ x: i + 1, y: 3.5 }),
  },
  {
    name: 'struct16',
    title: 'struct of 16 bytes by value, in and out',
    expected: (i) => ({ x: 2.5, y: i }),
  },
  {
    name: 'struct24',
    title: 'struct of 24 bytes by value, in and out',
    expected: (i) => ({ a: i + 1, b: 3, c: 4.5, d: 5 }),
  },
  {
    name: 'struct_nested',
    title: 'nested struct with array by value, in and out',
    expected: (i) => ({ origin: { x: i + 1, y: 3.5 }, cells: [2, 3, 4, 5] }),
  },
];
