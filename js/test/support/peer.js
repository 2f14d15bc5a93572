'use strict';
// The published ffi-rs, installed by npm into .cache/peers for comparison. It is run, not read,
// and is no dependency of the product.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('./native');

const VERSION = '1.3.7';
const FOLDER = path.join(ROOT, '.cache', 'peers', `ffi-rs-${VERSION}`);

/** Folder of the installed package; installs it when it is missing. */
function peerFolder() {
  const installed = path.join(FOLDER, 'node_modules', 'ffi-rs');
  if (fs.existsSync(path.join(installed, 'package.json'))) return installed;
  // Aside first, then renamed: another test process may be installing as well.
  const partial = `${FOLDER}.${process.pid}.partial`;
  fs.mkdirSync(partial, { recursive: true });
  fs.writeFileSync(
    path.join(partial, 'package.json'),
    JSON.stringify({ private: true, dependencies: { 'ffi-rs': VERSION } }),
  );
  const flags = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  execFileSync('npm', flags, { cwd: partial, stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    fs.renameSync(partial, FOLDER);
  } catch (error) {
    if (!fs.existsSync(path.join(installed, 'package.json'))) throw error;
    fs.rmSync(partial, { recursive: true, force: true });
  }
  return installed;
}

module.exports = { VERSION, peerFolder };
