'use strict';
// The table of type names: primitives, which stay, and what programs define, until `reset`.
// Structs, unions, enumerations, aliases, named pointers and prototypes share it.

const { isArray } = require('../../core/primordials.js');
const { malformed } = require('../errors.js');

/**
 * Names of the primitives and their aliases, filled once by primitives.js: the types, or rows of its
 * table, of which types are made when they are first looked up.
 */
const builtin = new Map();
/** Makes a type of a row. */
let makePrimitive;
/** First words of the names with several, which only primitives have. */
const heads = new Set(['unsigned', 'long']);
/** Names that programs defined: single words. */
const defined = new Map();
/** Types by the strings that were resolved to them. */
const resolved = new Map();
/** How many strings are remembered. */
const MAX_RESOLVED = 4096;

const ASCII_IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
/**
 * The same with letters of other languages, made when it is needed. V8 checks literals when it reads
 * the function that they are in, which takes 0.3 ms for properties of Unicode.
 */
let identifier;

/** Whether a string can be a name. */
function isIdentifier(name) {
  if (ASCII_IDENTIFIER.test(name)) return true;
  // biome-ignore lint/complexity/useRegexLiterals: see above
  identifier ??= new RegExp('^[\\p{XID_Start}_]\\p{XID_Continue}*$', 'u');
  return identifier.test(name);
}

let anonymous = 0;

/** The type of a name; undefined when there is none. */
function lookup(name) {
  const found = builtin.get(name);
  if (found === undefined) return defined.get(name);
  return isArray(found) ? makePrimitive(found) : found;
}

/** Says what makes a type of a row. */
function makeWith(make) {
  makePrimitive = make;
}

/** A name for a type that was given none. */
const anonymousName = () => `<anonymous_${++anonymous}>`;

/** Checks that a name can be given to a new type. */
function checkName(name) {
  if (!isIdentifier(name)) throw malformed(`Invalid type name '${name}'`);
  if (lookup(name) !== undefined) throw malformed(`Duplicate type name '${name}'`);
}

/** Gives a type a name that was checked. */
function define(name, type) {
  defined.set(name, type);
}

/** Defines a name for as long as `make` runs, and for good when it returns. */
function defining(name, type, make) {
  defined.set(name, type);
  try {
    return make();
  } catch (error) {
    defined.delete(name);
    resolved.clear();
    throw error;
  }
}

/** What `make` returns for a type string, remembered. */
function remember(text, make) {
  let type = resolved.get(text);
  if (type === undefined) {
    type = make(text);
    if (resolved.size >= MAX_RESOLVED) resolved.clear();
    resolved.set(text, type);
  }
  return type;
}

let resets = 0;

/** Counts `reset`s: type strings mean something else after each. */
const generation = () => resets;

/** Forgets what programs defined. */
function reset() {
  resets++;
  defined.clear();
  resolved.clear();
}

module.exports = {
  anonymousName,
  builtin,
  checkName,
  define,
  defining,
  generation,
  heads,
  isIdentifier,
  lookup,
  makeWith,
  remember,
  reset,
};
