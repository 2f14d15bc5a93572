'use strict';
// load and define: calls of functions by library key and name.
//
// What a call compiles to is kept per library, name and signature. `load` gets fresh literals on
// every call, so it compares types by content.

const { native } = require('../core/loader.js');
const { compile } = require('../core/compile.js');
const { coded } = require('../core/errors.js');
const { isArray, mapDelete, mapGet, mapSet } = require('../core/primordials.js');
const types = require('./types.js');
const { failure, mismatch } = require('./errors.js');

/** Compiled calls: library key -> function name -> list of Call. */
const calls = new Map();

/** A call that was compiled, and the types it was compiled for. */
class Call {
  constructor(run, library, retType, paramsType, errno) {
    this.run = run;
    this.library = library;
    this.retType = retType;
    this.paramsType = paramsType;
    this.errno = errno;
  }

  fits(retType, paramsType, errno) {
    const mine = this.paramsType;
    if (this.errno !== errno || !sameType(this.retType, retType)) return false;
    if (mine.length !== paramsType.length) return false;
    for (let i = 0; i < mine.length; i++) {
      if (!sameType(mine[i], paramsType[i])) return false;
    }
    return true;
  }
}

/** Whether two types are equal by content; the first one is a snapshot. */
function sameType(mine, type) {
  if (mine === type) return true;
  if (typeof mine !== 'object' || typeof type !== 'object' || type === null) return false;
  let count = 0;
  for (const key in type) {
    if (!Object.hasOwn(mine, key) || !sameType(mine[key], type[key])) return false;
    count++;
  }
  return count === Object.keys(mine).length;
}

/** A copy of a type that the caller cannot change. */
function snapshot(type, depth = 0) {
  if (typeof type !== 'object' || type === null) return type;
  if (depth > 64) throw coded(Error, 'ERR_FFI_INVALID_TYPE', 'this type is nested too deeply');
  const copy = Object.create(null);
  for (const key in type) copy[key] = snapshot(type[key], depth + 1);
  return copy;
}

/** The error of an argument list of the wrong kind or length. */
function arity(count, list) {
  if (!isArray(list)) {
    throw coded(TypeError, 'InvalidArg', 'paramsValue must be an array of values');
  }
  throw coded(
    Error,
    'Unknown',
    'params_type length is not equal with params_value length',
    { expected: count, received: list.length },
  );
}

const messages = new Map();

/** The text of an errno value, with its number. */
function errnoMessage(code) {
  let message = mapGet(messages, code);
  if (message === undefined) {
    message = `${native.errnoMessage(code)} (os error ${code})`;
    mapSet(messages, code, message);
  }
  return message;
}

const withErrno = (value, errno, g) =>
  `{ errnoCode: ${errno}, errnoMessage: ${g.constant(errnoMessage)}(${errno}), value: ${value} }`;

/** The identifier of the library under a key. */
function libraryOf(key) {
  const id = native.findKey(key);
  if (id < 0) {
    throw failure(
      `Before calling load, you need to open the file "${key}" with the open method`,
    );
  }
  return id;
}

/** Compiles and binds a call. */
function compileCall(key, name, retType, paramsType, errno) {
  const library = libraryOf(key);
  const address = native.symbol(library, name);
  if (address === undefined) throw failure(`Cannot find "${name}" function in shared library`);
  const params = paramsType.map(types.parameter);
  const ret = types.result(retType);
  const compiled = compile({
    name,
    params,
    ret,
    style: 'list',
    mismatch,
    arity,
    withErrno: errno ? withErrno : undefined,
  });
  const entry = native.bind(
    compiled.signature,
    address,
    library,
    compiled.stacked,
    compiled.errno,
    name,
  );
  return new Call(
    compiled.link(entry),
    library,
    snapshot(retType),
    paramsType.map((type) => snapshot(type)),
    errno,
  );
}

/** The compiled call of a library, name and signature; made when it is first asked for. */
function find(key, name, retType, paramsType, errno) {
  let names = mapGet(calls, key);
  if (names === undefined) {
    libraryOf(key);
    names = new Map();
    mapSet(calls, key, names);
  }
  let list = mapGet(names, name);
  if (list !== undefined) {
    for (let i = 0; i < list.length; i++) {
      if (list[i].fits(retType, paramsType, errno)) return list[i];
    }
  }
  const call = compileCall(key, name, retType, paramsType, errno);
  if (list === undefined) {
    list = [];
    mapSet(names, name, list);
  }
  list[list.length] = call;
  return call;
}

/** Forgets what was compiled for a key whose library was closed. */
function forget(key) {
  mapDelete(calls, key);
}

/** Whether an error says that the library of a call was closed, maybe by another thread. */
function wasClosed(error, key, call) {
  return (
    error !== null &&
    typeof error === 'object' &&
    error.code === 'ERR_FFI_LIBRARY_CLOSED' &&
    native.findKey(key) !== call.library
  );
}

const missing = (field) => coded(Error, 'InvalidArg', `Missing field \`${field}\``);

/** Checks an optional switch. */
function flag(params, name) {
  const value = params[name];
  if (value === undefined || value === false) return false;
  if (value === true) return true;
  throw coded(Error, 'BooleanExpected', `\`${name}\` must be a boolean`);
}

/** Checks what `load` and an entry of `define` have in common. */
function checkFields(library, funcName, retType, paramsType) {
  if (library === undefined) throw missing('library');
  if (funcName === undefined) throw missing('funcName');
  if (retType === undefined) throw missing('retType');
  if (paramsType === undefined) throw missing('paramsType');
  if (typeof library !== 'string') throw coded(Error, 'StringExpected', '`library` must be a string');
  if (typeof funcName !== 'string') {
    throw coded(Error, 'StringExpected', '`funcName` must be a string');
  }
  if (!isArray(paramsType)) throw coded(TypeError, 'ArrayExpected', '`paramsType` must be an array');
}

/** Calls a function once. */
function load(params) {
  if (params === null || typeof params !== 'object') {
    throw coded(TypeError, 'InvalidArg', 'load needs an object');
  }
  const { library, funcName, retType, paramsType, paramsValue } = params;
  checkFields(library, funcName, retType, paramsType);
  if (paramsValue === undefined) throw missing('paramsValue');
  const errno = flag(params, 'errno');
  const call = find(library, funcName, retType, paramsType, errno);
  try {
    return call.run(paramsValue);
  } catch (error) {
    if (!wasClosed(error, library, call)) throw error;
    forget(library);
    return find(library, funcName, retType, paramsType, errno).run(paramsValue);
  }
}

/** One function of `define`: resolved when it is first called, and again after a `close`. */
function defineOne(funcName, entry) {
  let call;
  let run = resolve;
  function resolve(list) {
    const { library, retType, paramsType } = entry;
    checkFields(library, funcName, retType, paramsType);
    call = find(library, funcName, retType, paramsType, flag(entry, 'errno'));
    run = call.run;
    return run(list);
  }
  return (paramsValue = []) => {
    try {
      return run(paramsValue);
    } catch (error) {
      if (call === undefined || !wasClosed(error, entry.library, call)) throw error;
      forget(entry.library);
      return resolve(paramsValue);
    }
  };
}

/** An object with one function per key; each takes one array of arguments. */
function define(map = []) {
  const functions = {};
  for (const name of Object.keys(map)) functions[name] = defineOne(name, map[name]);
  return functions;
}

module.exports = { define, forget, load };
