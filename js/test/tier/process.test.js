'use strict';
// Tiers and processes: choosing one, V8's flags, workers, ends, closed libraries. Every program
// runs on each tier and must say the same.

const assert = require('node:assert/strict');
const test = require('node:test');
const { inChild, valueInChild } = require('../support/child');
const { fixturePath } = require('../support/native');
const { HAS_PACKED, MAJOR } = require('./support');

const TIERS = ['node-api', 'packed', 'direct'];
/** The tier of functions of `define`. */
const HIGHEST = 'direct';

/** What a program returns on every tier. */
function onEveryTier(body, options = {}) {
  const [first, ...rest] = TIERS.map((tier) => {
    const flags = ['--expose-gc', '--allow-natives-syntax', ...(options.flags ?? [])];
    const env = { ...options.env, FFI_JIT_TIER: tier };
    return valueInChild(body, { ...options, flags, env });
  });
  for (const other of rest) assert.deepEqual(other, first);
  return first;
}

/** The tier of a function in a process. */
const tierIn = (options) =>
  valueInChild(({ ffi }) => {
    const { describe } = require('./js/core/tier.js');
    const { DataType: T, define } = ffi;
    const { add_i32: add } = define({
      add_i32: { library: 'fixture', retType: T.I32, paramsType: [T.I32, T.I32] },
    });
    const before = describe(add);
    return [before ?? null, add([40, 2]), describe(add), describe(Math.max) ?? null];
  }, options);

test('the environment chooses, and describe tells', () => {
  for (const [value, name] of [
    ['packed', 'packed'],
    ['direct', HIGHEST],
    ['auto', HIGHEST],
    ['', HIGHEST],
  ]) {
    const [before, sum, after, other] = tierIn({ env: { FFI_JIT_TIER: value } });
    assert.deepEqual([before, sum, other], [null, 42, null]);
    assert.equal(after.tier, HAS_PACKED ? name : 'node-api');
    assert.equal(typeof after.reason, after.tier === 'direct' ? 'undefined' : 'string');
  }
  const [, sum, after] = tierIn({ env: { FFI_JIT_TIER: 'node-api' } });
  assert.equal(sum, 42);
  assert.equal(after.tier, 'node-api');
  assert.match(after.reason, /FFI_JIT_TIER/);
});

test('describe knows functions of the Koffi dialect', () => {
  const found = valueInChild(
    () => {
      const koffi = require('./js/koffi/index.js');
      const { describe } = require('./js/core/tier.js');
      const { fixturePath } = require('./js/test/support/native.js');
      const lib = koffi.load(fixturePath());
      koffi.struct('Pair', { a: 'int', b: 'str' });
      const add = lib.func('int add_i32(int a, int b)');
      const text = lib.func('int add_i32(_Out_ Pair *a, int b)');
      return [add, text, () => 1].map((fn) => describe(fn)?.tier ?? null);
    },
    { env: { FFI_JIT_TIER: 'auto' } },
  );
  const tier = (name) => (HAS_PACKED ? name : 'node-api');
  assert.deepEqual(found, [tier('direct'), tier('packed'), null]);
});

test('an unknown name is an error that lists the names', () => {
  const run = inChild(({ call, ffi }) => call('forty_two', ffi.DataType.I32), {
    env: { FFI_JIT_TIER: 'warp' },
  });
  assert.notEqual(run.status, 0);
  assert.match(run.stderr, /FFI_JIT_TIER is "warp"; expected node-api, packed, direct or auto/);
});

test('useTier chooses for what is bound later', () => {
  const tiers = valueInChild(({ ffi }) => {
    const { describe, useTier } = require('./js/core/tier.js');
    const { DataType: T, define } = ffi;
    const entry = { library: 'fixture', retType: T.I32, paramsType: [] };
    const { forty_two: first } = define({ forty_two: entry });
    const { counted_calls: second } = define({ counted_calls: entry });
    first([]);
    useTier('packed');
    const { forty_two: third } = define({ forty_two: { ...entry, retType: T.U32 } });
    third([]);
    useTier('node-api');
    second([]);
    let failure;
    try {
      useTier('warp');
    } catch (error) {
      failure = error.code;
    }
    return [describe(first).tier, describe(third).tier, describe(second).tier, first([]), failure];
  });
  const names = HAS_PACKED ? [HIGHEST, 'packed'] : ['node-api', 'node-api'];
  assert.deepEqual(tiers, [...names, 'node-api', 42, 'ERR_FFI_INVALID_ARGUMENT']);
});

test('--jitless', () => {
  const [, sum, { tier, reason }] = tierIn({
    flags: ['--jitless'],
    env: { FFI_JIT_TIER: 'direct' },
  });
  assert.equal(sum, 42);
  assert.equal(tier, 'node-api');
  assert.match(reason, HAS_PACKED ? /jitless/ : /known release|jitless/);
});

test('settings of Node and V8 that change nothing', () => {
  const name = HAS_PACKED ? HIGHEST : 'node-api';
  const settings = [
    ['--disallow-code-generation-from-strings'],
    ['--no-turbo-fast-api-calls'],
    ['--no-opt'],
    ['--frozen-intrinsics', '--no-warnings'],
  ];
  if (MAJOR >= 24) {
    settings.push(['--permission', '--allow-addons', '--allow-fs-read=*', '--allow-worker']);
  }
  for (const flags of settings) {
    const [, sum, { tier }] = tierIn({ flags, env: { FFI_JIT_TIER: 'direct' } });
    assert.deepEqual([sum, tier], [42, name], flags.join(' '));
  }
});

test('hot calls, callbacks and exceptions while V8 collects and throws code away all the time', () => {
  const stress = [
    ['--gc-interval=997'],
    ['--stress-compaction', '--gc-interval=5003'],
    ['--deopt-every-n-times=301'],
    ['--stress-scavenge=30'],
  ];
  for (const flags of stress) {
    const value = onEveryTier(
      ({ ffi, callback }) => {
        const { DataType: T, define } = ffi;
        const entry = (retType, paramsType) => ({ library: 'fixture', retType, paramsType });
        const lib = define({
          add_i32: entry(T.I32, [T.I32, T.I32]),
          string_tail: entry(T.String, [T.String, T.I32]),
          read_i32: entry(T.I32, [T.U8Array]),
          call_times_sum: entry(T.I32, [T.External, T.I32]),
        });
        let [sum, errors, text] = [0, 0, ''];
        const hot = (i) => {
          sum = lib.add_i32([sum & 0xffff, i]);
          sum += lib.read_i32([Buffer.from([i & 127, 1, 0, 0])]);
          text = lib.string_tail([`${i} and more`, 1]);
        };
        for (let i = 0; i < 6_000; i++) hot(i);
        const made = callback({ paramsType: [T.I32], retType: T.I32 }, (v) => {
          if (v === 9) throw new Error(`nine ${text}`);
          return [v, `${v}`.length][1] + v;
        });
        for (let i = 0; i < 3_000; i++) {
          hot(i);
          sum += lib.call_times_sum([made.fn, 5]);
          try {
            lib.call_times_sum([made.fn, 12]);
          } catch (error) {
            errors += error.message.startsWith('nine');
          }
        }
        made.free();
        return [sum, errors, text];
      },
      { flags, timeout: 120_000 },
    );
    assert.equal(value[1], 3000, flags.join(' '));
    assert.equal(value[2], '999 and more');
  }
});

test('V8 moves code while callbacks run inside of the calls that it made', () => {
  // FFI_JIT_RELAY=0: calls are not left for callbacks. V8 13.6 ends like this when JavaScript runs in
  // the middle of a direct call.
  const flags = ['--stress-compaction', '--no-concurrent-recompilation'];
  const value = onEveryTier(
    ({ ffi, callback }) => {
      const { DataType: T, define } = ffi;
      const entry = (retType, paramsType) => ({ library: 'fixture', retType, paramsType });
      const lib = define({
        store: entry(T.Void, [T.External]),
        call_stored: entry(T.I32, [T.I32]),
        hold_call: entry(T.Void, [T.External]),
        fill_held: entry(T.I32, [T.U8Array, T.I32]),
      });
      let collects = false;
      const made = callback({ paramsType: [T.I32], retType: T.I32 }, (v) => {
        if (collects) globalThis.gc();
        return v;
      });
      lib.store([made.fn]);
      lib.hold_call([made.fn]);
      const bytes = Buffer.alloc(100);
      const loop = (n) => {
        let sum = 0;
        for (let i = 0; i < n; i++) sum += lib.call_stored([i & 7]) + lib.fill_held([bytes, 3]);
        return sum;
      };
      for (let i = 0; i < 5; i++) loop(20_000);
      collects = true;
      const before = bytes[0];
      const sum = loop(30);
      made.free();
      return [sum > 0, bytes[0] - before];
    },
    { flags, env: { FFI_JIT_RELAY: '0' }, timeout: 120_000 },
  );
  assert.deepEqual(value, [true, 30]);
});

test('a library that is closed in the middle of a hot loop', () => {
  const value = onEveryTier(
    ({ ffi }, path) => {
      const { DataType: T, define, open, close } = ffi;
      const entry = (paramsType) => ({ library: 'mine', retType: T.I32, paramsType });
      const { add_i32: add, string_bytes: bytes } = define({
        add_i32: entry([T.I32, T.I32]),
        string_bytes: entry([T.String]),
      });
      const hot = () => {
        let sum = 0;
        for (let i = 0; i < 50_000; i++) sum += add([i, 1]) + bytes(['abc']);
        return sum;
      };
      const attempt = () => {
        try {
          return hot();
        } catch (error) {
          return [error.constructor.name, error.code, error.message];
        }
      };
      const seen = [attempt()];
      for (let i = 0; i < 3; i++) {
        open({ library: 'mine', path });
        seen.push(attempt());
        close('mine');
        seen.push(attempt());
      }
      return seen;
    },
    { argument: fixturePath() },
  );
  assert.equal(typeof value[1], 'number');
  assert.deepEqual(value[2], [
    'Error',
    'Unknown',
    'Before calling load, you need to open the file "mine" with the open method',
  ]);
  assert.deepEqual(value.slice(3, 5), value.slice(1, 3));
});

test('bound functions of a closed library throw, whatever frame they use', () => {
  const value = onEveryTier(
    (_helpers, path) => {
      const { native } = require('./js/core/loader.js');
      const { compileCall } = require('./js/core/compile.js');
      const { bind } = require('./js/core/tier.js');
      const codecs = require('./js/core/codecs.js');
      const int = codecs.scalar({
        notation: 'i32',
        view: 'i32',
        size: 4,
        type: 'number',
        expected: 'Number',
      });
      const text = codecs.text({
        putter: 'putString',
        getter: 'getString',
        expected: 'String',
        unit: 1,
      });
      const library = native.openLibrary(path);
      const make = (name, params, ret) =>
        bind(compileCall({ params, ret, style: 'positions', mismatch: Error, arity: () => {} }), {
          address: native.symbol(library, name),
          library,
          name,
        });
      const add = make('add_i32', [int, int], int);
      const bytes = make('string_bytes', [text], int);
      const tail = make('string_tail', [text, int], text);
      const all = () => [add(40, 2), bytes('abc'), tail('hello', 1)];
      for (let i = 0; i < 20_000; i++) all();
      const before = all();
      native.closeLibrary(library);
      const errors = [() => add(40, 2), () => bytes('abc'), () => tail('hello', 1)].map((fn) => {
        const codes = new Set();
        for (let i = 0; i < 300; i++) {
          try {
            fn();
            codes.add('no error');
          } catch (error) {
            codes.add(`${error.code}: ${error.message}`);
          }
        }
        return [...codes];
      });
      return [before, errors];
    },
    { argument: fixturePath() },
  );
  const text = 'ERR_FFI_LIBRARY_CLOSED: the library of this function was closed';
  assert.deepEqual(value, [
    [42, 3, 'ello'],
    [[text], [text], [text]],
  ]);
});

test('workers: hot calls, callbacks, exceptions, in several at once', () => {
  const value = onEveryTier(async () => {
    const { Worker } = require('node:worker_threads');
    const program = `
      const { parentPort } = require('node:worker_threads');
      const { ffi, callback } = require('./js/test/support/ffi');
      const { DataType: T, define } = ffi;
      const lib = define({
        add_i32: { library: 'fixture', retType: T.I32, paramsType: [T.I32, T.I32] },
        call_times_sum: { library: 'fixture', retType: T.I32, paramsType: [T.External, T.I32] },
      });
      let sum = 0;
      for (let i = 0; i < 100_000; i++) sum = lib.add_i32([sum & 1023, 1]);
      const made = callback({ paramsType: [T.I32], retType: T.I32 }, (v) => {
        if (v === 9) throw new Error('nine');
        return v;
      });
      let errors = 0;
      for (let i = 0; i < 5_000; i++) {
        sum += lib.call_times_sum([made.fn, 5]);
        try { lib.call_times_sum([made.fn, 20]); } catch (error) { errors += error.message === 'nine'; }
      }
      made.free();
      parentPort.postMessage([sum, errors]);
    `;
    const run = () =>
      new Promise((resolve, reject) => {
        const worker = new Worker(program, { eval: true });
        let message;
        worker.on('message', (value) => {
          message = value;
        });
        worker.on('error', reject);
        worker.on('exit', (code) => resolve([message, code]));
      });
    return Promise.all([run(), run(), run()]);
  });
  assert.equal(value.length, 3);
  for (const [[, errors], code] of value) assert.deepEqual([errors, code], [5000, 0]);
});

test('a worker that ends inside a callback, by exit and by termination', () => {
  const value = onEveryTier(async () => {
    const { Worker } = require('node:worker_threads');
    const program = (body) => `
      const { parentPort } = require('node:worker_threads');
      const { ffi, callback } = require('./js/test/support/ffi');
      const { DataType: T, define } = ffi;
      const { call_times_sum: times } = define({
        call_times_sum: { library: 'fixture', retType: T.I32, paramsType: [T.External, T.I32] },
      });
      let count = 0;
      const made = callback({ paramsType: [T.I32], retType: T.I32 }, (v) => {
        count++;
        if (count === 30_000) { ${body} }
        return v;
      });
      const hot = () => times([made.fn, 3]);
      try {
        for (;;) hot();
      } catch (error) {
        parentPort.postMessage('caught ' + error);
      }
    `;
    const end = (body, terminate) =>
      new Promise((resolve) => {
        const worker = new Worker(program(body), { eval: true });
        const seen = [];
        worker.on('message', (message) => {
          seen.push(message);
          if (terminate) setTimeout(() => worker.terminate(), 20);
        });
        worker.on('exit', (code) => resolve([...seen, code]));
      });
    return [
      await end('process.exit(7)', false),
      await end("parentPort.postMessage('ready'); for (;;);", true),
      await end("parentPort.postMessage('ready');", true),
    ];
  });
  assert.deepEqual(value, [[7], ['ready', 1], ['ready', 1]]);
});

test('an exception that nobody catches ends the process like any other', () => {
  for (const tier of TIERS) {
    const run = inChild(
      ({ ffi, callback }) => {
        const { DataType: T, define } = ffi;
        const { call_i32: callI32 } = define({
          call_i32: { library: 'fixture', retType: T.I32, paramsType: [T.External, T.I32] },
        });
        let count = 0;
        const made = callback({ paramsType: [T.I32], retType: T.I32 }, (v) => {
          if (++count === 20_000) throw new Error('the last one');
          return v;
        });
        for (;;) callI32([made.fn, 1]);
      },
      { env: { FFI_JIT_TIER: tier } },
    );
    assert.deepEqual([run.status, run.signal], [1, null], `${tier}: ${run.stderr}`);
    assert.match(run.stderr, /Error: the last one/);
  }
});

test('strings that V8 has elsewhere than thought: the other tier does the work', () => {
  if (!HAS_PACKED) return;
  const [tier, length] = valueInChild(
    ({ ffi }) => {
      const { native } = require('./js/core/loader.js');
      const { describe } = require('./js/core/tier.js');
      const { startPacked } = native;
      native.startPacked = (modules, v8, made) => {
        const reason = startPacked(modules, v8, made);
        const { digest } = made;
        made.digest = (_, value) => digest(_, value) && digest(_, value) + 1;
        return reason;
      };
      const { DataType: T, define } = ffi;
      const { string_bytes: size } = define({
        string_bytes: { library: 'fixture', retType: T.I32, paramsType: [T.String] },
      });
      const bytes = size(['text']);
      return [describe(size), bytes];
    },
    { env: { FFI_JIT_TIER: 'packed' } },
  );
  assert.deepEqual(tier, { tier: 'node-api', reason: 'strings have another layout' });
  assert.equal(length, 4);
});
