'use strict';
// macOS: nothing of it is to be had here, so that the addon is linked against the list of what its
// system library exports, which comes with zig, and the file is checked.

const fs = require('node:fs');
const path = require('node:path');
const { ENTRIES, all, llvm, nothingRun, withChecks } = require('./objects.js');
const { buildAddon, environment } = require('./toolchain.js');

/**
 * The linker strips (what does it afterwards would spoil the signature), and names the library.
 * Rust's list of exports does not reach it, so that everything else is hidden from the start.
 */
const LINK = ['-s', '-Wl,-install_name,@rpath/ffi-jit.node'];

/** The oldest macOS that Node 20 runs on. */
const OLDEST = '11.0';

/** The libraries of every macOS that Rust's standard library asks for. */
const LIBRARIES = ['libSystem.B', 'libiconv.2', 'libcharset.1'].map(
  (name) => `/usr/lib/${name}.dylib`,
);

/** The names that libSystem exports for a target. */
async function ofLibSystem(target) {
  const { ZIG } = await environment();
  const list = path.join(path.dirname(ZIG), 'lib/libc/darwin/libSystem.tbd');
  const text = fs.readFileSync(list, 'utf8');
  // YAML, a document for each library inside; in them lists of names for lists of targets.
  const lists = /targets:\s*\[([^\]]*)\]\s*symbols:\s*\[([^\]]*)\]/g;
  const words = (inside) => inside.split(',').map((word) => word.trim().replaceAll("'", ''));
  return new Set(
    [...text.matchAll(lists)].flatMap(([, targets, symbols]) =>
      words(targets).includes(target) ? words(symbols) : [],
    ),
  );
}

/**
 * What should hold of the addon's file.
 *
 * @param {string} file
 * @param {'arm64' | 'x86_64'} cpu
 * @returns {Promise<Record<string, boolean>>}
 */
async function machoChecks(file, cpu) {
  const header = await llvm('llvm-readobj', '--file-headers', file);
  const commands = await llvm('llvm-objdump', '--macho', '--private-headers', file);
  const names = async (kind) =>
    all(await llvm('llvm-nm', kind, '--extern-only', '--just-symbol-name', file), /^(\S+)$/gm);
  const [exported, taken] = [await names('--defined-only'), await names('--undefined-only')];
  const given = await ofLibSystem(`${cpu}-macos`);
  const strange = taken.filter((name) => !given.has(name) && !OF_THE_LINKER.has(name));
  const needed = all(commands, /cmd LC_LOAD_DYLIB\n +cmdsize \d+\n +name (\S+)/g);
  return {
    [`is for ${cpu}`]: header.includes(`CpuType: ${cpu === 'arm64' ? 'Arm64' : 'X86-64'} `),
    'is a dynamic library': header.includes('FileType: DynamicLibrary'),
    'exports what Node looks for': ENTRIES.every((name) => exported.includes(`_${name}`)),
    [`needs ${needed.join(', ')}`]:
      needed.length > 0 && needed.every((name) => LIBRARIES.includes(name)),
    [`takes ${taken.length} names, all of libSystem (${strange.join(', ') || 'none else'})`]:
      taken.length > 50 && strange.length === 0,
    'has no name of the machine that built it': /^ +name @rpath\/ffi-jit\.node /m.test(commands),
    [`runs on macOS ${OLDEST}`]: commands.includes(`minos ${OLDEST}\n`),
    'has no segment that is writable and executable': !/^ +(?:init|max)prot +rwx/m.test(commands),
    [cpu === 'arm64' ? 'lets threads write code by turns' : 'does not let threads switch']:
      taken.includes('_pthread_jit_write_protect_np') === (cpu === 'arm64'),
    ...(cpu === 'arm64' && { 'is signed': commands.includes('cmd LC_CODE_SIGNATURE') }),
  };
}

/** What the linker brings itself. */
const OF_THE_LINKER = new Set(['dyld_stub_binder']);

/** The row of a macOS. */
function macosRow({ name, order, cpu }) {
  const flags = `CARGO_TARGET_${name.toUpperCase().replaceAll('-', '_')}_RUSTFLAGS`;
  const env = {
    CARGO_PROFILE_RELEASE_STRIP: 'none',
    MACOSX_DEPLOYMENT_TARGET: OLDEST,
    [flags]: ['-Zdefault-visibility=hidden', ...LINK.map((word) => `-Clink-arg=${word}`)].join(' '),
  };
  return {
    name,
    order,
    fast: false,
    build: async () => ({ addon: await buildAddon(name, { env }) }),
    run: async ({ addon }) => withChecks(nothingRun(), await machoChecks(addon, cpu)),
  };
}

module.exports = { machoChecks, macosRow };
