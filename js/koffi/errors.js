'use strict';
// Errors of the dialect: Koffi's classes and texts, with a code and what there is to say of the
// value: `argument` (its index), `path` (where in it), `expected`, `received`.
//
//   ERR_FFI_INVALID_ARGUMENT   a value that is not what it should be
//   ERR_FFI_INVALID_TYPE       a type, or the text of one, that is wrong or cannot be used there

const { types } = require('node:util');
const core = require('../core/errors.js');
const { DirectedType } = require('./types/directions.js');
const { Cast } = require('./values/cast.js');

const { coded } = core;

/** Names of typed arrays, whatever the value says of itself. */
const typedArrayName = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
).get;

/** The kind of any JavaScript value, in Koffi's words: Number, Null, Array, Uint8Array, ... */
function kindOf(value) {
  if (typeof value !== 'object' || value === null) return core.kindOf(value);
  if (Array.isArray(value)) return 'Array';
  if (types.isTypedArray(value)) return typedArrayName.call(value);
  if (types.isArrayBuffer(value)) return 'ArrayBuffer';
  // Koffi's word for it: what it calls a buffer is not Node's Buffer, which is a Uint8Array.
  if (types.isDataView(value)) return 'Buffer';
  if (value instanceof DirectedType) return 'External';
  return core.kindOf(value);
}

/** The same for messages: a cast value shows the name of its type. */
const kindName = (value) => Cast.read(value)?.own.name ?? kindOf(value);

/** The error of an argument of one of our own functions. */
const invalid = (message, details) =>
  coded(TypeError, 'ERR_FFI_INVALID_ARGUMENT', message, details);

/** The same where Koffi throws a plain Error. */
const failure = (message, details) => coded(Error, 'ERR_FFI_INVALID_ARGUMENT', message, details);

/** The error of a type that cannot be used for something. */
const invalidType = (message, details) =>
  coded(TypeError, 'ERR_FFI_INVALID_TYPE', message, details);

/** The error of a definition, or of the text of a type, that is malformed. */
const malformed = (message, details) => coded(Error, 'ERR_FFI_INVALID_TYPE', message, details);

/**
 * The error of a value that does not fit its type.
 * @param {{ argument?: number, path?: string, expected: string }} info
 */
function mismatch(info, value) {
  const { argument, path, expected } = info;
  const received = kindName(value);
  const details = { argument, path: path || undefined, expected, received };
  return invalid(`Unexpected ${received} value, expected ${expected}`, details);
}

/**
 * The error of an argument of one of our functions that is no such thing.
 * @param {string} purpose what it is for: the parameter's name
 * @param {number} [argument] its index
 */
function unexpected(value, purpose, expected, argument) {
  const received = kindName(value);
  const message = `Unexpected ${received} value for ${purpose}, expected ${expected}`;
  return invalid(message, { argument, expected, received });
}

/**
 * The error of a wrong number of arguments of one of our functions.
 * @param {string} expected "1", "1 or 2", "2 to 4"
 */
function wrongCount(expected, received) {
  const noun = expected === '1' ? 'argument' : 'arguments';
  return invalid(`Expected ${expected} ${noun}, got ${received}`, { expected, received });
}

module.exports = {
  failure,
  invalid,
  invalidType,
  kindName,
  kindOf,
  malformed,
  mismatch,
  unexpected,
  wrongCount,
};
