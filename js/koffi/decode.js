'use strict';
// `koffi.decode`: values out of memory, and its fast readers.

const { views, TOP, END, overflow } = require('../core/memory.js');
const { countUnits } = require('../core/routines.js');
const { decodeText, findNul } = require('../core/text.js');
const { invalid, unexpected, wrongCount } = require('./errors.js');
const { functionAt } = require('./functions.js');
const references = require('./references.js');
const { internals } = require('./types/model.js');
require('./types/primitives.js');
const { resolve } = require('./types/strings.js');
const arrays = require('./values/arrays.js');
const codecs = require('./values/codecs.js');

const { u32 } = views;

/** A number of bytes or elements from an argument. */
function toNumber(value, what) {
  if (typeof value === 'number') return Math.trunc(value);
  if (typeof value === 'bigint') return Number(value);
  throw unexpected(value, what, 'number');
}

/** Reads one value of a type. */
function readOne(reference, offset, type) {
  const { size, name } = internals(type);
  references.checkBounds(reference, offset, size, name);
  const read = codecs.readerOf(type);
  const top = u32[TOP];
  const at = (top + 63) & ~63;
  if (size > END - at) throw overflow();
  u32[TOP] = at + size;
  try {
    references.loadBytes(reference, offset, size, at);
    return read(at);
  } finally {
    u32[TOP] = top;
  }
}

/** How elements in a row become JavaScript. */
function hintOf({ kind, character, values }) {
  if (character) return 'String';
  return (kind === 'int' || kind === 'float') && values === undefined ? 'Typed' : 'Array';
}

/** Elements that are read through frame memory at a time. */
const CHUNK = 65_536;

/** Reads `count` elements in a row. */
function readMany(reference, offset, type, count, hint) {
  const own = internals(type);
  const size = own.size * count;
  references.checkBounds(reference, offset, size, `${own.name}[${count}]`);
  if (hint !== 'Array') {
    return arrays.fromBytes(own, hint, references.bytesFrom(reference, offset, size));
  }
  const list = new Array(count);
  const items = codecs.itemsOf(type);
  const step = Math.max(1, Math.floor(CHUNK / own.size));
  for (let done = 0; done < count; done += step) {
    const part = Math.min(step, count - done);
    const bytes = part * own.size;
    references.withScratch(bytes, (at) => {
      references.loadBytes(reference, offset + done * own.size, bytes, at);
      items.getAll(list, at, done, part);
    });
  }
  return list;
}

const END_MARKED = new Set(['int', 'pointer', 'string', 'callback']);

/** How many elements stand before the zero one, or before the end of what is known. */
function countBeforeZero(reference, offset, own) {
  const { kind, size, name } = own;
  if (!END_MARKED.has(kind) || (kind === 'int' && size > 4)) {
    throw invalid(`Cannot determine null-terminated length for type ${name}`);
  }
  if (typeof reference === 'bigint') return countUnits(reference + BigInt(offset), size);
  references.checkBounds(reference, offset, 0, name);
  const end = findNul(reference, offset, reference.length, size);
  return Math.floor((end - offset) / size);
}

function readLength(reference, offset, type, length) {
  const own = internals(type);
  if (length >= 0) return readMany(reference, offset, type, length, hintOf(own));
  const count = countBeforeZero(reference, offset, own);
  const hint = own.kind === 'int' ? hintOf(own) : 'Array';
  return readMany(reference, offset, type, count, hint);
}

/** `decode(reference, [offset,] type[, length])` */
function decode(...args) {
  if (args.length < 2) throw wrongCount('2 to 4', args.length);
  const [reference, a, b, c] = args;
  const shifted = typeof a === 'number' || typeof a === 'bigint';
  if (shifted && args.length < 3) throw wrongCount('3 or 4', args.length);
  const offset = shifted ? toNumber(a, 'offset') : 0;
  const type = resolve(shifted ? b : a);
  const length = shifted ? c : b;
  const own = internals(type);
  const from = references.toReference(reference);
  if (own.kind === 'prototype') {
    const address = typeof from === 'bigint' ? from : references.addressOfView(reference);
    return functionAt(own.proto, address + BigInt(offset));
  }
  if (own.size === 0) throw invalid(`Cannot decode value of type ${own.name}`);
  if (length === undefined || length === null) return readOne(from, offset, type);
  return readLength(from, offset, type, toNumber(length, 'length'));
}

/** A reader of one type at a pointer. */
function fastReader(name) {
  const type = resolve(name);
  return (ptr) => readOne(references.toReference(ptr, 'ptr'), 0, type);
}

/** A reader of text at a pointer: up to its terminator, or `length` units at most. */
function textReader(unit) {
  return (ptr, length) => {
    if (ptr === null || ptr === undefined) return null;
    const from = references.toReference(ptr, 'ptr');
    const given = length === undefined || length === null ? -1 : toNumber(length, 'length');
    if (typeof from !== 'bigint') {
      const end = given < 0 ? from.length : Math.min(given * unit, from.length);
      return decodeText(from, 0, findNul(from, 0, end, unit), unit);
    }
    const size = (given < 0 ? countUnits(from, unit) : given) * unit;
    return arrays.readText(references.bytesFrom(from, 0, size), unit);
  };
}

const FAST = `char uchar short ushort int uint long ulong longlong ulonglong
  int8 uint8 int16 uint16 int32 uint32 int64 uint64 float double`.split(/\s+/);

for (const name of FAST) decode[name] = fastReader(name);
for (const bits of [16, 32, 64]) {
  for (const order of ['le', 'be']) {
    decode[`int${bits}${order}`] = fastReader(`int${bits}_${order}`);
    decode[`uint${bits}${order}`] = fastReader(`uint${bits}_${order}`);
  }
}
decode.string = textReader(1);
decode.string16 = textReader(2);
decode.string32 = textReader(4);
decode.wstring = textReader(internals(resolve('wchar_t')).size);

module.exports = { countBeforeZero, decode, hintOf, toNumber };
