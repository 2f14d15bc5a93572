'use strict';
// The packages as files: a folder for each with what is published and nothing else, and `npm pack`.

const fs = require('node:fs');
const path = require('node:path');
const { root } = require('../paths.js');
const { needDependencies } = require('../dependencies.js');
const { npm, MINUTE } = require('../run.js');
const { identify } = require('./binary.js');
const { joinModules } = require('./joined.js');
const { LICENSES, THIRD_PARTY, json, publishedManifest } = require('./manifests.js');

/** The newest glibc that a released addon may ask for: that of Node 18. */
const GLIBC = 28;

const MAIN = 'ffi-jit';

function copy(names, from, to) {
  for (const name of names) {
    fs.cpSync(path.join(from, name), path.join(to, name), { recursive: true });
  }
}

/** Fills an empty folder with the main package. */
function stageMain(place) {
  const manifest = publishedManifest();
  copy([...manifest.files, 'README.md'], root, place);
  joinModules(path.join(place, 'js'));
  fs.writeFileSync(path.join(place, 'package.json'), json(manifest));
}

/**
 * What is wrong with an addon for a package; undefined if nothing is.
 *
 * @param {Platform} platform
 * @param {string} addon
 * @param {{ release?: boolean }} [options] whether it has to run on old systems too
 */
function problemOf({ folder, binary }, addon, { release = true } = {}) {
  const { kind, glibc = 0 } = identify(addon);
  if (kind !== binary) return `${addon} is "${kind}", but the package ${folder} needs "${binary}"`;
  if (release && glibc > GLIBC) {
    return `${addon} needs glibc 2.${glibc}, and ${folder} is for 2.${GLIBC} and newer: build it with node ci/pack.js ${folder}`;
  }
}

/**
 * Fills an empty folder with a platform package.
 *
 * @param {Platform} platform
 * @param {Buffer} addon its content
 */
function stagePlatform({ folder }, addon, place) {
  copy(['package.json', 'README.md'], path.join(root, 'npm', folder), place);
  copy([...LICENSES, THIRD_PARTY], root, place);
  fs.writeFileSync(path.join(place, 'ffi-jit.node'), addon, { mode: 0o755 });
}

/**
 * Packs staged folders.
 *
 * @param {string[]} folders
 * @param {string} destination
 * @returns {Promise<{ name: string, manifest: object, tarball: string }[]>}
 */
async function packFolders(folders, destination) {
  fs.mkdirSync(destination, { recursive: true });
  const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', destination];
  const result = await npm([...args, ...folders], { timeout: 5 * MINUTE });
  if (!result.ok) throw new Error(`npm pack failed\n${result.output}`);
  return folders.map((folder) => {
    const manifest = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const { name, version } = manifest;
    return { name, manifest, tarball: path.join(destination, `${name}-${version}.tgz`) };
  });
}

/**
 * Packs the main package, if it is asked for, and platform packages.
 *
 * @param {string} place a folder that is made anew
 * @param {{ main?: boolean, addons: Map<Platform, Buffer>, destination?: string }} what
 */
async function pack(place, { main = true, addons, destination = place }) {
  await needDependencies();
  fs.rmSync(place, { recursive: true, force: true });
  const staged = [];
  const stage = (name, fill) => {
    const folder = path.join(place, 'staged', name);
    fs.mkdirSync(folder, { recursive: true });
    fill(folder);
    staged.push(folder);
  };
  if (main) stage(MAIN, stageMain);
  for (const [platform, addon] of addons) {
    stage(platform.name, (folder) => stagePlatform(platform, addon, folder));
  }
  return packFolders(staged, destination);
}

module.exports = { MAIN, pack, problemOf };
