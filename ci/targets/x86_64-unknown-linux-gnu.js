'use strict';
// 64-bit x86 Linux with glibc as it is released: linked against an old glibc by zig, unlike what
// `npm run build` makes for this machine alone.

const { runSuitesOn } = require('../lib/targets/suites.js');
const { buildAddon, buildFixtures } = require('../lib/targets/toolchain.js');

const name = 'x86_64-unknown-linux-gnu';

const { execPath: node, version } = process;

module.exports = {
  name,
  order: 5,
  fast: false,
  async build() {
    const addon = await buildAddon(name, { suffix: '.2.28' });
    return { addon, fixtures: await buildFixtures('x86_64-linux-gnu.2.28') };
  },
  run: async (built, { fast }) => runSuitesOn({ node, version, child: node }, built, { fast }),
};
