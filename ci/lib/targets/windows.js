'use strict';
// Windows on this machine: wine, a Node for Windows from npm, and what the build needs.

const fs = require('node:fs');
const path = require('node:path');
const { root: checkout } = require('../paths.js');
const { runtimeSuites } = require('../js-suites.js');
const { run, MINUTE } = require('../run.js');
const { apt, folder, must, once, replaceFile } = require('./cache.js');
const { ENTRIES, peChecks, withChecks } = require('./objects.js');
const { andAlso, runSuitesOn } = require('./suites.js');
const { fetchRoot, npmNode, system } = require('./systems.js');
const { buildAddon, buildFixtures, buildGrid, environment } = require('./toolchain.js');

/**
 * Runs a program of Windows. Its streams are files, because Node for Windows cannot use wine's
 * pipes (EBADF); what it printed follows when it has ended.
 */
const WINE = `#!/bin/sh
files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT
export WINEPREFIX={prefix} WINEARCH={arch} WINEDEBUG=-all WINESERVER={server}
{wine} {node} "$@" </dev/null >"$files/out" 2>"$files/err"
status=$?
cat "$files/out"
cat "$files/err" >&2
exit $status
`;

/** Enters a root with a wine of its own in a mount namespace of its own. */
const WINE_IN_ROOT = `#!/bin/sh
exec unshare -m /bin/sh -c '
  set -e
  root=$1 work=$2 here=$PWD
  shift 2
  for part in /proc /dev /tmp "$work"; do
    mkdir -p "$root$part"
    mount --rbind "$part" "$root$part"
  done
  {settings} exec unshare --root="$root" --wd="$here" /usr/lib/wine/{program} "$@"
' sh '{root}' '{work}' "$@"
`;

/**
 * A folder with empty archives, of the libraries that napi's build script and Debian's rustc ask for,
 * and the list of exports: rustc's own does not reach zig, whose linker exports everything without
 * one, and so keeps what nothing uses.
 */
const libraries = () =>
  once(
    'windows-libraries',
    async (place) => {
      for (const name of ['libnode.dll', 'libnode.a', 'libssp.a', 'libssp_nonshared.a']) {
        fs.writeFileSync(path.join(place, name), '!<arch>\n');
      }
      fs.writeFileSync(path.join(place, 'addon.def'), `EXPORTS\n${ENTRIES.join('\n')}\n`);
    },
    ENTRIES.join(),
  );

/**
 * Builds the addon for a windows-gnu or windows-gnullvm triple. Without `-s` the linker writes
 * debugging information, and then keeps sections that nothing refers to.
 */
async function buildWindowsAddon(triple) {
  const place = await libraries();
  const flags = `CARGO_TARGET_${triple.toUpperCase().replaceAll('-', '_')}_RUSTFLAGS`;
  const given = [path.join(place, 'addon.def'), '-s'];
  const link = [
    '-Zfunction-sections=yes',
    `-Lnative=${place}`,
    ...given.map((word) => `-Clink-arg=${word}`),
  ].join(' ');
  return buildAddon(triple, { env: { LIBNODE_PATH: place, [flags]: link } });
}

/** A script that runs the wine of a root, and a library that it needs in its prefix. */
function wineInRoot(name, root, program, cpu, settings = '') {
  const wine = path.join(folder, 'runners', name);
  const words = { root, work: checkout, program, settings };
  const script = WINE_IN_ROOT.replace(
    /\{(root|work|program|settings)\}/g,
    (_, word) => words[word],
  );
  replaceFile(wine, (partial) => fs.writeFileSync(partial, script, { mode: 0o755 }));
  // The package's installation script would put this where wine finds it: user32.dll needs it.
  return { wine, more: path.join(root, `usr/${cpu}-w64-mingw32/lib/zlib1.dll`) };
}

/** How to run wine for each width; `late` is for a Node that Debian 12's wine is too old for. */
const WIDTHS = {
  async x64() {
    await apt(['wine', '/usr/lib/wine/wine64'], ['wine', 'wine64']);
    const server = '/usr/lib/wine/wineserver64';
    return { wine: 'wine', server, arch: 'win64', prefix: 'win64' };
  },
  async x86() {
    const root = await once('roots/i386-bookworm-wine32', (place) =>
      fetchRoot('i386', place, 'bookworm', 'wine32', 'libc6'),
    );
    const server = '/usr/lib/wine/wineserver32';
    const script = wineInRoot('wine32', root, 'wine', 'i686');
    return { ...script, server, arch: 'win32', prefix: 'win32' };
  },
  async late() {
    const root = await once('roots/amd64-trixie-wine', async (place) => {
      await fetchRoot('amd64', place, 'trixie', 'wine', 'wine64', 'libc6');
      // Debian's base-files would bring these.
      for (const name of ['bin', 'lib', 'lib64', 'sbin']) {
        const link = path.join(place, name);
        if (!fs.existsSync(link)) fs.symlinkSync(`usr/${name}`, link);
      }
    });
    const settings = 'WINELOADER=/usr/lib/wine/wine64';
    const script = wineInRoot('wine64-late', root, 'wine64', 'x86_64', settings);
    const server = '/usr/lib/wine/wineserver64';
    return { ...script, server, arch: 'win64', prefix: 'win64-late' };
  },
};

/** zig's name of a windows-gnu triple. */
const zigTarget = (triple) => triple.replace('-pc', '').replace('i686', 'x86');

/** A wine prefix with what is missing in it. */
const prefixOf = ({ wine, server, arch, prefix, more }, triple) =>
  once(`prefixes/${prefix}`, async (place) => {
    const env = { WINEPREFIX: place, WINEARCH: arch, WINESERVER: server, WINEDEBUG: '-all' };
    const system32 = path.join(place, 'drive_c/windows/system32');
    fs.mkdirSync(system32, { recursive: true });
    if (more) fs.copyFileSync(more, path.join(system32, path.basename(more)));
    // wineboot's exit status says nothing; what it leaves behind does.
    await run(wine, ['wineboot', '-i'], { env, timeout: 5 * MINUTE });
    if (!fs.existsSync(path.join(system32, 'kernel32.dll'))) {
      throw new Error(`wineboot made no kernel32.dll in ${system32}`);
    }
    const version = ['HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f'];
    await must(wine, ['reg', 'add', ...version], { env });
    // Debian 12's wine lacks it, later ones do not.
    const file = path.join(system32, 'bcryptprimitives.dll');
    if (fs.existsSync(file)) return;
    const tools = await environment();
    const target = zigTarget(triple);
    const sources = ['c', 'def'].map((kind) => path.join(__dirname, `bcryptprimitives.${kind}`));
    const link = ['cc', '-target', target, '-shared', '-O2', '-o', file, ...sources, '-ladvapi32'];
    await must(tools.ZIG, link, { env: tools });
  });

/**
 * Windows with a Node.
 *
 * @param {'x64' | 'x86'} width
 * @param {string} triple
 * @param {string} version major version of Node
 * @returns {Promise<{ node: string, version: string }>}
 */
async function windows(width, triple, version) {
  const how = await WIDTHS[Number(version) >= 24 ? 'late' : width]();
  const prefix = await prefixOf(how, triple);
  const node = await npmNode(`win-${width}`, version);
  const made = await system(`win-${width}-${version}`, WINE, { ...how, prefix, node });
  // Children are started from inside, where this script is no program: by node.exe itself.
  return { ...made, child: undefined, emulated: false };
}

/** What does not run here, and why. */
const WITHOUT = [
  {
    pattern: /\/leaks-whole\.test\.js$/,
    reason: "measures resident memory to some bytes a call; wine's own threads and queues grow",
  },
];

/** What does not run on a width without V8's tiers. */
const WITHOUT_TIERS = [
  {
    pattern: /\/tier\/suites\.test\.js$/,
    reason: 'runs suites on the other tier, and 32-bit Windows has one',
  },
];

/** What only the full run has time for there, besides what is so everywhere. */
const SLOW_WITHOUT_TIERS = [
  {
    pattern: /\/tier\/process\.test\.js$/,
    reason: 'not with --fast: starts many processes for a tier that 32-bit Windows does not have',
  },
];

/** Releases of Node that V8's tiers are tested on, besides the one that all suites run on. */
const OTHER_RELEASES = ['20', '24', '26'];

/** What tests the tiers. */
const tierSuites = () =>
  runtimeSuites().filter((file) => /\/tier\/(?!suites\.)[^/]*\.test\.js$/.test(file));

/**
 * The row of a Windows that runs under wine.
 *
 * @param {{ name: string, order: number, fast: boolean, width: 'x64' | 'x86', machine: string, more:
 *   string[] }} how `machine` as COFF names it; `more`: suites of js/test/windows
 */
function windowsRow({ name, order, fast, width, machine, more }) {
  const hasTiers = width === 'x64';
  const slow = 3;
  return {
    name,
    order,
    fast,
    async build() {
      const addon = await buildWindowsAddon(name);
      const fixtures = await buildFixtures(zigTarget(name));
      if (hasTiers) await buildGrid(zigTarget(name), fixtures);
      return { addon, fixtures };
    },
    async run(built, { fast: short }) {
      const without = [...WITHOUT];
      if (!hasTiers) without.push(...WITHOUT_TIERS, ...(short ? SLOW_WITHOUT_TIERS : []));
      let suites = await runSuitesOn(await windows(width, name, '22'), built, {
        slow,
        fast: short,
        without,
        more: more.map((suite) => `js/test/windows/${suite}.js`),
      });
      for (const release of hasTiers && !short ? OTHER_RELEASES : []) {
        const other = await windows(width, name, release);
        const options = { files: tierSuites(), slow };
        suites = await andAlso(suites, `Node ${other.version}`, other, built, options);
      }
      return withChecks(suites, await peChecks(built.addon, machine));
    },
  };
}

module.exports = { buildWindowsAddon, windowsRow };
