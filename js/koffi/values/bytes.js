'use strict';
// The bytes of JavaScript memory, and byte order.

/** The bytes of a view or ArrayBuffer; undefined for other values. */
function bytesOf(value) {
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined;
}

/** Reverses the bytes of each whole unit of 2, 4 or 8 bytes, in place. */
function swapUnits(bytes, unit) {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length - (bytes.length % unit));
  if (unit === 2) whole.swap16();
  else if (unit === 4) whole.swap32();
  else if (unit === 8) whole.swap64();
}

module.exports = { bytesOf, swapUnits };
