'use strict';
// timeout: 600
// Random types, random values. KOFFI_FUZZ_SEED repeats a run, KOFFI_FUZZ_ROUNDS makes it longer.
//
// What is right must come back as a model in plain JavaScript says; what is wrong must throw an
// Error; nothing may end the process or touch memory beside the target.

const assert = require('node:assert/strict');
const test = require('node:test');
const { inspect } = require('node:util');
const { koffi, lib, ours, asResult } = require('../support/koffi');
const { inChild } = require('../support/child');

const SEED = Number(process.env.KOFFI_FUZZ_SEED ?? Date.now() % 2 ** 31);
const ROUNDS = Number(process.env.KOFFI_FUZZ_ROUNDS ?? 400);

/** Mulberry32. */
function generator(seed) {
  let state = seed | 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n) => Math.floor(next() * n);
  return { next, below, pick: (list) => list[below(list.length)] };
}

/** name, bits, signed, foreign order */
const INTEGERS = [
  ['int8_t', 8, true],
  ['uint8_t', 8, false],
  ['int16_t', 16, true],
  ['uint16_t', 16, false],
  ['int', 32, true],
  ['unsigned int', 32, false],
  ['int64_t', 64, true],
  ['uint64_t', 64, false],
  ['int16_be_t', 16, true],
  ['uint32_be_t', 32, false],
  ['int64_be_t', 64, true],
];

/**
 * A random type: `{type, make, expect}`; `make` gives a right value, `expect` what comes back.
 */
function randomType(random, depth) {
  const kind = random.pick(
    depth > 0
      ? ['integer', 'float', 'double', 'bool', 'text', 'array', 'struct', 'struct', 'pack']
      : ['integer', 'integer', 'float', 'double', 'bool', 'text'],
  );
  if (kind === 'integer') {
    const [name, bits, signed] = random.pick(INTEGERS);
    const wrap = signed ? BigInt.asIntN : BigInt.asUintN;
    return {
      type: name,
      make: () =>
        random.pick([
          () => random.below(300) - 150,
          () => (random.next() - 0.5) * 2 ** random.below(53),
          () => BigInt(Math.floor((random.next() - 0.5) * 2 ** 52)) << BigInt(random.below(30)),
        ])(),
      expect: (value) =>
        asResult(wrap(bits, typeof value === 'bigint' ? value : BigInt(Math.trunc(value)))),
    };
  }
  if (kind === 'float' || kind === 'double') {
    return {
      type: kind,
      make: () =>
        random.pick([
          0,
          -0,
          1.5,
          NaN,
          Infinity,
          1e300,
          1e-300,
          random.next(),
          -random.next() * 1e9,
        ]),
      expect: (value) => (kind === 'float' ? Math.fround(value) : value),
    };
  }
  if (kind === 'bool')
    return { type: 'bool', make: () => random.next() < 0.5, expect: (value) => value };
  if (kind === 'text') {
    const length = 1 + random.below(12);
    const name = random.pick(['char16_t', 'char']);
    return {
      type: koffi.array(name, length, 'String'),
      make: () =>
        Array.from({ length: random.below(length + 3) }, () =>
          random.pick(['a', 'b', 'z', '0', ' ']),
        ).join(''),
      expect: (value) => value.slice(0, length - 1),
    };
  }
  if (kind === 'array') {
    const element = randomType(random, depth - 1);
    const length = 1 + random.below(5);
    return {
      type: koffi.array(element.type, length, 'Array'),
      make: () =>
        Array.from(
          { length: random.pick([length, length, random.below(length + 3)]) },
          element.make,
        ),
      expect: (value) =>
        Array.from({ length }, (_, i) =>
          i < value.length ? element.expect(value[i]) : zero(element),
        ),
    };
  }
  const members = Array.from({ length: 1 + random.below(5) }, (_, i) => [
    `m${i}`,
    randomType(random, depth - 1),
  ]);
  const made = Object.fromEntries(
    members.map(([name, { type }]) => [
      name,
      random.next() < 0.1 ? [random.pick([1, 2, 4, 8]), type] : type,
    ]),
  );
  return {
    type: kind === 'pack' ? koffi.pack(made) : koffi.struct(made),
    make: () =>
      Object.fromEntries(
        members.filter(() => random.next() < 0.9).map(([name, { make }]) => [name, make()]),
      ),
    expect: (value) =>
      Object.fromEntries(
        members.map(([name, member]) => [
          name,
          name in value ? member.expect(value[name]) : zero(member),
        ]),
      ),
  };
}

/** What zeroed memory reads as. */
function zero(member) {
  const size = koffi.sizeof(member.type);
  return koffi.decode(Buffer.alloc(size), member.type);
}

ours('right values come back as the model says, and nothing beside them is touched', (t) => {
  t.diagnostic(`KOFFI_FUZZ_SEED=${SEED}`);
  for (let round = 0; round < ROUNDS; round++) {
    const random = generator(SEED + round);
    const made = randomType(random, 3);
    const size = koffi.sizeof(made.type);
    const through = koffi.proto(null, 'void', [koffi.inout(koffi.pointer(made.type))]);
    for (let i = 0; i < 10; i++) {
      const value = made.make();
      const what = () => `seed ${SEED}, round ${round}.${i}: ${inspect(value, { depth: 9 })}`;
      const memory = Buffer.alloc(size + 16, 0xa5);
      const expected = made.expect(value);
      koffi.encode(memory, 8, made.type, value);
      assert.deepEqual(koffi.decode(memory, 8, made.type), expected, what());
      assert.ok(
        memory.subarray(0, 8).equals(Buffer.alloc(8, 0xa5)),
        `before the target: ${what()}`,
      );
      assert.ok(
        memory.subarray(8 + size).equals(Buffer.alloc(8, 0xa5)),
        `behind the target: ${what()}`,
      );
      // What came back goes in again as it is, and through a pointer parameter.
      koffi.encode(memory, 8, made.type, expected);
      assert.deepEqual(koffi.decode(memory, 8, made.type), expected, what());
      const box = [expected];
      koffi.call(lib.symbol('nothing'), through, box);
      assert.deepEqual(box, [expected], what());
    }
  }
});

ours('structs by value, through C and through callbacks', (t) => {
  t.diagnostic(`KOFFI_FUZZ_SEED=${SEED}`);
  for (let round = 0; round < ROUNDS / 4; round++) {
    const random = generator(SEED ^ (round * 7919));
    const made = randomType(random, 2);
    if (typeof made.type === 'string' || !['Record'].includes(koffi.type(made.type).primitive))
      continue;
    const proto = koffi.proto(null, made.type, ['int', made.type, 'double', made.type]);
    const seen = [];
    const pointer = koffi.register((a, first, b, second) => {
      seen.push(a, b, second);
      return first;
    }, koffi.pointer(proto));
    try {
      for (let i = 0; i < 5; i++) {
        const [one, two] = [made.make(), made.make()];
        const what = `seed ${SEED}, round ${round}.${i}: ${inspect([one, two], { depth: 9 })}`;
        assert.deepEqual(koffi.call(pointer, proto, i, one, 0.5, two), made.expect(one), what);
        assert.deepEqual(seen.splice(0), [i, 0.5, made.expect(two)], what);
      }
    } finally {
      koffi.unregister(pointer);
    }
  }
});

ours('any value for any type: an Error or a result, in a process that lives on', (t) => {
  t.diagnostic(`KOFFI_FUZZ_SEED=${SEED}`);
  const run = inChild(
    ({ koffi: k, lib: l }, { seed, rounds }) => {
      let state = seed;
      const next = () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 2 ** 32;
      };
      const pick = (list) => list[Math.floor(next() * list.length)];
      const point = k.struct({ x: 'int', y: 'double' });
      const any = k.union({ i: 'int', d: 'double', p: point });
      const callback = k.pointer(k.proto('int FuzzCallback(int)'));
      const types = [
        'int8_t',
        'uint64_t',
        'float',
        'double',
        'bool',
        'str',
        'str16',
        'char32_t *',
        'int *',
        'void *',
        'double *',
        'int **',
        point,
        k.pointer(point),
        any,
        k.pointer(any),
        callback,
        k.array('int', 3),
        k.array('char', 4),
        k.array(point, 2),
        k.array('str', 2),
      ];
      const value = (depth) =>
        pick([
          () => null,
          () => undefined,
          () => true,
          () => '',
          () => 'text',
          () => '\ud800\0x',
          () => Symbol('s'),
          () => () => 1,
          () => NaN,
          () => next() * 1e5,
          () => 0n,
          () => ({}),
          () => [],
          () => new Uint8Array(8),
          () => Buffer.alloc(3),
          () => new DataView(new ArrayBuffer(8)),
          () => new Map(),
          () => /x/,
          () =>
            new Proxy(
              {},
              {
                get: () => 5,
                has: () => true,
                ownKeys: () => ['x'],
                getOwnPropertyDescriptor: () => ({
                  value: 1,
                  enumerable: true,
                  configurable: true,
                }),
              },
            ),
          () => ({
            get x() {
              throw new RangeError('getter');
            },
          }),
          () => ({
            get x() {
              l.func('int int_add(int, int)')(1, 2);
              return 3;
            },
            y: 4,
          }),
          () => ({ x: value(depth + 1), y: value(depth + 1), i: value(depth + 1) }),
          () =>
            depth > 3 ? [] : Array.from({ length: Math.floor(next() * 4) }, () => value(depth + 1)),
          () => Object.assign(Object.create(null), { x: 1 }),
          () => new Proxy([1, 2], {}),
          () => Object.freeze([1, 2]),
          () => new Array(3),
        ])();
      let errors = 0;
      let results = 0;
      // Addresses are refused nowhere, so numbers are left out where C would follow them.
      for (let round = 0; round < rounds; round++) {
        const type = pick(types);
        const mark = pick([k.in, k.out, k.inout]);
        const given = value(0);
        const attempts = [
          () => k.encode(Buffer.alloc(k.sizeof(type)), type, given),
          () =>
            l.func('is_null', 'bool', [
              /\*|str/.test(k.type(type).name) ? mark(type) : k.pointer(type),
            ])(given),
          () => k.call(l.symbol('nothing'), k.proto(null, 'void', [type]), given),
          () => l.func('int sum_variadic(int, ...)')(0, pick(types), given),
        ];
        try {
          pick(attempts)();
          results++;
        } catch (error) {
          if (!(error instanceof Error)) throw new Error(`thrown: ${String(error)}`);
          errors++;
        }
      }
      return { errors, results, alive: l.func('int int_add(int, int)')(40, 2) };
    },
    { helpers: './koffi', argument: { seed: SEED, rounds: ROUNDS * 50 }, timeout: 200_000 },
  );
  assert.equal(run.status, 0, `KOFFI_FUZZ_SEED=${SEED}: ${run.signal} ${run.stderr.slice(-2000)}`);
  assert.equal(run.value.alive, 42);
  assert.ok(run.value.errors > ROUNDS && run.value.results > ROUNDS, inspect(run.value));
});
