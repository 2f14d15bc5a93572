'use strict';
// Types that are made of another one: pointers, arrays and disposable types.
// The same pointer or array of the same type is made once, and is the same object from then on.

const { failure, invalid, invalidType, malformed } = require('../errors.js');
const { MAX_DEPTH, POINTER, internals, makeType, pointerName } = require('./model.js');
const { anonymousName } = require('./names.js');
const { maxTypeSize } = require('./settings.js');

/** A type derived from another, made once. */
function once(type, key, make) {
  const { derived } = internals(type);
  let made = derived.get(key);
  if (made === undefined) {
    made = make();
    derived.set(key, made);
  }
  return made;
}

/** The internals of a pointer to a type: a string, a callback or a plain pointer. */
function pointerInternals(type) {
  const { kind, name, size, character, proto } = internals(type);
  const own = { ...POINTER, name: pointerName(name), ref: type };
  if (character) {
    return {
      ...own,
      kind: 'string',
      primitive: size === 1 ? 'String' : `String${size * 8}`,
      unit: size,
    };
  }
  if (kind === 'prototype') return { ...own, kind: 'callback', primitive: 'Callback', proto };
  return { ...own, primitive: 'Pointer' };
}

/** The pointer to a type. */
const pointerTo = (type) => once(type, '*', () => makeType(pointerInternals(type)));

/**
 * A pointer type of its own: with a name, or to as many elements as the sibling member
 * `countedBy` says.
 */
function pointerType(type, { name, countedBy }) {
  const own = pointerInternals(type);
  return makeType({ ...own, name: name ?? own.name, countedBy });
}

/** Whether arrays of a type can be typed arrays. The numbers of an enumeration are not taken for such. */
const isNumber = ({ kind, values }) => (kind === 'int' && values === undefined) || kind === 'float';

/** How an array becomes JavaScript when its declaration does not say. */
function defaultHint(own) {
  if (own.character) return 'String';
  return isNumber(own) ? 'Typed' : 'Array';
}

/** Reads a hint that was given. */
function checkHint(own, given) {
  const hint = given.charAt(0).toUpperCase() + given.slice(1);
  switch (hint) {
    case 'Array':
      return hint;
    case 'Typed':
    case 'Buffer':
      if (isNumber(own)) return hint;
      throw malformed(`Array hint '${hint}' cannot be used with type ${own.name}`);
    case 'String':
      if (own.kind === 'int' && own.signed && !own.swapped && own.size < 8) return hint;
      throw malformed(
        "Array hint 'String' can only be used with 8, 16 and 32-bit signed integer types",
      );
    default:
      throw failure("Array conversion hint must be 'Typed', 'Array' or 'String'");
  }
}

/** Checks that there can be an array of `length` elements of a type. */
function checkLength(own, length) {
  if (own.size === 0 || own.kind === 'prototype') {
    throw invalidType('Cannot make array of empty or incomplete type');
  }
  if (!(length > 0)) throw invalid('Array length must be positive and non-zero');
  const max = Math.floor(maxTypeSize() / own.size);
  if (length > max) throw invalidType(`Array length is too high (max = ${max})`);
  if (own.depth >= MAX_DEPTH) {
    throw invalidType(`Type ${own.name} is nested too deeply (max = ${MAX_DEPTH})`);
  }
}

/**
 * The array of `length` elements of a type.
 * @param {string} [given] the hint
 * @param {string} [countedBy] the member of a struct that says how many of them are there
 */
function arrayOf(type, length, given, countedBy) {
  const own = internals(type);
  checkLength(own, length);
  const hint = given === undefined ? defaultHint(own) : checkHint(own, given);
  return once(type, `[${length}] ${hint} ${countedBy ?? ''}`, () =>
    makeType({
      kind: 'array',
      name: `${own.name}[${length}]`,
      primitive: 'Array',
      size: own.size * length,
      align: own.align,
      depth: own.depth + 1,
      leaves: own.leaves,
      notation: () => `${own.notation()}[${length}]`,
      ref: type,
      length,
      hint,
      countedBy,
    }),
  );
}

/** Whether a type is a pointer or string, which can be disposable and have a direction. */
const isPointer = ({ kind }) => kind === 'pointer' || kind === 'string';

/**
 * A copy of a pointer or string type whose values are given to `func` after they were read.
 * @param {Function} [func] C's `free` when undefined
 */
function disposableOf(type, name = anonymousName(), func) {
  const { derived: _, ...own } = internals(type);
  return makeType({ ...own, name, dispose: Object.freeze({ func }) });
}

module.exports = { arrayOf, disposableOf, isPointer, pointerTo, pointerType };
