'use strict';
// macOS on Intel: linked and checked, never run.

const { macosRow } = require('../lib/targets/macos.js');

module.exports = macosRow({ name: 'x86_64-apple-darwin', order: 81, cpu: 'x86_64' });
