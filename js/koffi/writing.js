'use strict';
// Values into memory, however large: what does not fit frame memory is written in parts.
//
// A reference is an address or a Uint8Array, whose bounds were checked for the whole value. What
// the values point to is kept for as long as their target is not written again.

const { views, spilled, dropSpilled } = require('../core/memory.js');
const recording = require('../core/recording.js');
const { encodeText } = require('../core/text.js');
const { mismatch } = require('./errors.js');
const references = require('./references.js');
const { internals } = require('./types/model.js');
const { bytesOf } = require('./values/bytes.js');
const codecs = require('./values/codecs.js');
const dynamic = require('./values/dynamic.js');
const unions = require('./values/unions.js');

const { u8 } = views;

/** What errors say of an element whose own type says nothing. */
const ELEMENT = { path: '[]', expected: 'object' };

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

/** Writes a value of a type; `info` is what an error says of it. */
function writeAt(reference, offset, type, value, info) {
  const own = internals(type);
  if (references.fitsFrame(own.size)) {
    transfer(reference, offset, own.size, (at, store) =>
      codecs.writerOf(type, store)(value, at, info),
    );
    return;
  }
  if (own.kind === 'array') {
    writeMany(reference, offset, own.ref, value, own.length);
  } else if (own.kind === 'union') {
    writeUnion(reference, offset, type, value, info);
  } else {
    writeMembers(reference, offset, own, value, info);
  }
}

function writeMembers(reference, offset, own, value, info) {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject || ArrayBuffer.isView(value)) throw mismatch(info, value);
  zeroFill(reference, offset, own.size);
  for (const { name, type, offset: at, padding } of own.members) {
    const member = padding ? undefined : value[name];
    if (member === undefined) continue;
    const { name: expected, countedBy, kind, ref } = internals(type);
    const path = `${info.path}.${name}`;
    if (countedBy !== undefined) dynamic.checkCount(internals(type), value, member);
    if (countedBy !== undefined && kind === 'array') {
      writeMany(reference, offset + at, ref, member, dynamic.countOf(member, internals(ref)));
    } else writeAt(reference, offset + at, type, member, { path, expected });
  }
}

function writeUnion(reference, offset, type, value, info) {
  const own = internals(type);
  const { bytes, member, given } = unions.stateOf(type, own, value, info);
  if (bytes !== undefined) {
    references.writeTo(reference, offset, bytes);
    return;
  }
  zeroFill(reference, offset, own.size);
  if (given === undefined) return;
  const expected = internals(member.type).name;
  writeAt(reference, offset, member.type, given, { path: `.${member.name}`, expected });
}

/** Sets bytes of a reference to zero. */
function zeroFill(reference, offset, size) {
  const zeros = new Uint8Array(Math.min(size, CHUNK));
  for (let done = 0; done < size; done += CHUNK) {
    references.writeTo(reference, offset + done, zeros.subarray(0, Math.min(CHUNK, size - done)));
  }
}

/** Elements that are written through frame memory at a time, in bytes. */
const CHUNK = 65_536;

/** Writes `count` elements in a row; those that are missing become zero. */
function writeMany(reference, offset, type, value, count) {
  const own = internals(type);
  if (!Array.isArray(value)) {
    references.writeTo(reference, offset, flatBytes(own, value, own.size * count));
    return;
  }
  const items = codecs.itemsOf(type);
  const step = Math.max(1, Math.floor(CHUNK / own.size));
  for (let done = 0; done < count; done += step) {
    const part = Math.min(step, count - done);
    const given = Math.max(0, Math.min(part, value.length - done));
    const bytes = part * own.size;
    const to = offset + done * own.size;
    if (!references.fitsFrame(bytes)) {
      if (given > 0) writeAt(reference, to, type, value[done], { path: '[]', expected: own.name });
      else zeroFill(reference, to, bytes);
      continue;
    }
    transfer(reference, to, bytes, (at, store) => {
      items.putAll(value, at, done, given, ELEMENT, store);
      u8.fill(0, at + given * own.size, at + bytes);
    });
  }
}

/** The bytes of text or a view, padded with zeros. Text is cut so that it keeps its terminator. */
function flatBytes(own, value, size) {
  const isText = typeof value === 'string' && own.kind === 'int' && own.size <= 4;
  const bytes = isText ? encodeText(value, own.size) : bytesOf(value);
  if (bytes === undefined) {
    throw mismatch({ expected: 'array' }, value);
  }
  const whole = new Uint8Array(size);
  const limit = isText ? Math.max(0, size - own.size) : size;
  whole.set(bytes.subarray(0, limit));
  return whole;
}

module.exports = { forget, writeAt, writeMany };
