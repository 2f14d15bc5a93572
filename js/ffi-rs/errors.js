'use strict';
// Errors as ffi-rs programs know them: class Error, Node-API's names as codes, its texts. A value
// that does not fit also says which argument it was, what was expected and what came.

const { coded, kindOf } = require('../core/errors.js');
const { hasOwn } = require('../core/primordials.js');

/** Codes of values that are no such scalar, by what was expected. */
const SCALAR_CODES = {
  Number: 'NumberExpected',
  BigInt: 'BigintExpected',
  Boolean: 'BooleanExpected',
  String: 'StringExpected',
};

/**
 * The error of a value that does not fit its type.
 * @param {{ argument: number, path: string, field?: string, expected: string }} info
 */
function mismatch(info, value) {
  const { argument, path, field, expected } = info;
  const received = kindOf(value);
  const details = { argument, expected, received };
  const where = `${argument === undefined ? 'callback result' : `argument ${argument}`}${path}`;
  if (field !== undefined) {
    const kind = expected === 'Array' ? 'Object' : expected;
    const message = `Object property '${field}' type mismatch. Expect value to be ${kind}, but received ${received}`;
    return coded(Error, 'InvalidArg', message, details);
  }
  if (expected === 'Array') {
    return coded(Error, 'ArrayExpected', 'Object is not array', details);
  }
  if (expected === 'Object') {
    return coded(TypeError, 'InvalidArg', `${where}: expected Object, got ${received}`, details);
  }
  // The elements of a StringArray have a text of their own.
  const isElement = path !== '' && expected === 'String';
  if (!isElement && hasOwn(SCALAR_CODES, expected)) {
    const message = `${where}: expected ${expected}, got ${received}`;
    return coded(Error, SCALAR_CODES[expected], message, details);
  }
  return coded(Error, 'InvalidArg', `expect ${expected}, got: ${received}`, details);
}

/** The error of an unusable type or descriptor. */
const invalidType = (message) => coded(Error, 'ERR_FFI_INVALID_TYPE', message);

/** A failure at run time, with ffi-rs's own text. */
const failure = (message) => coded(Error, 'Unknown', message);

module.exports = { failure, invalidType, mismatch };
