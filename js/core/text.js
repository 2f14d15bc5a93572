'use strict';
// Text as C has it: NUL-terminated UTF-8, UTF-16 and UTF-32. What an encoding cannot hold becomes
// U+FFFD; an embedded NUL is passed, and C sees what stands before it.
//
// `putTextN(text, cell)` stores a copy in scratch memory, and its address in a pointer cell.

const { native } = require('./loader.js');
const memory = require('./memory.js');
const { charCodeAt, utf8Write } = require('./primordials.js');

const { views, TOP, END, ARG, putAddress, scratch, spill } = memory;
const { u8, u16, u32 } = views;
const bytes = Buffer.from(native.memory);

/** Strings up to this length are copied by a loop; longer ones by Node's own encoder. */
const SHORT = 24;

function putText8(text, cell) {
  const { length } = text;
  const at = u32[TOP];
  if (length * 3 + 1 > END - at) {
    const size = Buffer.byteLength(text);
    utf8Write(spill(size + 1, cell), text, 0, size);
    return;
  }
  if (length <= SHORT) {
    let i = 0;
    for (; i < length; i++) {
      const unit = charCodeAt(text, i);
      if (unit > 127) break;
      u8[at + i] = unit;
    }
    if (i === length) {
      u8[at + i] = 0;
      u32[TOP] = at + i + 1;
      putAddress(cell, at);
      return;
    }
  }
  const written = utf8Write(bytes, text, at, length * 3);
  u8[at + written] = 0;
  u32[TOP] = at + written + 1;
  putAddress(cell, at);
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

/** The strings that a pointer cell points to; null for NULL. */
function getText8(cell) {
  u32[ARG] = cell;
  return native.string();
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
  return start + Math.floor((end - start) / unit) * unit;
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
  getText8,
  getText16,
  getText32,
  putText8,
  putText16,
  putText32,
};
