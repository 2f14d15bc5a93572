'use strict';
// Steps: run one after another, a line for each, the whole output of what fails, a closing line.

const { add, zero } = require('./counts.js');

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

function indent(text) {
  return text.trimEnd().replace(/^/gm, '    ');
}

/** "12 passed, 1 failed, 2 skipped", without what is zero. */
function describe({ passed, failed, skipped }) {
  const parts = [];
  if (passed > 0 || failed + skipped === 0) parts.push(`${passed} passed`);
  if (failed > 0) parts.push(`${failed} failed`);
  if (skipped > 0) parts.push(`${skipped} skipped`);
  return parts.join(', ');
}

/**
 * Runs steps in order and prints as it goes.
 *
 * A step is `{ id, title, needs?, run }`; `run` returns `{ passed, failed, skipped, output, notes? }`,
 * where `output` is shown if something failed and `notes` (skips with their reason) always.
 * A set-up step (`setup: true`) counts only when it fails; steps that need it then count as one
 * failure each and are not run.
 *
 * @returns {Promise<{passed: number, failed: number, skipped: number}>} totals
 */
async function runSteps(steps, print = console.log) {
  const broken = new Set();
  let total = zero();
  for (const step of steps) {
    const cause = step.needs?.find((id) => broken.has(id));
    if (cause) {
      print(`FAIL  ${step.id.padEnd(9)} ${step.title}: not run, because "${cause}" failed`);
      if (step.setup) broken.add(step.id);
      total = add(total, { passed: 0, failed: 1, skipped: 0 });
      continue;
    }
    const started = performance.now();
    if (process.stdout.isTTY) process.stdout.write(`....  ${step.id.padEnd(9)} ${step.title}\r`);
    let result;
    try {
      result = await step.run();
    } catch (error) {
      result = { passed: 0, failed: 1, skipped: 0, output: error.stack };
    }
    const failed = result.failed > 0;
    if (failed && step.setup) broken.add(step.id);
    if (step.setup && !failed) result = { ...result, passed: 0 };
    total = add(total, result);
    const outcome = step.setup && !failed ? 'done' : describe(result);
    const time = seconds(performance.now() - started);
    print(`${failed ? 'FAIL' : 'ok  '}  ${step.id.padEnd(9)} ${step.title}: ${outcome} (${time})`);
    for (const note of result.notes ?? []) print(`      ${note}`);
    if (failed) print(indent(result.output ?? ''));
  }
  return total;
}

/** The closing line, plain, as other programs read it. */
function closingLine({ passed, failed }) {
  return `${passed} passed, ${failed} failed`;
}

module.exports = { runSteps, closingLine, seconds };
