'use strict';
// 64-bit ARM Linux: runs under qemu.

const { glibcArm64 } = require('../lib/targets/systems.js');
const { andAlso, runSuitesOn } = require('../lib/targets/suites.js');
const { buildAddon, buildFixtures } = require('../lib/targets/toolchain.js');

const name = 'aarch64-unknown-linux-gnu';

/** Kernels for ARM are made for pages of 4, 16 or 64 KiB. */
const PAGES = [16_384, 65_536];
const AGAIN = {
  files: ['pages', 'executable-memory', 'ffi-rs/scalars', 'ffi-rs/callbacks'].map(
    (name) => `js/test/${name}.test.js`,
  ),
  slow: 6,
};

module.exports = {
  name,
  order: 20,
  fast: true,
  async build() {
    const addon = await buildAddon(name, { suffix: '.2.28' });
    return { addon, fixtures: await buildFixtures('aarch64-linux-gnu.2.28') };
  },
  async run(built, { fast }) {
    let result = await runSuitesOn(await glibcArm64(), built, { slow: 6, fast });
    for (const page of PAGES) {
      const system = await glibcArm64(page);
      result = await andAlso(result, `pages of ${page} bytes`, system, built, AGAIN);
    }
    return result;
  },
};
