'use strict';
// macOS on Apple silicon: linked and checked, never run.

const { macosRow } = require('../lib/targets/macos.js');

module.exports = macosRow({ name: 'aarch64-apple-darwin', order: 80, cpu: 'arm64' });
