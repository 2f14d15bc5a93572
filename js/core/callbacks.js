'use strict';
// Callbacks: C function pointers that run JavaScript functions.

const { native } = require('./loader.js');
const { ARG, CALLBACK, PENDING, THROWN, views, getPointer } = require('./memory.js');

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

/** What runs when there was no room for a callback's frame. */
function tooDeep() {
  throw require('./errors.js').coded(
    Error,
    'ERR_FFI_OUT_OF_MEMORY',
    'callbacks are nested too deeply: frame memory ran out',
  );
}

/** Unmarshallers by index, which the CALLBACK cell holds when one has to be run. */
const table = [tooDeep];
/** Indices that nobody has. */
const free = [];

let started = false;

/** What C enters for a callback, when its call is not left. */
function enter() {
  try {
    table[u32[CALLBACK]]();
  } catch (error) {
    if (!isOutermost()) {
      // What V8 ends without an exception, at a time limit of `vm`, does not come here.
      u32[PENDING] = THROWN;
      throw error;
    }
    // No call led here that it could be thrown from: C was called by the event loop.
    native.reportUncaught(error);
  }
}

/** Whether no JavaScript called what led to `enter`. */
function isOutermost() {
  const { stackTraceLimit, prepareStackTrace } = Error;
  try {
    Error.stackTraceLimit = 2;
    Error.prepareStackTrace = (_, sites) => sites.length;
    const trace = {};
    Error.captureStackTrace(trace, isOutermost);
    return trace.stack === 1;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    Error.prepareStackTrace = prepareStackTrace;
  }
}

/**
 * What the event loop runs when V8 may have ended JavaScript: it runs no `finally` then. C that runs the
 * event loop itself may have been called by a function that still needs its frame.
 */
function over() {
  if (isOutermost()) native.giveBack();
}

/** Tells the native side, before there is the first callback, how to run and forget them. */
function start() {
  const direct = callsDirectly();
  native.onCallbacks(enter, () => forget(u32[CALLBACK]), over, direct ? probe() : undefined);
  // C may call back until the process has ended: Node-API knows when there is no JavaScript any more.
  if (direct) process.once('exit', () => native.stopCalls());
  if (relays()) resumption.token = native.startRelay() ?? 0;
  started = true;
}

/** Whether V8 itself may call what is entered (src/node/v8/calls.rs): FFI_JIT_V8_CALL=0 says no. */
const callsDirectly = () =>
  process.env.FFI_JIT_V8_CALL !== '0' && process.versions.bun === undefined;

/** What that is tried with: it returns itself and throws itself, in turns. */
function probe() {
  let throws = true;
  return function tried() {
    throws = !throws;
    if (throws) throw tried;
    return tried;
  };
}

/** Whether calls may be left when C calls back (relay.js): FFI_JIT_RELAY=0 says no. */
function relays() {
  const { bun, deno } = process.versions;
  return process.env.FFI_JIT_RELAY !== '0' && bun === undefined && deno === undefined;
}

/** The token that lets the call go on that was left last. */
const resumption = { token: 0 };

/** Forgets an unmarshaller. */
function forget(index) {
  table[index] = undefined;
  free.push(index);
}

/**
 * Creates a callback and stores its code pointer in a pointer cell.
 * @param {{ signature: number, owned: number, link: Function }} compiled by compileCallback
 * @param {Function} fn
 * @param {number} flags
 * @returns {bigint} the code pointer
 */
function create(compiled, fn, flags, cell) {
  if (!started) start();
  const unmarshal = compiled.link(fn);
  const index = free.length > 0 ? free.pop() : table.length;
  table[index] = unmarshal;
  u32[ARG] = cell;
  try {
    native.createCallback(compiled.signature, index, compiled.owned, flags);
  } catch (error) {
    forget(index);
    throw error;
  }
  return getPointer(cell);
}

/** Releases the callback at an address; false when there is none. */
function release(address) {
  const index = native.releaseCallback(address);
  // A negative one is forgotten by the native side, when queued calls have run.
  if (index > 0) forget(index);
  return index !== 0;
}

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
  resumption,
  table,
  takeTransient,
  transient,
};
