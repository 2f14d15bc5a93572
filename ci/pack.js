'use strict';
// Makes the packages that are published, as files (.tgz).
//
//   node ci/pack.js                  the main package, ffi-jit
//   node ci/pack.js FOLDER...        platform packages (folders of npm/), each with the addon that
//                                    its row of ci/targets builds
//   node ci/pack.js FOLDER=FILE...   the same with this addon
//   node ci/pack.js --host           this machine's, with the addon of `npm run build`
//   node ci/pack.js --out DIR        where to, by default .cache/packages/out
//
// An addon that is for another platform than its package, or for newer systems only, is refused.

const fs = require('node:fs');
const path = require('node:path');
const { build } = require('./build.js');
const { cache, root } = require('./lib/paths.js');
const { pack, problemOf } = require('./lib/packages/pack.js');
const { hostPlatform, platformNamed } = require('./lib/packages/table.js');
const { outOfDate } = require('./packages.js');

/** The addon of a platform, built by its row. */
async function builtByRow({ folder, row }) {
  const file = path.join(__dirname, 'targets', `${row}.js`);
  if (!fs.existsSync(file)) {
    throw new Error(`nothing here builds ${folder}: on such a machine, node ci/pack.js --host`);
  }
  const { addon } = await require(file).build();
  return addon;
}

async function builtHere() {
  const platform = hostPlatform();
  if (!platform) throw new Error('there is no package for this machine');
  return [platform, (await build(console.error)).path];
}

/** The platform and the addon that a word of the command line asks for. */
async function resolve(word) {
  if (word === '--host') return builtHere();
  const [folder, file] = word.split('=');
  const platform = platformNamed(folder);
  return [platform, file ?? (await builtByRow(platform))];
}

async function main(args) {
  const at = args.indexOf('--out');
  const out = path.resolve(at < 0 ? path.join(cache, 'packages/out') : (args[at + 1] ?? ''));
  const words = at < 0 ? args : [...args.slice(0, at), ...args.slice(at + 2)];
  const unknown = words.find((word) => word.startsWith('--') && word !== '--host');
  if (unknown) throw new Error(`unknown option "${unknown}"`);

  const stale = (await outOfDate()).map(([file]) => file);
  if (stale.length > 0) throw new Error(`out of date: ${stale.join(', ')}; node ci/packages.js`);
  const addons = new Map();
  for (const word of words) {
    const [platform, addon] = await resolve(word);
    const problem = problemOf(platform, addon);
    if (problem) throw new Error(problem);
    addons.set(platform, fs.readFileSync(addon));
  }
  const what = { main: addons.size === 0, addons, destination: out };
  const packed = await pack(path.join(cache, 'packages/release'), what);
  for (const { tarball } of packed) {
    const size = Math.round(fs.statSync(tarball).size / 1024);
    console.log(`${path.relative(root, tarball)}: ${size} KB`);
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
