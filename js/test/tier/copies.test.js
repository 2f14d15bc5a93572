// flags: --allow-natives-syntax --expose-gc --no-concurrent-recompilation
// env: FFI_JIT_TIER=direct FFI_JIT_COUNT_ENTRIES=1
'use strict';
// Structs whose address C gets: copies at the bottom of the frame stack on the direct tier
// (js/core/copies.js), in frames of their own on the others. Through both dialects, on all tiers, C must
// find the same, whatever getters, setters and callbacks do in between.

const assert = require('node:assert/strict');
const test = require('node:test');
const { Worker } = require('node:worker_threads');
const { ffi, callback } = require('../support/ffi');
const { koffi } = require('../support/koffi');
const { fixturePath } = require('../support/native');
const { views, BOTTOM, TOP } = require('../../core/memory.js');
const { HAS_PACKED, MAJOR, assertTier, entered, on, optimised } = require('./support');

const { DataType: D } = ffi;
const TIERS = ['node-api', 'packed', 'direct'];
const ROUNDS = 500;
const lib = koffi.load(fixturePath());

const RECORD = { id: D.I32, score: D.Double, stamp: D.I64, level: D.I32 };
const Record = koffi.struct('copied_record', {
  id: 'int',
  score: 'double',
  stamp: 'int64_t',
  level: 'int',
});

// A function of the ffi-rs API keeps its tier for as long as its library is open under a key.
for (const tier of TIERS) ffi.open({ library: `copies ${tier}`, path: fixturePath() });

/** A function of the ffi-rs API, called with its arguments one by one; it is bound by the first call. */
function defined(tier, name, retType, paramsType, ...first) {
  const made = ffi.define({ [name]: { library: `copies ${tier}`, retType, paramsType } })[name];
  made(first);
  return Object.assign((...values) => made(values), { made });
}

/** The functions that both dialects have, by tier: what C reads. */
const readers = (tier) =>
  on(tier, () => ({
    'ffi-rs': {
      byte: defined(tier, 'copied_byte', D.I32, [RECORD, D.I32], record(), 0),
      sum: defined(tier, 'copied_sum', D.Double, [RECORD, D.I32], record(), 0),
    },
    koffi: {
      byte: lib.func('copied_byte', 'int', [koffi.pointer(Record), 'int']),
      sum: lib.func('copied_sum', 'double', [koffi.pointer(Record), 'int']),
    },
  }));

/** Those that write, of the Koffi API. */
const writers = (tier) =>
  on(tier, () => {
    const pointer = koffi.pointer(Record);
    return {
      add: lib.func('copied_add', 'int', [koffi.inout(pointer), 'int', 'int']),
      fill: lib.func('copied_add', 'int', [koffi.out(pointer), 'int', 'int']),
      swap: lib.func('copied_swap', 'int64_t', [koffi.inout(pointer), koffi.inout(pointer)]),
      text: lib.func('copied_text', 'int', [pointer, 'str']),
    };
  });

/** A body for each tier and dialect. */
function everywhere(body) {
  for (const tier of TIERS) {
    for (const [dialect, made] of Object.entries(readers(tier))) body(made, `${tier} ${dialect}`);
  }
}

const ASK = { paramsType: [D.I32], retType: D.I32 };

/** Lets C ask `answer` while `body` runs. */
function asking(answer, body) {
  const made = callback(ASK, answer);
  try {
    defined('direct', 'copied_ask', D.Void, [D.External], made.fn);
    return body();
  } finally {
    made.free();
  }
}

/** Where a member is: i386 aligns those of 64 bits to 4. */
const offset = (member) => koffi.offsetof(Record, member);

const record = (id = 1) => ({ id, score: 0.5, stamp: 2 ** 40 + id, level: -3 });
const sumOf = ({ id, score, stamp, level }) => id + score + Number(stamp) + level;

/** No call holds frame memory. */
const assertNothingHeld = (where) => assert.equal(views.u32[TOP], BOTTOM, where);

test('the tiers are those that are named', () => {
  for (const tier of TIERS) {
    const { koffi: mine, 'ffi-rs': theirs } = readers(tier);
    for (const fn of [mine.sum, mine.byte, theirs.sum.made, theirs.byte.made]) assertTier(fn, tier);
  }
});

test('hot calls are direct', () => {
  const { sum } = readers('direct')['ffi-rs'];
  assertTier(sum.made, 'direct');
  const other = readers('direct').koffi.sum;
  assertTier(other, 'direct');
  const { add, fill, swap } = writers('direct');
  for (const fn of [add, fill, swap]) assertTier(fn, 'direct');
  const calls = [
    () => sum({ id: 1, score: 2, stamp: 3, level: 4 }, 0),
    () => other({ id: 1, score: 2, stamp: 3, level: 4 }, 0),
    () => add({ id: 1, score: 2, stamp: 3, level: 4 }, 1, 0),
    () => fill({}, 1, 0),
    () => swap(record(1), record(2)),
  ];
  for (const call of calls) {
    let count;
    for (let tries = 0; tries < 3 && !(count?.direct > ROUNDS * 0.9); tries++) {
      const hot = optimised(call);
      count = entered(() => {
        for (let i = 0; i < ROUNDS; i++) hot();
      });
    }
    if (HAS_PACKED) assert.ok(count.direct > ROUNDS * 0.9, `${call}: ${JSON.stringify(count)}`);
  }
  assertNothingHeld();
});

test('C finds the members, and zeros between them', () => {
  const given = { id: -2, score: -0.5, stamp: -(2 ** 50), level: 0x01020304 };
  const bytes = Buffer.alloc(koffi.sizeof(Record));
  bytes.writeInt32LE(given.id, offset('id'));
  bytes.writeDoubleLE(given.score, offset('score'));
  bytes.writeBigInt64LE(BigInt(given.stamp), offset('stamp'));
  bytes.writeInt32LE(given.level, offset('level'));
  everywhere(({ byte }, where) => {
    // What is left of other calls.
    const dirty = () => views.u8.fill(0xa5, BOTTOM, BOTTOM + 4096);
    for (let at = 0; at < bytes.length; at++) {
      dirty();
      assert.equal(byte(given, at), bytes[at], `${where} ${at}`);
    }
  });
});

test('zeros between the members of nested structs', () => {
  const Inner = koffi.struct('copied_inner', { a: 'uint8', b: 'int32' });
  const Outer = koffi.struct('copied_outer', { first: Inner, second: Inner });
  const inner = { ffiTypeTag: D.StackStruct, a: D.U8, b: D.I32 };
  const given = { first: { a: 1, b: -1 }, second: { a: 2, b: 3 } };
  const expected = [1, 0, 0, 0, 255, 255, 255, 255, 2, 0, 0, 0, 3, 0, 0, 0];
  for (const tier of TIERS) {
    const both = on(tier, () => [
      lib.func('copied_byte', 'int', [koffi.pointer(Outer), 'int']),
      defined(tier, 'copied_byte', D.I32, [{ first: inner, second: inner }, D.I32], given, 0),
    ]);
    for (const byte of both) {
      expected.forEach((value, at) => {
        views.u8.fill(0xa5, BOTTOM, BOTTOM + 4096);
        assert.equal(byte(given, at), value, `${tier} ${at}`);
      });
    }
  }
});

test('zeros between the members of structs in an array', () => {
  const Inner = koffi.struct('copied_element', { a: 'uint8', b: 'int32' });
  const Outer = koffi.struct('copied_elements', { list: koffi.array(Inner, 2) });
  const list = [
    { a: 1, b: -1 },
    { a: 2, b: 3 },
  ];
  const expected = [1, 0, 0, 0, 255, 255, 255, 255, 2, 0, 0, 0, 3, 0, 0, 0];
  for (const tier of TIERS) {
    const [elements, inside] = on(tier, () =>
      [Inner, Outer].map((type) => lib.func('copied_byte', 'int', [koffi.pointer(type), 'int'])),
    );
    expected.forEach((value, at) => {
      for (const call of [() => elements(list, at), () => inside({ list }, at)]) {
        views.u8.fill(0xa5, BOTTOM, BOTTOM + 4096);
        assert.equal(call(), value, `${tier} ${at} ${call}`);
      }
    });
  }
});

test('64-bit members of every size', () => {
  const numbers = [
    0,
    -0,
    1,
    -1,
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31),
    2 ** 53 - 1,
    -(2 ** 53),
    1.75,
    -1.75,
  ];
  everywhere(({ sum, byte }, where) => {
    for (const stamp of numbers) {
      const expected = Math.trunc(stamp);
      const found = sum({ id: 0, score: 0, stamp, level: 0 }, 0);
      assert.equal(found, expected === 0 ? 0 : expected, where);
      const high = byte({ id: 0, score: 0, stamp, level: 0 }, offset('stamp') + 7);
      assert.equal(high, expected < 0 ? 0xff : high & 0x7f, where);
    }
  });
});

test('a getter that calls the same function', () => {
  everywhere(({ sum }, where) => {
    const inner = record(5);
    const outer = {
      id: 1,
      get score() {
        assert.equal(sum(inner, 0), sumOf(inner));
        return 0.25;
      },
      get stamp() {
        assert.equal(sum(inner, 0), sumOf(inner));
        return 10;
      },
      level: 7,
    };
    for (let i = 0; i < 3; i++) assert.equal(sum(outer, 0), 18.25, where);
    assertNothingHeld(where);
  });
});

test('a callback that calls the same function, while C has the address', () => {
  everywhere(({ sum }, where) => {
    let depth = 0;
    const nested = (i) => {
      const given = record(100 + i);
      if (depth < 3) {
        depth++;
        assert.equal(sum(given, 1), sumOf(given) + 1e6 * (depth > 3 ? 0 : i + 1), where);
        depth--;
      }
      assert.equal(sum(given, 0), sumOf(given), where);
      return i + 1;
    };
    asking(nested, () => {
      for (let round = 0; round < 20; round++) {
        const given = record(round);
        assert.equal(sum(given, 1), sumOf(given) + 1e6, where);
      }
    });
    assertNothingHeld(where);
  });
});

test('what throws leaves nothing behind', () => {
  class Mine extends Error {}
  const failing = {
    id: 1,
    score: 2,
    get stamp() {
      throw new Mine();
    },
    level: 3,
  };
  everywhere(({ sum }, where) => {
    for (let i = 0; i < 3; i++) {
      assert.throws(() => sum(failing, 0), Mine, where);
      assertNothingHeld(where);
      assert.throws(() => sum({ ...record(), level: 'three' }, 0), Error, where);
      assertNothingHeld(where);
    }
    asking(
      () => {
        throw new Mine();
      },
      () => {
        for (let i = 0; i < 3; i++) {
          assert.throws(() => sum(record(), 1), Mine, where);
          assertNothingHeld(where);
        }
      },
    );
    assert.equal(sum(record(), 0), sumOf(record()), where);
  });
});

test('a getter that makes the first callback', () => {
  everywhere(({ sum }, where) => {
    let made;
    let reads = 0;
    const given = {
      id: 1,
      get score() {
        reads++;
        made ??= callback(ASK, (i) => i);
        return 2;
      },
      stamp: 3,
      level: 4,
    };
    optimised(() => sum(record(), 0));
    assert.equal(sum(given, 0), 10, where);
    made.free();
    // Where V8 may not know of the call, it goes another way, which reads the members again.
    assert.ok(
      reads === 1 || (reads === 2 && MAJOR < 26 && where.startsWith('direct')),
      `${where} ${reads}`,
    );
  });
});

test('what C wrote goes back', () => {
  for (const tier of TIERS) {
    const { add, fill, swap, text } = writers(tier);
    const given = { id: 4, score: 1.5, stamp: 2 ** 40, level: 5, other: 'kept' };
    assert.equal(add(given, 2, 0), 4, tier);
    assert.deepEqual(given, { id: 6, score: 3.5, stamp: 2 ** 40 - 2, level: 10, other: 'kept' });
    const out = {};
    assert.equal(fill(out, 7, 0), 0, tier);
    assert.deepEqual(out, { id: 7, score: 7, stamp: -7, level: 0 });
    const [a, b] = [record(1), record(2)];
    assert.notEqual(swap(a, b), 0);
    assert.deepEqual([a, b], [record(2), record(1)], tier);
    assert.equal(text(record(3), 'four'), 7, tier);
    assertNothingHeld(tier);
  }
});

test('what C wrote goes back from memory that other calls have used since', () => {
  for (const tier of TIERS) {
    const { add } = writers(tier);
    // A setter calls the function before the other members are put back.
    const found = [];
    const given = {
      get id() {
        return 4;
      },
      set id(value) {
        found.push(value);
        add(record(9), 1, 0);
      },
      score: 1.5,
      stamp: 10,
      level: 5,
    };
    add(given, 2, 0);
    assert.deepEqual([found, given.score, given.stamp, given.level], [[6], 3.5, 8, 10], tier);
    // A callback does so before C writes.
    const inner = (i) => add(record(50), 3, 0) + i;
    asking(inner, () => {
      for (let i = 0; i < 5; i++) {
        const again = { id: 1, score: 1, stamp: 1, level: 1 };
        assert.equal(add(again, 2, 2), 1, tier);
        assert.deepEqual(again, { id: 3, score: 3, stamp: -1, level: 2 }, tier);
      }
    });
    // An exception in it: C's zeros, and nothing goes back.
    asking(
      () => {
        throw new Error('no answer');
      },
      () => {
        const kept = record();
        assert.throws(() => add(kept, 2, 1), /no answer/, tier);
        assert.deepEqual(kept, record(), tier);
      },
    );
    assertNothingHeld(tier);
  }
});

test('what stands for memory, and objects of other classes', () => {
  class Point {
    constructor() {
      Object.assign(this, record(8));
    }
  }
  for (const tier of TIERS) {
    const { koffi: mine, 'ffi-rs': theirs } = readers(tier);
    const bytes = Buffer.alloc(32);
    bytes.writeInt32LE(11, 0);
    assert.equal(mine.sum(bytes, 0), 11, tier);
    assert.equal(mine.sum(koffi.address(bytes), 0), 11, tier);
    assert.equal(mine.sum([record(8)], 0), sumOf(record(8)), tier);
    assert.equal(mine.sum(new Point(), 0), sumOf(record(8)), tier);
    assert.equal(
      mine.sum(Object.assign(Object.create(null), record(8)), 0),
      sumOf(record(8)),
      tier,
    );
    assert.equal(theirs.sum(new Point(), 0), sumOf(record(8)), tier);
    assert.equal(mine.sum(new Proxy(record(8), {}), 0), sumOf(record(8)), tier);
    assert.equal(mine.sum({}, 0), 0, tier);
    for (const bad of [1n << 3n, 'text', true, Symbol('s'), () => 1]) {
      if (typeof bad !== 'bigint') assert.throws(() => mine.sum(bad, 0), TypeError, tier);
      assert.throws(() => theirs.sum(bad, 0), { code: 'InvalidArg' }, tier);
    }
    assertNothingHeld(tier);
  }
});

test('a closed library', () => {
  for (const tier of TIERS) {
    ffi.open({ library: 'copies', path: fixturePath() });
    const made = on(tier, () =>
      ffi.define({
        copied_sum: { library: 'copies', retType: D.Double, paramsType: [RECORD, D.I32] },
      }),
    );
    assert.equal(made.copied_sum([record(), 0]), sumOf(record()), tier);
    ffi.close('copies');
    assert.throws(() => made.copied_sum([record(), 0]), /./, tier);
    assertNothingHeld(tier);
  }
});

test('workers have frame memory of their own', async () => {
  const program = `
    const { parentPort } = require('node:worker_threads');
    const koffi = require(${JSON.stringify(require.resolve('../../koffi'))});
    const lib = koffi.load(${JSON.stringify(fixturePath())});
    koffi.struct('Copied', { id: 'int', score: 'double', stamp: 'int64_t', level: 'int' });
    const sum = lib.func('double copied_sum(const Copied *p, int asks)');
    let total = 0;
    for (let i = 0; i < 50000; i++) total += sum({ id: i, score: 0, stamp: 1, level: 0 }, 0);
    parentPort.postMessage(total);
  `;
  const started = [1, 2, 3].map(
    () =>
      new Promise((resolve, reject) => {
        new Worker(program, { eval: true }).on('message', resolve).on('error', reject);
      }),
  );
  const { sum } = readers('direct').koffi;
  let total = 0;
  for (let i = 0; i < 50000; i++) total += sum({ id: i, score: 0, stamp: 1, level: 0 }, 0);
  for (const found of await Promise.all(started)) assert.equal(found, total);
});

test('a call on another thread has its own copy', async () => {
  const { sum } = readers('direct').koffi;
  const { add } = writers('direct');
  const given = record(2);
  const pending = [1, 2, 3].map((id) => promised(sum, record(id), 0));
  const written = promised(add, given, 2, 0);
  assert.equal(sum(record(9), 0), sumOf(record(9)));
  assert.deepEqual(
    await Promise.all(pending),
    [1, 2, 3].map((id) => sumOf(record(id))),
  );
  assert.equal(await written, 2);
  assert.equal(given.id, 4);
});

/** What an asynchronous call gives. */
const promised = (fn, ...values) =>
  new Promise((resolve, reject) => {
    fn.async(...values, (error, result) => (error ? reject(error) : resolve(result)));
  });
