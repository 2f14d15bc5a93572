'use strict';
// The scripts that ask C compilers are in Python.

const { findCargo } = require('../cargo.js');
const { run, MINUTE } = require('../run.js');
const { apt } = require('./cache.js');
const { pythonWithVenv } = require('./toolchain.js');

/** Runs one of them; returns `{ ok, output }`. */
async function runPython(script, args) {
  const python = await pythonWithVenv();
  await apt(['cc'], ['gcc', 'libc6-dev']);
  // What the scripts start is `cargo`.
  const cargo = await findCargo();
  const folder = cargo.includes('/') ? `${cargo.slice(0, cargo.lastIndexOf('/'))}:` : '';
  const env = { PATH: `${folder}${process.env.PATH}`, PYTHONUNBUFFERED: '1' };
  return run(python, [script, ...args], { env, timeout: 90 * MINUTE });
}

module.exports = { runPython };
