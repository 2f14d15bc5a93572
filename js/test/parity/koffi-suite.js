'use strict';
// How the parity suite of the Koffi dialect runs: see record.js. KOFFI_MODULE names the module.

const { types, inspect } = require('node:util');

/** Addresses differ from run to run; every mapping of this process lies in this range. */
const isAddress = (value) => value >= 0x100000n && value < 0x800000000000n;

/** A value as JSON that keeps what JSON loses, and nothing that changes from run to run. */
function shown(value, helpers) {
  if (value === undefined) return { undefined: true };
  if (typeof value === 'bigint') return isAddress(value) ? { an: 'address' } : { bigint: `${value}` };
  if (typeof value === 'number') {
    const plain = Number.isFinite(value) && !Object.is(value, -0);
    return plain ? value : { number: Object.is(value, -0) ? '-0' : String(value) };
  }
  if (typeof value === 'string') {
    return value.length > 200 ? { length: value.length, start: value.slice(0, 20) } : value;
  }
  if (typeof value === 'function' || typeof value === 'symbol') return { [typeof value]: true };
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Error) return failure(value);
  if (types.isExternal(value)) return { an: 'external' };
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const elements = Array.from(value, (item) => shown(item, helpers));
    return { [value.constructor.name]: elements };
  }
  if (types.isAnyArrayBuffer(value)) return { [value.constructor.name]: value.byteLength };
  if (Array.isArray(value)) return Array.from(value, (item) => shown(item, helpers));
  if (value instanceof helpers.koffi.TypeObject) return { type: neutral(value.name) };
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return { other: value.constructor?.name };
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, shown(item, helpers)]),
  );
}

/** Running numbers of anonymous types depend on what came before. */
const neutral = (text) => text.replace(/<anonymous_\d+>/g, '<anonymous>');

/** Class and message of an error. */
function failure(error) {
  if (!(error instanceof Error)) return { thrown: inspect(error) };
  return { error: error.constructor.name, message: neutral(error.message) };
}

module.exports = {
  variable: 'KOFFI_MODULE',
  cases: 'koffi-cases',
  helpers: () => require('../support/koffi'),
  shown,
  failure,
};
