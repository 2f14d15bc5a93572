'use strict';
// C functions as JavaScript functions. What functions of one type have in common is made once per
// signature; what is seldom asked for (`info`, `async`) is made when it is.

const { compileCall } = require('../core/compile.js');
const { weakGet, weakSet } = require('../core/primordials.js');
const { bind, currentTier } = require('../core/tier.js');
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
  g.emit(`i32[ERRNO] = ${errno};`, 'u32[EPOCH]++;');
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

/** What is known of each function. */
const known = new WeakMap();

function infoOf(fn) {
  const own = weakGet(known, fn);
  own.info ??= own.signature.info(own.name);
  return own.info;
}

function asyncOf(fn) {
  const own = weakGet(known, fn);
  own.async ??= require('./async.js').makeAsync(own.signature, own.callee, own.name);
  return own.async;
}

/** An accessor of functions; assignments make it a plain property. */
const accessor = (key, get) => ({
  get() {
    return get(this);
  },
  set(value) {
    Object.defineProperty(this, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  },
  enumerable: true,
  configurable: true,
});

const INFO = accessor('info', infoOf);
const ASYNC = accessor('async', asyncOf);

/**
 * The JavaScript function of a C function.
 * @param {import('./types/signatures.js').Signature} signature
 * @param {string} name
 * @param {{ address: bigint, library: number }} callee `library` is -1 when nobody knows
 */
function makeFunction(signature, name, callee) {
  const fn = signature.variadic
    ? require('./variadic.js').makeVariadic(signature, callee, name)
    : bindAs(compiledOf(signature), callee, name);
  if (!signature.variadic) Object.defineProperty(fn, 'async', ASYNC);
  Object.defineProperty(fn, 'info', INFO);
  weakSet(known, fn, { signature, name, callee, info: undefined, async: undefined });
  return fn;
}

/** A compiled call of a C function, under a name. */
function bindAs(compiled, { address, library }, name) {
  const { signature, stacked, errno, tier, shape } = compiled;
  const link = (entry) => compiled.link(entry, name);
  return bind({ signature, stacked, errno, tier, shape, link }, { address, library, name });
}

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
