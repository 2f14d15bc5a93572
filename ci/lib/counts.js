'use strict';
// Reading how many tests passed from what test programs print.

const ANSI = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** Sums the "test result:" lines of `cargo test`. */
function cargoCounts(output) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const line = /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;/gm;
  for (const [, passed, failed, ignored] of output.matchAll(line)) {
    counts.passed += Number(passed);
    counts.failed += Number(failed);
    counts.skipped += Number(ignored);
  }
  return counts;
}

/** Reads the summary of node:test's spec or TAP reporter; null if there is none. */
function nodeCounts(output) {
  const summary = {};
  const line = /^[ℹ#] (pass|fail|cancelled|skipped|todo) (\d+)$/gm;
  for (const [, name, count] of output.replace(ANSI, '').matchAll(line)) {
    summary[name] = Number(count);
  }
  if (summary.pass === undefined) return null;
  return {
    passed: summary.pass,
    failed: summary.fail + summary.cancelled,
    skipped: summary.skipped + summary.todo,
  };
}

/** The last "N passed, N failed" line, as our own programs print it; null if there is none. */
function closingCounts(output) {
  const lines = [...output.matchAll(/^(\d+) passed, (\d+) failed\b/gm)];
  const last = lines[lines.length - 1];
  return last ? { passed: Number(last[1]), failed: Number(last[2]), skipped: 0 } : null;
}

/**
 * The counts of a program that ended: one that did not end well has at least one failure, one
 * that printed no count is one test.
 */
function settle(counts, ok) {
  const result = counts ?? { passed: ok ? 1 : 0, failed: 0, skipped: 0 };
  return !ok && result.failed === 0 ? { ...result, failed: 1 } : result;
}

function add(a, b) {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  };
}

const zero = () => ({ passed: 0, failed: 0, skipped: 0 });

module.exports = { cargoCounts, nodeCounts, closingCounts, settle, add, zero };
