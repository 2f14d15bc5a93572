'use strict';
// Section 1 and 5 of the contract: names, numbers, and the descriptor builders.

const assert = require('node:assert/strict');
const test = require('node:test');
const { ffi, call, pointerTo } = require('../support/ffi');

const FUNCTIONS = [
  'arrayConstructor',
  'close',
  'createExternalBuffer',
  'createPointer',
  'define',
  'freePointer',
  'funcConstructor',
  'isNullPointer',
  'load',
  'open',
  'restorePointer',
  'unwrapPointer',
  'wrapPointer',
];

const DATA_TYPES = {
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
  StackArray: 996,
  Array: 997,
  Function: 998,
  StackStruct: 999,
};

const TAGS = { Unknown: 0, StackArray: 996, Array: 997, Function: 998, StackStruct: 999 };

test('every function of the original is there', () => {
  for (const name of FUNCTIONS) assert.equal(typeof ffi[name], 'function', name);
});

test('a plain require gives the 16 names of the original', () => {
  const names = Object.keys(ffi).filter((name) => name !== 'default');
  for (const name of [...FUNCTIONS, 'DataType', 'FFITypeTag', 'PointerType']) {
    assert.ok(names.includes(name), name);
  }
});

test('constants map names to numbers, and only that', () => {
  assert.deepEqual({ ...ffi.DataType }, DATA_TYPES);
  assert.deepEqual({ ...ffi.FFITypeTag }, TAGS);
  assert.deepEqual({ ...ffi.PointerType }, { RsPointer: 0, CPointer: 1 });
  assert.equal(ffi.DataType[1], undefined);
});

test('constants are plain mutable objects', () => {
  for (const object of [ffi.DataType, ffi.FFITypeTag, ffi.PointerType]) {
    assert.equal(Object.getPrototypeOf(object), Object.prototype);
    assert.ok(!Object.isFrozen(object));
  }
  ffi.DataType.MyInt = ffi.DataType.I32;
  try {
    assert.equal(call('forty_two', ffi.DataType.MyInt), 42);
  } finally {
    delete ffi.DataType.MyInt;
  }
});

test('numbers work in place of names', () => {
  assert.equal(call('add_i32', 1, [1, 1], [40, 2]), 42);
});

test('an external is a V8 external', () => {
  const { isExternal } = require('node:util').types;
  const external = call('null_pointer', ffi.DataType.External);
  assert.equal(typeof external, 'object');
  assert.ok(isExternal(external));
  assert.ok(isExternal(pointerTo(ffi.DataType.I32, 1)));
});

test('named imports work from an ES module', async () => {
  const module = await import(process.env.FFI_JIT_MODULE || 'ffi-jit').catch((error) => {
    // A directory cannot be imported; that only happens with a module given by path.
    if (error.code === 'ERR_UNSUPPORTED_DIR_IMPORT') return null;
    throw error;
  });
  if (module === null) return;
  assert.equal(module.load, ffi.load);
  assert.equal(module.DataType, ffi.DataType);
});

test('arrayConstructor spreads its options after the tag', () => {
  const options = { type: 3, length: 2, dynamicArray: true, more: 'kept' };
  const made = ffi.arrayConstructor(options);
  assert.deepEqual(made, { ffiTypeTag: 997, ...options });
  assert.deepEqual(Object.keys(made), ['ffiTypeTag', 'type', 'length', 'dynamicArray', 'more']);
  assert.notEqual(made, options);
  assert.equal(options.ffiTypeTag, undefined);
  assert.equal(ffi.arrayConstructor({ type: 3, length: 2, ffiTypeTag: 996 }).ffiTypeTag, 996);
});

test('funcConstructor spreads its options after the defaults', () => {
  const made = ffi.funcConstructor({ paramsType: [1], retType: 7 });
  assert.deepEqual(made, {
    ffiTypeTag: 998,
    needFree: false,
    freeCFuncParamsMemory: false,
    paramsType: [1],
    retType: 7,
  });
  assert.equal(ffi.funcConstructor({ paramsType: [], needFree: true }).needFree, true);
  assert.equal(ffi.funcConstructor({ paramsType: [], ffiTypeTag: 5 }).ffiTypeTag, 5);
});
