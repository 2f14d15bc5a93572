'use strict';
// From ffi-rs types to functions: what `load` compiles, and binds to an address.

const { native } = require('../core/loader.js');
const tiers = require('../core/tier.js');
const { nothing } = require('../core/codecs.js');
const { compileCall, compileTask } = require('../core/compile.js');
const { isArray, mapGet, mapSet } = require('../core/primordials.js');
const { BySignature, fits } = require('./by-type.js');
const { ERRNO, FREES_RESULT, NEW_THREAD, whenClosed } = require('./load.js');
const types = require('./types.js');

// Loaded when there is an error.
const coded = (...details) => require('../core/errors.js').coded(...details);
const failure = (message) => require('./errors.js').failure(message);
const mismatch = (info, value) => require('./errors.js').mismatch(info, value);

/** The error of a result type, to be thrown only if the arguments are right. */
class BadResult {
  /** @param {(list: unknown) => void} check throws what is wrong with the arguments */
  constructor(error, check) {
    this.error = error;
    this.check = check;
  }

  raise(paramsValue) {
    this.check(paramsValue);
    throw this.error;
  }
}

/** The error of an argument list of the wrong kind or length. */
function arity(count, list) {
  if (!isArray(list)) {
    throw coded(TypeError, 'InvalidArg', 'paramsValue must be an array of values');
  }
  throw coded(Error, 'Unknown', 'params_type length is not equal with params_value length', {
    expected: count,
    received: list.length,
  });
}

const messages = new Map();

/** The text of an errno value, with its number. */
function errnoMessage(code) {
  let message = mapGet(messages, code);
  if (message === undefined) {
    message = `${native.errnoMessage(code)} (os error ${code})`;
    mapSet(messages, code, message);
  }
  return message;
}

const withErrno = (value, errno, g) =>
  `{ errnoCode: ${errno}, errnoMessage: ${g.constant(errnoMessage)}(${errno}), value: ${value} }`;

/** What was compiled for types, whatever function it is for: by tier, and by options. */
const compiled = new Map();

/** The same for a tier and options. */
function compiledFor(tier, options) {
  let byOptions = mapGet(compiled, tier);
  if (byOptions === undefined) {
    byOptions = [];
    mapSet(compiled, tier, byOptions);
  }
  byOptions[options] ??= new BySignature((shapes, types) => compileTypes(options, shapes, types));
  return byOptions[options];
}

/** Compiles a call with options, for `[result, ...parameters]`. */
function compileTypes(options, [retShape, ...paramShapes], [retType, ...paramsType]) {
  const params = paramsType.map(types.parameter);
  const declaration = {
    params,
    ret: resultOf(retType, params),
    style: 'list',
    mismatch,
    arity,
    // V8 12.4 makes no direct call inside a `try`, and `define` has none around direct calls.
    whenClosed,
    withErrno: options & ERRNO ? withErrno : undefined,
    freesResult: (options & FREES_RESULT) !== 0,
  };
  return {
    declaration,
    retShape,
    paramShapes,
    call: options & NEW_THREAD ? null : compileCall(declaration),
  };
}

/** The codec of a result. */
function resultOf(type, params) {
  try {
    return types.result(type);
  } catch (error) {
    const tier = tiers.NOWHERE;
    const declaration = { params, ret: nothing, style: 'list', mismatch, arity, tier };
    throw new BadResult(error, compileCall(declaration).link(0));
  }
}

/**
 * A call of a library's function, made from types.
 * @param {{ library: number, name: string }} callee
 * @param {number} options bits of load.js
 * @returns {{ run: Function, tier: object, types: { retShape: unknown, paramShapes: unknown[] } }}
 *   `types` are copies
 */
function bind({ library, name }, retType, paramsType, options) {
  const tier = tiers.currentTier();
  let types;
  try {
    types = compiledFor(tier, options).get(retType, paramsType);
  } catch (error) {
    // That there is no such function is to be said first.
    addressOf(library, name);
    throw error;
  }
  const { declaration, call } = types;
  const run =
    call === null
      ? compileTask(declaration, { address: addressOf(library, name), library })
      : tiers.connect(call, { address: undefined, library, name });
  if (run === undefined) throw noFunction(name);
  return { run, tier: call?.tier, types };
}

const noFunction = (name) => failure(`Cannot find "${name}" function in shared library`);

/** The address of a library's function. */
function addressOf(library, name) {
  const address = native.symbol(library, name);
  if (address === undefined) throw noFunction(name);
  return address;
}

module.exports = { BadResult, bind, fits, publish: tiers.publish };
