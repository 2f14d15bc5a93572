'use strict';
// Started by held.test.js for one dialect: makes calls whose Buffer nobody else has, and prints how
// many of each kind, which of the Buffers were collected while C had them, and how many calls were
// direct.

const assert = require('node:assert/strict');
const { native } = require('../../core/loader.js');
const { fixturePath, koffiPath } = require('../support/native');

/** More than V8 keeps within the view itself. */
const SIZE = 4096;
const WARM = 10_000;
const ROUNDS = 5;

/** The Buffer of the call that is running, for the time that C has it. */
let next;
let watched;
let collects = false;
let drop;

/** The only way to the Buffer: whoever takes it has it. */
function take() {
  const taken = next;
  next = undefined;
  return taken;
}

/** What C calls: drops the arguments, collects, and sees whether the memory is there. */
let gone = 0;
function collect(value) {
  if (!collects) return value;
  drop?.();
  for (let i = 0; i < 3; i++) globalThis.gc();
  if (watched.deref() === undefined) gone++;
  return value;
}

/**
 * Functions by name, each of which makes a call with the Buffer that `take` gives.
 * @returns {Record<string, () => number>}
 */
const dialects = {
  'ffi-rs': () => {
    const ffi = require('ffi-jit');
    const { DataType: D } = ffi;
    ffi.open({ library: 'held', path: fixturePath() });
    const type = ffi.funcConstructor({ paramsType: [D.I32], retType: D.I32 });
    const cells = ffi.createPointer({ paramsType: [type], paramsValue: [collect] });
    const [pointer] = ffi.unwrapPointer(cells);
    const entry = (retType, paramsType) => ({ library: 'held', retType, paramsType });
    const span = { bytes: D.U8Array, count: D.I32, ffiTypeTag: D.StackStruct };
    span.bytes = ffi.arrayConstructor({ type: D.U8Array, length: SIZE });
    const lib = ffi.define({
      fill_after: entry(D.I32, [D.U8Array, D.I32, D.External]),
      fill_span_after: entry(D.I32, [span, D.External]),
      hold_call: entry(D.Void, [D.External]),
      fill_held: entry(D.I32, [D.U8Array, D.I32]),
    });
    lib.hold_call([pointer]);
    const run = (fn, list) => {
      drop = () => {
        list.length = 0;
      };
      return fn(list);
    };
    const load = (funcName, paramsType, paramsValue) => {
      drop = () => {
        paramsValue.length = 0;
      };
      return ffi.load({ library: 'held', funcName, retType: D.I32, paramsType, paramsValue });
    };
    return {
      define: () => run(lib.fill_after, [take(), SIZE, pointer]),
      // On the direct tier it stays there, though C calls back.
      'define, direct': () => run(lib.fill_held, [take(), SIZE]),
      'define, struct': () => run(lib.fill_span_after, [{ bytes: take(), count: SIZE }, pointer]),
      load: () => load('fill_after', [D.U8Array, D.I32, D.External], [take(), SIZE, pointer]),
      'load, direct': () => load('fill_held', [D.U8Array, D.I32], [take(), SIZE]),
    };
  },
  koffi: () => {
    const koffi = require('ffi-jit/koffi');
    const lib = koffi.load(koffiPath());
    const proto = koffi.proto('int32_t held_call(int32_t)');
    koffi.struct('held_span', { bytes: 'uint8_t *', count: 'int32_t' });
    const pointer = koffi.register(collect, koffi.pointer(proto));
    const bytes = lib.func('int32_t fill_after(uint8_t *bytes, int32_t count, held_call *call)');
    const any = lib.func('int32_t fill_after(void *bytes, int32_t count, held_call *call)');
    lib.func('void hold_call(held_call *call)')(pointer);
    const held = lib.func('int32_t fill_held(uint8_t *bytes, int32_t count)');
    const span = lib.func('int32_t fill_span_after(held_span s, held_call *call)');
    // Parameters are in V8's own notes of optimised frames, which keep them; members are not.
    return {
      'uint8_t *': () => bytes(take(), SIZE, pointer),
      'uint8_t *, direct': () => held(take(), SIZE),
      'void *': () => any(take(), SIZE, pointer),
      struct: () => {
        const value = { bytes: take(), count: SIZE };
        drop = () => {
          value.bytes = null;
        };
        return span(value, pointer);
      },
    };
  },
};

const OPTIMISE =
  '%PrepareFunctionForOptimization(fn); return () => %OptimizeFunctionOnNextCall(fn);';

/** The next Buffer, and a weak view of its memory. */
function prepare() {
  next = Buffer.alloc(SIZE);
  watched = new WeakRef(next.buffer);
}

async function main() {
  const calls = [];
  const lost = [];
  let direct = 0;
  for (const [name, call] of Object.entries(dialects[process.argv[2]]())) {
    const shared = Buffer.alloc(SIZE);
    collects = false;
    const ready = new Function('fn', OPTIMISE)(call);
    // Buffers that were seen before, and fresh ones: a way that V8 has not seen is not optimised.
    for (let i = 0; i < WARM; i++) {
      next = i % 2 === 0 ? shared : Buffer.alloc(SIZE);
      call();
      if (i === WARM - 3) ready();
    }
    collects = true;
    let count = 0;
    for (let i = 0; i < ROUNDS; i++) {
      prepare();
      // What a WeakRef was asked for stays until the turn ends.
      await new Promise((resolve) => setImmediate(resolve));
      gone = 0;
      const before = native.packedCounts()[2];
      assert.equal(call(), SIZE + SIZE);
      direct += native.packedCounts()[2] - before;
      if (gone > 0) lost.push(name);
      count++;
    }
    calls.push(count);
  }
  process.stdout.write(`${JSON.stringify({ calls, lost, direct })}\n`);
}

main().then(() => process.exit());
