'use strict';
// What suites need to know of the platform that they run on.

const { arch, platform } = process;

/** Whether pointers, size_t and long have 32 bits. */
const is32Bit = arch === 'ia32' || arch === 'arm';

/** Their size in bytes. */
const WORD = is32Bit ? 4 : 8;

/** The alignment of double in structs: i386 Linux is the exception. */
const DOUBLE_ALIGN = arch === 'ia32' && platform !== 'win32' ? 4 : 8;

/** Whether the C library is glibc: others word errors in their own way. */
const isGlibc =
  platform === 'linux' && Boolean(process.report.getReport().header.glibcVersionRuntime);

/** Whether it is musl, where dlclose keeps libraries and every name of libc is one library. */
const isMusl = platform === 'linux' && !isGlibc;

/** Why what is above a narrow argument in its register is nobody's affair, where that is so. */
const narrowIsOpen =
  (arch === 'arm64' && platform !== 'darwin' && 'AAPCS64 leaves that to the callee') ||
  (platform === 'win32' && arch === 'x64' && 'Win64 leaves the rest open');

module.exports = { DOUBLE_ALIGN, WORD, is32Bit, isGlibc, isMusl, narrowIsOpen };
