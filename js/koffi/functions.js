'use strict';
// C functions as JavaScript functions. What functions of one type have in common is made once per
// signature; what is seldom asked for (`info`, `async`) is made when it is.

const { compileCall } = require('../core/compile.js');
const { SAVED_ERRNO } = require('../core/direct.js');
const { native } = require('../core/loader.js');
const { connect, currentTier, describeBy } = require('../core/tier.js');
const { invalid, mismatch } = require('./errors.js');
const codecs = require('./values/codecs.js');

/** The error of too few arguments. */
function arity(count, values) {
  throw invalid(`Expected ${count} arguments, got ${values.length}`, {
    expected: count,
    received: values.length,
  });
}

/** Saves errno, and counts the call. */
function withErrno(value, errno, g) {
  if (errno !== SAVED_ERRNO) g.emit(`${SAVED_ERRNO} = ${errno};`);
  g.emit('u32[EPOCH]++;');
  return value;
}

/** What the core needs to know to compile calls of a signature. */
const describe = ({ params, result, convention }, extra) => ({
  params: params.map(codecs.parameterCodec),
  ret: codecs.codecOf(result),
  convention: convention === 'cdecl' ? undefined : convention,
  style: 'positions',
  mismatch,
  arity,
  withErrno,
  ...extra,
});

/** What calls of a signature compile to. */
function compiledOf(signature) {
  const tier = currentTier();
  if (signature.compiled?.tier !== tier) {
    signature.compiled = { tier, call: compileCall(describe(signature, { tier })) };
  }
  return signature.compiled.call;
}

/** The property of a function that holds what is known of it: a WeakMap would take its time. */
const KNOWN = Symbol('koffi');

function infoOf(fn) {
  const own = fn[KNOWN];
  own.info ??= own.signature.info(own.name);
  return own.info;
}

function asyncOf(fn) {
  const own = fn[KNOWN];
  own.async ??= require('./async.js').makeAsync(own.signature, own.callee, own.name);
  return own.async;
}

/** An accessor of functions; assignments make it a plain property. */
const accessor = (key, get) => ({
  get() {
    return get(this);
  },
  set(value) {
    defineProperty(this, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  },
  enumerable: true,
  configurable: true,
});

const { defineProperty } = Object;

/** Descriptors are made once, so that functions share their hidden class. */
const HIDDEN = { __proto__: null, value: undefined };
const INFO = accessor('info', infoOf);
const ASYNC = accessor('async', asyncOf);

/**
 * A C function: an address, or a symbol of a library.
 * @typedef {{ address: bigint, library: -1 } | { library: number, symbol: string }} Callee
 */

/**
 * The JavaScript function of a C function; undefined when the library has no such symbol.
 * @param {import('./types/signatures.js').Signature} signature
 * @param {string} name
 * @param {Callee} callee
 */
function makeFunction(signature, name, callee) {
  if (signature.variadic && !exists(callee)) return undefined;
  const compiled = signature.variadic ? undefined : compiledOf(signature);
  const fn =
    compiled === undefined
      ? require('./variadic.js').makeVariadic(signature, callee, name)
      : bindAs(compiled, callee, name);
  if (fn === undefined) return undefined;
  if (!signature.variadic) defineProperty(fn, 'async', ASYNC);
  defineProperty(fn, 'info', INFO);
  const tier = compiled?.tier;
  HIDDEN.value = { signature, name, callee, tier, info: undefined, async: undefined };
  defineProperty(fn, KNOWN, HIDDEN);
  HIDDEN.value = undefined;
  return fn;
}

const exists = ({ address, library, symbol }) =>
  address !== undefined || native.symbol(library, symbol) !== undefined;

// A variadic function has no tier of its own: each list of types has.
describeBy((fn) => (typeof fn === 'function' ? fn[KNOWN]?.tier : undefined));

/** A compiled call of a C function, under a name. */
const bindAs = (compiled, { address, library, symbol }, name) =>
  connect(compiled, { address, library, name: symbol ?? name, label: name });

/** Functions at addresses, by their type: at most so many for each. */
const MAX_ADDRESSES = 256;
const byType = new WeakMap();

/** The function of a type at an address; made once. */
function functionAt({ signature, name }, address) {
  let made = byType.get(signature);
  if (made === undefined) {
    made = new Map();
    byType.set(signature, made);
  }
  let fn = made.get(address);
  if (fn === undefined) {
    fn = makeFunction(signature, name, { address, library: -1 });
    if (made.size >= MAX_ADDRESSES) made.clear();
    made.set(address, fn);
  }
  return fn;
}

module.exports = { bindAs, describe, functionAt, makeFunction };
