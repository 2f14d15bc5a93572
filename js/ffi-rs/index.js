'use strict';
// The ffi-rs dialect: what `require('ffi-jit')` gives.

const { native } = require('../core/loader.js');

// The numbers by which programs name types: plain mutable objects without reverse mapping. They are
// here, not in a file of their own, which would take a tenth of the time of `require`.

const FFITypeTag = { Unknown: 0, StackArray: 996, Array: 997, Function: 998, StackStruct: 999 };

const DataType = {
  String: 0,
  I32: 1,
  Double: 2,
  I32Array: 3,
  StringArray: 4,
  DoubleArray: 5,
  Boolean: 6,
  Void: 7,
  I64: 8,
  U8: 9,
  U8Array: 10,
  External: 11,
  U64: 12,
  FloatArray: 13,
  Float: 14,
  WString: 15,
  BigInt: 16,
  I16: 17,
  StructArray: 18,
  I16Array: 19,
  U32: 20,
  Array: FFITypeTag.Array,
  Function: FFITypeTag.Function,
  StackArray: FFITypeTag.StackArray,
  StackStruct: FFITypeTag.StackStruct,
};

const PointerType = { RsPointer: 0, CPointer: 1 };

// The rest is loaded when it is first needed: a program that starts should not wait for it.

/** Calls. */
let loadedCalls;
const calls = () => {
  loadedCalls ??= require('./load.js');
  return loadedCalls;
};

/** The pointer model. */
let loadedPointers;
const pointers = () => {
  loadedPointers ??= require('./pointers.js');
  return loadedPointers;
};

/** Errors of calls of the functions here. */
const coded = (...details) => require('../core/errors.js').coded(...details);
const failure = (message) => require('./errors.js').failure(message);

/** Opens a library under a key, for every thread. A key that is open stays as it is. */
function open(params) {
  if (params === null || typeof params !== 'object') {
    throw coded(TypeError, 'InvalidArg', 'open needs an object');
  }
  const { library, path } = params;
  if (library === undefined) throw coded(Error, 'InvalidArg', 'Missing field `library`');
  if (path === undefined) throw coded(Error, 'InvalidArg', 'Missing field `path`');
  for (const [name, value] of Object.entries({ library, path })) {
    if (typeof value !== 'string') {
      throw coded(Error, 'StringExpected', `\`${name}\` must be a string`);
    }
  }
  try {
    native.openKey(library, path);
  } catch (error) {
    throw Object.assign(failure(loadFailure(error.message)), { cause: error });
  }
}

/** ffi-rs's text for a library that did not load: the loader's own, with advice for a bad file. */
const loadFailure = (message) =>
  /ELF|not a valid Win32|mach-o/i.test(message)
    ? `Please check whether the library has the same compilation and runtime environment.\n Error detail info: ${message}`
    : message;

/** Closes the library under a key; functions of it throw from now on. */
function close(key) {
  if (typeof key !== 'string') throw coded(Error, 'StringExpected', 'close needs a string');
  native.closeKey(key);
  loadedCalls?.forget(key);
}

/** A descriptor of an array type. */
const arrayConstructor = (options) => ({ ffiTypeTag: FFITypeTag.Array, ...options });

/** A descriptor of a function type. */
const funcConstructor = (options) => ({
  ffiTypeTag: FFITypeTag.Function,
  needFree: false,
  freeCFuncParamsMemory: false,
  ...options,
});

module.exports = {
  DataType,
  FFITypeTag,
  PointerType,
  arrayConstructor,
  close,
  define: (map) => calls().define(map),
  funcConstructor,
  load: (params) => calls().load(params),
  open,
  createExternalBuffer: (pointer, length) => pointers().createExternalBuffer(pointer, length),
  createPointer: (options) => pointers().createPointer(options),
  freePointer: (options) => pointers().freePointer(options),
  isNullPointer: (pointer) => pointers().isNullPointer(pointer),
  restorePointer: (options) => pointers().restorePointer(options),
  unwrapPointer: (list) => pointers().unwrapPointer(list),
  wrapPointer: (list) => pointers().wrapPointer(list),
};
