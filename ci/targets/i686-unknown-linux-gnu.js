'use strict';
// 32-bit x86 Linux: runs natively, in a chroot with i386 Debian.

const { debianIa32 } = require('../lib/targets/systems.js');
const { runSuitesOn } = require('../lib/targets/suites.js');
const { buildAddon, buildFixtures } = require('../lib/targets/toolchain.js');

const name = 'i686-unknown-linux-gnu';

module.exports = {
  name,
  order: 30,
  fast: true,
  async build() {
    const addon = await buildAddon(name, { suffix: '.2.28' });
    return { addon, fixtures: await buildFixtures('x86-linux-gnu.2.28') };
  },
  run: async (built, { fast }) => runSuitesOn(await debianIa32(), built, { slow: 2, fast }),
};
