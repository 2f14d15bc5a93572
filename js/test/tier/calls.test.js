// flags: --expose-gc
'use strict';
// How C enters JavaScript for a callback whose call is not left: by V8's own `Function::Call` where V8
// is known, else through Node-API (src/node/v8/calls.rs). What both have in common, relay.test.js
// compares; here it is shown which one runs, and what only concerns the first.

const assert = require('node:assert/strict');
const test = require('node:test');
const { valueInChild, inChild } = require('../support/child');
const { isGlibc } = require('../support/platform');
const { HAS_PACKED } = require('./support');

const { platform } = process;

/** Counts, and no call is left: C enters JavaScript for each callback. */
const COUNTED = { FFI_JIT_COUNT_ENTRIES: '1', FFI_JIT_RELAY: '0' };

/** How often C entered JavaScript without Node-API in a program that calls back 3,000 times. */
function callsIn(env) {
  return valueInChild(
    ({ ffi, callback }) => {
      const { native } = require('./js/core/loader.js');
      const { DataType: D } = ffi;
      const paramsType = [D.External, D.I32];
      const { call_times_sum: sum } = ffi.define({
        call_times_sum: { library: 'fixture', retType: D.I32, paramsType },
      });
      const made = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => v + 1);
      let total = 0;
      for (let i = 0; i < 1000; i++) total += sum([made.fn, 3]);
      made.free();
      return [total, native.packedCounts()[4]];
    },
    { env: { ...COUNTED, ...env } },
  );
}

test('which way is taken, by tier and by the switch', () => {
  for (const tier of ['packed', 'direct', 'auto']) {
    const calls = callsIn({ FFI_JIT_TIER: tier });
    assert.deepEqual(calls, [6000, HAS_PACKED ? 3000 : 0], tier);
  }
  assert.deepEqual(callsIn({ FFI_JIT_TIER: 'node-api' }), [6000, 0]);
  assert.deepEqual(callsIn({ FFI_JIT_V8_CALL: '0' }), [6000, 0]);
});

test('V8 becomes known after the first callback', () => {
  const [before, after] = valueInChild(
    ({ callback, call, ffi }) => {
      const { native } = require('./js/core/loader.js');
      const { useTier } = require('./js/core/tier.js');
      const { DataType: D } = ffi;
      const made = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => v + 1);
      const ask = (v) => call('call_i32', D.I32, [D.External, D.I32], [made.fn, v]);
      for (let i = 0; i < 10; i++) ask(i);
      const before = native.packedCounts()[4];
      useTier('packed');
      call('forty_two', D.I32);
      // Functions of either tier.
      for (let i = 0; i < 10; i++) ask(i);
      made.free();
      return [before, native.packedCounts()[4]];
    },
    { env: { ...COUNTED, FFI_JIT_TIER: 'node-api' } },
  );
  assert.deepEqual([before, after], [0, HAS_PACKED ? 10 : 0]);
});

test('a million callbacks of one call leave no handles behind', () => {
  const [total, grown] = valueInChild(
    ({ ffi, callback }) => {
      const { DataType: D } = ffi;
      const paramsType = [D.External, D.I32];
      const { call_times_sum: sum } = ffi.define({
        call_times_sum: { library: 'fixture', retType: D.I32, paramsType },
      });
      const made = callback({ paramsType: [D.I32], retType: D.I32 }, () => 1);
      sum([made.fn, 20_000]);
      const before = process.memoryUsage().rss;
      // The most that is seen while the call is running.
      let most = 0;
      let count = 0;
      const watching = callback({ paramsType: [D.I32], retType: D.I32 }, () => {
        if (++count % 100_000 === 0) most = Math.max(most, process.memoryUsage().rss);
        return 1;
      });
      const total = sum([watching.fn, 3_000_000]);
      made.free();
      watching.free();
      return [total, most - before];
    },
    { env: { FFI_JIT_RELAY: '0' } },
  );
  assert.equal(total, 3_000_000);
  assert.ok(grown < 16 << 20, `${grown} bytes more`);
});

test('collections in callbacks, and code that moves', () => {
  const sum = valueInChild(
    ({ ffi, callback }) => {
      const { DataType: D } = ffi;
      const paramsType = [D.External, D.I32];
      const { call_times_sum: run } = ffi.define({
        call_times_sum: { library: 'fixture', retType: D.I32, paramsType },
      });
      const made = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => {
        if (v % 50 === 0) globalThis.gc();
        return [v].map((n) => n + 1)[0];
      });
      let sum = 0;
      for (let i = 0; i < 20; i++) sum += run([made.fn, 100]);
      made.free();
      return sum;
    },
    { env: { FFI_JIT_RELAY: '0' }, flags: ['--expose-gc', '--stress-compaction'] },
  );
  assert.equal(sum, 20 * 5050);
});

test('promises and asynchronous contexts are as they are with Node-API', () => {
  const log = (env) =>
    valueInChild(
      async ({ ffi, callback, call }) => {
        const { AsyncLocalStorage } = require('node:async_hooks');
        const { DataType: D } = ffi;
        const storage = new AsyncLocalStorage();
        const log = [];
        const made = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => {
          log.push(`callback ${v} of ${storage.getStore()}`);
          Promise.resolve().then(() => log.push(`then ${v} of ${storage.getStore()}`));
          process.nextTick(() => log.push(`tick ${v} of ${storage.getStore()}`));
          return v;
        });
        const run = () => call('call_times_sum', D.I32, [D.External, D.I32], [made.fn, 2]);
        await storage.run('outer', async () => {
          run();
          log.push('returned');
          await null;
          log.push('awaited');
        });
        await new Promise((resolve) => setImmediate(resolve));
        made.free();
        return log;
      },
      { env },
    );
  const direct = log({ FFI_JIT_RELAY: '0' });
  assert.deepEqual(direct, log({ FFI_JIT_RELAY: '0', FFI_JIT_V8_CALL: '0' }));
  const start = ['callback 0 of outer', 'callback 1 of outer', 'returned'];
  assert.deepEqual(direct.slice(0, 3), start);
  assert.equal(direct.length, 8);
});

test('C that calls back while the process ends gets zero', (t) => {
  if (platform !== 'linux' || !isGlibc) return t.skip('there is no function to ask for it');
  for (const env of [{}, { FFI_JIT_V8_CALL: '0' }, { FFI_JIT_TIER: 'node-api' }]) {
    const run = inChild(
      ({ ffi, callback, call }) => {
        const fs = require('node:fs');
        const { DataType: D } = ffi;
        const late = callback({ paramsType: [D.External], retType: D.I32 }, () => {
          fs.writeSync(1, 'JavaScript ran\n');
          return 0;
        });
        // The first callback is the one that tells how others are called.
        call('call_i32', D.I32, [D.External, D.I32], [late.fn, 1]);
        const list = [D.External, D.External, D.External];
        const none = ffi.createPointer({ paramsType: [D.U64], paramsValue: [0] })[0];
        const options = { library: 'main' };
        if (call('__cxa_atexit', D.I32, list, [late.fn, none, none], options) !== 0) return;
        process.on('exit', () => fs.writeSync(1, 'exit\n'));
        process.exit(7);
      },
      { env: { FFI_JIT_RELAY: '0', ...env } },
    );
    assert.deepEqual([run.status, run.signal], [7, null], run.stderr);
    assert.equal(run.stdout, 'JavaScript ran\nexit\n');
  }
});
