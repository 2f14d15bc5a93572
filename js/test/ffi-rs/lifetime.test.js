'use strict';
// Sections 3.6 and 6: exceptions of callbacks, the end of processes and workers, released
// callbacks. Each case in a process of its own.

const assert = require('node:assert/strict');
const test = require('node:test');
const { inChild, valueInChild } = require('../support/child');
const { PRELOADS, trackerPath } = require('../support/native');

const MODULE = process.env.FFI_JIT_MODULE || 'ffi-jit';

test('an exception of a direct callback is thrown from the call', () => {
  const value = valueInChild(({ ffi: { DataType: T }, call, callback }) => {
    const error = new Error('from the callback');
    const made = callback({ paramsType: [T.I32], retType: T.I32 }, (v) => {
      if (v === 2) throw error;
      return v;
    });
    const calls = [];
    try {
      call('call_times_sum', T.I32, [T.External, T.I32], [made.fn, 5]);
      calls.push('no error');
    } catch (caught) {
      calls.push(caught === error);
    }
    calls.push(call('call_i32', T.I32, [T.External, T.I32], [made.fn, 7]));
    made.free();
    return calls;
  });
  assert.deepEqual(value, [true, 7]);
});

test('exceptions that are no Error, and nested ones', () => {
  const value = valueInChild(({ ffi: { DataType: T }, call, callback }) => {
    const seen = [];
    for (const thrown of ['text', 5, null, undefined, { a: 1 }]) {
      const made = callback({ paramsType: [T.I32], retType: T.I32 }, () => {
        throw thrown;
      });
      try {
        call('call_i32', T.I32, [T.External, T.I32], [made.fn, 1]);
        seen.push('no error');
      } catch (caught) {
        seen.push(caught === thrown);
      }
      made.free();
    }
    const inner = callback({ paramsType: [T.I64], retType: T.I64 }, () => {
      throw new RangeError('deep');
    });
    const outer = callback({ paramsType: [T.I64], retType: T.I64 }, (v) =>
      call('call_nested', T.I64, [T.External, T.I64], [inner.fn, v]),
    );
    try {
      call('call_nested', T.I64, [T.External, T.I64], [outer.fn, 1]);
    } catch (error) {
      seen.push(error instanceof RangeError && error.message);
    }
    inner.free();
    outer.free();
    return seen;
  });
  assert.deepEqual(value, [true, true, true, true, true, 'deep']);
});

test('a wrong result of a direct callback is a coded error of the call', () => {
  const value = valueInChild(({ ffi: { DataType: T }, call, callback }) =>
    [undefined, 'text', null, 1n, {}, Promise.resolve(1)].map((wrong) => {
      const made = callback({ paramsType: [T.I32], retType: T.I32 }, () => wrong);
      try {
        return ['no error', call('call_i32', T.I32, [T.External, T.I32], [made.fn, 1])];
      } catch (error) {
        return error instanceof Error && typeof error.code === 'string' && error.message !== '';
      } finally {
        made.free();
      }
    }),
  );
  assert.deepEqual(value, Array(6).fill(true));
});

test('an exception of a queued callback is an uncaughtException', () => {
  const value = valueInChild(async ({ ffi: { DataType: T }, call, callback, nextTurn }) => {
    const seen = [];
    process.on('uncaughtException', (error) => seen.push(error.message));
    const made = callback({ paramsType: [T.I32], retType: T.Void }, (v) => {
      if (v === 1) throw new Error(`number ${v}`);
      seen.push(v);
    });
    call('call_void_times', T.Void, [T.External, T.I32], [made.fn, 3]);
    seen.push('returned');
    await nextTurn();
    await nextTurn();
    made.free();
    return seen;
  });
  assert.deepEqual(value, ['returned', 0, 'number 1', 2]);
});

test('without a handler a queued exception ends the process like any other', () => {
  const run = inChild(async ({ ffi: { DataType: T }, call, callback, nextTurn }) => {
    const made = callback({ paramsType: [], retType: T.Void }, () => {
      throw new Error('nobody listens');
    });
    call('call_void', T.Void, [T.External], [made.fn]);
    await nextTurn();
    return 'still here';
  });
  assert.equal(run.signal, null);
  assert.equal(run.status, 1);
  assert.match(run.stderr, /nobody listens/);
});

test('an exception or wrong result while another thread waits: an error, C gets zero', () => {
  const value = valueInChild(async ({ ffi: { DataType: T }, call, callback, until }) => {
    const seen = [];
    process.on('uncaughtException', (error) => seen.push(error.message));
    const ask = async (fn) => {
      const made = callback({ paramsType: [T.I32], retType: T.I32 }, fn);
      let result;
      try {
        result = await call('call_i32', T.I32, [T.External, T.I32], [made.fn, 5], {
          runInNewThread: true,
        });
      } catch (error) {
        seen.push(error.message);
        result = 0;
      }
      await until(() => seen.length > 0, 'the error');
      made.free();
      return [result, seen.splice(0).length, seen.length];
    };
    const thrown = await ask(() => {
      throw new Error('while C waits');
    });
    const wrong = await ask(() => 'text');
    const made = callback({ paramsType: [T.I32], retType: T.I32 }, () => {
      throw new Error('detached');
    });
    call('ask_later', T.Void, [T.External, T.I32], [made.fn, 5]);
    await until(() => seen.length > 0, 'the error of the detached thread');
    await until(() => call('answer', T.I32) !== -(2 ** 31), 'the answer');
    made.free();
    return [thrown, wrong, call('answer', T.I32), seen.length];
  });
  assert.deepEqual(value, [[0, 1, 0], [0, 1, 0], 0, 1]);
});

test('a released callback that C calls nevertheless does not crash', () => {
  const run = inChild(async ({ ffi: { DataType: T }, call, callback, nextTurn }) => {
    process.on('uncaughtException', () => {});
    const made = callback({ paramsType: [T.I32], retType: T.I32 }, (v) => v + 1);
    const quiet = callback({ paramsType: [T.I32], retType: T.Void }, () => {});
    call('store', T.Void, [T.External], [made.fn]);
    call('store_void', T.Void, [T.External], [quiet.fn]);
    made.free();
    quiet.free();
    let result;
    try {
      result = call('call_stored', T.I32, [T.I32], [5]);
    } catch (error) {
      result = typeof error.code;
    }
    try {
      call('call_stored_void', T.Void, [T.I32], [5]);
    } catch {
      // an error is as good as silence
    }
    await nextTurn();
    return result;
  });
  assert.equal(run.signal, null, run.stderr);
  assert.equal(run.status, 0, run.stderr);
  assert.ok(run.value === 0 || run.value === 'string', `got ${run.value}`);
});

test('an unfreed callback keeps the process alive, a freed one does not', () => {
  const kept = inChild(
    ({ ffi: { DataType: T }, callback }) => {
      callback({ paramsType: [T.I32], retType: T.Void }, () => {});
      return 'made';
    },
    { linger: true },
  );
  assert.equal(kept.value, 'made', kept.stderr);
  assert.ok(kept.lingers, 'it ended by itself');
  const freed = inChild(
    ({ ffi: { DataType: T }, callback }) => {
      callback({ paramsType: [T.I32], retType: T.Void }, () => {}).free();
      return 'freed';
    },
    { linger: true },
  );
  assert.equal(freed.status, 0, freed.stderr);
  assert.ok(!freed.lingers, 'a freed one keeps it alive');
});

test('a function given as a parameter without needFree lives on, once', () => {
  const run = inChild(
    ({ ffi, call }) => {
      const { DataType: T } = ffi;
      const type = ffi.funcConstructor({ paramsType: [T.I32], retType: T.I32 });
      const double = (v) => v * 2;
      call('store', T.Void, [type], [double]);
      const results = [call('call_stored', T.I32, [T.I32], [21])];
      globalThis.gc();
      results.push(call('call_stored', T.I32, [T.I32], [4]));
      return results;
    },
    { flags: ['--expose-gc'], linger: true },
  );
  assert.deepEqual(run.value, [42, 8], run.stderr);
  assert.ok(run.lingers, 'the process ended by itself');
});

test('a cell of a U8Array keeps the Buffer alive that it points into', () => {
  const intact = valueInChild(
    async ({ ffi: { DataType: T }, arrayOf, pointerTo, restore }) => {
      const size = 100_000;
      const cells = [1, 2, 3, 4].map((byte) => pointerTo(T.U8Array, Buffer.alloc(size, byte)));
      const junk = [];
      for (let i = 0; i < 20; i++) {
        globalThis.gc();
        for (let k = 0; k < 20; k++) junk.push(Buffer.alloc(size, 0xee));
        junk.length = 0;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      return cells.map((cell, i) =>
        restore(arrayOf(T.U8Array, size), cell).every((byte) => byte === i + 1),
      );
    },
    { flags: ['--expose-gc'] },
  );
  assert.deepEqual(intact, [true, true, true, true]);
});

test('needFree lets the process end, after the queued calls', () => {
  const run = inChild(
    ({ ffi, call }) => {
      const { DataType: T } = ffi;
      const descriptor = ffi.funcConstructor({
        paramsType: [T.I32],
        retType: T.Void,
        needFree: true,
      });
      const print = (v) => process.stdout.write(`called ${v}\n`);
      call('call_void_times', T.Void, [descriptor, T.I32], [print, 2]);
      return 'done';
    },
    { linger: true },
  );
  assert.equal(run.status, 0, run.stderr);
  assert.ok(!run.lingers, 'something keeps it alive');
  assert.match(run.stdout, /called 0\ncalled 1\n/);
});

test('process.exit with everything live', () => {
  const run = inChild(
    ({ ffi, call, callback, pointerTo }) => {
      const { DataType: T } = ffi;
      const made = callback({ paramsType: [T.I32], retType: T.I32 }, (v) => v);
      const notify = callback({ paramsType: [T.I32], retType: T.Void }, () => {});
      for (let i = 0; i < 100; i++) pointerTo(T.String, 'left over');
      call('notify_later', T.Void, [T.External, T.I32, T.I32, T.I32], [notify.fn, 0, 1, 500]);
      call('ask_later', T.Void, [T.External, T.I32], [made.fn, 5]);
      for (let i = 0; i < 6; i++) call('sleep_ms', T.I32, [T.I32], [300], { runInNewThread: true });
      setTimeout(() => process.exit(7), 30);
      return 'started';
    },
    { timeout: 10_000 },
  );
  assert.equal(run.signal, null, run.stderr);
  assert.equal(run.status, 7, run.stderr);
});

test('workers: each its own environment, ended with callbacks registered and calls running', () => {
  const run = inChild(
    async ({ ffi, call, callback }, [module]) => {
      const { Worker } = require('node:worker_threads');
      const source = `
        const ffi = require(${JSON.stringify(module)});
        const { parentPort, workerData } = require('node:worker_threads');
        const T = ffi.DataType;
        const type = ffi.funcConstructor({ paramsType: [T.I32], retType: T.I32 });
        const cell = ffi.createPointer({ paramsType: [type], paramsValue: [(v) => v * workerData] })[0];
        const fn = ffi.unwrapPointer([cell])[0];
        const load = (funcName, retType, paramsType, paramsValue, more) =>
          ffi.load({ library: 'fixture', funcName, retType, paramsType, paramsValue, ...more });
        const sums = [];
        for (let i = 0; i < 200; i++) sums.push(load('call_i32', T.I32, [T.External, T.I32], [fn, i]));
        load('sleep_ms', T.I32, [T.I32], [200], { runInNewThread: true });
        load('notify_later', T.Void, [T.External, T.I32, T.I32, T.I32], [fn, 0, 1, 20]);
        parentPort.postMessage(sums.every((value, i) => value === i * workerData));
      `;
      const made = callback(
        { paramsType: [ffi.DataType.I32], retType: ffi.DataType.I32 },
        (v) => -v,
      );
      const results = [];
      for (let round = 0; round < 3; round++) {
        const workers = [2, 3, 4].map(
          (workerData) => new Worker(source, { eval: true, workerData }),
        );
        const answers = workers.map(
          (worker) =>
            new Promise((resolve, reject) => {
              worker.once('message', resolve).once('error', reject);
            }),
        );
        results.push(...(await Promise.all(answers)));
        await Promise.all(workers.map((worker) => worker.terminate()));
        results.push(call('call_i32', 1, [ffi.DataType.External, 1], [made.fn, 5]) === -5);
      }
      await new Promise((resolve) => setTimeout(resolve, 300));
      made.free();
      return results;
    },
    { argument: [MODULE], timeout: 30_000 },
  );
  assert.equal(run.signal, null, run.stderr);
  assert.equal(run.status, 0, run.stderr);
  assert.deepEqual(run.value, Array(12).fill(true));
});

test('freeCFuncParamsMemory frees what C allocated for the arguments', PRELOADS, () => {
  const value = valueInChild(
    async ({ ffi, call, callback, arrayOf, nextTurn }) => {
      const { DataType: T } = ffi;
      const live = () =>
        ffi.load({
          library: 'main',
          funcName: 'tracked_live',
          retType: T.I64,
          paramsType: [],
          paramsValue: [],
        });
      const seen = [];
      const results = [];
      for (const freeCFuncParamsMemory of [false, true]) {
        const before = live();
        const options = { retType: T.Void, freeCFuncParamsMemory };
        const text = callback({ ...options, paramsType: [T.String] }, (v) => seen.push(v));
        const list = callback({ ...options, paramsType: [arrayOf(T.I32Array, 3)] }, (v) =>
          seen.push(v),
        );
        call('notify_made_string', T.Void, [T.External], [text.fn]);
        call('notify_made_ints', T.Void, [T.External], [list.fn]);
        await nextTurn();
        text.free();
        list.free();
        results.push(live() - before);
      }
      return [seen, results];
    },
    { env: { LD_PRELOAD: trackerPath() } },
  );
  assert.deepEqual(value, [
    ['made for you', [1, 2, 3], 'made for you', [1, 2, 3]],
    [2, 0],
  ]);
});
