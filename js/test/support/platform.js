'use strict';
// What suites need to know of the platform that they run on.

const fs = require('node:fs');
const { libcOf } = require('../../core/packages.js');

const { arch, platform } = process;

/** Whether pointers, size_t and long have 32 bits. */
const is32Bit = arch === 'ia32' || arch === 'arm';

/** Their size in bytes. */
const WORD = is32Bit ? 4 : 8;

/** The alignment of double in structs: i386 Linux is the exception. */
const DOUBLE_ALIGN = arch === 'ia32' && platform !== 'win32' ? 4 : 8;

/**
 * Whether the C library is glibc: others word errors in their own way. Not Node's report is asked:
 * it ends with SIGSEGV under an emulator that gives pages another size (docs/platforms.md).
 */
const isGlibc =
  platform === 'linux' && libcOf(fs.readFileSync('/proc/self/maps', 'utf8')) === 'gnu';

/** Whether it is musl, where dlclose keeps libraries and every name of libc is one library. */
const isMusl = platform === 'linux' && !isGlibc;

/** Why what is above a narrow argument in its register is nobody's affair, where that is so. */
const narrowIsOpen =
  (arch === 'arm64' && platform !== 'darwin' && 'AAPCS64 leaves that to the callee') ||
  (platform === 'win32' && arch === 'x64' && 'Win64 leaves the rest open');

const isWindows = platform === 'win32';

/** A library of the system that has sqrt, cos and pow, by a bare name. */
const MATH = { darwin: 'libm.dylib', win32: 'ucrtbase.dll' }[platform] ?? 'libm.so.6';

/** What the loader says of a missing file, and of one that is no library, when it is not glibc. */
const NO_FILE = isWindows ? /\(os error (?:126|3)\)$/ : /[Nn]o such file/;
const NO_LIBRARY = isWindows ? /\(os error 193\)$/ : /invalid ELF header|Exec format error$/;

module.exports = {
  DOUBLE_ALIGN,
  MATH,
  NO_FILE,
  NO_LIBRARY,
  WORD,
  is32Bit,
  isGlibc,
  isMusl,
  isWindows,
  narrowIsOpen,
};
