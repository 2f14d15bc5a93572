'use strict';

/** Installs and compiles what is missing, one progress line for each step. */
const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { needDependencies } = require('../../ci/lib/dependencies.js');
const { joinModules } = require('../../ci/lib/packages/joined.js');
const { installRuntime } = require('../../ci/lib/runtimes.js');
const paths = require('./paths');

const note = (text) => process.stderr.write(`bench: ${text}\n`);

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (done.status === 0) return done.stdout;
  const said = `${done.stdout ?? ''}${done.stderr ?? ''}`.trim();
  throw new Error(`${command} ${args.join(' ')} failed: ${done.error?.message ?? said}`);
}

const modified = (file) => (fs.existsSync(file) ? fs.statSync(file).mtimeMs : 0);

function installPeers() {
  const installed = path.join(paths.BENCH_DIR, 'node_modules', '.package-lock.json');
  if (modified(installed) >= modified(path.join(paths.BENCH_DIR, 'package-lock.json'))) return;
  note('installing the peers (npm ci)');
  run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: paths.BENCH_DIR });
}

function compile(output, sources, args) {
  const files = sources.map((name) => path.join(paths.NATIVE, name));
  const headers = ['bench.h', 'addon.h'].map((name) => path.join(paths.NATIVE, name));
  if (modified(output) > Math.max(...[...files, ...headers].map(modified))) return;
  note(`compiling ${path.basename(output)}`);
  fs.mkdirSync(paths.BUILD, { recursive: true });
  const cc = process.env.CC || 'cc';
  run(cc, ['-fPIC', '-shared', '-Wall', '-Wextra', '-o', output, ...files, ...args]);
}

function compileNative() {
  const include = path.join(paths.BENCH_DIR, 'node_modules', 'node-api-headers', 'include');
  const mac = process.platform === 'darwin';
  const addonArgs = [
    '-O2',
    `-I${include}`,
    `-L${paths.BUILD}`,
    '-lbench',
    `-Wl,-rpath,${mac ? '@loader_path' : '$ORIGIN'}`,
    '-ldl',
    '-lpthread',
    ...(mac ? ['-undefined', 'dynamic_lookup'] : []),
  ];
  compile(
    paths.BENCH,
    ['bench.c'],
    ['-O2', ...(mac ? ['-install_name', '@rpath/libbench.so'] : [])],
  );
  // 20,000 functions: without optimisation, or the compiler takes ten seconds.
  compile(paths.MANY, ['many.c'], ['-O0']);
  compile(paths.ADDON, ['addon.c', 'addon_memory.c', 'addon_callbacks.c'], addonArgs);
  compile(paths.FLOOR, ['floor.c'], addonArgs);
}

/** What is measured of this package: its modules as ci/pack.js publishes them. */
function stagePackage() {
  const { PACKAGE, ROOT } = paths;
  fs.rmSync(PACKAGE, { recursive: true, force: true });
  for (const name of ['package.json', 'js/core', 'js/ffi-rs', 'js/koffi']) {
    fs.cpSync(path.join(ROOT, name), path.join(PACKAGE, name), { recursive: true });
  }
  joinModules(path.join(PACKAGE, 'js'));
  fs.symlinkSync(path.join(ROOT, 'prebuilds'), path.join(PACKAGE, 'prebuilds'), 'junction');
}

/** A Node binary for `--node`: a major (or exact) version from npm, or a path. */
async function findNode(wanted) {
  if (!wanted) return describeNode(process.execPath);
  if (wanted.includes('/')) return describeNode(path.resolve(wanted));
  return describeNode(await installRuntime(wanted, note));
}

/** The contestants, with the programs of those that do not run in Node. */
async function findPrograms(contestants) {
  const found = [];
  for (const contestant of contestants) {
    const { runtime } = contestant;
    found.push(
      runtime ? { ...contestant, program: await installRuntime(runtime, note) } : contestant,
    );
  }
  return found;
}

function describeNode(binary) {
  const program = 'JSON.stringify({ version: process.versions.node, v8: process.versions.v8 })';
  const { version, v8 } = JSON.parse(run(binary, ['-p', program]));
  return { path: binary, version, v8, major: Number(version.split('.')[0]) };
}

module.exports = {
  note,
  async setUp() {
    await needDependencies();
    installPeers();
    compileNative();
    stagePackage();
  },
  findNode,
  findPrograms,
};
