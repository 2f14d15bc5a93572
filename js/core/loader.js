'use strict';
// Finds and loads the native addon:
//   1. the file that FFI_JIT_NATIVE_PATH names, and then no other;
//   2. prebuilds/<platform>-<arch>/ffi-jit.node, which `npm run build` makes in a checkout;
//   3. the package of the platform (js/core/packages.js says which).
// An addon of another version than ours is not taken: the two talk through memory whose layout they
// both have to know.

const fs = require('node:fs');
const path = require('node:path');

const { platform, arch } = process;

/** The version of this package. A literal, kept by `node ci/packages.js`: nothing is read for it. */
const VERSION = '0.1.0';

/**
 * The C library of this Linux process: by the files in its memory (0.15 ms), or where /proc cannot
 * be read by Node's report (4 ms).
 */
function libc() {
  const { libcOf } = require('./packages.js');
  try {
    const found = libcOf(fs.readFileSync('/proc/self/maps', 'utf8'));
    if (found) return found;
  } catch {}
  const { report } = process;
  if (!report) return undefined;
  const { excludeNetwork } = report;
  report.excludeNetwork = true; // Node 22 and later: no look-up of host names for the report
  const { header } = report.getReport();
  report.excludeNetwork = excludeNetwork;
  return header.glibcVersionRuntime ? 'gnu' : 'musl';
}

/** What the choice of the package depends on. */
function system() {
  if (platform !== 'linux') return { platform, arch };
  const found = { platform, arch, libc: libc() };
  if (arch === 'arm') {
    found.machine = require('node:os').machine?.();
    found.floatAbi = process.config.variables.arm_float_abi;
  }
  return found;
}

/**
 * Loads the addon of a package. The paths are literals that end with `.node`, and in a `try` block,
 * so that bundlers see them, can copy them or leave them alone, and let those be missing that are
 * not installed.
 */
function requirePackage(name) {
  try {
    switch (name) {
      case 'ffi-jit-linux-x64-gnu':
        return require('ffi-jit-linux-x64-gnu/ffi-jit.node');
      case 'ffi-jit-linux-x64-musl':
        return require('ffi-jit-linux-x64-musl/ffi-jit.node');
      case 'ffi-jit-linux-arm64-gnu':
        return require('ffi-jit-linux-arm64-gnu/ffi-jit.node');
      case 'ffi-jit-linux-arm64-musl':
        return require('ffi-jit-linux-arm64-musl/ffi-jit.node');
      case 'ffi-jit-linux-arm-gnueabihf':
        return require('ffi-jit-linux-arm-gnueabihf/ffi-jit.node');
      case 'ffi-jit-linux-ia32-gnu':
        return require('ffi-jit-linux-ia32-gnu/ffi-jit.node');
      case 'ffi-jit-win32-x64':
        return require('ffi-jit-win32-x64/ffi-jit.node');
      case 'ffi-jit-win32-ia32':
        return require('ffi-jit-win32-ia32/ffi-jit.node');
      case 'ffi-jit-win32-arm64':
        return require('ffi-jit-win32-arm64/ffi-jit.node');
      case 'ffi-jit-darwin-x64':
        return require('ffi-jit-darwin-x64/ffi-jit.node');
      case 'ffi-jit-darwin-arm64':
        return require('ffi-jit-darwin-arm64/ffi-jit.node');
      case 'ffi-jit-android-arm64':
        return require('ffi-jit-android-arm64/ffi-jit.node');
    }
  } catch (error) {
    throw error?.code === 'MODULE_NOT_FOUND' ? notInstalled(name, error) : error;
  }
  throw new Error('no such package');
}

/** The error for an addon that is missing; it tells which packages are there instead. */
function notInstalled(name, cause) {
  const isThere = (other) => {
    try {
      // Not this module's `require`, which bundlers read. In a bundle there may be no such file.
      const { resolve } = require('node:module').createRequire(__filename);
      return Boolean(resolve(`${other}/package.json`));
    } catch {
      return false;
    }
  };
  const others = require('./packages.js').PLATFORMS.filter((other) => isThere(`ffi-jit-${other}`));
  const instead = others.length > 0 ? `; installed for other systems: ${others.join(', ')}` : '';
  const message = isThere(name)
    ? 'the package is installed, but has no file ffi-jit.node'
    : `this package is not installed${instead}`;
  return Object.assign(new Error(message, { cause }), { code: 'MODULE_NOT_FOUND' });
}

/** What an error says, without the modules that Node lists below, which are ours. */
const inOneLine = ({ message }) =>
  message
    .replace(/\nRequire stack:[\s\S]*/, '')
    .trim()
    .replace(/\s*\n\s*/g, ': ');

/** An error with the failures, newest first, chained as its causes. */
function loadError(failures, advice) {
  const tried = failures.map(({ what, error }) => `\n  - ${what}: ${inOneLine(error)}`).join('');
  let cause;
  for (const { error } of failures) {
    let last = error;
    while (last.cause !== undefined) last = last.cause;
    if (cause !== undefined) last.cause = cause;
    cause = error;
  }
  const message = `The native addon of ffi-jit ${VERSION} could not be loaded. Tried:${tried}\n${advice}`;
  return Object.assign(new Error(message, { cause }), { code: 'ERR_FFI_ADDON_LOAD' });
}

const ADVICE = `In a checkout of the project, build it: npm run build.
Installed from npm, the addon is in a package of its own for each platform, an optional dependency of
ffi-jit with the same version. If it is missing: was node_modules installed on another system, or
with --omit=optional? Delete node_modules and install again; npm also leaves it out when
package-lock.json was made elsewhere (https://github.com/npm/cli/issues/4828): delete that too. To
install for another system: npm install --os=linux --cpu=x64 --libc=musl (npm 10 or newer).`;

function load() {
  const failures = [];
  /** What `get` loads, if it has our version. */
  const attempt = (what, get) => {
    try {
      const native = get();
      if (native.version === VERSION) return { native, path: what, version: VERSION };
      const its = native.version ?? 'unknown';
      throw new Error(`its version is ${its}, and that of ffi-jit is ${VERSION}`);
    } catch (error) {
      failures.push({ what, error });
    }
  };

  const named = process.env.FFI_JIT_NATIVE_PATH;
  if (named) {
    const file = path.resolve(named);
    const found = attempt(file, () => require(file));
    if (found) return found;
    throw loadError(failures, 'FFI_JIT_NATIVE_PATH names this file: mend or unset it.');
  }

  const local = path.join(__dirname, `../../prebuilds/${platform}-${arch}/ffi-jit.node`);
  const built = attempt(local, () => {
    if (!fs.existsSync(local)) throw new Error('there is no such file');
    return require(local);
  });
  if (built) return built;

  const { name, reason } = require('./packages.js').packageFor(system());
  const packaged = attempt(name ?? "the platform's package", () => {
    if (reason) throw new Error(reason);
    return requirePackage(name);
  });
  if (packaged) return packaged;
  throw loadError(failures, ADVICE);
}

module.exports = load();
