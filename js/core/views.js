'use strict';
// Whether typed arrays can be found where V8 has them (src/node/v8/views.rs). Loaded when the first
// function that takes their memory is compiled for the direct tier.

const { native } = require('./loader.js');
const { views, ARG, FIXED, LENGTH, getPointer } = require('./memory.js');

const { u32, f64 } = views;

/** The address that thunks find for a value; undefined when they find none. */
function found(value) {
  u32[ARG] = FIXED;
  return native.foundAddress(value) ? getPointer(FIXED) : undefined;
}

/** The address of a view's memory, as Node-API tells it; undefined for no memory. */
function expected(value) {
  u32[ARG] = FIXED;
  native.viewAddress(value);
  return f64[LENGTH] > 0 ? getPointer(FIXED) : undefined;
}

/** Views of memory outside of V8's heap. */
function* outside() {
  const memory = new ArrayBuffer(4096);
  yield new Uint8Array(memory);
  yield new Uint8Array(memory, 4095);
  yield new Uint8ClampedArray(memory, 3, 100);
  yield new Float64Array(memory, 256, 7);
  yield new BigInt64Array(memory, 8).subarray(5, 9);
  yield Buffer.from(memory, 77, 200);
  yield new (class Bytes extends Uint8Array {})(memory, 9, 1);
  yield new Int16Array(new SharedArrayBuffer(64), 32);
}

/** Views that have no memory of a fixed size, and values that stand for none. */
function* others() {
  const gone = new ArrayBuffer(64);
  const view = new Uint8Array(gone, 8);
  structuredClone(gone, { transfer: [gone] });
  yield view;
  yield gone;
  const memory = new ArrayBuffer(64);
  yield new Uint8Array(memory, 64);
  yield new Uint8Array(0);
  yield memory;
  yield new DataView(memory);
  yield new Proxy(new Uint8Array(memory), {});
  const bounded = { maxByteLength: 128 };
  for (const Memory of [ArrayBuffer, SharedArrayBuffer]) {
    yield new Memory(64);
    const variable = new Memory(64, bounded);
    yield new Uint8Array(variable);
    yield new Uint8Array(variable, 8, 16);
  }
  // The last address of all, which thunks take for none.
  yield* [-1n, 2n ** 64n - 1n];
  yield* ['text', 1, -1, 0.5, true, null, undefined, {}, [], Symbol(), () => {}];
}

/** Numbers that are addresses. */
const ADDRESSES = [0n, 1n, -2n, 2n ** 63n, -(2n ** 63n), 2n ** 64n - 2n, 2n ** 64n + 7n];

/** Whether all that is found is what Node-API tells, and nothing else is found. */
function isAsExpected() {
  for (const view of outside()) if (found(view) !== expected(view)) return false;
  for (const value of others()) if (found(value) !== undefined) return false;
  for (const n of ADDRESSES) if (found(n) !== BigInt.asUintN(64, n)) return false;
  if (found(0) !== 0n) return false;
  // What lives in V8's heap leaves it when Node-API is asked.
  const small = new Uint8Array(8);
  const before = found(small);
  const address = expected(small);
  return (before === undefined || before === address) && found(small) === address;
}

let known;

/** Why there are no thunks for views; undefined when there are. */
function obstacle() {
  if (known === undefined) {
    try {
      known = isAsExpected();
    } catch {
      known = false;
    }
  }
  return known ? undefined : 'typed arrays have another layout';
}

module.exports = { obstacle };
