'use strict';
// 64-bit ARM Linux: runs under qemu.

const { glibcArm64 } = require('../lib/targets/systems.js');
const { runSuitesOn } = require('../lib/targets/suites.js');
const { buildAddon, buildFixtures } = require('../lib/targets/toolchain.js');

const name = 'aarch64-unknown-linux-gnu';

module.exports = {
  name,
  order: 20,
  fast: true,
  async build() {
    const addon = await buildAddon(name, { suffix: '.2.28' });
    return { addon, fixtures: await buildFixtures('aarch64-linux-gnu.2.28') };
  },
  run: async (built, { fast }) => runSuitesOn(await glibcArm64(), built, { slow: 6, fast }),
};
