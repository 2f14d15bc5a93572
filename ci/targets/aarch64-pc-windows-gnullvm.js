'use strict';
// Windows on ARM: wine here runs no such programs, so that the addon is linked and its file is checked.

const { nothingRun, peChecks, withChecks } = require('../lib/targets/objects.js');
const { buildWindowsAddon } = require('../lib/targets/windows.js');

const name = 'aarch64-pc-windows-gnullvm';

module.exports = {
  name,
  order: 82,
  fast: false,
  async build() {
    return { addon: await buildWindowsAddon(name) };
  },
  run: async ({ addon }) => withChecks(nothingRun(), await peChecks(addon, 'arm64')),
};
