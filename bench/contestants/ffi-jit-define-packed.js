'use strict';

const define = require('./ffi-jit-define');

/** The same with V8's fast calls, but with all arguments in frame memory. */
module.exports = {
  ...define,
  order: 11.5,
  title: 'ffi-jit define, packed tier',
  env: { FFI_JIT_TIER: 'packed' },
};
