'use strict';
// A target's package: packed with the addon that its row built, installed by npm into an empty
// project as on that target, and used by the target's Node.

const path = require('node:path');
const { add, closingCounts, settle, zero } = require('../counts.js');
const { MINUTE } = require('../run.js');
const { installFor, installedPackages, packAround, runProgram } = require('../packages/install.js');
const { MAIN, problemOf } = require('../packages/pack.js');
const { platformOfRow } = require('../packages/table.js');
const { folder } = require('./cache.js');

/**
 * Tests the package of a row.
 *
 * @param {{ name: string }} row
 * @param {string} addon what it built
 * @param {{ node: string }} [system] its Node; without one, the program is not run
 * @returns {Promise<object>} counts, output of what failed, notes
 */
async function installed(row, addon, system) {
  const platform = platformOfRow(row.name);
  if (!platform) throw new Error(`no package is made from ${row.name} (ci/lib/packages/table.js)`);
  const problem = problemOf(platform, addon);
  if (problem) return { ...settle(null, false), output: problem, notes: [] };

  const project = path.join(folder, 'installed', platform.folder);
  const packed = await packAround(path.join(folder, 'packed', platform.folder), platform, addon);
  await installFor(project, platform, packed);
  const names = installedPackages(project).join(' and ');
  const isRight = names === `${MAIN} and ${platform.name}`;
  const choice = { ...settle(null, isRight), output: isRight ? '' : `npm installed ${names}` };
  const used = system ? await use(system, project, platform) : { ...zero(), output: '' };
  return {
    ...[choice, used].reduce(add, settle(null, true)),
    output: [choice, used].map(({ output }) => output).join('\n'),
    notes: [`npm installed ${names}${system ? '' : '; nothing here can run them'}`],
  };
}

/** Runs the program in the project. A Node that stands for Android's calls itself Linux. */
async function use({ node }, project, platform) {
  const { ok, output } = await runProgram(node, project, platform.name, {
    platform: platform.os === 'android' ? 'android' : undefined,
    timeout: 10 * MINUTE,
  });
  const counts = settle(closingCounts(output), ok);
  return { ...counts, output: counts.failed > 0 ? output : '' };
}

module.exports = { installed };
