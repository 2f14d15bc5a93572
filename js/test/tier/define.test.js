// flags: --allow-natives-syntax --expose-gc --no-concurrent-recompilation
// env: FFI_JIT_TIER=direct FFI_JIT_COUNT_ENTRIES=1
'use strict';
// The public functions of the ffi-rs dialect on the direct tier: that V8 inlines them whole, and
// what becomes of them when their library is closed.

const assert = require('node:assert/strict');
const test = require('node:test');
const { ffi } = require('../support/ffi');
const { CODES, throwsCoded } = require('../support/assert-coded');
const { fixturePath } = require('../support/native');
const { HAS_PACKED, assertTier, entered, optimised } = require('./support');

const { DataType: D, close, define, load, open } = ffi;
const ROUNDS = 5000;

/** A function of `define`. */
const defined = (name, retType, paramsType, library = 'fixture') =>
  define({ [name]: { library, retType, paramsType } })[name];

/** Makes optimised calls; checks that all are direct, where there is a direct tier. */
function expectDirect(body) {
  let direct = 0;
  // Code that V8 has made may be thrown away once more, by what it learns from the first calls.
  for (let tries = 0; tries < 3 && direct < ROUNDS; tries++) {
    const hot = optimised(body);
    direct = entered(() => {
      for (let i = 0; i < ROUNDS; i++) hot();
    }).direct;
  }
  assert.equal(direct, HAS_PACKED ? ROUNDS : 0);
}

const MIXED = [D.U8, D.I16, D.I32, D.U32, D.I64, D.U64, D.Float, D.Double, D.Boolean];

test('functions of define and load are called directly on every release', () => {
  const add = defined('add_i32', D.I32, [D.I32, D.I32]);
  assert.equal(add([1, 2]), 3);
  assertTier(add, 'direct');
  let i = 0;
  expectDirect(() => add([i++, 2]));
  assert.equal(add([i, 2]), i + 2);
  const twelve = defined('nothing', D.Void, [...MIXED, D.I32, D.I64, D.I32]);
  expectDirect(() => twelve([1, 2, i++, 3, 4, 5, 1.5, 2.5, true, 6, 7, 8]));
  const bytes = defined('string_bytes', D.I32, [D.String]);
  expectDirect(() => bytes(['some text']));
  const values = { library: 'fixture', funcName: 'add_i32', retType: D.I32 };
  expectDirect(() => load({ ...values, paramsType: [D.I32, D.I32], paramsValue: [40, i++] }));
});

test('the list of arguments of a call is not allocated', { skip: !HAS_PACKED }, () => {
  const twelve = defined('nothing', D.Void, [...MIXED, D.I32, D.I64, D.I32]);
  // Of smis and objects: V8 always allocates the elements of an array of doubles.
  const calls = (count) => {
    for (let i = 0; i < count; i++) twelve([1, 2, i, 3, 4, 5, 6, 7, true, 8, 9, 10]);
  };
  for (let tries = 0; tries < 5; tries++) optimised(() => calls(50));
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  calls(20_000);
  const used = process.memoryUsage().heapUsed - before;
  assert.ok(used < 20_000 * 8, `${used} bytes for 20,000 calls`);
});

test('a library that is closed and reopened under hot calls', () => {
  const values = (list) => ({
    library: 'brief',
    funcName: 'string_bytes',
    retType: D.I32,
    paramsType: [D.String],
    paramsValue: list,
  });
  open({ library: 'brief', path: fixturePath() });
  const add = defined('add_i32', D.I32, [D.I32, D.I32], 'brief');
  const bytes = defined('string_bytes', D.I32, [D.String], 'brief');
  const calls = [
    [add, [40, 2], 42],
    [bytes, ['flat'], 4],
    [bytes, ['not \u20ac flat'], 12],
    [(list) => load(values(list)), ['flat'], 4],
    [(list) => load(values(list)), ['not \u20ac flat'], 12],
  ];
  const hot = calls.map(([fn, list]) => optimised(() => fn(list)));
  for (let round = 0; round < 3; round++) {
    for (const [i, [, , expected]] of calls.entries()) assert.equal(hot[i](), expected);
    close('brief');
    for (const call of hot) {
      throwsCoded(call, CODES.unknown, /Before calling load, you need to open/);
      throwsCoded(call, CODES.unknown, /Before calling load, you need to open/);
    }
    open({ library: 'brief', path: fixturePath() });
  }
  for (const [fn, list, expected] of calls) {
    assert.equal(fn(list), expected);
    expectDirect(() => fn(typeof list[0] === 'string' ? ['flat'] : list));
  }
  close('brief');
});

test('bad values are refused as on the other tiers, and their getters run once', () => {
  const add = defined('add_i32', D.I32, [D.I32, D.I32]);
  const hot = optimised((list = [1, 2]) => add(list));
  throwsCoded(() => hot(['1', 2]), CODES.number);
  throwsCoded(() => hot([1]), CODES.unknown);
  throwsCoded(() => hot({ length: 2 }), CODES.invalid);
  let reads = 0;
  const list = [0, null];
  Object.defineProperty(list, 0, { get: () => ++reads });
  throwsCoded(() => hot(list), CODES.number);
  assert.equal(reads, 1);
});
