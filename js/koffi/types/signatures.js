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
    /** What calls compile to: see ../functions.js. */
    this.compiled = undefined;
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

/** White space of the grammar. */
const isSpace = (code) => code === 32 || (code >= 9 && code <= 13);

/** What a prototype says but for its name; undefined where the name may be something else. */
function splitPrototype(text, convention) {
  const params = text.indexOf('(');
  let end = Math.max(params, 0);
  while (isSpace(text.charCodeAt(end - 1))) end--;
  const head = text.slice(0, end);
  // The name of a function is seldom long, and a search in what is long would take its time.
  const at = Math.max(0, head.length - 64);
  const name = NAME.exec(head.slice(at))?.[0];
  if (name === undefined || name.length === head.length - at) return undefined;
  if (name === 'const' || name.startsWith('__') || lookup(name) !== undefined) return undefined;
  const result = head.slice(0, head.length - name.length);
  return { name, key: `${convention} ${result}\0${text.slice(params)}`, args: [text] };
}

/** The same for a name, a result and a list of parameters that are all strings. */
function splitClassic(args, convention) {
  const [name, result, given] = args;
  if (typeof name !== 'string' || name.startsWith('__')) return undefined;
  if (typeof result !== 'string' || !Array.isArray(given)) return undefined;
  // What is read once is what counts, whatever the list is.
  const list = [];
  // No type has a NUL in it, so the count tells lists apart.
  let key = `${convention} ${given.length}\0${result}`;
  for (let i = 0; i < given.length; i++) {
    const param = given[i];
    if (typeof param !== 'string') return undefined;
    list.push(param);
    key += `\0${param}`;
  }
  return { name, key, args: [name, result, list] };
}

/** What was written, in parts: what it means but for the name has a key. */
function split(args, convention) {
  if (args.length === 1 && typeof args[0] === 'string') return splitPrototype(args[0], convention);
  return args.length === 3 ? splitClassic(args, convention) : undefined;
}

/**
 * Reads the arguments of `lib.func`. What was read before is not read again.
 * @param {unknown[]} args
 * @param {string} [convention] of a declaration that names none
 * @returns {{ name: string | number, signature: Signature }}
 */
function readFunction(args, convention = 'cdecl') {
  const parts = split(args, convention);
  const known = parts === undefined ? undefined : written.get(parts.key);
  if (known !== undefined) return { name: parts.name, signature: known };
  const draft = readDeclaration(parts?.args ?? args, { anonymous: false, convention });
  const signature = signatureOf(draft);
  if (draft.name === parts?.name) {
    if (written.size >= MAX_SIGNATURES) written.clear();
    written.set(parts.key, signature);
  }
  return { name: draft.name, signature };
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
