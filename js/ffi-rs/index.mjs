// The ES module entry: the names of the CommonJS one, and all of them as the default export (which
// is what importing a CommonJS package gives).

import ffi from './index.js';

export const {
  DataType,
  FFITypeTag,
  PointerType,
  arrayConstructor,
  close,
  createExternalBuffer,
  createPointer,
  define,
  freePointer,
  funcConstructor,
  isNullPointer,
  load,
  open,
  restorePointer,
  unwrapPointer,
  wrapPointer,
} = ffi;

export default ffi;
