'use strict';
// What was compiled for a type, found again by the type's content: programs usually pass fresh
// literals on every call.

const { isArray, mapGet, mapSet } = require('../core/primordials.js');
const { invalidType } = require('./errors.js');

const MAX_DEPTH = 64;
const MAX_TYPES = 10_000;

/** Under this key a snapshot lists its keys. */
const KEYS = Symbol('keys');

/** A copy of a type that the caller cannot change. Keys keep their order. */
function snapshot(type, depth = 0, budget = { left: MAX_TYPES }) {
  if (typeof type !== 'object' || type === null) return type;
  if (depth > MAX_DEPTH) throw invalidType('this type is nested too deeply');
  if (budget.left-- === 0) throw invalidType('these types are too many');
  const copy = isArray(type) ? [] : Object.create(null);
  const keys = [];
  for (const key in type) {
    keys.push(key);
    copy[key] = snapshot(type[key], depth + 1, budget);
  }
  Object.defineProperty(copy, KEYS, { value: keys });
  return copy;
}

/** Whether a type is equal, by content and order, to the one that a snapshot was made of. */
function sameType(mine, type) {
  if (mine === type) return true;
  if (typeof mine !== 'object' || typeof type !== 'object' || mine === null || type === null) {
    return false;
  }
  if (isArray(mine) !== isArray(type)) return false;
  const keys = mine[KEYS];
  let i = 0;
  for (const key in type) {
    if (keys[i] !== key || !sameType(mine[key], type[key])) return false;
    i++;
  }
  return i === keys.length;
}

/** A bound on what is kept per table: programs that invent types for ever must not leak. */
const MAX_KEPT = 1000;

/** A key of a type, or list of types, that consists of numbers; undefined for others. */
function keyOf(type) {
  if (typeof type === 'number') return type;
  if (!isArray(type)) return undefined;
  let key = '';
  for (let i = 0; i < type.length; i++) {
    if (typeof type[i] !== 'number') return undefined;
    key += `${type[i]},`;
  }
  return key;
}

/** A table from types, or lists of types, to what `make` makes of a copy of them. */
class ByType {
  constructor(make) {
    this.make = make;
    this.basic = new Map();
    this.described = [];
  }

  get(type) {
    const key = keyOf(type);
    if (key !== undefined) {
      let made = mapGet(this.basic, key);
      if (made === undefined) {
        made = this.make(snapshot(type));
        if (this.basic.size >= MAX_KEPT) this.basic = new Map();
        mapSet(this.basic, key, made);
      }
      return made;
    }
    const list = this.described;
    for (let i = 0; i < list.length; i++) {
      if (sameType(list[i].type, type)) return list[i].made;
    }
    const copy = snapshot(type);
    const made = this.make(copy);
    if (list.length >= MAX_KEPT) list.length = 0;
    list.push({ type: copy, made });
    return made;
  }
}

module.exports = { ByType, sameType };
