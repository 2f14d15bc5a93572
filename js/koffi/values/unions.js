'use strict';
// Codecs of unions. In JavaScript a union is a value of `koffi.Union`, or an object with the one
// member that is meant.

const { views, TOP, END, overflow } = require('../../core/memory.js');
const { failure, invalid, mismatch } = require('../errors.js');
const { internals } = require('../types/model.js');
const unionValues = require('../types/union-values.js');
const codecs = require('./codecs.js');

const { unionFromBytes, unionState } = unionValues;
const { u8, u32 } = views;

const isUnion = (value) => unionState(value) !== undefined;

/** Reads a value of a type from bytes outside frame memory. */
function readBytes(type, bytes) {
  const top = u32[TOP];
  try {
    const at = (top + 63) & ~63;
    const { size } = internals(type);
    if (size > END - at) throw overflow();
    u32[TOP] = at + size;
    u8.set(bytes.subarray(0, size), at);
    return codecs.readerOf(type)(at);
  } finally {
    u32[TOP] = top;
  }
}

unionValues.readUnionsWith(readBytes);

/** The member that an object with a single property means, and its value. */
function singleMember(own, value) {
  const keys = Object.keys(value);
  if (keys.length !== 1) throw failure('Expected object with single property name for union');
  const member = own.byName.get(keys[0]);
  if (member === undefined) throw failure(`Unknown member ${keys[0]} in union type ${own.name}`);
  return { member, given: value[keys[0]] };
}

/** Writes a union to an offset. */
function write(type, own, value, at, info, store) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw mismatch(info, value);
  }
  const state = unionState(value);
  if (state === undefined) {
    const { member, given } = singleMember(own, value);
    writeMember(own, member, given, at, store);
    return;
  }
  if (state.type !== type) {
    throw invalid(`Expected union type ${own.name}, got ${internals(state.type).name}`);
  }
  if (state.bytes !== undefined) u8.set(state.bytes, at);
  else if (state.active === undefined) throw failure('Cannot use ambiguous empty union');
  else writeMember(own, state.active, state.value, at, store);
}

function writeMember(own, member, value, at, store) {
  u8.fill(0, at, at + own.size);
  if (value === undefined) return;
  const info = { path: `.${member.name}`, expected: internals(member.type).name };
  codecs.writerAt(member.type, store, at)(value, at, info);
}

/** A copy of the bytes of a union at an offset. */
const bytesOf = (own, at) => u8.slice(at, at + own.size);

/** Gives a union value that was passed the bytes that C left. */
function assign(value, at) {
  const { type } = unionState(value);
  unionValues.fillUnion(value, bytesOf(internals(type), at));
}

function union(type, own) {
  const put = (value, at, info, store) => write(type, own, value, at, info, store);
  const read = (at) => unionFromBytes(type, bytesOf(own, at));
  return {
    get notation() {
      return own.notation();
    },
    size: own.size,
    align: own.align,
    simple: false,
    readsInPlace: true,
    spills: true,
    transient: true,
    hasPointers: true,
    take: (_g, value, where) => ({ value, where }),
    put(g, { value, where }, ref) {
      const info = g.constant({ ...where, expected: 'object' });
      g.emit(`${g.constant(put)}(${value}, ${ref}, ${info}, store);`);
    },
    get: (g, ref) => g.local(`${g.constant(read)}(${ref})`),
  };
}

module.exports = { assign, isUnion, readBytes, union };
