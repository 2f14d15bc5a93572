'use strict';
// Section 9: asynchronous calls.

const assert = require('node:assert/strict');
const test = require('node:test');
const { promisify } = require('node:util');
const { koffi, fn, lib, ours, throws, later, outcome, until } = require('../support/koffi');
const { inChild } = require('../support/child');

koffi.struct('Point', { x: 'int', y: 'double' });

test('the callback gets null or undefined and the result, later', async () => {
  let sync = true;
  const given = await new Promise((resolve) => {
    const returned = fn('int int_add(int, int)').async(40, 2, (...all) => {
      assert.equal(sync, false);
      resolve(all);
    });
    assert.equal(returned, undefined);
    sync = false;
  });
  assert.ok(given[0] === null || given[0] === undefined);
  assert.equal(given[1], 42);
});

test('every kind of result', async () => {
  assert.equal(await later(fn('bool echo_bool(bool)'), true), true);
  assert.equal(await later(fn('uint64_t echo_uint64(uint64_t)'), 2n ** 64n - 1n), 2n ** 64n - 1n);
  assert.equal(await later(fn('float echo_float(float)'), 0.1), Math.fround(0.1));
  assert.equal(await later(fn('str static_text()')), 'gr\u00fc\u00df \u20ac \u{1F600}');
  assert.equal(await later(fn('str null_text()')), null);
  assert.equal(await later(fn('void nothing()')), undefined);
  assert.deepEqual(await later(fn('Point echo_Point(Point)'), { x: 1, y: 2.5 }), { x: 1, y: 2.5 });
  assert.equal(await later(fn('void *echo_pointer(void *)'), 5n), 5n);
});

test('out values are there when the callback runs', async () => {
  const numbers = [0, 0, 0];
  await later(fn('int write_later(_Out_ int *, int, int)'), numbers, 3, 20);
  assert.deepEqual(numbers, [1, 2, 3]);
  const typed = new Int32Array(3);
  await later(fn('int write_later(_Out_ int *, int, int)'), typed, 3, 20);
  assert.deepEqual([...typed], [1, 2, 3]);
  const quotient = [0];
  const rest = [0];
  await later(fn('void divide(int, int, _Out_ int *, _Out_ int *)'), 17, 5, quotient, rest);
  assert.deepEqual([quotient, rest], [[3], [2]]);
  const point = { x: 1, y: 2 };
  await later(fn('void point_move(_Inout_ Point *, int, double)'), point, 1, 1);
  assert.deepEqual(point, { x: 2, y: 3 });
  const text = ['\0'.repeat(20)];
  await later(fn('int write_text(_Out_ char *, int)'), text, 20);
  assert.deepEqual(text, ['written by C']);
});

test('arguments are taken when the call is made', async () => {
  const list = [1, 2, 3];
  const point = { x: 1, y: 0.5 };
  const sums = [
    later(fn('double sum_int32s(const int *, int)'), list, 3),
    later(fn('double point_sum_at(const Point *)'), point),
  ];
  list[0] = 100;
  point.x = 100;
  assert.deepEqual(await Promise.all(sums), [6, 1.5]);
});

test('promisify', async () => {
  const add = promisify(fn('int int_add(int, int)').async);
  assert.equal(await add(40, 2), 42);
  await assert.rejects(add('x', 2), /expected number/);
});

test('the event loop goes on, and calls overlap', async () => {
  const meet = fn('int meet(int)');
  const results = Promise.all([4, 4, 4, 4].map((count) => later(meet, count)));
  await until(() => fn('int people_inside()')() === 4, 'four calls at the same time', 15_000);
  fn('void open_door()')();
  assert.deepEqual(await results, [4, 4, 4, 4]);
});

test('how many arguments', () => {
  const add = fn('int int_add(int, int)');
  throws(() => add.async(1, () => {}), 'Expected 3 arguments, got 2', TypeError);
  throws(() => add.async(), 'Expected 3 arguments, got 0', TypeError);
  throws(
    () => add.async(1, 2, 3),
    'Expected callback function as last argument, got Number',
    TypeError,
  );
});

test('errors of arguments go to the callback, at once', () => {
  const seen = [];
  fn('int int_add(int, int)').async('x', 2, (...all) => seen.push(all));
  assert.equal(seen.length, 1);
  assert.match(seen[0][0].message, /^Unexpected String value, expected number$/);
  assert.ok(seen[0][1] === undefined || seen[0][1] === null);
});

test('disposables are freed once', async () => {
  const before = koffi.stats().disposed;
  assert.equal(
    await later(fn('char *! concat_new(const char *, const char *)'), 'a'.repeat(1000), 'b'),
    `${'a'.repeat(1000)}b`,
  );
  assert.equal(koffi.stats().disposed, before + 1);
});

test('errno is that of the call', async () => {
  const codes = [2, 13, 22, 11, 4, 17, 32, 28];
  const seen = await Promise.all(
    codes.map(
      (code, i) =>
        new Promise((resolve) => {
          fn('int sleep_and_fail(int, int)').async(5 + (i % 3) * 5, code, (_, result) =>
            resolve([result, koffi.errno()]),
          );
        }),
    ),
  );
  assert.deepEqual(
    seen,
    codes.map((code) => [-code, code]),
  );
});

test('an exception in the callback is uncaught', () => {
  const run = inChild(
    async ({ lib: l }) => {
      const caught = new Promise((resolve) =>
        process.once('uncaughtException', (error) => resolve(error.message)),
      );
      l.func('int forty_two()').async(() => {
        throw new Error('in the callback');
      });
      return caught;
    },
    { helpers: './koffi' },
  );
  assert.equal(run.value, 'in the callback', run.stderr);
});

test('memory stays alive while C works', () => {
  const run = inChild(
    async ({ lib: l, later: wait }) => {
      const slow = l.func('int sum_bytes_later(const uint8_t *, int, int)');
      const junk = [];
      const calls = [0, 1, 2, 3].map((i) => wait(slow, Buffer.alloc(100_000, i + 1), 100_000, 100));
      const lists = [5, 6].map((i) => wait(slow, Array(10_000).fill(i), 10_000, 100));
      for (let i = 0; i < 15; i++) {
        globalThis.gc();
        for (let k = 0; k < 20; k++) junk.push(Buffer.alloc(100_000, 0xee));
        junk.length = 0;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return [await Promise.all(calls), await Promise.all(lists)];
    },
    { helpers: './koffi', flags: ['--expose-gc'] },
  );
  assert.deepEqual(
    run.value,
    [
      [100_000, 200_000, 300_000, 400_000],
      [50_000, 60_000],
    ],
    run.stderr,
  );
});

test('a hundred calls at once keep their results apart', async () => {
  const concat = fn('char *! concat_new(const char *, const char *)');
  const all = await Promise.all(
    Array.from({ length: 100 }, (_, i) => later(concat, `${i}:`, 'x'.repeat(i * 10))),
  );
  for (const [i, text] of all.entries()) assert.equal(text, `${i}:${'x'.repeat(i * 10)}`);
});

ours('calls beyond the limit wait instead of failing', async () => {
  const many = koffi.config().max_async_calls * 10;
  const results = await Promise.all(
    Array.from({ length: many }, (_, i) => later(fn('int int_add(int, int)'), i, 1)),
  );
  assert.deepEqual(
    results,
    results.map((_, i) => i + 1),
  );
});

test('unions in asynchronous calls', async () => {
  koffi.union('Any', { i: 'int32_t', f: 'float', d: 'double' });
  const value = new koffi.Union('Any');
  value.d = 0.5;
  assert.equal(await later(fn('double any_double(Any)'), value), 0.5);
  assert.equal((await later(fn('Any echo_Any(Any)'), { f: 1 })).i, 0x3f800000);
});

test('functions of C have it too, wherever they come from', async () => {
  koffi.proto('int Unary(int)');
  const square = koffi.decode(fn('Unary *get_twice(int)')(1), 'Unary');
  assert.equal(await later(square, 9), 81);
  assert.equal((await outcome(square, 9))[1], 81);
  assert.equal(lib.func('sum_variadic', 'int', ['int', '...']).async, undefined);
});
