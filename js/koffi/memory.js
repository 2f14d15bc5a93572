'use strict';
// Pointers and memory: `as`, `address`, `alloc`, `free`, `view`, `call`.

const { native } = require('../core/loader.js');
const { coded } = require('../core/errors.js');
const { ARG, EXTENT, LENGTH, views, putPointer } = require('../core/memory.js');
const routines = require('../core/routines.js');
const { failure, invalid, invalidType, unexpected, wrongCount } = require('./errors.js');
const { functionAt } = require('./functions.js');
const references = require('./references.js');
const { forget } = require('./writing.js');
const { internals } = require('./types/model.js');
const { resolve } = require('./types/strings.js');
const { Cast } = require('./values/cast.js');

/** Whether addresses have 64 bits. */
const IS_WIDE = native.pointerSize === 8;

const POINTERS = new Set(['pointer', 'string', 'callback']);

/** `as(value, type)`: the value, to be converted by another type. */
function as(...args) {
  if (args.length < 2) throw wrongCount('2', args.length);
  const own = internals(resolve(args[1]));
  if (!POINTERS.has(own.kind)) {
    throw invalidType('Only pointer or string types can be used for casting', { argument: 1 });
  }
  return new Cast(args[0], own);
}

/** `address(value)`: where it points, as a bigint. */
function address(...args) {
  if (args.length < 1) throw wrongCount('1', 0);
  return references.toPointer(args[0]);
}

/** What fits a size_t, and is exact. */
const MAX_COUNT = IS_WIDE ? Number.MAX_SAFE_INTEGER : 2 ** 32 - 1;

/** `alloc(type, count)`: zeroed memory of the C heap. */
function alloc(...args) {
  if (args.length < 2) throw wrongCount('2', args.length);
  const { size, name } = internals(resolve(args[0]));
  const count = args[1];
  if (typeof count !== 'number' && typeof count !== 'bigint') {
    throw unexpected(count, 'length', 'number', 1);
  }
  const whole = Math.trunc(Number(count));
  if (!(whole > 0)) throw failure('Size must be greater than 0');
  if (size === 0) throw invalidType(`Cannot allocate memory for zero-sized type ${name}`);
  const memory = whole <= MAX_COUNT ? routines.allocate(whole, size) : 0n;
  if (memory === 0n) {
    throw coded(Error, 'ERR_FFI_OUT_OF_MEMORY', `Failed to allocate ${whole} * ${size} bytes`);
  }
  return memory;
}

/** `free(pointer)`: gives memory of the C heap back. */
function free(...args) {
  if (args.length < 1) throw wrongCount('1', 0);
  const [pointer] = args;
  const isPointer =
    pointer === null ||
    pointer === undefined ||
    typeof pointer === 'bigint' ||
    typeof pointer === 'number';
  if (!isPointer) throw unexpected(pointer, 'ptr', 'pointer', 0);
  const target = references.toPointer(pointer);
  forget(target);
  routines.release(target);
}

/** A pointer cell for an address on its way to the native side. */
const CELL = LENGTH * 8;
/** Make an ArrayBuffer over the memory that a cell points to, when one of them was used. */
let arrayBufferAt;
let viewAt;

/** What the EXTENT cell holds. */
const MAX_EXTENT = 2 ** 32 - 1;

/** `view(pointer, length)`: an ArrayBuffer over memory, without a copy. */
function view(...args) {
  if (args.length < 2) throw wrongCount('2', args.length);
  const [pointer, length] = args;
  // As most are: nothing has to be converted, and who cannot is asked below why.
  if (
    typeof pointer === 'bigint' &&
    typeof length === 'number' &&
    length >= 1 &&
    length <= MAX_EXTENT
  ) {
    // V8 11 does not inline the methods of DataViews.
    if (IS_WIDE) views.u64[LENGTH] = pointer;
    else putPointer(CELL, pointer);
    views.u32[ARG] = CELL;
    views.u32[EXTENT] = length;
    viewAt ??= native.viewAt;
    const made = viewAt();
    if (made !== undefined) return made;
  }
  const target = references.toPointer(pointer);
  if (typeof length !== 'number' && typeof length !== 'bigint') {
    throw unexpected(length, 'len', 'number', 1);
  }
  const size = Math.trunc(Number(length));
  if (!(size >= 0)) throw invalid('Array length must be positive and non-zero');
  references.checkLength(size, 1);
  if (target === 0n && size > 0) throw failure('Cannot make a view of NULL pointer');
  putPointer(CELL, target);
  views.u32[ARG] = CELL;
  arrayBufferAt ??= native.arrayBufferAt;
  return arrayBufferAt(size);
}

/** `call(pointer, type, ...args)`: calls the function at a pointer. */
function call(...args) {
  if (args.length < 2) throw wrongCount('2 or more', args.length);
  const [pointer, specifier, ...rest] = args;
  const own = internals(resolve(specifier));
  if (own.kind !== 'prototype') {
    throw unexpected(specifier, 'type', 'function type', 1);
  }
  const target = references.toPointer(pointer);
  if (target === 0n) throw failure('Cannot call function at NULL pointer');
  return functionAt(own.proto, target)(...rest);
}

module.exports = { address, alloc, as, call, free, view };
