'use strict';
// Direction markers: what `in`, `out` and `inout` return. They are accepted wherever a type is;
// only parameter lists look at the direction.

/** A pointer or string type with a direction. Programs cannot look into it. */
class DirectedType {
  #type;
  #reads;
  #writes;

  /**
   * @param {import('./model.js').TypeObject} type
   * @param {{ reads: boolean, writes: boolean }} direction
   */
  constructor(type, { reads, writes }) {
    this.#type = type;
    this.#reads = reads;
    this.#writes = writes;
    Object.freeze(this);
  }

  /** The marker as a parameter: `{ type, reads, writes }`; undefined when the value is none. */
  static read(value) {
    if (!(value instanceof DirectedType) || !(#type in value)) return undefined;
    return { type: value.#type, reads: value.#reads, writes: value.#writes };
  }
}

const IN = Object.freeze({ reads: true, writes: false });
const OUT = Object.freeze({ reads: false, writes: true });
const INOUT = Object.freeze({ reads: true, writes: true });

/** Directions by the words of prototypes. */
const KEYWORDS = new Map([
  ['_In_', IN],
  ['_Out_', OUT],
  ['_Inout_', INOUT],
]);

/** Koffi's words for a parameter's direction. */
const directionName = ({ reads, writes }) =>
  writes ? (reads ? 'Input/Output' : 'Output') : 'Input';

module.exports = { DirectedType, IN, INOUT, KEYWORDS, OUT, directionName };
