'use strict';
// 32-bit Windows: runs under wine.

const { windowsRow } = require('../lib/targets/windows.js');

module.exports = windowsRow({
  name: 'i686-pc-windows-gnu',
  order: 70,
  fast: false,
  width: 'x86',
  machine: 'i386',
  more: ['system', 'executable-memory'],
});
