// flags: --allow-natives-syntax --expose-gc --no-concurrent-recompilation
// env: FFI_JIT_TIER=direct FFI_JIT_COUNT_ENTRIES=1
// timeout: 600
'use strict';
// Typed arrays on the direct tier: C gets their live address from where V8 has it, and what cannot be
// had like that is the same on every tier. grid.test.js has them among random arguments,
// held.test.js lets C use them after collections.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const test = require('node:test');
const { CODES } = require('../support/assert-coded');
const { NODE } = require('../support/child');
const { ffi, callback } = require('../support/ffi');
const { koffi, lib } = require('../support/koffi');
const { ROOT, fixturePath, koffiPath } = require('../support/native');
const { native } = require('../../core/loader.js');
const { views, ARG, FIXED, LENGTH, getPointer } = require('../../core/memory.js');
const { HAS_PACKED, MAJOR, assertTier, entered, on, optimised } = require('./support');

const { DataType: D } = ffi;
const TIERS = ['node-api', 'packed', 'direct'];
const ROUNDS = 1000;

/** A function of the ffi-rs API's fixture. */
function defined(name, retType, paramsType) {
  const fn = ffi.define({ [name]: { library: 'fixture', retType, paramsType } })[name];
  return (...values) => fn(values);
}

/** Where a view's memory is, as Node-API tells it: 0 for none. */
function addressOf(view) {
  views.u32[ARG] = FIXED;
  native.viewAddress(view);
  return views.f64[LENGTH] > 0 ? Number(getPointer(FIXED)) : 0;
}

/** What a call comes to: the value, or the error. */
function outcome(call) {
  try {
    return call();
  } catch (error) {
    return [error.name, error.message, error.code];
  }
}

const OPAQUE = koffi.pointer(koffi.opaque('views_opaque'));

/** The functions that tell the address that C gets, of both dialects. */
const ECHOES = {
  'ffi-rs': () => defined('address_of_bytes', D.U64, [D.U8Array]),
  'void *': () => lib.func('uint64_t address_of(const void *p)'),
  'uint8_t *': () => lib.func('address_of', 'uint64_t', ['uint8_t *']),
  'inout double *': () => lib.func('uint64_t address_of(_Inout_ double *p)'),
  'out int *': () => lib.func('uint64_t address_of(_Out_ int *p)'),
  opaque: () => lib.func('address_of', 'uint64_t', [OPAQUE]),
};
const KOFFI = Object.keys(ECHOES).slice(1);

/** How hot calls of `call` enter native code. */
function entry(call) {
  let found = 'slow';
  for (let tries = 0; tries < 3 && found === 'slow'; tries++) {
    const hot = optimised(call);
    const { direct, fast } = entered(() => {
      for (let i = 0; i < ROUNDS; i++) hot();
    });
    if (direct > ROUNDS * 0.9) found = fast > ROUNDS * 0.9 ? 'missed' : 'direct';
    else if (fast > ROUNDS * 0.9) found = 'packed';
  }
  return HAS_PACKED ? found : 'node-api';
}

const expectDirect = (call, what) =>
  assert.equal(entry(call), HAS_PACKED ? 'direct' : 'node-api', what);

/** Views of memory outside of V8's heap. */
function outside() {
  const memory = new ArrayBuffer(8192);
  class Bytes extends Uint8Array {}
  const grown = new Bytes(memory, 24);
  grown.extra = { a: 1 };
  return {
    whole: new Uint8Array(memory),
    'at an offset': new Uint8Array(memory, 4001, 17),
    'the last byte': new Uint8Array(memory, 8191),
    'a part of a part': new Uint8Array(memory, 100, 1000).subarray(7).subarray(9, 10),
    'a Buffer': Buffer.alloc(300),
    'a Buffer of the pool': Buffer.from('some text'),
    'a class of its own': grown,
    'shared memory': new Uint8Array(new SharedArrayBuffer(100), 30, 8),
    'memory of WebAssembly': new Uint8Array(new WebAssembly.Memory({ initial: 1 }).buffer, 5),
  };
}

/** Other typed arrays, which the Koffi API takes as well. */
function otherKinds() {
  const kinds = [Int8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array];
  kinds.push(Float32Array, Float64Array, BigInt64Array, BigUint64Array);
  if (globalThis.Float16Array) kinds.push(globalThis.Float16Array);
  return Object.fromEntries(kinds.map((K) => [K.name, new K(new ArrayBuffer(4096), 64, 5)]));
}

test('the address of memory outside of the heap, directly', () => {
  for (const [name, make] of Object.entries(ECHOES)) {
    const echo = make();
    const list = name === 'ffi-rs' ? outside() : { ...outside(), ...otherKinds() };
    for (const [what, view] of Object.entries(list)) {
      const expected = addressOf(view);
      assert.ok(expected > 0);
      // Code that is not optimised comes another way.
      assert.equal(echo(view), expected, what);
      expectDirect(() => assert.equal(echo(view), expected), `${name}: ${what}`);
    }
  }
});

test('describe says so', () => {
  const direct = ffi.define({
    xor_bytes: { library: 'fixture', retType: D.I32, paramsType: [D.U8Array, D.I32, D.U8] },
  }).xor_bytes;
  direct([Buffer.alloc(4), 4, 1]);
  assertTier(direct, 'direct');
  for (const name of KOFFI) assertTier(ECHOES[name](), 'direct');
  // These are given objects and text.
  koffi.struct('views_named', { x: 'int', name: 'str' });
  for (const type of ['views_named *', 'char **', 'int32_be_t *']) {
    assertTier(lib.func('address_of', 'uint64_t', [type]), 'packed');
  }
});

/** Addresses, most of which are more than one. */
const ADDRESSES = [0n, 5n, -2n, 2n ** 64n + 7n, 2n ** 63n, -(2n ** 70n) - 9n];

/** What C gets of an address, as a number where it is a safe one. */
function addressIn(value) {
  const address = BigInt.asUintN(8 * native.pointerSize, value);
  return address <= Number.MAX_SAFE_INTEGER ? Number(address) : address;
}

test('addresses and null through the Koffi API', () => {
  for (const name of KOFFI) {
    const echo = ECHOES[name]();
    for (const value of [null, undefined, ...ADDRESSES]) {
      const expected = addressIn(value ?? 0n);
      assert.equal(echo(value), expected);
      expectDirect(() => assert.equal(echo(value), expected), `${name}: ${value}`);
    }
  }
});

/** Node 18 has none, and does not mind the option. */
const HAS_RESIZABLE = 'resize' in ArrayBuffer.prototype;

/** Makers of views of buffers that can change their size. */
const RESIZABLE = {
  'one that tracks a length': () => new Uint8Array(new ArrayBuffer(64, { maxByteLength: 128 }), 8),
  'a part of what can shrink': () =>
    new Uint8Array(new ArrayBuffer(64, { maxByteLength: 128 }), 8, 16),
  'a part of what did shrink': () => {
    const memory = new ArrayBuffer(64, { maxByteLength: 128 });
    const view = new Uint8Array(memory, 8, 16);
    memory.resize(10);
    return view;
  },
  'what tracks shared memory': () =>
    new Uint8Array(new SharedArrayBuffer(64, { maxByteLength: 128 })),
  'a part of shared memory that can grow': () =>
    new Uint8Array(new SharedArrayBuffer(64, { maxByteLength: 128 }), 8, 16),
};

/** Makers of values that stand for no memory of their own or have it where it cannot stay. */
const OTHERS = {
  'an empty one': () => new Uint8Array(0),
  'nothing of a Buffer': () => Buffer.alloc(100).subarray(50, 50),
  'one on the heap': () => new Uint8Array(8),
  'a detached one': () => {
    const memory = new ArrayBuffer(100);
    const view = new Uint8Array(memory, 8);
    structuredClone(memory, { transfer: [memory] });
    return view;
  },
  ...(HAS_RESIZABLE ? RESIZABLE : {}),
  'what WebAssembly has moved': () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 4 });
    const view = new Uint8Array(memory.buffer, 5);
    memory.grow(2);
    return view;
  },
  'a DataView': () => new DataView(new ArrayBuffer(100), 50),
  'an ArrayBuffer': () => new ArrayBuffer(100),
  'a SharedArrayBuffer': () => new SharedArrayBuffer(100),
  'a Proxy': () => new Proxy(Buffer.alloc(100), {}),
  'what inherits from a Buffer': () => Object.create(Buffer.alloc(100)),
  'an array without a prototype': () => Object.setPrototypeOf(Buffer.alloc(100), null),
  'an array that claims to be bytes': () =>
    Object.setPrototypeOf(new Int16Array(new ArrayBuffer(100), 2), Uint8Array.prototype),
  'another kind': () => new Float64Array(100),
  'one of another realm': () => require('node:vm').runInNewContext('new Uint8Array(1000)'),
  'an object': () => ({ x: 1 }),
  'an array': () => [1, 2],
  'an array with nothing': () => [],
  'a text': () => 'text',
  'a number': () => 4096,
  zero: () => 0,
  'a fraction': () => 1.5,
  'a large number': () => 2 ** 53,
  'a BigInt': () => 4096n,
  'the last address': () => -1n,
  null: () => null,
  undefined: () => undefined,
  true: () => true,
  'a symbol': () => Symbol('s'),
  'a function': () => () => 1,
  'an External': () =>
    ffi.unwrapPointer(ffi.createPointer({ paramsType: [D.I32], paramsValue: [1] }))[0],
};

/** What a call with a fresh value comes to, with addresses that differ by nature left out. */
function answer(echo, make) {
  const value = make();
  const found = outcome(() => echo(value));
  if (typeof found !== 'number' && typeof found !== 'bigint') return found;
  if (ArrayBuffer.isView(value) && Number(found) === addressOf(value)) {
    return found > 0 ? 'its memory' : 'NULL';
  }
  // What was copied for the call may be anywhere.
  return typeof value === 'object' && value !== null && Number(found) > 2 ** 20
    ? 'elsewhere'
    : found;
}

test('all other values: the same on every tier, from optimised code as well', () => {
  for (const [name, make] of Object.entries(ECHOES)) {
    const echoes = TIERS.map((tier) => on(tier, make));
    for (const [what, value] of Object.entries(OTHERS)) {
      const [expected, ...same] = echoes.map((echo) => answer(echo, value));
      for (const found of same) assert.deepEqual(found, expected, `${name}: ${what}`);
      const direct = echoes[2];
      const good = Buffer.alloc(200);
      let next = good;
      const hot = optimised(() => outcome(() => direct(next)));
      for (let i = 0; i < 30; i++) {
        next = value();
        const found = answer(hot, () => next);
        assert.deepEqual(found, expected, `${name}: ${what}`);
        next = good;
        assert.equal(hot(), addressOf(good));
      }
    }
  }
});

test('arrays on the heap: C writes to them, wherever they go', () => {
  const fill = defined('xor_bytes', D.I32, [D.U8Array, D.I32, D.U8]);
  const read = lib.func('uint8_t read_byte(const void *p, int at)');
  const write = optimised(() => {
    const small = new Uint8Array(24);
    fill(small, 24, 0x5a);
    return small[0] + small[23] + read(small, 3);
  });
  const kept = [];
  for (let i = 0; i < 3000; i++) {
    assert.equal(write(), 3 * 0x5a);
    if (i % 100 === 0) {
      const small = new Uint8Array(16);
      kept.push(small);
      fill(small, 16, i / 100);
      globalThis.gc({ type: i % 200 === 0 ? 'minor' : 'major' });
    }
  }
  kept.forEach((small, i) => {
    assert.deepEqual([...small], Array(16).fill(i));
    fill(small, 16, i);
    assert.deepEqual([...small], Array(16).fill(0));
  });
});

test('memory that goes away between hot calls', () => {
  const echo = ECHOES['void *']();
  const memory = new ArrayBuffer(4096);
  const view = new Uint8Array(memory, 64);
  const hot = optimised(() => echo(view));
  assert.equal(hot(), addressOf(view));
  assert.ok(hot() > 0);
  const moved = structuredClone(memory, { transfer: [memory] });
  assert.equal(view.length, 0);
  for (let i = 0; i < 100; i++) assert.equal(hot(), 0);
  const again = new Uint8Array(moved, 64);
  assert.equal(echo(again), addressOf(again));
});

/** The parameters of `weigh_views`: with the token and the receiver more than there are registers. */
const WEIGHED =
  'uint8_t* double uint8_t* int str uint8_t* int64_t void* float uint8_t* uint8_t*'.split(' ');

test('several views, text and more arguments than registers', () => {
  const copies = TIERS.map((tier) => on(tier, () => lib.func('weigh_views', 'int64_t', WEIGHED)));
  const bytes = (n) => Buffer.from(Array.from({ length: 16 }, (_, i) => n + i));
  const all = [bytes(1), 2.5, bytes(2), 3, 'text', bytes(3), -4, bytes(4), 5.5, bytes(5), bytes(6)];
  const expected = copies[0](...all);
  for (const [at, odd] of [
    [0, null],
    [2, 0n],
    [5, new Uint8Array(9)],
    [10, undefined],
    [4, '\u20ac'],
  ]) {
    const list = all.with ? all.with(at, odd) : Object.assign([...all], { [at]: odd });
    const answers = copies.map((copy) => copy(...list));
    assert.deepEqual(answers, Array(3).fill(answers[0]));
    assert.notEqual(answers[0], expected);
  }
  expectDirect(() => assert.equal(copies[2](...all), expected), 'all of them');
});
test('a library that is closed under hot calls', () => {
  ffi.open({ library: 'closing', path: fixturePath() });
  const type = { retType: D.U64, paramsType: [D.U8Array] };
  const { address_of_bytes: echo } = ffi.define({
    address_of_bytes: { library: 'closing', ...type },
  });
  const bytes = Buffer.alloc(100);
  const hot = optimised(() => outcome(() => echo([bytes])));
  assert.equal(hot(), addressOf(bytes));
  ffi.close('closing');
  for (let i = 0; i < 50; i++) assert.equal(hot()[2], CODES.unknown);
  ffi.open({ library: 'closing', path: fixturePath() });
  expectDirect(() => assert.equal(echo([bytes]), addressOf(bytes)), 'opened again');
  ffi.close('closing');
});

test('exceptions of callbacks come out, and views stay', () => {
  let collects = false;
  const made = callback({ paramsType: [D.I32], retType: D.I32 }, (count) => {
    if (collects) globalThis.gc();
    if (count === 3) throw new RangeError('three');
    return 0;
  });
  ffi
    .define({ hold_call: { library: 'fixture', retType: D.Void, paramsType: [D.External] } })
    .hold_call([made.fn]);
  const fill = defined('fill_held', D.I32, [D.U8Array, D.I32]);
  const hot = optimised((count = 4) => fill(Buffer.alloc(100), count));
  collects = true;
  for (let i = 0; i < 20; i++) {
    assert.equal(hot(100), 100);
    assert.throws(() => hot(3), { name: 'RangeError', message: 'three' });
  }
  // Earlier releases run no JavaScript inside of direct calls.
  collects = false;
  const bytes = Buffer.alloc(100);
  assert.equal(entry(() => fill(bytes, 0)) === 'direct', HAS_PACKED && MAJOR >= 26);
  made.free();
});

test('a layout that is not known leaves them packed', () => {
  const source = `
    const { native } = require('./js/core/loader.js');
    // Most of the addon's functions are made when one is asked for.
    native.viewAddress;
    native.foundAddress = () => false;
    const koffi = require('./js/koffi');
    const { describe } = require('./js/core/tier.js');
    const lib = koffi.load(process.argv[1]);
    const read = lib.func('uint8_t read_byte(const void *p, int at)');
    const add = lib.func('int live_blocks(void)');
    const value = read(Buffer.alloc(100, 7), 99);
    console.log(JSON.stringify([value, describe(read), describe(add)]));`;
  const run = spawnSync(NODE, ['-e', source, koffiPath()], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  assert.equal(run.status, 0, run.stderr);
  const [value, read, add] = JSON.parse(run.stdout);
  assert.equal(value, 7);
  if (!HAS_PACKED) return;
  assert.deepEqual(read, { tier: 'packed', reason: 'typed arrays have another layout' });
  assert.equal(add.tier, 'direct');
});
