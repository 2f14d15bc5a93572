'use strict';
// Section 3.6: runInNewThread, and callbacks from other threads.

const assert = require('node:assert/strict');
const test = require('node:test');
const support = require('../support/ffi');
const { fixturePath } = require('../support/native');
const { CODES, throwsCoded } = require('../support/assert-coded');
const { valueInChild } = require('../support/child');
const { ffi, call, arrayOf, structArrayOf, byValue, callback, pointerTo, restore, until } = support;

const { DataType: D } = ffi;
const thread = { runInNewThread: true };
const later = (name, retType, types = [], values = [], more = {}) =>
  call(name, retType, types, values, { ...thread, ...more });

test('the result is a promise', async () => {
  const promise = later('add_i32', D.I32, [D.I32, D.I32], [40, 2]);
  assert.ok(promise instanceof Promise);
  assert.equal(await promise, 42);
});

test('every kind of result', async () => {
  assert.equal(await later('echo_u8', D.U8, [D.U8], [255]), 255);
  assert.equal(await later('echo_i16', D.I16, [D.I16], [-5]), -5);
  assert.equal(await later('max_u64', D.U64), 2 ** 64);
  assert.equal(await later('min_i64', D.BigInt), -(2n ** 63n));
  assert.equal(await later('third_float', D.Float), Math.fround(1 / 3));
  assert.equal(await later('echo_double', D.Double, [D.Double], [0.1]), 0.1);
  assert.equal(await later('not_bool', D.Boolean, [D.Boolean], [false]), true);
  assert.equal(await later('nothing', D.Void), undefined);
  assert.equal(await later('unicode_string', D.String), 'gr\u00fc\u00df \u20ac \u{1F600}');
  assert.equal(await later('static_wide', D.WString), 'gr\u00fc\u00df \u20ac \u{1F600}');
  assert.equal(await later('null_string', D.String), null);
  assert.deepEqual(await later('static_i32_array', arrayOf(D.I32Array, 3)), [1, 2, 3]);
  assert.deepEqual(await later('static_string_array', arrayOf(D.StringArray, 2)), ['one', '']);
  assert.deepEqual(await later('static_u8_array', arrayOf(D.U8Array, 2)), Buffer.from([1, 2]));
  assert.equal(ffi.isNullPointer(await later('null_pointer', D.External)), true);
  const point = { x: D.I32, y: D.Double };
  assert.deepEqual(await later('points_static', point), { x: 1, y: 1.5 });
  assert.deepEqual(await later('points_static', structArrayOf(byValue(point), 2)), [
    { x: 1, y: 1.5 },
    { x: 2, y: 2.5 },
  ]);
  const type = byValue({ b: support.inlineOf(D.U8Array, 40) });
  const bytes = Buffer.alloc(40, 1);
  assert.deepEqual(await later('bytes_40_next', type, [type], [{ b: bytes }]), {
    b: bytes.map((b, i) => b + i + 1),
  });
});

test('a result may point into an argument', async () => {
  assert.equal(
    await later('string_tail', D.String, [D.String, D.I32], ['hello world', 6]),
    'world',
  );
  const list = Array.from({ length: 10_000 }, (_, i) => i);
  assert.deepEqual(
    await later('echo_i32_array', arrayOf(D.I32Array, 10_000), [D.I32Array], [list]),
    list,
  );
});

test('arguments are taken at the time of the call', async () => {
  const list = [1, 2, 3];
  const struct = { x: 1, y: 0.5 };
  const promises = [
    later('sum_i32_array', D.Double, [D.I32Array, D.I32], [list, 3]),
    later('points_sum', D.Double, [{ x: D.I32, y: D.Double }, D.I32], [struct, 1]),
  ];
  list[0] = 100;
  struct.x = 100;
  assert.deepEqual(await Promise.all(promises), [6, 1.5]);
});

test('errors of arguments, library and symbol are thrown at once', () => {
  throwsCoded(() => later('echo_i32', D.I32, [D.I32], ['5']), CODES.number);
  throwsCoded(
    () => later('no_such_symbol', D.I32),
    CODES.unknown,
    'Cannot find "no_such_symbol" function in shared library',
  );
  throwsCoded(
    () => later('forty_two', D.I32, [], [], { library: 'closed' }),
    CODES.unknown,
    /^Before calling load/,
  );
  throwsCoded(() => later('echo_i32', D.I32, [D.I32], []), CODES.unknown);
  throwsCoded(() => later('echo_i32', D.I32, [55], [1]), CODES.type);
  throwsCoded(() => later('forty_two', 55), CODES.type);
});

test('the JavaScript thread goes on meanwhile, and calls overlap', async () => {
  const results = Promise.all([4, 4, 4, 4].map((count) => later('meet', D.I32, [D.I32], [count])));
  await until(() => call('people_inside', D.I32) === 4, 'four calls at the same time', 15_000);
  call('open_door', D.Void);
  assert.deepEqual(await results, [4, 4, 4, 4]);
});

test('a thousand calls at once keep their results apart', async () => {
  const calls = Array.from({ length: 1000 }, (_, i) =>
    later('concat_strings', D.String, [D.String, D.String], [`a${i}`, 'b'.repeat(i)]),
  );
  const expected = calls.map((_, i) => `a${i}${'b'.repeat(i)}`);
  assert.deepEqual(await Promise.all(calls), expected);
});

test('errno is that of the worker', async () => {
  const result = await later('set_errno', D.I32, [D.I32], [2], { errno: true });
  assert.deepEqual(result, {
    errnoCode: 2,
    errnoMessage: 'No such file or directory (os error 2)',
    value: 3,
  });
  const codes = await Promise.all(
    [1, 2, 3, 4, 5, 6, 7, 8].map((code) =>
      later('set_errno', D.I32, [D.I32], [code], { errno: true }),
    ),
  );
  assert.deepEqual(
    codes.map(({ errnoCode }) => errnoCode),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
});

test('a Buffer is written by C, and kept alive meanwhile', () => {
  const sums = valueInChild(
    async ({ ffi: { DataType: T }, call: load }) => {
      const junk = [];
      const start = (i) => {
        const bytes = Buffer.alloc(100_000, i + 1); // a memory of its own, known to nobody else
        const types = [T.U8Array, T.I32, T.I32];
        return load('sum_bytes_later', T.I32, types, [bytes, bytes.length, 150], {
          runInNewThread: true,
        });
      };
      const calls = [0, 1, 2, 3].map(start);
      for (let i = 0; i < 20; i++) {
        globalThis.gc();
        for (let k = 0; k < 20; k++) junk.push(Buffer.alloc(100_000, 0xee));
        junk.length = 0;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return Promise.all(calls);
    },
    { flags: ['--expose-gc'] },
  );
  assert.deepEqual(sums, [100_000, 200_000, 300_000, 400_000]);
});

test('what C writes into a Buffer is there afterwards', async () => {
  const bytes = Buffer.from([1, 2, 3]);
  await later('xor_bytes', D.I32, [D.U8Array, D.I32, D.U8], [bytes, 3, 0xff]);
  assert.deepEqual([...bytes], [254, 253, 252]);
});

test('a library closed meanwhile stays until the call ends', async () => {
  ffi.open({ library: 'closing', path: fixturePath() });
  const promises = [1, 2, 3, 4, 5, 6].map((i) =>
    later('sleep_ms', D.I32, [D.I32], [50 + i], { library: 'closing' }),
  );
  ffi.close('closing');
  throwsCoded(() => later('forty_two', D.I32, [], [], { library: 'closing' }), CODES.closed);
  assert.deepEqual(await Promise.all(promises), [51, 52, 53, 54, 55, 56]);
});

test('a value callback called from the pool: C waits for JavaScript', async () => {
  const made = callback({ paramsType: [D.I32], retType: D.I32 }, (value) => value * 2);
  assert.equal(await later('call_times_sum', D.I32, [D.External, D.I32], [made.fn, 50]), 2450);
  made.free();
});

test('several threads ask at once', async () => {
  let asked = 0;
  const made = callback({ paramsType: [D.I32], retType: D.I32 }, (value) => {
    asked++;
    return value;
  });
  const total = await later(
    'ask_from_threads',
    D.I32,
    [D.External, D.I32, D.I32],
    [made.fn, 8, 100],
  );
  assert.equal(asked, 800);
  assert.equal(total, (800 * 799) / 2);
  made.free();
});

test('void callbacks from a thread that C does not wait for', async () => {
  const log = [];
  const made = callback({ paramsType: [D.I32], retType: D.Void }, (value) => log.push(value));
  call('notify_later', D.Void, [D.External, D.I32, D.I32, D.I32], [made.fn, 7, 2, 5]);
  await until(() => log.length === 5, 'five calls');
  assert.deepEqual(log, [7, 8, 9, 10, 11]);
  made.free();
});

test('a question from a detached thread', async () => {
  const made = callback({ paramsType: [D.I32], retType: D.I32 }, (value) => value + 1000);
  call('ask_later', D.Void, [D.External, D.I32], [made.fn, 5]);
  await until(() => call('answer', D.I32) !== -(2 ** 31), 'the answer');
  assert.equal(call('answer', D.I32), 1005);
  made.free();
});

test('a callback frees itself while C waits for it on another thread', async () => {
  let made;
  made = callback({ paramsType: [D.I32], retType: D.I32 }, (value) => {
    made.free();
    return value + 1;
  });
  assert.equal(await later('call_i32', D.I32, [D.External, D.I32], [made.fn, 41]), 42);
});

test('queued arguments outlive what C does with its own', async () => {
  const seen = [];
  const made = callback({ paramsType: [{ x: D.I32, y: D.Double }], retType: D.Void }, (point) =>
    seen.push(point),
  );
  await later('notify_point_pointer', D.Void, [D.External], [made.fn]);
  await until(() => seen.length === 1, 'the call');
  assert.deepEqual(seen, [{ x: 5, y: 6.5 }]);
  made.free();
});

test('a callback that is called on the pool calls C itself', async () => {
  const made = callback({ paramsType: [D.I32], retType: D.I32 }, (value) =>
    call('add_i32', D.I32, [D.I32, D.I32], [value, 1]),
  );
  assert.equal(await later('call_times_sum', D.I32, [D.External, D.I32], [made.fn, 10]), 55);
  made.free();
});

test('cells as arguments of calls on the pool', async () => {
  const cell = pointerTo(D.I32, 1);
  await later('write_i32', D.Void, [D.External, D.I32], [cell, 99]);
  assert.equal(restore(D.I32, cell), 99);
});
