'use strict';
// A plain script that calls a little of everything, for runtimes other than Node: no test runner, no
// fixture, only libc and libm. Ends with "N passed, N failed".
//
// EXPECTED says what is known not to work where, and why (docs/runtimes.md); an expected failure
// that does not happen is a failure, so that the list stays true.

const assert = require('node:assert/strict');
const { arrayConstructor, close, define, load, open, DataType } = require('../ffi-rs/index.js');

const EXPECTED = {
  node: {},
  bun: {},
  deno: {},
};

const runtime = globalThis.Bun ? 'bun' : globalThis.Deno ? 'deno' : 'node';

/** C's size_t. */
const SIZE = process.arch === 'ia32' || process.arch === 'arm' ? DataType.U32 : DataType.U64;

const windows = process.platform === 'win32';
const MATHS = windows ? 'ucrtbase.dll' : 'libm.so.6';
/** POSIX functions have an underscore in Microsoft's C library. */
const posix = (name) => (windows ? `_${name}` : name);

open({ library: 'c', path: windows ? MATHS : '' });
open({ library: 'm', path: MATHS });

const call = (library, funcName, retType, paramsType, paramsValue, options) =>
  load({ library, funcName, retType, paramsType, paramsValue, ...options });

const code = (what) => {
  try {
    what();
  } catch (error) {
    assert.ok(error instanceof Error);
    return error.code;
  }
};

const checks = {
  'integers, both ways': () => {
    assert.equal(call('c', 'abs', DataType.I32, [DataType.I32], [-7]), 7);
    assert.equal(call('c', posix('getpid'), DataType.I32, [], []), process.pid);
    const { strtoull, llabs } = define({
      strtoull: {
        library: 'c',
        retType: DataType.U64,
        paramsType: [DataType.String, DataType.I64, DataType.I32],
      },
      llabs: { library: 'c', retType: DataType.BigInt, paramsType: [DataType.BigInt] },
    });
    assert.equal(strtoull(['18446744073709551615', 0, 10]), 2 ** 64);
    assert.equal(llabs([-(2n ** 62n)]), 2n ** 62n);
  },
  'float and double': () => {
    // In Microsoft's library for 32 bits, float functions are inline.
    if (!windows || process.arch === 'x64') {
      assert.equal(call('m', 'sqrtf', DataType.Float, [DataType.Float], [2.25]), 1.5);
    }
    assert.equal(
      call('m', 'pow', DataType.Double, [DataType.Double, DataType.Double], [2, 10]),
      1024,
    );
  },
  'strings, short, long, not ASCII, NULL': () => {
    const strlen = (text) => call('c', 'strlen', SIZE, [DataType.String], [text]);
    assert.equal(strlen('abc'), 3);
    assert.equal(strlen('naïve'), 6);
    assert.equal(strlen('x'.repeat(3_000_000)), 3_000_000);
    const types = [DataType.String, DataType.String];
    assert.equal(call('c', 'strstr', DataType.String, types, ['größe', 'ö']), 'öße');
    assert.equal(call('c', 'strstr', DataType.String, types, ['abc', 'x']), null);
  },
  'wide strings': () => {
    const units = windows ? 4 : 3;
    assert.equal(call('c', 'wcslen', SIZE, [DataType.WString], ['añ😀']), units);
    const types = [DataType.WString, DataType.WString];
    assert.equal(call('c', 'wcsstr', DataType.WString, types, ['añ😀z', '😀']), '😀z');
  },
  'a Buffer is live memory': () => {
    const memory = Buffer.alloc(4);
    const types = [DataType.U8Array, DataType.I32, SIZE];
    call('c', 'memset', DataType.Void, types, [memory.subarray(1), 7, 2]);
    assert.deepEqual([...memory], [0, 7, 7, 0]);
  },
  'arrays, as parameters and results': () => {
    const target = Buffer.alloc(24);
    const result = load({
      library: 'c',
      funcName: 'memcpy',
      retType: arrayConstructor({ type: DataType.DoubleArray, length: 3 }),
      paramsType: [DataType.U8Array, DataType.DoubleArray, SIZE],
      paramsValue: [target, [0.5, -0, 1e300], 24],
    });
    assert.deepEqual(result, [0.5, -0, 1e300]);
    assert.equal(target.readDoubleLE(16), 1e300);
  },
  External: () => {
    const types = [DataType.External];
    const memory = Buffer.from('hello\0');
    const found = call(
      'c',
      'strchr',
      DataType.External,
      [DataType.U8Array, DataType.I32],
      [memory, 108],
    );
    assert.equal(call('c', 'strlen', SIZE, types, [found]), 3);
    assert.equal(
      code(() => call('c', 'strlen', SIZE, types, [5])),
      'InvalidArg',
    );
  },
  errno: () => {
    const types = [DataType.String];
    const result = call('c', posix('rmdir'), DataType.I32, types, ['/no/such'], { errno: true });
    assert.equal(result.value, -1);
    assert.equal(result.errnoCode, 2);
  },
  'mistakes throw': () => {
    assert.equal(
      code(() => call('c', 'abs', DataType.I32, [DataType.I32], ['1'])),
      'NumberExpected',
    );
    assert.equal(
      code(() => call('c', 'no_such', DataType.I32, [], [])),
      'Unknown',
    );
    assert.equal(
      code(() => open({ library: 'x', path: '/no/such.so' })),
      'Unknown',
    );
    assert.throws(() => call('c', 'abs', 55, [], []), /Invalid BasicDataType value: 55/);
  },
  'many functions, many calls': () => {
    const names = ['toupper', 'tolower', 'isalpha', 'isdigit', 'abs', 'isspace'];
    for (let round = 0; round < 200; round++) {
      const map = {};
      for (const name of names) {
        map[name] = { library: 'c', retType: DataType.I32, paramsType: [DataType.I32] };
      }
      const functions = define(map);
      for (let i = 0; i < 100; i++) assert.equal(functions.abs([-i]), i);
      assert.equal(functions.toupper([97]), 65);
    }
  },
  'a closed library': () => {
    open({ library: 'm2', path: MATHS });
    const { cos } = define({
      cos: { library: 'm2', retType: DataType.Double, paramsType: [DataType.Double] },
    });
    assert.equal(cos([0]), 1);
    close('m2');
    assert.equal(typeof code(() => cos([0])), 'string');
  },
};

let passed = 0;
let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  const reason = EXPECTED[runtime][name];
  let error;
  try {
    check();
  } catch (thrown) {
    error = thrown;
  }
  if (error && reason) console.log(`expected: ${name}: ${reason}`);
  else if (error) console.log(`FAIL ${name}: ${error.stack ?? error}`);
  else if (reason) console.log(`FAIL ${name}: works, but EXPECTED says: ${reason}`);
  else console.log(`ok ${name}`);
  if (Boolean(error) === Boolean(reason)) passed += 1;
  else failed += 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
