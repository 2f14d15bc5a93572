'use strict';
// Android on 64-bit ARM. There is no bionic to be had here: the addon is checked for what Android's
// loader wants, and run in a musl Node under qemu with bionic's few own names on top.

const path = require('node:path');
const { elfChecks, stubs } = require('../lib/targets/android.js');
const { withChecks } = require('../lib/targets/objects.js');
const { androidArm64 } = require('../lib/targets/systems.js');
const { runSuitesOn } = require('../lib/targets/suites.js');
const { buildAddon, buildFixtures } = require('../lib/targets/toolchain.js');

const name = 'aarch64-linux-android';
const LINKER = path.join(__dirname, '../lib/targets/android-cc.py');

/** Calls of every kind; what is about libraries and processes would test musl. */
const ONLY = /\/ffi-rs\/(scalars|structs|records|arrays|pointers|callbacks|threads)\.test\.js$/;

module.exports = {
  name,
  order: 70,
  fast: true,
  async build() {
    const env = { CARGO_TARGET_AARCH64_LINUX_ANDROID_LINKER: LINKER, ANDROID_STUBS: await stubs() };
    const addon = await buildAddon(name, { env, command: 'build' });
    return { addon, fixtures: await buildFixtures('aarch64-linux-musl') };
  },
  async run(built, { fast }) {
    const system = await androidArm64(await stubs());
    const suites = await runSuitesOn(system, built, { slow: 6, fast, only: ONLY });
    return withChecks(suites, await elfChecks(built.addon));
  },
};
