// timeout: 600
'use strict';
// Random descriptors and values: no crash, no hang, and every failure a coded Error.
//
// FFI_JIT_SEED repeats a run, FFI_JIT_FUZZ_CASES changes its length, FFI_JIT_FUZZ_TRACE=1 writes
// each case to stderr before it runs.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const test = require('node:test');
const { NODE, SLOW } = require('../support/child');
const { ROOT } = require('../support/native');
const { seedOf } = require('../support/random');

const CASES = Number(process.env.FFI_JIT_FUZZ_CASES || 100_000);
const PROCESSES = 4;

test(`${CASES} random cases`, (t) => {
  const seed = seedOf();
  t.diagnostic(`FFI_JIT_SEED=${seed}`);
  let ok = 0;
  let failed = 0;
  for (let i = 0; i < PROCESSES; i++) {
    const args = [require.resolve('../support/fuzz-run'), seed + i, Math.ceil(CASES / PROCESSES)];
    const run = spawnSync(NODE, args.map(String), {
      cwd: ROOT,
      encoding: 'utf8',
      timeout: 120_000 * SLOW,
      killSignal: 'SIGKILL',
    });
    const again = `repeat with: node ${args.join(' ')} (first seed ${seed})`;
    assert.equal(run.signal, null, `killed by ${run.signal}; ${again}\n${run.stderr.slice(-3000)}`);
    assert.equal(run.status, 0, `${again}\n${run.stdout}\n${run.stderr.slice(-3000)}`);
    const counts = JSON.parse(run.stdout.trim().split('\n').pop());
    ok += counts.ok;
    failed += counts.error;
    t.diagnostic(`seed ${seed + i}: ${run.stdout.trim()}`);
  }
  assert.ok(ok + failed >= CASES);
  // A fuzzer whose cases all fail, or all succeed, tests one half only.
  assert.ok(ok > CASES / 20, `only ${ok} cases succeeded`);
  assert.ok(failed > CASES / 20, `only ${failed} cases failed`);
});
