'use strict';
// The source text of one generated function: lines, fresh names, and constants.
//
// Generated code contains user text only as JSON string literals and computed property access.
// Everything else that varies is a constant, so that functions of the same shape share one
// source, which is compiled once.

const memory = require('./memory.js');
const { isArray, isView } = require('./primordials.js');
const { entries } = require('./tier.js');

/** What a generated function can name, besides `entries` and what is in frame memory. */
const { views } = memory;
const OWN = { ...views, isArray, isView, same: (a, b) => a === b };

/** What stores data: in frame memory, or noted by a recording as well. */
const storesOf = (recording) => {
  const { recorders, writers } = require('./recording.js');
  return recording ? recorders : writers;
};
const STORES = new Set(
  'isRecording scratch putAddress putString putWideString putText8 putText16 putText32 spill keep'.split(
    ' ',
  ),
);
const TEXT = new Set('getString getText8 getText16 getText32 getWideString'.split(' '));
const CALLBACKS = new Set(['transient', 'releaseTransient']);

/** What a word of a source stands for; its module is loaded when a source first has it. */
function meaningOf(name, recording) {
  if (Object.hasOwn(entries, name)) return entries[name];
  if (Object.hasOwn(OWN, name)) return OWN[name];
  if (STORES.has(name)) return storesOf(recording)[name];
  if (name === 'store') return storesOf(recording);
  if (TEXT.has(name)) return require('./text.js')[name];
  if (CALLBACKS.has(name)) return require('./callbacks.js')[name];
  return Object.hasOwn(memory, name) ? memory[name] : undefined;
}

/** log2 of the element size of each typed array. */
const SHIFT = { i8: 0, u8: 0, i16: 1, u16: 1, i32: 2, u32: 2, f32: 2, f64: 3, i64: 3, u64: 3 };
/** DataView accessors, for places that may be unaligned. */
const ACCESSOR = {
  i8: 'Int8',
  u8: 'Uint8',
  i16: 'Int16',
  u16: 'Uint16',
  i32: 'Int32',
  u32: 'Uint32',
  f32: 'Float32',
  f64: 'Float64',
  i64: 'BigInt64',
  u64: 'BigUint64',
};

/**
 * A place in frame memory: a constant offset, or a variable plus one.
 * `align` is the alignment that the place is known to have.
 */
class Ref {
  /**
   * @param {string | null} base name of a variable that holds an offset
   * @param {number} offset in bytes
   * @param {number} align what `base` is known to be a multiple of
   */
  constructor(base, offset, align) {
    this.base = base;
    this.offset = offset;
    this.align = align;
  }

  /** The place `bytes` further on. */
  plus(bytes) {
    return new Ref(this.base, this.offset + bytes, this.align);
  }

  /** The offset, as an expression. */
  toString() {
    if (this.base === null) return String(this.offset);
    return this.offset === 0 ? this.base : `${this.base} + ${this.offset}`;
  }

  isAligned(size) {
    return (this.base === null || this.align % size === 0) && this.offset % size === 0;
  }
}

class Generator {
  /** @param {{ recording?: boolean }} [options] whether stored data is recorded (recording.js) */
  constructor({ recording = false } = {}) {
    this.recording = recording;
    /** Whether code is emitted for a part of an argument, whose name ends with its block. */
    this.nested = false;
    /** Whether what is made for the value belongs to the value's owner, who frees it. */
    this.owning = false;
    this.Ref = Ref;
    this.lines = [];
    this.constants = [];
    this.names = 0;
  }

  emit(...lines) {
    this.lines.push(...lines);
  }

  /** A name that nothing else has. */
  fresh(prefix = 'v') {
    return `${prefix}$${this.names++}`;
  }

  /** Declares a constant local and returns its name. */
  local(expression) {
    const name = this.fresh();
    this.emit(`const ${name} = ${expression};`);
    return name;
  }

  /** The name of a value that is a constant of the function. */
  constant(value) {
    this.constants.push(value);
    return `k$${this.constants.length - 1}`;
  }

  /** The name of a constant that is given later, to the function that `template` returns. */
  parameter() {
    this.hole = this.constants.length;
    return this.constant(undefined);
  }

  /** An expression that reads a place as an element of a view. */
  read(view, ref) {
    const shift = SHIFT[view];
    if (!ref.isAligned(1 << shift)) return `dv.get${ACCESSOR[view]}(${ref}, true)`;
    return `${view}[${ref.base === null ? ref.offset >> shift : `(${ref}) >> ${shift}`}]`;
  }

  /** A statement that writes an element of a view. */
  write(view, ref, expression) {
    const shift = SHIFT[view];
    if (!ref.isAligned(1 << shift)) {
      this.emit(`dv.set${ACCESSOR[view]}(${ref}, ${expression}, true);`);
    } else {
      const index = ref.base === null ? ref.offset >> shift : `(${ref}) >> ${shift}`;
      this.emit(`${view}[${index}] = ${expression};`);
    }
  }

  /** A statement that writes into a DataView at the offset in a variable. */
  writeInto(target, view, at, expression) {
    this.emit(`${target}.set${ACCESSOR[view]}(${at}, ${expression}, true);`);
  }

  /** Emits a block; names declared in it end with it. */
  block(head, emitLines) {
    const outer = this.nested;
    this.nested = true;
    this.emit(`${head} {`);
    emitLines();
    this.emit('}');
    this.nested = outer;
  }

  /**
   * The function, compiled: the body's lines behind `parameters`, with access to the constants
   * and to frame memory.
   */
  build(parameters, options) {
    return this.template(parameters, options)(undefined);
  }

  /**
   * A function that makes the function, from the constant that `parameter` named, and from its
   * name when it is to have one: naming it later would cost a dictionary of properties each.
   * `state` declares what each function has of its own.
   */
  template(parameters, { usesArguments = false, named = false, state } = {}) {
    const isShared = (_, i) => i !== this.hole;
    const names = this.constants.map((_, i) => `k$${i}`);
    const own = this.hole === undefined ? '' : names[this.hole];
    const head = usesArguments ? `function (${parameters})` : `(${parameters}) =>`;
    // `return` and what it returns stand on one line.
    const open = state === undefined ? '' : `{ ${state} return `;
    const source = [
      "'use strict';",
      `return (${names.filter(isShared).join(', ')}) => (${own}${named ? ', name' : ''}) =>`,
      named ? `${open}({ __proto__: null, [name]: ${head} {` : `${open}${head} {`,
      ...this.lines,
      named ? '} })[name];' : '};',
      state === undefined ? '' : '};',
    ].join('\n');
    return factory(source, this.recording)(...this.constants.filter(isShared));
  }
}

/** A bound on what is kept: programs that invent types for ever must not leak. */
const MAX_KEPT = 1000;

/** Factories of generated functions by source text: those that record, and those that do not. */
const factories = [new Map(), new Map()];

/**
 * Compiles the body of a function. vm.compileFunction works where code generation from strings is not
 * allowed (`--disallow-code-generation-from-strings`); to load `node:vm` takes 0.2 ms.
 */
function compile(body, parameters) {
  try {
    return new Function(...parameters, body);
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
    return require('node:vm').compileFunction(body, parameters);
  }
}

/** The factory of a source, compiled once. */
function factory(source, recording) {
  const known = factories[recording ? 0 : 1];
  let made = known.get(source);
  if (made === undefined) {
    const meanings = new Map();
    for (const word of new Set(source.match(/[A-Za-z]\w*/g))) {
      const meaning = meaningOf(word, recording);
      if (meaning !== undefined) meanings.set(word, meaning);
    }
    made = compile(source, [...meanings.keys()])(...meanings.values());
    if (known.size >= MAX_KEPT) known.clear();
    known.set(source, made);
  }
  return made;
}

module.exports = { Generator, Ref };
