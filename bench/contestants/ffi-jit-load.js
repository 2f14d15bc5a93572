'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { PACKAGE, ROOT } = require('../lib/paths');
const { loadCases } = require('../lib/dialects/ffi-rs');

/** This package through its ffi-rs API, `load` with fresh literals on every call. */
module.exports = {
  order: 11,
  title: 'ffi-jit load',
  role: 'ours',
  unsupported: () => (fs.existsSync(path.join(ROOT, 'package.json')) ? null : 'not built'),
  version: () => require(path.join(ROOT, 'package.json')).version,
  cases: () => loadCases(require(PACKAGE)),
};
