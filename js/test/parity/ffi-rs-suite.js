'use strict';
// How the parity suite of the ffi-rs dialect runs: see record.js.

const { types, inspect } = require('node:util');

/** A value as JSON that keeps what JSON loses. */
function shown(value, helpers) {
  if (value === undefined) return { undefined: true };
  if (typeof value === 'bigint') return { bigint: String(value) };
  if (typeof value === 'number') {
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : { number: Object.is(value, -0) ? '-0' : String(value) };
  }
  if (types.isExternal(value))
    return { external: helpers.ffi.isNullPointer(value) ? 'null' : 'an address' };
  if (Buffer.isBuffer(value)) return { buffer: value.toString('hex') };
  if (typeof value === 'function' || typeof value === 'symbol') return { [typeof value]: true };
  if (value === null || typeof value !== 'object') {
    return typeof value === 'string' && value.length > 200
      ? { length: value.length, start: value.slice(0, 20) }
      : value;
  }
  if (Array.isArray(value)) return Array.from(value, (item) => shown(item, helpers));
  if (Object.getPrototypeOf(value) !== Object.prototype) return { other: inspect(value) };
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, shown(item, helpers)]),
  );
}

/** Texts that the contract keeps word for word (sections 3, 4, 6 and 7). */
const KEPT_TEXTS = [
  /^Missing field `/,
  /^Before calling load, you need to open the file/,
  /^Cannot find ".*" function in shared library$/,
  /^params_type length is not equal with params_value length$/,
  /^ret_value_type can only be number or object but receive/,
  /^Object property '.*' type mismatch\./,
  /^expect (External|Function|String), got: /,
  /^invalid utf-16: lone surrogate found$/,
  /^create_external_buffer: pointer is null$/,
  /: cannot open shared object file: No such file or directory$/,
];

/**
 * Code and message class of an error: a kept text as it is, and nothing of any other, for ours
 * are clearer where the original has an empty one, a panic, or the text of a failed line.
 */
function failure(error) {
  if (!(error instanceof Error)) return { thrown: inspect(error) };
  const outcome = { error: error.code ?? 'no code' };
  if (KEPT_TEXTS.some((text) => text.test(error.message))) outcome.message = error.message;
  return outcome;
}

module.exports = {
  variable: 'FFI_JIT_MODULE',
  cases: 'cases',
  helpers: () => require('../support/ffi'),
  shown,
  failure,
};
