'use strict';
// Members whose number of elements another member holds: pointers, and the flexible array at the
// end of a struct.

const { views, TOP } = require('../../core/memory.js');
const { fetch } = require('../../core/routines.js');
const { isArray } = require('../../core/primordials.js');
const { failure } = require('../errors.js');
const { internals } = require('../types/model.js');
const { readItems } = require('./arrays.js');
const codecs = require('./codecs.js');

const { u32 } = views;

/** How many elements a value has; undefined when it is no list. */
function countOf(value, { size }) {
  if (isArray(value)) return value.length;
  if (ArrayBuffer.isView(value)) return Math.floor(value.byteLength / size);
  if (value instanceof ArrayBuffer) return Math.floor(value.byteLength / size);
  return typeof value === 'string' ? value.length : undefined;
}

/** Checks a value against the counter of its struct; `own` are the internals of its type. */
function checkCount({ countedBy, ref, length, name }, holder, value) {
  const count = countOf(value, internals(ref));
  if (count === undefined) return;
  if (count !== Number(holder[countedBy] ?? 0)) {
    throw failure(`Mismatched dynamic length between '${countedBy}' and actual array`);
  }
  if (length !== undefined && count > length) {
    throw failure(`Array of ${count} elements is too long for type ${name} (max = ${length})`);
  }
}

/** The elements behind a pointer cell. */
function readBehind(type, cell, count) {
  const top = u32[TOP];
  try {
    const { size } = internals(type);
    const at = fetch(cell, size * count);
    return at < 0 ? null : readItems(type, hintOf(type), at, count);
  } finally {
    u32[TOP] = top;
  }
}

/** How elements behind a pointer become JavaScript. */
function hintOf(type) {
  const { kind, values } = internals(type);
  return (kind === 'int' || kind === 'float') && values === undefined ? 'Typed' : 'Array';
}

/** A counter as a number of elements, no more than there is room for. */
const toCount = (value, max) => Math.max(0, Math.min(Number(value), max ?? Number(value)));

/** The codec of a member with a counter; undefined for other members. */
function codecOf(record, { type }) {
  const own = internals(type);
  if (own.countedBy === undefined) return undefined;
  const base = codecs.codecOf(type);
  const counter = record.byName.get(own.countedBy);
  const check = (holder, value) => checkCount(own, holder, value);
  const read =
    own.kind === 'array'
      ? (at, count) => readItems(own.ref, own.hint, at, toCount(count, own.length))
      : (at, count) => readBehind(own.ref, at, toCount(count));
  return {
    ...base,
    simple: false,
    readsInPlace: false,
    put: base.put,
    take(g, value, where, holder) {
      g.emit(`${g.constant(check)}(${holder}, ${value});`);
      return base.take(g, value, where);
    },
    get(g, ref, recordRef) {
      const count = codecs.codecOf(counter.type).get(g, recordRef.plus(counter.offset));
      return g.local(`${g.constant(read)}(${ref}, ${count})`);
    },
  };
}

module.exports = { checkCount, codecOf, countOf, hintOf, toCount };
