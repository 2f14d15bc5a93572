'use strict';
// Errors with a code, and the details of a value that does not fit its type.

const { isExternal } = require('node:util/types');

/**
 * An error with a `code` and further own properties.
 * @param {new (message: string) => Error} Class Error, TypeError or RangeError
 * @param {string} code
 * @param {string} message
 * @param {object} [details] more properties, such as `argument`, `expected` and `received`
 */
function coded(Class, code, message, details) {
  const error = new Class(message);
  define(error, 'code', code);
  for (const key in details) define(error, key, details[key]);
  return error;
}

const { defineProperty } = Reflect;

/** Sets an own property, whatever setters prototypes have. */
function define(object, key, value) {
  const descriptor = {
    __proto__: null,
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  };
  defineProperty(object, key, descriptor);
}

/** What a value is, in the words of error messages: Number, Null, Array, External, ... */
function kindOf(value) {
  switch (typeof value) {
    case 'undefined':
      return 'Undefined';
    case 'boolean':
      return 'Boolean';
    case 'number':
      return 'Number';
    case 'string':
      return 'String';
    case 'symbol':
      return 'Symbol';
    case 'bigint':
      return 'BigInt';
    case 'function':
      return 'Function';
  }
  if (value === null) return 'Null';
  if (isExternal(value)) return 'External';
  return 'Object';
}

/** A value in a message: primitives as they are, objects by their kind. */
const show = (value) =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'
    ? kindOf(value)
    : String(value);

module.exports = { coded, define, kindOf, show };
