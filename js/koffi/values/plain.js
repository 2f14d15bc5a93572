'use strict';
// Plain objects: what programs mostly pass for structs. Objects of other classes may stand for
// something else.

const { getPrototypeOf } = Reflect;
const PLAIN = Object.prototype;

/** Whether a value is an object of no class. */
const isPlain = (value) =>
  typeof value === 'object' && value !== null && getPrototypeOf(value) === PLAIN;

/** A property that no object has. */
const NOBODYS = Symbol('nobody has it');

/**
 * The same as an expression of generated code. To look for a property tells V8 of which hidden class the
 * object is, so that it knows the prototype when it compiles: it would call a function for it, and an
 * object that is made for the call would have to exist.
 */
const plainCondition = (g, value) =>
  `typeof ${value} === 'object' && ${value} !== null && ` +
  `${value}[${g.constant(NOBODYS)}] === undefined && ${g.constant(isPlain)}(${value})`;

module.exports = { plainCondition };
