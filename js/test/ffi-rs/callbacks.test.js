'use strict';
// Section 6: callbacks: every argument and result, directly and queued.

const assert = require('node:assert/strict');
const test = require('node:test');
const support = require('../support/ffi');
const { CODES, throwsCoded } = require('../support/assert-coded');
const { valueInChild } = require('../support/child');
const { is32Bit } = require('../support/platform');
const { ffi, call, arrayOf, structArrayOf, byValue, pointerTo, restore, unwrap } = support;
const { callback, nextTurn, nullPointer } = support;

const { DataType: D, funcConstructor } = ffi;
/** C's size_t. */
const SIZE = is32Bit ? D.U32 : D.U64;
const POINT = { x: D.I32, y: D.Double };
const MIXED = { a: D.I64, b: D.Double, c: D.I32, name: D.String };

/** Arguments of one queued call of a void callback. */
async function notified(name, paramsType, args = []) {
  const seen = [];
  const made = callback({ paramsType, retType: D.Void }, (...values) => seen.push(values));
  call(
    name,
    D.Void,
    [D.External, ...args.map(([type]) => type)],
    [made.fn, ...args.map(([, value]) => value)],
  );
  assert.deepEqual(seen, [], 'a void callback is queued');
  await nextTurn();
  made.free();
  assert.equal(seen.length, 1, `${name} arrived ${seen.length} times`);
  return seen[0];
}

const KINDS = [
  ['u8', D.U8, 200, 7],
  ['i16', D.I16, -1234, -7],
  ['i32', D.I32, -123456, -7],
  ['u32', D.U32, 4000000000, 7],
  ['i64', D.I64, -(2 ** 40), -7],
  ['u64', D.U64, 2 ** 64, 7],
  ['float', D.Float, 0.5, 0.25],
  ['double', D.Double, -2.25, 0.1],
  ['bool', D.Boolean, true, false],
  ['string', D.String, 'gr\u00fc\u00df', 'text \u20ac'],
  ['wide', D.WString, 'gr\u00fc\u00df', 'wide \u20ac'],
];

for (const [name, type, sample, value] of KINDS) {
  test(`${name}: argument of a queued callback`, async () => {
    assert.deepEqual(await notified(`notify_${name}_sample`, [type]), [sample]);
    assert.deepEqual(await notified(`notify_${name}`, [type], [[type, value]]), [value]);
  });

  test(`${name}: argument and result of a direct callback`, () => {
    const seen = [];
    const made = callback({ paramsType: [type], retType: type }, (got) => {
      seen.push(got);
      return got;
    });
    assert.equal(call(`call_${name}`, type, [D.External, type], [made.fn, value]), value);
    assert.deepEqual(seen, [value], 'called before C returned');
    made.free();
  });

  test(`${name}: from a thread of C's own, which waits`, async () => {
    const made = callback({ paramsType: [type], retType: type }, (got) => got);
    const options = { runInNewThread: true };
    const result = await call(
      `call_${name}_thread`,
      type,
      [D.External, type],
      [made.fn, value],
      options,
    );
    assert.equal(result, value);
    made.free();
  });
}

test('BigInt and External arguments and results', async () => {
  assert.deepEqual(await notified('notify_i64_sample', [D.BigInt]), [-(2n ** 40n)]);
  const [external] = await notified('notify_pointer_sample', [D.External]);
  assert.equal(call('pointer_address', D.BigInt, [D.External], [external]), 0x1234n);
  const [none] = await notified('notify_null_pointer', [D.External]);
  assert.equal(ffi.isNullPointer(none), true);
  const big = callback({ paramsType: [D.BigInt], retType: D.BigInt }, (value) => value + 1n);
  assert.equal(
    call('call_i64', D.BigInt, [D.External, D.BigInt], [big.fn, 2n ** 62n]),
    2n ** 62n + 1n,
  );
  big.free();
  const pointer = callback({ paramsType: [D.External], retType: D.External }, (value) => value);
  const target = call('static_i32_array', D.External);
  const back = call('call_pointer', D.External, [D.External, D.External], [pointer.fn, target]);
  assert.equal(restore(D.I32, back), 1);
  pointer.free();
});

test('Boolean arguments: true is true, false is false', async () => {
  assert.deepEqual(await notified('notify_bool', [D.Boolean], [[D.Boolean, true]]), [true]);
  assert.deepEqual(await notified('notify_bool', [D.Boolean], [[D.Boolean, false]]), [false]);
});

test('NULL arguments are null', async () => {
  assert.deepEqual(await notified('notify_null_string', [D.String]), [null]);
  assert.deepEqual(await notified('notify_null_wide', [D.WString]), [null]);
  assert.deepEqual(await notified('notify_null_array', [arrayOf(D.I32Array, 2)]), [null]);
  assert.deepEqual(await notified('notify_null_pointer', [POINT]), [null]);
});

test('array arguments are copies', async () => {
  for (const [name, type] of [
    ['i16', D.I16Array],
    ['i32', D.I32Array],
    ['float', D.FloatArray],
    ['double', D.DoubleArray],
  ]) {
    assert.deepEqual(await notified(`notify_${name}_array`, [arrayOf(type, 3)]), [[1, 2, 3]]);
    const tagged = arrayOf(type, 2, { ffiTypeTag: D.StackArray });
    assert.deepEqual(await notified(`notify_${name}_array`, [tagged]), [[1, 2]]);
  }
  const [bytes] = await notified('notify_u8_array', [arrayOf(D.U8Array, 4)]);
  assert.deepEqual(bytes, Buffer.from([1, 2, 3, 4]));
  assert.deepEqual(await notified('notify_string_array', [arrayOf(D.StringArray, 3)]), [
    ['a', 'bc', 'd\u00e9'],
  ]);
});

test('struct arguments by value and by pointer, copied at once', async () => {
  assert.deepEqual(await notified('notify_point', [byValue(POINT)]), [{ x: 3, y: 4.5 }]);
  assert.deepEqual(await notified('notify_point_pointer', [POINT]), [{ x: 5, y: 6.5 }]);
  assert.deepEqual(await notified('notify_mixed', [byValue(MIXED)]), [
    { a: -1, b: 2.5, c: 3, name: 'mixed' },
  ]);
  assert.deepEqual(await notified('notify_mixed_pointer', [MIXED]), [
    { a: -9, b: 9.5, c: 99, name: 'pointed' },
  ]);
  assert.deepEqual(await notified('notify_points', [structArrayOf(byValue(POINT), 2)]), [
    [
      { x: 1, y: 1.5 },
      { x: 2, y: 2.5 },
    ],
  ]);
});

test('struct arguments and results of direct callbacks', () => {
  const take = callback(
    { paramsType: [byValue(POINT), D.I32], retType: D.Double },
    (point, n) => point.x + point.y * n,
  );
  assert.equal(call('call_point', D.Double, [D.External, D.I32], [take.fn, 2]), 24);
  const give = callback({ paramsType: [D.I32], retType: byValue(POINT) }, (v) => ({
    x: v,
    y: v / 2,
  }));
  assert.equal(call('call_point_result', D.Double, [D.External, D.I32], [give.fn, 6]), 36);
  const mixed = callback({ paramsType: [byValue(MIXED)], retType: byValue(MIXED) }, (m) => ({
    ...m,
    a: m.a + 1,
    name: `${m.name}out`,
  }));
  assert.equal(call('call_mixed_result', D.Double, [D.External], [mixed.fn]), 2 + 20 + 300 + 5000);
  const pointer = callback({ paramsType: [D.I32], retType: POINT }, (v) =>
    v ? { x: v, y: 1 } : null,
  );
  assert.equal(
    call('call_point_pointer_result', D.Double, [D.External, D.I32], [pointer.fn, 5]),
    15,
  );
  assert.equal(
    call('call_point_pointer_result', D.Double, [D.External, D.I32], [pointer.fn, 0]),
    -1,
  );
  for (const made of [take, give, mixed, pointer]) made.free();
});

test('string and array results of direct callbacks', () => {
  const text = callback({ paramsType: [], retType: D.String }, () => 'gr\u00fc\u00df');
  assert.equal(call('string_result_bytes', D.I32, [D.External], [text.fn]), 6);
  const none = callback({ paramsType: [], retType: D.String }, () => null);
  assert.equal(call('string_result_bytes', D.I32, [D.External], [none.fn]), -1);
  const list = callback({ paramsType: [], retType: arrayOf(D.DoubleArray, 3) }, () => [0.5, 1, 2]);
  assert.equal(call('array_result_sum', D.Double, [D.External, D.I32], [list.fn, 3]), 3.5);
  for (const made of [text, none, list]) made.free();
});

test('many arguments: registers and stack', () => {
  const types = [D.U8, D.I16, D.I32, D.U32, D.I64, D.U64, D.Float, D.Double, D.Boolean, D.String];
  let seen;
  const ten = callback({ paramsType: types, retType: D.Double }, (...args) => {
    seen = args;
    return args.length;
  });
  assert.equal(call('call_ten', D.Double, [D.External], [ten.fn]), 10);
  assert.deepEqual(seen, [1, -2, 3, 4, -5, 6, 7.5, 8.25, true, 'ten']);
  ten.free();
  const twelve = callback({ paramsType: Array(12).fill(D.I32), retType: D.I32 }, (...args) =>
    args.reduce((total, value, i) => total + value * (i + 1), 0),
  );
  assert.equal(call('call_integers_12', D.I32, [D.External], [twelve.fn]), 650);
  twelve.free();
});

test('queued calls come in order, with microtasks in between, before setImmediate', async () => {
  const log = [];
  const made = callback({ paramsType: [D.I32], retType: D.Void }, (value) => {
    log.push(value);
    Promise.resolve().then(() => log.push(`microtask ${value}`));
  });
  const immediate = new Promise((resolve) => {
    setImmediate(() => {
      log.push('immediate');
      resolve();
    });
  });
  call('call_void_times', D.Void, [D.External, D.I32], [made.fn, 3]);
  log.push('returned');
  await immediate;
  assert.deepEqual(log, [
    'returned',
    0,
    'microtask 0',
    1,
    'microtask 1',
    2,
    'microtask 2',
    'immediate',
  ]);
  made.free();
});

test('a function as a parameter of load', async () => {
  const log = [];
  const descriptor = funcConstructor({ paramsType: [D.I32], retType: D.Void, needFree: true });
  call('call_void_times', D.Void, [descriptor, D.I32], [(value) => log.push(value), 3]);
  assert.deepEqual(log, []);
  await nextTurn();
  assert.deepEqual(log, [0, 1, 2], 'queued calls run although it was released');
  const direct = funcConstructor({ paramsType: [D.I32], retType: D.I32, needFree: true });
  assert.equal(call('call_times_sum', D.I32, [direct, D.I32], [(value) => value * 2, 5]), 20);
});

test('what is no function is refused as a function parameter', () => {
  const direct = funcConstructor({ paramsType: [D.I32], retType: D.I32, needFree: true });
  for (const value of [5, 'f', undefined, {}]) {
    throwsCoded(
      () => call('call_times_sum', D.I32, [direct, D.I32], [value, 5]),
      CODES.invalid,
      /^expect Function, got: /,
    );
  }
});

test('freeing marks the descriptor', () => {
  const type = funcConstructor({ paramsType: [D.I32], retType: D.Void });
  const cell = pointerTo(type, () => {});
  ffi.freePointer({
    paramsType: [type],
    paramsValue: [cell],
    pointerType: ffi.PointerType.RsPointer,
  });
  assert.equal(type.needFree, true);
});

test('qsort with a comparator', () => {
  const values = Array.from({ length: 500 }, (_, i) => (i * 7919) % 1009);
  const order = callback(
    { paramsType: [D.External, D.External], retType: D.I32 },
    (a, b) => restore(D.I32, a) - restore(D.I32, b),
  );
  const cell = pointerTo(D.I32Array, values);
  ffi.load({
    library: 'main',
    funcName: 'qsort',
    retType: D.Void,
    paramsType: [D.External, SIZE, SIZE, D.External],
    paramsValue: [unwrap(cell), values.length, 4, order.fn],
  });
  assert.deepEqual(
    restore(arrayOf(D.I32Array, 500), cell),
    [...values].sort((a, b) => a - b),
  );
  const element = arrayOf(D.I32Array, 1);
  const reverse = callback({ paramsType: [element, element], retType: D.I32 }, ([a], [b]) => b - a);
  call('sort_ints', D.Void, [D.External, D.I32, D.External], [unwrap(cell), 500, reverse.fn]);
  assert.deepEqual(
    restore(arrayOf(D.I32Array, 500), cell),
    [...values].sort((a, b) => b - a),
  );
  order.free();
  reverse.free();
});

test('a callback that calls C that calls back, 200 deep', () => {
  const made = callback({ paramsType: [D.I64], retType: D.I64 }, (depth) =>
    depth === 0 ? 0 : call('call_nested', D.I64, [D.External, D.I64], [made.fn, depth - 1]),
  );
  assert.equal(call('call_nested', D.I64, [D.External, D.I64], [made.fn, 200]), 201);
  made.free();
});

test('1,000 deep, with a stack for it', () => {
  // Each level has frames of V8, of Node-API and of C: about 3 KB, of the 984 KB that V8 allows
  // itself. The main thread of a process has 8 MB.
  const value = valueInChild(
    ({ ffi: { DataType: T }, call: load, callback: make }) => {
      const made = make({ paramsType: [T.I64], retType: T.I64 }, (depth) =>
        depth === 0 ? 0 : load('call_nested', T.I64, [T.External, T.I64], [made.fn, depth - 1]),
      );
      const result = load('call_nested', T.I64, [T.External, T.I64], [made.fn, 1000]);
      made.free();
      return result;
    },
    { flags: ['--stack-size=5000'] },
  );
  assert.equal(value, 1001);
});

test('endless recursion is an error, not a crash', () => {
  const made = callback({ paramsType: [D.I64], retType: D.I64 }, (depth) =>
    call('call_nested', D.I64, [D.External, D.I64], [made.fn, depth]),
  );
  assert.throws(() => call('call_nested', D.I64, [D.External, D.I64], [made.fn, 1]), RangeError);
  made.free();
  assert.equal(call('forty_two', D.I32), 42);
});

test('calls of other functions inside a callback keep the outer frame whole', () => {
  const made = callback({ paramsType: [D.I32], retType: D.I32 }, (value) => {
    const text = call(
      'concat_strings',
      D.String,
      [D.String, D.String],
      ['x'.repeat(5000), String(value)],
    );
    return text.length + call('sum_i32_array', D.Double, [D.I32Array, D.I32], [[value, value], 2]);
  });
  const long = 'argument '.repeat(1000);
  const expected = 3 * 5001 + 2 * (0 + 1 + 2);
  for (let i = 0; i < 100; i++) {
    assert.equal(
      call('call_times_sum', D.I32, [D.External, D.I32, D.String], [made.fn, 3, long]),
      expected,
    );
  }
  made.free();
});

test('thousands of live callbacks', () => {
  const made = Array.from({ length: 3000 }, (_, i) =>
    callback({ paramsType: [D.I32], retType: D.I32 }, (value) => value + i),
  );
  made.forEach(({ fn }, i) => {
    assert.equal(call('call_i32', D.I32, [D.External, D.I32], [fn, 1]), i + 1);
  });
  for (const { free } of made) free();
  for (let i = 0; i < 20_000; i++) {
    const one = callback({ paramsType: [D.I32], retType: D.I32 }, (value) => value - i);
    if (i % 1000 === 0) assert.equal(call('call_i32', D.I32, [D.External, D.I32], [one.fn, i]), 0);
    one.free();
  }
});

test('a stored callback is called later, and may free itself while it runs', () => {
  let made;
  const log = [];
  made = callback({ paramsType: [D.I32], retType: D.I32 }, (value) => {
    log.push(value);
    if (value === 2) made.free();
    return value * 10;
  });
  call('store', D.Void, [D.External], [made.fn]);
  assert.equal(call('call_stored', D.I32, [D.I32], [1]), 10);
  assert.equal(call('call_stored', D.I32, [D.I32], [2]), 20);
  call('store', D.Void, [D.External], [nullPointer()]);
  assert.deepEqual(log, [1, 2]);
});

test('descriptors: hand-written, without result, and malformed', () => {
  const hand = { ffiTypeTag: D.Function, paramsType: [D.I32], retType: D.I32 };
  const cell = pointerTo(hand, (value) => value + 1);
  assert.equal(call('call_i32', D.I32, [D.External, D.I32], [unwrap(cell), 1]), 2);
  ffi.freePointer({
    paramsType: [hand],
    paramsValue: [cell],
    pointerType: ffi.PointerType.RsPointer,
  });
  callback({ paramsType: [] }, () => {}).free();
  const bad = [
    { paramsType: 5 },
    { paramsType: [55] },
    { paramsType: ['I32'] },
    { paramsType: [null] },
    { paramsType: [D.I32Array] },
    { paramsType: [], retType: 55 },
    { paramsType: [], retType: 'I32' },
    { paramsType: [{ a: 55 }] },
    { paramsType: [arrayOf(55, 1)] },
    { retType: D.I32 },
  ];
  for (const options of bad) {
    throwsCoded(() => pointerTo(funcConstructor(options), () => {}), [CODES.type, CODES.unknown]);
  }
  for (const value of [5, 'f', null, undefined, {}]) {
    throwsCoded(
      () => pointerTo(funcConstructor({ paramsType: [] }), value),
      CODES.invalid,
      /^expect Function, got: /,
    );
  }
});
