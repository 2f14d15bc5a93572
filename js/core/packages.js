'use strict';
// Which package has the addon for a system: pure functions, on what js/core/loader.js finds out.

/** What follows `ffi-jit-` in the packages' names, and their folders in npm/. */
const PLATFORMS = [
  'linux-x64-gnu',
  'linux-x64-musl',
  'linux-arm64-gnu',
  'linux-arm64-musl',
  'linux-arm-gnueabihf',
  'linux-ia32-gnu',
  'win32-x64',
  'win32-ia32',
  'win32-arm64',
  'darwin-x64',
  'darwin-arm64',
  'android-arm64',
];

/** The C libraries of Linux, by the files that a process of each has in its memory. */
const LIBRARIES = [
  ['gnu', /\/(?:libc\.so\.6|libc-\d[\d.]*\.so)(?: \(deleted\))?$/m],
  ['bionic', /\/linker(?:64)?(?: \(deleted\))?$/m],
  // musl's loader is its C library. The file's own name is one of these, whichever was asked for.
  ['musl', /\/(?:ld-musl-\w+\.so\.1|libc\.musl-\w+\.so\.1|libc\.so)(?: \(deleted\))?$/m],
];

/** Their names for people. */
const SPELLED = { gnu: 'glibc', musl: 'musl' };

/**
 * The C library of a Linux process.
 *
 * @param {string} maps its /proc/self/maps
 * @returns {'gnu' | 'musl' | 'bionic' | undefined}
 */
function libcOf(maps) {
  return LIBRARIES.find(([, pattern]) => pattern.test(maps))?.[0];
}

/** Why an ARM system cannot run code for ARMv7 with hardware floating point; undefined if it can. */
function armObstacle({ machine, floatAbi }) {
  if (/^armv[2-6]/.test(machine)) {
    return `this processor is ${machine}, and the package for 32-bit ARM needs ARMv7 or newer`;
  }
  if (floatAbi !== undefined && floatAbi !== 'hard') {
    return `this Node is not compiled for hard-float ARM (arm_float_abi is ${floatAbi}), and the package for 32-bit ARM is`;
  }
}

/**
 * The package for a system.
 *
 * @param {object} system
 * @param {string} system.platform process.platform
 * @param {string} system.arch process.arch: what Node was compiled for, which is what an addon has
 *   to match (under Rosetta, or with a 32-bit Node on a 64-bit system, not the machine's)
 * @param {'gnu' | 'musl' | 'bionic'} [system.libc] on Linux; taken for glibc if not known
 * @param {string} [system.machine] on 32-bit ARM Linux: what os.machine() says
 * @param {string} [system.floatAbi] on 32-bit ARM Linux: how Node passes floating-point numbers
 * @returns {{ name: string } | { reason: string }} a package, or why there is none
 */
function packageFor({ platform, arch, libc = 'gnu', machine, floatAbi }) {
  // A Node for Android that calls its platform Linux is told by its C library.
  const system = platform === 'linux' && libc === 'bionic' ? 'android' : platform;
  const linux = system === 'linux';
  const arm = linux && arch === 'arm' && libc === 'gnu';
  const abi = linux ? `-${libc}${arm ? 'eabihf' : ''}` : '';
  if (!PLATFORMS.includes(`${system}-${arch}${abi}`)) {
    return {
      reason: `there is none for ${system}-${arch}${linux ? ` with ${SPELLED[libc]}` : ''}`,
    };
  }
  const reason = arm ? armObstacle({ machine, floatAbi }) : undefined;
  return reason ? { reason } : { name: `ffi-jit-${system}-${arch}${abi}` };
}

module.exports = { PLATFORMS, libcOf, packageFor };
