'use strict';
// Codecs of unions. In JavaScript a union is a value of `koffi.Union`, or an object with the one
// member that is meant.

const { views } = require('../../core/memory.js');
const { failure, invalid, mismatch } = require('../errors.js');
const { internals } = require('../types/model.js');
const unionValues = require('../types/union-values.js');
const codecs = require('./codecs.js');

const { unionFromBytes, unionState } = unionValues;
const { u8 } = views;

const isUnion = (value) => unionState(value) !== undefined;

/** Reads a value of a type from bytes outside frame memory. */
const readBytes = (type, bytes) => require('../reading.js').readAt(bytes, 0, type);

unionValues.readUnionsWith(readBytes);

/** The member that an object with a single property means, and its value. */
function singleMember(own, value) {
  const keys = Object.keys(value);
  if (keys.length !== 1) throw failure('Expected object with single property name for union');
  const member = own.byName.get(keys[0]);
  if (member === undefined) throw failure(`Unknown member ${keys[0]} in union type ${own.name}`);
  return { member, given: value[keys[0]] };
}

/**
 * What a JavaScript value says of a union: its `bytes`, or a `member` and the value `given` for it.
 */
function stateOf(type, own, value, info) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw mismatch(info, value);
  }
  const state = unionState(value);
  if (state === undefined) return singleMember(own, value);
  if (state.type !== type) {
    throw invalid(`Expected union type ${own.name}, got ${internals(state.type).name}`);
  }
  if (state.bytes !== undefined) return { bytes: state.bytes };
  if (state.active === undefined) throw failure('Cannot use ambiguous empty union');
  return { member: state.active, given: state.value };
}

/** Writes a union to an offset. */
function write(type, own, value, at, info, store) {
  const { bytes, member, given } = stateOf(type, own, value, info);
  if (bytes !== undefined) u8.set(bytes, at);
  else writeMember(own, member, given, at, store);
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

module.exports = { assign, isUnion, stateOf, union };
