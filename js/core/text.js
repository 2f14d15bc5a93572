'use strict';
// Text as C has it: NUL-terminated UTF-8, UTF-16, UTF-32 and wchar_t. `putX(text, cell)` stores a
// copy in scratch memory and its address in a pointer cell; `getX(cell)` reads what a pointer cell
// points to, null for NULL, with U+FFFD for what is not valid.
//
// putString and putWideString refuse what the encoding cannot hold. putTextN replaces it by
// U+FFFD; an embedded NUL is passed, and C sees what stands before it.

const { native } = require('./loader.js');
const { coded } = require('./errors.js');
const memory = require('./memory.js');
const { charCodeAt, utf8Write } = require('./primordials.js');

const { views, TOP, END, ARG, putAddress, scratch, spill } = memory;
const { u8, u16, u32, dv } = views;
const { wcharSize } = native;
const bytes = Buffer.from(native.memory);

/** Strings up to this length are encoded by a loop; longer ones by Node's own encoder. */
const SHORT = 24;

const loneSurrogate = () =>
  coded(Error, 'InvalidArg', 'invalid utf-16: lone surrogate found', { expected: 'String' });

const embeddedNul = () =>
  coded(Error, 'InvalidArg', 'a wide string cannot contain a NUL character', {
    expected: 'String',
  });

/** Whether a string has no lone surrogate. */
function isWellFormed(text) {
  for (let i = 0; i < text.length; i++) {
    const unit = charCodeAt(text, i);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    if (unit > 0xdbff || i + 1 === text.length) return false;
    const next = charCodeAt(text, ++i);
    if (next < 0xdc00 || next > 0xdfff) return false;
  }
  return true;
}

/** The low surrogate at an index, or -1 when there is none. */
function lowSurrogate(text, i) {
  const unit = i < text.length ? charCodeAt(text, i) : 0;
  return unit >= 0xdc00 && unit <= 0xdfff ? unit : -1;
}

/** Encodes a short string at an offset of frame memory; returns the offset behind it. */
function encodeUtf8(text, at, strict) {
  let p = at;
  for (let i = 0; i < text.length; i++) {
    let point = charCodeAt(text, i);
    if (point < 0x80) {
      u8[p++] = point;
      continue;
    }
    if (point < 0x800) {
      u8[p++] = 0xc0 | (point >> 6);
      u8[p++] = 0x80 | (point & 63);
      continue;
    }
    if (point >= 0xd800 && point <= 0xdfff) {
      const low = point < 0xdc00 ? lowSurrogate(text, i + 1) : -1;
      if (low < 0 && strict) throw loneSurrogate();
      if (low >= 0) {
        i++;
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        u8[p++] = 0xf0 | (point >> 18);
        u8[p++] = 0x80 | ((point >> 12) & 63);
        u8[p++] = 0x80 | ((point >> 6) & 63);
        u8[p++] = 0x80 | (point & 63);
        continue;
      }
      point = 0xfffd;
    }
    u8[p++] = 0xe0 | (point >> 12);
    u8[p++] = 0x80 | ((point >> 6) & 63);
    u8[p++] = 0x80 | (point & 63);
  }
  return p;
}

/** Stores UTF-8 text. With `strict`, throws `InvalidArg` for lone surrogates. */
function putUtf8(text, cell, strict) {
  const { length } = text;
  const at = u32[TOP];
  if (length * 3 + 1 > END - at) return spillUtf8(text, cell, strict);
  let end = at;
  if (length <= SHORT) {
    end = encodeUtf8(text, at, strict);
  } else {
    end += utf8Write(bytes, text, at, length * 3);
    if (strict && end - at !== length && !isWellFormed(text)) throw loneSurrogate();
  }
  u8[end] = 0;
  u32[TOP] = end + 1;
  putAddress(cell, at);
}

function spillUtf8(text, cell, strict) {
  const size = Buffer.byteLength(text);
  if (strict && size !== text.length && !isWellFormed(text)) throw loneSurrogate();
  utf8Write(spill(size + 1, cell), text, 0, size);
}

const putString = (text, cell) => putUtf8(text, cell, true);
const putText8 = (text, cell) => putUtf8(text, cell, false);

/** Stores wchar_t text. Throws `InvalidArg` for an embedded NUL and lone surrogates. */
function putWideString(text, cell) {
  if (!isWellFormed(text)) throw loneSurrogate();
  const size = (text.length + 1) * wcharSize;
  const at = scratch(size);
  if (at >= 0) {
    writeWide(text, dv, at);
    putAddress(cell, at);
  } else {
    const { buffer, byteOffset } = spill(size, cell);
    writeWide(text, new DataView(buffer, byteOffset), 0);
  }
}

/** Writes text and a terminating NUL into a view with room for as many characters as it has. */
function writeWide(text, view, at) {
  let p = at;
  for (let i = 0; i < text.length; i++, p += wcharSize) {
    const unit = charCodeAt(text, i);
    if (unit === 0) throw embeddedNul();
    if (wcharSize === 2) view.setUint16(p, unit, true);
    else if (unit < 0xd800 || unit > 0xdbff) view.setUint32(p, unit, true);
    else view.setUint32(p, ((unit - 0xd800) << 10) + charCodeAt(text, ++i) + 0x2400, true);
  }
  if (wcharSize === 2) view.setUint16(p, 0, true);
  else view.setUint32(p, 0, true);
}

function putText16(text, cell) {
  const { length } = text;
  const at = scratch((length + 1) * 2);
  if (at < 0) {
    spill((length + 1) * 2, cell).write(text, 'utf16le');
    return;
  }
  const start = at >> 1;
  for (let i = 0; i < length; i++) u16[start + i] = charCodeAt(text, i);
  u16[start + length] = 0;
  putAddress(cell, at);
}

/** The code points of a string. */
function codePoints(text) {
  const points = new Uint32Array(text.length);
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    let point = charCodeAt(text, i);
    if (point >= 0xd800 && point <= 0xdfff) {
      const next = point < 0xdc00 && i + 1 < text.length ? charCodeAt(text, i + 1) : 0;
      if (next >= 0xdc00 && next <= 0xdfff) {
        point = 0x10000 + ((point - 0xd800) << 10) + (next - 0xdc00);
        i++;
      } else point = 0xfffd;
    }
    points[count++] = point;
  }
  return points.subarray(0, count);
}

function putText32(text, cell) {
  const points = codePoints(text);
  const size = (points.length + 1) * 4;
  const at = scratch(size);
  if (at < 0) {
    const buffer = spill(size, cell);
    for (let i = 0; i < points.length; i++) buffer.writeUInt32LE(points[i], i * 4);
    return;
  }
  u32.set(points, at >> 2);
  u32[(at >> 2) + points.length] = 0;
  putAddress(cell, at);
}

function getString(cell) {
  u32[ARG] = cell;
  return native.string();
}

function getWideString(cell) {
  u32[ARG] = cell;
  return native.wideString();
}

function getText16(cell) {
  u32[ARG] = cell;
  return native.string16();
}

function getText32(cell) {
  u32[ARG] = cell;
  return native.string32();
}

/** A string as bytes, without a terminator, by the size of a unit. */
function encodeText(text, unit) {
  if (unit === 1) return Buffer.from(text, 'utf8');
  if (unit === 2) return Buffer.from(text, 'utf16le');
  const points = codePoints(text);
  return Buffer.from(points.buffer, 0, points.length * 4);
}

/** Offset of the first zero unit in bytes from `start`, or `end`. */
function findNul(view, start, end, unit) {
  for (let at = start; at + unit <= end; at += unit) {
    let bits = 0;
    for (let i = 0; i < unit; i++) bits |= view[at + i];
    if (bits === 0) return at;
  }
  return end - ((end - start) % unit);
}

/** The text of bytes: all of it. */
function decodeText(view, start, end, unit) {
  const buffer = Buffer.from(view.buffer, view.byteOffset + start, end - start);
  if (unit === 1) return buffer.utf8Slice(0, buffer.length);
  if (unit === 2) return buffer.ucs2Slice(0, buffer.length);
  let text = '';
  for (let at = 0; at + 4 <= buffer.length; at += 4) {
    const point = buffer.readUInt32LE(at);
    const valid = point < 0xd800 || (point > 0xdfff && point <= 0x10ffff);
    text += String.fromCodePoint(valid ? point : 0xfffd);
  }
  return text;
}

module.exports = {
  decodeText,
  encodeText,
  findNul,
  getString,
  getText8: getString,
  getWideString,
  getText16,
  getText32,
  putString,
  putText8,
  putWideString,
  putText16,
  putText32,
};
