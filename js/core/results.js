'use strict';
// Results that are copied out of C's memory: arrays behind a pointer cell. All give null for NULL.

const { native } = require('./loader.js');
const { views, TOP, END, ARG, overflow, copyOut, getString } = require('./memory.js');
const { subarray } = require('./primordials.js');

const { u8, u32 } = views;

/** The elements behind a pointer cell as a JavaScript array. */
function getNumbers(cell, View, length) {
  const view = new View(length);
  if (!copyOut(view, cell)) return null;
  const list = new Array(length);
  for (let i = 0; i < length; i++) list[i] = view[i];
  return list;
}

/** The bytes behind a pointer cell as a fresh Buffer. */
function getBytes(cell, length) {
  const buffer = Buffer.alloc(length);
  return copyOut(buffer, cell) ? buffer : null;
}

/**
 * Copies `size` bytes from behind a pointer cell into scratch memory at `TOP`, and returns their
 * offset (a multiple of 64), or -1 for NULL. The caller restores `TOP`.
 */
function fetch(cell, size) {
  const at = (u32[TOP] + 63) & ~63;
  if (size > END - at) throw overflow();
  u32[TOP] = at + size;
  u32[ARG] = cell;
  return native.copyOut(subarray(u8, at, at + size)) ? at : -1;
}

/** The strings that an array of pointers behind a pointer cell points to; null for each NULL. */
function getStrings(cell, length) {
  const top = u32[TOP];
  try {
    const size = native.pointerSize;
    const at = fetch(cell, length * size);
    if (at < 0) return null;
    const list = new Array(length);
    for (let i = 0; i < length; i++) list[i] = getString(at + i * size);
    return list;
  } finally {
    u32[TOP] = top;
  }
}

module.exports = { fetch, getBytes, getNumbers, getStrings };
