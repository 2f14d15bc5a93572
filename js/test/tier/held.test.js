// timeout: 300
'use strict';
// A Buffer that is an argument stays while C runs, though nobody else has it: C calls back, the
// callback drops what is left of the arguments and collects garbage, and C writes to the memory.
//
// V8 keeps what interpreted code has in its registers, so the calls have to be optimised: only then
// does the marshaller have to hold the Buffer. Each tier has a process of its own.
//
// Without the arguments of `call`, `rethrow` (js/core/tier.js) and `stop` (js/core/direct.js) the ffi-rs half fails, mostly by a
// corrupted heap; without `store.keep` (js/koffi/values/pointers.js) the struct of the Koffi half.
// What a Koffi function gets as an argument itself V8 keeps anyway, in its notes of optimised frames.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const test = require('node:test');
const { HAS_PACKED, MAJOR } = require('./support');

const FLAGS = [
  '--expose-gc',
  '--allow-natives-syntax',
  '--no-concurrent-recompilation',
  // Large marshallers are to become part of their callers as well.
  '--max-inlined-bytecode-size=5000',
  '--max-inlined-bytecode-size-cumulative=10000',
];
const RUN = path.join(__dirname, 'held-run.js');

for (const dialect of ['ffi-rs', 'koffi']) {
  for (const tier of ['node-api', 'packed', 'auto']) {
    test(`${dialect}, ${tier}: Buffers of running calls are not collected`, () => {
      const run = spawnSync(
        process.env.FFI_JIT_TEST_NODE || process.execPath,
        [...FLAGS, RUN, dialect],
        {
          encoding: 'utf8',
          env: { ...process.env, FFI_JIT_TIER: tier, FFI_JIT_COUNT_ENTRIES: '1' },
          timeout: 120_000,
        },
      );
      assert.equal(run.status, 0, `${run.signal ?? ''}\n${run.stdout}${run.stderr}`);
      const { calls, lost, direct } = JSON.parse(run.stdout);
      assert.deepEqual(lost, []);
      assert.ok(calls.length >= 4 && calls.every((count) => count > 0), run.stdout);
      // Where V8 runs JavaScript inside of direct calls, those of one function are.
      const isDirect = tier === 'auto' && HAS_PACKED && MAJOR >= 26;
      assert.ok(isDirect ? direct >= 4 : direct === 0, run.stdout);
    });
  }
}
