'use strict';
// What `as` returns: a value with the type that it is converted by.

class Cast {
  #value;
  #own;

  /** @param {import('../types/model.js').Internals} own of the type */
  constructor(value, own) {
    this.#value = value;
    this.#own = own;
    Object.freeze(this);
  }

  /** A cast's value and the internals of its type; undefined when the value is no cast. */
  static read(value) {
    if (typeof value !== 'object' || value === null || !(#own in value)) return undefined;
    return { value: value.#value, own: value.#own };
  }
}

module.exports = { Cast };
