'use strict';
// The JS suites on another system's Node.

const { add, closingCounts, settle } = require('../counts.js');
const { runSuites, runtimeSuites } = require('../js-suites.js');
const { run, MINUTE } = require('../run.js');

/** @typedef {{ pattern: RegExp, reason: string }} Without suites that do not run, and why */

/** What runs on no row. @type {Without[]} */
const ELSEWHERE = [
  {
    pattern: /\/parity\/|\/koffi\/types\/peer\.test\.js$/,
    reason: 'asks a published peer, of which `npm test` installs one for this machine',
  },
  {
    pattern: /\/koffi\/types\/layouts\.test\.js$/,
    reason: "needs the platform's own C compiler; ci/locations.py compares layouts on every ABI",
  },
];

/** What does not run under an emulator. @type {Without[]} */
const EMULATED = [
  {
    pattern: /\/leaks(?:-whole)?\.test\.js$/,
    reason: "measures resident memory, most of which is the emulator's translated code",
  },
];

/** What only the full run has time for. @type {Without[]} */
const SLOW = [
  {
    pattern: /\/leaks(?:-whole)?\.test\.js$|\/tier\/suites\.test\.js$/,
    reason: 'not with --fast: measures memory for minutes, or runs other suites a second time',
  },
];

/** The suites to run, and for every other one its reason. */
function chooseSuites(files, only, without) {
  const reasonFor = (file) =>
    only.test(file)
      ? without.find(({ pattern }) => pattern.test(file))?.reason
      : `this row runs ${only} only`;
  const decided = files.map((file) => ({ file, reason: reasonFor(file) }));
  return {
    chosen: decided.filter(({ reason }) => reason === undefined).map(({ file }) => file),
    left: decided.filter(({ reason }) => reason !== undefined),
  };
}

/** One line for every reason. */
function notesOn(left) {
  const reasons = [...new Set(left.map(({ reason }) => reason))];
  return reasons.map((reason) => {
    const files = left.filter((one) => one.reason === reason).map(({ file }) => file);
    return `not run: ${files.join(', ')}: ${reason}`;
  });
}

/** The environment of suites on another system, with fewer random rounds by a factor. */
const environment = ({ child }, { addon, fixtures }, slow, fewer) => ({
  FFI_JIT_NATIVE_PATH: addon,
  FFI_JIT_FIXTURES: fixtures,
  FFI_JIT_TEST_NODE: child,
  FFI_JIT_TEST_SLOW: String(slow),
  FFI_JIT_FUZZ_CASES: String(Math.ceil(100_000 / fewer)),
  FFI_JIT_FUZZ_TYPES: String(Math.ceil(60_000 / fewer)),
  KOFFI_FUZZ_ROUNDS: String(Math.ceil(400 / fewer)),
  NODE_EXTRA_CA_CERTS: undefined,
  NODE_OPTIONS: undefined,
});

/**
 * Runs the smoke test and the suites. A suite that is left out counts as skipped.
 *
 * @param {{ node: string, version: string, child?: string, emulated?: boolean }} system
 * @param {{ addon: string, fixtures: string }} built
 * @param {{ slow?: number, fast?: boolean, only?: RegExp, without?: Without[], more?: string[] }}
 *   [options] factor of the time limits, and divisor of the random rounds; whether time is short;
 *   suites to run; suites that cannot run there; suites of its own
 */
async function runSuitesOn(system, { addon, fixtures }, options = {}) {
  const { node, version, emulated = false } = system;
  const { slow = 1, fast = false, only = /./, without = [], more = [] } = options;
  const env = environment(system, { addon, fixtures }, slow, (fast ? 4 : 1) * slow);
  const smoke = await run(node, ['js/test/smoke.js'], { env, timeout: slow * 2 * MINUTE });
  const counts = settle(closingCounts(smoke.output), smoke.ok);
  const outs = [...ELSEWHERE, ...(emulated ? EMULATED : []), ...without, ...(fast ? SLOW : [])];
  const { chosen, left } = chooseSuites(runtimeSuites(), only, outs);
  const files = [...chosen, ...more];
  const suites = await runSuites(node, files, { env, slow });
  const skipped = { passed: 0, failed: 0, skipped: left.length };
  return {
    ...[suites, skipped].reduce(add, counts),
    node: version,
    system,
    output: `${counts.failed > 0 ? `--- js/test/smoke.js\n${smoke.output}\n` : ''}${suites.output}`,
    notes: [`${files.length} suites and the smoke test`, ...notesOn(left), ...suites.notes],
  };
}

/**
 * Adds what some suites say on a variant of the system to a result.
 *
 * @param {object} result of `runSuitesOn`
 * @param {string} what the variant
 * @param {{ node: string, child?: string }} system
 * @param {{ addon: string, fixtures: string }} built
 * @param {{ files: string[], slow: number }} options
 */
async function andAlso(result, what, system, built, { files, slow }) {
  const env = environment(system, built, slow, slow);
  const suites = await runSuites(system.node, files, { env, slow });
  const output = suites.failed > 0 ? `--- ${what}\n${suites.output}` : '';
  return {
    ...result,
    ...add(result, suites),
    output: [result.output, output].join('\n'),
    notes: [...result.notes, `${what}: ${suites.passed} tests of ${files.join(', ')}`],
  };
}

module.exports = { andAlso, chooseSuites, runSuitesOn };
