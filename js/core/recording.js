'use strict';
// Data that leaves frame memory: it is written to scratch memory first, like the data of any
// call, while a recording notes its blocks and the pointers between them. The native side then
// moves it to where it shall live: to the heap (promote) or to the chunk of a call on another
// thread.

const { native } = require('./loader.js');
const memory = require('./memory.js');
const text = require('./text.js');

const { views, TOP, ARG, spilled } = memory;
const { u32 } = views;

/** The recording under way: flat lists of pairs. */
let current = null;

/**
 * Starts a recording and returns the one that it interrupts (user code may run in between).
 * @param {boolean} [forMemory] whether the data goes to memory that C keeps
 */
function beginRecording(forMemory = false) {
  const outer = current;
  current = { blocks: [], pointers: [], spills: [], kept: [], forMemory };
  return outer;
}

/** Whether what is recorded goes to memory that C keeps: no transient callback may be in it. */
const isForMemory = () => current.forMemory;

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
const recordingText = (put) => (string, cell) => {
  const count = spilled.length;
  const at = (u32[TOP] + 7) & ~7;
  u32[TOP] = at;
  put(string, cell);
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

/** The pointers of the recording, cells that point into frame memory; null without any. */
function recordedPointers() {
  const { pointers } = current;
  if (pointers.length === 0) return null;
  return Uint32Array.from(pointers.filter((_, i) => i % 2 === 0));
}

/**
 * Moves what was recorded to the heap. With `cell`, the first block is a heap cell of its own,
 * whose address is stored there.
 */
function promote(cell) {
  const { blocks, pointers, spills, kept } = current;
  if (cell === undefined && blocks.length + spills.length === 0) return;
  if (cell !== undefined) u32[ARG] = cell;
  const size = 4 + blocks.length + pointers.length + spills.length;
  const at = memory.scratch(4 * size);
  const list = at < 0 ? new Uint32Array(size) : u32;
  let i = at < 0 ? 0 : at >> 2;
  list[i++] = cell === undefined ? 0 : 1;
  for (const pairs of [blocks, pointers, spills]) list[i++] = pairs.length / 2;
  for (const pairs of [blocks, pointers, spills]) {
    for (let k = 0; k < pairs.length; k++) list[i++] = pairs[k];
  }
  native.promote(at < 0 ? list : at);
  if (cell !== undefined && kept.length > 0) borrowed.set(memory.getPointer(cell), kept);
}

/**
 * Moves what was recorded out of frame memory, into a Buffer. The pointers of the recording are
 * set to where it is then.
 * @param {number} spillCount length of `spilled` when the recording began
 * @returns {unknown[]} what must stay reachable for as long as C uses the data
 */
function detach(spillCount) {
  const { blocks, pointers, kept } = current;
  const held = [...kept, ...spilled.slice(spillCount)];
  if (blocks.length === 0) return held;
  const start = blocks[0];
  const end = u32[TOP];
  const buffer = Buffer.allocUnsafeSlow(Math.max(end - start, 1));
  const cell = memory.scratch(8);
  if (cell < 0) throw memory.overflow();
  memory.putView(buffer, cell);
  const address = memory.getPointer(cell);
  for (let i = 0; i < pointers.length; i += 2) {
    memory.putPointer(pointers[i], address + BigInt(pointers[i + 1] - start));
  }
  buffer.set(views.u8.subarray(start, end));
  held.push(buffer);
  return held;
}

/** Values whose memory a heap cell points to, by the cell's address, until it is freed. */
const borrowed = new Map();

/** The functions of memory.js by which codecs store data, made to record. */
const recorders = {
  isRecording: true,
  scratch,
  putAddress,
  putString: recordingText(text.putString),
  putWideString: recordingText(text.putWideString),
  putText8: recordingText(text.putText8),
  putText16: recordingText(text.putText16),
  putText32: recordingText(text.putText32),
  spill,
  keep,
};

/** The same functions for data that stays in frame memory. */
const writers = {
  isRecording: false,
  scratch: memory.scratch,
  putAddress: memory.putAddress,
  putString: text.putString,
  putWideString: text.putWideString,
  putText8: text.putText8,
  putText16: text.putText16,
  putText32: text.putText32,
  spill: memory.spill,
  keep: memory.keep,
};

/** What the recording keeps reachable. */
const recordedValues = () => current.kept;

module.exports = {
  beginRecording,
  borrowed,
  detach,
  endRecording,
  isForMemory,
  promote,
  recordedPointers,
  recordedValues,
  recorders,
  writers,
};
