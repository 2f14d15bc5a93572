'use strict';
// The table of platform packages, and the checks of what goes into them.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { filesBelow, read } = require('../lib/files.js');
const { identify } = require('../lib/packages/binary.js');
const { chosenLicense, reachable, split } = require('../lib/packages/licenses.js');
const { mainManifest, publishedManifest } = require('../lib/packages/manifests.js');
const { problemOf } = require('../lib/packages/pack.js');
const { platformNamed, platformOfRow, platforms } = require('../lib/packages/table.js');

test('npm/ has a folder for every platform, with what npm chooses by', () => {
  const folders = new Set(filesBelow('npm', /./).map((file) => file.split('/')[1]));
  assert.deepEqual([...folders].sort(), platforms.map(({ folder }) => folder).sort());
  const fields = (folder) => {
    const { name, os, cpu, libc, main } = JSON.parse(read(`npm/${folder}/package.json`));
    assert.equal(name, `ffi-jit-${folder}`);
    assert.equal(main, 'ffi-jit.node');
    return [os, cpu, libc].map(String).join(' ');
  };
  assert.deepEqual(Object.fromEntries(platforms.map(({ folder }) => [folder, fields(folder)])), {
    'linux-x64-gnu': 'linux x64 glibc',
    'linux-x64-musl': 'linux x64 musl',
    'linux-arm64-gnu': 'linux arm64 glibc',
    'linux-arm64-musl': 'linux arm64 musl',
    'linux-arm-gnueabihf': 'linux arm glibc',
    'linux-ia32-gnu': 'linux ia32 glibc',
    'win32-x64': 'win32 x64 undefined',
    'win32-ia32': 'win32 ia32 undefined',
    'win32-arm64': 'win32 arm64 undefined',
    'darwin-x64': 'darwin x64 undefined',
    'darwin-arm64': 'darwin arm64 undefined',
    'android-arm64': 'android arm64 undefined',
  });
});

test('every package is required by a literal name inside a try block, for bundlers', () => {
  const loader = read('js/core/packaged.js');
  const [, body] = /^function requirePackage\(name\) \{\n {2}try \{([\s\S]*?)\n {2}\} catch/m.exec(
    loader,
  );
  const required = [
    ...body.matchAll(/case '([\w-]+)':\s+return require\('([\w-]+)\/ffi-jit\.node'\);/g),
  ];
  assert.deepEqual(
    required.map(([, name]) => name),
    platforms.map(({ name }) => name),
  );
  for (const [, name, literal] of required) assert.equal(literal, name);
});

test('the checkout depends on no package, what is published on all of its own version', () => {
  const main = mainManifest();
  assert.equal(main.optionalDependencies, undefined);
  assert.equal(main.private, true);
  const { scripts, private: isPrivate, optionalDependencies } = publishedManifest(main);
  assert.equal(scripts, undefined);
  assert.equal(isPrivate, undefined);
  assert.deepEqual(
    optionalDependencies,
    Object.fromEntries(platforms.map(({ name }) => [name, main.version])),
  );
});

test('rows and packages find each other', () => {
  for (const platform of platforms) assert.equal(platformOfRow(platform.row), platform);
  assert.equal(platformOfRow('locations'), undefined);
  assert.equal(platformNamed('win32-ia32').row, 'i686-pc-windows-gnu');
  assert.throws(() => platformNamed('win32-x64-msvc'), /no package "win32-x64-msvc".*win32-x64,/);
});

/** A file in a folder of its own. */
function fileWith(t, content) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ffi-jit-binary-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'ffi-jit.node');
  fs.writeFileSync(file, content);
  return file;
}

/**
 * A small ELF file: headers, one segment that holds everything, a dynamic section.
 *
 * @param {{ wide: boolean, machine: number, needed: string[], versions?: string[] }} what
 */
function elf({ wide, machine, needed, versions = [] }) {
  const bytes = Buffer.alloc(1024);
  const size = wide ? 8 : 4;
  const base = 0x10000; // addresses differ from offsets
  const word = (value, at) =>
    wide ? bytes.writeBigUInt64LE(BigInt(value), at) : bytes.writeUInt32LE(value, at);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1]);
  bytes.writeUInt16LE(machine, 18);
  const table = wide ? 64 : 52;
  const entry = wide ? 56 : 32;
  word(table, wide ? 32 : 28);
  bytes.writeUInt16LE(entry, wide ? 54 : 42);
  bytes.writeUInt16LE(2, wide ? 56 : 44);
  const segment = (at, type, offset, length) => {
    bytes.writeUInt32LE(type, at);
    word(offset, at + size);
    word(base + offset, at + 2 * size);
    word(length, at + (wide ? 32 : 16));
  };
  const strings = `\0${[...needed, ...versions].join('\0')}\0`;
  const dynamic = 256;
  const entries = needed.map((name) => [1, strings.indexOf(`\0${name}\0`) + 1]);
  entries.push([5, base + 512], [10, strings.length], [0, 0]);
  segment(table, 1, 0, bytes.length);
  segment(table + entry, 2, dynamic, entries.length * 2 * size);
  for (const [i, [tag, value]] of entries.entries()) {
    word(tag, dynamic + i * 2 * size);
    word(value, dynamic + (i * 2 + 1) * size);
  }
  bytes.write(strings, 512, 'latin1');
  return bytes;
}

function pe(machine) {
  const bytes = Buffer.alloc(256);
  bytes.write('MZ');
  bytes.writeUInt32LE(128, 60);
  bytes.write('PE\0\0', 128);
  bytes.writeUInt16LE(machine, 132);
  return bytes;
}

function mach(cpu) {
  const bytes = Buffer.alloc(64);
  bytes.writeUInt32LE(0xfeedfacf, 0);
  bytes.writeUInt32LE(cpu, 4);
  return bytes;
}

const FILES = {
  'ELF x64 gnu': elf({ wide: true, machine: 62, needed: ['libgcc_s.so.1', 'libc.so.6'] }),
  'ELF x64 musl': elf({ wide: true, machine: 62, needed: ['libc.so'] }),
  'ELF arm64 gnu': elf({ wide: true, machine: 183, needed: ['libc.so.6', 'libdl.so.2'] }),
  'ELF arm64 musl': elf({ wide: true, machine: 183, needed: ['libc.musl-aarch64.so.1'] }),
  'ELF arm64 bionic': elf({ wide: true, machine: 183, needed: ['libc.so', 'libdl.so'] }),
  'ELF arm gnu': elf({ wide: false, machine: 40, needed: ['libc.so.6'] }),
  'ELF ia32 gnu': elf({ wide: false, machine: 3, needed: ['libc.so.6'] }),
  'PE x64': pe(0x8664),
  'PE ia32': pe(0x14c),
  'PE arm64': pe(0xaa64),
  'Mach-O x64': mach(0x01000007),
  'Mach-O arm64': mach(0x0100000c),
};

test('a file is what its headers say, and only that goes into a package', (t) => {
  for (const [kind, content] of Object.entries(FILES)) {
    const file = fileWith(t, content);
    assert.equal(identify(file).kind, kind);
    for (const platform of platforms) {
      const problem = problemOf(platform, file);
      if (platform.binary === kind) assert.equal(problem, undefined);
      else assert.match(problem, new RegExp(`is "${kind}", but .* needs "${platform.binary}"`));
    }
  }
  for (const content of [
    '',
    'text',
    Buffer.alloc(200),
    Buffer.from('MZ'.padEnd(100, '\xff'), 'latin1'),
  ]) {
    assert.equal(identify(fileWith(t, content)).kind, 'no library');
  }
});

test('an addon that needs a newer glibc than Node 18 is no release', (t) => {
  const what = { wide: true, machine: 62, needed: ['libc.so.6'] };
  const made = (...versions) => fileWith(t, elf({ ...what, versions }));
  const old = made('GLIBC_2.2.5', 'GLIBC_2.28', 'GLIBC_2.4');
  const recent = made('GLIBC_2.2.5', 'GLIBC_2.34', 'GLIBC_2.4');
  const platform = platformNamed('linux-x64-gnu');
  assert.deepEqual(identify(old).glibc, 28);
  assert.equal(problemOf(platform, old), undefined);
  assert.match(problemOf(platform, recent), /needs glibc 2\.34, and linux-x64-gnu is for 2\.28/);
  assert.equal(problemOf(platform, recent, { release: false }), undefined);
});

test('of the licences that a crate offers we take one that we know', () => {
  assert.equal(chosenLicense('Apache-2.0 OR MIT'), 'MIT');
  assert.equal(chosenLicense('Unlicense/MIT'), 'MIT');
  assert.equal(chosenLicense('MPL-2.0'), 'MPL-2.0');
  assert.equal(chosenLicense('Apache-2.0 WITH LLVM-exception'), 'Apache-2.0 WITH LLVM-exception');
  assert.throws(() => chosenLicense('GPL-3.0-only'), /no known licence in "GPL-3\.0-only"/);
  assert.throws(() => chosenLicense('MIT AND GPL-3.0-only'), /no known licence/);
});

test('the crates in the addon are those that are linked, not those that run during the build', () => {
  const crate = (name, kind = 'lib') => ({ id: name, name, targets: [{ kind: [kind] }] });
  const edge = (pkg, kind = null) => ({ pkg, dep_kinds: [{ kind }] });
  const packages = [
    ...['ours', 'b', 'a', 'inside', 'tool', 'tested'].map((name) => crate(name)),
    crate('macro', 'proc-macro'),
    crate('of-macro'),
  ];
  const nodes = [
    {
      id: 'ours',
      deps: [edge('b'), edge('a'), edge('macro'), edge('tool', 'build'), edge('tested', 'dev')],
    },
    { id: 'a', deps: [edge('inside'), edge('b')] },
    { id: 'macro', deps: [edge('of-macro')] },
    ...['b', 'inside', 'tool', 'tested', 'of-macro'].map((id) => ({ id, deps: [] })),
  ];
  const names = reachable(packages, nodes, 'ours').map(({ name }) => name);
  assert.deepEqual(names, ['a', 'b', 'inside']);
});

test('the copyright lines of a licence are told from its text', () => {
  const text =
    'MIT License\n\nCopyright (c) 2016 A\nCopyright (c) B\n\nPermission is hereby\nThe above copyright notice\n';
  assert.deepEqual(split(text), {
    copyright: 'Copyright (c) 2016 A; Copyright (c) B',
    body: 'Permission is hereby\nThe above copyright notice\n',
  });
  const apache = '  Apache License\nCopyright [yyyy] [name of copyright owner]\n';
  assert.deepEqual(split(apache), { copyright: '', body: apache });
});
