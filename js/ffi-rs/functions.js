'use strict';
// Function descriptors: JavaScript functions as C function pointers.
//
// A void callback is always queued: JavaScript runs after the call that led to it. One with a
// result runs at once, and C waits for it, on whatever thread it calls.

const { isExternal } = require('node:util/types');
const codecs = require('../core/codecs.js');
const callbacks = require('../core/callbacks.js');
const { compileCallback } = require('../core/compile.js');
const { views, LIVE, putExternal, putNull, putPointer } = require('../core/memory.js');
const { DataType } = require('./index.js');
const { invalidType, mismatch } = require('./errors.js');

const { u32 } = views;

/**
 * Callbacks that `load` made for a function and a descriptor that says nothing about freeing: they
 * live for ever, so the same function is not made twice.
 */
const permanent = new WeakMap();

/** Whether a value is a function pointer of C's, or NULL. */
const isPointer = (value) => value === null || isExternal(value);

/** A function pointer for the time of a call, and the function behind it; none while it is idle. */
class Transient {
  constructor(pool) {
    this.pool = pool;
    this.fn = undefined;
    this.address = 0n;
    /** The next idle one. */
    this.next = undefined;
  }

  release() {
    this.fn = undefined;
    u32[LIVE]--;
    this.pool.keep(this);
  }
}

/** So many idle function pointers wait before the first is used again, because C may call late. */
const MIN_IDLE = 8;
/** So many are kept. */
const MAX_IDLE = 32;

/** A queue of the idle function pointers of a descriptor. */
class Pool {
  constructor(compiled) {
    this.compiled = compiled;
    this.first = undefined;
    this.last = undefined;
    this.count = 0;
  }

  /** Stores a function pointer for `fn` in a cell, until the call returns. */
  give(fn, cell) {
    let transient;
    if (this.count >= MIN_IDLE) {
      transient = this.take();
      u32[LIVE]++;
      putPointer(cell, transient.address);
    } else {
      transient = new Transient(this);
      transient.address = callbacks.create(this.compiled, transient, 0, cell);
    }
    transient.fn = fn;
    callbacks.transient.push(transient);
  }

  /** The one that was idle longest. There is always another one. */
  take() {
    const transient = this.first;
    this.first = transient.next;
    transient.next = undefined;
    this.count--;
    return transient;
  }

  keep(transient) {
    if (this.count === MAX_IDLE) {
      u32[LIVE]++;
      callbacks.release(transient.address);
      return;
    }
    if (this.count === 0) this.first = transient;
    else this.last.next = transient;
    this.last = transient;
    this.count++;
  }
}

/** The codec of a function descriptor; `codecOf` reads the types in it. */
function functionCodec(type, codecOf) {
  const { paramsType, retType = DataType.Void } = type;
  if (!Array.isArray(paramsType)) throw invalidType('a function type needs paramsType, an array');
  const declaration = {
    params: paramsType.map((param) => codecOf(param, 'result')),
    ret: retType === DataType.Void ? codecs.nothing : codecOf(retType, 'parameter'),
    mismatch,
  };
  const needFree = type.needFree === true;
  const isQueued = retType === DataType.Void;
  const frees = type.freeCFuncParamsMemory === true;
  const isKept = needFree && !isQueued && !frees;
  const compiled = compileCallback({ ...declaration, holdsFunction: isKept });
  const key = JSON.stringify(type);
  const flags =
    callbacks.KEEPS_ALIVE | (isQueued ? callbacks.QUEUED : 0) | (frees ? callbacks.FREES : 0);
  const pool = isKept ? new Pool(compiled) : undefined;

  const create = (fn, cell) => callbacks.create(compiled, isKept ? { fn } : fn, flags, cell);
  const createTransient = (fn, cell) => {
    if (isKept) return pool.give(fn, cell);
    const address = create(fn, cell);
    callbacks.transient.push({ release: () => callbacks.release(address) });
  };
  const createPermanent = (fn, cell) => {
    const known = permanent.get(fn) ?? new Map();
    permanent.set(fn, known);
    if (known.has(key)) putPointer(cell, known.get(key));
    else known.set(key, create(fn, cell));
  };
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
