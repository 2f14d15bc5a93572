'use strict';

const koffi = require('./ffi-jit-koffi');

/** The same with V8's fast calls, but with all arguments in frame memory. */
module.exports = {
  ...koffi,
  order: 15.5,
  title: 'ffi-jit koffi, packed tier',
  env: { FFI_JIT_TIER: 'packed' },
};
