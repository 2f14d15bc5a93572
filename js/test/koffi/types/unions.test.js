'use strict';
// The JavaScript values of unions.

const assert = require('node:assert/strict');
const test = require('node:test');
const types = require('../../../koffi/types');

const { api: koffi, fillUnion, readUnionsWith, resetNames, unionFromBytes, unionState } = types;

/** Stands in for marshalling: what was asked, and of how many bytes. */
const reader = (type, bytes) => `${type.name} of ${bytes.length}`;
readUnionsWith(reader);

test.beforeEach(() => {
  resetNames();
  koffi.union('U', { a: 'int', b: 'double', s: 'str', _: 'int[4]' });
});

test('an empty value has no member to read', () => {
  const value = new koffi.Union('U');
  assert.ok(value instanceof koffi.Union);
  assert.deepEqual(Object.keys(value), []);
  for (const name of ['a', 'b', 's']) {
    assert.throws(() => value[name], { message: 'Cannont convert empty union value' });
  }
  assert.equal(value._, undefined);
  assert.deepEqual(unionState(value), {
    type: koffi.type('U'),
    active: undefined,
    value: undefined,
    bytes: undefined,
  });
});

test('the member assigned last is the active one, and keeps its JavaScript value', () => {
  const value = new koffi.Union('U');
  const object = { any: 'thing' };
  value.a = object;
  assert.equal(value.a, object);
  assert.throws(() => value.b, { message: 'Cannont convert assigned union value' });
  value.b = 2;
  assert.equal(value.b, 2);
  assert.throws(() => value.a, { message: 'Cannont convert assigned union value' });
  const { active, value: held } = unionState(value);
  assert.deepEqual([active.name, active.type, held], ['b', koffi.types.double, 2]);
});

test('bytes from C are read as any member, until one is assigned', () => {
  const size = koffi.sizeof('U');
  const value = unionFromBytes(koffi.type('U'), new Uint8Array(size));
  assert.deepEqual(
    [value.a, value.b, value.s],
    [`int of ${size}`, `double of ${size}`, `char * of ${size}`],
  );
  value.a = 1;
  assert.equal(value.a, 1);
  assert.throws(() => value.b, /assigned union value/);
  assert.equal(unionState(value).bytes, undefined);
  fillUnion(value, new Uint8Array(size));
  assert.equal(value.a, `int of ${size}`);
  assert.equal(unionState(value).active, undefined);
});

test('each union type has its own class, named after it', () => {
  koffi.union('V', { a: 'int' });
  const [u, v] = [new koffi.Union('U'), new koffi.Union('V')];
  assert.deepEqual([u.constructor.name, v.constructor.name], ['U', 'V']);
  assert.notEqual(Object.getPrototypeOf(u), Object.getPrototypeOf(v));
  assert.equal(Object.getPrototypeOf(u), Object.getPrototypeOf(new koffi.Union('U')));
});

test('members may have the names of built-in properties', () => {
  const members = JSON.parse('{"__proto__": "int", "constructor": "int", "toString": "int"}');
  koffi.union('W', members);
  const value = new koffi.Union('W');
  for (const name of Object.keys(members)) {
    value[name] = name;
    assert.equal(value[name], name);
    assert.equal(unionState(value).active.name, name);
  }
});

test('an opaque type that became a union has values', () => {
  const type = koffi.opaque('T');
  assert.throws(() => new koffi.Union('T'), { message: 'Expected union type, got Void' });
  koffi.union(type, { a: 'int', next: 'T *' });
  const value = new koffi.Union(type);
  value.next = null;
  assert.equal(value.next, null);
});

test('what is no union value has no state', () => {
  for (const value of [undefined, null, 1, {}, { a: 1 }, koffi.Union.prototype, koffi.type('U')]) {
    assert.equal(unionState(value), undefined);
  }
  const heir = Object.create(new koffi.Union('U'));
  assert.throws(() => heir.a, TypeError);
  assert.equal(unionState(heir), undefined);
});

test('Union is a constructor for union types', () => {
  koffi.struct('S', { a: 'int' });
  const message = 'This function is a constructor and must be called with new';
  assert.throws(() => koffi.Union('U'), { name: 'TypeError', message });
  assert.throws(() => new koffi.Union('S'), { message: 'Expected union type, got Record' });
  assert.throws(() => new koffi.Union('int'), { message: 'Expected union type, got Int32' });
  assert.throws(() => new koffi.Union(), { message: 'Expected 1 argument, got 0' });
});
