'use strict';
// Alpine on 64-bit ARM: runs under qemu.

const { muslArm64 } = require('../lib/targets/systems.js');
const { runSuitesOn } = require('../lib/targets/suites.js');
const { buildAddon, buildFixtures } = require('../lib/targets/toolchain.js');

const name = 'aarch64-unknown-linux-musl';

module.exports = {
  name,
  order: 60,
  fast: false,
  async build() {
    const env = {
      CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUSTFLAGS: '-Ctarget-feature=-crt-static',
    };
    const addon = await buildAddon(name, { env });
    return { addon, fixtures: await buildFixtures('aarch64-linux-musl') };
  },
  run: async (built, { fast }) => runSuitesOn(await muslArm64(), built, { slow: 6, fast }),
};
