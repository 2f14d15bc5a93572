'use strict';
// macOS on Apple silicon: no macOS is to be had here, so that the addon is linked and its file is checked.

const { machoChecks, nothingRun, withChecks } = require('../lib/targets/objects.js');
const { buildAddon } = require('../lib/targets/toolchain.js');

const name = 'aarch64-apple-darwin';

module.exports = {
  name,
  order: 80,
  fast: false,
  async build() {
    // zig's linker leaves no room for the strip that cargo would do.
    return { addon: await buildAddon(name, { env: { CARGO_PROFILE_RELEASE_STRIP: 'none' } }) };
  },
  run: async ({ addon }) => withChecks(nothingRun(), await machoChecks(addon, 'arm64')),
};
