'use strict';
// `koffi.Union`: the JavaScript value of a C union.
//
// A value is empty, or has an active member, the one that was assigned last, or holds bytes that
// came from C, of which each member is read on demand.

const { failure, invalid, invalidType, wrongCount } = require('../errors.js');
const { internals } = require('./model.js');
const { resolve } = require('./strings.js');

/** Reads a member's value from bytes: what marshalling provides. */
let readBytes;

/**
 * Says how a member is read from the bytes of a union.
 * @param {(type: import('./model.js').TypeObject, bytes: Uint8Array) => unknown} reader
 */
function readUnionsWith(reader) {
  readBytes = reader;
}

/** Classes of union values by type. */
const classes = new WeakMap();

/** `new Union(type)`: an empty value. */
function Union(...args) {
  if (new.target === undefined) {
    throw invalid('This function is a constructor and must be called with new');
  }
  if (args.length === 0) throw wrongCount('1', 0);
  return make(resolve(args[0]));
}

/** What the values of all union types have in common. */
class UnionValue {
  #type;
  #active;
  #value;
  #bytes;

  constructor(type, bytes) {
    this.#type = type;
    this.#bytes = bytes;
  }

  /** What a value is: `{ type, active, value, bytes }`; undefined when it is no union value. */
  static read(value) {
    if (typeof value !== 'object' || value === null || !(#type in value)) return undefined;
    return {
      type: value.#type,
      active: value.#active,
      value: value.#value,
      bytes: value.#bytes,
    };
  }

  /** Gives a value the bytes that C left. */
  static fill(value, bytes) {
    value.#active = undefined;
    value.#value = undefined;
    value.#bytes = bytes;
  }

  /** Accessor of one member. */
  static accessor(member) {
    return {
      get() {
        if (this.#active === member) return this.#value;
        if (this.#bytes !== undefined) return readBytes(member.type, this.#bytes);
        const state = this.#active === undefined ? 'empty' : 'assigned';
        throw failure(`Cannont convert ${state} union value`);
      },
      set(value) {
        this.#active = member;
        this.#value = value;
        this.#bytes = undefined;
      },
      enumerable: true,
      configurable: false,
    };
  }
}

/** The class of a union type's values, which carries its name. */
function classOf(type) {
  let made = classes.get(type);
  if (made === undefined) {
    const { name, byName } = internals(type);
    const { accessor } = UnionValue;
    made = { [name]: class extends UnionValue {} }[name];
    Object.setPrototypeOf(made.prototype, Union.prototype);
    for (const [key, member] of byName) {
      Object.defineProperty(made.prototype, key, accessor(member));
    }
    classes.set(type, made);
  }
  return made;
}

function make(type, bytes) {
  const { kind, primitive } = internals(type);
  if (kind !== 'union') throw invalidType(`Expected union type, got ${primitive}`);
  const Class = classOf(type);
  return new Class(type, bytes);
}

/** A value that holds the bytes of a union; they must be a copy. */
const unionFromBytes = (type, bytes) => make(type, bytes);

const { read: unionState, fill: fillUnion } = UnionValue;

module.exports = { Union, fillUnion, readUnionsWith, unionFromBytes, unionState };
