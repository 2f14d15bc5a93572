'use strict';
// Pointers, arrays, disposable types, direction markers: what the rest of the dialect reads of
// them. What 3.3.4 answers is asked in peer.test.js.

const assert = require('node:assert/strict');
const test = require('node:test');
const types = require('../../../koffi/types');

const { api: koffi, DirectedType, internals, kindOf, parameterOf, resetNames } = types;
const { DEFAULT_MAX_TYPE_SIZE, readDeclaration, readMaxTypeSizeFrom } = types;

test.beforeEach(() => resetNames());

test('lengths and sizes are limited by a setting that is read each time', () => {
  let max = 1000;
  readMaxTypeSizeFrom(() => max);
  try {
    assert.equal(koffi.array('char', 1000).size, 1000);
    const high = (n) => ({ name: 'TypeError', message: `Array length is too high (max = ${n})` });
    assert.throws(() => koffi.array('char', 1001), high(1000));
    assert.throws(() => koffi.type('int[251]'), high(250));
    const large = { a: 'char[600]', b: 'char[600]' };
    assert.throws(() => koffi.struct('S', large), /^Error: Struct 'S' size is too high \(max = /);
    assert.equal(koffi.union('U', large).size, 600);
    max = 1200;
    assert.equal(koffi.struct('S', large).size, 1200);
    max = 100;
    assert.throws(() => koffi.struct('T', { a: 'S' }), /size is too high/);
    assert.throws(
      () => koffi.union('V', { a: 'U', b: 'int' }),
      /^Error: Union 'V' size is too high/,
    );
  } finally {
    readMaxTypeSizeFrom(() => DEFAULT_MAX_TYPE_SIZE);
  }
});

test('sizes far above any limit are refused as well', () => {
  const half = koffi.array('char', 2 ** 26);
  const members = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`m${i}`, half]));
  assert.throws(() => koffi.struct('S', members), /size is too high \(max = 64\.00 MiB\)/);
});

test('nested arrays and arrays of pointers are lists (spec 15.3)', () => {
  koffi.proto('int Cb(int)');
  for (const type of ['int[2][3]', 'char[4][2]', 'int *[2]', 'char *[2]', 'Cb *[2]', 'void *[2]']) {
    assert.equal(koffi.type(type).hint, 'Array', type);
  }
  assert.equal(koffi.type('int[2][3]').ref, koffi.type('int[2]'));
});

test('arrays of what has no size are refused (spec 15.4)', () => {
  koffi.opaque('T');
  koffi.proto('int F(int)');
  for (const type of ['void', 'T', 'F']) {
    assert.throws(() => koffi.array(type, 2), /Cannot make array of empty or incomplete type/);
    assert.throws(() => koffi.type(`${type}[2]`), /Cannot make array of empty or incomplete type/);
  }
});

test('counted members remember who counts them', () => {
  const list = koffi.array('int', 'len', 8);
  const pointer = koffi.pointer(null, 'int', 'len');
  assert.equal(internals(list).countedBy, 'len');
  assert.equal(internals(pointer).countedBy, 'len');
  assert.notEqual(list, koffi.array('int', 8));
  assert.notEqual(pointer, koffi.type('int *'));
  assert.equal(koffi.struct({ len: 'int', list }).size, 36);
  assert.throws(() => koffi.struct('S', { len: 'double', list }), {
    message: 'Dynamic length member len is not an integer',
  });
  assert.throws(() => koffi.struct('S', { list }), {
    message: "Record type S does not have member 'len'",
  });
  assert.throws(() => koffi.struct('S', { len: 'int', list, more: 'int' }), {
    message: "Flexible array 'list' is not the last member of struct",
  });
});

test('disposable types carry their function', () => {
  const func = () => {};
  const type = koffi.disposable('Freed', 'str', func);
  assert.deepEqual([type.name, type.disposable, type.primitive], ['Freed', true, 'String']);
  assert.equal(internals(type).dispose.func, func);
  assert.equal(koffi.type('Freed'), type);
  const byFree = koffi.type('void *!');
  assert.equal(internals(byFree).dispose.func, undefined);
  assert.equal(internals(koffi.type('void *')).dispose, undefined);
  assert.equal(koffi.type('char *!*').ref.disposable, true);
  assert.match(koffi.type('str!').name, /^<anonymous_[0-9]+>$/);
  assert.throws(() => koffi.type('int!'), /Cannot create disposable type for non-pointer/);
  assert.throws(() => koffi.disposable('str!'), /Cannot use disposable type/);
});

test('direction markers are types, and parameters', () => {
  const [input, output, both] = ['in', 'out', 'inout'].map((name) => koffi[name]('int *'));
  for (const marker of [input, output, both]) {
    assert.equal(koffi.type(marker), koffi.type('int *'));
    assert.equal(kindOf(marker), 'External');
    assert.deepEqual(Object.keys(marker), []);
  }
  const directions = [input, output, both, 'int *', '_Out_ int *', '_Inout_ str', '_In_ int'];
  assert.deepEqual(
    directions.map((given) => {
      const { reads, writes } = parameterOf(given);
      return [reads, writes];
    }),
    [
      [true, false],
      [false, true],
      [true, true],
      [true, false],
      [false, true],
      [true, true],
      [true, false],
    ],
  );
  assert.equal(DirectedType.read(Object.create(input)), undefined);
  assert.throws(() => koffi.out('int'), {
    message: 'Unexpected int type, expected pointer or string type',
  });
});

test('declarations in all forms', () => {
  const read = (...args) => {
    const draft = readDeclaration(args, { anonymous: false });
    const { name, convention, result, params, variadic } = draft;
    return [name, convention, result.name, params.map(({ type }) => type.name).join(), variadic];
  };
  const add = ['add', 'cdecl', 'int', 'int,double', false];
  assert.deepEqual(read('int add(int a, double b)'), add);
  assert.deepEqual(read('add', 'int', ['int', 'double']), add);
  assert.deepEqual(read('add', koffi.types.int, [koffi.types.int, 'double']), add);
  const [, , ...rest] = add;
  assert.deepEqual(read('__stdcall', 'add', 'int', ['int', 'double']), ['add', 'stdcall', ...rest]);
  assert.deepEqual(read('int __fastcall add(int, double, ...)'), [
    'add',
    'fastcall',
    'int',
    'int,double',
    true,
  ]);
  assert.deepEqual(read('add', 'int', ['int', 'double', '...']), [
    'add',
    'cdecl',
    'int',
    'int,double',
    true,
  ]);
  assert.throws(() => read('int (int)'), { message: "Unexpected token '(', expected identifier" });
  assert.throws(() => read(undefined, 'int', []), /Unexpected Undefined value for name/);
  assert.throws(() => read(null, 'int', []), /Unexpected Null value for name/);
});

test('messages that programs match (spec 16)', () => {
  koffi.opaque('Op');
  const expected = [
    [/Type SelfRef1 cannot be used as a member/, () => koffi.struct('SelfRef1', { a: 'SelfRef1' })],
    [/Array types decay to pointers/, () => koffi.proto('int f(int a[3])')],
    [/Array types decay to pointers/, () => koffi.proto('int[3] f(void)')],
    [/Cannot create disposable type for non-pointer/, () => koffi.type('int!')],
    [/Invalid type name/, () => koffi.struct('not good', { a: 'int' })],
    [/Invalid member name/, () => koffi.struct('S', { 'not good': 'int' })],
    [/Cannot redefine non-opaque type/, () => koffi.struct(koffi.types.int, { a: 'int' })],
    [/Unknown or invalid type name 'MissingType'/, () => koffi.proto('MissingType *f(int)')],
    [/Unknown or invalid type name 'MissingType'/, () => koffi.struct('S', { a: 'MissingType' })],
    [
      /Record type InvalidStruct does not have member 'len'/,
      () => koffi.struct('InvalidStruct', { a: koffi.array('int', 'len', 4) }),
    ],
    [
      /Dynamic length member len is not an integer/,
      () => koffi.struct('S', { len: 'float', a: koffi.array('int', 'len', 4) }),
    ],
    [
      /Cannot find storage type wide enough for enum values/,
      () => koffi.enumeration('E', { a: -1, b: 2n ** 64n }),
    ],
    [
      /Expected integer type for underlying enum storage type/,
      () => koffi.enumeration('E', { a: 1 }, 'double'),
    ],
  ];
  for (const [message, attempt] of expected) assert.throws(attempt, { message }, String(attempt));
});
