'use strict';
// What the addon's file is, read by LLVM's tools: its processor, what it exports, the libraries it
// needs and the names it takes from them. For platforms that cannot run here that is the whole test.

const { add, zero } = require('../counts.js');
const { apt, must } = require('./cache.js');

/** Runs one of LLVM's tools; returns what it printed. */
const llvm = async (tool, ...args) => {
  await apt([`/usr/bin/${tool}`], ['llvm']);
  return must(`/usr/bin/${tool}`, args);
};

/** What the first group of a pattern found. */
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

module.exports = { ENTRIES, all, llvm, nothingRun, peChecks, withChecks };
