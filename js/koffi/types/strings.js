'use strict';
// Type strings, and what else is accepted where a type is.
//
//   string := "const"* word+ suffix*
//   suffix := "*" | "!" | "const" | "[" number "]"
//
// `*` makes a pointer, `[n]` an array and `!` a disposable type of what stands left of it, so
// `int[2][3]` is 3 times `int[2]`.

const { invalidType, kindOf, malformed } = require('../errors.js');
const { DirectedType } = require('./directions.js');
const { internals } = require('./model.js');
const { heads, lookup, remember } = require('./names.js');
const { arrayOf, disposableOf, isPointer, pointerTo } = require('./derived.js');
const { Scanner } = require('./scanner.js');
// Fills the table of names.
require('./primitives.js');

/** The longest name, `unsigned long long`, in words. */
const MAX_WORDS = 3;
/** How many `*` and `[n]` a type string may have. */
const MAX_INDIRECTIONS = 8;

const unknown = (name) => invalidType(`Unknown or invalid type name '${name}'`);

/** Goes past the qualifiers that are ignored. */
function skipConst(scanner) {
  while (scanner.isWord('const')) scanner.next();
}

/**
 * Reads the words at the scanner that may be a name: all of them, but no more than can be looked
 * at.
 * @returns {{ words: string[], marks: number[], all: boolean }} with the token behind each word,
 *   and whether no further word follows
 */
function readWords(scanner) {
  const words = [];
  const marks = [];
  while (scanner.isWord() && words.length < MAX_WORDS) {
    words.push(scanner.text);
    scanner.next();
    marks.push(scanner.mark());
  }
  return { words, marks, all: !scanner.isWord() };
}

/** How many of the words at most are one name. */
const longestName = (words) => (heads.has(words[0]) ? words.length : Math.min(1, words.length));

/** Reads the length behind a bracket. */
function readLength(scanner) {
  const { kind, text } = scanner;
  const invalidLength = () => malformed('Invalid array length');
  if (kind !== 'number') throw invalidLength();
  scanner.next();
  if (!scanner.accept(']')) throw malformed("Expected ']' after array length");
  const length = Number(text);
  if (length === 0 || length >= 2 ** 64) throw invalidLength();
  return length;
}

/**
 * Reads what follows the name of a type.
 * @param {boolean} arrays whether lengths in brackets belong to it
 * @returns {('*' | '!' | number)[]}
 */
function readSuffixes(scanner, arrays) {
  const suffixes = [];
  let indirections = 0;
  for (;;) {
    if (scanner.isWord('const')) scanner.next();
    else if (scanner.accept('!')) suffixes.push('!');
    else if (scanner.accept('*')) {
      suffixes.push('*');
      indirections++;
    } else if (arrays && scanner.accept('[')) {
      suffixes.push(readLength(scanner));
      indirections++;
    } else return suffixes;
    if (indirections > MAX_INDIRECTIONS) throw malformed('Too many type indirections');
  }
}

/** The disposable twin of a type; itself when it is disposable already. */
function disposable(type) {
  const own = internals(type);
  if (!isPointer(own)) throw malformed('Cannot create disposable type for non-pointer');
  return own.dispose === undefined ? disposableOf(type) : type;
}

/** The type that suffixes make of another. */
function applySuffixes(type, suffixes) {
  return suffixes.reduce((made, suffix) => {
    if (suffix === '*') return pointerTo(made);
    return suffix === '!' ? disposable(made) : arrayOf(made, suffix);
  }, type);
}

/** Reads the type at a scanner, which must end with it. `whole` is what an error quotes. */
function readType(scanner, whole) {
  skipConst(scanner);
  const { words, all } = readWords(scanner);
  while (scanner.isWord()) scanner.next();
  const suffixes = readSuffixes(scanner, true);
  if (scanner.kind !== 'end') {
    const [character] = scanner.text;
    throw malformed(`Unexpected character '${character}' in type specifier`);
  }
  const type = all ? lookup(words.join(' ')) : undefined;
  if (type === undefined) throw unknown(whole);
  return applySuffixes(type, suffixes);
}

const parse = (text) => readType(new Scanner(text), text);

/** The type that a type string says. */
const parseType = (text) => remember(text, parse);

/**
 * The type of a type specifier: a string, a type, or a direction marker, whose direction is
 * ignored.
 * @returns {import('./model.js').TypeObject}
 */
function resolve(specifier) {
  if (typeof specifier === 'string') return parseType(specifier);
  if (internals(specifier) !== undefined) return specifier;
  const directed = DirectedType.read(specifier);
  if (directed !== undefined) return directed.type;
  const received = kindOf(specifier);
  const expected = 'string or type';
  throw invalidType(`Unexpected ${received} value as type specifier, expected ${expected}`, {
    expected,
    received,
  });
}

module.exports = {
  applySuffixes,
  longestName,
  readSuffixes,
  readType,
  readWords,
  resolve,
  skipConst,
};
