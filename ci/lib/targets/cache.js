'use strict';
// Where the target rows keep what they fetch and make, and how they run programs.
//
// Several runs may share the folder: what one makes, others wait for.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { cache } = require('../paths.js');
const { run, MINUTE } = require('../run.js');

const folder = path.join(cache, 'targets');

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Runs a program that must succeed; returns its output.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {object} [options] those of `run`, and
 * @param {number} [options.tries] how often to try what a network may spoil, by default once
 * @param {number} [options.wait] milliseconds before the second try; each later one waits longer
 */
async function must(program, args, { tries = 1, wait = 5000, ...options } = {}) {
  for (let tried = 1; ; tried++) {
    const result = await run(program, args, { timeout: 30 * MINUTE, ...options });
    if (result.ok) return result.output;
    if (tried >= tries) {
      throw new Error(`${[program, ...args].join(' ')} failed\n${result.output.slice(-8000)}`);
    }
    await pause(wait * tried);
  }
}

/**
 * Waits until nobody else holds a lock, and holds it while `work` runs. The kernel keeps the lock
 * for a child process, flock(1), so that none outlives its run, however that ends.
 */
async function locked(file, work) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const keeper = spawn('flock', ['--exclusive', file, 'sh', '-c', 'echo; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => keeper.once('close', resolve));
  await new Promise((resolve, reject) => {
    keeper.stdout.once('data', resolve);
    keeper.once('error', reject);
    keeper.once('close', (code) => reject(new Error(`flock ${file} ended with ${code}`)));
  });
  try {
    return await work();
  } finally {
    keeper.stdin.end();
    await ended;
  }
}

/**
 * Makes a folder of the cache unless that was once done to its end; returns its path.
 *
 * @param {string} name path below the cache
 * @param {(place: string) => Promise<unknown>} make fills the empty folder
 * @param {string} [recipe] what it is made from: another one makes it anew
 */
async function once(name, make, recipe = '') {
  const place = path.join(folder, name);
  const done = path.join(place, '.done');
  const isDone = () => fs.existsSync(done) && fs.readFileSync(done, 'utf8') === recipe;
  if (isDone()) return place;
  return locked(path.join(folder, 'locks', name.replaceAll('/', '+')), async () => {
    if (isDone()) return place;
    fs.rmSync(place, { recursive: true, force: true });
    fs.mkdirSync(place, { recursive: true });
    await make(place);
    fs.writeFileSync(done, recipe);
    return place;
  });
}

/** Writes a file in one step: who reads it meanwhile sees the old one or the new one. */
function replaceFile(file, write) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const partial = `${file}.${process.pid}.partial`;
  write(partial);
  fs.renameSync(partial, file);
}

/** Installs Debian packages unless the programs or files that they bring are there. */
async function apt(files, packages) {
  const has = (file) =>
    path.isAbsolute(file)
      ? fs.existsSync(file)
      : process.env.PATH.split(':').some((folder) => fs.existsSync(path.join(folder, file)));
  if (files.every(has)) return;
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const flags = ['-qq', '-o', 'Acquire::Retries=5', '-o', 'DPkg::Lock::Timeout=900'];
  await locked(path.join(folder, 'locks', 'apt'), async () => {
    // The lists have a lock of their own, which nobody waits for.
    const patient = { env, tries: 5 };
    await must('apt-get', ['update', ...flags], patient);
    const install = ['install', '-y', '--no-install-recommends', ...flags, ...packages];
    await must('apt-get', install, patient);
  });
  const missing = files.filter((file) => !has(file));
  if (missing.length > 0)
    throw new Error(`${packages.join(', ')} brought no ${missing.join(', ')}`);
}

module.exports = { apt, folder, locked, must, once, replaceFile };
