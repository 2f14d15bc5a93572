// flags: --allow-natives-syntax --expose-gc --no-concurrent-recompilation
// env: FFI_JIT_TIER=packed FFI_JIT_COUNT_ENTRIES=1
'use strict';
// The packed tier with V8 made to optimise: that calls really are direct, and that they do what
// the others do. On a Node without the tier the same calls are made and none is direct.

const assert = require('node:assert/strict');
const test = require('node:test');
const { ffi, callback, byValue, inlineOf } = require('../support/ffi');
const { CODES, throwsCoded } = require('../support/assert-coded');
const { compileCall } = require('../../core/compile.js');
const { bind, describe } = require('../../core/tier.js');
const { native } = require('../../core/loader.js');
const codecs = require('../../core/codecs.js');
const { MAJOR, HAS_PACKED, HAS_RELAYS, entered, optimised, bound } = require('./support');

const { DataType: D } = ffi;
const ROUNDS = 2000;

/**
 * Calls `fn` in a hot loop and tells whether its calls were direct. V8 12.4 makes no direct call
 * from inside `try`, which `define` and calls with scratch memory use.
 */
function isDirect(fn, args, expected, { inTry = true, some = false } = {}) {
  const body = optimised(() => fn(args));
  const { fast, slow } = entered(() => {
    for (let i = 0; i < ROUNDS; i++) assert.deepEqual(body(), expected);
  });
  if (!HAS_PACKED) assert.equal(fast + slow, 0);
  else if (!some) assert.equal(fast + slow, ROUNDS, 'every call is counted');
  if (inTry && MAJOR === 22) return undefined;
  return fast > ROUNDS * 0.9;
}

const direct = HAS_PACKED;
const expectDirect = (what) => assert.equal(what ?? direct, direct);

test('scalars of every kind', () => {
  const kinds = [
    ['i32', D.I32, [40, 2], 42],
    ['u8', D.U8, [250, 10], 4],
    ['i16', D.I16, [-5, 2], -3],
    ['u32', D.U32, [2 ** 31, 5], 2 ** 31 + 5],
    ['i64', D.I64, [2 ** 40, 1], 2 ** 40 + 1],
    ['u64', D.U64, [2 ** 40, 1], 2 ** 40 + 1],
    ['float', D.Float, [0.5, 0.25], 0.75],
    ['double', D.Double, [0.1, 0.2], 0.1 + 0.2],
  ];
  for (const [name, type, args, sum] of kinds) {
    expectDirect(isDirect(bound(`add_${name}`, type, [type, type], args), args, sum));
  }
  expectDirect(isDirect(bound('not_bool', D.Boolean, [D.Boolean], [true]), [true], false));
  expectDirect(isDirect(bound('nothing', D.Void, [], []), [], undefined));
  const big = bound('echo_i64', D.BigInt, [D.BigInt], [1n]);
  expectDirect(isDirect(big, [-(2n ** 62n)], -(2n ** 62n)));
});

test('stack arguments, strings, Buffers, structs, errno', () => {
  const weights = Array.from({ length: 20 }, (_, i) => i - 3);
  const total = weights.reduce((sum, value, i) => sum + (i + 1) * value, 0);
  const twenty = bound('weigh_i32_20', D.I32, Array(20).fill(D.I32), weights);
  expectDirect(isDirect(twenty, weights, total));
  // A fast call returns no strings: text crosses by a raw callback (text.js tests it).
  const text = bound('string_bytes', D.I32, [D.String], ['x']);
  assert.ok(!isDirect(text, ['gr\u00fc\u00df'], 6));
  const tail = bound('string_tail', D.String, [D.String, D.I32], ['hello', 1]);
  assert.ok(!isDirect(tail, ['hello world', 6], 'world'));
  const bytes = byValue({ b: inlineOf(D.U8Array, 40) });
  const next = bound('bytes_40_next', bytes, [bytes], [{ b: Buffer.alloc(40) }]);
  const expected = { b: Buffer.from(Array.from({ length: 40 }, (_, i) => i + 1)) };
  expectDirect(isDirect(next, [{ b: Buffer.alloc(40) }], expected));
  const vector = byValue({ x: D.Float, y: D.Float, z: D.Float });
  const cross = bound(
    'vector3_cross',
    vector,
    [vector, vector],
    [
      { x: 1, y: 0, z: 0 },
      { x: 0, y: 1, z: 0 },
    ],
  );
  expectDirect(
    isDirect(
      cross,
      [
        { x: 1, y: 0, z: 0 },
        { x: 0, y: 1, z: 0 },
      ],
      { x: 0, y: 0, z: 1 },
    ),
  );
  const withErrno = bound('forty_two', D.I32, [], [], { errno: true });
  const { errnoCode, errnoMessage } = withErrno([]);
  expectDirect(isDirect(withErrno, [], { errnoCode, errnoMessage, value: 42 }));
});

test('outside try, calls are direct on every release that has the tier', () => {
  const library = native.findKey('fixture');
  const address = native.symbol(library, 'add_i32');
  const int = codecs.scalar({
    notation: 'i32',
    view: 'i32',
    size: 4,
    type: 'number',
    expected: 'Number',
  });
  const compiled = compileCall({
    params: [int, int],
    ret: int,
    style: 'positions',
    mismatch: Error,
    arity: () => {},
  });
  const add = bind(compiled, { address, library, name: 'add_i32' });
  assert.equal(describe(add).tier, direct ? 'packed' : 'node-api');
  assert.equal(
    isDirect((list) => add(list[0], list[1]), [40, 2], 42, { inTry: false }),
    direct,
  );
});

test('many functions behind one call site share the direct entry', () => {
  const names = ['add_i32', 'echo_i32', 'forty_two', 'counted_calls', 'not_bool'];
  const params = [[D.I32, D.I32], [D.I32], [], [], [D.Boolean]];
  const args = [[1, 2], [1], [], [], [true]];
  const list = names.map((name, i) =>
    bound(name, name === 'not_bool' ? D.Boolean : D.I32, params[i], args[i]),
  );
  const { fast, slow } = entered(() => {
    for (let i = 0; i < 200_000; i++) list[i % 5](args[i % 5]);
  });
  if (!HAS_PACKED) assert.equal(fast + slow, 0);
  else {
    assert.equal(fast + slow, 200_000);
    assert.ok(fast > 100_000, `${fast} direct calls`);
  }
});

test('odd values between hot loops: the same errors, and direct again', () => {
  const add = bound('add_i32', D.I32, [D.I32, D.I32], [1, 2]);
  expectDirect(isDirect(add, [40, 2], 42));
  const odd = (value) => throwsCoded(() => add([value, 1]), CODES.number);
  for (const value of ['1', null, undefined, 1n, {}, Symbol('s'), [], true]) odd(value);
  throwsCoded(() => add([1]), CODES.unknown);
  throwsCoded(() => add('12'), CODES.invalid);
  assert.equal(add([2 ** 31, 0.9]), -(2 ** 31));
  assert.equal(add([NaN, -0]), 0);
  expectDirect(isDirect(add, [40, 2], 42));
});

test('a callback exists: calls are direct where V8 allows it, and those that go on are always', () => {
  const sum = (made) => [made.fn, 10];
  const made = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => v * 2);
  const times = bound('call_times_sum', D.I32, [D.External, D.I32], sum(made));
  const plain = bound('add_i32', D.I32, [D.I32, D.I32], [1, 2]);
  const hot = optimised(() => times(sum(made)));
  const { fast, slow } = entered(() => {
    for (let i = 0; i < ROUNDS; i++) assert.equal(hot(), 90);
  });
  if (HAS_PACKED) {
    // Each of the ten callbacks is run while the call is left, and then it goes on.
    assert.equal(fast + slow, (HAS_RELAYS ? 11 : 1) * ROUNDS);
    const least = HAS_RELAYS ? 9.9 : MAJOR >= 26 ? 0.9 : 0;
    assert.ok(fast >= least * ROUNDS, `${fast} of ${fast + slow}`);
  }
  const other = isDirect(plain, [40, 2], 42);
  assert.equal(other ?? (direct && MAJOR >= 26), direct && MAJOR >= 26);
  made.free();
  expectDirect(isDirect(plain, [40, 2], 42));
  assert.equal(times(sum(made)), 0, 'a released callback gives zero');
});

test('exceptions of callbacks come out of hot calls, one level or many', () => {
  const thrown = [new Error('one'), 'text', null, undefined, 7];
  let count = 0;
  const inner = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => {
    if (count++ % 3 === 0) throw thrown[count % thrown.length];
    return v;
  });
  count = 1;
  const callI32 = bound('call_i32', D.I32, [D.External, D.I32], [inner.fn, 1]);
  const outer = callback(
    { paramsType: [D.I32], retType: D.I32 },
    (v) => callI32([inner.fn, v]) + 1,
  );
  const body = optimised(() => {
    count = 1;
    return callI32([outer.fn, 5]);
  });
  assert.equal(body(), 6);
  const hot = optimised(() => {
    try {
      return callI32([outer.fn, 5]);
    } catch (error) {
      return [error];
    }
  });
  count = 0;
  let caught = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const before = count;
    const result = hot();
    if (before % 3 === 0) {
      assert.ok(
        Array.isArray(result) && Object.is(result[0], thrown[(before + 1) % thrown.length]),
      );
      caught += 1;
    } else assert.equal(result, 6);
  }
  assert.ok(caught > ROUNDS / 4);
  outer.free();
  inner.free();
});

test('no further callback runs while an exception is on its way, and none is left over', () => {
  const seen = [];
  const made = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => {
    seen.push(v);
    if (v === 2) throw new RangeError('at two');
    return v;
  });
  const args = [made.fn, 5];
  const times = ffi.define({
    call_times_sum: { library: 'fixture', retType: D.I32, paramsType: [D.External, D.I32] },
  }).call_times_sum;
  const failing = optimised(() => {
    assert.throws(() => times(args), { name: 'RangeError', message: 'at two' });
  });
  seen.length = 0;
  for (let i = 0; i < 100; i++) failing();
  assert.equal(seen.length, 300);
  const forty = bound('forty_two', D.I32, [], []);
  assert.equal(forty([]), 42, 'the exception was thrown once');
  made.free();
});

test('collections at any moment', () => {
  const made = callback({ paramsType: [D.I32], retType: D.I32 }, (v) => {
    if (v % 7 === 0) globalThis.gc();
    return [v, { v }].length + JSON.stringify({ v, text: 'x'.repeat(50) }).length;
  });
  const args = [made.fn, 30];
  const times = bound('call_times_sum', D.I32, [D.External, D.I32], args);
  const expected = times(args);
  const read = bound('read_i32', D.I32, [D.U8Array], [Buffer.from([7, 0, 0, 0])]);
  const fresh = optimised((i) => read([Buffer.from([i & 255, 1, 0, 0])]));
  for (let i = 0; i < 60; i++) {
    assert.equal(times(args), expected);
    assert.equal(fresh(i), (i & 255) + 256);
    if (i % 10 === 0) globalThis.gc({ type: 'minor' });
  }
  made.free();
});

test('functions that nobody has are released, and what they used is used again', async () => {
  const library = native.findKey('fixture');
  const address = native.symbol(library, 'forty_two');
  const tokens = new Set();
  const compiled = compileCall({
    params: [],
    ret: codecs.nothing,
    style: 'positions',
    mismatch: Error,
    arity: () => {},
  });
  const link = (token) => {
    tokens.add(token);
    return compiled.link(token);
  };
  const total = 4000;
  for (let i = 0; i < total; i++) {
    bind({ ...compiled, link }, { address, library, name: 'x' })();
    if (i % 500 === 499) {
      globalThis.gc();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  assert.ok(tokens.size < total / 2, `${tokens.size} slots for ${total} functions`);
});
