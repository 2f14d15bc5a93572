'use strict';
// Function types that were read: shared ones without a name, and those that programs see.

const { directionName } = require('./directions.js');
const { internals } = require('./model.js');
const { lookup } = require('./names.js');
const { readDeclaration } = require('./prototypes.js');

/** A function type without a name. Equal ones are the same object, as long as they are kept. */
class Signature {
  /** @param {import('./prototypes.js').Draft} draft */
  constructor({ convention, result, params, variadic }) {
    // C has no variadic functions of the other conventions: the caller cleans the stack.
    this.convention = variadic ? 'cdecl' : convention;
    this.result = result;
    this.params = params;
    this.variadic = variadic;
    this.arguments = Object.freeze(
      params.map((param) => Object.freeze({ type: param.type, direction: directionName(param) })),
    );
    /** What calls compile to, and the tier that was asked for: see ../functions.js. */
    this.compiled = undefined;
    this.tier = undefined;
  }

  /** What programs see of it. */
  info(name) {
    return Object.freeze({ name, arguments: this.arguments, result: this.result });
  }
}

/** Signatures by the identities of what they consist of. */
const signatures = new Map();
/** How many are kept. */
const MAX_SIGNATURES = 4096;

/**
 * The signature of a draft.
 * @param {import('./prototypes.js').Draft} draft
 */
function signatureOf(draft) {
  let key = `${draft.convention}${draft.variadic ? '...' : ''} ${internals(draft.result).id}`;
  for (const { type, reads, writes } of draft.params) {
    key += `${writes ? (reads ? '=' : '<') : ','}${internals(type).id}`;
  }
  let signature = signatures.get(key);
  if (signature === undefined) {
    signature = new Signature(draft);
    if (signatures.size >= MAX_SIGNATURES) signatures.clear();
    signatures.set(key, signature);
  }
  return signature;
}

/** Signatures by prototypes that programs wrote, without the name of the function. */
const written = new Map();

/** Forgets what programs wrote. */
function forgetWritten() {
  written.clear();
  paths = new Path();
  steps = 0;
}

/** Forgets signatures: their types were forgotten. */
function forgetSignatures() {
  signatures.clear();
  forgetWritten();
}

/** The name right before a parenthesis, white space aside. */
const NAME = /[A-Za-z_][A-Za-z0-9_]*$/;
const MAX_NAME = 64;

/** White space of the grammar. */
const isSpace = (code) => code === 32 || (code >= 9 && code <= 13);

/** The name of a prototype; undefined where it may be something else. */
function nameOf(text) {
  let end = Math.max(text.indexOf('('), 0);
  while (isSpace(text.charCodeAt(end - 1))) end--;
  // The name of a function is seldom long, and a search in what is long would take its time.
  const start = Math.max(0, end - MAX_NAME);
  const name = NAME.exec(text.slice(start, end))?.[0];
  if (name === undefined || name.length === end - start) return undefined;
  const isOther = name === 'const' || name.startsWith('__') || lookup(name) !== undefined;
  return isOther ? undefined : { name, start: end - name.length };
}

/** What a prototype says but for its name. */
function readPrototype(text, convention) {
  const found = nameOf(text);
  if (found === undefined) return readAnew([text], convention);
  const { name, start } = found;
  const result = text.slice(0, start);
  const key = `${convention} ${result}\0${text.slice(text.indexOf('('))}`;
  const signature = written.get(key);
  if (signature !== undefined) return { name, signature };
  const read = readAnew([text], convention);
  if (read.name === name) {
    if (written.size >= MAX_SIGNATURES) forgetWritten();
    written.set(key, read.signature);
  }
  return read;
}

/** What starts with certain words of a declaration: a convention, a result, parameters. */
class Path {
  constructor() {
    this.next = new Map();
    this.signature = undefined;
  }
}

/** Signatures by convention, result and list of parameters, when these are all strings. */
let paths = new Path();
/** How many steps the paths have, which are bounded like the rest. */
let steps = 0;

/** The end of a path. */
function stepOf(path, word) {
  let step = path.next.get(word);
  if (step === undefined) {
    step = new Path();
    steps++;
    path.next.set(word, step);
  }
  return step;
}

/** The signature that was read for these words; undefined when there is none. */
function recall(result, list, convention) {
  let path = paths.next.get(convention)?.next.get(result);
  for (let i = 0; i < list.length && path !== undefined; i++) path = path.next.get(list[i]);
  return path?.signature;
}

/** Remembers the signature that was read for these words. */
function remember(signature, [, result, list], convention) {
  if (typeof result !== 'string' || !list.every((param) => typeof param === 'string')) return;
  if (steps >= MAX_SIGNATURES) forgetWritten();
  let path = stepOf(stepOf(paths, convention), result);
  for (const param of list) path = stepOf(path, param);
  path.signature = signature;
}

function readClassic(args, convention) {
  const [name, result, given] = args;
  if (typeof name !== 'string' || name.startsWith('__') || !Array.isArray(given)) {
    return readAnew(args, convention);
  }
  const known = recall(result, given, convention);
  if (known !== undefined) return { name, signature: known };
  // A list may be anything that says so: what counts is what is read here, once.
  const words = [name, result, Array.from(given)];
  const read = readAnew(words, convention);
  if (read.name === name) remember(read.signature, words, convention);
  return read;
}

/** Reads what was not read before. */
function readAnew(args, convention) {
  const draft = readDeclaration(args, { anonymous: false, convention });
  return { name: draft.name, signature: signatureOf(draft) };
}

/**
 * Reads the arguments of `lib.func`. What was read before is not read again.
 * @param {unknown[]} args
 * @param {string} [convention] of a declaration that names none
 * @returns {{ name: string | number, signature: Signature }}
 */
function readFunction(args, convention = 'cdecl') {
  if (args.length === 1 && typeof args[0] === 'string') return readPrototype(args[0], convention);
  if (args.length === 3) return readClassic(args, convention);
  return readAnew(args, convention);
}

/**
 * The function type of a draft under its final name, frozen.
 * @param {import('./prototypes.js').Draft} draft
 * @param {string} name
 * @returns {import('./model.js').Declaration}
 */
function declaration(draft, name) {
  const signature = signatureOf(draft);
  const { convention, result, params, variadic } = signature;
  const info = signature.info(name);
  return Object.freeze({ name, signature, convention, result, params, variadic, info });
}

module.exports = { declaration, forgetSignatures, readFunction, signatureOf };
