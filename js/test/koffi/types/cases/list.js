'use strict';
// What is asked of the published Koffi and of ours, for comparison: each case is one question
// about types, asked after a reset and a few definitions. A case where the two are meant to
// differ says what ours answers, and why.
//
// `k` is the API; an answer is described by ../describe.js.

/** Definitions that every case starts with. */
function define(k) {
  k.opaque('Op');
  k.struct('Rec', { a: 'int' });
  k.union('Uni', { a: 'int', b: 'double' });
  k.proto('int Cb(int)');
  k.proto('int Vf(int, ...)');
  k.alias('Arr', 'int[2]');
  k.enumeration('Enum', { A: 1 });
}

const DISPOSABLE = 'Error: Cannot create disposable type for non-pointer';
const INDIRECTIONS = 'Error: Too many type indirections';
const EMPTY_ARRAY = 'TypeError: Cannot make array of empty or incomplete type';

const ABORTS = '3.3.4 aborts the process';
const CONST = '3.3.4 misreads const behind the last *';
const HINT = '3.3.4 gives arrays of arrays and of pointers the hint of numbers (spec 15.3)';

const cases = [];

/** A case: a name, the question, and what ours answers where it differs. */
function ask(name, question, ours, why) {
  cases.push({ name, question, ours, why });
}

/** Cases of type strings: texts, or [text, ours, why]. */
function strings(...list) {
  for (const entry of list) {
    const [text, ours, why] = typeof entry === 'string' ? [entry] : entry;
    ask(`type ${JSON.stringify(text)}`, (k) => k.type(text), ours, why);
  }
}

/** The same for prototypes. */
function prototypes(...list) {
  for (const entry of list) {
    const [text, ours, why] = typeof entry === 'string' ? [entry] : entry;
    ask(`proto ${JSON.stringify(text)}`, (k) => k.proto(text), ours, why);
  }
}

/** Cases of one function: argument lists made by functions of `k`. */
function calls(member, ...list) {
  for (const entry of list) {
    const [args, ours, why] = typeof entry === 'function' ? [entry] : entry;
    ask(`${member} ${args}`, (k) => k[member](...args(k)), ours, why);
  }
}

const POINTER = ' 8 8 keys(name,primitive,size,alignment,disposable,ref) ref(';
const ARRAY = 'keys(name,primitive,size,alignment,disposable,length,hint,ref)';
const RECORD = 'keys(name,primitive,size,alignment,disposable,members)';
const SHORT = 'keys(name,primitive,size,alignment,disposable)';

module.exports = {
  define,
  DISPOSABLE,
  INDIRECTIONS,
  EMPTY_ARRAY,
  ABORTS,
  CONST,
  HINT,
  cases,
  ask,
  strings,
  prototypes,
  calls,
  POINTER,
  ARRAY,
  RECORD,
  SHORT,
};
