'use strict';
// Externals without V8's help: those that are used again are known by their address, because
// Node-API takes 150 ns to make one (it allocates a wrapper, and ties it to the External) and a
// crossing to read one. The interface is that of src/node/v8/externals.rs.

const { native } = require('./loader.js');
const { mapGet, mapSet, mapClear, weakGet, weakSet } = require('./primordials.js');

/** How many Externals are kept; then all are forgotten. They are small, and own nothing. */
const MAX_KEPT = 4096;
/** Every so many that are not known, one is remembered. A prime: uses that alternate get their turn. */
const SAMPLE = 17;

/**
 * `read(value, state, cell)`, which stores the address of an External in a pointer cell and returns
 * false for other values, made to remember.
 * @param {object} memory memory.js
 */
function remembering({ putWord, getWord, pointerSize }, read) {
  const isWide = pointerSize === 8;
  /** Addresses, as numbers, of Externals of anybody's. */
  const addresses = new WeakMap();
  let unknown = 0;

  function addressTo(value, state, cell) {
    const address = weakGet(addresses, value);
    if (address !== undefined) {
      putWord(cell, address);
      if (isWide) putWord(cell + 4, address / 4294967296);
      return true;
    }
    if (!read(value, state, cell)) return false;
    if (unknown++ % SAMPLE === 0) remember(value, getWord(cell), isWide ? getWord(cell + 4) : 0);
    return true;
  }

  function remember(external, low, high) {
    // Beyond that a number is not exact.
    if (high < 2 ** 21) weakSet(addresses, external, high * 4294967296 + (low >>> 0));
  }

  return { addressTo, remember };
}

/**
 * @param {object} memory memory.js
 * @returns {{ state: number, externalAt: Function, addressTo: Function }} what `useExternals` takes
 */
function knownExternals(memory) {
  const { views, ARG, getWord, pointerSize } = memory;
  const { u32 } = views;
  const isWide = pointerSize === 8;
  const { addressTo, remember } = remembering(memory, (value, _state, cell) => {
    u32[ARG] = cell;
    return native.externalAddress(value);
  });
  /** Externals with their addresses' high halves, by the low ones as signed integers. */
  const kept = new Map();
  let count = 0;
  let made = 0;

  /** An External of the address in a pointer cell; null when it is a null pointer. */
  function externalAt(_state, cell) {
    const low = getWord(cell) | 0;
    const high = isWide ? getWord(cell + 4) : 0;
    if (low === 0 && high === 0) return null;
    const known = mapGet(kept, low);
    if (known !== undefined && known.high === high) return known.external;
    u32[ARG] = cell;
    const external = native.external();
    if (made++ % SAMPLE === 0) {
      if (count++ === MAX_KEPT) {
        mapClear(kept);
        count = 1;
      }
      mapSet(kept, low, { external, high });
      remember(external, low, high);
    }
    return external;
  }

  return { state: 0, externalAt, addressTo };
}

module.exports = { knownExternals, remembering };
