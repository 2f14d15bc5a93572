'use strict';
// Enumerations: integers with named constants.

const { invalidType, malformed, unexpected, wrongCount } = require('../errors.js');
const { native } = require('../../core/loader.js');
const { internals, makeType } = require('./model.js');
const { anonymousName, checkName, define, lookup } = require('./names.js');
const { resolve } = require('./strings.js');

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The constants, copied. */
function readValues(values) {
  const entries = Object.keys(values).map((key) => [key, values[key]]);
  for (const [, value] of entries) {
    if (typeof value !== 'number' && typeof value !== 'bigint') {
      throw unexpected(value, 'enumeration value', 'number');
    }
  }
  return Object.freeze(Object.fromEntries(entries));
}

/** The integer types that compilers choose from, by whether a constant is negative. */
const CHOICES = {
  unsigned: [
    ['uint32_t', 0n, 0xffff_ffffn],
    ['uint64_t', 0n, 0xffff_ffff_ffff_ffffn],
  ],
  signed: [
    ['int32_t', -0x8000_0000n, 0x7fff_ffffn],
    ['int64_t', -0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn],
  ],
};

/** The integer type that holds all constants. On Windows it is always `int`. */
function storageFor(values) {
  const list = Object.values(values);
  const signed = list.some((value) => value < 0);
  const choices = CHOICES[signed || native.os === 'windows' ? 'signed' : 'unsigned'];
  const possible = native.os === 'windows' ? choices.slice(0, 1) : choices;
  const fits = ([, min, max]) => list.every((value) => !(value < min || value > max));
  const chosen = possible.find(fits);
  if (chosen === undefined) {
    throw malformed('Cannot find storage type wide enough for enum values');
  }
  return lookup(chosen[0]);
}

function readStorage(specifier) {
  const type = resolve(specifier);
  if (internals(type).kind !== 'int') {
    throw invalidType('Expected integer type for underlying enum storage type');
  }
  return type;
}

/** `enumeration([name,] values, [storage])` */
function enumeration(...args) {
  if (args.length === 0) throw wrongCount('1 or 2', 0);
  const unnamed = isObject(args[0]);
  const [name, values, storage] = unnamed ? [undefined, ...args] : args;
  if (!isObject(values)) throw unexpected(values, 'values', 'object', unnamed ? 0 : 1);
  const hasName = name !== undefined && name !== null;
  if (hasName && typeof name !== 'string') throw unexpected(name, 'name', 'string', 0);
  const constants = readValues(values);
  if (hasName) checkName(name);
  const chosen = storage ?? undefined;
  const integer = chosen === undefined ? storageFor(constants) : readStorage(chosen);
  const { derived: _, ...own } = internals(integer);
  const type = makeType({
    ...own,
    name: hasName ? name : anonymousName(),
    character: false,
    values: constants,
  });
  if (hasName) define(name, type);
  return type;
}

module.exports = { enumeration };
