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

/** What every file has to hold, by path. */
async function wanted() {
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
  files.set(THIRD_PARTY, await thirdPartyLicenses());
  return files;
}

const has = (file, text) => fs.existsSync(path.join(root, file)) && read(file) === text;

/** The files that are not as they have to be, with what they have to hold: null to be removed. */
async function outOfDate() {
  const files = await wanted();
  const known = (file) => files.has(file) || file.endsWith('.node');
  const strangers = filesBelow('npm', /./).filter((file) => !known(file));
  return [
    ...[...files].filter(([file, text]) => !has(file, text)),
    ...strangers.map((file) => [file, null]),
  ];
}

function write([file, text]) {
  const target = path.join(root, file);
  if (text === null) return fs.rmSync(target);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  return fs.writeFileSync(target, text);
}

module.exports = { outOfDate };

if (require.main === module) {
  const check = process.argv.includes('--check');
  outOfDate().then(
    (files) => {
      for (const [file, text] of files) {
        const what = text === null ? 'does not belong there' : 'is out of date';
        console.log(check ? `${file} ${what}` : `${text === null ? 'removed' : 'wrote'} ${file}`);
      }
      if (!check) files.forEach(write);
      else if (files.length > 0) process.exitCode = 1;
    },
    (error) => {
      console.error(error.message);
      process.exitCode = 1;
    },
  );
}
