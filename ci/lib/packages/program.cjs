'use strict';
// A user's program, in a project that has ffi-jit installed: calls the C library through both APIs,
// required and imported, and looks which addon did it.
//
//   node program.cjs PACKAGE [PLATFORM]      PLATFORM: what process.platform is to say
//
// Ends with "N passed, N failed".

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { createRequire } = require('node:module');

const [wanted, platform] = process.argv.slice(2);
if (platform) Object.defineProperty(process, 'platform', { value: platform });

const LIBC = process.platform === 'win32' ? 'msvcrt.dll' : null;

const checks = {
  'the ffi-rs API is required, and calls': () => {
    const { DataType, close, define, load, open } = require('ffi-jit');
    open({ library: 'c', path: LIBC ?? '' });
    const call = { library: 'c', funcName: 'abs', retType: DataType.I32 };
    assert.equal(load({ ...call, paramsType: [DataType.I32], paramsValue: [-7] }), 7);
    const { toupper } = define({
      toupper: { library: 'c', retType: DataType.I32, paramsType: [DataType.I32] },
    });
    assert.equal(toupper([97]), 65);
    close('c');
  },
  'the Koffi API is required, calls, and is called': () => {
    const koffi = require('ffi-jit/koffi');
    const libc = koffi.load(LIBC);
    assert.equal(libc.func('int atoi(const char *text)')('1234'), 1234);
    koffi.proto('int Compare(const int *a, const int *b)');
    const sort = libc.func('void qsort(_Inout_ int *, size_t, size_t, Compare *)');
    const numbers = new Int32Array([30, 4, 100, 1]);
    const at = (pointer) => koffi.decode(pointer, 'int');
    sort(numbers, 4, 4, (a, b) => at(a) - at(b));
    assert.deepEqual([...numbers], [1, 4, 30, 100]);
  },
  'both are imported, and are the same': async () => {
    for (const name of ['ffi-jit', 'ffi-jit/koffi']) {
      const { default: whole, ...names } = await import(name);
      assert.equal(whole, require(name));
      assert.ok(Object.keys(names).length > 5);
    }
  },
  'the addon is that of the package': () => {
    // Where ffi-jit itself finds it: pnpm shows a package only to what depends on it.
    const inside = createRequire(require.resolve('ffi-jit/package.json'));
    const { sharedObjects } = process.report.getReport();
    const ours = sharedObjects.filter((file) => /ffi-jit[^/\\]*\.node$/.test(file));
    const addons = ours.map((file) => fs.realpathSync(file));
    assert.deepEqual(addons, [inside.resolve(`${wanted}/ffi-jit.node`)]);
    assert.ok(addons[0].includes(wanted));
    const { version } = require('ffi-jit/package.json');
    assert.equal(inside(`${wanted}/package.json`).version, version);
    assert.equal(inside(wanted).version, version);
  },
};

async function main() {
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      console.log(`ok ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name}: ${error.stack}`);
    }
  }
  console.log(`${Object.keys(checks).length - failed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

main();
