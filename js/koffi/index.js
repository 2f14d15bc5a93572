'use strict';
// The Koffi dialect: what `require('ffi-jit/koffi')` gives.
//
// Requiring it loads the addon and little else. The rest comes when it is used for the first time:
// compiling forty modules costs more than many a program does with them.

const { version } = require('../core/loader.js');

const EXTENSIONS = { darwin: '.dylib', win32: '.dll' };

/** A function of another module, which is loaded by the first call. */
function later(load, key) {
  let fn;
  return (...args) => {
    fn ??= load()[key];
    return fn(...args);
  };
}

const types = () => require('./types/api.js').api;
const memory = () => require('./memory.js');
const callbacks = () => require('./callbacks.js');

// Functions that programs call often have a function of their own, so that V8 knows what it calls.

let decodeValue;
let encodeValue;
let castValue;

const decode = (...args) => {
  decodeValue ??= require('./decode.js').decode;
  return decodeValue(...args);
};

const encode = (...args) => {
  encodeValue ??= require('./encode.js').encode;
  return encodeValue(...args);
};

const as = (...args) => {
  castValue ??= memory().as;
  return castValue(...args);
};

/** Frame memory, where errno is. */
let memoryOfCalls;

/** errno after the last call of this thread; `errno(n)` sets it. */
function errno(...args) {
  memoryOfCalls ??= require('../core/memory.js');
  const { views, ERRNO } = memoryOfCalls;
  if (args.length === 0) return views.i32[ERRNO];
  const [value] = args;
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw require('./errors.js').unexpected(value, 'errno', 'integer', 0);
  }
  const code = Number(value) | 0;
  require('../core/routines.js').setErrno(code);
  views.i32[ERRNO] = code;
  return code;
}

/** The fast readers of `decode`, in their order. */
const READERS = [
  ...['char', 'uchar', 'short', 'ushort', 'int', 'uint', 'longlong', 'ulonglong', 'int8', 'uint8'],
  ...['int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'float', 'double', 'int16le'],
  ...['uint16le', 'int32le', 'uint32le', 'int64le', 'uint64le', 'int16be', 'uint16be', 'int32be'],
  ...['uint32be', 'int64be', 'uint64be', 'long', 'ulong', 'string', 'string16', 'string32'],
  'wstring',
];

/** Makes the readers plain properties of `decode`, which they become when one is first looked at. */
function loadReaders() {
  const readers = require('./readers.js');
  for (const key of READERS) setReader(key, readers[key]);
}

const setReader = (key, value) =>
  Object.defineProperty(decode, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });

for (const key of READERS) {
  const get = () => {
    loadReaders();
    return decode[key];
  };
  const set = (value) => {
    loadReaders();
    setReader(key, value);
  };
  Object.defineProperty(decode, key, { get, set, enumerable: true, configurable: true });
}

/** How many values were given to a disposer, and how many callbacks are in use. */
function stats() {
  const { disposed, callbacks: used } = callbacks().counts;
  return { disposed, callbacks: used };
}

/** Forgets the types that the program defined. */
function reset() {
  require('./types/names.js').reset();
  require('./types/signatures.js').forgetSignatures();
  require('./plans.js').forgetPlans();
}

const koffi = {
  address: later(memory, 'address'),
  alloc: later(memory, 'alloc'),
  as,
  call: later(memory, 'call'),
  config: later(() => require('./config.js'), 'config'),
  decode,
  encode,
  errno,
  extension: EXTENSIONS[process.platform] ?? '.so',
  free: later(memory, 'free'),
  load: later(() => require('./library.js'), 'load'),
  register: later(callbacks, 'register'),
  reset,
  stats,
  unregister: later(callbacks, 'unregister'),
  version,
  view: later(memory, 'view'),
};

for (const key of [
  ...[
    'alias',
    'alignof',
    'array',
    'callback',
    'disposable',
    'enumeration',
    'handle',
    'in',
    'inout',
  ],
  ...['introspect', 'offsetof', 'opaque', 'out', 'pack', 'pointer', 'proto', 'resolve', 'sizeof'],
  ...['struct', 'type', 'union'],
]) {
  koffi[key] = later(types, key);
}

/** Values that are no functions, or classes, made by the first access. */
const VALUES = {
  LibraryHandle: () => require('./library.js').LibraryHandle,
  TypeObject: () => types().TypeObject,
  Union: () => types().Union,
  node: () => require('./node.js'),
  os: () => ({ errno: { ...require('node:os').constants.errno } }),
  types: () => types().types,
};

for (const [key, make] of Object.entries(VALUES)) {
  let value;
  const get = () => {
    value ??= make();
    return value;
  };
  Object.defineProperty(koffi, key, { get, enumerable: true, configurable: true });
}

module.exports = koffi;
