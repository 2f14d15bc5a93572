'use strict';
// `koffi.decode`: values out of memory.

const { views, TOP, END, hold } = require('../core/memory.js');
const { FROM, countUnits, loadPointed } = require('../core/routines.js');
const { decodeText, findNul } = require('../core/text.js');
const { invalidType, unexpected, wrongCount } = require('./errors.js');
const { functionAt } = require('./functions.js');
const { planOf } = require('./plans.js');
const { readAt, readMany } = require('./reading.js');
const references = require('./references.js');
const { internals } = require('./types/model.js');
const arrays = require('./values/arrays.js');

const { u32 } = views;

/** A number of bytes or elements from an argument. */
function toNumber(value, what) {
  if (typeof value === 'number') return Math.trunc(value);
  if (typeof value === 'bigint') return Number(value);
  throw unexpected(value, what, 'number');
}

/** Reads one value of a type. */
function readOne(value, offset, plan, purpose) {
  const { size } = plan;
  if (plan.read === undefined) plan.compile();
  const top = u32[TOP];
  const at = (top + 63) & ~63;
  if (size > END - at) return readLarge(value, offset, plan, purpose);
  const length = references.point(value, FROM, purpose);
  if (length !== Infinity && !(offset >= 0 && offset + size <= length)) {
    throw references.outside(offset, size, plan.name);
  }
  loadPointed(offset, at, size);
  hold(value);
  u32[TOP] = at + size;
  try {
    return plan.read(at);
  } finally {
    u32[TOP] = top;
  }
}

/** Reads one value that does not fit frame memory. */
function readLarge(value, offset, { type, size, name }, purpose) {
  const reference = references.toReference(value, purpose);
  references.checkBounds(reference, offset, size, name);
  return readAt(reference, offset, type);
}

/** How elements in a row become JavaScript. */
function hintOf({ kind, character, values }) {
  if (character) return 'String';
  return (kind === 'int' || kind === 'float') && values === undefined ? 'Typed' : 'Array';
}

const END_MARKED = new Set(['int', 'pointer', 'string', 'callback']);

/** How many elements stand before the zero one, or before the end of what is known. */
function countBeforeZero(reference, offset, own) {
  const { kind, size, name } = own;
  if (!END_MARKED.has(kind) || (kind === 'int' && size > 4)) {
    throw invalidType(`Cannot determine null-terminated length for type ${name}`);
  }
  if (typeof reference === 'bigint') return countUnits(reference + BigInt(offset), size);
  references.checkBounds(reference, offset, 0, name);
  const end = findNul(reference, offset, reference.length, size);
  return Math.floor((end - offset) / size);
}

/** Reads `count` elements in a row. */
function readList(reference, offset, type, count, hint) {
  const { size, name } = internals(type);
  references.checkLength(count, size);
  if (!references.fits(reference, offset, size * count)) {
    throw references.outside(offset, size * count, `${name}[${count}]`);
  }
  return readMany(reference, offset, type, count, hint);
}

function readLength(reference, offset, type, length) {
  const own = internals(type);
  if (length >= 0) return readList(reference, offset, type, length, hintOf(own));
  const count = countBeforeZero(reference, offset, own);
  const hint = own.kind === 'int' ? hintOf(own) : 'Array';
  return readList(reference, offset, type, count, hint);
}

/** `decode(reference, [offset,] type[, length])` */
function decode(...args) {
  const count = args.length;
  if (count < 2) throw wrongCount('2 to 4', count);
  const reference = args[0];
  const second = args[1];
  const shifted = typeof second === 'number' || typeof second === 'bigint';
  if (shifted && count < 3) throw wrongCount('3 or 4', count);
  const offset = shifted ? toNumber(second, 'offset') : 0;
  const plan = planOf(shifted ? args[2] : second);
  const length = shifted ? args[3] : args[2];
  if (plan.kind === 'prototype') return functionAt(plan.own.proto, toCode(reference, offset));
  if (plan.size === 0) throw invalidType(`Cannot decode value of type ${plan.name}`);
  if (length === undefined || length === null) return readOne(reference, offset, plan, 'reference');
  const from = references.toReference(reference);
  return readLength(from, offset, plan.type, toNumber(length, 'length'));
}

/** The address of code. */
function toCode(reference, offset) {
  const from = references.toReference(reference);
  const address = typeof from === 'bigint' ? from : references.addressOfView(reference);
  return address + BigInt(offset);
}

/** What a fast reader does where the pointer is no plain address. */
function readNumber(ptr, name) {
  if (ptr === undefined) throw wrongCount('1', 0);
  return readOne(ptr, 0, planOf(name), 'ptr');
}

/** Reads text at a pointer: up to its terminator, or `length` units of it at most. */
function readText(unit, args) {
  if (args.length === 0) throw wrongCount('1 to 2', 0);
  const [ptr, length] = args;
  if (ptr === null || ptr === undefined) return null;
  const from = references.toReference(ptr, 'ptr');
  const given = length === undefined || length === null ? -1 : toNumber(length, 'length');
  references.checkLength(given, unit);
  if (typeof from !== 'bigint') {
    const end = given < 0 ? from.length : Math.min(given * unit, from.length);
    return decodeText(from, 0, findNul(from, 0, end, unit), unit);
  }
  const size = (given < 0 ? countUnits(from, unit) : given) * unit;
  return arrays.readText(references.bytesFrom(from, 0, size), unit);
}

module.exports = { countBeforeZero, decode, hintOf, readNumber, readText, toNumber };
