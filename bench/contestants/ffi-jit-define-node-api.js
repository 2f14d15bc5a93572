'use strict';

const define = require('./ffi-jit-define');

/** The same without V8's fast calls: the tier that every runtime has. */
module.exports = {
  ...define,
  order: 12,
  title: 'ffi-jit define, Node-API tier',
  env: { FFI_JIT_TIER: 'node-api' },
};
