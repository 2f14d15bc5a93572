'use strict';
// C functions as JavaScript functions. What functions of one type have in common is made once per
// signature; what is seldom asked for (`info`, `async`) is made when it is.

const { compileCall } = require('../core/compile.js');
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
    signature.compiled = compileCall(describe(signature, { tier }));
  }
  return signature.compiled;
}

/** A class whose fields are those of the object that its constructor gets. */
class Itself {
  constructor(object) {
    // biome-ignore lint/correctness/noConstructorReturn: that is how a function gets fields
    return object;
  }
}

/** What is known of a function, kept in the function itself. */
class Known extends Itself {
  #own;

  constructor(fn, signature, name, callee) {
    super(fn);
    this.#own = { signature, name, callee, info: undefined, async: undefined };
  }

  static info(fn) {
    const own = fn.#own;
    own.info ??= own.signature.info(own.name);
    return own.info;
  }

  static async(fn) {
    const own = fn.#own;
    own.async ??= require('./async.js').makeAsync(own.signature, own.callee, own.name);
    return own.async;
  }
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

const INFO = accessor('info', Known.info);
const ASYNC = accessor('async', Known.async);

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
  new Known(fn, signature, name, callee);
  return fn;
}

/** A compiled call of a C function, under a name. */
function bindAs(compiled, { address, library }, name) {
  const link = (entry) => compiled.link(entry, name);
  return bind({ ...compiled, link }, { address, library, name });
}

/** Functions at addresses, by their type: at most so many for each. */
const MAX_ADDRESSES = 256;
const byType = new WeakMap();

/** The function of a type at an address; made once. */
function functionAt({ signature, name }, address) {
  let known = byType.get(signature);
  if (known === undefined) {
    known = new Map();
    byType.set(signature, known);
  }
  let fn = known.get(address);
  if (fn === undefined) {
    fn = makeFunction(signature, name, { address, library: -1 });
    if (known.size >= MAX_ADDRESSES) known.clear();
    known.set(address, fn);
  }
  return fn;
}

module.exports = { bindAs, describe, functionAt, makeFunction };
