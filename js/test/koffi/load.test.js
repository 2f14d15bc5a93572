'use strict';
// timeout: 600
// Load: callbacks from many threads, ten thousand registered at once, storms of asynchronous calls.

const assert = require('node:assert/strict');
const test = require('node:test');
const { koffi, fn, lib, ours, later, isPeer } = require('../support/koffi');

koffi.proto('int Unary(int)');

test('1,024 rounds of two parallel threaded callbacks', async () => {
  const both = fn('int call_two_threads(Unary *f, Unary *g, int v)');
  for (let round = 0; round < 1024; round++) {
    const result = await later(
      both,
      (v) => (v % 100) + 1,
      (v) => v % 10,
      round,
    );
    assert.equal(result, ((round % 100) + 1) * 1000 + (round % 10), `round ${round}`);
  }
});

test('eight asynchronous calls, each with eight threads that call back', async () => {
  const pointer = koffi.register((v) => v, 'Unary *');
  const many = fn('int call_from_threads(Unary *, int, int)');
  const totals = await Promise.all(Array.from({ length: 8 }, () => later(many, pointer, 8, 100)));
  assert.deepEqual(totals, Array(8).fill((800 * 799) / 2));
  koffi.unregister(pointer);
});

ours('10,000 registered callbacks at once', () => {
  const before = koffi.stats().callbacks;
  const call = fn('int call_int(Unary *, int)');
  const pointers = Array.from({ length: 10_000 }, (_, i) =>
    koffi.register((v) => v + i, 'Unary *'),
  );
  assert.equal(new Set(pointers).size, 10_000);
  assert.equal(koffi.stats().callbacks, before + 10_000);
  for (const [i, pointer] of pointers.entries()) assert.equal(call(pointer, 1), i + 1);
  // Every other one goes; the rest stays what it was, and the places are used again.
  for (let i = 0; i < 10_000; i += 2) koffi.unregister(pointers[i]);
  for (let i = 1; i < 10_000; i += 2) assert.equal(call(pointers[i], 1), i + 1);
  for (let i = 0; i < 10_000; i += 2) pointers[i] = koffi.register((v) => v - i, 'Unary *');
  for (const [i, pointer] of pointers.entries())
    assert.equal(call(pointer, 1), i % 2 ? i + 1 : 1 - i);
  for (const pointer of pointers) koffi.unregister(pointer);
  assert.equal(koffi.stats().callbacks, before);
});

test('callbacks that come and go, transient and registered, a hundred thousand times', () => {
  const before = koffi.stats().callbacks;
  const call = fn('int call_int(Unary *, int)');
  for (let i = 0; i < 50_000; i++) {
    if (call((v) => v + i, 1) !== i + 1) assert.fail(`transient ${i}`);
    const pointer = koffi.register((v) => v - i, 'Unary *');
    if (call(pointer, 1) !== 1 - i) assert.fail(`registered ${i}`);
    koffi.unregister(pointer);
  }
  assert.equal(koffi.stats().callbacks, before);
});

test('a storm of asynchronous calls with arguments of every kind', async () => {
  koffi.struct('StormPoint', { x: 'int', y: 'double' });
  const concat = fn('char *! concat_new(const char *, const char *)');
  const sum = fn('double sum_doubles(const double *, int)');
  const echo = lib.func('echo_Point', 'StormPoint', ['StormPoint']);
  const divide = fn('void divide(int, int, _Out_ int *, _Out_ int *)');
  const rounds = isPeer ? 2 : 20;
  for (let round = 0; round < rounds; round++) {
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const quotient = [0];
        const rest = [0];
        const [text, total, point] = await Promise.all([
          later(concat, `${round}-`, 'y'.repeat(i)),
          later(sum, Array(i).fill(0.5), i),
          later(echo, { x: i, y: round }),
          later(divide, 1000 + i, 7, quotient, rest),
        ]);
        assert.equal(text, `${round}-${'y'.repeat(i)}`);
        assert.equal(total, i / 2);
        assert.deepEqual(point, { x: i, y: round });
        assert.equal(quotient[0] * 7 + rest[0], 1000 + i);
      }),
    );
  }
});

ours('ten thousand asynchronous calls at once', async () => {
  const add = fn('int int_add(int, int)');
  const results = await Promise.all(Array.from({ length: 10_000 }, (_, i) => later(add, i, 1)));
  assert.deepEqual(
    results,
    results.map((_, i) => i + 1),
  );
});

ours('asynchronous calls that start others, and synchronous ones between them', async () => {
  const add = fn('int int_add(int, int)');
  const count = async (depth) => {
    if (depth === 0) return 1;
    const below = await Promise.all([count(depth - 1), count(depth - 1)]);
    return later(add, add(below[0], 0), below[1]);
  };
  assert.equal(await count(10), 1024);
});

test('large arguments: beyond the memory that is kept for calls', async () => {
  const sum = fn('double sum_doubles(const double *, int)');
  const list = Array(1_000_000).fill(0.25);
  assert.equal(sum(list, list.length), 250_000);
  const text = 'x'.repeat(20_000_000);
  assert.equal(fn('int64_t bytes_of(const char *)')(text), 20_000_000);
  assert.equal(await later(fn('int64_t bytes_of(const char *)'), text), 20_000_000);
});
