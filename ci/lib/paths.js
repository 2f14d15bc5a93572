'use strict';
// Where things are. Everything that ci/ makes lies in git-ignored folders of the checkout.

const path = require('node:path');

const root = path.join(__dirname, '..', '..');

module.exports = {
  root,
  cache: path.join(root, '.cache'),
  /** What js/core/loader.js loads in a checkout. */
  addon: path.join(root, 'prebuilds', `${process.platform}-${process.arch}`, 'ffi-jit.node'),
};
