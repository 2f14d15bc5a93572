'use strict';
// zlib, the C library: a real file compressed and inflated again, checked against Node's own zlib.
//
//   node examples/zlib.js [file]

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const nodeZlib = require('node:zlib');
const { close, define, open, DataType } = require('ffi-jit');
const { show } = require('./support/show.js');

open({ library: 'z', path: 'libz.so.1' });

const { I32, U32, U64, String: CString, U8Array } = DataType;

// Byte* parameters take a Buffer as it is: C reads and writes the Buffer's own memory. So do the
// lengths that C updates (uLongf *): 8 bytes on this platform.
const z = define({
  zlibVersion: { library: 'z', retType: CString, paramsType: [] },
  compressBound: { library: 'z', retType: U64, paramsType: [U64] },
  compress2: { library: 'z', retType: I32, paramsType: [U8Array, U8Array, U8Array, U64, I32] },
  uncompress: { library: 'z', retType: I32, paramsType: [U8Array, U8Array, U8Array, U64] },
  crc32: { library: 'z', retType: U64, paramsType: [U64, U8Array, U32] },
  adler32: { library: 'z', retType: U64, paramsType: [U64, U8Array, U32] },
});

const Z_OK = 0;
const Z_BUF_ERROR = -5;
const Z_DATA_ERROR = -3;

/** A `uLong` in memory, for C to update. */
function lengthCell(value) {
  const cell = Buffer.alloc(8);
  cell.writeBigUInt64LE(BigInt(value));
  return cell;
}

const lengthIn = (cell) => Number(cell.readBigUInt64LE());

/** CRC-32 in plain JavaScript, to check the C function by. */
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** Adler-32 in plain JavaScript. */
function adler32(bytes) {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

const file = process.argv[2] ?? path.join(__dirname, '..', 'Cargo.lock');
const input = fs.readFileSync(file);
console.log(`zlib ${z.zlibVersion([])}, ${path.basename(file)}: ${input.length} bytes`);

const bound = show(`compressBound(${input.length})`, () => z.compressBound([input.length]));
assert.ok(bound > input.length);

const space = Buffer.alloc(bound);
const length = lengthCell(bound);
const status = show('compress2(space, &length, input, size, 9)', () =>
  z.compress2([space, length, input, input.length, 9]),
);
assert.equal(status, Z_OK);
const packed = space.subarray(0, lengthIn(length));
const percent = ((100 * packed.length) / input.length).toFixed(1);
console.log(`  compressed to ${packed.length} bytes, ${percent} %`);
assert.ok(nodeZlib.inflateSync(packed).equals(input), "Node's zlib inflates what C compressed");

const output = Buffer.alloc(input.length);
const outputLength = lengthCell(output.length);
const theirs = nodeZlib.deflateSync(input);
assert.equal(
  show('uncompress(output, &length, theirs, size)', () =>
    z.uncompress([output, outputLength, theirs, theirs.length]),
  ),
  Z_OK,
);
assert.equal(lengthIn(outputLength), input.length);
assert.ok(output.equals(input), "C inflates what Node's zlib compressed");

const sum = show('crc32(0, input, size)', () => z.crc32([0, input, input.length]));
assert.equal(sum, crc32(input));
const half = input.length >> 1;
const first = z.crc32([0, input.subarray(0, half), half]);
const rest = input.subarray(half);
assert.equal(
  show('crc32(crc32(0, half), rest)', () => z.crc32([first, rest, rest.length])),
  sum,
);
assert.equal(
  show('adler32(1, input, size)', () => z.adler32([1, input, input.length])),
  adler32(input),
);

console.log('Errors are status codes of C');
const tiny = Buffer.alloc(16);
assert.equal(
  show('compress2 into 16 bytes', () =>
    z.compress2([tiny, lengthCell(tiny.length), input, input.length, 9]),
  ),
  Z_BUF_ERROR,
);
const damaged = Buffer.from(packed);
damaged[0] ^= 0xff; // the header byte that names the method
const target = Buffer.alloc(input.length);
assert.equal(
  show('uncompress of damaged data', () =>
    z.uncompress([target, lengthCell(target.length), damaged, damaged.length]),
  ),
  Z_DATA_ERROR,
);

close('z');
