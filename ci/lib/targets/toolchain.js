'use strict';
// One mechanism for all targets: Debian's Rust with its sources builds the standard library, and zig
// is the C compiler and linker.

const fs = require('node:fs');
const path = require('node:path');
const { apt, folder, must, once, replaceFile } = require('./cache.js');
const { FLAGS, LIBRARIES, sourcesOf } = require('../../../js/test/support/native.js');
const { seedOf } = require('../../../js/test/support/random.js');
const grid = require('../../../js/test/tier/grid-source.js');

const PYTHON_PACKAGES = ['ziglang==0.15.2', 'cargo-zigbuild==0.24.0'];
/** While a foreign architecture's index is being written, apt may offer an older one. */
const RUST = ['rustc-web=1.96*', 'cargo-web=1.96*', 'rust-web-src=1.96*', 'ca-certificates'];
const RUST_FILES = ['/usr/bin/rustc', '/usr/bin/cargo', '/usr/lib/rustlib/src/rust/library'];

/** Debian's Python with what makes environments; returns its path. */
async function pythonWithVenv() {
  const program = '/usr/bin/python3';
  await apt([program], ['python3']);
  const version = await must(program, ['--version']);
  const name = `python${/(\d+\.\d+)/.exec(version)[1]}`;
  await apt([`/usr/lib/${name}/ensurepip`], ['python3-venv']);
  return program;
}

/** A Python environment with zig and cargo-zigbuild; returns its bin folder. */
async function python() {
  const make = async (where) => {
    await must(await pythonWithVenv(), ['-m', 'venv', where]);
    const install = ['install', '-q', ...PYTHON_PACKAGES];
    await must(path.join(where, 'bin/pip'), install, { tries: 4 });
  };
  const place = await once('python', make, PYTHON_PACKAGES.join(' '));
  return path.join(place, 'bin');
}

/** The environment in which Debian's Rust and zig are found before others. */
async function environment() {
  const bin = await python();
  await apt(RUST_FILES, RUST);
  const print = 'import ziglang; print(ziglang.__path__[0])';
  const zig = (await must(path.join(bin, 'python'), ['-c', print])).trim();
  return {
    PATH: `${bin}:/usr/bin:/bin`,
    RUSTC: '/usr/bin/rustc',
    RUSTC_BOOTSTRAP: '1',
    RUSTUP_TOOLCHAIN: undefined,
    CARGO_TARGET_DIR: path.join(folder, 'cargo'),
    ZIG: path.join(zig, 'zig'),
    ZIG_GLOBAL_CACHE_DIR: path.join(folder, 'zig'),
    ZIG_LOCAL_CACHE_DIR: path.join(folder, 'zig'),
  };
}

const BUILD = ['--release', '--lib', '-j2', '-Zbuild-std=std,panic_abort'];

/**
 * Builds the addon.
 *
 * @param {string} triple
 * @param {{ suffix?: string, env?: object, command?: string }} [options] glibc version for zig,
 *   more environment, cargo's command
 * @returns {Promise<string>} the addon
 */
async function buildAddon(triple, { suffix = '', env = {}, command = 'zigbuild' } = {}) {
  const tools = await environment();
  await must('/usr/bin/cargo', [command, ...BUILD, '--target', `${triple}${suffix}`], {
    env: { ...tools, ...env },
  });
  const made = path.join(tools.CARGO_TARGET_DIR, triple, 'release');
  const file = ['libffi_jit.so', 'ffi_jit.dll', 'libffi_jit.dylib']
    .map((name) => path.join(made, name))
    .find((name) => fs.existsSync(name));
  if (!file) throw new Error(`cargo made no shared library in ${made}`);
  const addon = path.join(folder, 'addons', triple, 'ffi-jit.node');
  replaceFile(addon, (partial) => fs.copyFileSync(file, partial));
  return addon;
}

/**
 * Compiles the C fixture libraries of the JS suites.
 *
 * @param {string} target as zig spells it
 * @returns {Promise<string>} the folder, for FFI_JIT_FIXTURES
 */
async function buildFixtures(target) {
  const tools = await environment();
  const extension = target.includes('windows') ? 'dll' : 'so';
  const place = path.join(folder, 'fixtures', target);
  // Under their own names, which linkers write into them, but aside at first.
  const aside = path.join(place, `${process.pid}.partial`);
  fs.mkdirSync(aside, { recursive: true });
  for (const name of Object.keys(LIBRARIES)) {
    // Nothing is preloaded on Windows, whose own conventions are of no use elsewhere.
    if (name === (extension === 'dll' ? 'track' : 'windows')) continue;
    const file = `${name}.${extension}`;
    const units = sourcesOf(name).filter((unit) => !unit.endsWith('.h'));
    const flags = ['-target', target, ...FLAGS, '-o', path.join(aside, file)];
    await must(tools.ZIG, ['cc', ...flags, ...units], { env: tools });
    fs.renameSync(path.join(aside, file), path.join(place, file));
  }
  fs.rmSync(aside, { recursive: true });
  return place;
}

/**
 * Compiles the library of js/test/tier/grid.test.js with a seed of its own into the folder of
 * `buildFixtures`: for systems with V8's tiers, where no C compiler runs.
 */
async function buildGrid(target, place) {
  const tools = await environment();
  const extension = target.includes('windows') ? 'dll' : 'so';
  const aside = path.join(place, `${process.pid}.partial`);
  fs.mkdirSync(aside, { recursive: true });
  const [source, file] = [path.join(aside, 'grid.c'), path.join(aside, `grid.${extension}`)];
  fs.writeFileSync(source, grid.sourceOf(seedOf()));
  const flags = FLAGS.filter((flag) => flag !== '-fvisibility=hidden');
  await must(tools.ZIG, ['cc', '-target', target, ...flags, '-o', file, source], { env: tools });
  fs.renameSync(file, path.join(place, path.basename(file)));
  fs.rmSync(aside, { recursive: true });
}

module.exports = { buildAddon, buildFixtures, buildGrid, environment, python, pythonWithVenv };
