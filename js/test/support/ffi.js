'use strict';
// What every suite of the ffi-rs dialect starts with: the module under test, the fixture library
// opened under the key `fixture` (and the main program under `main`), and short ways to call.
//
// FFI_JIT_MODULE names another module to test, for instance the published ffi-rs; suites then
// show where the two differ.

const { fixturePath } = require('./native');

const ffi = require(process.env.FFI_JIT_MODULE || 'ffi-jit');

ffi.open({ library: 'fixture', path: fixturePath() });
ffi.open({ library: 'main', path: '' });

const { DataType, arrayConstructor, funcConstructor } = ffi;

/**
 * Calls a fixture function through `load`, with fresh literals.
 * @param {string} funcName symbol
 * @param {unknown} retType result descriptor
 * @param {unknown[]} paramsType parameter descriptors
 * @param {unknown[]} paramsValue arguments
 * @param {object} [options] errno, runInNewThread, freeResultMemory, or another library
 */
function call(funcName, retType, paramsType = [], paramsValue = [], options = {}) {
  return ffi.load({ library: 'fixture', funcName, retType, paramsType, paramsValue, ...options });
}

/** A descriptor of an array of `length` elements: `arrayOf(DataType.I32Array, 3)`. */
const arrayOf = (type, length, more) => arrayConstructor({ type, length, ...more });

/** The same, embedded in the struct rather than pointed to. */
const inlineOf = (type, length, more) =>
  arrayOf(type, length, { ffiTypeTag: DataType.StackArray, ...more });

/** An array of structs. */
const structArrayOf = (structItemType, length, more) =>
  arrayOf(DataType.StructArray, length, { structItemType, ...more });

/** A struct type that travels by value, or lies inside another. */
const byValue = (fields) => ({ ...fields, ffiTypeTag: DataType.StackStruct });

/** One cell made by `createPointer`. */
const pointerTo = (type, value) =>
  ffi.createPointer({ paramsType: [type], paramsValue: [value] })[0];

/** What `restorePointer` reads from one cell. */
const restore = (type, pointer) =>
  ffi.restorePointer({ retType: [type], paramsValue: [pointer] })[0];

const unwrap = (pointer) => ffi.unwrapPointer([pointer])[0];
const wrap = (pointer) => ffi.wrapPointer([pointer])[0];

/** The null pointer as the original's users get it. */
const nullPointer = () => unwrap(pointerTo(DataType.Void, undefined));

/** Callbacks that were not freed, oldest first: they keep the process alive. */
const living = new Set();

/** A callback: `{cell, fn, free}`, `fn` being what C calls. */
function callback(descriptor, fn) {
  const type = funcConstructor(descriptor);
  const cell = pointerTo(type, fn);
  const free = () => {
    living.delete(made);
    ffi.freePointer({
      paramsType: [type],
      paramsValue: [cell],
      pointerType: ffi.PointerType.RsPointer,
    });
  };
  const made = { cell, fn: unwrap(cell), free };
  living.add(made);
  return made;
}

/**
 * Has a test that fails give its callbacks back: the suite would run until its time limit. Only in
 * suites, because whoever asks for hooks gets a report.
 */
function freeAfterFailures() {
  const { afterEach, beforeEach } = require('node:test');
  const before = [];
  beforeEach(() => before.push(new Set(living)));
  afterEach((context) => {
    const older = before.pop();
    // Not before Node 20 is it known how a test has ended.
    if (context?.passed !== false) return;
    for (const made of living) {
      try {
        if (!older.has(made)) made.free();
      } catch {} // freed without us
    }
  });
}

if (require.main?.filename.endsWith('.test.js')) freeAfterFailures();

/** Resolves after the queued callbacks of this turn have run. */
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Resolves when `ready()` is true; rejects after `limit` milliseconds. */
async function until(ready, what = 'the condition', limit = 5000) {
  const end = Date.now() + limit;
  while (!ready()) {
    if (Date.now() > end) throw new Error(`waited ${limit} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

module.exports = {
  ffi,
  call,
  arrayOf,
  inlineOf,
  structArrayOf,
  byValue,
  pointerTo,
  restore,
  unwrap,
  wrap,
  nullPointer,
  callback,
  nextTurn,
  until,
};
