'use strict';
// What the suites of tiers start with: bound functions, calls that V8 is made to optimise, and
// the counts of entries (FFI_JIT_COUNT_ENTRIES=1, --allow-natives-syntax).

const assert = require('node:assert/strict');
const { ffi } = require('../support/ffi');
const { describe } = require('../../core/tier.js');
const { native } = require('../../core/loader.js');

const MAJOR = Number(process.versions.node.split('.')[0]);
/** Whether this Node has the packed tier. */
const HAS_PACKED =
  [20, 22, 24, 26].includes(MAJOR) && process.platform === 'linux' && process.arch === 'x64';

/** A function of the fixture library, defined and called once with `args`. */
function bound(funcName, retType, paramsType, args, options = {}) {
  const functions = ffi.define({
    [funcName]: { library: 'fixture', retType, paramsType, ...options },
  });
  const fn = functions[funcName];
  fn(args);
  return fn;
}

/** Calls of both kinds that `body` makes. */
function entered(body) {
  const [fast, slow] = native.packedCounts();
  body();
  const [fastAfter, slowAfter] = native.packedCounts();
  return { fast: fastAfter - fast, slow: slowAfter - slow };
}

const OPTIMISE =
  '%PrepareFunctionForOptimization(fn); return () => %OptimizeFunctionOnNextCall(fn);';

/** Calls until what is called inside has been optimised as well. */
const WARM = 20_000;

/** The function, optimised by TurboFan together with what it calls. */
function optimised(body) {
  const ready = new Function('fn', OPTIMISE)(body);
  for (let i = 0; i < WARM; i++) body();
  ready();
  body();
  return body;
}

/** Checks that a function is on the packed tier. */
function assertPacked(fn) {
  assert.deepEqual(describe(fn), { tier: 'packed', reason: undefined });
}

module.exports = { HAS_PACKED, MAJOR, assertPacked, bound, entered, optimised };
