'use strict';

const { koffiCases } = require('../lib/dialects/koffi');

/** The published Koffi. */
module.exports = {
  order: 30,
  title: 'koffi',
  role: 'peer',
  entry: 'koffi',
  version: () => require('koffi').version,
  cases: () => koffiCases(require('koffi')),
};
