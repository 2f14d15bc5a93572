'use strict';
// Android without its NDK: libraries that are only names to link against, an unwinder and a
// compiler runtime made by zig, and the checks that the addon is what Android loads.

const fs = require('node:fs');
const path = require('node:path');
const { apt, must, once } = require('./cache.js');
const { ENTRIES } = require('./objects.js');
const { environment } = require('./toolchain.js');

const MUSL = ['-target', 'aarch64-linux-musl', '-fPIC', '-O2'];
const SYSTEM_LIBRARIES = ['c', 'm', 'dl', 'log'];

/** Makes what the linker needs; returns its folder. */
const stubs = () =>
  once('android', async (place) => {
    const env = await environment();
    const zig = (...args) => must(env.ZIG, args, { env, cwd: place });
    fs.writeFileSync(path.join(place, 'nothing.s'), '.section .note.GNU-stack,"",%progbits\n');
    await zig('cc', '-target', 'aarch64-linux-musl', '-c', 'nothing.s', '-o', 'nothing.o');
    for (const library of SYSTEM_LIBRARIES) {
      const file = `lib${library}.so`;
      const flags = ['-shared', '-m', 'aarch64linux', '-soname', file, '-z', 'max-page-size=16384'];
      await zig('ld.lld', ...flags, 'nothing.o', '-o', file);
    }
    const runtime = ['-O', 'ReleaseSmall', '-fPIC', '-fcompiler-rt', '--name', 'clang_rt'];
    await zig('build-lib', '-target', 'aarch64-linux-android', ...runtime, 'nothing.s');
    await unwinder(zig, path.join(path.dirname(env.ZIG), 'lib/libunwind'));
    await zig('cc', ...MUSL, '-c', path.join(__dirname, 'android-crt.c'), '-o', 'crtbegin_so.o');
    const shim = path.join(__dirname, 'android-shim.c');
    await zig('cc', ...MUSL, '-shared', shim, '-o', 'shim.so');
  });

/** LLVM's libunwind: musl's dl_phdr_info and pthread_rwlock_t are laid out like bionic's. */
async function unwinder(zig, source) {
  const flags = [...MUSL, '-DNDEBUG', '-D_LIBUNWIND_IS_NATIVE_ONLY', '-funwind-tables'];
  flags.push('-fno-sanitize=all', `-I${source}/include`, `-I${source}/src`, '-c');
  const objects = [];
  const files = ['UnwindLevel1.c', 'UnwindLevel1-gcc-ext.c'];
  for (const file of [...files, 'UnwindRegistersSave.S', 'UnwindRegistersRestore.S']) {
    objects.push(`${path.parse(file).name}.o`);
    await zig('cc', ...flags, `${source}/src/${file}`, '-o', objects.at(-1));
  }
  const cxx = ['-nostdinc++', '-fno-exceptions', '-fno-rtti'];
  await zig('c++', ...flags, ...cxx, `${source}/src/libunwind.cpp`, '-o', 'libunwind.o');
  await zig('ar', 'rcs', 'libunwind.a', ...objects, 'libunwind.o');
}

/**
 * The names of other libraries that the addon takes, which it must find on Android 7 (API level 24,
 * where Termux begins): the loader refuses a library if one of them is missing.
 */
const TAKEN = new Set(
  `__errno abort calloc clock_gettime clock_nanosleep close dl_iterate_phdr dladdr dlclose dlerror
  dlopen dlsym fflush fprintf free fstat ftruncate64 fwrite getcwd getenv getpid lseek64 malloc memchr mmap
  mmap64 mprotect munmap open poll posix_memalign prctl pthread_attr_destroy pthread_attr_init
  pthread_attr_setstacksize pthread_create pthread_detach pthread_getspecific pthread_key_create
  pthread_key_delete pthread_rwlock_rdlock pthread_rwlock_unlock pthread_rwlock_wrlock
  pthread_setspecific pwrite64 read readlink realloc realpath sched_getaffinity snprintf stat stderr
  strerror_r strlen syscall sysconf write writev`.split(/\s+/),
);

/** What Android's loader wants of a library. */
async function elfChecks(file) {
  await apt(['readelf'], ['binutils']);
  const text = await must('readelf', ['--wide', '--file-header', '--segments', '--dynamic', file]);
  const all = (pattern) => [...text.matchAll(pattern)].map(([, found]) => found);
  const alignments = all(/^ {2}LOAD .* (0x[0-9a-f]+)$/gm);
  const symbols = await must('readelf', ['--wide', '--dyn-syms', file]);
  // Weak ones may be missing.
  const taken = [...symbols.matchAll(/ GLOBAL +DEFAULT +UND +([^\s@]+)/g)].map(
    ([, found]) => found,
  );
  const newer = taken.filter((name) => !TAKEN.has(name));
  const exported = [...symbols.matchAll(/ GLOBAL +DEFAULT +\d+ +(\S+)/g)].map(([, found]) => found);
  const needed = all(/\(NEEDED\).*\[(.*)\]/g);
  return {
    'is for AArch64': /Machine: +AArch64/.test(text),
    'is a shared object': /Type: +DYN/.test(text),
    'can be mapped with pages of 16 KiB':
      alignments.length > 0 && alignments.every((alignment) => Number(alignment) === 0x4000),
    'needs only libraries of every Android':
      needed.length > 0 &&
      needed.every((name) => SYSTEM_LIBRARIES.some((library) => name === `lib${library}.so`)),
    'has no thread-local segment (none before Android 10)': !/^ {2}TLS /m.test(text),
    'has no text relocations': !/TEXTREL/.test(text),
    [`takes ${taken.length} names, all of Android 7 (${newer.join(', ') || 'none else'})`]:
      taken.length > 0 && newer.length === 0,
    'exports what Node looks for, and nothing else':
      exported.length > 0 && exported.every((name) => ENTRIES.includes(name)),
  };
}

module.exports = { elfChecks, stubs };
