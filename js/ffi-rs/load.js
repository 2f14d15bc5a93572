'use strict';
// load and define: calls of functions by library key and name.
//
// What a call compiles to is kept per library, name and signature. `load` gets fresh literals on
// every call, so it compares types by content.

const { native } = require('../core/loader.js');
const { isArray, mapDelete, mapGet, mapSet } = require('../core/primordials.js');

/** Options of a call, as bits. */
const ERRNO = 1;
const NEW_THREAD = 2;
const FREES_RESULT = 4;

/** What a direct call returns when its library was closed; the error is in `closed`. */
const CLOSED = Symbol('closed');
const closed = { error: undefined };

function whenClosed(error) {
  closed.error = error;
  return CLOSED;
}

/** What compiles and binds; loaded when a function is first called. */
let compiler;

// Loaded when there is an error.
const coded = (...details) => require('../core/errors.js').coded(...details);
const failure = (message) => require('./errors.js').failure(message);
/** Whether an error is for later, when the arguments are right. */
const isBadResult = (error) => compiler !== undefined && error instanceof compiler.BadResult;

/** Compiled calls of a library: by function name, the newest of a chain of Call. */
class Calls {
  constructor(library) {
    this.library = library;
    this.byName = new Map();
  }
}

/** Calls by library key. */
const calls = new Map();

/** Calls that are kept per function: programs that invent types for ever must not leak. */
const MAX_KEPT = 1000;

/** A call that was compiled, and the types it was compiled for. */
class Call {
  constructor({ run, tier, types }, library, options, next) {
    this.run = run;
    this.tier = tier;
    /** Whether `run` returns CLOSED and needs no `try` around it. */
    this.isDirect = tier?.name === 'direct';
    this.types = types;
    this.library = library;
    this.options = options;
    /** Another call of the same function. */
    this.next = next;
    this.position = next === undefined ? 1 : next.position + 1;
  }

  fits(retType, paramsType, options) {
    const { fits } = compiler;
    const { retShape, paramShapes } = this.types;
    if (this.options !== options || !fits(retShape, retType)) return false;
    if (paramShapes.length !== paramsType.length) return false;
    for (let i = 0; i < paramShapes.length; i++) {
      if (!fits(paramShapes[i], paramsType[i])) return false;
    }
    return true;
  }
}

/** The identifier of the library under a key. */
function libraryOf(key) {
  const id = native.findKey(key);
  if (id < 0) {
    throw failure(`Before calling load, you need to open the file "${key}" with the open method`);
  }
  return id;
}

/** The compiled call of a library, name and signature; made when it is first asked for. */
function find(key, name, retType, paramsType, options) {
  let known = mapGet(calls, key);
  if (known === undefined) {
    known = new Calls(libraryOf(key));
    mapSet(calls, key, known);
  }
  const newest = mapGet(known.byName, name);
  for (let call = newest; call !== undefined; call = call.next) {
    if (call.fits(retType, paramsType, options)) return call;
  }
  const { library } = known;
  const next = newest?.position === MAX_KEPT ? undefined : newest;
  let made;
  try {
    compiler ??= require('./bind.js');
    made = compiler.bind({ library, name }, retType, paramsType, options);
  } catch (error) {
    if (!wasClosed(error, key, known)) throw error;
    forget(key);
    return find(key, name, retType, paramsType, options);
  }
  const call = new Call(made, library, options, next);
  mapSet(known.byName, name, call);
  return call;
}

/** Forgets what was compiled for a key whose library was closed. */
function forget(key) {
  mapDelete(calls, key);
}

/**
 * Whether an error says that the library of a call was closed, maybe by another thread, and there
 * is another one, or none, under its key.
 */
function wasClosed(error, key, call) {
  return (
    error !== null &&
    typeof error === 'object' &&
    error.code === 'ERR_FFI_LIBRARY_CLOSED' &&
    native.findKey(key) !== call.library
  );
}

const missing = (field) => coded(Error, 'InvalidArg', `Missing field \`${field}\``);

/** Checks an optional switch; its bit when it is on. */
function flag(value, name, bit) {
  if (value === undefined || value === false) return 0;
  if (value === true) return bit;
  throw coded(Error, 'BooleanExpected', `\`${name}\` must be a boolean`);
}

/** The options of a call. */
function optionsOf({ errno, runInNewThread, freeResultMemory }) {
  return (
    flag(errno, 'errno', ERRNO) |
    flag(runInNewThread, 'runInNewThread', NEW_THREAD) |
    flag(freeResultMemory, 'freeResultMemory', FREES_RESULT)
  );
}

/** Checks what `load` and an entry of `define` have in common. */
function checkFields(library, funcName, retType, paramsType) {
  if (library === undefined) throw missing('library');
  if (funcName === undefined) throw missing('funcName');
  if (retType === undefined) throw missing('retType');
  if (paramsType === undefined) throw missing('paramsType');
  if (typeof library !== 'string')
    throw coded(Error, 'StringExpected', '`library` must be a string');
  if (typeof funcName !== 'string') {
    throw coded(Error, 'StringExpected', '`funcName` must be a string');
  }
  if (!isArray(paramsType))
    throw coded(TypeError, 'ArrayExpected', '`paramsType` must be an array');
}

/** Calls a function once. */
function load(params) {
  if (params === null || typeof params !== 'object') {
    throw coded(TypeError, 'InvalidArg', 'load needs an object');
  }
  const { library, funcName, retType, paramsType, paramsValue } = params;
  checkFields(library, funcName, retType, paramsType);
  if (paramsValue === undefined) throw missing('paramsValue');
  const options = optionsOf(params);
  let call;
  try {
    call = find(library, funcName, retType, paramsType, options);
    if (!call.isDirect) return call.run(paramsValue);
  } catch (error) {
    return loadAgain(error, call, params, options);
  }
  const result = call.run(paramsValue);
  return result === CLOSED ? loadAgain(closed.error, call, params, options) : result;
}

/** Deals with an error of a call: throws it, or calls what was reopened under the key. */
function loadAgain(error, call, params, options) {
  const { library, funcName, retType, paramsType, paramsValue } = params;
  if (isBadResult(error)) error.raise(paramsValue);
  if (call === undefined || !wasClosed(error, library, call)) throw error;
  forget(library);
  const next = find(library, funcName, retType, paramsType, options);
  return settled(next.run(paramsValue));
}

/** What a call has returned; throws for a library that was closed meanwhile. */
function settled(result) {
  if (result === CLOSED) throw closed.error;
  return result;
}

/**
 * What a function of `define` runs: `first`, the call that it was resolved to when it was first
 * called, or `later`, after a `close`. `direct` is the one of them that counts, if it is a direct call.
 * As long as it was set once, V8 takes it for a constant.
 */
class Binding {
  constructor(funcName, entry) {
    this.funcName = funcName;
    this.entry = entry;
  }

  /** Resolves the function and calls it. */
  resolve(fn, list) {
    const { funcName, entry } = this;
    if (entry === null || typeof entry !== 'object') {
      throw coded(TypeError, 'InvalidArg', `the definition of "${funcName}" must be an object`);
    }
    const { library, retType, paramsType } = entry;
    checkFields(library, funcName, retType, paramsType);
    const call = find(library, funcName, retType, paramsType, optionsOf(entry));
    if (call.tier !== undefined) compiler.publish(fn, call.tier);
    if (this.first === undefined) {
      this.first = call;
      if (call.isDirect) this.direct = call;
    } else {
      this.later = call;
      this.direct = call.isDirect ? call : undefined;
    }
    return settled(call.run(list));
  }

  /** Calls the function where a `try` does no harm. */
  call(fn, list) {
    try {
      const { first, later } = this;
      if (later !== undefined) return later.run(list);
      if (first !== undefined) return first.run(list);
      return this.resolve(fn, list);
    } catch (error) {
      return this.recover(error, fn, list);
    }
  }

  /** Deals with an error of a call: throws it, or calls again what was reopened under the key. */
  recover(error, fn, list) {
    if (isBadResult(error)) error.raise(list);
    const call = this.later ?? this.first;
    if (call === undefined || !wasClosed(error, this.entry.library, call)) throw error;
    forget(this.entry.library);
    return this.resolve(fn, list);
  }
}

// No inherited property can pass for one of these.
Object.assign(Binding.prototype, { first: undefined, later: undefined, direct: undefined });
Object.setPrototypeOf(Binding.prototype, null);

/** One function of `define`: resolved when it is first called, and again after a `close`. */
function defineOne(funcName, entry) {
  const binding = new Binding(funcName, entry);
  const fn = (paramsValue = []) => {
    const { direct } = binding;
    if (direct === undefined) return binding.call(fn, paramsValue);
    const result = direct.run(paramsValue);
    if (result === CLOSED) return binding.recover(closed.error, fn, paramsValue);
    return result;
  };
  return fn;
}

/** Up to so many functions get properties one by one. */
const FEW = 32;

/**
 * An object of many properties. Adding them one by one to an ordinary object costs V8 4 us each when
 * there are a thousand; to a dictionary, which an object without prototype is, a tenth of that.
 */
function objectOf(names, make) {
  const object = Object.create(null);
  for (const name of names) object[name] = make(name);
  Object.setPrototypeOf(object, Object.prototype);
  // V8 turns the dictionary of what is a prototype into ordinary properties when it is first used.
  Object.create(object);
  return object;
}

/** An object with one function per key; each takes one array of arguments. */
function define(map = []) {
  if (map === null || typeof map !== 'object') {
    throw coded(TypeError, 'InvalidArg', 'define needs an object');
  }
  const names = Object.keys(map);
  if (names.length > FEW) return objectOf(names, (name) => defineOne(name, map[name]));
  const functions = {};
  for (const name of names) {
    const value = defineOne(name, map[name]);
    // Not an assignment: prototypes may have setters.
    const own = { __proto__: null, value, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(functions, name, own);
  }
  return functions;
}

module.exports = { ERRNO, FREES_RESULT, NEW_THREAD, define, forget, load, whenClosed };
