'use strict';
// js/core/packages.js: the package for every system, and the C library from a process's memory.

const assert = require('node:assert/strict');
const test = require('node:test');
const { PLATFORMS, libcOf, packageFor } = require('../core/packages.js');

const ARCHES = ['x64', 'arm64', 'arm', 'ia32', 'riscv64', 'ppc64', 's390x', 'loong64', 'mips'];
const LIBCS = ['gnu', 'musl', 'bionic', undefined];
const SYSTEMS = ['linux', 'android', 'darwin', 'win32', 'freebsd', 'openbsd', 'sunos', 'aix'];

/** The systems that have a package, in full; everything else on the grid has none. */
const EXPECTED = {
  'linux x64 gnu': 'ffi-jit-linux-x64-gnu',
  'linux x64 undefined': 'ffi-jit-linux-x64-gnu',
  'linux x64 musl': 'ffi-jit-linux-x64-musl',
  'linux arm64 gnu': 'ffi-jit-linux-arm64-gnu',
  'linux arm64 undefined': 'ffi-jit-linux-arm64-gnu',
  'linux arm64 musl': 'ffi-jit-linux-arm64-musl',
  'linux arm64 bionic': 'ffi-jit-android-arm64',
  'linux arm gnu': 'ffi-jit-linux-arm-gnueabihf',
  'linux arm undefined': 'ffi-jit-linux-arm-gnueabihf',
  'linux ia32 gnu': 'ffi-jit-linux-ia32-gnu',
  'linux ia32 undefined': 'ffi-jit-linux-ia32-gnu',
};
for (const libc of LIBCS) {
  EXPECTED[`android arm64 ${libc}`] = 'ffi-jit-android-arm64';
  for (const arch of ['x64', 'arm64'])
    EXPECTED[`darwin ${arch} ${libc}`] = `ffi-jit-darwin-${arch}`;
  for (const arch of ['x64', 'ia32', 'arm64']) {
    EXPECTED[`win32 ${arch} ${libc}`] = `ffi-jit-win32-${arch}`;
  }
}

test('the package of every platform, architecture and C library', () => {
  const given = new Set();
  for (const platform of SYSTEMS) {
    for (const arch of ARCHES) {
      for (const libc of LIBCS) {
        const { name, reason } = packageFor({ platform, arch, libc });
        assert.equal(name, EXPECTED[`${platform} ${arch} ${libc}`], `${platform} ${arch} ${libc}`);
        assert.equal(typeof reason, name ? 'undefined' : 'string');
        given.add(name);
      }
    }
  }
  given.delete(undefined);
  assert.deepEqual([...given].sort(), PLATFORMS.map((name) => `ffi-jit-${name}`).sort());
});

test('a system without a package is named in the reason, with its C library', () => {
  const reason = (system) => packageFor(system).reason;
  assert.equal(
    reason({ platform: 'linux', arch: 'riscv64', libc: 'musl' }),
    'there is none for linux-riscv64 with musl',
  );
  assert.match(reason({ platform: 'linux', arch: 'arm', libc: 'musl' }), /linux-arm with musl/);
  assert.match(reason({ platform: 'linux', arch: 's390x', libc: 'gnu' }), /with glibc/);
  assert.equal(
    reason({ platform: 'linux', arch: 'x64', libc: 'bionic' }),
    'there is none for android-x64',
  );
  assert.equal(reason({ platform: 'freebsd', arch: 'x64' }), 'there is none for freebsd-x64');
});

test('32-bit ARM needs ARMv7 and hard floating point', () => {
  const arm = (machine, floatAbi) =>
    packageFor({ platform: 'linux', arch: 'arm', libc: 'gnu', machine, floatAbi });
  const name = 'ffi-jit-linux-arm-gnueabihf';
  assert.deepEqual(arm('armv7l', 'hard'), { name });
  assert.deepEqual(arm('armv8l', 'hard'), { name });
  assert.deepEqual(arm('aarch64', 'hard'), { name }); // a 32-bit Node on a 64-bit kernel
  assert.deepEqual(arm(undefined, undefined), { name });
  for (const machine of ['armv6l', 'armv5tel', 'armv4tl']) {
    assert.match(arm(machine, 'hard').reason, new RegExp(`${machine}.*ARMv7 or newer`));
  }
  for (const abi of ['soft', 'softfp', 'default']) {
    assert.match(arm('armv7l', abi).reason, new RegExp(`not compiled for hard-float.* ${abi}`));
  }
  // What a processor can do is not asked elsewhere.
  const arm64 = packageFor({ platform: 'linux', arch: 'arm64', libc: 'gnu', machine: 'armv6l' });
  assert.deepEqual(arm64, { name: 'ffi-jit-linux-arm64-gnu' });
});

/** Lines of /proc/self/maps with these files, between others. */
const maps = (...files) =>
  ['/usr/bin/node', ...files, '[heap]', '/usr/lib/libstdc++.so.6.0.30', '']
    .map((file) => `7f8b4c000000-7f8b4c028000 r--p 00000000 08:01 1835041${' '.repeat(20)}${file}`)
    .join('\n');

test('the C library is told by the files in memory', () => {
  const cases = {
    gnu: [
      ['/usr/lib/x86_64-linux-gnu/libc.so.6', '/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2'],
      ['/lib/x86_64-linux-gnu/libc-2.31.so', '/lib/x86_64-linux-gnu/ld-2.31.so'],
      ['/nix/store/abc-glibc-2.38-44/lib/libc.so.6'],
      ['/usr/lib/libc.so.6 (deleted)'],
      // A library of musl in a process of glibc does not make it one of musl.
      ['/opt/musl/lib/ld-musl-x86_64.so.1', '/lib/libc.so.6'],
    ],
    musl: [
      ['/lib/ld-musl-x86_64.so.1'],
      ['/root/of/a/chroot/lib/ld-musl-aarch64.so.1'],
      ['/usr/lib/libc.so'], // where musl's own installation puts the file
      ['/lib/libc.musl-x86_64.so.1'],
      ['/lib/ld-musl-x86_64.so.1 (deleted)'],
      ['/lib/ld-musl-x86_64.so.1', '/lib/libgcompat.so.0'], // glibc programs on musl
    ],
    bionic: [
      [
        '/apex/com.android.runtime/bin/linker64',
        '/apex/com.android.runtime/lib64/bionic/libc.so',
        '/data/data/com.termux/files/usr/lib/libc++_shared.so',
      ],
      ['/system/bin/linker'],
    ],
    undefined: [
      [],
      ['/home/me/libc.so.6.txt', '/home/ld-musl-x86_64.so.1/file', '/tmp/mylibc.so'],
      ['/usr/lib/libc++.so', '/usr/lib/libcrypto.so'],
    ],
  };
  for (const [libc, lists] of Object.entries(cases)) {
    for (const files of lists) assert.equal(String(libcOf(maps(...files))), libc, files.join(' '));
  }
});
