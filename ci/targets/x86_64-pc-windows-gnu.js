'use strict';
// 64-bit Windows: runs under wine.

const { windowsRow } = require('../lib/targets/windows.js');

module.exports = windowsRow({
  name: 'x86_64-pc-windows-gnu',
  order: 40,
  fast: true,
  width: 'x64',
  machine: 'amd64',
  more: ['system', 'executable-memory', 'unwind'],
});
