'use strict';
// The addon of the platform's package, and what to say when there is no addon: what js/core/loader.js
// needs when there is no local build.

const { PLATFORMS, libcOf, packageFor } = require('./packages.js');

const { platform, arch } = process;

/**
 * The C library of this Linux process: by the files in its memory (0.15 ms), or where /proc cannot
 * be read by Node's report (4 ms).
 */
function libc() {
  try {
    const found = libcOf(require('node:fs').readFileSync('/proc/self/maps', 'utf8'));
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
  const others = PLATFORMS.filter((other) => isThere(`ffi-jit-${other}`));
  const instead = others.length > 0 ? `; installed for other systems: ${others.join(', ')}` : '';
  const message = isThere(name)
    ? 'the package is installed, but has no file ffi-jit.node'
    : `this package is not installed${instead}`;
  return Object.assign(new Error(message, { cause }), { code: 'MODULE_NOT_FOUND' });
}

/** What the addon's package is called for people, and what loads it, or throws why there is none. */
function findPackage() {
  const { name, reason } = packageFor(system());
  const get = () => {
    if (reason) throw new Error(reason);
    return requirePackage(name);
  };
  return { what: name ?? "the platform's package", get };
}

/** What an error says, without the modules that Node lists below, which are ours. */
const inOneLine = ({ message }) =>
  message
    .replace(/\nRequire stack:[\s\S]*/, '')
    .trim()
    .replace(/\s*\n\s*/g, ': ');

/** A file or a package. */
const nameOf = (what) => {
  const { isAbsolute, normalize } = require('node:path');
  return isAbsolute(what) ? normalize(what) : what;
};

/** An error with the failures, newest first, chained as its causes. */
function loadError(version, failures, advice = ADVICE) {
  const tried = failures
    .map(({ what, error }) => `\n  - ${nameOf(what)}: ${inOneLine(error)}`)
    .join('');
  let cause;
  for (const { error } of failures) {
    let last = error;
    while (last.cause !== undefined) last = last.cause;
    if (cause !== undefined) last.cause = cause;
    cause = error;
  }
  const message = `The native addon of ffi-jit ${version} could not be loaded. Tried:${tried}\n${advice}`;
  return Object.assign(new Error(message, { cause }), { code: 'ERR_FFI_ADDON_LOAD' });
}

/** How a package that is missing is mended. */
const ADVICE = `In a checkout of the project, build it: npm run build.
Installed from npm, the addon is in a package of its own for each platform, an optional dependency of
ffi-jit with the same version. If it is missing: was node_modules installed on another system, or
with --omit=optional? Delete node_modules and install again; npm also leaves it out when
package-lock.json was made elsewhere (https://github.com/npm/cli/issues/4828): delete that too. To
install for another system: npm install --os=linux --cpu=x64 --libc=musl (npm 10 or newer).`;

module.exports = { findPackage, loadError };
