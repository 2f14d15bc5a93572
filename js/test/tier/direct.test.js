// flags: --allow-natives-syntax --expose-gc --no-concurrent-recompilation
// env: FFI_JIT_TIER=direct FFI_JIT_COUNT_ENTRIES=1
'use strict';
// The direct tier with V8 made to optimise: that calls go through thunks, with their arguments in
// registers, and what happens where they cannot. grid.test.js has the values.

const assert = require('node:assert/strict');
const test = require('node:test');
const { ffi, callback, pointerTo, unwrap } = require('../support/ffi');
const { CODES, throwsCoded } = require('../support/assert-coded');
const { compileCall } = require('../../core/compile.js');
const { native } = require('../../core/loader.js');
const { views, TOP } = require('../../core/memory.js');
const tiers = require('../../core/tier.js');
const types = require('../../ffi-rs/types.js');
const { HAS_PACKED, HAS_RELAYS, MAJOR, assertTier, entered, optimised } = require('./support');

const { DataType: D } = ffi;
const { describe } = tiers;
const library = native.findKey('fixture');
const ROUNDS = 2000;
/** Whether V8 runs JavaScript inside direct calls. */
const REENTRANT = MAJOR >= 26;

/** A marshaller of a fixture function: no public function with a `try` is around it. */
function bound(name, ret, params, { errno = false } = {}) {
  const compiled = compileCall({
    params: params.map(types.parameter),
    ret: types.result(ret),
    style: 'list',
    mismatch: (info) => Object.assign(new TypeError('mismatch'), { info }),
    arity: () => {
      throw new TypeError('arity');
    },
    withErrno: errno ? (value, code) => `{ code: ${code}, value: ${value} }` : undefined,
  });
  return tiers.bind(compiled, { address: native.symbol(library, name), library, name });
}

/** How hot calls of a function enter native code: all directly, packed, or not at all directly. */
function entry(run, args, expected) {
  let found = 'slow';
  // Code that V8 has made may be thrown away once more, by what it learns from the first calls.
  for (let tries = 0; tries < 3 && found !== 'direct'; tries++) {
    const hot = optimised(() => run(args));
    const count = entered(() => {
      for (let i = 0; i < ROUNDS; i++) assert.deepEqual(hot(), expected);
    });
    if (!HAS_PACKED) {
      assert.equal(
        Object.values(count).reduce((a, b) => a + b),
        0,
      );
      return 'node-api';
    }
    if (count.direct > ROUNDS * 0.9) found = 'direct';
    else if (count.fast > ROUNDS * 0.9) found = 'packed';
  }
  return found;
}

/** Checks how hot calls enter native code. */
const expectEntry = (run, args, expected, tier = 'direct') =>
  assert.equal(entry(run, args, expected), HAS_PACKED ? tier : 'node-api');

/** The tier of functions with BigInts. */
const WIDE = MAJOR === 20 ? 'packed' : 'direct';

test('scalars of every kind', () => {
  const kinds = [
    ['u8', D.U8, [250, 10], 4],
    ['i16', D.I16, [-5, 2], -3],
    ['i32', D.I32, [40, 2], 42],
    ['u32', D.U32, [2 ** 31, 5], 2 ** 31 + 5],
    ['i64', D.I64, [-(2 ** 40), 1], -(2 ** 40) + 1],
    ['u64', D.U64, [2 ** 40, 1], 2 ** 40 + 1],
    ['float', D.Float, [0.5, 0.25], 0.75],
    ['double', D.Double, [0.1, 0.2], 0.1 + 0.2],
  ];
  for (const [name, type, args, sum] of kinds) {
    const run = bound(`add_${name}`, type, [type, type]);
    assertTier(run, 'direct');
    expectEntry(run, args, sum);
  }
  expectEntry(bound('not_bool', D.Boolean, [D.Boolean]), [true], false);
  expectEntry(bound('nothing', D.Void, []), [], undefined);
  const big = bound('echo_i64', D.BigInt, [D.BigInt]);
  assertTier(big, WIDE);
  expectEntry(big, [-(2n ** 62n)], -(2n ** 62n), WIDE);
});

test('stack arguments', () => {
  const weights = Array.from({ length: 20 }, (_, i) => i - 3);
  const total = weights.reduce((sum, value, i) => sum + (i + 1) * value, 0);
  expectEntry(bound('weigh_i32_20', D.I32, Array(20).fill(D.I32)), weights, total);
  const doubles = Array.from({ length: 12 }, (_, i) => i / 2);
  const twelve = bound('weigh_double_12', D.Double, Array(12).fill(D.Double));
  expectEntry(twelve, doubles, twelve(doubles));
});

test('as many arguments as V8 passes, and one more', () => {
  // What the function does not look at may be passed: C's convention allows it.
  const params = (count) => [D.I32, D.I32, ...Array(count - 2).fill(D.Double)];
  const list = (count) => Array.from({ length: count }, (_, i) => i + 40);
  const most = bound('add_i32', D.I32, params(30));
  assertTier(most, 'direct');
  expectEntry(most, list(30), 81);
  for (const count of [31, 32, 33, 40, 64]) {
    const more = bound('add_i32', D.I32, params(count));
    assertTier(more, 'packed');
    if (HAS_PACKED) assert.match(describe(more).reason, /at most 30 arguments/);
    expectEntry(more, list(count), 81, 'packed');
  }
});

test('text: flat one-byte strings go directly, all others arrive', () => {
  const bytes = bound('string_bytes', D.I32, [D.String]);
  assertTier(bytes, 'direct');
  for (const [text, length] of [
    ['', 0],
    ['seven78', 7],
    ['eight789', 8],
    ['sixteen letters.', 16],
    ['gr\u00fc\u00df', 6],
    ['\u00ff'.repeat(9), 18],
  ]) {
    const flat = Buffer.from(text, 'latin1').toString('latin1');
    expectEntry(bytes, [flat], length);
  }
  // Text of every length up to what is copied in one go, and beyond; joined text, which is in one
  // piece once it was looked at.
  for (let length = 0; length < 70; length++) {
    for (const end of ['', '\u00e9']) {
      const text = JSON.parse(`"${'x'.repeat(length)}${end}"`);
      assert.equal(bytes([text]), Buffer.byteLength(text));
    }
  }
  for (const joined of [`${'long '.repeat(50)}tail`, '\u00fc'.repeat(20)]) {
    expectEntry(bytes, [joined], Buffer.byteLength(joined));
  }
  const two = ['\u20ac', `${'long '.repeat(50)}tail`, `cut ${'here'.repeat(20)}`.slice(3, 60)];
  for (const text of two) {
    const hot = optimised(() => bytes([text]));
    for (let i = 0; i < 100; i++) assert.equal(hot(), Buffer.byteLength(text));
  }
  const long = Buffer.alloc(50_000, 'x').toString('latin1');
  const hot = optimised(() => bytes([long]));
  for (let i = 0; i < 100; i++) assert.equal(hot(), 50_000);
  throwsText(bytes, '\ud800');
});

function throwsText(run, text) {
  assert.throws(() => run([text]), { code: 'InvalidArg' });
}

test('text that comes back from where it was put, and frame memory is given back', () => {
  const tail = bound('string_tail', D.String, [D.String, D.I32]);
  const before = views.u32[TOP];
  for (const [args, rest] of [
    [['hello world', 6], 'world'],
    [['gr\u00fc\u00dfe', 2], '\u00fc\u00dfe'],
  ]) {
    const hot = optimised(() => tail(args));
    for (let i = 0; i < 100; i++) assert.equal(hot(), rest);
  }
  assert.equal(views.u32[TOP], before);
});

test('Externals, and null', () => {
  const pointer = unwrap(pointerTo(D.I32, 5));
  const echo = bound('echo_pointer', D.External, [D.External]);
  assertTier(echo, 'direct');
  const same = (value) => ffi.restorePointer({ retType: [D.I32], paramsValue: [value] })[0];
  const hot = optimised(() => echo([pointer]));
  const { direct } = entered(() => {
    for (let i = 0; i < ROUNDS; i++) assert.equal(typeof hot(), 'object');
  });
  assert.ok(!HAS_PACKED || direct > ROUNDS * 0.9);
  assert.equal(same(pointerTo(D.External, hot())), same(pointerTo(D.External, pointer)));
  for (const value of [1, 'x', {}, undefined, [], 7n, Symbol('s')]) {
    const odd = optimised(() => {
      try {
        return echo([value]);
      } catch (error) {
        return error.constructor;
      }
    });
    for (let i = 0; i < 20; i++) assert.equal(odd(), TypeError, typeof value);
  }
});

test('errno', () => {
  const set = bound('set_errno', D.I32, [D.I32], { errno: true });
  expectEntry(set, [17], set([17]));
  assert.equal(set([17]).code, 17);
  assert.equal(set([0]).code, 0);
});

test('what needs memory is packed, and says so', () => {
  const run = bound('sum_i32_array', D.Double, [D.I32Array, D.I32]);
  assertTier(run, 'packed');
  if (HAS_PACKED) assert.match(describe(run).reason, /argument 1, ptr, needs memory/);
  assert.equal(run([[1, 2, 3], 3]), 6);
});

test('odd values between hot loops: the errors of every tier, and direct again', () => {
  const add = ffi.define({
    add_i32: { library: 'fixture', retType: D.I32, paramsType: [D.I32, D.I32] },
  }).add_i32;
  const plain = bound('add_i32', D.I32, [D.I32, D.I32]);
  expectEntry(plain, [40, 2], 42);
  for (const value of ['1', null, undefined, 1n, {}, Symbol('s'), [], true]) {
    throwsCoded(() => add([value, 1]), CODES.number);
    assert.throws(() => plain([1, value]), { message: 'mismatch' });
  }
  assert.throws(() => plain([1]), { message: 'arity' });
  assert.equal(plain([2 ** 31, 0.9]), -(2 ** 31));
  assert.equal(plain([NaN, -0]), 0);
  expectEntry(plain, [40, 2], 42);
});

test('the arguments are read once, whichever way they go', () => {
  const add = bound('add_i64', D.I64, [D.I64, D.I64]);
  let reads = 0;
  const list = [1, 2 ** 70];
  Object.defineProperty(list, 0, { get: () => ++reads && 1 });
  add(list);
  assert.equal(reads, 1);
});

test('a callback exists: calls are direct where JavaScript may run inside', () => {
  const made = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => v * 2);
  const times = bound('call_times_sum', D.I32, [D.External, D.I32]);
  assertTier(times, 'direct');
  // One that did call back goes the packed way from then on, where calls are relayed.
  const staysDirect = HAS_PACKED && REENTRANT && !HAS_RELAYS;
  assert.equal(entry(times, [made.fn, 10], 90) === 'direct', staysDirect);
  const plain = bound('add_i32', D.I32, [D.I32, D.I32]);
  assert.equal(entry(plain, [40, 2], 42) === 'direct', HAS_PACKED && REENTRANT);
  made.free();
  expectEntry(plain, [40, 2], 42);
});

test('exceptions of callbacks come out, text and nested calls included', () => {
  const bytes = bound('string_bytes', D.I32, [D.String]);
  const made = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => {
    if (v === 3) throw new RangeError(`three ${bytes(['inner text'])}`);
    return bytes(['a text of the callback']);
  });
  const times = bound('call_times_sum', D.I32, [D.External, D.I32]);
  const before = views.u32[TOP];
  const failing = optimised(() => {
    assert.throws(() => times([made.fn, 5]), { name: 'RangeError', message: 'three 10' });
  });
  for (let i = 0; i < 200; i++) failing();
  const fine = optimised(() => times([made.fn, 3]));
  for (let i = 0; i < 200; i++) assert.equal(fine(), 66);
  assert.equal(views.u32[TOP], before);
  made.free();
});

test('collections at any moment', () => {
  let collects = false;
  const made = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => {
    if (v === 2 && collects) globalThis.gc();
    return JSON.stringify({ v, text: 'x'.repeat(50) }).length;
  });
  const times = bound('call_times_sum', D.I32, [D.External, D.I32]);
  const bytes = bound('string_bytes', D.I32, [D.String]);
  const expected = times([made.fn, 4]);
  const hot = optimised((i = 1) => times([made.fn, 4]) + bytes([`${i} and more`]));
  collects = true;
  for (let i = 10; i < 60; i++) {
    assert.equal(hot(i), expected + 11);
    if (i % 10 === 0) globalThis.gc({ type: 'minor' });
  }
  made.free();
});

test('shapes have a bound', () => {
  if (!HAS_PACKED) return;
  const letters = [D.I32, D.U32, D.Double, D.Float];
  const shape = (n) => Array.from({ length: 6 }, (_, i) => letters[(n >> (2 * i)) & 3]);
  let [direct, reason] = [0, ''];
  for (let n = 0; n < 700; n++) {
    const told = describe(bound('nothing', D.Void, shape(n)));
    if (told.tier === 'direct') direct += 1;
    else reason = told.reason;
  }
  assert.ok(direct > 300 && direct < 512, String(direct));
  assert.match(reason, /512 shapes/);
});
