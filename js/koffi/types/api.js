'use strict';
// The functions of `koffi` that make types and look into them.

const { invalid, invalidType, unexpected, wrongCount } = require('../errors.js');
const { TypeObject, internals, makeType } = require('./model.js');
const { anonymousName, checkName, define } = require('./names.js');
const { arrayOf, disposableOf, isPointer, pointerTo, pointerType } = require('./derived.js');
const { DirectedType, IN, INOUT, OUT } = require('./directions.js');
const { POINTER } = require('./model.js');
const { enumeration } = require('./enumerations.js');
const { defineRecord, makeOpaque } = require('./records.js');
const { readDeclaration } = require('./prototypes.js');
const { declaration } = require('./signatures.js');
const { Union } = require('./union-values.js');
const { resolve } = require('./strings.js');
const { allTypes } = require('./primitives.js');

const MAX_POINTER_COUNT = 4;

const isMissing = (value) => value === undefined || value === null;

/** The name of a definition: checked, or undefined when none is given. */
function readName(name) {
  if (isMissing(name)) return undefined;
  if (typeof name !== 'string') throw unexpected(name, 'name', 'string', 0);
  checkName(name);
  return name;
}

/** Gives a new type its name, if it has one. */
function named(name, type) {
  if (name !== undefined) define(name, type);
  return type;
}

const struct = (...args) => defineRecord('struct', args);
const pack = (...args) => defineRecord('struct', args, { packed: true });
const union = (...args) => defineRecord('union', args);

/** `opaque([name])` */
function opaque(name) {
  const checked = readName(name);
  return named(checked, makeOpaque(checked ?? anonymousName()));
}

/** `alias(name, type)` */
function alias(...args) {
  if (args.length < 2) throw wrongCount('2', args.length);
  const [name, specifier] = args;
  if (typeof name !== 'string') throw unexpected(name, 'name', 'string', 0);
  const type = resolve(specifier);
  checkName(name);
  define(name, type);
  return type;
}

/** Reads the last argument of `pointer`: how many pointers deep, or the name of a member. */
function readDepth(value, index) {
  if (value === undefined) return { count: 1 };
  if (typeof value === 'string') return { count: 1, countedBy: value };
  if (typeof value !== 'number') throw unexpected(value, 'count', 'number', index);
  const count = Math.trunc(value);
  if (!(count >= 1 && count <= MAX_POINTER_COUNT)) {
    throw invalid(`Value of count must be between 1 and ${MAX_POINTER_COUNT}`);
  }
  return { count };
}

/** `pointer(type[, count])`, `pointer(name, type[, count | countedBy])` */
function pointer(...args) {
  if (args.length === 0) throw wrongCount('1 to 3', 0);
  const short = args.length === 1 || typeof args[1] === 'number';
  const [name, specifier, last] = short ? [undefined, ...args] : args;
  let type = resolve(specifier);
  const { count, countedBy } = readDepth(last, short ? 1 : 2);
  const checked = readName(name);
  for (let i = 1; i < count; i++) type = pointerTo(type);
  if (checked === undefined && countedBy === undefined) return pointerTo(type);
  return named(checked, pointerType(type, { name: checked, countedBy }));
}

/** Reads a number of elements. */
function readCount(value, what, index) {
  if (typeof value !== 'number') throw unexpected(value, what, 'integer', index);
  return Math.trunc(value);
}

/** `array(type, length[, hint])`, `array(type, countedBy, maxLength[, hint])` */
function array(...args) {
  if (args.length < 2) throw wrongCount('2 to 4', args.length);
  const type = resolve(args[0]);
  const counted = typeof args[1] === 'string';
  if (counted && args.length < 3) throw invalid('Missing maxLen argument', { argument: 2 });
  const [length, hint] = counted ? args.slice(2) : args.slice(1);
  const count = readCount(length, counted ? 'maxLen' : 'len', counted ? 2 : 1);
  if (!isMissing(hint) && typeof hint !== 'string')
    throw unexpected(hint, 'hint', 'string', counted ? 3 : 2);
  return arrayOf(type, count, hint ?? undefined, counted ? args[1] : undefined);
}

/** The error of a type that is no pointer. */
const notPointer = (own) =>
  invalidType(`Unexpected ${own.name} type, expected pointer or string type`);

/** `disposable([name,] type[, func])` */
function disposable(...args) {
  if (args.length === 0) throw wrongCount('1 or 2', 0);
  const short = args.length === 1 || typeof args[1] === 'function';
  const [name, specifier, func] = short ? [undefined, ...args] : args;
  const type = resolve(specifier);
  const own = internals(type);
  if (!isPointer(own)) throw notPointer(own);
  if (own.dispose !== undefined) {
    throw invalidType(`Cannot use disposable type '${own.name}' to create new disposable`);
  }
  if (!isMissing(func) && typeof func !== 'function')
    throw unexpected(func, 'func', 'function', short ? 1 : 2);
  const checked = readName(name);
  return named(checked, disposableOf(type, checked, func ?? undefined));
}

/** `proto(prototype)`, `proto([convention,] [name,] result, parameters)` */
function proto(...args) {
  const draft = readDeclaration(args, { anonymous: true });
  const given = draft.name;
  if (typeof given === 'number') throw unexpected(given, 'name', 'string');
  const name = readName(given) ?? anonymousName();
  const own = { kind: 'prototype', name, primitive: 'Prototype', proto: declaration(draft, name) };
  return named(given, makeType({ ...POINTER, ...own }));
}

/** A function that gives a type a direction. */
function marker(direction) {
  return (...args) => {
    if (args.length === 0) throw wrongCount('1', 0);
    const type = resolve(args[0]);
    const own = internals(type);
    if (!isPointer(own)) throw notPointer(own);
    return new DirectedType(type, direction);
  };
}

/** The type of a type specifier. */
function type(...args) {
  if (args.length === 0) throw wrongCount('1', 0);
  return resolve(args[0]);
}

const sizeof = (...args) => internals(type(...args)).size;
const alignof = (...args) => internals(type(...args)).align;

/** `offsetof(record, member)` */
function offsetof(...args) {
  if (args.length < 2) throw wrongCount('2', args.length);
  const { kind, name, byName } = internals(resolve(args[0]));
  const member = args[1];
  if (kind !== 'struct') {
    throw invalidType('The offsetof() function can only be used with record types');
  }
  if (typeof member !== 'string') throw unexpected(member, 'member', 'string', 1);
  const found = byName.get(member);
  if (found === undefined) {
    throw invalid(`Record type ${name} does not have member '${member}'`, { argument: 1 });
  }
  return found.offset;
}

const api = {
  TypeObject,
  Union,
  alias,
  alignof,
  array,
  callback: proto,
  disposable,
  enumeration,
  handle: opaque,
  in: marker(IN),
  inout: marker(INOUT),
  introspect: type,
  offsetof,
  opaque,
  out: marker(OUT),
  pack,
  pointer,
  proto,
  resolve: type,
  sizeof,
  struct,
  type,
  get types() {
    return allTypes();
  },
  union,
};

module.exports = { api };
