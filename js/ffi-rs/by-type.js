'use strict';
// What was compiled for a type, found again by the type's content: programs usually pass fresh
// literals on every call.

const { isArray } = require('../core/primordials.js');

// Loaded when there is an error.
const invalidType = (message) => require('./errors.js').invalidType(message);

/** DataType's numbers that are no tags are below. */
const BASIC_TYPES = 32;
const isBasic = (type) => typeof type === 'number' && type >>> 0 === type && type < BASIC_TYPES;

const MAX_DEPTH = 64;
const MAX_TYPES = 10_000;

/**
 * A copy of a type that the caller cannot change: what is no object as it is, an object or array
 * as a Shape, whose keys keep their order.
 */
class Shape {
  constructor(type, depth, budget) {
    if (depth > MAX_DEPTH) throw invalidType('this type is nested too deeply');
    if (budget.left-- === 0) throw invalidType('these types are too many');
    this.isArray = isArray(type);
    this.keys = [];
    this.values = [];
    for (const key in type) {
      this.keys.push(key);
      this.values.push(shapeOf(type[key], depth + 1, budget));
    }
  }

  /** An object as the copied one, that nobody else has. */
  toType() {
    const type = this.isArray ? [] : Object.create(null);
    for (let i = 0; i < this.keys.length; i++) {
      const value = this.values[i];
      type[this.keys[i]] = value instanceof Shape ? value.toType() : value;
    }
    return type;
  }
}

function shapeOf(type, depth = 0, budget = { left: MAX_TYPES }) {
  return typeof type === 'object' && type !== null ? new Shape(type, depth, budget) : type;
}

/** Whether a type is equal, by content and order, to the one that a shape was made of. */
function fits(shape, type) {
  if (typeof shape !== 'object' || shape === null) return shape === type;
  if (typeof type !== 'object' || type === null || shape.isArray !== isArray(type)) return false;
  const { keys, values } = shape;
  let i = 0;
  for (const key in type) {
    if (keys[i] !== key) return false;
    // Most are numbers, which need no call.
    const known = values[i];
    const value = type[key];
    if (known !== value && !(typeof known === 'object' && fits(known, value))) return false;
    i++;
  }
  return i === keys.length;
}

/** A bound on what is kept per table: programs that invent types for ever must not leak. */
const MAX_KEPT = 1000;

/** A table from types to what `make` makes of a copy of them. */
class ByType {
  constructor(make) {
    this.make = make;
    this.basic = new Array(BASIC_TYPES).fill(undefined);
    this.described = [];
  }

  get(type) {
    if (typeof type !== 'number') return this.getDescribed(type);
    return (isBasic(type) ? this.basic[type] : undefined) ?? this.makeBasic(type);
  }

  makeBasic(type) {
    const made = this.make(type);
    if (isBasic(type)) this.basic[type] = made;
    return made;
  }

  getDescribed(type) {
    const list = this.described;
    for (let i = 0; i < list.length; i++) {
      if (fits(list[i].shape, type)) return list[i].made;
    }
    const shape = shapeOf(type);
    const made = this.make(shape instanceof Shape ? shape.toType() : shape);
    if (list.length >= MAX_KEPT) list.length = 0;
    list.push({ shape, made });
    return made;
  }
}

/** What was made for a list of types that starts as the path to it, and for longer ones. */
class Node {
  constructor() {
    this.made = undefined;
    this.next = [];
  }
}

/**
 * The same for a result and parameters. Those that are basic types are found number by number;
 * `make` gets `[result, ...parameters]` as shapes.
 */
class BySignature {
  constructor(make) {
    this.make = make;
    this.root = new Node();
    this.count = 0;
    this.described = [];
  }

  get(retType, paramsType) {
    let node = typeof retType === 'number' ? this.root.next[retType] : undefined;
    for (let i = 0; i < paramsType.length && node !== undefined; i++) {
      const type = paramsType[i];
      node = typeof type === 'number' ? node.next[type] : undefined;
    }
    return node?.made ?? this.getDescribed([retType, ...paramsType]);
  }

  getDescribed(types) {
    const list = this.described;
    for (let i = 0; i < list.length; i++) {
      if (fits(list[i].shape, types)) return list[i].made;
    }
    const shape = shapeOf(types);
    const made = this.make(shape.values, shape.toType());
    if (this.count++ >= MAX_KEPT) {
      this.root = new Node();
      this.described.length = 0;
      this.count = 0;
    }
    if (shape.values.every(isBasic)) this.add(shape.values, made);
    else list.push({ shape, made });
    return made;
  }

  add(numbers, made) {
    let node = this.root;
    for (const number of numbers) {
      node.next[number] ??= new Node();
      node = node.next[number];
    }
    node.made = made;
  }
}

module.exports = { BySignature, ByType, fits };
