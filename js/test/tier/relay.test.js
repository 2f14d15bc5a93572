// flags: --expose-gc
'use strict';
// Functions that call back (src/node/relay.rs): what JavaScript and C see of it when a call is left
// and gone on with, on every tier, and the same with FFI_JIT_RELAY=0, where JavaScript is entered
// from C.

const assert = require('node:assert/strict');
const test = require('node:test');
const { inChild, valueInChild } = require('../support/child');
const { isGlibc } = require('../support/platform');
const { HAS_PACKED, HAS_RELAYS } = require('./support');

const { platform } = process;

/** What differs here: each takes processes, which are slow to start under an emulator. */
const TIERS = HAS_PACKED ? ['node-api', 'packed', 'direct'] : ['node-api'];
const RELAYS = HAS_RELAYS ? ['1', '0'] : ['1'];

/** What a program returns on every tier, with relays and without. */
function everywhere(body, options = {}) {
  const variants = TIERS.flatMap((tier) =>
    RELAYS.map((relay) => ({ FFI_JIT_TIER: tier, FFI_JIT_RELAY: relay })),
  );
  // And where Node-API makes the calls of JavaScript, although V8 is known.
  if (HAS_PACKED) variants.push({ ...variants.at(-1), FFI_JIT_V8_CALL: '0' });
  const flags = ['--expose-gc', ...(options.flags ?? [])];
  const values = variants.map((variant) =>
    valueInChild(body, { ...options, flags, env: { ...options.env, ...variant } }),
  );
  for (const other of values) assert.deepEqual(other, values[0]);
  return values[0];
}

/** How often functions were promoted after each of several runs of a program. */
function promotions(body, env) {
  return valueInChild(
    `async (support) => {
      const { native } = require('./js/core/loader.js');
      let promotions = 0;
      const { relayCalls } = native;
      native.relayCalls = (...args) => {
        promotions++;
        return relayCalls(...args);
      };
      const counts = [];
      await (${body})(support, () => counts.push(promotions));
      return counts;
    }`,
    { env },
  );
}

test('a function is promoted when it has called back, and demoted when it does not any more', async () => {
  const counts = await promotions(
    ({ ffi, callback }, count) => {
      const { DataType: D } = ffi;
      const paramsType = [D.External, D.I32, D.Boolean];
      const { maybe_ask: ask } = ffi.define({
        maybe_ask: { library: 'fixture', retType: D.I32, paramsType },
      });
      const made = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => v + 1);
      const run = (times, wanted) => {
        for (let i = 0; i < times; i++) {
          const got = ask([made.fn, i, wanted]);
          if (got !== (wanted ? i + 1 : -i)) throw new Error(`${got} for ${i}`);
        }
        count();
      };
      run(3, true);
      run(500, true);
      run(500, false);
      run(500, true);
      made.free();
    },
    { FFI_JIT_RELAY: '1' },
  );
  assert.deepEqual(counts, HAS_RELAYS ? [1, 1, 1, 2] : [0, 0, 0, 0]);
});

test('where the way back takes long, two callbacks make a call worth it', async () => {
  const counts = await promotions(
    ({ ffi, callback }, count) => {
      const { DataType: D } = ffi;
      const { begin_and_complete: begin } = ffi.define({
        begin_and_complete: {
          library: 'fixture',
          retType: D.I32,
          paramsType: [D.External, D.I32, D.I32],
        },
      });
      const made = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => v);
      const run = (times, callbacks) => {
        for (let i = 0; i < times; i++) begin([made.fn, i, callbacks]);
        count();
      };
      run(100, 1);
      run(100, 2);
      // One each is not enough to stay so.
      run(100, 1);
      run(100, 3);
      made.free();
    },
    { FFI_JIT_TIER: 'node-api' },
  );
  assert.deepEqual(counts, HAS_RELAYS ? [0, 1, 1, 2] : [0, 0, 0, 0]);
});

test('FFI_JIT_RELAY=0 turns it off', () => {
  const count = valueInChild(
    ({ ffi, callback, call }) => {
      const { native } = require('./js/core/loader.js');
      let promotions = 0;
      native.relayCalls = () => promotions++;
      const { DataType: D } = ffi;
      const made = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => v + 1);
      for (let i = 0; i < 10; i++) call('call_i32', D.I32, [D.External, D.I32], [made.fn, i]);
      made.free();
      return promotions;
    },
    { env: { FFI_JIT_RELAY: '0' } },
  );
  assert.equal(count, 0);
});

test('exceptions: the first one, at the end of its own call, through any nesting', () => {
  const log = everywhere(({ ffi, callback }) => {
    const { DataType: D } = ffi;
    const paramsType = [D.External, D.I32, D.I32];
    const { begin_and_complete: run } = ffi.define({
      begin_and_complete: { library: 'fixture', retType: D.I32, paramsType },
    });
    const { calls_begun: begun, calls_completed: completed } = ffi.define({
      calls_begun: { library: 'fixture', retType: D.I32, paramsType: [] },
      calls_completed: { library: 'fixture', retType: D.I32, paramsType: [] },
    });
    const log = [];
    // Depths 1 to 4; who throws, and who catches; with values of any kind.
    const values = [new RangeError('e'), 'text', null, undefined, 0];
    for (let depth = 1; depth <= 4; depth++) {
      for (let thrower = 1; thrower <= depth; thrower++) {
        for (let catcher = 0; catcher < thrower; catcher++) {
          for (let round = 0; round < 4; round++) {
            const value = values[(depth + thrower + catcher + round) % values.length];
            const seen = [];
            const level = (n) => (v) => {
              seen.push(`${n}:${v}`);
              if (n === thrower && v % 3 === 1) throw value;
              if (n === depth) return v;
              if (n !== catcher) return run([made[n + 1].fn, v, 3]);
              try {
                return run([made[n + 1].fn, v, 3]);
              } catch (error) {
                if (!Object.is(error, value)) throw new Error('another exception');
                return -1;
              }
            };
            const made = [];
            for (let n = 1; n <= depth; n++) {
              made[n] = callback({ paramsType: [D.I32], retType: D.I32 }, level(n));
            }
            let outcome;
            try {
              outcome = run([made[1].fn, 0, 3]);
            } catch (error) {
              outcome = Object.is(error, value) ? 'thrown' : `another: ${error}`;
            }
            for (let n = 1; n <= depth; n++) made[n].free();
            log.push([depth, thrower, catcher, outcome, seen.join(' ')]);
          }
        }
      }
    }
    if (begun([]) !== completed([])) throw new Error('C was not completed');
    return log;
  });
  assert.equal(log.length, 80);
  assert.ok(log.some(([, , , outcome]) => outcome === 'thrown'));
  assert.ok(log.every(([, , , outcome]) => outcome === 'thrown' || typeof outcome === 'number'));
});

test('deep nesting, with and without an end of the stack', () => {
  const [deep, overflowed, after] = everywhere(({ ffi, callback }) => {
    const { DataType: D } = ffi;
    const paramsType = [D.External, D.I32, D.I32];
    const functions = ffi.define({
      begin_and_complete: { library: 'fixture', retType: D.I32, paramsType },
      calls_begun: { library: 'fixture', retType: D.I32, paramsType: [] },
      calls_completed: { library: 'fixture', retType: D.I32, paramsType: [] },
    });
    const { begin_and_complete: run, calls_begun, calls_completed } = functions;
    let limit = 5;
    const made = callback({ paramsType: [D.I32], retType: D.I32 }, (v) =>
      v >= limit ? v : run([made.fn, v + 1, 1]),
    );
    const deep = [run([made.fn, 0, 1])];
    limit = 200;
    deep.push(run([made.fn, 0, 1]));
    limit = Infinity;
    const overflowed = [];
    for (let i = 0; i < 5; i++) {
      try {
        run([made.fn, 0, 1]);
        overflowed.push('no');
      } catch (error) {
        overflowed.push(error instanceof Error);
      }
    }
    limit = 50;
    const after = [run([made.fn, 0, 2]), calls_begun([]) === calls_completed([])];
    made.free();
    return [deep, overflowed, after[1]];
  });
  assert.deepEqual(deep, [5, 200]);
  assert.deepEqual(overflowed, Array(5).fill(true));
  assert.equal(after, true);
});

test('calls that are left take less of the stack: nesting is deeper', (t) => {
  if (!HAS_RELAYS) return t.skip('no relays');
  const [without, together] = ['0', '1'].map((relay) =>
    valueInChild(
      ({ ffi, callback }) => {
        const { DataType: D } = ffi;
        const { call_i32: run } = ffi.define({
          call_i32: { library: 'fixture', retType: D.I32, paramsType: [D.External, D.I32] },
        });
        const plain = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => v);
        let depth = 0;
        const made = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => {
          depth = v;
          return run([made.fn, v + 1]);
        });
        for (let i = 0; i < 3; i++) run([plain.fn, i]);
        try {
          run([made.fn, 1]);
        } catch {}
        plain.free();
        made.free();
        return depth;
      },
      { env: { FFI_JIT_RELAY: relay, FFI_JIT_TIER: 'packed' } },
    ),
  );
  assert.ok(together > without, `${together} and ${without} levels`);
});

test('what a call needs stays while it is left: memory of Buffers, closed libraries', () => {
  const value = everywhere(({ ffi, callback, call }) => {
    const { DataType: D } = ffi;
    const { fixturePath } = require('./js/test/support/native');
    const list = { library: 'fixture', retType: D.I32, paramsType: [D.External, D.U8Array, D.I32] };
    const { fill_when_called: fill } = ffi.define({ fill_when_called: list });
    const garbage = () => {
      for (let i = 0; i < 50; i++) new Uint8Array(1 << 16).fill(0xee);
      globalThis.gc();
    };
    const made = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => {
      garbage();
      return v & 0x7f;
    });
    const sums = [];
    for (let i = 0; i < 8; i++) {
      // Nobody but the call has the Buffer's owner while C runs.
      const bytes = Buffer.alloc(1000);
      fill([made.fn, bytes, 1000]);
      sums.push(bytes.reduce((a, b) => a + b, 0));
    }
    for (let i = 0; i < 8; i++) fill([made.fn, new Uint8Array(5000), 5000]);
    made.free();
    ffi.open({ library: 'passing', path: fixturePath() });
    const closing = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => {
      ffi.close('passing');
      return v * 2;
    });
    const functions = ffi.define({
      call_i32: { library: 'passing', retType: D.I32, paramsType: [D.External, D.I32] },
    });
    const keep = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => v);
    for (let i = 0; i < 5; i++) functions.call_i32([keep.fn, i]);
    const last = functions.call_i32([closing.fn, 21]);
    let error;
    try {
      functions.call_i32([keep.fn, 1]);
    } catch (thrown) {
      error = thrown instanceof Error;
    }
    closing.free();
    keep.free();
    return [sums, last, error, call('forty_two', D.I32)];
  });
  assert.deepEqual(value, [Array(8).fill((1000 & 0x7f) * 1000), 42, true, 42]);
});

test('callbacks that are freed inside themselves, floats in registers, stacks that C makes', () => {
  const value = everywhere(({ ffi, callback, call }) => {
    const { DataType: D } = ffi;
    const unary = { paramsType: [D.I32], retType: D.I32 };
    const times = ffi.define({
      call_times_sum: { library: 'fixture', retType: D.I32, paramsType: [D.External, D.I32] },
    }).call_times_sum;
    const freed = [];
    for (let i = 0; i < 5; i++) {
      const made = callback(unary, (v) => {
        if (v === 2) made.free();
        return v + 1;
      });
      freed.push(times([made.fn, 5]));
    }
    const mixed = callback({ paramsType: [D.Double, D.I32], retType: D.Double }, (a, b) => a + b);
    const mix = ffi.define({
      mix_registers: {
        library: 'fixture',
        retType: D.Double,
        paramsType: [D.External, D.Double, D.I32],
      },
    }).mix_registers;
    const floats = [];
    for (let i = 0; i < 4; i++) floats.push(mix([mixed.fn, 1.25, i]));
    mixed.free();
    const owned = callback(unary, (v) => v * 3);
    const own = [1, 2, 3].map((v) => {
      const list = [D.External, D.I32];
      return call('maybe_ask', D.I32, [...list, D.Boolean], [owned.fn, v, true]);
    });
    owned.free();
    return [freed, floats, own];
  });
  const floats = [0, 1, 2, 3].map((i) => 1.25 + i + 3.75 + 5 * i);
  assert.deepEqual(value, [Array(5).fill(6), floats, [3, 6, 9]]);
});

test('results of every kind: in registers, and where C says', () => {
  const value = everywhere(({ ffi, callback, call, byValue, inlineOf }) => {
    const { DataType: D } = ffi;
    const results = [];
    const give = (paramsType, retType, fn, name, result, ...rest) => {
      const made = callback({ paramsType, retType }, fn);
      const types = [D.External, ...rest.map(() => D.I32)];
      results.push(call(name, result, types, [made.fn, ...rest]));
      made.free();
    };
    const point = byValue({ x: D.I32, y: D.Double });
    const block = byValue({ values: inlineOf(D.DoubleArray, 40) });
    for (let i = 0; i < 3; i++) {
      give([D.I32], point, (v) => ({ x: v, y: v / 2 }), 'call_point_result', D.Double, 6);
      const next = ({ values }) => ({ values: values.map((v, at) => v + at) });
      give([block], block, next, 'pass_blocks', D.Double, 2 + i);
    }
    return results;
  });
  const sum = Array.from({ length: 40 }, (_, at) => at * (at + 1)).reduce((a, b) => a + b);
  assert.deepEqual(value, [36, 3 * sum, 36, 6 * sum, 36, 10 * sum]);
});

test('a callback on a stack that C has made itself', (t) => {
  if (!HAS_RELAYS || !isGlibc) {
    return t.skip('no such stacks in the fixture, or no relays');
  }
  const value = valueInChild(
    ({ ffi, callback }) => {
      const { DataType: D } = ffi;
      const paramsType = [D.External, D.I32];
      const { call_i32: promoted, ask_on_own_stack: ask } = ffi.define({
        call_i32: { library: 'fixture', retType: D.I32, paramsType },
        ask_on_own_stack: { library: 'fixture', retType: D.I32, paramsType },
      });
      // Promoted by hand: entered from a stack of C's, V8 would find no room for JavaScript.
      const { native } = require('./js/core/loader.js');
      const { views, LENGTH } = require('./js/core/memory.js');
      const made = callback({ paramsType: [D.I32], retType: D.I32 }, (v) =>
        promoted([inner.fn, v]),
      );
      const inner = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => v + 1000);
      promoted([inner.fn, 1]);
      const { bind } = native;
      native.bind = (...args) => {
        const id = bind(...args);
        native.relayCalls(views.f64[LENGTH], 1);
        return id;
      };
      const results = [];
      for (let i = 0; i < 10; i++) results.push(ask([made.fn, i]));
      made.free();
      inner.free();
      return results;
    },
    { env: { FFI_JIT_TIER: 'packed' } },
  );
  assert.deepEqual(
    value,
    Array.from({ length: 10 }, (_, i) => i + 1000),
  );
});

test('workers that are ended inside callbacks: C is completed', async () => {
  const value = await valueInChild(
    async ({ ffi, until }) => {
      const { Worker } = require('node:worker_threads');
      const { DataType: D } = ffi;
      const { calls_begun: begun, calls_completed: completed } = ffi.define({
        calls_begun: { library: 'fixture', retType: D.I32, paramsType: [] },
        calls_completed: { library: 'fixture', retType: D.I32, paramsType: [] },
      });
      const program = `
        const { ffi, callback } = require('./js/test/support/ffi');
        const { workerData, parentPort } = require('node:worker_threads');
        const { DataType: D } = ffi;
        const { begin_and_complete: run } = ffi.define({
          begin_and_complete: {
            library: 'fixture', retType: D.I32, paramsType: [D.External, D.I32, D.I32],
          },
        });
        const made = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => {
          if (v < workerData.depth) return run([made.fn, v + 1, workerData.times]);
          if (!workerData.ready) return v;
          parentPort.postMessage('inside');
          if (workerData.exits) process.exit(7);
          for (;;);
        });
        run([made.fn, 0, 2]);
        workerData.ready = true;
        run([made.fn, 0, 2]);
      `;
      const ends = [];
      for (const [depth, times] of [
        [0, 3],
        [1, 3],
        [3, 3],
        [80, 1],
      ]) {
        for (const exits of [false, true]) {
          const worker = new Worker(program, { eval: true, workerData: { depth, times, exits } });
          worker.on('message', () => exits || worker.terminate());
          ends.push(await new Promise((resolve) => worker.on('exit', resolve)));
        }
      }
      await until(() => begun([]) === completed([]), 'C to be completed');
      return [ends, begun([]) > 0];
    },
    { timeout: 100_000 },
  );
  assert.deepEqual(value[0], [1, 7, 1, 7, 1, 7, 1, 7]);
  assert.equal(value[1], true);
});

test('a time limit inside a callback: the calls inside are completed, those outside go on', () => {
  const value = everywhere(({ ffi, callback }) => {
    const vm = require('node:vm');
    const { DataType: D } = ffi;
    const paramsType = [D.External, D.I32, D.I32];
    const {
      begin_and_complete: run,
      calls_begun,
      calls_completed,
    } = ffi.define({
      begin_and_complete: { library: 'fixture', retType: D.I32, paramsType },
      calls_begun: { library: 'fixture', retType: D.I32, paramsType: [] },
      calls_completed: { library: 'fixture', retType: D.I32, paramsType: [] },
    });
    const unary = { paramsType: [D.I32], retType: D.I32 };
    let hangs = false;
    const innermost = callback(unary, (v) => {
      while (hangs);
      return v;
    });
    const inner = callback(unary, (v) => run([innermost.fn, v, 2]));
    const context = vm.createContext({ start: (v) => run([inner.fn, v, 2]) });
    const outer = callback(unary, (v) => {
      try {
        return vm.runInContext(`start(${v})`, context, hangs ? { timeout: 50 } : {});
      } catch (error) {
        return error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' ? 1000 : -1;
      }
    });
    const results = [];
    for (const hanging of [false, false, true, false, true]) {
      hangs = hanging;
      results.push(run([outer.fn, 1, 2]));
    }
    const done = calls_begun([]) === calls_completed([]);
    for (const made of [innermost, inner, outer]) made.free();
    return [results, done];
  });
  assert.deepEqual(value, [[20, 20, 2000, 20, 2000], true]);
});

test('a time limit with no call outside: whatever comes later knows nothing of it', () => {
  const value = everywhere(async ({ ffi, callback, call, until }) => {
    const vm = require('node:vm');
    const { SLOW } = require('./js/test/support/child.js');
    const { DataType: D } = ffi;
    const paramsType = [D.External, D.I32];
    const { call_times_sum: run } = ffi.define({
      call_times_sum: { library: 'fixture', retType: D.I32, paramsType },
    });
    const unary = { paramsType: [D.I32], retType: D.I32 };
    let hangs = false;
    let ran = 0;
    const made = callback(unary, (v) => {
      ran++;
      while (hangs);
      return v;
    });
    const start = () => {
      let sum = 0;
      // With `hangs` the first one is ended, and this loop with it. V8 must not know how often it runs: if
      // it does, it may let `while (hangs)` go on for ever (docs/decisions/0020).
      while (sum < 6000) sum += run([made.fn, 3]);
      return sum;
    };
    const context = vm.createContext({ start });
    /** The code of the error that it ends with, and how often C got to JavaScript. */
    const limited = () => {
      const before = ran;
      hangs = true;
      try {
        vm.runInContext('start()', context, { timeout: 50 * SLOW });
        return 'nothing';
      } catch (error) {
        return [error?.code ?? error, ran - before];
      } finally {
        hangs = false;
      }
    };
    const log = [];
    // A module that is being loaded when the limit strikes stays half loaded, as Node has it.
    const other = callback(unary, (v) => v);
    call('call_times_sum', D.I32, paramsType, [other.fn, 3]);
    other.free();
    // The function has not called back before the first limit, and is optimised before the last.
    for (let i = 0; i < 4; i++) {
      log.push(limited());
      // Functions of our own, calls without callbacks, calls with them.
      callback(unary, (v) => v).free();
      log.push(call('forty_two', D.I32), run([made.fn, 3]), start());
    }
    // In a callback that the event loop runs; what it throws itself is an exception like others.
    const caught = [];
    process.on('uncaughtException', (error) => caught.push(error?.message ?? String(error)));
    let queued = 0;
    const throwing = callback({ paramsType: [D.I32], retType: D.Void }, (v) => {
      log.push(limited());
      queued++;
      if (v > 0) throw new Error(`after the limit ${v}`);
    });
    call('call_void_times', D.Void, paramsType, [throwing.fn, 3]);
    await until(() => queued === 3, 'queued callbacks', 20_000);
    await until(() => caught.length >= 2, 'their exceptions', 20_000);
    throwing.free();
    log.push(run([made.fn, 3]));
    made.free();
    return [log, caught];
  });
  const ended = ['ERR_SCRIPT_EXECUTION_TIMEOUT', 1];
  const rounds = Array(4).fill([ended, 42, 3, 6000]).flat();
  const caught = ['after the limit 1', 'after the limit 2'];
  assert.deepEqual(value, [[...rounds, ended, ended, ended, 3], caught]);
});

test('what calls had that a time limit has ended is given back when the event loop runs', () => {
  const value = everywhere(async ({ ffi, callback, until }) => {
    const vm = require('node:vm');
    const { views, TOP } = require('./js/core/memory.js');
    const { SLOW } = require('./js/test/support/child.js');
    const { DataType: D } = ffi;
    // What an Array is copied to C has while it runs: it stands at TOP.
    const list = ffi.arrayConstructor({ type: D.I32Array, length: 8 });
    const { fill_when_called: fill } = ffi.define({
      fill_when_called: {
        library: 'fixture',
        retType: D.I32,
        paramsType: [D.External, list, D.I32],
      },
    });
    const run = () => fill([made.fn, [1, 2, 3, 4, 5, 6, 7, 8], 3]);
    let hangs = false;
    const made = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => {
      while (hangs);
      return v;
    });
    const context = vm.createContext({ start: run });
    const empty = views.u32[TOP];
    run();
    const log = [];
    for (let i = 0; i < 4; i++) {
      hangs = true;
      try {
        vm.runInContext('start()', context, { timeout: 50 * SLOW });
      } catch (error) {
        log.push(error.code);
      }
      hangs = false;
      log.push(views.u32[TOP] > empty);
      run();
      await until(() => views.u32[TOP] === empty, 'the frames');
    }
    made.free();
    return log;
  });
  const ended = ['ERR_SCRIPT_EXECUTION_TIMEOUT', true];
  assert.deepEqual(value, Array(4).fill(ended).flat());
});

test('an exception of a callback that no call led to is an uncaught one', (t) => {
  if (platform === 'win32') return t.skip("Node's libuv is no module of its own there");
  const value = everywhere(async ({ ffi, callback, until }) => {
    const { DataType: D } = ffi;
    const types = {
      uv_default_loop: [D.External, []],
      uv_timer_init: [D.I32, [D.External, D.U8Array]],
      uv_timer_start: [D.I32, [D.U8Array, D.External, D.U64, D.U64]],
      uv_timer_stop: [D.I32, [D.U8Array]],
      uv_close: [D.Void, [D.U8Array, D.External]],
    };
    const uv = ffi.define(
      Object.fromEntries(
        Object.entries(types).map(([name, [retType, paramsType]]) => [
          name,
          { library: 'main', retType, paramsType },
        ]),
      ),
    );
    const { forty_two: answer } = ffi.define({
      forty_two: { library: 'fixture', retType: D.I32, paramsType: [] },
    });
    const caught = [];
    process.on('uncaughtException', (error, origin) => caught.push([error.message, origin]));
    const timer = Buffer.alloc(512);
    let count = 0;
    // Of a void type it would be queued.
    const tick = callback({ paramsType: [D.External], retType: D.I32 }, () => {
      count++;
      if (count % 2 === 1) throw new Error(`tick ${count}`);
      return 0;
    });
    uv.uv_timer_init([uv.uv_default_loop([]), timer]);
    uv.uv_timer_start([timer, tick.fn, 1, 1]);
    // Calls in between are not theirs to throw from.
    let calls = 0;
    await until(() => {
      calls += answer([]) === 42 ? 1 : 0;
      return count >= 6;
    });
    uv.uv_timer_stop([timer]);
    const closed = callback({ paramsType: [D.External], retType: D.I32 }, () => {
      count = -1;
      return 0;
    });
    uv.uv_close([timer, closed.fn]);
    await until(() => count === -1);
    tick.free();
    closed.free();
    return [caught.slice(0, 3), calls > 0];
  });
  const expected = [1, 3, 5].map((n) => [`tick ${n}`, 'uncaughtException']);
  assert.deepEqual(value, [expected, true]);
});

test('without a handler such an exception ends the process', (t) => {
  if (platform === 'win32') return t.skip("Node's libuv is no module of its own there");
  const run = inChild(({ ffi, callback, call }) => {
    const { DataType: D } = ffi;
    const main = { library: 'main' };
    const timer = Buffer.alloc(512);
    const tick = callback({ paramsType: [D.External], retType: D.I32 }, () => {
      throw new Error('nobody asked');
    });
    const loop = call('uv_default_loop', D.External, [], [], main);
    call('uv_timer_init', D.I32, [D.External, D.U8Array], [loop, timer], main);
    const list = [D.U8Array, D.External, D.U64, D.U64];
    call('uv_timer_start', D.I32, list, [timer, tick.fn, 1, 0], main);
    return new Promise(() => {});
  });
  assert.equal(run.status, 1);
  assert.match(run.stderr, /Error: nobody asked/);
});
