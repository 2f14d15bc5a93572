'use strict';
// References to memory, as programs give them: an address, or a view of JavaScript memory whose
// end is known.

const {
  views,
  TOP,
  END,
  FIXED,
  getPointer,
  overflow,
  putPointer,
  putView,
} = require('../core/memory.js');
const { bytesAt, copyFrom, copyTo, writeBytes } = require('../core/routines.js');
const { failure, invalid, unexpected } = require('./errors.js');
const { bytesOf } = require('./values/bytes.js');
const { Cast } = require('./values/cast.js');
const { toAddress } = require('./values/pointers.js');

const { u8, u32 } = views;

const nullPointer = () => failure('Cannot encode data in NULL pointer');

/**
 * What a reference is: an address, or the bytes of a view. NULL is an error.
 * @returns {bigint | Uint8Array}
 */
function toReference(value, purpose = 'reference') {
  if (typeof value === 'bigint' || typeof value === 'number') {
    const address = typeof value === 'bigint' ? value : toAddress(value);
    if (address === 0n) throw nullPointer();
    return address;
  }
  if (value === null || value === undefined) throw nullPointer();
  const bytes = bytesOf(value);
  if (bytes !== undefined) return bytes;
  const cast = Cast.read(value);
  if (cast !== undefined) return toReference(cast.value, purpose);
  throw unexpected(value, purpose, 'pointer');
}

/**
 * Stores the address of a reference in a pointer cell.
 * @returns {number} how many bytes are there: Infinity when nobody knows
 */
function point(value, cell, purpose) {
  if (typeof value === 'bigint') {
    if (value === 0n) throw nullPointer();
    putPointer(cell, value);
    return Infinity;
  }
  if (typeof value === 'object' && value !== null) {
    const length = putView(value, cell);
    if (length >= 0) return length;
  }
  const reference = toReference(value, purpose);
  if (typeof reference !== 'bigint') throw unexpected(value, purpose, 'pointer');
  putPointer(cell, reference);
  return Infinity;
}

/** The error of memory that is too small for a value. */
function outside(offset, size, name) {
  if (!(offset >= 0)) return failure('Offset must be >= 0');
  return failure(
    `Expected buffer with size superior or equal to type ${name} (${offset + size} bytes)`,
  );
}

/** The address of a view's memory. */
function addressOfView(value) {
  const cell = FIXED;
  putView(value, cell);
  return getPointer(cell);
}

/** The address that a value holds: 0n for NULL. */
function toPointer(value, purpose = 'ptr') {
  if (typeof value === 'bigint') return BigInt.asUintN(64, value);
  if (value === null || value === undefined) return 0n;
  if (typeof value === 'number') return toAddress(value);
  const cast = Cast.read(value);
  if (cast !== undefined) return toPointer(cast.value, purpose);
  if (bytesOf(value) === undefined) throw unexpected(value, purpose, 'pointer');
  return addressOfView(value);
}

/** The most bytes that are looked at in one go: what an ArrayBuffer can hold everywhere. */
const MAX_BYTES = 2 ** 32;

/** Checks a number of elements that a program gave. */
function checkLength(count, unit) {
  if (count * unit <= MAX_BYTES) return;
  throw invalid(`Array length is too high (max = ${Math.floor(MAX_BYTES / unit)})`);
}

/** Whether `size` bytes from an offset lie within a reference, as far as anybody knows. */
const fits = (reference, offset, size) =>
  typeof reference === 'bigint' || (offset >= 0 && offset + size <= reference.length);

/** Checks the same. */
function checkBounds(reference, offset, size, name) {
  if (!fits(reference, offset, size)) throw outside(offset, size, name);
}

/** Copies bytes of a reference to an offset of frame memory. */
function loadBytes(reference, offset, size, at) {
  if (typeof reference === 'bigint') {
    copyFrom(offset === 0 ? reference : reference + BigInt(offset), at, size);
  } else u8.set(reference.subarray(offset, offset + size), at);
}

/** Copies bytes from an offset of frame memory to a reference. */
function storeBytes(reference, offset, size, at) {
  if (typeof reference === 'bigint') copyTo(reference + BigInt(offset), at, size);
  else reference.set(u8.subarray(at, at + size), offset);
}

/** A copy of bytes of a reference, however many. */
const bytesFrom = (reference, offset, size) =>
  typeof reference === 'bigint'
    ? bytesAt(reference + BigInt(offset), size)
    : reference.slice(offset, offset + size);

/** Copies bytes to a reference. */
function writeTo(reference, offset, bytes) {
  if (typeof reference === 'bigint') writeBytes(reference + BigInt(offset), bytes);
  else reference.set(bytes, offset);
}

/** Runs `use` with the offset of `size` bytes of scratch memory. */
function withScratch(size, use) {
  const top = u32[TOP];
  const at = (top + 63) & ~63;
  if (size > END - at) throw overflow();
  u32[TOP] = at + size;
  try {
    return use(at);
  } finally {
    u32[TOP] = top;
  }
}

/** Whether so many bytes fit frame memory, with what is in it now. */
const fitsFrame = (size) => size <= END - ((u32[TOP] + 63) & ~63);

/** Runs `use` with the offset of a copy of bytes of a reference in frame memory. */
function withBytes(reference, offset, size, use) {
  const top = u32[TOP];
  const at = (top + 63) & ~63;
  if (size > END - at) throw overflow();
  u32[TOP] = at + size;
  try {
    loadBytes(reference, offset, size, at);
    return use(at);
  } finally {
    u32[TOP] = top;
  }
}

/**
 * The offset of a copy of bytes of a reference in frame memory, which stands there until anything else
 * uses it.
 */
function briefly(reference, offset, size) {
  const at = (u32[TOP] + 63) & ~63;
  if (size > END - at) throw overflow();
  loadBytes(reference, offset, size, at);
  return at;
}

module.exports = {
  addressOfView,
  briefly,
  bytesFrom,
  checkBounds,
  checkLength,
  fits,
  fitsFrame,
  loadBytes,
  outside,
  point,
  storeBytes,
  toPointer,
  toReference,
  withBytes,
  withScratch,
  writeTo,
};
