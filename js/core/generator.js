'use strict';
// The source text of one generated function: lines, fresh names, and constants.
//
// Generated code contains user text only as JSON string literals and computed property access.
// Everything else that varies is a constant, so that functions of the same shape share one
// source, which is compiled once.

const vm = require('node:vm');
const memory = require('./memory.js');
const { isArray } = require('./primordials.js');

/** What every generated function can name. */
const ENVIRONMENT = {
  ...memory.views,
  ...memory,
  isArray,
  same: (a, b) => a === b,
};
delete ENVIRONMENT.views;
const ENVIRONMENT_NAMES = Object.keys(ENVIRONMENT);
const ENVIRONMENT_VALUES = ENVIRONMENT_NAMES.map((name) => ENVIRONMENT[name]);

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
  constructor() {
    this.lines = [];
    this.constants = [];
    this.names = 0;
  }

  emit(line) {
    this.lines.push(line);
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

  /**
   * The function, compiled: the body's lines behind `parameters`, with access to the constants
   * and to frame memory.
   */
  build(parameters) {
    const names = this.constants.map((_, i) => `k$${i}`);
    const source = [
      "'use strict';",
      `return (${names.join(', ')}) => (${parameters}) => {`,
      ...this.lines,
      '};',
    ].join('\n');
    return factory(source)(...this.constants);
  }
}

/** Factories of generated functions by source text. */
const factories = new Map();

/**
 * Compiles a source once. vm.compileFunction works where code generation from strings is not
 * allowed (`--disallow-code-generation-from-strings`).
 */
function factory(source) {
  let made = factories.get(source);
  if (made === undefined) {
    made = vm.compileFunction(source, ENVIRONMENT_NAMES)(...ENVIRONMENT_VALUES);
    factories.set(source, made);
  }
  return made;
}

module.exports = { Generator, Ref };
