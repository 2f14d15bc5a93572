'use strict';
// The JS suites on another system's Node.

const { add, closingCounts, settle } = require('../counts.js');
const { runSuites, runtimeSuites } = require('../js-suites.js');
const { run, MINUTE } = require('../run.js');

/**
 * Suites that only `npm test` runs: about the package and its peers, with the machine's C compiler,
 * and minutes of measuring memory.
 */
const ELSEWHERE = /\/parity\/|\/(package|peer|primitives|layouts|leaks|leaks-whole)\.test\.js$/;

/**
 * Runs the smoke test and the suites.
 *
 * @param {{ node: string, version: string, child: string }} system
 * @param {{ addon: string, fixtures: string }} built
 * @param {{ slow?: number, only?: RegExp, without?: { pattern: RegExp, reason: string }[], more?:
 *   string[] }} [options] factor of the time limits; suites to run; suites that cannot run there;
 *   suites of its own
 */
async function runSuitesOn({ node, version, child }, { addon, fixtures }, options = {}) {
  const { slow = 1, only = /./, without = [], more = [] } = options;
  const env = {
    FFI_JIT_NATIVE_PATH: addon,
    FFI_JIT_FIXTURES: fixtures,
    FFI_JIT_TEST_NODE: child,
    FFI_JIT_TEST_SLOW: String(slow),
    FFI_JIT_FUZZ_CASES: String(Math.ceil(20_000 / slow)),
    NODE_EXTRA_CA_CERTS: undefined,
    NODE_OPTIONS: undefined,
  };
  const smoke = await run(node, ['js/test/smoke.js'], { env, timeout: slow * 2 * MINUTE });
  const files = runtimeSuites().filter((file) => only.test(file) && !ELSEWHERE.test(file));
  const chosen = files.filter((file) => !without.some(({ pattern }) => pattern.test(file)));
  const left = [...chosen, ...more];
  const suites = await runSuites(node, left, { env, slow });
  const counts = settle(closingCounts(smoke.output), smoke.ok);
  const notes = without.flatMap(({ pattern, reason }) =>
    files.filter((file) => pattern.test(file)).map((file) => `not run: ${file}: ${reason}`),
  );
  return {
    ...add(counts, suites),
    node: version,
    output: `${counts.failed > 0 ? `--- js/test/smoke.js\n${smoke.output}\n` : ''}${suites.output}`,
    notes: [`${left.length} suites and the smoke test`, ...notes, ...suites.notes],
  };
}

module.exports = { runSuitesOn };
