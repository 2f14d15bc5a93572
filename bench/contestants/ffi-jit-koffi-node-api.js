'use strict';

const koffi = require('./ffi-jit-koffi');

/** The same without V8's fast calls: the tier that every runtime has. */
module.exports = {
  ...koffi,
  order: 16,
  title: 'ffi-jit koffi, Node-API tier',
  env: { FFI_JIT_TIER: 'node-api' },
};
