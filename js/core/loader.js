'use strict';
// Finds and loads the native addon:
//   1. the file that FFI_JIT_NATIVE_PATH names, and then no other;
//   2. prebuilds/<platform>-<arch>/ffi-jit.node, which `npm run build` makes in a checkout;
//   3. the package ffi-jit-<platform>-<arch>[-gnu|-musl|-msvc].
// The names of packages are literals in calls of require, so that bundlers see them.

const { existsSync } = require('node:fs');
const path = require('node:path');

const { platform, arch } = process;

/**
 * The C library of a Linux system. process.report is exact but takes milliseconds, so it is asked
 * only when there is no local build; where it is missing or empty the loader's file tells.
 */
function libc() {
  const { report } = process;
  if (report) {
    const { excludeNetwork } = report;
    report.excludeNetwork = true; // Node 22 and later: no look-up of host names for the report
    const { header } = report.getReport();
    report.excludeNetwork = excludeNetwork;
    if (header.glibcVersionRuntime) return 'gnu';
  }
  const loaders = { x64: 'x86_64', arm64: 'aarch64', arm: 'armhf', ia32: 'i386' };
  return existsSync(`/lib/ld-musl-${loaders[arch]}.so.1`) ? 'musl' : 'gnu';
}

/** Name and loader of this platform's package; undefined where we have none. */
function platformPackage() {
  switch (platform === 'linux' ? `linux-${arch}-${libc()}` : `${platform}-${arch}`) {
    case 'linux-x64-gnu':
      return ['ffi-jit-linux-x64-gnu', () => require('ffi-jit-linux-x64-gnu')];
    case 'linux-x64-musl':
      return ['ffi-jit-linux-x64-musl', () => require('ffi-jit-linux-x64-musl')];
    case 'linux-arm64-gnu':
      return ['ffi-jit-linux-arm64-gnu', () => require('ffi-jit-linux-arm64-gnu')];
    case 'linux-arm64-musl':
      return ['ffi-jit-linux-arm64-musl', () => require('ffi-jit-linux-arm64-musl')];
    case 'linux-arm-gnu':
      return ['ffi-jit-linux-arm-gnu', () => require('ffi-jit-linux-arm-gnu')];
    case 'linux-ia32-gnu':
      return ['ffi-jit-linux-ia32-gnu', () => require('ffi-jit-linux-ia32-gnu')];
    case 'android-arm64':
      return ['ffi-jit-android-arm64', () => require('ffi-jit-android-arm64')];
    case 'darwin-x64':
      return ['ffi-jit-darwin-x64', () => require('ffi-jit-darwin-x64')];
    case 'darwin-arm64':
      return ['ffi-jit-darwin-arm64', () => require('ffi-jit-darwin-arm64')];
    case 'win32-x64':
      return ['ffi-jit-win32-x64-msvc', () => require('ffi-jit-win32-x64-msvc')];
    case 'win32-ia32':
      return ['ffi-jit-win32-ia32-msvc', () => require('ffi-jit-win32-ia32-msvc')];
    case 'win32-arm64':
      return ['ffi-jit-win32-arm64-msvc', () => require('ffi-jit-win32-arm64-msvc')];
  }
}

/** An error with the failures, newest first, chained as its causes. */
function loadError(failures, advice) {
  const tried = failures.map(({ what, error }) => `\n  - ${what}: ${error.message}`).join('');
  let cause;
  for (const { error } of failures) {
    if (cause !== undefined && error.cause === undefined) error.cause = cause;
    cause = error;
  }
  const message = `The native addon of ffi-jit could not be loaded. Tried:${tried}\n${advice}`;
  return Object.assign(new Error(message, { cause }), { code: 'ERR_FFI_ADDON_LOAD' });
}

function load() {
  const failures = [];
  const attempt = (what, get) => {
    try {
      return get();
    } catch (error) {
      failures.push({ what, error });
    }
  };

  const named = process.env.FFI_JIT_NATIVE_PATH;
  if (named) {
    const file = path.resolve(named);
    const native = attempt(`FFI_JIT_NATIVE_PATH=${named}`, () => require(file));
    if (native) return { native, path: file };
    throw loadError(failures, 'Mend or unset FFI_JIT_NATIVE_PATH.');
  }

  const local = path.join(__dirname, `../../prebuilds/${platform}-${arch}/ffi-jit.node`);
  const native = attempt(local, () => {
    if (!existsSync(local)) throw new Error('there is no such file');
    return require(local);
  });
  if (native) return { native, path: local };

  const [name, get] = platformPackage() ?? [];
  if (name) {
    const packaged = attempt(name, get);
    if (packaged) return { native: packaged, path: name };
  } else {
    const error = new Error(`no package exists for ${platform}-${arch}`);
    failures.push({ what: 'platform package', error });
  }
  throw loadError(
    failures,
    'In a checkout of the project, build it: npm run build.\n' +
      'Installed from npm, the platform package is an optional dependency, which npm sometimes\n' +
      'leaves out (https://github.com/npm/cli/issues/4828): delete node_modules and\n' +
      'package-lock.json, and run npm install again, without --omit=optional.',
  );
}

module.exports = load();
