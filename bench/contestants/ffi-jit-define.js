'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { PACKAGE, ROOT } = require('../lib/paths');
const { defineCases } = require('../lib/dialects/ffi-rs');

/** This package through its ffi-rs API, functions made with `define`. */
module.exports = {
  order: 10,
  title: 'ffi-jit define',
  role: 'ours',
  unsupported: () => (fs.existsSync(path.join(ROOT, 'package.json')) ? null : 'not built'),
  entry: PACKAGE,
  version: () => require(path.join(ROOT, 'package.json')).version,
  cases: () => defineCases(require(PACKAGE)),
};
