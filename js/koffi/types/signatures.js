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

/** Signatures by what programs wrote, without the name of the function. */
const written = new Map();

/** Forgets signatures: their types were forgotten. */
function forgetSignatures() {
  signatures.clear();
  written.clear();
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
  if (found === undefined) return readAnew([text], convention, undefined);
  const { name, start } = found;
  const result = text.slice(0, start);
  const key = `${convention} ${result}\0${text.slice(text.indexOf('('))}`;
  const signature = written.get(key);
  return signature === undefined ? readAnew([text], convention, key, name) : { name, signature };
}

/** The same for a result and a list of parameters; undefined when they are not all strings. */
function keyOf(result, list, convention) {
  if (typeof result !== 'string' || !Array.isArray(list)) return undefined;
  // No type has a NUL in it, so the count tells lists apart.
  let key = `${convention} ${list.length}\0${result}`;
  for (let i = 0; i < list.length; i++) {
    const param = list[i];
    if (typeof param !== 'string') return undefined;
    key += `\0${param}`;
  }
  return key;
}

function readClassic(args, convention) {
  const [name, result, given] = args;
  if (typeof name !== 'string' || name.startsWith('__') || !Array.isArray(given)) {
    return readAnew(args, convention, undefined);
  }
  const signature = written.get(keyOf(result, given, convention));
  if (signature !== undefined) return { name, signature };
  // A list may be anything that says so: what counts is what is read here, once.
  const list = Array.from(given);
  return readAnew([name, result, list], convention, keyOf(result, list, convention), name);
}

/** Reads what was not read before, under a key if it has one and the name is what it seemed. */
function readAnew(args, convention, key, expected) {
  const draft = readDeclaration(args, { anonymous: false, convention });
  const signature = signatureOf(draft);
  const { name } = draft;
  if (key !== undefined && name === expected) {
    if (written.size >= MAX_SIGNATURES) written.clear();
    written.set(key, signature);
  }
  return { name, signature };
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
  return readAnew(args, convention, undefined);
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
