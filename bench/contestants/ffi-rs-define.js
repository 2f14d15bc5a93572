'use strict';

const { defineCases } = require('../lib/dialects/ffi-rs');

/** The published ffi-rs, functions made with `define`. */
module.exports = {
  order: 20,
  title: 'ffi-rs define',
  role: 'peer',
  entry: 'ffi-rs',
  version: () => require('ffi-rs/package.json').version,
  cases: () => defineCases(require('ffi-rs')),
};
