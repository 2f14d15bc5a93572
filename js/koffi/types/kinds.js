'use strict';
// What a value is, in the words of Koffi's messages: Number, Null, Array, Uint8Array, Buffer, ...

const { types } = require('node:util');
const core = require('../../core/errors.js');
const { DirectedType } = require('./directions.js');

/** Names of typed arrays, whatever the value says of itself. */
const typedArrayName = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
).get;

/** The kind name of any JavaScript value. */
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

/** The error of a value that is not what it should be. */
const unexpected = (value, purpose, expected) =>
  new TypeError(`Unexpected ${kindOf(value)} value ${purpose}, expected ${expected}`);

/** The error of a wrong number of arguments; `expected` is "1", "1 or 2", "2 to 4". */
const wrongCount = (expected, count) =>
  new TypeError(
    `Expected ${expected} ${expected === '1' ? 'argument' : 'arguments'}, got ${count}`,
  );

module.exports = { kindOf, unexpected, wrongCount };
