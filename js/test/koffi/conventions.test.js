'use strict';
// Section 3: conventions in prototypes, classic forms and function types. They mean something on
// 32-bit x86 alone, where a wrong one loses arguments or the stack; elsewhere every name does for
// every function, and the same calls are made.

const assert = require('node:assert/strict');
const test = require('node:test');
const { internals } = require('../../koffi/types');
const { koffi, lib, outcome, throws } = require('../support/koffi');
const { isWindows } = require('../support/platform');

const CONVENTIONS = ['cdecl', 'stdcall', 'fastcall', 'thiscall'];
const isX86 = process.arch === 'ia32';
console.log(
  isX86 ? '32-bit x86: each convention is its own' : `${process.arch}: conventions mean nothing`,
);

koffi.struct('Mixed', { a: 'int', b: 'double' });
koffi.struct('Triple', { x: 'int', y: 'int', z: 'int' });

for (const convention of CONVENTIONS) {
  const word = `__${convention}`;
  const define = (result, name, params) =>
    lib.func(`${result} ${word} ${convention}_${name}(${params})`);

  test(`${word}: prototypes`, () => {
    const digits = define('int', 'digits', 'int a, int b, int c, int d, int e');
    const wide = define('int64_t', 'wide', 'int k, int64_t a, int b, int64_t c');
    const mixed = define('double', 'mixed', 'int a, double b, char c, float d');
    // Many times, because a stack that is not left as it was found shows later.
    for (let i = 0; i < 2000; i++) {
      assert.equal(digits(1, 2, 3, 4, 5), 12345);
      assert.equal(wide(-1, 2 ** 33, 4, -3), -(2 ** 33 * 100 + 37));
      assert.equal(mixed(1, 2.5, 3, 0.25), 1280.25);
    }
  });

  // The libraries of the suites are MinGW's there, which passes the pointer to a result otherwise.
  const mingw =
    isWindows && isX86 && convention === 'thiscall' && "Microsoft's thiscall, not MinGW's";

  test(`${word}: structs`, { skip: mingw }, () => {
    const triple = define('Triple', 'triple', 'int x, Triple t');
    const struct = define('double', 'struct', 'int k, Mixed m');
    for (let i = 0; i < 500; i++) {
      assert.deepEqual(triple(i, { x: 1, y: 2, z: 3 }), { x: 1 + i, y: 2 + i, z: 3 + i });
      assert.equal(struct(3, { a: i, b: 0.5 }), i + 1.5);
    }
  });

  test(`${word}: the classic form, and the method`, () => {
    const params = Array(5).fill('int');
    const classic = lib.func(word, `${convention}_digits`, 'int', params);
    assert.equal(classic(5, 4, 3, 2, 1), 54321);
    const method = lib[convention](`${convention}_digits`, 'int', params);
    assert.equal(method(9, 8, 7, 6, 5), 98765);
  });

  test(`${word}: callbacks, transient and registered`, () => {
    koffi.proto(`int ${word} ${convention}Digits(int, int, int)`);
    const call = lib.func(`int ${convention}_call(${convention}Digits *f, int n)`);
    const f = (a, b, c) => a * 5 + b * 7 + c * 11;
    let total = 0;
    for (let i = 0; i < 1000; i++) total += f(i, 2 * i, 3);
    assert.equal(call(f, 1000), total);
    const pointer = koffi.register(f, `${convention}Digits *`);
    for (let i = 0; i < 20; i++) assert.equal(call(pointer, 1000), total);
    koffi.unregister(pointer);

    koffi.proto(`double ${word} ${convention}Wide(int, int64_t, double)`);
    const wide = lib.func(`double ${convention}_call_wide(${convention}Wide *f)`);
    let seen;
    const sum = (...args) => {
      seen = args;
      return args.reduce((a, b) => a + b);
    };
    assert.equal(wide(sum), 2.5);
    assert.deepEqual(seen, [7, -5, 0.5]);

    if (mingw) return;
    koffi.proto(`Triple ${word} ${convention}Struct(int, Triple)`);
    const struct = lib.func(`int ${convention}_call_struct(${convention}Struct *f)`);
    assert.equal(
      struct((n, { x, y, z }) => ({ x: x + n, y: y + n, z: z + n })),
      345,
    );
  });

  test(`${word}: other threads`, async () => {
    const digits = define('int', 'digits', 'int a, int b, int c, int d, int e');
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, i) => outcome(digits, 1, 2, 3, 4, i % 10)),
    );
    assert.deepEqual(
      results,
      results.map((_, i) => [null, 12340 + (i % 10)]),
    );
  });
}

test('functions without arguments', () => {
  for (const convention of CONVENTIONS.slice(0, 3)) {
    assert.equal(lib.func(`int __${convention} ${convention}_none()`)(), 42);
  }
});

test('a thiscall function without an object is an error where it means something', () => {
  const attempt = () => lib.func('int64_t __thiscall thiscall_wide(int64_t a)');
  if (!isX86) assert.equal(typeof attempt(), 'function');
  else assert.equal(throws(attempt, /takes a pointer first/).code, 'ERR_FFI_UNSUPPORTED_ABI');
});

test('functions at pointers have the convention of their type', () => {
  for (const convention of ['stdcall', 'fastcall', 'thiscall']) {
    const type = koffi.proto(`int __${convention} (int, int, int, int, int)`);
    const pointer = lib.func(`void *${convention}_pointer()`)();
    const f = koffi.decode(pointer, type);
    for (let i = 0; i < 500; i++) {
      assert.equal(f(1, 2, 3, 4, 5), 12345);
      assert.equal(koffi.call(pointer, type, 5, 4, 3, 2, 1), 54321);
    }
  }
});

test('variadic functions are __cdecl, whatever they are called', () => {
  const { convention } = internals(koffi.proto('int __stdcall (const char *format, ...)')).proto;
  assert.equal(convention, 'cdecl');
  const text = Buffer.alloc(32);
  const print = lib.func('int __stdcall format(char *to, size_t size, const char *pattern, ...)');
  for (let i = 0; i < 500; i++) print(text, 32, '%d %g %s', 'int', i, 'double', 0.5, 'str', 'x');
  assert.equal(koffi.decode.string(text), '499 0.5 x');
});
