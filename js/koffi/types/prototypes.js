'use strict';
// Function types: prototypes in C's words, and the classic form of a name, a result type and a
// list of parameter types.
//
//   prototype  := type [convention] [name] "(" [ "void" | params ] ")" [";"]
//   params     := param { "," param } [ "," "..." ] | "..."
//   param      := [ "_In_" | "_Out_" | "_Inout_" ] type [name]
//   type       := "const"* word+ { "*" | "!" | "const" }
//
// The type is the longest one that is known: in `unsigned int x` the words `unsigned int`. Only
// when all words are the type can `*` and `!` follow it.

const { invalidType, malformed, unexpected, wrongCount } = require('../errors.js');
const { native } = require('../../core/loader.js');
const { DirectedType, IN, KEYWORDS } = require('./directions.js');
const { internals } = require('./model.js');
const { lookup } = require('./names.js');
const { isPointer } = require('./derived.js');
const { Scanner } = require('./scanner.js');
const {
  applySuffixes,
  longestName,
  readSuffixes,
  readType,
  readWords,
  resolve,
  skipConst,
} = require('./strings.js');

const MAX_PARAMETERS = 64;

const CONVENTIONS = new Map([
  ['__cdecl', 'cdecl'],
  ['__stdcall', 'stdcall'],
  ['__fastcall', 'fastcall'],
  ['__thiscall', 'thiscall'],
]);

/**
 * A function type without its final name.
 * @typedef {object} Draft
 * @property {string | number | undefined} name
 * @property {'cdecl' | 'stdcall' | 'fastcall' | 'thiscall'} convention
 * @property {import('./model.js').TypeObject} result
 * @property {import('./model.js').Parameter[]} params
 * @property {boolean} variadic
 */

/** The error of a token that does not fit. */
function unexpectedToken(scanner, expected) {
  if (scanner.kind === 'end') {
    return malformed(`Unexpected end of prototype, expected ${expected}`);
  }
  return malformed(`Unexpected token '${scanner.text}', expected ${expected}`);
}

function expect(scanner, sign) {
  if (scanner.accept(sign)) return;
  checkDecay(scanner);
  throw unexpectedToken(scanner, `'${sign}'`);
}

/** Refuses a length in brackets, of a result or a parameter. */
function checkDecay(scanner) {
  if (!scanner.isSign('[')) return;
  throw malformed('Array types decay to pointers in prototypes (C standard), use pointers');
}

/** Reads the longest type at a scanner. */
function readLongestType(scanner) {
  skipConst(scanner);
  const { words, marks, all } = readWords(scanner);
  if (words.length === 0) throw unexpectedToken(scanner, 'type');
  for (let count = longestName(words); count > 0; count--) {
    const type = lookup(count === 1 ? words[0] : words.slice(0, count).join(' '));
    if (type === undefined) continue;
    if (all && count === words.length) return applySuffixes(type, readSuffixes(scanner, false));
    scanner.back(marks[count - 1]);
    return type;
  }
  throw malformed(`Unknown or invalid type name '${words[0]}'`);
}

const variadicCallback = ({ kind, proto }) => kind === 'callback' && proto.variadic;

/** Kinds that are never values of a parameter or member. */
const VALUELESS = new Set(['void', 'opaque', 'prototype']);

/** Checks that a type can be the type of a parameter in a direction. */
function checkParameter({ type, writes }, fail, index) {
  const own = internals(type);
  const refused =
    VALUELESS.has(own.kind) ||
    own.kind === 'array' ||
    variadicCallback(own) ||
    (writes && !isPointer(own));
  if (refused) throw fail(`Type ${own.name} cannot be used as a parameter`, { argument: index });
}

/** Checks that a type can be the type of a result. */
function checkResult(type, fail) {
  const { kind, name } = internals(type);
  if (kind !== 'opaque' && kind !== 'array' && kind !== 'prototype') return;
  throw fail(`You are not allowed to directly return ${name} values (maybe try ${name} *)`);
}

function checkCount(count, fail) {
  if (count > MAX_PARAMETERS) {
    throw fail(`Functions cannot have more than ${MAX_PARAMETERS} parameters`);
  }
}

/** Reads one parameter. */
function readParameter(scanner) {
  const keyword = scanner.text;
  const direction = scanner.kind === 'word' ? KEYWORDS.get(keyword) : undefined;
  if (direction !== undefined) {
    scanner.next();
    if (!scanner.isWord()) throw malformed(`Unknown or invalid type name '${keyword}'`);
  }
  const { reads, writes } = direction ?? IN;
  const param = { type: readLongestType(scanner), reads, writes };
  checkParameter(param, malformed);
  if (scanner.isWord()) scanner.next();
  return param;
}

/** Whether the list is `(void)`; goes past it if so. */
function acceptVoid(scanner) {
  if (!scanner.isWord('void')) return false;
  const mark = scanner.mark();
  scanner.next();
  if (scanner.isSign(')')) return true;
  scanner.back(mark);
  return false;
}

/** Reads what stands between the parentheses. */
function readParameters(scanner) {
  const params = [];
  let variadic = false;
  const empty = scanner.isSign(')') || acceptVoid(scanner);
  // `f(` has no parameter to miss.
  if (!empty && scanner.kind !== 'end') {
    do {
      variadic = scanner.accept('...');
      if (variadic) break;
      params.push(readParameter(scanner));
      checkCount(params.length, malformed);
    } while (scanner.accept(','));
  }
  expect(scanner, ')');
  return { params, variadic };
}

/**
 * Reads a prototype.
 * @param {string} text
 * @param {boolean} anonymous whether the name may be missing
 * @returns {Draft}
 */
function parsePrototype(text, anonymous) {
  const scanner = new Scanner(text);
  const result = readLongestType(scanner);
  const convention = scanner.kind === 'word' ? CONVENTIONS.get(scanner.text) : undefined;
  if (convention !== undefined) scanner.next();
  let name;
  if (scanner.isWord()) {
    name = scanner.text;
    scanner.next();
  } else if (!anonymous || scanner.kind === 'end') {
    checkDecay(scanner);
    throw unexpectedToken(scanner, 'identifier');
  }
  expect(scanner, '(');
  checkResult(result, malformed);
  const { params, variadic } = readParameters(scanner);
  scanner.accept(';');
  if (scanner.kind !== 'end') {
    throw malformed(`Unexpected token '${scanner.text}' after prototype`);
  }
  return { name, convention: convention ?? 'cdecl', result, params, variadic };
}

/** Whether a text may start with a direction. */
const DIRECTED = /^\s*_[IO]/;

/** A parameter in classic form: a type, a direction marker, or a string with a direction. */
function parameterOf(specifier) {
  const directed = DirectedType.read(specifier);
  if (directed !== undefined) return directed;
  if (typeof specifier === 'string' && DIRECTED.test(specifier)) {
    const scanner = new Scanner(specifier);
    const direction = scanner.kind === 'word' ? KEYWORDS.get(scanner.text) : undefined;
    scanner.next();
    if (direction !== undefined && scanner.kind !== 'end') {
      const { reads, writes } = direction;
      return { type: readType(scanner, specifier), reads, writes };
    }
  }
  return { type: resolve(specifier), reads: true, writes: false };
}

/** Whether a value can name a function. A library of Windows has numbers for some. */
const isName = (name) =>
  typeof name === 'string' || (native.os === 'windows' && Number.isInteger(name));

/** Reads the classic form. `name` is undefined for an anonymous function type. */
function readClassic(name, convention, resultType, list) {
  if (name !== undefined && !isName(name)) throw unexpected(name, 'name', 'string or integer');
  const result = resolve(resultType);
  checkResult(result, invalidType);
  if (!Array.isArray(list)) {
    throw unexpected(list, `parameters of '${name}'`, 'an array');
  }
  const variadic = list.length > 0 && list[list.length - 1] === '...';
  const count = variadic ? list.length - 1 : list.length;
  checkCount(count, invalidType);
  const params = [];
  for (let i = 0; i < count; i++) params.push(parameterOf(list[i]));
  params.forEach((param, i) => {
    checkParameter(param, invalidType, i);
  });
  return { name, convention, result, params, variadic };
}

/**
 * Reads the arguments of `koffi.proto` and `lib.func`: a prototype, or in classic form
 * `[convention,] [name,] result, parameters`.
 * @param {unknown[]} args
 * @param {{ anonymous: boolean, convention?: string }} options whether the name may be missing,
 *   and the convention of a declaration that names none
 * @returns {Draft}
 */
function readDeclaration(args, { anonymous, convention = 'cdecl' }) {
  if (args.length === 0) throw wrongCount('1 to 4', 0);
  const [first] = args;
  if (args.length === 1) {
    if (typeof first !== 'string') throw unexpected(first, 'prototype', 'string');
    const draft = parsePrototype(first, anonymous);
    return convention === 'cdecl' ? draft : { ...draft, convention };
  }
  const named = CONVENTIONS.get(first);
  if (named !== undefined && args.length < 3) throw wrongCount('3 or 4', args.length);
  const rest = named === undefined ? args : args.slice(1);
  const [a, b, c] = rest;
  if (!Array.isArray(c) && (anonymous || rest.length < 3)) {
    if (!anonymous) throw unexpected(undefined, 'name', 'string or integer');
    return readClassic(undefined, named ?? convention, a, b);
  }
  const name = anonymous && a === null ? undefined : a;
  if (!anonymous && a === undefined) throw unexpected(a, 'name', 'string or integer');
  return readClassic(name, named ?? convention, b, c);
}

module.exports = {
  checkParameter,
  checkResult,
  parameterOf,
  parsePrototype,
  readDeclaration,
  variadicCallback,
  VALUELESS,
};
