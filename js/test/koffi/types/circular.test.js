'use strict';
// Types that refer to each other, and definitions that fail.

const assert = require('node:assert/strict');
const test = require('node:test');
const { api: koffi, internals, resetNames, whenComplete } = require('../../../koffi/types');
const { DOUBLE_ALIGN } = require('../../support/platform');

const P = koffi.sizeof('void *');

test.beforeEach(() => resetNames());

test('an opaque type that gets members is the same type', () => {
  const type = koffi.opaque('T');
  assert.deepEqual([type.primitive, type.size, type.alignment], ['Void', 0, 0]);
  const pointer = koffi.type('T *');
  const list = koffi.type('T *[4]');
  const proto = koffi.proto('T *next(T *, _Out_ T **)');
  const filled = koffi.struct(type, { value: 'int', next: 'T *' });
  assert.equal(filled, type);
  assert.equal(koffi.type('T'), type);
  assert.deepEqual([type.name, type.primitive, type.size], ['T', 'Record', 2 * P]);
  assert.equal(koffi.introspect(type).size, 2 * P);
  assert.equal(koffi.sizeof('T'), 2 * P);
  assert.equal(pointer.ref.members.next.offset, P);
  assert.equal(list.ref.ref.members.value.type, koffi.types.int);
  assert.equal(proto.proto.result.ref.size, 2 * P);
  assert.equal(type.members.next.type, pointer);
  assert.ok(Object.isFrozen(type));
  assert.equal(koffi.offsetof(type, 'next'), P);
});

test('an opaque type is as good as frozen', () => {
  const type = koffi.opaque('T');
  assert.throws(() => {
    type.size = 4;
  }, TypeError);
  Object.defineProperty(type, 'size', { value: 77 });
  assert.equal(koffi.sizeof(type), 0);
  koffi.struct(type, { a: 'int' });
  assert.equal(type.size, 4);
});

test('rings: structs, unions and prototypes through each other', () => {
  const [a, b, c] = ['A', 'B', 'C'].map((name) => koffi.opaque(name));
  koffi.proto('int Visit(A *, B *, C *)');
  koffi.union(b, { a: 'A *', c: 'C *', number: 'int64' });
  koffi.struct(a, { b: 'B', c: 'C *', visit: 'Visit *', all: 'A *[3]' });
  koffi.pack(c, { tag: 'char', a: 'A', b: 'B' });
  assert.equal(b.primitive, 'Union');
  const end = Math.ceil((8 + 5 * P) / DOUBLE_ALIGN) * DOUBLE_ALIGN;
  assert.equal(koffi.sizeof(a), end);
  assert.equal(koffi.sizeof(c), 1 + end + 8);
  const { arguments: params } = koffi.type('Visit').proto;
  assert.deepEqual(
    params.map(({ type }) => type.ref),
    [a, b, c],
  );
  assert.equal(a.members.visit.type.proto, koffi.type('Visit').proto);
});

test('a type refers to itself inside its own definition', () => {
  const type = koffi.struct('R', { one: 'R *', two: 'R **', four: 'R *[4]' });
  assert.equal(type.members.one.type.ref, type);
  assert.equal(type.members.four.type.ref.ref, type);
  assert.equal(type.size, 6 * P);
  const union = koffi.union('U', { self: 'U *', list: 'U *[2]' });
  assert.equal(union.members.self.type.ref, union);
  for (const how of ['struct', 'pack', 'union']) {
    for (const member of ['Self', 'Self[2]']) {
      assert.throws(() => koffi[how]('Self', { member }), TypeError);
    }
    assert.throws(() => koffi[how]('Self', { member: 'Self' }), {
      name: 'TypeError',
      message: 'Type Self cannot be used as a member (maybe try Self *)',
    });
  }
});

test('what is complete stays as it is', () => {
  const type = koffi.struct('S', { a: 'int' });
  for (const how of ['struct', 'pack', 'union']) {
    for (const other of [type, koffi.types.int, koffi.types.void, koffi.type('S *')]) {
      assert.throws(() => koffi[how](other, { b: 'int' }), {
        name: 'TypeError',
        message: `Cannot redefine non-opaque type ${other.name}`,
      });
    }
    assert.throws(() => koffi[how]('S', { b: 'int' }), { message: "Duplicate type name 'S'" });
  }
  assert.deepEqual(Object.keys(type.members), ['a']);
});

test('who waits for a type hears of it once', () => {
  const type = koffi.opaque('T');
  const heard = [];
  whenComplete(type, () => heard.push(internals(type).kind));
  assert.throws(() => koffi.struct(type, { a: 'nope' }));
  assert.deepEqual(heard, []);
  koffi.struct(type, { a: 'int' });
  whenComplete(type, () => heard.push('late'));
  assert.deepEqual(heard, ['struct']);
});

const failures = {
  'unknown type': () => ({ a: 'int', b: 'nope' }),
  'bad name': () => ({ a: 'int', 'b c': 'int' }),
  'no member': () => ({}),
  'incomplete type': () => ({ self: 'T *', a: 'T' }),
  'bad alignment': () => ({ a: [3, 'int'] }),
  getter: () => ({
    get a() {
      throw new Error('thrown by a getter');
    },
  }),
  'too large': () => ({ a: 'int[16000000]', b: 'int[16000000]' }),
  counter: () => ({ a: koffi.array('int', 'len', 4) }),
};

for (const [name, members] of Object.entries(failures)) {
  test(`a failed definition leaves nothing behind: ${name}`, () => {
    for (const how of ['struct', 'pack', 'union']) {
      if (how === 'union' && name === 'too large') continue;
      assert.throws(() => koffi[how]('T', members()), how);
      for (const text of ['T', 'T *', 'T *[2]', 'const T *']) {
        assert.throws(() => koffi.type(text), /Unknown or invalid type name/, `${how} ${text}`);
      }
      const opaque = koffi.opaque('Q');
      assert.throws(() => koffi[how](opaque, members()), how);
      assert.deepEqual([opaque.size, koffi.sizeof('Q'), opaque.members], [0, 0, undefined]);
      assert.equal(koffi.struct('T', { good: 'int', self: 'T *' }).members.self.type.ref.name, 'T');
      assert.equal(koffi.struct(opaque, { good: 'double' }).size, 8);
      resetNames();
    }
  });
}

test('other failed definitions leave nothing behind', () => {
  const attempts = [
    () => koffi.proto('int T(nope)'),
    () => koffi.proto('int T(int'),
    () => koffi.proto('T', 'int', ['void']),
    () => koffi.enumeration('T', { A: 'x' }),
    () => koffi.enumeration('T', { A: 1 }, 'float'),
    () => koffi.alias('T', 'nope'),
    () => koffi.pointer('T', 'nope'),
    () => koffi.pointer('T', 'int', 9),
    () => koffi.disposable('T', 'int'),
    () => koffi.disposable('T', 'str', 5),
  ];
  for (const attempt of attempts) {
    assert.throws(attempt, Error);
    assert.throws(() => koffi.type('T'), /Unknown or invalid type name 'T'/, String(attempt));
  }
});

test('getters that define types meanwhile cannot break the table', () => {
  const opaque = koffi.opaque('Q');
  const members = {
    get a() {
      koffi.struct(opaque, { x: 'int' });
      koffi.alias('N', 'double');
      return 'int';
    },
  };
  assert.throws(() => koffi.struct(opaque, members), /Cannot redefine non-opaque type Q/);
  assert.deepEqual(Object.keys(opaque.members), ['x']);
  resetNames();
  const taken = {
    get a() {
      koffi.alias('N', 'double');
      return 'int';
    },
  };
  assert.throws(() => koffi.struct('N', taken), /Duplicate type name 'N'/);
  assert.equal(koffi.type('N'), koffi.types.double);
});

test('reset forgets names, not types', () => {
  const type = koffi.struct('S', { a: 'int' });
  koffi.alias('A', 'S *');
  koffi.proto('int F(int)');
  assert.equal(resetNames(), undefined);
  for (const name of ['S', 'S *', 'A', 'F', 'F *']) {
    assert.throws(() => koffi.type(name), /Unknown or invalid type name/);
  }
  assert.equal(koffi.sizeof(type), 4);
  assert.notEqual(koffi.struct('S', { a: 'double' }), type);
  assert.equal(koffi.type('int'), koffi.types.int);
});
