'use strict';

const path = require('node:path');
const { koffiCases } = require('../lib/dialects/koffi');
const { PACKAGE } = require('../lib/paths');

const entry = path.join(PACKAGE, 'js/koffi');

/** Our Koffi dialect: the published one's script with another require. */
module.exports = {
  order: 15,
  title: 'ffi-jit koffi',
  role: 'ours',
  entry,
  version: () => require('../../package.json').version,
  cases: () => koffiCases(require(entry)),
};
