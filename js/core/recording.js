'use strict';
// Data that leaves frame memory: it is written to scratch memory first, like the data of any
// call, while a recording notes its blocks and the pointers between them. The native side then
// moves it to where it shall live: to the heap (promote) or to the chunk of a call on another
// thread.

const { native } = require('./loader.js');
const memory = require('./memory.js');

const { views, TOP, ARG, spilled } = memory;
const { u32 } = views;

/** The recording under way: flat lists of pairs. */
let current = null;

/** Starts a recording and returns the one that it interrupts (user code may run in between). */
function beginRecording() {
  const outer = current;
  current = { blocks: [], pointers: [], spills: [], kept: [] };
  return outer;
}

function endRecording(outer) {
  current = outer;
}

function scratch(size) {
  const at = memory.scratch(size);
  if (at >= 0) current.blocks.push(at, size);
  return at;
}

function putAddress(cell, offset) {
  current.pointers.push(cell, offset);
  memory.putAddress(cell, offset);
}

/** A function that stores text, made to record. */
const recordingText = (put) => (text, cell) => {
  const count = spilled.length;
  const at = (u32[TOP] + 7) & ~7;
  u32[TOP] = at;
  put(text, cell);
  if (spilled.length > count) {
    current.spills.push(cell, spilled[count].byteLength);
  } else {
    current.blocks.push(at, u32[TOP] - at);
    current.pointers.push(cell, at);
  }
};

function spill(size, cell) {
  current.spills.push(cell, size);
  return memory.spill(size, cell);
}

function keep(value) {
  current.kept.push(value);
}

/** The pointers of the recording: cells that point into frame memory. */
const recordedPointers = () => Uint32Array.from(current.pointers.filter((_, i) => i % 2 === 0));

/**
 * Moves what was recorded to the heap. With `cell`, the first block is a heap cell of its own,
 * whose address is stored there.
 */
function promote(cell) {
  const { blocks, pointers, spills, kept } = current;
  if (cell === undefined && blocks.length + spills.length === 0) return;
  if (cell !== undefined) u32[ARG] = cell;
  native.promote(
    Uint32Array.of(
      cell === undefined ? 0 : 1,
      blocks.length / 2,
      pointers.length / 2,
      spills.length / 2,
      ...blocks,
      ...pointers,
      ...spills,
    ),
  );
  if (cell !== undefined && kept.length > 0) borrowed.set(memory.getPointer(cell), kept);
}

/** Values whose memory a heap cell points to, by the cell's address, until it is freed. */
const borrowed = new Map();

/** The functions of memory.js by which codecs store data, made to record. */
const recorders = {
  scratch,
  putAddress,
  putString: recordingText(memory.putString),
  putWideString: recordingText(memory.putWideString),
  spill,
  keep,
};

/** What the recording keeps reachable. */
const recordedValues = () => current.kept;

module.exports = {
  beginRecording,
  borrowed,
  endRecording,
  promote,
  recordedPointers,
  recordedValues,
  recorders,
};
