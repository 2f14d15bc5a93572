'use strict';
// zlib streams with the API of Koffi: z_stream as a struct in C's memory, fed piece by piece, and
// checked against Node's own zlib.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const nodeZlib = require('node:zlib');
const koffi = require(process.env.KOFFI_MODULE || 'ffi-jit/koffi');
const { show } = require('./support/show.js');

// Node has a zlib of its own: `deep` makes the library call its own functions, not Node's.
const zlib = koffi.load('libz.so.1', { deep: true });

const z_stream = koffi.struct('z_stream', {
  next_in: 'void *',
  avail_in: 'unsigned int',
  total_in: 'unsigned long',
  next_out: 'void *',
  avail_out: 'unsigned int',
  total_out: 'unsigned long',
  msg: 'const char *',
  state: 'void *',
  zalloc: 'void *',
  zfree: 'void *',
  opaque: 'void *',
  data_type: 'int',
  adler: 'unsigned long',
  reserved: 'unsigned long',
});

const zlibVersion = zlib.func('const char *zlibVersion()');
const deflateInit = zlib.func(
  'int deflateInit_(z_stream *strm, int level, const char *version, int size)',
);
const deflate = zlib.func('int deflate(z_stream *strm, int flush)');
const deflateEnd = zlib.func('int deflateEnd(z_stream *strm)');
const inflateInit = zlib.func('int inflateInit_(z_stream *strm, const char *version, int size)');
const inflate = zlib.func('int inflate(z_stream *strm, int flush)');
const inflateEnd = zlib.func('int inflateEnd(z_stream *strm)');
const crc32 = zlib.func('unsigned long crc32(unsigned long crc, const void *data, unsigned int n)');

const Z_OK = 0;
const Z_STREAM_END = 1;
const Z_DATA_ERROR = -3;
const Z_BUF_ERROR = -5;
const Z_NO_FLUSH = 0;
const Z_FINISH = 4;

const at = Object.fromEntries(
  Object.values(z_stream.members).map(({ name, offset }) => [name, offset]),
);

/**
 * Sends `input` through a stream, piece by piece. zlib keeps pointers to the stream between calls,
 * so it lives in C's memory; its fields are written and read in place.
 */
function run(step, stream, input, piece, space) {
  const chunks = [];
  let status = Z_OK;
  for (let from = 0; status !== Z_STREAM_END; from += piece) {
    const part = input.subarray(from, from + piece);
    const flush = from + piece >= input.length ? Z_FINISH : Z_NO_FLUSH;
    koffi.encode(stream, at.next_in, 'void *', part.length > 0 ? part : null);
    koffi.encode(stream, at.avail_in, 'unsigned int', part.length);
    for (let full = true; full && status !== Z_STREAM_END; ) {
      koffi.encode(stream, at.next_out, 'void *', space);
      koffi.encode(stream, at.avail_out, 'unsigned int', space.length);
      status = step(stream, flush);
      if (status < 0 && status !== Z_BUF_ERROR) {
        const { msg } = koffi.decode(stream, z_stream);
        throw Object.assign(new Error(msg ?? 'zlib failed'), { status });
      }
      const left = koffi.decode(stream, at.avail_out, 'unsigned int');
      chunks.push(Buffer.from(space.subarray(0, space.length - left)));
      full = left === 0;
    }
  }
  return Buffer.concat(chunks);
}

const file = process.argv[2] ?? path.join(__dirname, '..', 'Cargo.lock');
const input = fs.readFileSync(file);
console.log(`zlib ${zlibVersion()}, ${path.basename(file)}: ${input.length} bytes`);
console.log(`z_stream is ${z_stream.size} bytes, next_out at ${at.next_out}`);
assert.equal(z_stream.size, 112);

const space = Buffer.alloc(4096);
const packer = koffi.alloc(z_stream, 1);
assert.equal(
  show('deflateInit_(&strm, 9, version, 112)', () =>
    deflateInit(packer, 9, zlibVersion(), z_stream.size),
  ),
  Z_OK,
);
const packed = show('deflate in pieces of 1000 bytes', () =>
  run(deflate, packer, input, 1000, space),
);
const { total_in, total_out, adler } = koffi.decode(packer, z_stream);
assert.equal(total_in, input.length);
assert.equal(total_out, packed.length);
console.log(`    ${total_in} bytes became ${total_out}, adler-32 ${adler.toString(16)}`);
assert.equal(deflateEnd(packer), Z_OK);
koffi.free(packer);
assert.ok(nodeZlib.inflateSync(packed).equals(input), "Node's zlib inflates what C compressed");

const unpacker = koffi.alloc(z_stream, 1);
assert.equal(inflateInit(unpacker, zlibVersion(), z_stream.size), Z_OK);
const theirs = nodeZlib.deflateSync(input);
const output = show('inflate in pieces of 333 bytes', () =>
  run(inflate, unpacker, theirs, 333, space),
);
assert.ok(output.equals(input), "C inflates what Node's zlib compressed");
assert.equal(inflateEnd(unpacker), Z_OK);

const half = input.length >> 1;
const whole = show('crc32(0, input, size)', () => crc32(0, input, input.length));
assert.equal(
  crc32(crc32(0, input.subarray(0, half), half), input.subarray(half), input.length - half),
  whole,
);

console.log('An error has its text in the struct');
assert.equal(inflateInit(unpacker, zlibVersion(), z_stream.size), Z_OK);
const damaged = Buffer.from(packed);
damaged[0] ^= 0xff;
assert.throws(
  () => run(inflate, unpacker, damaged, 1000, space),
  (error) =>
    error.status === Z_DATA_ERROR &&
    /incorrect header check|unknown compression/.test(error.message),
);
inflateEnd(unpacker);
koffi.free(unpacker);
