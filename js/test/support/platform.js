'use strict';
// What suites need to know of the platform that they run on.

const { arch, platform } = process;

/** Whether pointers, size_t and long have 32 bits. */
const is32Bit = arch === 'ia32' || arch === 'arm';

/** Whether the C library is glibc: others word errors in their own way. */
const isGlibc =
  platform === 'linux' && Boolean(process.report.getReport().header.glibcVersionRuntime);

/** Whether it is musl, where dlclose keeps libraries and every name of libc is one library. */
const isMusl = platform === 'linux' && !isGlibc;

module.exports = { is32Bit, isGlibc, isMusl };
