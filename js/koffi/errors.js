'use strict';
// Errors of calls: Koffi's classes and texts, and a code.

const { coded } = require('../core/errors.js');
const { kindOf } = require('./types/kinds.js');
const { Cast } = require('./values/cast.js');

/** What a value is, in the words of messages: a cast value shows the name of its type. */
const kindName = (value) => Cast.read(value)?.own.name ?? kindOf(value);

/** The error of an argument of one of our own functions. */
const invalid = (message, details) =>
  coded(TypeError, 'ERR_FFI_INVALID_ARGUMENT', message, details);

/** The same where Koffi throws a plain Error. */
const failure = (message, details) => coded(Error, 'ERR_FFI_INVALID_ARGUMENT', message, details);

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

/** The error of one of our functions' arguments that is no such thing. */
const unexpected = (value, purpose, expected) =>
  invalid(`Unexpected ${kindName(value)} value for ${purpose}, expected ${expected}`);

/** The error of a wrong number of arguments. */
const wrongCount = (expected, count) => invalid(`Expected ${expected} arguments, got ${count}`);

module.exports = { failure, invalid, kindName, mismatch, unexpected, wrongCount };
