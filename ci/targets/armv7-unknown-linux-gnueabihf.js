'use strict';
// 32-bit ARM Linux, hard float: runs under qemu.

const { glibcArm } = require('../lib/targets/systems.js');
const { runSuitesOn } = require('../lib/targets/suites.js');
const { buildAddon, buildFixtures } = require('../lib/targets/toolchain.js');

const name = 'armv7-unknown-linux-gnueabihf';

module.exports = {
  name,
  order: 50,
  fast: false,
  async build() {
    const addon = await buildAddon(name, { suffix: '.2.28' });
    return { addon, fixtures: await buildFixtures('arm-linux-gnueabihf.2.28') };
  },
  run: async (built, { fast }) => runSuitesOn(await glibcArm(), built, { slow: 6, fast }),
};
