'use strict';

const { loadCases } = require('../lib/dialects/ffi-rs');

/** The published ffi-rs, `load` with fresh literals on every call. */
module.exports = {
  order: 21,
  title: 'ffi-rs load',
  role: 'peer',
  version: () => require('ffi-rs/package.json').version,
  cases: () => loadCases(require('ffi-rs')),
};
