'use strict';
// Type objects: what programs see of a type.

const assert = require('node:assert/strict');
const test = require('node:test');
const { inspect } = require('node:util');
const { api: koffi, internals, resetNames } = require('../../../koffi/types');

const BASE = ['name', 'primitive', 'size', 'alignment', 'disposable'];
const POINTER_SIZE = koffi.sizeof('void *');

test.beforeEach(() => resetNames());

test('the example of the contract', () => {
  const type = koffi.struct('FoobarType', { a: 'int', b: 'char *', c: 'double' });
  assert.deepEqual(Object.keys(type), [...BASE, 'members']);
  const { name, primitive, size, alignment, disposable, members } = koffi.introspect(type);
  assert.deepEqual([name, primitive, disposable], ['FoobarType', 'Record', false]);
  assert.deepEqual([size, alignment], [koffi.sizeof(type), koffi.alignof(type)]);
  if (POINTER_SIZE === 8) assert.deepEqual([size, alignment], [24, 8]);
  assert.deepEqual(Object.keys(members), ['a', 'b', 'c']);
  assert.deepEqual(members.a, { name: 'a', type: koffi.types.int, offset: 0 });
  assert.equal(members.b.offset, POINTER_SIZE);
  assert.equal(members.c.offset, 2 * POINTER_SIZE);
  assert.equal(members.b.type, koffi.types.str);
});

test('each kind has its keys, in order', () => {
  koffi.proto('int Cb(int)');
  koffi.union('U', { a: 'int' });
  const keys = {
    int: BASE,
    void: BASE,
    str: BASE,
    'int *': [...BASE, 'ref'],
    'int[3]': [...BASE, 'length', 'hint', 'ref'],
    U: [...BASE, 'members'],
    Cb: [...BASE, 'proto'],
    'Cb *': [...BASE, 'proto'],
  };
  for (const [type, expected] of Object.entries(keys)) {
    assert.deepEqual(Object.keys(koffi.type(type)), expected, type);
  }
  assert.deepEqual(Object.keys(koffi.opaque()), BASE);
  assert.deepEqual(Object.keys(koffi.enumeration({ A: 1 })), [...BASE, 'values']);
});

test('what programs see is frozen, all the way down', () => {
  const record = koffi.struct('S', { a: 'int', b: 'S *' });
  const proto = koffi.proto('int f(_Out_ int *, S)');
  const enumeration = koffi.enumeration({ A: 1 });
  const { members } = record;
  const { proto: info } = proto;
  const objects = [record, members, members.a, proto, info, info.arguments, info.arguments[0]];
  for (const object of [
    ...objects,
    enumeration,
    enumeration.values,
    koffi.types,
    koffi.types.int,
  ]) {
    assert.ok(Object.isFrozen(object), inspect(object));
  }
});

test('a prototype shows its function type', () => {
  const { proto } = koffi.proto('str f(int a, _Out_ int *b, _Inout_ str c, ...)');
  assert.deepEqual(Object.keys(proto), ['name', 'arguments', 'result']);
  assert.equal(proto.name, 'f');
  assert.equal(proto.result, koffi.types.str);
  assert.deepEqual(proto.arguments, [
    { type: koffi.types.int, direction: 'Input' },
    { type: koffi.type('int *'), direction: 'Output' },
    { type: koffi.types.str, direction: 'Input/Output' },
  ]);
  const pointer = koffi.type('f *');
  assert.equal(pointer.primitive, 'Callback');
  assert.equal(pointer.proto, proto);
});

test('the same type is the same object', () => {
  const record = koffi.struct('S', { a: 'int' });
  for (const same of [koffi.resolve('S'), koffi.introspect(record), koffi.type(' const S')]) {
    assert.equal(same, record);
  }
  assert.equal(koffi.resolve('int'), koffi.types.int);
  assert.equal(koffi.type('S *').ref, record);
  assert.equal(koffi.type('S *'), koffi.pointer(record));
  assert.equal(koffi.type('S[2]'), koffi.array(record, 2, 'Array'));
  assert.notEqual(koffi.type('char[2]'), koffi.array('char', 2, 'Array'));
});

test('types cannot be made by hand, nor passed off', () => {
  assert.throws(() => new koffi.TypeObject(), /cannot be constructed manually/);
  const copy = { ...koffi.types.int };
  assert.throws(() => koffi.sizeof(copy), /Unexpected Object value as type specifier/);
  const heir = Object.create(koffi.types.int);
  assert.throws(() => koffi.sizeof(heir), /Unexpected Object value as type specifier/);
  assert.equal(internals(heir), undefined);
});

test('the internals say what marshalling needs', () => {
  const of = (type) => internals(koffi.type(type));
  assert.deepEqual([of('uint16_be').swapped, of('uint16_le').swapped].sort(), [false, true]);
  assert.deepEqual([of('uchar').signed, of('char').signed], [false, true]);
  assert.deepEqual([of('str16').kind, of('str16').unit], ['string', 2]);
  assert.equal(of('str').ref, koffi.types.char);
  koffi.struct('In', { a: 'char', _: 'int', b: [2, 'double'] });
  koffi.struct('Outer', { x: 'In[2]', y: 'int[3][2]', p: 'In *' });
  assert.equal(of('In').notation(), 'struct{i8, i32, f64@2}');
  assert.equal(of('Outer').notation(), 'struct{struct{i8, i32, f64@2}[2], i32[3][2], ptr}');
  koffi.pack('Packed', { a: 'char', b: 'Outer' });
  assert.equal(of('Packed').notation(), `struct#1{i8, ${of('Outer').notation()}}`);
  assert.equal(koffi.offsetof('Packed', 'b'), 1);
  const variadic = internals(koffi.proto('int __stdcall f(int, ...)')).proto;
  assert.deepEqual([variadic.variadic, variadic.convention], [true, 'cdecl']);
  assert.equal(internals(koffi.proto('int __stdcall g(int)')).proto.convention, 'stdcall');
});

test('nothing of an incomplete type travels by value', () => {
  const type = koffi.opaque('T');
  assert.throws(() => internals(type).notation(), /Cannot directly use incomplete type T/);
  let deep = koffi.types.char;
  for (let i = 0; i < 64; i++) deep = koffi.struct({ a: deep });
  assert.match(internals(deep).notation(), /^(struct\{){64}i8\}{64}$/);
  assert.throws(() => koffi.struct({ a: deep }), /nested too deeply/);
  assert.throws(() => koffi.array(deep, 2), /nested too deeply/);
});

test('a type that doubles 20 times has a layout, and is too large to be passed', () => {
  let type = koffi.types.char;
  for (let i = 0; i < 20; i++) type = koffi.struct({ a: type, b: type });
  assert.equal(koffi.sizeof(type), 2 ** 20);
  assert.throws(() => internals(type).notation(), /too many members to be passed/);
});
