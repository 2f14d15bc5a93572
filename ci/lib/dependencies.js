'use strict';
// The dev dependencies, which a fresh clone does not have.

const fs = require('node:fs');
const path = require('node:path');
const { root } = require('./paths.js');
const { npm } = require('./run.js');

/**
 * Installs the dev dependencies if they are missing or not those of the lockfile.
 *
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
async function installDependencies() {
  const installed = path.join(root, 'node_modules', '.package-lock.json');
  const lockfile = path.join(root, 'package-lock.json');
  const fresh =
    fs.existsSync(installed) && fs.statSync(installed).mtimeMs >= fs.statSync(lockfile).mtimeMs;
  if (fresh) return { ok: true, output: '' };
  const result = await npm(['ci', '--no-audit', '--no-fund', '--ignore-scripts']);
  // npm keeps the archive's times; the file must be newer than the lockfile it answers to.
  if (result.ok) fs.utimesSync(installed, new Date(), new Date());
  return result;
}

/** The same for what cannot go on without them. */
async function needDependencies() {
  const { ok, output } = await installDependencies();
  if (!ok) throw new Error(`npm ci failed\n${output}`);
}

module.exports = { installDependencies, needDependencies };
