'use strict';
// Packed packages in an empty folder, put there by npm, and a program that uses them.

const fs = require('node:fs');
const path = require('node:path');
const { npm, run, MINUTE } = require('../run.js');
const { MAIN, pack } = require('./pack.js');
const { withRegistry } = require('./registry.js');
const { platforms } = require('./table.js');

const PROGRAM = path.join(__dirname, 'program.cjs');

/** What npm and the program get: nothing of the checkout's settings or of a proxy. */
const ENV = {
  FFI_JIT_NATIVE_PATH: undefined,
  NODE_OPTIONS: undefined,
  NODE_PATH: undefined,
  NO_PROXY: '127.0.0.1',
  no_proxy: '127.0.0.1',
};

/**
 * Packs everything, with a real addon for one platform; the packages of the others hold a file that
 * is no addon.
 *
 * @param {string} place
 * @param {Platform} platform
 * @param {string} addon
 */
function packAround(place, platform, addon) {
  const nothing = Buffer.from('no addon: made for a test\n');
  const addons = platforms.map((one) => [one, one === platform ? fs.readFileSync(addon) : nothing]);
  return pack(place, { addons: new Map(addons) });
}

/** Makes an empty project. */
function emptyProject(folder) {
  for (const old of [folder, `${folder}-npm`]) fs.rmSync(old, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
}

/**
 * Runs `npm install` in an empty project.
 *
 * @param {string} folder
 * @param {string[]} args what to install, and flags
 */
async function npmInstall(folder, args) {
  emptyProject(folder);
  const flags = ['--prefix', folder, '--cache', `${folder}-npm`, '--ignore-scripts'];
  const all = ['install', '--no-audit', '--no-fund', ...flags, ...args];
  const result = await npm(all, { cwd: folder, env: ENV, timeout: 5 * MINUTE });
  if (!result.ok) throw new Error(`npm ${all.join(' ')} failed\n${result.output}`);
}

/** `npm install ffi-jit` on a system of this platform, from a registry that has all packages. */
function installFor(folder, platform, packed) {
  const { os, cpu, libc } = platform;
  const system = [`--os=${os}`, `--cpu=${cpu}`, ...(libc ? [`--libc=${libc}`] : [])];
  return withRegistry(packed, (url) => npmInstall(folder, [MAIN, '--registry', url, ...system]));
}

/** The names of the packages that a project has. */
const installedPackages = (folder) =>
  fs.readdirSync(path.join(folder, 'node_modules')).filter((name) => !name.startsWith('.'));

/**
 * Runs ci/lib/packages/program.cjs in a project.
 *
 * @param {string} node the program that runs Node
 * @param {string} folder
 * @param {string} name the package whose addon must be the one in use
 * @param {{ platform?: string, timeout?: number }} [options] process.platform to put on
 */
function runProgram(node, folder, name, { platform, timeout = 2 * MINUTE } = {}) {
  fs.copyFileSync(PROGRAM, path.join(folder, 'program.cjs'));
  const args = ['program.cjs', name, ...(platform ? [platform] : [])];
  return run(node, args, { cwd: folder, env: ENV, timeout });
}

module.exports = {
  ENV,
  emptyProject,
  installFor,
  installedPackages,
  npmInstall,
  packAround,
  runProgram,
};
