'use strict';
// Frame memory as JavaScript sees it: typed arrays over the environment's ArrayBuffer, the
// control cells, and what stores variable-sized data (strings, arrays) in scratch memory behind
// a frame's cells. Layout: src/node/frame.rs.

const { native } = require('./loader.js');
const { asUintN, byteLength, fill, typedArrayName, weakGet, weakSet } = require('./primordials.js');

// Loaded when there is an error.
const coded = (...details) => require('./errors.js').coded(...details);

const { memory, origin, pointerSize } = native;

const views = {
  i8: new Int8Array(memory),
  u8: new Uint8Array(memory),
  i16: new Int16Array(memory),
  u16: new Uint16Array(memory),
  i32: new Int32Array(memory),
  u32: new Uint32Array(memory),
  f32: new Float32Array(memory),
  f64: new Float64Array(memory),
  i64: new BigInt64Array(memory),
  u64: new BigUint64Array(memory),
  dv: new DataView(memory),
};
const { u8, u32, f64, dv } = views;

/** Indices in `u32` of the control cells. */
const FRAME = (origin + native.frameCell) / 4;
const TOP = (origin + native.topCell) / 4;
const ARG = (origin + native.argCell) / 4;
/** Where the frame stack begins: what TOP is when no call has a frame there. */
const BOTTOM = u32[TOP];
/** Index in `i32` of errno after the last call that saved it. */
const ERRNO = (origin + native.errnoCell) / 4;
/** Index in `u32` of the count of calls that have ended. */
const EPOCH = (origin + native.epochCell) / 4;
/** Index in `u32`: whether the upcall that is running came from another thread. */
const FOREIGN = (origin + native.foreignCell) / 4;
/** Index in `f64` of what `viewAddress` tells besides the address. */
const LENGTH = (origin + native.lengthCell) / 8;
/** Indices in `u32`: what a direct call has to throw; how many callbacks exist. */
const PENDING = (origin + native.pendingCell) / 4;
const LIVE = (origin + native.liveCell) / 4;
/** Values of PENDING: a callback has thrown, which Node-API keeps; the call was not made. */
const THROWN = native.thrown;
const MISSED = native.missed;
/** Offset of what a thunk writes besides what it returns. */
const RESULT = origin + native.resultCell;
/** Indices in `u32`: which callback to run; the level of a call that was left; whether it failed. */
const CALLBACK = (origin + native.callbackCell) / 4;
const LEVEL = (origin + native.levelCell) / 4;
const FAILED = (origin + native.failedCell) / 4;
/** Index in `f64` of the token of the call that was left. */
const CALLER = (origin + native.callerCell) / 8;
/** Index in `f64`: which function Node-API's entry shall enter. */
const TOKEN = (origin + native.tokenCell) / 8;
/** Index in `f64` of what text crosses with the call that Node-API's entry makes. */
const TEXT = (origin + native.textCell) / 8;
/** Index in `u32`: how many callbacks C has entered JavaScript for since this was cleared. */
const ENTERED = (origin + native.enteredCell) / 4;
/** Indices in `u32`: how many bytes a primitive works on; what else it has to know, then its answer. */
const EXTENT = (origin + native.extentCell) / 4;
const OPERAND = (origin + native.operandCell) / 4;
/** Offset of the fixed frame, and its size. */
const FIXED = origin + native.fixed;
const FIXED_SIZE = native.fixedSize;
/** First offset past the memory. */
const END = memory.byteLength;
/** What is added to an offset to get an address: low half, and the constant high half. */
const BASE_LOW = Number(native.base & 0xffffffffn);
const BASE_HIGH = Number(native.base >> 32n);

/** The error of a call whose data does not fit frame memory. */
function overflow() {
  return coded(
    RangeError,
    'ERR_FFI_OUT_OF_MEMORY',
    'calls are nested too deeply: frame memory ran out',
  );
}

/** Values that must stay reachable until their call returns, such as data that did not fit. */
const spilled = [];

/** Forgets what was spilled since the length was `count`. */
function dropSpilled(count) {
  spilled.length = count;
}

/** Keeps a value reachable until the call that is being written returns. */
function keep(value) {
  spilled[spilled.length] = value;
}

/** Stores a 32-bit word; a cell of a packed record may be anywhere. */
function putWord(cell, value) {
  if ((cell & 3) === 0) u32[cell >> 2] = value;
  else dv.setUint32(cell, value, true);
}

/** Two 32-bit halves of a number in 64-bit two's complement. */
const HALVES = new Uint32Array(2);

/**
 * Splits a number that is not an int32: truncated, NaN and infinities become 0, what lies outside
 * the type saturates. Negative numbers wrap in an unsigned type.
 */
function split(value, signed) {
  let n = Math.trunc(value);
  if (!(n > -Infinity && n < Infinity)) n = 0;
  const limit = signed ? 2 ** 63 : 2 ** 64;
  if (n >= limit) {
    HALVES[0] = 0xffffffff;
    HALVES[1] = signed ? 0x7fffffff : 0xffffffff;
  } else if (n < -(2 ** 63)) {
    HALVES[0] = 0;
    HALVES[1] = 0x80000000;
  } else {
    const high = Math.floor(n / 4294967296);
    HALVES[0] = n - high * 4294967296;
    HALVES[1] = high;
  }
  return HALVES;
}

/** A 32-bit word, from anywhere. */
const getWord = (cell) => ((cell & 3) === 0 ? u32[cell >> 2] : dv.getUint32(cell, true));

/** Uses a value after a call, so that its memory stays until then. */
const hold = (_value) => {};

/** Stores the address of an offset in frame memory into a pointer cell. */
function putAddress(cell, offset) {
  putWord(cell, BASE_LOW + offset);
  if (pointerSize === 8) putWord(cell + 4, BASE_HIGH);
}

/** Stores a null pointer into a pointer cell. */
function putNull(cell) {
  putWord(cell, 0);
  if (pointerSize === 8) putWord(cell + 4, 0);
}

/** Copies a pointer cell, from anywhere, to one at a multiple of 4. */
function copyPointer(to, from) {
  const at = to >> 2;
  if ((from & 3) === 0) {
    u32[at] = u32[from >> 2];
    if (pointerSize === 8) u32[at + 1] = u32[(from >> 2) + 1];
  } else {
    u32[at] = dv.getUint32(from, true);
    if (pointerSize === 8) u32[at + 1] = dv.getUint32(from + 4, true);
  }
}

/** Sets bytes of frame memory to zero. */
const clear = (at, size) => fill(u8, 0, at, at + size);

/**
 * Takes `size` bytes of scratch memory, at a multiple of 8, for the call that is being written.
 * Returns their offset, or -1 when frame memory has no room for them.
 */
function scratch(size) {
  const at = (u32[TOP] + 7) & ~7;
  if (size >= END - at) return -1;
  // Even nothing gets an offset of its own, which tells it from what comes next.
  u32[TOP] = at + (size || 1);
  return at;
}

/**
 * Memory outside frame memory for data of a call, and its address in a pointer cell.
 * @returns {Buffer}
 */
function spill(size, cell) {
  const buffer = Buffer.alloc(size);
  spilled[spilled.length] = buffer;
  u32[ARG] = cell;
  native.viewAddress(buffer);
  return buffer;
}

/**
 * What V8 does with Externals and heap cells itself, on the packed tier (src/node/v8/externals.rs), or
 * what Node-API does, which remembers Externals (known-externals.js).
 */
const externals = {
  state: 0,
  externalAt: undefined,
  addressTo: undefined,
  makeCell: undefined,
  freeCell: undefined,
  fetchTo: undefined,
  fetchBehind: undefined,
};

/** Takes these functions into use. */
function useExternals(made) {
  for (const name in externals) externals[name] = made[name];
}

/** Whether there are any, and whether they are V8's, which have the token of a state. */
const hasExternals = () => externals.makeCell !== undefined;
const hasV8Externals = () => externals.state !== 0;

/** An External of the address in a pointer cell. */
function getExternal(cell) {
  const { externalAt } = externals;
  if (externalAt !== undefined) {
    const made = externalAt(externals.state, cell);
    if (made !== null) return made;
  }
  u32[ARG] = cell;
  return native.external();
}

/** Stores the address that an External holds in a pointer cell; false for other values. */
function putExternal(value, cell) {
  const { addressTo } = externals;
  if (addressTo !== undefined) return value !== null && addressTo(value, externals.state, cell);
  u32[ARG] = cell;
  return native.externalAddress(value);
}

/** An External of a new heap cell with the bytes at an offset of frame memory. */
function makeCell(from, size) {
  const { makeCell } = externals;
  if (makeCell !== undefined) {
    const made = makeCell(externals.state, from, size, false);
    if (made !== null) return made;
  }
  u32[ARG] = from;
  native.makeCell(size);
  return getExternal(LENGTH * 8);
}

/** The same for a cell with the address of a block with these bytes; null where none can be made. */
const makeCellTo = (from, size) => externals.makeCell(externals.state, from, size, true);

/** What `freeCell` and `native.free` return. */
const FREED = { DONE: 0, NOT_EXTERNAL: 1, NULL: 2, NOT_LIVE: 3 };

/**
 * Frees a heap cell and what it owns, which is the number of a description; with `ours`, only one
 * that we made.
 */
function freeCell(value, ours, owned) {
  if (value === null) return FREED.NOT_EXTERNAL;
  const { freeCell } = externals;
  if (freeCell !== undefined) return freeCell(value, externals.state, owned * 2 + (ours ? 1 : 0));
  return native.free(value, owned, ours);
}

/**
 * Copies bytes from where a pointer cell points to an offset of frame memory: false for NULL,
 * undefined where the routines have to do it.
 */
function fetchTo(cell, at, size) {
  const { fetchTo } = externals;
  return fetchTo === undefined ? undefined : fetchTo(externals.state, cell, at, size);
}

/** The same from where the pointer points that is there; `at` has room for it, too. */
function fetchBehind(cell, at, size) {
  const { fetchBehind } = externals;
  return fetchBehind === undefined ? undefined : fetchBehind(externals.state, cell, at, size);
}

/** Whether a pointer cell holds a null pointer; the cell is at a multiple of 4. */
const isNull = (cell) => (u32[cell >> 2] | (pointerSize === 8 ? u32[(cell >> 2) + 1] : 0)) === 0;

/**
 * Addresses of typed arrays. They stay for as long as a typed array has its memory; one that has
 * lost it is empty.
 */
const addresses = new WeakMap();
/**
 * Every so many views that are not known yet, one is remembered: it may be used again. A prime: uses
 * that alternate get their turn.
 */
const REMEMBERED = 17;
let unknown = 0;

/** Stores the address of a view's live memory in a pointer cell; its length, or -1 if it is none. */
function putView(value, cell) {
  const address = weakGet(addresses, value);
  if (address !== undefined) {
    const length = byteLength(value);
    if (length > 0) {
      dv.setUint32(cell, address, true);
      if (pointerSize === 8) dv.setUint32(cell + 4, address / 4294967296, true);
      return length;
    }
  }
  u32[ARG] = cell;
  native.viewAddress(value);
  const length = f64[LENGTH];
  if (length > 0 && unknown++ % REMEMBERED === 0) remember(value, cell);
  return length;
}

/** Remembers the address of a typed array that a pointer cell holds. */
function remember(value, cell) {
  const address = Number(getPointer(cell));
  if (typedArrayName(value) !== undefined && address < 2 ** 53) weakSet(addresses, value, address);
}

/** Fills a view from the memory that a pointer cell points to; false when that is NULL. */
function copyOut(view, cell) {
  u32[ARG] = cell;
  return native.copyOut(view);
}

/** A pointer cell as a bigint. */
function getPointer(cell) {
  return pointerSize === 8 ? dv.getBigUint64(cell, true) : BigInt(dv.getUint32(cell, true));
}

/** Stores an address, a bigint, in a pointer cell. */
function putPointer(cell, address) {
  if (pointerSize === 8) dv.setBigUint64(cell, address, true);
  else dv.setUint32(cell, Number(asUintN(32, address)), true);
}

module.exports = {
  views,
  hold,
  split,
  FRAME,
  TOP,
  BOTTOM,
  ARG,
  ERRNO,
  EPOCH,
  FOREIGN,
  LENGTH,
  PENDING,
  LIVE,
  THROWN,
  MISSED,
  RESULT,
  CALLBACK,
  LEVEL,
  FAILED,
  CALLER,
  TOKEN,
  TEXT,
  ENTERED,
  EXTENT,
  OPERAND,
  FREED,
  FIXED,
  FIXED_SIZE,
  END,
  overflow,
  spilled,
  dropSpilled,
  keep,
  spill,
  scratch,
  putAddress,
  putNull,
  getPointer,
  putPointer,
  clear,
  getExternal,
  putExternal,
  useExternals,
  hasExternals,
  hasV8Externals,
  putWord,
  getWord,
  pointerSize,
  BASE_LOW,
  BASE_HIGH,
  makeCell,
  makeCellTo,
  freeCell,
  fetchTo,
  fetchBehind,
  isNull,
  copyPointer,
  putView,
  copyOut,
};
