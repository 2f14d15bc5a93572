'use strict';
// Results that are copied out of C's memory: arrays behind a pointer cell. All give null for NULL.

const { views, TOP, END, copyOut } = require('./memory.js');
const { fetch } = require('./routines.js');

const { u32 } = views;

/** Bytes up to which elements are read through frame memory. */
const MAX_FETCHED = 1 << 16;

/**
 * The elements behind a pointer cell as a JavaScript array.
 * @param {number} cell
 * @param {Int32Array} view the view of frame memory with elements of their type
 * @param {number} length
 */
function getNumbers(cell, view, length) {
  const { BYTES_PER_ELEMENT } = view;
  const top = u32[TOP];
  const size = length * BYTES_PER_ELEMENT;
  if (size > MAX_FETCHED || size > END - top - 64) return getMany(cell, view.constructor, length);
  const at = fetch(cell, size);
  // Nothing happens until the elements are read that could use this memory.
  u32[TOP] = top;
  return at < 0 ? null : listOf(view, at / BYTES_PER_ELEMENT, length);
}

/** The same for what frame memory has no room for. */
function getMany(cell, View, length) {
  const view = new View(length);
  return copyOut(view, cell) ? listOf(view, 0, length) : null;
}

/** Elements of a view from a place on. */
function listOf(view, start, length) {
  const list = new Array(length);
  for (let i = 0; i < length; i++) list[i] = view[start + i];
  return list;
}

/** The bytes behind a pointer cell as a fresh Buffer. */
function getBytes(cell, length) {
  const buffer = Buffer.alloc(length);
  return copyOut(buffer, cell) ? buffer : null;
}

module.exports = { getBytes, getNumbers };
