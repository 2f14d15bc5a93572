'use strict';
// Results that are copied out of C's memory: arrays behind a pointer cell. All give null for NULL.

const { copyOut } = require('./memory.js');

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

module.exports = { getBytes, getNumbers };
