'use strict';
// Alpine and its like: runs in a chroot with musl and a Node that was built for it.

const { muslX64 } = require('../lib/targets/systems.js');
const { runSuitesOn } = require('../lib/targets/suites.js');
const { buildAddon, buildFixtures } = require('../lib/targets/toolchain.js');

const name = 'x86_64-unknown-linux-musl';

module.exports = {
  name,
  order: 10,
  fast: true,
  async build() {
    const env = {
      CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS: '-Ctarget-feature=-crt-static',
    };
    const addon = await buildAddon(name, { env });
    return { addon, fixtures: await buildFixtures('x86_64-linux-musl') };
  },
  run: async (built, { fast }) => runSuitesOn(await muslX64(), built, { slow: 2, fast }),
};
