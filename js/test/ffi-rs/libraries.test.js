'use strict';
// Section 2 and 7: opening, closing, symbols, and the texts of their errors.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { ffi, call } = require('../support/ffi');
const { fixturePath } = require('../support/native');
const { CODES, throwsCoded } = require('../support/assert-coded');
const { valueInChild } = require('../support/child');
const { MATH, NO_FILE, NO_LIBRARY, isGlibc, isMusl, isWindows } = require('../support/platform');

const { DataType, define, load, open, close } = ffi;
const notOpened = (key) =>
  `Before calling load, you need to open the file "${key}" with the open method`;
const fortyTwo = (library) =>
  load({ library, funcName: 'forty_two', retType: DataType.I32, paramsType: [], paramsValue: [] });

test('open and close return undefined', () => {
  assert.equal(open({ library: 'lib-a', path: fixturePath() }), undefined);
  assert.equal(fortyTwo('lib-a'), 42);
  assert.equal(close('lib-a'), undefined);
});

test('the main program gives libc', () => {
  const params = { paramsType: [DataType.String], paramsValue: ['1234 apples'] };
  assert.equal(load({ library: 'main', funcName: 'atoi', retType: DataType.I32, ...params }), 1234);
});

test('a bare name is searched by the loader', () => {
  open({ library: 'math', path: MATH });
  const params = { paramsType: [DataType.Double], paramsValue: [2] };
  assert.equal(
    load({ library: 'math', funcName: 'sqrt', retType: DataType.Double, ...params }),
    Math.SQRT2,
  );
  close('math');
});

test('a relative path is relative to the working directory', () => {
  const relative = path.relative(process.cwd(), fixturePath());
  open({ library: 'relative', path: relative.includes('/') ? relative : `./${relative}` });
  assert.equal(fortyTwo('relative'), 42);
  close('relative');
});

test('symbols of an opened library stay out of the main program', {
  skip: isWindows && 'there the main program includes what was loaded',
}, () => {
  throwsCoded(
    () => fortyTwo('main'),
    CODES.unknown,
    'Cannot find "forty_two" function in shared library',
  );
});

test('opening a key again does nothing, whatever the path', () => {
  open({ library: 'twice', path: fixturePath() });
  assert.equal(open({ library: 'twice', path: '/nonexistent/lib.so' }), undefined);
  assert.equal(fortyTwo('twice'), 42);
  close('twice');
});

test('two keys may name one file, and close apart', () => {
  open({ library: 'key-1', path: fixturePath() });
  open({ library: 'key-2', path: fixturePath() });
  close('key-1');
  throwsCoded(() => fortyTwo('key-1'), CODES.unknown, notOpened('key-1'));
  assert.equal(fortyTwo('key-2'), 42);
  close('key-2');
});

test('any string is a key', () => {
  for (const key of [
    '',
    ' ',
    'gr\u00fc\u00df \u20ac',
    '__proto__',
    'constructor',
    'a"b\n',
    'k\0l',
  ]) {
    open({ library: key, path: fixturePath() });
    assert.equal(fortyTwo(key), 42, JSON.stringify(key));
    close(key);
    throwsCoded(() => fortyTwo(key), CODES.unknown);
  }
});

test('closing an unknown key is ignored; reopening works', () => {
  assert.equal(close('never opened'), undefined);
  for (let i = 0; i < 3; i++) {
    open({ library: 'again', path: fixturePath() });
    assert.equal(fortyTwo('again'), 42);
    close('again');
    close('again');
  }
});

test('load does not open a path', () => {
  const file = fixturePath();
  throwsCoded(() => fortyTwo(file), CODES.unknown, notOpened(file));
});

test('a missing symbol, also asked for twice', () => {
  const ask = () => call('no_such_function', DataType.I32);
  const text = 'Cannot find "no_such_function" function in shared library';
  throwsCoded(ask, CODES.unknown, text);
  throwsCoded(ask, CODES.unknown, text);
});

test('a failed lookup is forgotten when the library is closed', {
  skip: isMusl && 'dlsym of musl also finds what the library depends on',
}, () => {
  const ask = () =>
    load({ library: 'swap', funcName: 'sqrt', retType: 2, paramsType: [2], paramsValue: [9] });
  open({ library: 'swap', path: fixturePath() });
  throwsCoded(ask, CODES.unknown, 'Cannot find "sqrt" function in shared library');
  close('swap');
  open({ library: 'swap', path: MATH });
  assert.equal(ask(), 3);
  close('swap');
});

test('a missing file: the text of the loader', () => {
  throwsCoded(
    () => open({ library: 'missing', path: '/nonexistent/lib.so' }),
    CODES.unknown,
    isGlibc
      ? /^\/nonexistent\/lib\.so: cannot open shared object file: No such file or directory$/
      : NO_FILE,
  );
  throwsCoded(() => fortyTwo('missing'), CODES.unknown, notOpened('missing'));
});

test('a file that is no library', () => {
  const file = path.join(os.tmpdir(), `ffi-jit-no-library-${process.pid}.so`);
  fs.writeFileSync(file, 'this is not an ELF file\n'.repeat(100));
  try {
    const text = isGlibc
      ? /^Please check whether the library has the same compilation and runtime environment\.\n Error detail info: /
      : NO_LIBRARY;
    throwsCoded(() => open({ library: 'not-elf', path: file }), CODES.unknown, text);
  } finally {
    fs.unlinkSync(file);
  }
});

test('bad arguments of open and close', () => {
  throwsCoded(() => open({}), CODES.invalid, 'Missing field `library`');
  throwsCoded(() => open({ library: 'x' }), CODES.invalid, 'Missing field `path`');
  throwsCoded(() => open({ library: 'x', path: 5 }), CODES.string);
  throwsCoded(() => open({ library: 5, path: '' }), CODES.string);
  throwsCoded(() => close(), CODES.string);
  throwsCoded(() => close(5), CODES.string);
  for (const nothing of [undefined, null]) {
    const error = throwsCoded(() => open(nothing));
    assert.ok(error instanceof TypeError);
  }
});

test('a path with a NUL is refused', () => {
  throwsCoded(() => open({ library: 'nul', path: 'libm.so.6\0.txt' }));
});

test('a defined function outlives its library as an error', () => {
  open({ library: 'brief', path: fixturePath() });
  const { forty_two: fn } = define({
    forty_two: { library: 'brief', retType: DataType.I32, paramsType: [] },
  });
  assert.equal(fn([]), 42);
  close('brief');
  throwsCoded(() => fn([]), CODES.closed, /open|clos/);
  throwsCoded(() => fn([]), CODES.closed, /open|clos/);
  open({ library: 'brief', path: fixturePath() });
  assert.equal(fn([]), 42);
  close('brief');
});

test('a hot defined function notices that its library was closed', () => {
  open({ library: 'hot', path: fixturePath() });
  const { add_i32: add } = define({
    add_i32: { library: 'hot', retType: DataType.I32, paramsType: [DataType.I32, DataType.I32] },
  });
  let total = 0;
  for (let i = 0; i < 20_000; i++) total = add([total, 1]);
  assert.equal(total, 20_000);
  close('hot');
  throwsCoded(() => add([1, 2]), CODES.closed);
});

test('a worker sees the keys of the main thread, and opens for it', () => {
  const value = valueInChild(
    async ({ ffi }, [module, file]) => {
      const { Worker } = require('node:worker_threads');
      const source = `
        const ffi = require(${JSON.stringify(module)});
        const { parentPort } = require('node:worker_threads');
        const load = (library) => ffi.load({
          library, funcName: 'forty_two', retType: 1, paramsType: [], paramsValue: [],
        });
        const first = load('fixture');
        ffi.open({ library: 'from-worker', path: ${JSON.stringify(file)} });
        parentPort.postMessage(first);
      `;
      const worker = new Worker(source, { eval: true });
      const fromWorker = await new Promise((resolve, reject) => {
        worker.once('message', resolve).once('error', reject);
      });
      await worker.terminate();
      const here = ffi.load({
        library: 'from-worker',
        funcName: 'forty_two',
        retType: 1,
        paramsType: [],
        paramsValue: [],
      });
      return [fromWorker, here];
    },
    { argument: [process.env.FFI_JIT_MODULE || 'ffi-jit', fixturePath()] },
  );
  assert.deepEqual(value, [42, 42]);
});
