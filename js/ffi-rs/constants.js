'use strict';
// The numbers by which ffi-rs programs name types (plain mutable objects without reverse mapping),
// and what calls say to those who make them.

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

module.exports = {
  CLOSED,
  DataType,
  ERRNO,
  FFITypeTag,
  FREES_RESULT,
  NEW_THREAD,
  PointerType,
  closed,
  whenClosed,
};
