'use strict';
// `koffi.encode`: values into memory.

const { views, TOP, END, hold, overflow, spilled, dropSpilled } = require('../core/memory.js');
const recording = require('../core/recording.js');
const { TO, storePointed } = require('../core/routines.js');
const { invalid, kindName, wrongCount } = require('./errors.js');
const { toNumber } = require('./decode.js');
const { planOf } = require('./plans.js');
const references = require('./references.js');
const { internals } = require('./types/model.js');
const { bytesOf } = require('./values/arrays.js');
const codecs = require('./values/codecs.js');
const { encodeText } = require('../core/text.js');

const { u8, u32 } = views;

/** What data at an address points to, by the address: strings and copies of objects. */
const byAddress = new Map();
/** The same in JavaScript memory, which takes it along when it goes. */
const byBuffer = new WeakMap();

/** The table of what is kept for a reference, and the key of an offset in it. */
function slotOf(reference, offset, make) {
  if (typeof reference === 'bigint') return [byAddress, reference + BigInt(offset)];
  const { buffer, byteOffset } = reference;
  if (make && !byBuffer.has(buffer)) byBuffer.set(buffer, new Map());
  return [byBuffer.get(buffer), byteOffset + offset];
}

/** Keeps values for as long as their target is not written again. */
function keep(reference, offset, held) {
  const [table, key] = slotOf(reference, offset, held.length > 0);
  if (table === undefined) return;
  if (held.length > 0) table.set(key, held);
  else if (table.size > 0) table.delete(key);
}

/** Forgets what was kept for memory that is freed. */
const forget = (address) => byAddress.delete(address);

/** Runs `write` with an offset, and moves what it wrote there to a reference. */
function transfer(reference, offset, size, write) {
  const outer = recording.beginRecording(true);
  const spills = spilled.length;
  try {
    references.withScratch(size, (at) => {
      write(at, recording.recorders);
      const held = recording.detach(spills);
      references.storeBytes(reference, offset, size, at);
      keep(reference, offset, held);
    });
  } finally {
    dropSpilled(spills);
    recording.endRecording(outer);
  }
}

/** Writes one value without pointers. */
function writeSimple(value, offset, plan, given) {
  const { size } = plan;
  const top = u32[TOP];
  const at = (top + 63) & ~63;
  if (size > END - at) throw overflow();
  u32[TOP] = at + size;
  try {
    plan.write(given, at, objectInfo);
    const length = references.point(value, TO, 'reference');
    if (length !== Infinity && !(offset >= 0 && offset + size <= length)) {
      throw references.outside(offset, size, plan.name);
    }
    storePointed(offset, at, size);
    hold(value);
  } finally {
    u32[TOP] = top;
  }
}

function writeOne(reference, offset, type, value) {
  const { size, name } = internals(type);
  references.checkBounds(reference, offset, size, name);
  const expected = expectedOf(type) ?? { path: '', expected: name };
  transfer(reference, offset, size, (at, store) =>
    codecs.writerOf(type, store)(value, at, expected),
  );
}

const objectInfo = { path: '', expected: 'object' };

/** What a value of a record or array type has to be. */
function expectedOf(type) {
  const { kind } = internals(type);
  if (kind === 'struct' || kind === 'union') return objectInfo;
  return kind === 'array' ? { path: '', expected: 'array' } : undefined;
}

/** Elements that are written through frame memory at a time, in bytes. */
const CHUNK = 65_536;

/** Writes `count` elements in a row; those that are missing become zero. */
function writeMany(reference, offset, type, value, count) {
  const own = internals(type);
  const size = own.size * count;
  references.checkBounds(reference, offset, size, `${own.name}[${count}]`);
  if (!Array.isArray(value)) {
    references.writeTo(reference, offset, flatBytes(own, value, size));
    return;
  }
  const items = codecs.itemsOf(type);
  const step = Math.max(1, Math.floor(CHUNK / own.size));
  for (let done = 0; done < count; done += step) {
    const part = Math.min(step, count - done);
    const given = Math.max(0, Math.min(part, value.length - done));
    const bytes = part * own.size;
    transfer(reference, offset + done * own.size, bytes, (at, store) => {
      items.putAll(value, at, done, given, objectInfo, store);
      u8.fill(0, at + given * own.size, at + bytes);
    });
  }
}

/** The bytes of text or a view, padded with zeros. Text is cut so that it keeps its terminator. */
function flatBytes(own, value, size) {
  const isText = typeof value === 'string' && own.kind === 'int' && own.size <= 4;
  const bytes = isText ? encodeText(value, own.size) : bytesOf(value);
  if (bytes === undefined) {
    throw invalid(`Unexpected ${kindName(value)} value, expected array`);
  }
  const whole = new Uint8Array(size);
  const limit = isText ? Math.max(0, size - own.size) : size;
  whole.set(bytes.subarray(0, limit));
  return whole;
}

/** `encode(reference, [offset,] type, value[, length])` */
function encode(...args) {
  const given = args.length;
  if (given < 3) throw wrongCount('3 to 5', given);
  const reference = args[0];
  const shifted = typeof args[1] === 'number' || typeof args[1] === 'bigint';
  if (shifted && given < 4) throw wrongCount('4 or 5', given);
  const offset = shifted ? toNumber(args[1], 'offset') : 0;
  const plan = planOf(shifted ? args[2] : args[1]);
  const value = shifted ? args[3] : args[2];
  const length = shifted ? args[4] : args[3];
  if (plan.size === 0 || plan.kind === 'prototype') {
    throw invalid(`Cannot encode value of type ${plan.name}`);
  }
  if (plan.write === undefined) plan.compile();
  const isOne = length === undefined || length === null;
  if (isOne && plan.simple) {
    writeSimple(reference, offset, plan, value);
    return;
  }
  const to = references.toReference(reference);
  if (isOne) {
    writeOne(to, offset, plan.type, value);
    return;
  }
  const count = toNumber(length, 'length');
  const fits = count >= 0 ? count : countThatFits(to, offset, plan.own);
  writeMany(to, offset, plan.type, value, fits);
}

/** As many elements as a reference has room for; those that are not given become zero. */
function countThatFits(to, offset, { size }) {
  if (typeof to === 'bigint') {
    throw invalid('Nobody knows how much memory is at a pointer: a length is needed');
  }
  return Math.max(0, Math.floor((to.length - offset) / size));
}

module.exports = { encode, forget };
