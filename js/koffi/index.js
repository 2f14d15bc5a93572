'use strict';
// The Koffi dialect: what `require('ffi-jit/koffi')` gives.

const os = require('node:os');
const { views, ERRNO } = require('../core/memory.js');
const { setErrno } = require('../core/routines.js');
const { counts, register, unregister } = require('./callbacks.js');
const { config } = require('./config.js');
const { decode } = require('./decode.js');
const { encode } = require('./encode.js');
const { unexpected } = require('./errors.js');
const { LibraryHandle, load } = require('./library.js');
const { address, alloc, as, call, free, view } = require('./memory.js');
const node = require('./node.js');
const { forgetPlans } = require('./plans.js');
const { api: types } = require('./types/api.js');
const names = require('./types/names.js');
const { forgetSignatures } = require('./types/signatures.js');

/** The version of this package. */
const VERSION = '0.1.0';

const EXTENSIONS = { darwin: '.dylib', win32: '.dll' };

/** errno after the last call of this thread; `errno(n)` sets it. */
function errno(...args) {
  if (args.length === 0) return views.i32[ERRNO];
  const [value] = args;
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw unexpected(value, 'errno', 'integer', 0);
  }
  const code = Number(value) | 0;
  setErrno(code);
  views.i32[ERRNO] = code;
  return code;
}

/** How many values were given to a disposer, and how many callbacks are in use. */
const stats = () => ({ disposed: counts.disposed, callbacks: counts.callbacks });

/** Forgets the types that the program defined. */
function reset() {
  names.reset();
  forgetSignatures();
  forgetPlans();
}

module.exports = {
  ...types,
  LibraryHandle,
  address,
  alloc,
  as,
  call,
  config,
  decode,
  encode,
  errno,
  extension: EXTENSIONS[process.platform] ?? '.so',
  free,
  load,
  node,
  os: { errno: { ...os.constants.errno } },
  register,
  reset,
  stats,
  unregister,
  version: VERSION,
  view,
};
