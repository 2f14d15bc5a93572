'use strict';
// Function types that were read: shared ones without a name, and those that programs see.

const { directionName } = require('./directions.js');
const { internals } = require('./model.js');

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

/** Forgets signatures: their types were forgotten. */
const forgetSignatures = () => signatures.clear();

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

module.exports = { declaration, forgetSignatures, signatureOf };
