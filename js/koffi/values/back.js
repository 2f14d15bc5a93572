'use strict';
// What is left to be done for an argument once C has returned: C's memory goes back into the
// JavaScript array, object or union that was passed.
//
// `finish(cell, moved)` gets the pointer cell of the argument. The memory is where it was written,
// unless it `moved`: the call ran elsewhere, and the cell says where its memory is.

const { views, TOP, END, getPointer, overflow } = require('../../core/memory.js');
const { bytesAt, copyFrom } = require('../../core/routines.js');
const { decodeText, findNul } = require('../../core/text.js');
const { internals } = require('../types/model.js');
const { fillUnion } = require('../types/union-values.js');
const { bytesOf, swapUnits } = require('./bytes.js');

const { u8, u32 } = views;

/** Runs `use` with an offset at which `size` bytes from an address were put. */
function withCopy(address, size, use) {
  const top = u32[TOP];
  try {
    const at = (top + 63) & ~63;
    if (size > END - at) throw overflow();
    u32[TOP] = at + size;
    copyFrom(address, at, size);
    return use(at);
  } finally {
    u32[TOP] = top;
  }
}

/** Elements go back into an array. */
class ArrayBack {
  /**
   * @param {unknown[]} array
   * @param {{ size: number, getAll: Function }} items how elements are read
   * @param {number} at offset of the memory, or -1 when it is not in frame memory
   */
  constructor(array, items, count, at) {
    this.array = array;
    this.items = items;
    this.count = count;
    this.at = at;
  }

  finish(cell, moved) {
    const { array, items, count, at } = this;
    if (at >= 0 && !moved) {
      items.getAll(array, at, 0, count);
      return;
    }
    const address = getPointer(cell);
    const step = Math.max(1, Math.floor(65_536 / items.size));
    for (let done = 0; done < count; done += step) {
      const part = Math.min(step, count - done);
      withCopy(address + BigInt(done * items.size), part * items.size, (from) =>
        items.getAll(array, from, done, part),
      );
    }
  }
}

/** Members go back into an object; bytes go back into a union. */
class ObjectBack {
  constructor(object, size, assign, at) {
    this.object = object;
    this.size = size;
    this.assign = assign;
    this.at = at;
  }

  finish(cell, moved) {
    if (!moved) this.assign(this.object, this.at);
    else withCopy(getPointer(cell), this.size, (from) => this.assign(this.object, from));
  }
}

/** Numbers in the other byte order go back into the memory of a view. */
class SwappedBack {
  constructor(view, unit) {
    this.view = view;
    this.unit = unit;
  }

  finish(cell) {
    // The view may have lost its memory, or got less of it, in a callback.
    const bytes = bytesOf(this.view);
    if (bytes.length === 0) return;
    bytes.set(bytesAt(getPointer(cell), bytes.length));
    swapUnits(bytes, this.unit);
  }
}

/** Members go back from outside frame memory, which is too small for them. */
class LargeBack {
  constructor(object, type) {
    this.object = object;
    this.type = type;
  }

  finish(cell) {
    const { object, type } = this;
    const address = getPointer(cell);
    const own = internals(type);
    if (own.kind === 'union') fillUnion(object, bytesAt(address, own.size));
    else require('../reading.js').readMembers(address, 0, own, object);
  }
}

/** Text goes back into the first element of an array. */
class TextBack {
  constructor(array, size, unit, at) {
    this.array = array;
    this.size = size;
    this.unit = unit;
    this.at = at;
  }

  finish(cell, moved) {
    if (this.at >= 0 && !moved) this.read(this.at);
    else withCopy(getPointer(cell), this.size, (from) => this.read(from));
  }

  read(at) {
    const { size, unit } = this;
    this.array[0] = decodeText(u8, at, findNul(u8, at, at + size, unit), unit);
  }
}

module.exports = { ArrayBack, LargeBack, ObjectBack, SwappedBack, TextBack, withCopy };
