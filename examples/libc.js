'use strict';
// libc and libm: numbers, strings, memory that C fills, and errno.

const assert = require('node:assert/strict');
const { close, define, load, open, DataType } = require('ffi-jit');
const { pace, show } = require('./support/show.js');

// An empty path is the main program, which has libc in it.
open({ library: 'libc', path: '' });
open({ library: 'libm', path: 'libm.so.6' });

const { I32, U32, I64, U64, Double, String: CString, U8Array, Void } = DataType;

// `define` describes functions once and gives each of them as a function of one array.
const c = define({
  getpid: { library: 'libc', retType: I32, paramsType: [] },
  abs: { library: 'libc', retType: I32, paramsType: [I32] },
  toupper: { library: 'libc', retType: I32, paramsType: [I32] },
  strlen: { library: 'libc', retType: U64, paramsType: [CString] },
  atoi: { library: 'libc', retType: I32, paramsType: [CString] },
  strstr: { library: 'libc', retType: CString, paramsType: [CString, CString] },
  setenv: { library: 'libc', retType: I32, paramsType: [CString, CString, I32] },
  getenv: { library: 'libc', retType: CString, paramsType: [CString] },
  gettimeofday: { library: 'libc', retType: I32, paramsType: [U8Array, I64] },
  memset: { library: 'libc', retType: Void, paramsType: [U8Array, I32, U64] },
  htonl: { library: 'libc', retType: U32, paramsType: [U32] },
});
const m = define({
  pow: { library: 'libm', retType: Double, paramsType: [Double, Double] },
  cos: { library: 'libm', retType: Double, paramsType: [Double] },
  hypot: { library: 'libm', retType: Double, paramsType: [Double, Double] },
});

console.log('Numbers');
assert.equal(
  show('getpid()', () => c.getpid([])),
  process.pid,
);
assert.equal(
  show('abs(-42)', () => c.abs([-42])),
  42,
);
assert.equal(
  show("toupper('q')", () => c.toupper([113])),
  81,
);
assert.equal(
  show('htonl(0x11223344)', () => c.htonl([0x11223344])),
  0x44332211,
);
assert.equal(
  show('pow(2, 0.5)', () => m.pow([2, 0.5])),
  Math.SQRT2,
);
assert.equal(
  show('cos(0)', () => m.cos([0])),
  1,
);
assert.equal(
  show('hypot(3, 4)', () => m.hypot([3, 4])),
  5,
);

console.log('Strings');
assert.equal(
  show('strlen("naïve café")', () => c.strlen(['naïve café'])),
  12,
);
assert.equal(
  show('atoi("2026 apples")', () => c.atoi(['2026 apples'])),
  2026,
);
assert.equal(
  show('strstr("haystack", "st")', () => c.strstr(['haystack', 'st'])),
  'stack',
);
assert.equal(
  show('setenv("GREETING", "hello", 1)', () => c.setenv(['GREETING', 'hello', 1])),
  0,
);
assert.equal(
  show('getenv("GREETING")', () => c.getenv(['GREETING'])),
  'hello',
);

console.log('Memory that C writes: a Buffer is passed as it is, not copied');
const timeval = Buffer.alloc(16); // struct timeval { long tv_sec; long tv_usec; }
assert.equal(
  show('gettimeofday(timeval, NULL)', () => c.gettimeofday([timeval, 0])),
  0,
);
const seconds = Number(timeval.readBigInt64LE(0));
console.log(`  timeval.tv_sec is ${new Date(seconds * 1000).toISOString()}`);
assert.ok(Math.abs(seconds - Date.now() / 1000) < 5);
const memory = Buffer.alloc(6);
show("memset(memory, '*', 4)", () => c.memset([memory, 42, 4]));
assert.deepEqual([...memory], [42, 42, 42, 42, 0, 0]);

console.log('errno, read right after the call');
const F_OK = 0;
const asked = show(
  'access("/no/such/file", F_OK)',
  () =>
    load({
      library: 'libc',
      funcName: 'access',
      retType: I32,
      paramsType: [CString, I32],
      paramsValue: ['/no/such/file', F_OK],
      errno: true,
    }),
  ({ value, errnoCode }) => `${value}, errno ${errnoCode}`,
);
assert.equal(asked.value, -1);
assert.equal(asked.errnoCode, 2);
assert.match(asked.errnoMessage, /^No such file or directory/);
console.log(`  errnoMessage is "${asked.errnoMessage}"`);

console.log('Many calls');
pace('abs(i)', 200_000, (i) => c.abs([-i]));
pace('pow(i, 0.5)', 200_000, (i) => m.pow([i, 0.5]));
pace('strlen("a short string")', 200_000, () => c.strlen(['a short string']));

close('libm');
close('libc');
