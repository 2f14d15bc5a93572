'use strict';
// Errors with a code, and the details of a value that does not fit its type.

const { types } = require('node:util');

/**
 * An error with a `code` and further own properties.
 * @param {new (message: string) => Error} Class Error, TypeError or RangeError
 * @param {string} code
 * @param {string} message
 * @param {object} [details] more properties, such as `argument`, `expected` and `received`
 */
function coded(Class, code, message, details) {
  const error = new Class(message);
  error.code = code;
  if (details !== undefined) {
    for (const key of Object.keys(details)) error[key] = details[key];
  }
  return error;
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
  if (types.isExternal(value)) return 'External';
  return 'Object';
}

module.exports = { coded, kindOf };
