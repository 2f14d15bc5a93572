'use strict';
// Values out of memory, however large: what does not fit frame memory is read in parts.
//
// A reference is an address or a Uint8Array, whose bounds were checked for the whole value.

const references = require('./references.js');
const { internals } = require('./types/model.js');
const { unionFromBytes } = require('./types/union-values.js');
const arrays = require('./values/arrays.js');
const codecs = require('./values/codecs.js');
const dynamic = require('./values/dynamic.js');

/** Elements that are read through frame memory at a time, in bytes. */
const CHUNK = 65_536;
/** Bytes up to which numbers are read through frame memory, whose views make typed arrays fast. */
const SMALL = 4096;

/** Reads a value of a type. */
function readAt(reference, offset, type) {
  const own = internals(type);
  if (references.fitsFrame(own.size)) {
    return references.withBytes(reference, offset, own.size, codecs.readerOf(type));
  }
  if (own.kind === 'array') return readMany(reference, offset, own.ref, own.length, own.hint);
  if (own.kind === 'union') {
    return unionFromBytes(type, references.bytesFrom(reference, offset, own.size));
  }
  return readMembers(reference, offset, own, {});
}

/** Reads the members of a struct into an object. */
function readMembers(reference, offset, own, object) {
  for (const { name, type, offset: at, padding } of own.members) {
    if (!padding) object[name] = readMember(reference, offset, own, type, at);
  }
  return object;
}

function readMember(reference, offset, { byName }, type, at) {
  const { kind, countedBy, ref, length, hint } = internals(type);
  if (countedBy === undefined) return readAt(reference, offset + at, type);
  const counter = byName.get(countedBy);
  const count = readAt(reference, offset + counter.offset, counter.type);
  if (kind === 'array') {
    return readMany(reference, offset + at, ref, dynamic.toCount(count, length), hint);
  }
  const pointer = readAt(reference, offset + at, type);
  return pointer === null
    ? null
    : readMany(pointer, 0, ref, dynamic.toCount(count), dynamic.hintOf(ref));
}

/** Reads `count` elements in a row, as what the hint says. */
function readMany(reference, offset, type, count, hint) {
  const own = internals(type);
  const size = own.size * count;
  if (hint === 'Typed' && size <= SMALL) {
    return arrays.typedAt(own, references.briefly(reference, offset, size), count);
  }
  if (hint !== 'Array') {
    return arrays.fromBytes(own, hint, references.bytesFrom(reference, offset, size));
  }
  const list = new Array(count);
  const items = codecs.itemsOf(type);
  const step = Math.max(1, Math.floor(CHUNK / own.size));
  for (let done = 0; done < count; done += step) {
    const part = Math.min(step, count - done);
    const at = offset + done * own.size;
    if (!references.fitsFrame(part * own.size)) list[done] = readAt(reference, at, type);
    else {
      references.withBytes(reference, at, part * own.size, (from) => {
        items.getAll(list, from, done, part);
      });
    }
  }
  return list;
}

module.exports = { readAt, readMany, readMembers };
