'use strict';
// Results that are copied out of C's memory: arrays behind a pointer cell. All give null for NULL.

const { native } = require('./loader.js');
const { views, TOP, copyOut } = require('./memory.js');
const { getString } = require('./text.js');
const { fetch } = require('./routines.js');

const { u32 } = views;

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
