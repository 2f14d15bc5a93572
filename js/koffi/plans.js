'use strict';
// What `decode` and `encode` need to know of a type specifier, found by one look-up.

const { internals } = require('./types/model.js');
require('./types/primitives.js');
const { resolve } = require('./types/strings.js');
const { writers } = require('../core/recording.js');
const codecs = require('./values/codecs.js');

/** Plans by type strings, until `reset`, and by types. */
const byText = new Map();
const byType = new WeakMap();
/** How many strings are remembered. */
const MAX_KEPT = 4096;

class Plan {
  constructor(type) {
    const own = internals(type);
    this.type = type;
    this.own = own;
    this.kind = own.kind;
    this.size = own.size;
    this.name = own.name;
    /** Whether values are written without anything that they point to. */
    this.simple = false;
    this.read = undefined;
    this.write = undefined;
  }

  /** Compiles the functions; called when the type has values. */
  compile() {
    const codec = codecs.codecOf(this.type);
    this.simple = codec.simple || codec.hasPointers === false;
    this.read = codecs.readerOf(this.type);
    this.write = codecs.writerOf(this.type, writers);
  }
}

/** The plan of a type specifier. */
function planOf(specifier) {
  const isText = typeof specifier === 'string';
  const known = isText ? byText.get(specifier) : undefined;
  if (known !== undefined) return known;
  const type = resolve(specifier);
  let plan = byType.get(type);
  if (plan === undefined) {
    plan = new Plan(type);
    // An opaque type may get members later.
    if (plan.own.incomplete) return plan;
    byType.set(type, plan);
  }
  if (isText) {
    if (byText.size >= MAX_KEPT) byText.clear();
    byText.set(specifier, plan);
  }
  return plan;
}

const forgetPlans = () => byText.clear();

module.exports = { forgetPlans, planOf };
