'use strict';
// What the suites of tiers start with: bound functions, calls that V8 is made to optimise, and
// the counts of entries (FFI_JIT_COUNT_ENTRIES=1, --allow-natives-syntax).

const assert = require('node:assert/strict');
const { ffi } = require('../support/ffi');
const { describe, useTier } = require('../../core/tier.js');
const { native } = require('../../core/loader.js');

const MAJOR = Number(process.versions.node.split('.')[0]);
/** Systems with V8's tiers. */
const PACKED = ['linux x64', 'linux arm64', 'win32 x64'];

/** Whether this Node has V8's tiers. */
const HAS_PACKED =
  [20, 22, 24, 26].includes(MAJOR) && PACKED.includes(`${process.platform} ${process.arch}`);

/** Whether calls that call back are left for that (src/node/relay.rs). */
const HAS_RELAYS =
  process.platform === 'linux' && process.arch === 'x64' && process.env.FFI_JIT_RELAY !== '0';

/** A function of the fixture library, defined and called once with `args`. */
function bound(funcName, retType, paramsType, args, options = {}) {
  const functions = ffi.define({
    [funcName]: { library: 'fixture', retType, paramsType, ...options },
  });
  const fn = functions[funcName];
  fn(args);
  return fn;
}

/**
 * Entries that `body` makes: from optimised code and from other code, on the packed tier (`fast`,
 * `slow`) and on the direct one (`direct`, `missed`).
 */
function entered(body) {
  const before = native.packedCounts();
  body();
  const [fast, slow, direct, missed] = native.packedCounts().map((n, i) => n - before[i]);
  return { fast, slow, direct, missed };
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

/** The tier of a function; the one that it would have, on a Node without V8's tiers. */
function assertTier(fn, tier) {
  assert.equal(describe(fn).tier, HAS_PACKED ? tier : 'node-api', describe(fn).reason);
}

/** What `make` makes on a tier; what is made later is direct again. */
function on(tier, make) {
  useTier(tier);
  try {
    return make();
  } finally {
    useTier('direct');
  }
}

module.exports = { HAS_PACKED, HAS_RELAYS, MAJOR, assertTier, bound, entered, on, optimised };
