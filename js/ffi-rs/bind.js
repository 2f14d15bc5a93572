'use strict';
// From ffi-rs types to functions: what `load` compiles, and binds to an address.

const { native } = require('../core/loader.js');
const tiers = require('../core/tier.js');
const { nothing } = require('../core/codecs.js');
const { compileCall, compileTask } = require('../core/compile.js');
const { coded } = require('../core/errors.js');
const { isArray, mapGet, mapSet } = require('../core/primordials.js');
const { ByType } = require('./by-type.js');
const { BadResult, mismatch } = require('./errors.js');
const { ERRNO, FREES_RESULT, NEW_THREAD } = require('./constants.js');
const types = require('./types.js');

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

/** What was compiled for types and options, whatever function it is for. */
const compiled = new ByType(compileTypes);

/** Compiles a call's types: `[tier, options, result, ...parameters]`. */
function compileTypes([, options, retType, ...paramsType]) {
  const params = paramsType.map(types.parameter);
  const declaration = {
    params,
    ret: resultOf(retType, params),
    style: 'list',
    mismatch,
    arity,
    withErrno: options & ERRNO ? withErrno : undefined,
    freesResult: (options & FREES_RESULT) !== 0,
  };
  return {
    declaration,
    retType,
    paramsType,
    call: options & NEW_THREAD ? null : compileCall(declaration),
  };
}

/** The codec of a result. */
function resultOf(type, params) {
  try {
    return types.result(type);
  } catch (error) {
    const tier = tiers.NODE_API;
    const declaration = { params, ret: nothing, style: 'list', mismatch, arity, tier };
    throw new BadResult(
      error,
      compileCall(declaration).link(() => {}),
    );
  }
}

/**
 * A call of the function at an address, made from types.
 * @param {{ library: number, address: bigint, name: string }} callee
 * @param {number} options bits of constants.js
 * @returns {{ run: Function, retType: unknown, paramsType: unknown[] }} with copies of the types
 */
function bind({ library, address, name }, retType, paramsType, options) {
  const { declaration, call, ...mine } = compiled.get([
    tiers.currentTier().name,
    options,
    retType,
    ...paramsType,
  ]);
  if (call === null) return { run: compileTask(declaration, { address, library }), ...mine };
  return { run: tiers.bind(call, { address, library, name }), ...mine };
}

module.exports = { bind };
