'use strict';
// What every suite of the Koffi dialect starts with: the module under test, the fixture library,
// and what several suites need.
//
// KOFFI_MODULE names another module to test; `KOFFI_MODULE=peer` is the published Koffi, on which
// the tests marked with `ours` are skipped: there the contract goes its own way.

const assert = require('node:assert/strict');
const test = require('node:test');
const { koffiPath } = require('./native');
const { peerFolder } = require('./peer');

const wanted = process.env.KOFFI_MODULE || 'ffi-jit/koffi';
const isPeer = wanted === 'peer';
const koffi = require(isPeer ? peerFolder('koffi') : wanted);

let handle;
/** The fixture library; opened on first use, because opening one settles the configuration. */
function library() {
  handle ??= koffi.load(koffiPath());
  return handle;
}

/** A function of the fixture library by its prototype; each is made once. */
const made = new Map();
function fn(prototype) {
  if (!made.has(prototype)) made.set(prototype, library().func(prototype));
  return made.get(prototype);
}

/** A test of what the published Koffi does otherwise. */
function ours(name, ...rest) {
  const body = rest.pop();
  const skip = isPeer && 'the published Koffi differs';
  return test(name, { ...rest[0], skip }, body);
}

/**
 * Checks that `body` throws an Error with this message, ours with a code. With `kind`, its class; the class is left
 * open where the peer's versions disagree.
 * @param {() => unknown} body
 * @param {RegExp | string} message pattern of, or the exact, message
 * @param {Function} [kind] TypeError, or Error for exactly that
 */
function throws(body, message, kind) {
  let value;
  try {
    value = body();
  } catch (error) {
    assert.ok(error instanceof Error, `not an Error: ${String(error)}`);
    if (message instanceof RegExp) assert.match(error.message, message);
    else assert.equal(error.message, message);
    if (kind !== undefined) assert.equal(error.constructor, kind, error.stack);
    // A RangeError without a code is one that a test throws itself.
    const foreign = isPeer || (error instanceof RangeError && error.code === undefined);
    if (!foreign) assert.match(String(error.code), /^ERR_FFI_/, error.stack);
    return error;
  }
  return assert.fail(`nothing was thrown, got ${require('node:util').inspect(value)}`);
}

/** `[error, result]` of an asynchronous call. */
const outcome = (f, ...args) =>
  new Promise((resolve) => {
    f.async(...args, (...given) => resolve(given));
  });

/** The result of an asynchronous call, as a promise. */
const later = (f, ...args) =>
  new Promise((resolve, reject) => {
    f.async(...args, (error, result) => (error ? reject(error) : resolve(result)));
  });

/** Resolves when `ready()` is true; rejects after `limit` milliseconds. */
async function until(ready, what = 'the condition', limit = 5000) {
  const end = Date.now() + limit;
  while (!ready()) {
    if (Date.now() > end) throw new Error(`waited ${limit} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A 64-bit pattern as the number or bigint that Koffi reads it as. */
const asResult = (value) => {
  const limit = 2n ** 53n;
  return value >= -limit && value <= limit ? Number(value) : value;
};

module.exports = {
  koffi,
  isPeer,
  fn,
  ours,
  throws,
  outcome,
  later,
  until,
  asResult,
  get lib() {
    return library();
  },
};
