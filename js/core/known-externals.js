'use strict';
// Externals and heap cells without V8's help. Externals that are used again are known by their address,
// because Node-API takes several crossings' time to make one (it allocates a wrapper, and ties it to the
// External), and a crossing to read one. Numbers reach the native side in control cells
// (src/node/cells.rs). The interface is that of src/node/v8/externals.rs.

const { native } = require('./loader.js');
const { weakGet, weakSet } = require('./primordials.js');

/** How many Externals are kept, a power of two: one for each hash. They are small, and own nothing. */
const KEPT = 1024;
/** Every so many that are not known, one is remembered. A prime: uses that alternate get their turn. */
const SAMPLE = 17;

/** An External and the halves of its address. */
class Known {
  constructor(external, low, high) {
    this.external = external;
    this.low = low;
    this.high = high;
  }
}

/**
 * `read(value, state, cell)`, which stores the address of an External in a pointer cell and returns
 * false for other values, made to remember.
 * @param {object} memory memory.js
 */
function remembering({ putWord, getWord, pointerSize }, read) {
  const isWide = pointerSize === 8;
  /** What is known of Externals of anybody's. */
  const addresses = new WeakMap();
  /** The last one: a cell that was made is filled, passed, read and freed. */
  let last = new Known(undefined, 0, 0);
  let unknown = 0;

  function addressTo(value, state, cell) {
    if (value !== last.external) {
      const known = weakGet(addresses, value);
      if (known === undefined) {
        if (!read(value, state, cell)) return false;
        if (unknown++ % SAMPLE === 0) {
          remember(new Known(value, getWord(cell) | 0, isWide ? getWord(cell + 4) : 0));
        }
        return true;
      }
      last = known;
    } else if (value === undefined) return false;
    const { low, high } = last;
    putWord(cell, low);
    if (isWide) putWord(cell + 4, high);
    return true;
  }

  /** Takes an External as the last one. */
  function use(known) {
    last = known;
  }

  function remember(known) {
    weakSet(addresses, known.external, known);
  }

  return { addressTo, remember, use };
}

/**
 * @param {object} memory memory.js
 * @returns {object} what `useExternals` takes
 */
function knownExternals(memory) {
  const { views, ARG, EXTENT, OPERAND, LENGTH, getWord, pointerSize } = memory;
  const { u32 } = views;
  const { external, externalAddress, makeCellAt, freeCellAt, fetchAt, fetchBehindAt } = native;
  const isWide = pointerSize === 8;
  /** A pointer cell for addresses on their way to and from the native side. */
  const CELL = LENGTH * 8;
  const { addressTo, remember, use } = remembering(memory, (value, _state, cell) => {
    u32[ARG] = cell;
    return externalAddress(value);
  });
  const kept = new Array(KEPT).fill(undefined);
  let made = 0;

  /** An External of the address in a pointer cell; null when it is a null pointer. */
  function externalAt(_state, cell) {
    const low = getWord(cell) | 0;
    const high = isWide ? getWord(cell + 4) : 0;
    if (low === 0 && high === 0) return null;
    const at = ((low >> 4) ^ (low >> 14)) & (KEPT - 1);
    const known = kept[at];
    if (known !== undefined && known.low === low && known.high === high) {
      use(known);
      return known.external;
    }
    u32[ARG] = cell;
    const value = external();
    const unknown = new Known(value, low, high);
    if (made++ % SAMPLE === 0) {
      kept[at] = unknown;
      remember(unknown);
    }
    use(unknown);
    return value;
  }

  /** An External of a new heap cell; with `behind`, one that points to the block with the bytes. */
  function makeCell(state, from, size, behind) {
    u32[ARG] = from;
    u32[EXTENT] = size;
    u32[OPERAND] = behind ? 1 : 0;
    makeCellAt();
    return externalAt(state, CELL);
  }

  function freeCell(value, state, how) {
    if (!addressTo(value, state, CELL)) return memory.FREED.NOT_EXTERNAL;
    u32[ARG] = CELL;
    u32[OPERAND] = how;
    freeCellAt();
    return u32[OPERAND];
  }

  function fetchTo(_state, cell, at, size) {
    u32[ARG] = cell;
    u32[EXTENT] = size;
    u32[OPERAND] = at;
    fetchAt();
    return u32[OPERAND] !== 0;
  }

  /** The same from where the pointer points that is there. */
  function fetchBehind(_state, cell, at, size) {
    u32[ARG] = cell;
    u32[EXTENT] = size;
    u32[OPERAND] = at;
    fetchBehindAt();
    return u32[OPERAND] !== 0;
  }

  return { state: 0, externalAt, addressTo, makeCell, freeCell, fetchTo, fetchBehind };
}

module.exports = { knownExternals, remembering };
