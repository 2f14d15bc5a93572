'use strict';
// What the addon's file is, read by LLVM's tools: its processor, what it exports, the libraries it
// needs and the names it takes from them. For platforms that cannot run here that is the whole test.

const fs = require('node:fs');
const path = require('node:path');
const { add, zero } = require('../counts.js');
const { apt, must } = require('./cache.js');
const { environment } = require('./toolchain.js');

const llvm = async (tool, ...args) => {
  await apt([`/usr/bin/${tool}`], ['llvm']);
  return must(`/usr/bin/${tool}`, args);
};

const all = (text, pattern) => [...text.matchAll(pattern)].map(([, found]) => found);

/** What Node looks for in an addon. */
const ENTRIES = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];

/** The libraries of every Windows from 10 on. */
const OF_WINDOWS =
  /^(?:kernel32|ntdll|advapi32|bcryptprimitives|ws2_32|userenv|ucrtbase|msvcrt|api-ms-win-(?:crt|core)-[\w-]+)\.dll$/i;

/**
 * Checks of a DLL.
 *
 * @param {string} file
 * @param {'amd64' | 'i386' | 'arm64'} machine
 * @returns {Promise<Record<string, boolean>>} by what should hold
 */
async function peChecks(file, machine) {
  const text = await llvm(
    'llvm-readobj',
    '--file-headers',
    '--coff-imports',
    '--coff-exports',
    file,
  );
  const exported = all(text, /^Export \{[^}]*?^ {2}Name: (\w+)$/gms);
  const needed = all(text, /^(?:Delay)?Import \{\s*Name: (\S+)$/gm);
  const taken = all(text, /^ {2}Symbol: (\S+)/gm);
  return {
    [`is for ${machine}`]: text.includes(`Machine: IMAGE_FILE_MACHINE_${machine.toUpperCase()}`),
    'is a DLL': text.includes('IMAGE_FILE_DLL'),
    'may be loaded anywhere': text.includes('IMAGE_DLL_CHARACTERISTICS_DYNAMIC_BASE'),
    'has data that is not executable': text.includes('IMAGE_DLL_CHARACTERISTICS_NX_COMPAT'),
    'exports what Node looks for, and nothing else':
      exported.length > 0 && exported.every((name) => ENTRIES.includes(name)),
    [`needs only libraries of every Windows (${needed.join(', ')})`]:
      needed.length > 0 && needed.every((name) => OF_WINDOWS.test(name)),
    'takes nothing of Node by name': taken.length > 0 && !taken.some((name) => /^napi_/.test(name)),
  };
}

/** The names that Apple's libSystem exports for a target, from the list that zig links with. */
async function ofLibSystem(target) {
  const { ZIG } = await environment();
  const list = path.join(path.dirname(ZIG), 'lib/libc/darwin/libSystem.tbd');
  const found = new Set();
  // Documents of YAML, one for each library inside; in them lists of symbols for lists of targets.
  const lists = fs
    .readFileSync(list, 'utf8')
    .matchAll(/targets:\s*\[([^\]]*)\]\s*symbols:\s*\[([^\]]*)\]/g);
  for (const [, targets, symbols] of lists) {
    if (!targets.split(',').some((one) => one.trim() === target)) continue;
    for (const symbol of symbols.split(',')) found.add(symbol.trim().replaceAll("'", ''));
  }
  return found;
}

/**
 * Checks of a dynamic library of macOS.
 *
 * @param {string} file
 * @param {'arm64' | 'x86_64'} cpu
 * @returns {Promise<Record<string, boolean>>} by what should hold
 */
async function machoChecks(file, cpu) {
  const text = await llvm(
    'llvm-readobj',
    '--file-headers',
    '--macho-version-min',
    '--needed-libs',
    file,
  );
  const segments = await llvm('llvm-objdump', '--macho', '--private-headers', file);
  const names = async (...flags) =>
    all(await llvm('llvm-nm', ...flags, file), /^\s*(?:\w+ )?\w? ?(_\S+)$/gm);
  const exported = await names('--defined-only', '--extern-only', '--just-symbol-name');
  const taken = await names('--undefined-only', '--just-symbol-name');
  const given = await ofLibSystem(`${cpu}-macos`);
  const libraries = all(text, /^ {2}(\/\S+)$/gm);
  const strange = taken.filter((name) => !given.has(name));
  const machine = cpu === 'arm64' ? 'Arm64' : 'X86-64';
  return {
    [`is for ${cpu}`]: text.includes(`CpuType: ${machine} `),
    'is a dynamic library': text.includes('FileType: DynamicLibrary'),
    'exports what Node looks for': ENTRIES.some((name) => exported.includes(`_${name}`)),
    [`needs only what every macOS has (${libraries.join(', ')})`]:
      libraries.length > 0 &&
      libraries.every(
        (name) => name === '/usr/lib/libSystem.B.dylib' || name === '/usr/lib/libiconv.2.dylib',
      ),
    [`takes ${taken.length} names, all of libSystem (${strange.join(', ') || 'none else'})`]:
      taken.length > 50 && strange.length === 0,
    'maps memory for generated code': taken.includes('_mmap'),
    [`${cpu === 'arm64' ? 'switches' : 'does not switch'} the rights of threads`]:
      taken.includes('_pthread_jit_write_protect_np') === (cpu === 'arm64'),
    'has no segment that is writable and executable': !/initprot\s+rwx/.test(segments),
  };
}

/** A row's result with checks of the addon's file added to it: each counts as a test. */
function withChecks(result, checks) {
  const lines = Object.entries(checks).map(([what, holds]) => ({ what, holds }));
  const bad = lines.filter(({ holds }) => !holds).map(({ what }) => `FAIL the addon ${what}`);
  const counts = { passed: lines.length - bad.length, failed: bad.length, skipped: 0 };
  return {
    ...result,
    ...add(result, counts),
    output: [...bad, result.output].join('\n'),
    notes: [...lines.map(({ what }) => `checked: the addon ${what}`), ...result.notes],
  };
}

/** The result of a row that runs nothing. */
const nothingRun = () => ({ ...zero(), node: '-', output: '', notes: [], remark: 'linked only' });

module.exports = { ENTRIES, machoChecks, nothingRun, peChecks, withChecks };
