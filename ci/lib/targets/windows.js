'use strict';
// Windows on this machine: wine, a Node for Windows from npm, and what the build needs.

const fs = require('node:fs');
const path = require('node:path');
const { root: checkout } = require('../paths.js');
const { run, MINUTE } = require('../run.js');
const { apt, folder, must, once, replaceFile } = require('./cache.js');
const { ENTRIES, peChecks, withChecks } = require('./objects.js');
const { runSuitesOn } = require('./suites.js');
const { fetchRoot, npmNode, system } = require('./systems.js');
const { buildAddon, buildFixtures, environment } = require('./toolchain.js');

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

/** Enters a root with wine for i386 in a mount namespace of its own. */
const WINE32 = `#!/bin/sh
exec unshare -m /bin/sh -c '
  set -e
  root=$1 work=$2 here=$PWD
  shift 2
  for part in /proc /dev /tmp "$work"; do
    mkdir -p "$root$part"
    mount --rbind "$part" "$root$part"
  done
  exec unshare --root="$root" --wd="$here" /usr/lib/wine/wine "$@"
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

/** How to run wine for each width. */
const WIDTHS = {
  async x64() {
    await apt(['wine', '/usr/lib/wine/wine64'], ['wine', 'wine64']);
    return { wine: 'wine', server: '/usr/lib/wine/wineserver64', arch: 'win64' };
  },
  async x86() {
    const root = await once('roots/i386-bookworm-wine32', (place) =>
      fetchRoot('i386', place, 'bookworm', 'wine32', 'libc6'),
    );
    const wine = path.join(folder, 'runners', 'wine32');
    const script = WINE32.replaceAll('{root}', root).replaceAll('{work}', checkout);
    replaceFile(wine, (partial) => fs.writeFileSync(partial, script, { mode: 0o755 }));
    // The package's installation script would put this where wine finds it: user32.dll needs it.
    const more = path.join(root, 'usr/i686-w64-mingw32/lib/zlib1.dll');
    return { wine, server: '/usr/lib/wine/wineserver32', arch: 'win32', more };
  },
};

/** zig's name of a windows-gnu triple. */
const zigTarget = (triple) => triple.replace('-pc', '').replace('i686', 'x86');

/** A wine prefix with what is missing in it. */
const prefixOf = ({ wine, server, arch, more }, triple) =>
  once(`prefixes/${arch}`, async (place) => {
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
    const tools = await environment();
    const target = zigTarget(triple);
    const sources = ['c', 'def'].map((kind) => path.join(__dirname, `bcryptprimitives.${kind}`));
    const file = path.join(system32, 'bcryptprimitives.dll');
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
  const how = await WIDTHS[width]();
  const prefix = await prefixOf(how, triple);
  const node = await npmNode(`win-${width}`, version);
  const made = await system(`win-${width}-${version}`, WINE, { ...how, prefix, node });
  // Children are started from inside, where this script is no program: by node.exe itself.
  return { ...made, child: undefined, emulated: false };
}

/** What does not run here, and why. */
const WITHOUT = [
  {
    pattern: /\/tier\/suites\.test\.js$/,
    reason: 'runs suites on the other tier, and Windows has one',
  },
  {
    pattern: /\/leaks-whole\.test\.js$/,
    reason: "measures resident memory to some bytes a call; wine's own threads and queues grow",
  },
];

/** What only the full run has time for, besides what is so everywhere. */
const SLOW = [
  {
    pattern: /\/tier\/process\.test\.js$/,
    reason: 'not with --fast: starts many processes for a tier that Windows does not have',
  },
];

/**
 * The row of a Windows that runs under wine.
 *
 * @param {{ name: string, order: number, fast: boolean, width: 'x64' | 'x86', machine: string, more:
 *   string[] }} how `machine` as COFF names it; `more`: suites of js/test/windows
 */
function windowsRow({ name, order, fast, width, machine, more }) {
  return {
    name,
    order,
    fast,
    async build() {
      const addon = await buildWindowsAddon(name);
      return { addon, fixtures: await buildFixtures(zigTarget(name)) };
    },
    async run(built, { fast: short }) {
      const suites = await runSuitesOn(await windows(width, name, '22'), built, {
        slow: 3,
        fast: short,
        without: short ? [...WITHOUT, ...SLOW] : WITHOUT,
        more: more.map((suite) => `js/test/windows/${suite}.js`),
      });
      return withChecks(suites, await peChecks(built.addon, machine));
    },
  };
}

module.exports = { buildWindowsAddon, windowsRow };
