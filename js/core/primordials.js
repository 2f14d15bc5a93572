'use strict';
// Builtins that the hot path uses, taken once at load: what user code replaces later does not
// reach us.

const { call } = Function.prototype;

/** The method as a function whose first argument is the receiver. */
const uncurry = (method) => call.bind(method);

const TypedArray = Object.getPrototypeOf(Uint8Array);

/** A getter that all typed arrays share. */
const getter = (key) => Object.getOwnPropertyDescriptor(TypedArray.prototype, key).get;

module.exports = {
  fill: uncurry(TypedArray.prototype.fill),
  slice: uncurry(TypedArray.prototype.slice),
  subarray: uncurry(TypedArray.prototype.subarray),
  copyInto: uncurry(TypedArray.prototype.set),
  weakGet: uncurry(WeakMap.prototype.get),
  weakSet: uncurry(WeakMap.prototype.set),
  byteLength: uncurry(getter('byteLength')),
  typedArrayName: uncurry(getter(Symbol.toStringTag)),
  isArray: Array.isArray,
  isView: ArrayBuffer.isView,
  hasOwn: uncurry(Object.prototype.hasOwnProperty),
  charCodeAt: uncurry(String.prototype.charCodeAt),
  mapGet: uncurry(Map.prototype.get),
  mapSet: uncurry(Map.prototype.set),
  mapClear: uncurry(Map.prototype.clear),
  mapDelete: uncurry(Map.prototype.delete),
  utf8Write: uncurry(Buffer.prototype.utf8Write),
  toBigInt: BigInt,
  asUintN: BigInt.asUintN,
  trunc: Math.trunc,
  floor: Math.floor,
  min: Math.min,
};
