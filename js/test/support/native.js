'use strict';
// Compiles the C fixture library of ../native with the machine's C compiler.
//
// The objects go to .cache/native under a name that holds a hash of the sources, the compiler
// and the flags: a changed source gives a new file, and parallel test processes share one.

const { execFileSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..', '..');
const SOURCES = path.join(__dirname, '..', 'native');
const CACHE = path.join(ROOT, '.cache', 'native');
const COMPILER = process.env.CC || 'cc';
const FLAGS = ['-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-O1', '-g', '-fPIC'];
FLAGS.push('-fvisibility=hidden', '-shared', '-pthread', '-funwind-tables');

/** Where libraries that were built for another machine are (ci/targets.js); nothing is compiled. */
const PREBUILT = process.env.FFI_JIT_FIXTURES;

const prebuiltFile = (name) =>
  path.join(PREBUILT, `${name}.${process.platform === 'win32' ? 'dll' : 'so'}`);

/** A library that was built for this machine elsewhere, if it was. */
function prebuilt(name) {
  const file = PREBUILT && prebuiltFile(name);
  return file && fs.existsSync(file) ? file : undefined;
}

/** What the libraries are made from: a folder, and the names of its sources. */
const LIBRARIES = {
  /** Of the ffi-rs suites. */
  fixture: [SOURCES, /^(?!koffi_).*\.[ch]$/],
  /** Of the Koffi suites. */
  koffi: [SOURCES, /^(?:koffi_.*\.c|fixture\.h)$/],
  /** Preloaded where frees must be counted. */
  track: [path.join(SOURCES, 'preload'), /\.[ch]$/],
  /** Of the suite for Windows. */
  windows: [path.join(SOURCES, 'windows'), /\.(?:c|def)$/],
};

function sourcesOf(name) {
  const [folder, pattern] = LIBRARIES[name];
  const names = fs.readdirSync(folder).filter((file) => pattern.test(file));
  return names.sort().map((file) => path.join(folder, file));
}

function hashOf(files) {
  const hash = createHash('sha256').update(JSON.stringify([COMPILER, FLAGS, process.arch]));
  for (const file of files) hash.update(path.basename(file)).update(fs.readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

/**
 * Builds one of the libraries, unless it is there already.
 * @param {string} name
 * @returns {string} absolute path of the shared library
 */
function compile(name) {
  if (PREBUILT) return prebuiltFile(name);
  const files = sourcesOf(name);
  const target = path.join(CACHE, `lib${name}-${hashOf(files)}.so`);
  if (fs.existsSync(target)) return target;
  fs.mkdirSync(CACHE, { recursive: true });
  // Another test process may be doing the same: compile aside and rename in one step.
  const partial = `${target}.${process.pid}.partial`;
  const units = files.filter((file) => file.endsWith('.c'));
  execFileSync(COMPILER, [...FLAGS, '-o', partial, ...units], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  fs.renameSync(partial, target);
  return target;
}

const fixturePath = () => compile('fixture');
const koffiPath = () => compile('koffi');
const trackerPath = () => compile('track');

/** Options of tests that preload the tracker. */
const PRELOADS = process.platform === 'win32' ? { skip: 'nothing is preloaded on Windows' } : {};

const windowsPath = () => compile('windows');

module.exports = {
  FLAGS,
  LIBRARIES,
  PRELOADS,
  ROOT,
  fixturePath,
  koffiPath,
  prebuilt,
  sourcesOf,
  trackerPath,
  windowsPath,
};
