'use strict';
// `koffi.encode`: values into memory.

const { views, TOP, END, hold } = require('../core/memory.js');
const { TO, storePointed } = require('../core/routines.js');
const { invalid, invalidType, wrongCount } = require('./errors.js');
const { toNumber } = require('./decode.js');
const { planOf } = require('./plans.js');
const references = require('./references.js');
const { internals } = require('./types/model.js');
const { writeAt, writeMany } = require('./writing.js');

const { u32 } = views;

/** Writes one value without pointers. */
function writeSimple(value, offset, plan, given) {
  const { size } = plan;
  const top = u32[TOP];
  const at = (top + 63) & ~63;
  if (size > END - at) {
    writeOne(references.toReference(value), offset, plan.type, given);
    return;
  }
  u32[TOP] = at + size;
  try {
    plan.write(given, at, objectInfo);
    const length = references.point(value, TO, 'reference');
    if (length !== Infinity && !(offset >= 0 && offset + size <= length)) {
      throw references.outside(offset, size, plan.name);
    }
    storePointed(offset, at, size);
    hold(value);
  } finally {
    u32[TOP] = top;
  }
}

function writeOne(reference, offset, type, value) {
  const { size, name } = internals(type);
  references.checkBounds(reference, offset, size, name);
  writeAt(reference, offset, type, value, expectedOf(type) ?? { path: '', expected: name });
}

const objectInfo = { path: '', expected: 'object' };

/** What a value of a record or array type has to be. */
function expectedOf(type) {
  const { kind } = internals(type);
  if (kind === 'struct' || kind === 'union') return objectInfo;
  return kind === 'array' ? { path: '', expected: 'array' } : undefined;
}

/** `encode(reference, [offset,] type, value[, length])` */
function encode(...args) {
  const given = args.length;
  if (given < 3) throw wrongCount('3 to 5', given);
  const reference = args[0];
  const shifted = typeof args[1] === 'number' || typeof args[1] === 'bigint';
  if (shifted && given < 4) throw wrongCount('4 or 5', given);
  const offset = shifted ? toNumber(args[1], 'offset') : 0;
  const plan = planOf(shifted ? args[2] : args[1]);
  const value = shifted ? args[3] : args[2];
  const length = shifted ? args[4] : args[3];
  if (plan.size === 0 || plan.kind === 'prototype') {
    throw invalidType(`Cannot encode value of type ${plan.name}`);
  }
  if (plan.write === undefined) plan.compile();
  const isOne = length === undefined || length === null;
  if (isOne && plan.simple) {
    writeSimple(reference, offset, plan, value);
    return;
  }
  const to = references.toReference(reference);
  if (isOne) {
    writeOne(to, offset, plan.type, value);
    return;
  }
  const count = toNumber(length, 'length');
  const fits = count >= 0 ? count : countThatFits(to, offset, plan.own);
  references.checkLength(fits, plan.size);
  references.checkBounds(to, offset, plan.size * fits, `${plan.name}[${fits}]`);
  writeMany(to, offset, plan.type, value, fits);
}

/** As many elements as a reference has room for; those that are not given become zero. */
function countThatFits(to, offset, { size }) {
  if (typeof to === 'bigint') {
    throw invalid('Nobody knows how much memory is at a pointer: a length is needed');
  }
  return Math.max(0, Math.floor((to.length - offset) / size));
}

module.exports = { encode };
