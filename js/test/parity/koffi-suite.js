'use strict';
// How the parity suite of the Koffi dialect runs: see record.js. KOFFI_MODULE names the module.

const { types, inspect } = require('node:util');

/** Addresses differ from run to run; every mapping of this process lies in this range. */
const isAddress = (value) => value >= 0x100000n && value < 0x800000000000n;

/** A value as JSON that keeps what JSON loses, and nothing that changes from run to run. */
function shown(value, helpers) {
  if (value === undefined) return { undefined: true };
  if (typeof value === 'bigint')
    return isAddress(value) ? { an: 'address' } : { bigint: `${value}` };
  if (typeof value === 'number') {
    const plain = Number.isFinite(value) && !Object.is(value, -0);
    return plain ? value : { number: Object.is(value, -0) ? '-0' : String(value) };
  }
  if (typeof value === 'string') {
    return value.length > 200
      ? { length: value.length, start: value.slice(0, 20) }
      : neutral(value);
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
  if (prototype !== Object.prototype && prototype !== null)
    return { other: neutral(String(value.constructor?.name)) };
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, shown(item, helpers)]),
  );
}

/** Running numbers of anonymous types depend on what came before. */
const neutral = (text) => text.replace(/<anonymous_\d+>/g, '<anonymous>');

/** Texts that the contract keeps word for word. */
const KEPT_TEXTS = [
  /^Unexpected \w+ value, expected (?:number|boolean|object|array|\[string\])$/,
  /^Unexpected \w+ value as type specifier, expected string or type$/,
  /^Unexpected .* type, expected <callback> \* type$/,
  /^Expected \d+ arguments(?: or more)?, got \d+$/,
  /^Expected callback function as last argument, got /,
  /^(?:Unknown or invalid|Invalid|Duplicate) (?:type|member) name /,
  /^Cannot find (?:function|symbol) '.*' in shared library$/,
  /^Failed to load shared library: /,
  /^Array types decay to pointers/,
  /^Cannot create disposable type for non-pointer/,
  /^Type .* cannot be used as a (?:parameter|member)/,
  /^You are not allowed to directly return /,
  /^Unexpected (?:end of prototype|token '.*')/,
  /^Functions cannot have more than /,
  /^Mismatched dynamic length between /,
  /^Offset must be >= 0$/,
  /^Expected buffer with size superior or equal to type /,
  /^Cannot determine null-terminated length for type /,
  /^Cannot decode value of type /,
  /^Size must be greater than 0$/,
  /^Cannot pass ambiguous value to void \*/,
  /^Only pointer or string types can be used for casting$/,
  /^Missing value argument for variadic call$/,
];

/** Class of an error, and its message where the contract keeps it. */
function failure(error) {
  if (!(error instanceof Error)) return { thrown: inspect(error) };
  const outcome = { error: error.constructor.name };
  const kept = KEPT_TEXTS.some((text) => text.test(error.message));
  if (kept) outcome.message = neutral(error.message);
  return outcome;
}

module.exports = {
  variable: 'KOFFI_MODULE',
  cases: 'koffi-cases',
  helpers: () => require('../support/koffi'),
  shown,
  failure,
};
