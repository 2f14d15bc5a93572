'use strict';
// 64-bit Windows: runs under wine.

const { runSuitesOn } = require('../lib/targets/suites.js');
const { buildFixtures } = require('../lib/targets/toolchain.js');
const { WITHOUT, buildWindowsAddon, windows } = require('../lib/targets/windows.js');

const name = 'x86_64-pc-windows-gnu';

module.exports = {
  name,
  order: 40,
  fast: true,
  async build() {
    const addon = await buildWindowsAddon(name);
    return { addon, fixtures: await buildFixtures('x86_64-windows-gnu') };
  },
  run: async (built) =>
    runSuitesOn(await windows('x64', name, '22'), built, {
      slow: 3,
      without: WITHOUT,
      more: ['js/test/windows/system.js'],
    }),
};
