'use strict';
// The published peers, installed by npm into .cache/peers for comparison. They are run, not read,
// and are no dependency of the product.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('./native');

const VERSIONS = { 'ffi-rs': '1.3.7', koffi: '3.3.4' };
const VERSION = VERSIONS['ffi-rs'];

/**
 * Folder of an installed peer; installs it when it is missing.
 * @param {'ffi-rs' | 'koffi'} [name]
 * @returns {string}
 */
function peerFolder(name = 'ffi-rs') {
  const folder = path.join(ROOT, '.cache', 'peers', `${name}-${VERSIONS[name]}`);
  const installed = path.join(folder, 'node_modules', name);
  if (fs.existsSync(path.join(installed, 'package.json'))) return installed;
  // Aside first, then renamed: another test process may be installing as well.
  const partial = `${folder}.${process.pid}.partial`;
  fs.mkdirSync(partial, { recursive: true });
  fs.writeFileSync(
    path.join(partial, 'package.json'),
    JSON.stringify({ private: true, dependencies: { [name]: VERSIONS[name] } }),
  );
  const flags = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  execFileSync('npm', flags, { cwd: partial, stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    fs.renameSync(partial, folder);
  } catch (error) {
    if (!fs.existsSync(path.join(installed, 'package.json'))) throw error;
    fs.rmSync(partial, { recursive: true, force: true });
  }
  return installed;
}

module.exports = { VERSION, VERSIONS, peerFolder };
