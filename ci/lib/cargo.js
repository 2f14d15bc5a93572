'use strict';
// Finding Rust's cargo, and what to tell people who do not have it.

const os = require('node:os');
const path = require('node:path');
const { run, MINUTE } = require('./run.js');

const NO_CARGO = `Rust is needed, and "cargo" was not found.
  1. Install Rust 1.88 or newer: https://www.rust-lang.org/tools/install, or your system's
     package (Debian: apt-get install cargo, if it is new enough).
  2. Open a new shell, so that cargo is on PATH, and run the same command again.`;

/**
 * The cargo to run: on PATH, or where rustup puts it.
 *
 * @returns {Promise<string>}
 * @throws {Error} that says how to get Rust
 */
async function findCargo() {
  const name = process.platform === 'win32' ? 'cargo.exe' : 'cargo';
  const home = process.env.CARGO_HOME ?? path.join(os.homedir(), '.cargo');
  for (const cargo of [name, path.join(home, 'bin', name)]) {
    if ((await run(cargo, ['--version'], { timeout: MINUTE })).ok) return cargo;
  }
  throw new Error(NO_CARGO);
}

module.exports = { findCargo };
