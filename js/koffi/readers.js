'use strict';
// The fast readers of `koffi.decode`: numbers at an address, read by C.

const { native } = require('../core/loader.js');
const { fetchTo, isNull, putPointer, views } = require('../core/memory.js');
const { loadOf } = require('../core/routines.js');
const { fromBigInt } = require('./values/integers.js');

const { i8, u8, i16, u16, i32, u32, f32, f64, i64, u64, dv } = views;

/** Routines that read 1, 2, 4 and 8 bytes, and the offsets of what they have read. */
const [r1, r2, r4, r8] = [1, 2, 4, 8].map(loadOf);
const [AT1, AT2, AT4, AT8] = [r1.ret, r2.ret >> 1, r4.ret >> 2, r8.ret >> 3];
const LOW = r8.ret >> 2;
const [FROM1, FROM2, FROM4, FROM8] = [r1, r2, r4, r8].map(({ args }) => args[0]);

// One function for each routine, so that V8 knows what it calls: they read what is at an address,
// and are false for everything that is none. NULL is told by the cell: V8 calls a builtin to compare
// bigints.

function load1(ptr) {
  if (typeof ptr !== 'bigint') return false;
  putPointer(FROM1, ptr);
  const fetched = fetchTo(FROM1, r1.ret, 1);
  if (fetched !== undefined) return fetched;
  if (isNull(FROM1)) return false;
  r1.entry();
  return true;
}

function load2(ptr) {
  if (typeof ptr !== 'bigint') return false;
  putPointer(FROM2, ptr);
  const fetched = fetchTo(FROM2, r2.ret, 2);
  if (fetched !== undefined) return fetched;
  if (isNull(FROM2)) return false;
  r2.entry();
  return true;
}

function load4(ptr) {
  if (typeof ptr !== 'bigint') return false;
  putPointer(FROM4, ptr);
  const fetched = fetchTo(FROM4, r4.ret, 4);
  if (fetched !== undefined) return fetched;
  if (isNull(FROM4)) return false;
  r4.entry();
  return true;
}

function load8(ptr) {
  if (typeof ptr !== 'bigint') return false;
  putPointer(FROM8, ptr);
  const fetched = fetchTo(FROM8, r8.ret, 8);
  if (fetched !== undefined) return fetched;
  if (isNull(FROM8)) return false;
  r8.entry();
  return true;
}

/** Reads a number where a pointer is no plain address: NULL, a view, a cast. */
const other = (ptr, name) => require('./decode.js').readNumber(ptr, name);

function signed64() {
  const high = i32[LOW + 1];
  if (high >= -2097152 && high < 2097152) return high * 4294967296 + u32[LOW];
  return fromBigInt(i64[AT8]);
}

function unsigned64() {
  const high = u32[LOW + 1];
  return high < 2097152 ? high * 4294967296 + u32[LOW] : fromBigInt(u64[AT8]);
}

const long64 = {
  long: (ptr) => (load8(ptr) ? signed64() : other(ptr, 'long')),
  ulong: (ptr) => (load8(ptr) ? unsigned64() : other(ptr, 'ulong')),
};

const long32 = {
  long: (ptr) => (load4(ptr) ? i32[AT4] : other(ptr, 'long')),
  ulong: (ptr) => (load4(ptr) ? u32[AT4] : other(ptr, 'ulong')),
};

/** Reads text: up to its terminator, or `length` units of it at most. */
const text =
  (unit) =>
  (...args) =>
    require('./decode.js').readText(unit, args);

module.exports = {
  char: (ptr) => (load1(ptr) ? i8[AT1] : other(ptr, 'char')),
  uchar: (ptr) => (load1(ptr) ? u8[AT1] : other(ptr, 'uchar')),
  short: (ptr) => (load2(ptr) ? i16[AT2] : other(ptr, 'short')),
  ushort: (ptr) => (load2(ptr) ? u16[AT2] : other(ptr, 'ushort')),
  int: (ptr) => (load4(ptr) ? i32[AT4] : other(ptr, 'int')),
  uint: (ptr) => (load4(ptr) ? u32[AT4] : other(ptr, 'uint')),
  longlong: (ptr) => (load8(ptr) ? signed64() : other(ptr, 'longlong')),
  ulonglong: (ptr) => (load8(ptr) ? unsigned64() : other(ptr, 'ulonglong')),
  int8: (ptr) => (load1(ptr) ? i8[AT1] : other(ptr, 'int8')),
  uint8: (ptr) => (load1(ptr) ? u8[AT1] : other(ptr, 'uint8')),
  int16: (ptr) => (load2(ptr) ? i16[AT2] : other(ptr, 'int16')),
  uint16: (ptr) => (load2(ptr) ? u16[AT2] : other(ptr, 'uint16')),
  int32: (ptr) => (load4(ptr) ? i32[AT4] : other(ptr, 'int32')),
  uint32: (ptr) => (load4(ptr) ? u32[AT4] : other(ptr, 'uint32')),
  int64: (ptr) => (load8(ptr) ? signed64() : other(ptr, 'int64')),
  uint64: (ptr) => (load8(ptr) ? unsigned64() : other(ptr, 'uint64')),
  float: (ptr) => (load4(ptr) ? f32[AT4] : other(ptr, 'float')),
  double: (ptr) => (load8(ptr) ? f64[AT8] : other(ptr, 'double')),
  int16le: (ptr) => (load2(ptr) ? i16[AT2] : other(ptr, 'int16_le')),
  uint16le: (ptr) => (load2(ptr) ? u16[AT2] : other(ptr, 'uint16_le')),
  int32le: (ptr) => (load4(ptr) ? i32[AT4] : other(ptr, 'int32_le')),
  uint32le: (ptr) => (load4(ptr) ? u32[AT4] : other(ptr, 'uint32_le')),
  int64le: (ptr) => (load8(ptr) ? signed64() : other(ptr, 'int64_le')),
  uint64le: (ptr) => (load8(ptr) ? unsigned64() : other(ptr, 'uint64_le')),
  // The machine itself is little-endian.
  int16be: (ptr) => (load2(ptr) ? dv.getInt16(r2.ret) : other(ptr, 'int16_be')),
  uint16be: (ptr) => (load2(ptr) ? dv.getUint16(r2.ret) : other(ptr, 'uint16_be')),
  int32be: (ptr) => (load4(ptr) ? dv.getInt32(r4.ret) : other(ptr, 'int32_be')),
  uint32be: (ptr) => (load4(ptr) ? dv.getUint32(r4.ret) : other(ptr, 'uint32_be')),
  int64be: (ptr) => (load8(ptr) ? fromBigInt(dv.getBigInt64(r8.ret)) : other(ptr, 'int64_be')),
  uint64be: (ptr) => (load8(ptr) ? fromBigInt(dv.getBigUint64(r8.ret)) : other(ptr, 'uint64_be')),
  ...(native.longSize === 8 ? long64 : long32),
  string: text(1),
  string16: text(2),
  string32: text(4),
  wstring: text(native.wcharSize),
};
