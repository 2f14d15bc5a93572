'use strict';
// Function descriptors: JavaScript functions as C function pointers.
//
// A void callback is always queued: JavaScript runs after the call that led to it. One with a
// result runs at once, and C waits for it, on whatever thread it calls.

const { isExternal } = require('node:util/types');
const codecs = require('../core/codecs.js');
const callbacks = require('../core/callbacks.js');
const { compileCallback } = require('../core/compile.js');
const { putExternal, putNull, putPointer } = require('../core/memory.js');
const { DataType } = require('./constants.js');
const { invalidType, mismatch } = require('./errors.js');

/**
 * Callbacks that `load` made for a function and a descriptor that says nothing about freeing: they
 * live for ever, so the same function is not made twice.
 */
const permanent = new WeakMap();

/** Whether a value is a function pointer of C's, or NULL. */
const isPointer = (value) => value === null || isExternal(value);

/** The codec of a function descriptor; `codecOf` reads the types in it. */
function functionCodec(type, codecOf) {
  const { paramsType, retType = DataType.Void } = type;
  if (!Array.isArray(paramsType)) throw invalidType('a function type needs paramsType, an array');
  const declaration = {
    params: paramsType.map((param) => codecOf(param, 'result')),
    ret: retType === DataType.Void ? codecs.nothing : codecOf(retType, 'parameter'),
    mismatch,
  };
  const compiled = compileCallback(declaration);
  const key = JSON.stringify(type);
  const flags =
    callbacks.KEEPS_ALIVE |
    (retType === DataType.Void ? callbacks.QUEUED : 0) |
    (type.freeCFuncParamsMemory === true ? callbacks.FREES : 0);

  const create = (fn, cell) => callbacks.create(compiled, fn, flags, cell);
  const createTransient = (fn, cell) => {
    const address = create(fn, cell);
    callbacks.transient.push({ release: () => callbacks.release(address) });
  };
  const createPermanent = (fn, cell) => {
    const known = permanent.get(fn) ?? new Map();
    permanent.set(fn, known);
    if (known.has(key)) putPointer(cell, known.get(key));
    else known.set(key, create(fn, cell));
  };
  const needFree = type.needFree === true;
  return {
    ...codecs.POINTER,
    simple: false,
    readsInPlace: true,
    transient: needFree,
    take(g, value, where) {
      // A cell of createPointer is for a function; an argument may also be a pointer to one.
      const isFunction = `(typeof ${value} === 'function')`;
      const fits = g.owning ? isFunction : `(${isFunction} || ${g.constant(isPointer)}(${value}))`;
      codecs.fail(g, `!${fits}`, value, where, 'Function');
      return value;
    },
    put(g, value, ref) {
      // A pointer of its own belongs to whoever frees it.
      const make = g.owning ? create : needFree ? createTransient : createPermanent;
      const put = (v, cell) => {
        if (v === null) putNull(cell);
        else if (typeof v === 'function') make(v, cell);
        else putExternal(v, cell);
      };
      g.emit(`${g.constant(put)}(${value}, ${ref});`);
    },
    get: (g, ref) => g.local(`getExternal(${ref})`),
  };
}

module.exports = { functionCodec };
