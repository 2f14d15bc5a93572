'use strict';
// Structs and unions.

const { invalidType, malformed, unexpected, wrongCount } = require('../errors.js');
const { MAX_DEPTH, complete, internals, makeType, recordInternals } = require('./model.js');
const { anonymousName, checkName, defining, isIdentifier } = require('./names.js');
const { maxTypeSize } = require('./settings.js');
const { resolve } = require('./strings.js');
const { VALUELESS, variadicCallback } = require('./prototypes.js');

const ALIGNMENTS = new Set([1, 2, 4, 8]);

/** Internals of a type that has no members yet. */
const opaqueInternals = (name) => ({
  kind: 'opaque',
  name,
  primitive: 'Void',
  size: 0,
  align: 0,
  notation() {
    throw invalidType(`Cannot directly use incomplete type ${name}`);
  },
});

/** A type without members, for now. */
const makeOpaque = (name) => makeType(opaqueInternals(name));

/** Reads one member: a type, or `[align, type]`. */
function readMember(name, specifier) {
  if (name !== '_' && !isIdentifier(name)) throw malformed(`Invalid member name '${name}'`);
  if (!Array.isArray(specifier)) return { name, specifier, align: undefined };
  const [align, type] = specifier;
  if (specifier.length !== 2 || typeof align !== 'number') {
    throw malformed('Member specifier array must contain alignement value and type');
  }
  if (!ALIGNMENTS.has(align)) {
    throw malformed(`Alignment of member '${name}' must be 1, 2, 4 or 8`);
  }
  return { name, specifier: type, align };
}

/** Checks that a type can be the type of a member. */
function checkMember(type) {
  const own = internals(type);
  if (VALUELESS.has(own.kind) || variadicCallback(own)) {
    throw invalidType(`Type ${own.name} cannot be used as a member (maybe try ${own.name} *)`);
  }
  if (own.depth >= MAX_DEPTH) {
    throw invalidType(`Type ${own.name} is nested too deeply (max = ${MAX_DEPTH})`);
  }
}

/** Resolves the types of members. No code of users runs from here on. */
function resolveMembers(drafts) {
  return drafts.map(({ name, specifier, align }) => {
    const type = resolve(specifier);
    checkMember(type);
    return { name, type, align, padding: name === '_' };
  });
}

/** Checks the size of a record before and after it is laid out. */
function checkSize(kind, name, size) {
  const max = maxTypeSize();
  if (size <= max) return;
  const word = kind === 'struct' ? 'Struct' : 'Union';
  const mebibytes = (max / (1024 * 1024)).toFixed(2);
  throw malformed(`${word} '${name}' size is too high (max = ${mebibytes} MiB)`);
}

/** Checks the members whose element count another member says. */
function checkCounted(kind, name, { members, byName }) {
  members.forEach((member, i) => {
    const { kind: of, countedBy } = internals(member.type);
    if (countedBy === undefined) return;
    if (kind === 'union') {
      throw invalidType('Cannot use dynamic-length array or pointer inside of union');
    }
    if (of === 'array' && i !== members.length - 1) {
      throw malformed(`Flexible array '${member.name}' is not the last member of struct`);
    }
    const counter = byName.get(countedBy);
    if (counter === undefined) {
      throw malformed(`Record type ${name} does not have member '${countedBy}'`);
    }
    if (internals(counter.type).kind !== 'int') {
      throw malformed(`Dynamic length member ${countedBy} is not an integer`);
    }
  });
}

/** The internals of a record, checked. */
function layOut(kind, name, list, packed) {
  const sizes = list.map(({ type }) => internals(type).size);
  const least = kind === 'struct' ? (a, b) => a + b : (a, b) => Math.max(a, b);
  checkSize(kind, name, sizes.reduce(least));
  const record = recordInternals(kind, list, packed);
  checkSize(kind, name, record.size);
  checkCounted(kind, name, record);
  return record;
}

/** The name and the members of a definition. */
function readArguments(args) {
  if (args.length === 0) throw wrongCount('1 or 2', 0);
  const [first, second] = args;
  const isMembers = typeof first === 'object' && first !== null && internals(first) === undefined;
  const unnamed = args.length === 1 && isMembers;
  const name = unnamed ? undefined : (first ?? undefined);
  const members = unnamed ? first : second;
  if (typeof members !== 'object' || members === null || Array.isArray(members)) {
    throw unexpected(members, 'members', 'object', unnamed ? 0 : 1);
  }
  if (name !== undefined && typeof name !== 'string' && internals(name) === undefined) {
    throw unexpected(name, 'name', 'string', 0);
  }
  return { name, members };
}

/** Checks that a type may get members. */
function checkIncomplete(type) {
  const { incomplete, name } = internals(type);
  if (!incomplete) throw invalidType(`Cannot redefine non-opaque type ${name}`);
}

/**
 * Defines a struct or union. The name may be an opaque type, which gets the members.
 * @param {'struct' | 'union'} kind
 * @param {unknown[]} args `[name,] members`
 * @param {{ packed?: boolean }} [options]
 */
function defineRecord(kind, args, { packed = false } = {}) {
  const { name, members } = readArguments(args);
  const given = internals(name) === undefined ? undefined : name;
  if (given !== undefined) checkIncomplete(given);
  if (typeof name === 'string') checkName(name);
  const drafts = Object.keys(members).map((key) => readMember(key, members[key]));

  // What the members' getters may have done in the meantime is checked again.
  if (given !== undefined) checkIncomplete(given);
  if (typeof name === 'string') checkName(name);
  const type = given ?? makeOpaque(name ?? anonymousName());
  const own = internals(type);
  if (drafts.length === 0) throw malformed(`Empty type '${own.name}' is not allowed in C`);
  const fill = () => {
    complete(type, layOut(kind, own.name, resolveMembers(drafts), packed));
    return type;
  };
  return typeof name === 'string' ? defining(name, type, fill) : fill();
}

module.exports = { defineRecord, makeOpaque };
