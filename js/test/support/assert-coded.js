'use strict';
// How the suites look at errors: a class, a string code, a message; the code where it is settled.

const assert = require('node:assert/strict');

/** Codes that a suite may name; several mean that the contract leaves the choice open. */
const CODES = {
  type: 'ERR_FFI_INVALID_TYPE',
  closed: ['ERR_FFI_LIBRARY_CLOSED', 'Unknown'],
  argument: ['ERR_FFI_INVALID_ARGUMENT', 'InvalidArg'],
  pointer: ['ERR_FFI_INVALID_POINTER', 'ERR_FFI_INVALID_ARGUMENT', 'InvalidArg'],
  number: 'NumberExpected',
  bigint: 'BigintExpected',
  boolean: 'BooleanExpected',
  string: 'StringExpected',
  array: 'ArrayExpected',
  invalid: 'InvalidArg',
  unknown: 'Unknown',
};

/**
 * Checks one error that our dialect raised.
 * @param {unknown} error what was thrown
 * @param {string | string[]} [code] the code, or the codes among which it must be
 * @param {RegExp | string} [message] pattern of, or the exact, message
 */
function assertCoded(error, code, message) {
  const shown = error instanceof Error ? `${error.stack}\ncode: ${error.code}` : String(error);
  assert.ok(error instanceof Error, `not an Error: ${shown}`);
  assert.equal(typeof error.code, 'string', `no string code: ${shown}`);
  assert.notEqual(error.code, '', `empty code: ${shown}`);
  assert.equal(typeof error.message, 'string');
  assert.notEqual(error.message, '', `empty message: ${shown}`);
  if (error.argument !== undefined) assert.equal(typeof error.argument, 'number', shown);
  if (code !== undefined) {
    const allowed = Array.isArray(code) ? code : [code];
    assert.ok(allowed.includes(error.code), `code is not ${allowed.join(' or ')}: ${shown}`);
  }
  if (message instanceof RegExp) assert.match(error.message, message);
  else if (message !== undefined) assert.equal(error.message, message);
}

/** Checks that `fn` throws such an error, and returns it. */
function throwsCoded(fn, code, message) {
  let result;
  try {
    result = fn();
  } catch (error) {
    assertCoded(error, code, message);
    return error;
  }
  return assert.fail(`nothing was thrown, got ${require('node:util').inspect(result)}`);
}

/** The same for a promise. */
async function rejectsCoded(promise, code, message) {
  let result;
  try {
    result = await promise;
  } catch (error) {
    assertCoded(error, code, message);
    return error;
  }
  return assert.fail(`nothing was rejected, got ${require('node:util').inspect(result)}`);
}

module.exports = { CODES, assertCoded, throwsCoded, rejectsCoded };
