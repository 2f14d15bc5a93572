'use strict';

const { INTS, RECORD } = require('./values');

const absent = 'a function of the Koffi API';

/** What only Koffi's API has: values in and out of memory that C keeps, without a call. */
module.exports = [
  { name: 'decode_struct', title: 'decode a struct of 4 fields', expected: () => RECORD },
  {
    name: 'decode_nested',
    title: 'decode a struct with a struct and an array',
    expected: () => ({ origin: { x: 1, y: 2 }, cells: [3, 4, 5, 6] }),
  },
  { name: 'decode_ints', title: 'decode int[100]', expected: () => INTS },
  { name: 'decode_int', title: 'decode one int', expected: () => 1 },
  { name: 'encode_struct', title: 'encode a struct of 4 fields', expected: (i) => i },
  { name: 'encode_ints', title: 'encode int[4] from an Array', expected: (i) => i },
  { name: 'view_memory', title: 'view 400 bytes', expected: () => 400 },
  { name: 'as_pointer', title: 'Buffer in, cast with as', expected: () => 101 },
  { name: 'i32_array4', title: 'int[4] in, from an Array', expected: (i) => i + 4 },
  { name: 'struct_out', title: '_Out_ struct *, 4 fields', expected: () => RECORD },
].map((item) => ({ absent, ...item }));
