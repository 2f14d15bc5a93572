'use strict';
// Builds the release addon and puts it where js/core/loader.js looks: prebuilds/<platform>-<arch>/.
// Does nothing when the addon was made from the very sources that are there now.

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { findCargo } = require('./lib/cargo.js');
const { filesBelow, read } = require('./lib/files.js');
const { addon, root } = require('./lib/paths.js');
const { seconds } = require('./lib/report.js');
const { run, MINUTE } = require('./lib/run.js');

/** Holds the fingerprint of the sources that the addon beside it was built from. */
const stamp = `${addon}.sources`;

const NO_LINKER = `A C compiler is needed to link the native addon, and "cc" was not found.
  Install one (Debian: apt-get install gcc libc6-dev; macOS: xcode-select --install) and run the
  same command again.`;

/** A digest of everything that the addon is made from. */
function fingerprint() {
  const hash = createHash('sha256').update(process.env.RUSTFLAGS ?? '');
  for (const file of [...filesBelow('src', /./), 'Cargo.toml', 'Cargo.lock']) {
    const content = read(file);
    hash.update(`\0${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

function isBuilt(wanted) {
  return (
    fs.existsSync(addon) && fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8').trim() === wanted
  );
}

/**
 * Follows cargo's JSON messages: how many crates are compiled, and where the library lies.
 * (https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages)
 */
class Messages {
  crates = new Set();
  library = null;
  #rest = '';

  read(text) {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop();
    for (const line of lines) if (line.startsWith('{')) this.#message(JSON.parse(line));
  }

  #message({ reason, package_id: id, target, fresh, filenames }) {
    if (reason !== 'compiler-artifact') return;
    if (!fresh) this.crates.add(id);
    if (target.name === 'ffi_jit' && target.kind.includes('cdylib')) {
      this.library = filenames.find((file) => /\.(so|dylib|dll)$/.test(file)) ?? null;
    }
  }
}

/** Prints how far the build is, every few seconds; returns what stops it. */
function showProgress(messages, started, print) {
  const timer = setInterval(() => {
    const time = seconds(performance.now() - started);
    print(`building the native addon: ${time}, ${messages.crates.size} crates compiled`);
  }, 5000);
  return () => clearInterval(timer);
}

/** Puts a file in place at once, so that a running process keeps the one it has mapped. */
function install(from, to) {
  fs.mkdirSync(path.dirname(to), { recursive: true });
  const fresh = `${to}.${process.pid}.tmp`;
  fs.copyFileSync(from, fresh);
  fs.renameSync(fresh, to);
}

/**
 * Builds the addon if its sources have changed.
 *
 * @param {(line: string) => void} [print] where progress goes
 * @returns {Promise<{built: boolean, path: string}>}
 * @throws {Error} with a message for people: what is missing and how to get it, or the compiler's
 */
async function build(print = console.error) {
  const wanted = fingerprint();
  if (isBuilt(wanted)) return { built: false, path: addon };

  const cargo = await findCargo();
  const started = performance.now();
  const messages = new Messages();
  const terminal = Boolean(process.stderr.isTTY);
  print('building the native addon (cargo build --release; about a minute the first time)');
  const stop = terminal ? () => {} : showProgress(messages, started, print);
  const args = ['build', '--release', '--lib', '--message-format=json-render-diagnostics'];
  const result = await run(cargo, args, {
    terminal,
    timeout: 30 * MINUTE,
    onStdout: (text) => messages.read(text),
  });
  stop();
  if (!result.ok) {
    const output = result.output.replace(/^\{.*\n/gm, '').trim();
    const hint = /linker `[^`]*` not found/.test(output) ? `\n${NO_LINKER}` : '';
    throw new Error(`cargo build --release failed.\n${output}${hint}`);
  }
  if (!messages.library) throw new Error('cargo build --release made no shared library ffi_jit');
  install(messages.library, addon);
  fs.writeFileSync(stamp, `${wanted}\n`);
  const size = Math.round(fs.statSync(addon).size / 1024);
  const time = seconds(performance.now() - started);
  print(
    `built ${path.relative(root, addon)}: ${size} KB, ${messages.crates.size} crates compiled, ${time}`,
  );
  return { built: true, path: addon };
}

module.exports = { build };

if (require.main === module) {
  build(console.log).then(
    ({ built, path: file }) => {
      if (!built) console.log(`${path.relative(root, file)} is up to date`);
    },
    (error) => {
      console.error(error.message);
      process.exitCode = 1;
    },
  );
}
