'use strict';
// Codecs of arrays that lie inside a record or in memory. A short JavaScript array leaves the rest
// zero; what is too long is cut.

const { views } = require('../../core/memory.js');
const { isArray, slice } = require('../../core/primordials.js');
const { decodeText, encodeText, findNul } = require('../../core/text.js');
const { mismatch } = require('../errors.js');
const { internals } = require('../types/model.js');
const { bytesOf, swapUnits } = require('./bytes.js');
const codecs = require('./codecs.js');

const { u8 } = views;

/** Where the tables below begin for floats, signed and unsigned integers; the size is added. */
const [FLOAT, SIGNED, UNSIGNED] = [0, 9, 18];
const indexOf = ({ kind, size, signed }) =>
  size + (kind === 'float' ? FLOAT : signed ? SIGNED : UNSIGNED);

/** Typed arrays by kind of number, and views of frame memory. */
const TYPED = new Array(UNSIGNED + 9).fill(undefined);
const VIEWS = new Array(UNSIGNED + 9).fill(undefined);
for (const [index, Typed, view] of [
  [SIGNED + 1, Int8Array, views.i8],
  [UNSIGNED + 1, Uint8Array, views.u8],
  [SIGNED + 2, Int16Array, views.i16],
  [UNSIGNED + 2, Uint16Array, views.u16],
  [SIGNED + 4, Int32Array, views.i32],
  [UNSIGNED + 4, Uint32Array, views.u32],
  [SIGNED + 8, BigInt64Array, views.i64],
  [UNSIGNED + 8, BigUint64Array, views.u64],
  [FLOAT + 4, Float32Array, views.f32],
  [FLOAT + 8, Float64Array, views.f64],
]) {
  TYPED[index] = Typed;
  VIEWS[index] = view;
}

/** The typed array of elements of a type. */
const typedArrayOf = (own) => TYPED[indexOf(own)];

/** Elements up to which the code that reads and writes them stands where the array is used. */
const SHORT = 16;
const SCALARS = new Set(['bool', 'int', 'float']);

/** The name of the view of frame memory that holds numbers of a type. */
const viewOf = ({ kind, size, signed }) =>
  `${kind === 'float' ? 'f' : signed ? 'i' : 'u'}${8 * size}`;

/** Whether a type's array is short, and what its values are is known. */
const isShort = ({ ref, length, hint }) =>
  length <= SHORT &&
  (hint === 'Array' || (hint === 'Typed' && !internals(ref).swapped)) &&
  SCALARS.has(internals(ref).kind);

/** Emits the read of a short array; an expression of it. */
function getShort(g, { ref: type, length, hint }, place) {
  const own = internals(type);
  const at = (i) => place.plus(i * own.size);
  if (hint === 'Array') {
    const item = codecs.codecOf(type);
    const values = Array.from({ length }, (_, i) => item.get(g, at(i)));
    return g.local(`[${values.join(', ')}]`);
  }
  // V8 makes a short typed array faster than a slice of one.
  const list = g.local(`new ${g.constant(typedArrayOf(own))}(${length})`);
  for (let i = 0; i < length; i++) g.emit(`${list}[${i}] = ${g.read(viewOf(own), at(i))};`);
  return list;
}

/** Emits the write of an array that has all elements of a short one; `putOther` emits all others. */
function putShort(g, { ref: type, length }, value, place, putOther) {
  const own = internals(type);
  const item = codecs.codecOf(type);
  const [i, at] = [g.fresh('i'), g.fresh('p')];
  g.block(`if (isArray(${value}) && ${value}.length >= ${length})`, () => {
    const head = `let ${i} = 0, ${at} = ${place}; ${i} < ${length}; ${i}++, ${at} += ${own.size}`;
    g.block(`for (${head})`, () => {
      const token = item.take(g, g.local(`${value}[${i}]`), { path: '[]' });
      item.put(g, token, new g.Ref(at, 0, place.isAligned(own.align) ? own.align : 1));
    });
  });
  g.block('else', putOther);
}

/** A copy of `count` numbers at an aligned offset of frame memory. */
function typedAt(own, at, count) {
  const start = at / own.size;
  const array = slice(VIEWS[indexOf(own)], start, start + count);
  if (own.swapped) swapUnits(new Uint8Array(array.buffer), own.size);
  return array;
}

/** A typed array of bytes, in the machine's byte order. */
function toTyped(own, bytes) {
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  if (own.swapped) swapUnits(new Uint8Array(buffer), own.size);
  return new (typedArrayOf(own))(buffer);
}

/** Up to where the text of bytes goes: a terminator, or the end. */
const readText = (bytes, unit) =>
  decodeText(bytes, 0, findNul(bytes, 0, bytes.byteLength, unit), unit);

/**
 * What bytes of C become, by an array's hint.
 * @param {Uint8Array} bytes
 */
function fromBytes(own, hint, bytes) {
  if (hint === 'String') return readText(bytes, own.size);
  if (hint === 'Buffer') return Buffer.from(bytes);
  return toTyped(own, bytes);
}

/** Reads `count` elements at an offset of frame memory, by hint. */
function readItems(type, hint, at, count) {
  const own = internals(type);
  if (hint === 'Array') {
    const list = new Array(count);
    codecs.itemsOf(type).getAll(list, at, 0, count);
    return list;
  }
  if (hint === 'Typed' && at % own.size === 0) return typedAt(own, at, count);
  return fromBytes(own, hint, u8.subarray(at, at + count * own.size));
}

/** How many bytes of text go into `limit` bytes without cutting a character in two. */
function wholeCharacters(bytes, unit, limit) {
  if (bytes.length <= limit) return bytes.length;
  let end = limit;
  if (unit === 1) {
    while (end > 0 && (bytes[end] & 0xc0) === 0x80) end--; // a continuation byte of UTF-8
  } else if (unit === 2 && end > 0 && (bytes[end + 1] & 0xfc) === 0xdc) {
    end -= 2; // the second half of a surrogate pair
  }
  return end;
}

/** Writes a value to the `length` elements of a type at an offset of frame memory. */
function writeItems({ ref: type, length, hint }, value, at, info, store) {
  const own = internals(type);
  const size = own.size * length;
  if (isArray(value)) {
    const count = Math.min(value.length, length);
    codecs.itemsOf(type).putAll(value, at, 0, count, info, store);
    if (count < length) u8.fill(0, at + count * own.size, at + size);
    return;
  }
  const bytes = typeof value === 'string' ? textBytes(own, hint, value, info) : bytesOf(value);
  if (bytes === undefined) throw mismatch(info, value);
  const part =
    typeof value === 'string'
      ? bytes.subarray(0, wholeCharacters(bytes, own.size, size - own.size))
      : bytes.subarray(0, Math.min(bytes.length, size));
  u8.set(part, at);
  u8.fill(0, at + part.length, at + size);
  if (own.swapped && ArrayBuffer.isView(value)) swapUnits(u8.subarray(at, at + size), own.size);
}

/** The bytes of text for an array of characters. */
function textBytes(own, hint, value, info) {
  if (!own.character && hint !== 'String') throw mismatch(info, value);
  return encodeText(value, own.size);
}

function array(_type, own) {
  const { ref, length, hint } = own;
  const item = codecs.codecOf(ref);
  const put = (value, at, info, store) => writeItems(own, value, at, info, store);
  const read = (at) => readItems(ref, hint, at, length);
  const short = isShort(own);
  return {
    get notation() {
      return own.notation();
    },
    size: own.size,
    align: own.align,
    simple: false,
    readsInPlace: item.simple || item.readsInPlace,
    spills: true,
    transient: item.transient,
    hasPointers: !item.simple && item.hasPointers !== false,
    take: (_g, value, where) => ({ value, where }),
    put(g, { value, where }, place) {
      const info = g.constant({ ...where, expected: 'array' });
      const putAny = () => g.emit(`${g.constant(put)}(${value}, ${place}, ${info}, store);`);
      if (short) putShort(g, own, value, place, putAny);
      else putAny();
    },
    get: (g, place) => (short ? getShort(g, own, place) : g.local(`${g.constant(read)}(${place})`)),
  };
}

module.exports = { array, fromBytes, readItems, readText, typedAt };
