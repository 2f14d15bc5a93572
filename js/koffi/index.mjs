// The Koffi dialect as an ES module: the same names.

import koffi from './index.js';

export default koffi;
export const {
  LibraryHandle,
  TypeObject,
  Union,
  address,
  alias,
  alignof,
  alloc,
  array,
  as,
  call,
  callback,
  config,
  decode,
  disposable,
  encode,
  enumeration,
  errno,
  extension,
  free,
  handle,
  inout,
  introspect,
  load,
  node,
  offsetof,
  opaque,
  os,
  out,
  pack,
  pointer,
  proto,
  register,
  reset,
  resolve,
  sizeof,
  stats,
  struct,
  type,
  types,
  union,
  unregister,
  version,
  view,
} = koffi;

const in_ = koffi.in;
export { in_ as in };
