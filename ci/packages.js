'use strict';
// Keeps what follows from package.json and the table of platforms (ci/lib/packages/table.js): the
// folders of npm/, the version in Cargo.toml, Cargo.lock and js/core/loader.js, and the licences of
// what is compiled into the addon.
//
//   node ci/packages.js              writes what is out of date
//   node ci/packages.js --check      names it, and fails
//
// `npm version` runs it, so that a new version is everywhere in one commit.

const fs = require('node:fs');
const path = require('node:path');
const { root } = require('./lib/paths.js');
const { filesBelow, read } = require('./lib/files.js');
const { thirdPartyLicenses } = require('./lib/packages/licenses.js');
const {
  THIRD_PARTY,
  json,
  mainManifest,
  platformManifest,
  platformReadme,
} = require('./lib/packages/manifests.js');
const { platforms } = require('./lib/packages/table.js');

/** Places of the version: a file, and the text around it. */
const VERSIONS = [
  ['Cargo.toml', /(?<=^\[workspace\.package\]\nversion = ")[^"]+(?=")/m],
  ['Cargo.lock', /(?<=^name = "ffi-jit"\nversion = ")[^"]+(?=")/m],
  ['Cargo.lock', /(?<=^name = "jit-tests"\nversion = ")[^"]+(?=")/m],
  ['js/core/loader.js', /(?<=^const VERSION = ')[^']+(?=';)/m],
];

/** What every file has to hold, by path, but for the licences. */
function wanted() {
  const main = mainManifest();
  const files = new Map();
  for (const platform of platforms) {
    files.set(`npm/${platform.folder}/package.json`, json(platformManifest(platform, main)));
    files.set(`npm/${platform.folder}/README.md`, platformReadme(platform));
  }
  for (const [file, place] of VERSIONS) {
    const text = files.get(file) ?? read(file);
    if (!place.test(text)) throw new Error(`${file}: no version where ${place} looks for it`);
    files.set(file, text.replace(place, main.version));
  }
  return files;
}

const has = (file, text) => fs.existsSync(path.join(root, file)) && read(file) === text;

/** The files that are not as they have to be, with what they have to hold: null to be removed. */
async function outOfDate() {
  const files = wanted();
  const stale = [...files].filter(([file, text]) => !has(file, text));
  // Cargo is not to be asked while its lockfile is wrong.
  if (!stale.some(([file]) => file.startsWith('Cargo.'))) {
    const licenses = await thirdPartyLicenses();
    if (!has(THIRD_PARTY, licenses)) stale.push([THIRD_PARTY, licenses]);
  }
  const strangers = filesBelow('npm', /(?<!\.node)$/).filter((file) => !files.has(file));
  return [...stale, ...strangers.map((file) => [file, null])];
}

function write([file, text]) {
  const target = path.join(root, file);
  if (text === null) return fs.rmSync(target);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  return fs.writeFileSync(target, text);
}

module.exports = { outOfDate };

/** Brings everything up to date: versions first, then what cargo says with them. */
async function update() {
  for (let round = 1; round <= 2; round++) {
    for (const entry of await outOfDate()) {
      write(entry);
      console.log(`${entry[1] === null ? 'removed' : 'wrote'} ${entry[0]}`);
    }
  }
}

async function check() {
  const files = await outOfDate();
  for (const [file, text] of files) {
    console.log(`${file} ${text === null ? 'does not belong there' : 'is out of date'}`);
  }
  if (files.length > 0) process.exitCode = 1;
}

if (require.main === module) {
  const work = process.argv.includes('--check') ? check : update;
  work().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
