'use strict';
// The platform packages: what each is for, and which row of ci/targets builds its addon.

const fs = require('node:fs');
const { PLATFORMS, libcOf, packageFor } = require('../../../js/core/packages.js');

/**
 * Per platform: the row of ci/targets; what the addon's file must be (ci/lib/packages/binary.js);
 * and the system in words. Linux packages for glibc are linked against 2.28, as Node 18 is.
 */
const DETAILS = {
  'linux-x64-gnu': [
    'x86_64-unknown-linux-gnu',
    'ELF x64 gnu',
    '64-bit x86 Linux with glibc 2.28 or newer',
  ],
  'linux-x64-musl': ['x86_64-unknown-linux-musl', 'ELF x64 musl', '64-bit x86 Linux with musl'],
  'linux-arm64-gnu': [
    'aarch64-unknown-linux-gnu',
    'ELF arm64 gnu',
    '64-bit ARM Linux with glibc 2.28 or newer',
  ],
  'linux-arm64-musl': [
    'aarch64-unknown-linux-musl',
    'ELF arm64 musl',
    '64-bit ARM Linux with musl',
  ],
  'linux-arm-gnueabihf': [
    'armv7-unknown-linux-gnueabihf',
    'ELF arm gnu',
    '32-bit ARM Linux (ARMv7, hard-float) with glibc 2.28 or newer',
  ],
  'linux-ia32-gnu': [
    'i686-unknown-linux-gnu',
    'ELF ia32 gnu',
    '32-bit x86 Linux with glibc 2.28 or newer',
  ],
  'win32-x64': ['x86_64-pc-windows-gnu', 'PE x64', '64-bit x86 Windows'],
  'win32-ia32': ['i686-pc-windows-gnu', 'PE ia32', '32-bit x86 Windows'],
  'win32-arm64': ['aarch64-pc-windows-gnullvm', 'PE arm64', '64-bit ARM Windows'],
  'darwin-x64': ['x86_64-apple-darwin', 'Mach-O x64', 'macOS on Intel'],
  'darwin-arm64': ['aarch64-apple-darwin', 'Mach-O arm64', 'macOS on Apple silicon'],
  'android-arm64': ['aarch64-linux-android', 'ELF arm64 bionic', '64-bit ARM Android (Termux)'],
};

const LIBC = { gnu: 'glibc', gnueabihf: 'glibc', musl: 'musl' };

/** @typedef {{ folder: string, name: string, os: string, cpu: string, libc?: string, row: string,
 *   binary: string, system: string }} Platform */

/** @type {Platform[]} */
const platforms = PLATFORMS.map((folder) => {
  const [os, cpu, abi] = folder.split('-');
  const [row, binary, system] = DETAILS[folder];
  return { folder, name: `ffi-jit-${folder}`, os, cpu, libc: LIBC[abi], row, binary, system };
});

/** The platform whose addon a row of ci/targets builds; undefined for rows that build none. */
const platformOfRow = (row) => platforms.find((platform) => platform.row === row);

/** @throws {Error} that lists the folders, if there is none of this name */
function platformNamed(folder) {
  const found = platforms.find((platform) => platform.folder === folder);
  if (!found) throw new Error(`no package "${folder}"; there are ${PLATFORMS.join(', ')}`);
  return found;
}

/** The platform of this machine's Node; undefined if there is no package for it. */
function hostPlatform() {
  const { platform, arch } = process;
  const maps = platform === 'linux' ? fs.readFileSync('/proc/self/maps', 'utf8') : '';
  const { name } = packageFor({ platform, arch, libc: libcOf(maps) });
  return platforms.find((one) => one.name === name);
}

module.exports = { hostPlatform, platformNamed, platformOfRow, platforms };
