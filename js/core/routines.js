'use strict';
// C routines that the core calls itself, bound like any other function (src/node/routines.rs):
// memory at any address, the heap, errno.
//
// They use the fixed frame, so nothing may be expected in it afterwards. Every cell that is an
// argument is read before the frame is written.

const { native } = require('./loader.js');
const memory = require('./memory.js');
const { floor, min } = require('./primordials.js');
const { bindRoutine } = require('./tier.js');

/** Offset in the fixed frame of what routines leave alone. */
const BESIDE = memory.FIXED + 512;

const { views, FIXED, TOP, END, overflow, putAddress, getPointer, putPointer } = memory;
const { copyPointer, fetchBehind, fetchTo, isNull } = memory;
const { u8, u32, i32 } = views;
const { pointerSize } = native;

/** A routine: its entry, which is bound when it is first used, and the offsets of its cells. */
class Routine {
  constructor(name, notation) {
    const [id, , , ret, , ...args] = native.signature(notation);
    this.ret = FIXED + ret;
    this.args = args.map((at) => FIXED + at);
    this.entry = () => {
      this.entry = bindRoutine(id, native.routine(name), name);
      this.entry();
    };
  }
}

const copy = new Routine('copy', '(ptr, ptr, usize) -> ptr');
const allocation = new Routine('allocate', '(usize, usize) -> ptr');
const freeing = new Routine('release', '(ptr) -> void');
const counting = new Routine('count', '(ptr, usize) -> usize');
const errnoSetting = new Routine('set_errno', '(i32) -> void');

/** Reads of 1, 2, 4 and 8 bytes at an address. */
const LOADS = new Map(
  [1, 2, 4, 8].map((size) => [size, new Routine(`load${size}`, `(ptr) -> u${size * 8}`)]),
);

/** The routine that reads a number of so many bytes: its argument is the address. */
const loadOf = (size) => LOADS.get(size);

/** Stores a size, a number, in a cell. */
function putSize(cell, size) {
  u32[cell >> 2] = size;
  if (pointerSize === 8) u32[(cell >> 2) + 1] = floor(size / 4294967296);
}

const getSize = (cell) =>
  u32[cell >> 2] + (pointerSize === 8 ? u32[(cell >> 2) + 1] * 4294967296 : 0);

/** The cells of the addresses of a copy, for `loadPointed` and `storePointed`. */
const FROM = copy.args[1];
const TO = copy.args[0];

/** Adds a number of bytes to the address in a cell. */
function advance(cell, bytes) {
  const low = u32[cell >> 2] + bytes;
  u32[cell >> 2] = low;
  if (pointerSize === 8) u32[(cell >> 2) + 1] += floor(low / 4294967296);
}

/** Copies `size` bytes from `offset` behind the address in FROM to a place in frame memory. */
function loadPointed(offset, at, size) {
  if (offset !== 0) advance(FROM, offset);
  putAddress(TO, at);
  putSize(copy.args[2], size);
  copy.entry();
}

/** Copies `size` bytes from a place in frame memory to `offset` behind the address in TO. */
function storePointed(offset, at, size) {
  if (offset !== 0) advance(TO, offset);
  putAddress(FROM, at);
  putSize(copy.args[2], size);
  copy.entry();
}

/** Copies `size` bytes from an address to an offset of frame memory. */
function copyFrom(address, offset, size) {
  putAddress(copy.args[0], offset);
  putPointer(copy.args[1], address);
  putSize(copy.args[2], size);
  copy.entry();
}

/** Copies `size` bytes from an offset of frame memory to an address. */
function copyTo(address, offset, size) {
  putPointer(copy.args[0], address);
  putAddress(copy.args[1], offset);
  putSize(copy.args[2], size);
  copy.entry();
}

/** Copies `size` bytes from behind an offset of frame memory, into a fresh ArrayBuffer. */
function bytesAt(address, size) {
  const bytes = new Uint8Array(size);
  const step = END - u32[TOP];
  for (let done = 0; done < size; done += step) {
    const part = min(step, size - done);
    const at = u32[TOP];
    copyFrom(address + BigInt(done), at, part);
    bytes.set(u8.subarray(at, at + part), done);
  }
  return bytes;
}

/** Writes bytes to an address. */
function writeBytes(address, bytes) {
  const step = END - u32[TOP];
  for (let done = 0; done < bytes.length; done += step) {
    const part = min(step, bytes.length - done);
    const at = u32[TOP];
    u8.set(bytes.subarray(done, done + part), at);
    copyTo(address + BigInt(done), at, part);
  }
}

/**
 * Copies `size` bytes from behind a pointer cell into scratch memory at `TOP`, and returns their
 * offset (a multiple of 64), or -1 for NULL. The caller restores `TOP`.
 */
function fetch(cell, size) {
  const at = (u32[TOP] + 63) & ~63;
  if (size > END - at) throw overflow();
  u32[TOP] = at + size;
  return fetchInto(cell, at, size) ? at : -1;
}

/**
 * Copies `size` bytes from behind a pointer cell to an offset of frame memory; false for NULL. In the
 * fixed frame, that is at `BESIDE` or further on.
 */
function fetchInto(cell, at, size) {
  const fetched = fetchTo(cell, at, size);
  if (fetched !== undefined) return fetched;
  copyPointer(FROM, cell);
  if (isNull(FROM)) return false;
  putAddress(TO, at);
  putSize(copy.args[2], size);
  copy.entry();
  return true;
}

/** The same from behind the pointer that is there. */
function fetchBehindInto(cell, at, size) {
  const fetched = fetchBehind(cell, at, size);
  if (fetched !== undefined) return fetched;
  return fetchInto(cell, at, pointerSize) && fetchInto(at, at, size);
}

/** Zeroed memory of the C heap; 0n when there is none. */
function allocate(count, size) {
  putSize(allocation.args[0], count);
  putSize(allocation.args[1], size);
  allocation.entry();
  return getPointer(allocation.ret);
}

/** Gives memory back to the C heap. */
function release(address) {
  putPointer(freeing.args[0], address);
  freeing.entry();
}

/** How many units of 1, 2, 4 or 8 bytes stand at an address before a zero one. */
function countUnits(address, unit) {
  putPointer(counting.args[0], address);
  putSize(counting.args[1], unit);
  counting.entry();
  return getSize(counting.ret);
}

/** Sets the thread's errno. */
function setErrno(code) {
  i32[errnoSetting.args[0] >> 2] = code;
  errnoSetting.entry();
}

module.exports = {
  BESIDE,
  FROM,
  TO,
  allocate,
  bytesAt,
  copyFrom,
  copyTo,
  countUnits,
  fetch,
  fetchBehindInto,
  fetchInto,
  loadOf,
  loadPointed,
  release,
  setErrno,
  storePointed,
  writeBytes,
};
