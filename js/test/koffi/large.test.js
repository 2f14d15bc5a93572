'use strict';
// Values that are larger than frame memory (2 MiB): in memory and behind pointers they work; where
// they cannot, by value, the error has a code. The published Koffi runs out of its heap.

const assert = require('node:assert/strict');
const { koffi, lib, outcome, ours, throws } = require('../support/koffi');

const BYTES = 3 * 1024 * 1024;
const TAIL = 300_000;

const Large = koffi.struct('Large', {
  id: 'int32_t',
  bytes: koffi.array('uint8_t', BYTES),
  text: koffi.array('char', 10),
  tail: koffi.array('int32_t', TAIL, 'Array'),
  last: 'double',
});
const Either = koffi.union('Either', { large: Large, id: 'int32_t' });

const value = () => ({
  id: 7,
  bytes: new Uint8Array(BYTES).fill(1),
  text: 'hello',
  tail: [1, 2, 3],
  last: 0.5,
});

/** Runs a test body with C memory for `count` values of a type. */
function withMemory(type, count, body) {
  const memory = koffi.alloc(type, count);
  try {
    body(memory);
  } finally {
    koffi.free(memory);
  }
}

function checkLarge(got, { id, bytes, text, tail, last }) {
  assert.deepEqual([got.id, got.text, got.last], [id, text, last]);
  assert.ok(got.bytes instanceof Uint8Array);
  assert.ok(Buffer.from(got.bytes.buffer).equals(Buffer.from(bytes.buffer)));
  assert.equal(got.tail.length, TAIL);
  assert.deepEqual(
    got.tail.slice(0, 5),
    Array.from({ length: 5 }, (_, i) => tail[i] ?? 0),
  );
}

ours('encode and decode', () => {
  withMemory(Large, 2, (memory) => {
    koffi.encode(memory, Large, value());
    checkLarge(koffi.decode(memory, Large), value());
    const { size } = Large;
    koffi.encode(memory, size, Large, { ...value(), id: 8, tail: undefined });
    checkLarge(koffi.decode(memory, size, Large), { ...value(), id: 8, tail: [] });
    assert.deepEqual(
      koffi.decode(memory, Large, 2).map(({ id }) => id),
      [7, 8],
    );
    koffi.encode(memory, Large, [{ id: 3 }], 2);
    assert.deepEqual(
      koffi.decode(memory, koffi.array(Large, 2)).map(({ id, last }) => [id, last]),
      [
        [3, 0],
        [0, 0],
      ],
    );
  });
});

ours('in a Buffer, whose end is known', () => {
  const buffer = Buffer.alloc(Large.size + 8);
  koffi.encode(buffer, 8, Large, value());
  checkLarge(koffi.decode(buffer, 8, Large), value());
  throws(() => koffi.decode(buffer, 9, Large), /Expected buffer with size superior/);
  throws(() => koffi.encode(buffer, 9, Large, value()), /Expected buffer with size superior/);
  assert.ok(buffer.subarray(0, 8).every((byte) => byte === 0));
});

ours('unions', () => {
  withMemory(Either, 1, (memory) => {
    koffi.encode(memory, Either, { large: value() });
    const union = koffi.decode(memory, Either);
    assert.equal(union.id, 7);
    checkLarge(union.large, value());
    koffi.encode(memory, Either, { id: 9 });
    koffi.encode(memory, Either, union);
    checkLarge(koffi.decode(memory, Large), value());
    throws(() => koffi.encode(memory, Either, {}), /single property name/);
  });
});

ours('strings inside stay for as long as their memory', () => {
  const Named = koffi.struct({ name: 'str', bytes: koffi.array('uint8_t', BYTES) });
  withMemory(Named, 1, (memory) => {
    koffi.encode(memory, Named, { name: 'x'.repeat(100), bytes: [] });
    global.gc?.();
    assert.equal(koffi.decode(memory, Named).name, 'x'.repeat(100));
  });
  const f = lib.func('large_sum', 'double', [koffi.pointer(Named)]);
  const error = throws(() => f({ name: 'x', bytes: [] }), /too large to be passed/, RangeError);
  assert.equal(error.code, 'ERR_FFI_OUT_OF_MEMORY');
});

ours('flexible arrays', () => {
  const Flexible = koffi.struct({ count: 'int', items: koffi.array('int', 'count', 1_000_000) });
  withMemory(Flexible, 1, (memory) => {
    koffi.encode(memory, Flexible, { count: 3, items: [4, 5, 6] });
    assert.deepEqual(koffi.decode(memory, Flexible), { count: 3, items: Int32Array.of(4, 5, 6) });
    throws(
      () => koffi.encode(memory, Flexible, { count: 2, items: [4, 5, 6] }),
      /Mismatched dynamic length/,
    );
  });
});

ours('behind a pointer: in, out, and both', () => {
  const sum = lib.func('double large_sum(const Large *value)');
  assert.equal(sum(value()), 7 + 0.5 + BYTES + 6);
  const fill = lib.func('void large_fill(_Inout_ Large *value)');
  const object = value();
  fill(object);
  const tail = Array.from({ length: TAIL }, (_, i) => i);
  checkLarge(object, {
    id: 8,
    bytes: new Uint8Array(BYTES).fill(2),
    text: 'filled',
    tail,
    last: -0.5,
  });
  const out = { id: 100 };
  lib.func('void large_fill(_Out_ Large *value)')(out);
  assert.deepEqual([out.id, out.text, out.tail[TAIL - 1]], [1, 'filled', TAIL - 1]);
  throws(() => sum({ ...value(), last: 'x' }), 'Unexpected String value, expected number');
  throws(() => sum({ ...value(), bytes: 5 }), 'Unexpected Number value, expected array');
  assert.equal(sum(value()), 7 + 0.5 + BYTES + 6);
});

ours('behind a pointer of an asynchronous call', async () => {
  const fill = lib.func('void large_fill(_Inout_ Large *value)');
  const object = value();
  const [error] = await outcome(fill, object);
  assert.equal(error, null);
  assert.deepEqual([object.id, object.text, object.last], [8, 'filled', -0.5]);
});

ours('by value: an error with a code', async () => {
  const attempts = [
    () => lib.func('double large_value(Large value)')(value()),
    () => lib.func('Large large_value(int value)')(1),
    () => koffi.register(() => 0, koffi.pointer(koffi.proto('int LargeIn(Large value)'))),
  ];
  for (const attempt of attempts) {
    const error = throws(attempt, /stack|memory/);
    assert.match(error.code, /^ERR_FFI_(OUT_OF_MEMORY|INVALID_TYPE)$/);
  }
});
