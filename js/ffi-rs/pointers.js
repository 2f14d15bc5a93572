'use strict';
// The pointer model: heap cells that hold values for C, and Externals that hold their addresses.

const { native } = require('../core/loader.js');
const { compileReader, compileWriter, describeOwned } = require('../core/compile.js');
const { release } = require('../core/callbacks.js');
const { external } = require('../core/codecs.js');
const { borrowed } = require('../core/recording.js');
const { coded, kindOf, show } = require('../core/errors.js');
const memory = require('../core/memory.js');
const { isArray } = require('../core/primordials.js');
const { startExternals } = require('../core/tier.js');
const { FFITypeTag, PointerType } = require('./index.js');
const { mismatch } = require('./errors.js');
const { ByType } = require('./by-type.js');
const types = require('./types.js');

const { FIXED, FREED, freeCell, getPointer, isNull, makeCell, pointerSize, putExternal } = memory;

// Tiers bring faster ways for Externals.
startExternals();

/** A pointer cell for addresses on their way to and from the native side. */
const CELL = FIXED;

const writers = new ByType((type) => compileWriter(types.parameter(type), mismatch));
const readers = new ByType((type) => compileReader(types.result(type)));
/** Reads a pointer, when it was compiled. */
let readPointer;
/** What a cell owns: the number of its description. */
const ownedByUs = new ByType((type) => describeOwned(types.ownedIn(type, true)));
const ownedByC = new ByType((type) => describeOwned(types.ownedIn(type, false)));

const notExternal = (value, argument) =>
  coded(Error, 'InvalidArg', `expect External, got: ${kindOf(value)}`, {
    argument,
    expected: 'External',
    received: kindOf(value),
  });

const nullPointer = (argument) =>
  coded(Error, 'InvalidArg', `the pointer at index ${argument} is null`, { argument });

/** Checks a list that a field of the options or an argument must be. */
function checkList(list, name) {
  if (list === undefined) throw coded(Error, 'InvalidArg', `Missing field \`${name}\``);
  if (!isArray(list)) throw coded(TypeError, 'ArrayExpected', `\`${name}\` must be an array`);
  return list;
}

function checkOptions(options, name) {
  if (options === null || typeof options !== 'object') {
    throw coded(TypeError, 'InvalidArg', `${name} needs an object`);
  }
}

/** Puts an External's address into CELL; throws for anything else, and for null. */
function takeAddress(value, argument) {
  if (!putExternal(value, CELL)) throw notExternal(value, argument);
  if (isNull(CELL)) throw nullPointer(argument);
}

/** One heap cell per value; an External of each. */
function createPointer(options) {
  checkOptions(options, 'createPointer');
  const paramsType = checkList(options.paramsType, 'paramsType');
  const paramsValue = checkList(options.paramsValue, 'paramsValue');
  checkLengths(paramsType, paramsValue);
  const { length } = paramsType;
  if (length === 1) return [writers.get(paramsType[0])(paramsValue[0])];
  const list = [];
  for (let i = 0; i < length; i++) {
    list.push(writers.get(paramsType[i])(paramsValue[i]));
  }
  return list;
}

function checkLengths(paramsType, paramsValue) {
  if (paramsType.length === paramsValue.length) return;
  const message = 'params_type length is not equal with params_value length';
  throw coded(Error, 'Unknown', message, {
    expected: paramsType.length,
    received: paramsValue.length,
  });
}

/** Reads a value from each cell; pairs up to the shorter list. */
function restorePointer(options) {
  checkOptions(options, 'restorePointer');
  const retType = checkList(options.retType, 'retType');
  const paramsValue = checkList(options.paramsValue, 'paramsValue');
  if (retType.length === 1 && paramsValue.length > 0) return [read(retType[0], paramsValue[0], 0)];
  const list = [];
  for (let i = 0; i < retType.length && i < paramsValue.length; i++) {
    list.push(read(retType[i], paramsValue[i], i));
  }
  return list;
}

/** Reads the value in one cell. */
function read(type, pointer, argument) {
  const reader = readers.get(type);
  takeAddress(pointer, argument);
  return reader(CELL);
}

/** The pointer that is stored at each address. */
function unwrapPointer(pointers) {
  checkList(pointers, 'pointers');
  if (pointers.length === 1) return [pointerIn(pointers[0], 0)];
  return pointers.map(pointerIn);
}

function pointerIn(pointer, argument) {
  takeAddress(pointer, argument);
  readPointer ??= compileReader(external({ expected: 'External' }));
  return readPointer(CELL);
}

/** A new cell for each pointer. */
function wrapPointer(pointers) {
  return checkList(pointers, 'pointers').map((pointer, i) => {
    if (!putExternal(pointer, CELL)) throw notExternal(pointer, i);
    return makeCell(CELL, pointerSize);
  });
}

/**
 * Frees cells and what they own. What createPointer or wrapPointer made is known, so that freeing
 * it twice, as RsPointer, is an error.
 */
function freePointer(options) {
  checkOptions(options, 'freePointer');
  const paramsType = checkList(options.paramsType, 'paramsType');
  const paramsValue = checkList(options.paramsValue, 'paramsValue');
  const { pointerType } = options;
  if (pointerType === undefined) throw coded(Error, 'InvalidArg', 'Missing field `pointerType`');
  if (pointerType !== PointerType.RsPointer && pointerType !== PointerType.CPointer) {
    throw coded(Error, 'InvalidArg', `Invalid pointerType: ${show(pointerType)}`);
  }
  checkLengths(paramsType, paramsValue);
  for (let i = 0; i < paramsType.length; i++)
    freeOne(paramsType[i], paramsValue[i], pointerType, i);
}

function freeOne(type, pointer, pointerType, argument) {
  if (typeof type === 'object' && type !== null && type.ffiTypeTag === FFITypeTag.Function) {
    freeFunction(type, pointer, argument);
    return;
  }
  const ours = pointerType === PointerType.RsPointer;
  if (borrowed.size > 0 && putExternal(pointer, CELL)) borrowed.delete(getPointer(CELL));
  const owned = (ours ? ownedByUs : ownedByC).get(type);
  switch (freeCell(pointer, ours, owned)) {
    case FREED.NOT_EXTERNAL:
      throw notExternal(pointer, argument);
    case FREED.NULL:
      throw nullPointer(argument);
    case FREED.NOT_LIVE:
      throw notLive(argument);
  }
}

const notLive = (argument) =>
  coded(
    Error,
    'ERR_FFI_INVALID_POINTER',
    `the pointer at index ${argument} is not from createPointer or wrapPointer, or was freed`,
    { argument },
  );

/** Releases a callback, given its cell or its code pointer. */
function freeFunction(type, pointer, argument) {
  takeAddress(pointer, argument);
  if (native.isLive(pointer)) {
    const [code] = unwrapPointer([pointer]);
    freeCell(pointer, true, 0);
    putExternal(code, CELL);
  }
  if (!release(getPointer(CELL))) throw notLive(argument);
  type.needFree = true;
}

const isNullPointer = (pointer) => {
  if (!putExternal(pointer, CELL) || pointer === null) throw notExternal(pointer, 0);
  return isNull(CELL);
};

/** A Buffer over C's memory: no copy, no ownership. */
function createExternalBuffer(pointer, length) {
  if (!putExternal(pointer, CELL)) throw notExternal(pointer, 0);
  if (typeof length !== 'number') {
    throw coded(Error, 'NumberExpected', `argument 1: expected Number, got ${kindOf(length)}`);
  }
  if (isNullPointer(pointer)) {
    throw coded(Error, 'GenericFailure', 'create_external_buffer: pointer is null');
  }
  if (!(length >= 0 && length <= 0x7fffffff)) {
    throw coded(RangeError, 'ERR_BUFFER_TOO_LARGE', `a Buffer of ${length} bytes is too large`);
  }
  return native.bufferAt(pointer, Math.trunc(length));
}

module.exports = {
  createExternalBuffer,
  createPointer,
  freePointer,
  isNullPointer,
  restorePointer,
  unwrapPointer,
  wrapPointer,
};
