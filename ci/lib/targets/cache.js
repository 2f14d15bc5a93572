'use strict';
// Where the target rows keep what they fetch and make, and how they run programs.

const fs = require('node:fs');
const path = require('node:path');
const { cache } = require('../paths.js');
const { run, MINUTE } = require('../run.js');

const folder = path.join(cache, 'targets');

/** Runs a program that must succeed; returns its output. */
async function must(program, args, options = {}) {
  const result = await run(program, args, { timeout: 30 * MINUTE, ...options });
  if (!result.ok) {
    throw new Error(`${[program, ...args].join(' ')} failed\n${result.output.slice(-8000)}`);
  }
  return result.output;
}

/** Makes a folder of the cache unless that was once done to its end; returns its path. */
async function once(name, make) {
  const place = path.join(folder, name);
  const done = path.join(place, '.done');
  if (fs.existsSync(done)) return place;
  fs.rmSync(place, { recursive: true, force: true });
  fs.mkdirSync(place, { recursive: true });
  await make(place);
  fs.writeFileSync(done, '');
  return place;
}

/** Installs Debian packages unless the programs or files that they bring are there. */
async function apt(files, packages) {
  const has = (file) =>
    path.isAbsolute(file)
      ? fs.existsSync(file)
      : process.env.PATH.split(':').some((folder) => fs.existsSync(path.join(folder, file)));
  if (files.every(has)) return;
  await must('apt-get', ['update', '-qq']);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await must('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env });
}

module.exports = { apt, folder, must, once };
