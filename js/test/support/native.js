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
FLAGS.push('-fvisibility=hidden', '-shared', '-pthread');

function sourcesIn(folder, pattern) {
  const names = fs.readdirSync(folder).filter((name) => pattern.test(name));
  return names.sort().map((name) => path.join(folder, name));
}

function hashOf(files) {
  const hash = createHash('sha256').update(JSON.stringify([COMPILER, FLAGS, process.arch]));
  for (const file of files) hash.update(path.basename(file)).update(fs.readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

/**
 * Builds one shared library from the .c files of a folder, unless it is there already.
 * @param {string} name base name of the library
 * @param {string} folder where the sources are
 * @param {RegExp} pattern names of the .c files, and of the headers that they include
 * @returns {string} absolute path of the shared library
 */
function compile(name, folder, pattern = /\.[ch]$/) {
  const files = sourcesIn(folder, pattern);
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

/** Path of the fixture library of the ffi-rs suites. */
const fixturePath = () => compile('fixture', SOURCES, /^(?!koffi_).*\.[ch]$/);

/** Path of the fixture library of the Koffi suites. */
const koffiPath = () => compile('koffi', SOURCES, /^(?:koffi_.*\.c|fixture\.h)$/);

/** Path of the library to preload where frees must be counted. */
const trackerPath = () => compile('track', path.join(SOURCES, 'preload'));

module.exports = { ROOT, compile, fixturePath, koffiPath, trackerPath };
