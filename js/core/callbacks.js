'use strict';
// Callbacks: C function pointers that run JavaScript functions.

const { native } = require('./loader.js');
const { ARG, views, getPointer } = require('./memory.js');

const { u32 } = views;

/** Calls are queued, with copies of what the arguments point to (src/node/callback.rs). */
const QUEUED = 1;
/** What the arguments point to is freed once it was read. */
const FREES = 2;
/** The callback keeps the event loop alive until it is released. */
const KEEPS_ALIVE = 4;

/**
 * Callbacks that are released when the call that is being written returns: objects with a method
 * `release`.
 */
const transient = [];

/**
 * Creates a callback and stores its code pointer in a pointer cell.
 * @param {{ signature: number, owned: Uint32Array, link: Function }} compiled by compileCallback
 * @param {Function} fn
 * @param {number} flags
 * @returns {bigint} the code pointer
 */
function create(compiled, fn, flags, cell) {
  const unmarshal = compiled.link(fn);
  u32[ARG] = cell;
  native.createCallback(compiled.signature, unmarshal, compiled.owned, flags);
  return getPointer(cell);
}

/** Releases the callback at an address; false when there is none. */
const release = (address) => native.releaseCallback(address);

/** Releases the transient callbacks that were created since there were `count`. */
function releaseTransient(count) {
  while (transient.length > count) transient.pop().release();
}

/** Takes over the transient callbacks that were created since there were `count`. */
const takeTransient = (count) => transient.splice(count);

module.exports = {
  FREES,
  KEEPS_ALIVE,
  QUEUED,
  create,
  release,
  releaseTransient,
  takeTransient,
  transient,
};
