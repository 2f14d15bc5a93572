// flags: --allow-natives-syntax --expose-gc --no-concurrent-recompilation
// env: FFI_JIT_TIER=direct FFI_JIT_COUNT_ENTRIES=1
// timeout: 600
'use strict';
// Random signatures of scalars, pointers, text and views, called on every tier with the same values, odd
// ones included, from unoptimised and from optimised code: the same result, the same errno, and the
// same bytes in C, by a hash that C makes of its arguments. FFI_JIT_SEED repeats a run.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { inspect } = require('node:util');
const { ffi, pointerTo, unwrap } = require('../support/ffi');
const { FLAGS } = require('../support/native');
const { randomOf, seedOf } = require('../support/random');
const { compileCall } = require('../../core/compile.js');
const { native } = require('../../core/loader.js');
const tiers = require('../../core/tier.js');
const types = require('../../ffi-rs/types.js');
const { HAS_PACKED, MAJOR, entered } = require('./support');

const { DataType: D } = ffi;
const SEED = seedOf();
const random = randomOf(SEED);
const SIGNATURES = 240;
const TIERS = ['node-api', 'packed', 'direct'];

const INTEGERS = [
  0,
  1,
  -1,
  127,
  128,
  255,
  256,
  -129,
  32767,
  65536,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
];
const NUMBERS = [
  ...INTEGERS,
  2 ** 32 - 1,
  2 ** 32 + 5,
  -(2 ** 33) - 1,
  2 ** 53,
  -(2 ** 53),
  2 ** 62,
  2 ** 63,
  -(2 ** 63),
  1.5 * 2 ** 63,
  2 ** 64,
  -(2 ** 65),
  1e300,
  -0,
  0.5,
  -0.5,
  1.9,
  -1.9,
  NaN,
  Infinity,
  -Infinity,
];
const BIGINTS = [0n, 1n, -1n, 2n ** 31n, 2n ** 53n + 1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n + 3n];
const cons = (text) => JSON.parse(JSON.stringify(`${text}${Date.now()}`)) + text;
const TEXTS = [
  '',
  'a',
  'seven78',
  'eight789',
  'nine56789',
  'sixteen letters.',
  'x'.repeat(100),
  'ü',
  'grüß dich',
  '\u0080\u00ff'.repeat(20),
  'naïve \u20ac',
  'in\u0000side',
  '日本語',
  '😀 far',
  `${'y'.repeat(3990)}ÿ`,
  'z'.repeat(5000),
];

/** What there is: its C type, the type in the dialect, and values. */
const KINDS = [
  ['uint8_t', D.U8, () => random.pick(NUMBERS)],
  ['int16_t', D.I16, () => random.pick(NUMBERS)],
  ['int32_t', D.I32, () => random.pick(NUMBERS)],
  ['uint32_t', D.U32, () => random.pick(NUMBERS)],
  ['int64_t', D.I64, () => random.pick(NUMBERS)],
  ['uint64_t', D.U64, () => random.pick(NUMBERS)],
  ['float', D.Float, () => random.pick(NUMBERS)],
  ['double', D.Double, () => random.pick(NUMBERS)],
  ['bool', D.Boolean, () => random.chance(0.5)],
  ['int64_t', D.BigInt, () => random.pick(BIGINTS)],
  ['const char *', D.String, () => random.pick([...TEXTS, null, cons(random.pick(TEXTS))])],
  ['void *', D.External, () => random.pick([...POINTERS, null])],
  ['uint8_t *', D.U8Array, () => random.pick(VIEWS)],
];
const POINTERS = [1, 2, 3].map((i) => unwrap(pointerTo(D.I32, i)));
/** Views with memory of all kinds, and without; Node-API, which is asked first, lets it stay where it is. */
const VIEWS = (() => {
  const memory = new ArrayBuffer(1000);
  const gone = new ArrayBuffer(64);
  const lost = new Uint8Array(gone, 16);
  structuredClone(gone, { transfer: [gone] });
  const variable = new ArrayBuffer(64, { maxByteLength: 128 });
  return [
    Buffer.from('of the pool'),
    Buffer.alloc(500),
    new Uint8Array(3),
    new Uint8Array(memory, 100, 7).subarray(2),
    new Uint8Array(new SharedArrayBuffer(64), 8),
    new Uint8Array(variable),
    new Uint8Array(variable, 8, 16),
    new Uint8Array(0),
    lost,
  ];
})();
const RESULTS = [...KINDS.slice(0, 10), ['void', D.Void], KINDS[10]];

function randomSignature(index) {
  const many = random.chance(0.15);
  const count = random.below(many ? 40 : 9);
  const kinds = random.chance(0.3) ? KINDS.slice(0, 9) : KINDS;
  return {
    name: `f${index}`,
    params: Array.from({ length: count }, () => random.pick(kinds)),
    ret: random.pick(RESULTS),
    errno: random.chance(0.3),
  };
}

/** A function that hashes what it gets, sets errno, and returns a part of the hash. */
function sourceOf({ name, params, ret }) {
  const list = params.map(([type], i) => `${type} a${i}`).join(', ') || 'void';
  const put = params.map(([type], i) => {
    if (type === 'const char *') return `  text(a${i});`;
    return `  put(&a${i}, sizeof a${i});`;
  });
  const results = {
    void: '',
    bool: 'return last >> 7 & 1;',
    float: 'return (float)(int32_t)last;',
    double: 'return (double)(int64_t)last / 3;',
    'const char *': `return ${params.findIndex(([t]) => t === 'const char *') >= 0 ? `a${params.findIndex(([t]) => t === 'const char *')}` : '"constant \\xc3\\xbc"'};`,
  };
  const back = results[ret[0]] ?? `return (${ret[0]})(last >> 13);`;
  return `${ret[0]} ${name}(${list}) {\n  last = 14695981039346656037u;\n${put.join('\n')}\n  errno = last % 100;\n  ${back}\n}\n`;
}

function build(signatures) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ffi-jit-grid-'));
  const source = path.join(folder, 'grid.c');
  const library = path.join(folder, 'libgrid.so');
  fs.writeFileSync(
    source,
    `#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
static uint64_t last;
static void put(const void *p, size_t n) {
  for (size_t i = 0; i < n; i++) last = (last ^ ((const uint8_t *)p)[i]) * 1099511628211u;
}
static void text(const char *s) {
  if (s == NULL) put("none", 4);
  else put(s, strlen(s) + 1);
}
uint64_t last_hash(void) { return last; }
${signatures.map(sourceOf).join('\n')}`,
  );
  const flags = FLAGS.filter((flag) => flag !== '-fvisibility=hidden');
  execFileSync(process.env.CC || 'cc', [...flags, '-o', library, source], { stdio: 'inherit' });
  return { folder, library };
}

/** A marshaller on a tier. */
function bindOn(tier, library, { name, params, ret, errno }) {
  tiers.useTier(tier);
  const compiled = compileCall({
    params: params.map(([, type]) => types.parameter(type)),
    ret: types.result(ret[1]),
    style: 'list',
    mismatch: () => new TypeError('mismatch'),
    arity: () => {
      throw new TypeError('arity');
    },
    withErrno: errno ? (value, code) => `{ code: ${code}, value: ${value} }` : undefined,
  });
  return tiers.bind(compiled, { address: native.symbol(library, name), library, name });
}

/** Lets V8 optimise a function when it is next called. */
const optimiser = new Function(
  'run',
  '%PrepareFunctionForOptimization(run); return () => %OptimizeFunctionOnNextCall(run);',
);

const COMPILES = {
  skip: process.env.FFI_JIT_FIXTURES && 'there is no C compiler for this machine',
};

test(`random signatures, seed ${SEED}`, COMPILES, () => {
  const signatures = Array.from({ length: SIGNATURES }, (_, i) => randomSignature(i));
  const { folder, library: file } = build(signatures);
  const library = native.openLibrary(file);
  const hash = bindOn('node-api', library, { name: 'last_hash', params: [], ret: KINDS[9] });
  let [direct, reached] = [0, 0];
  for (const signature of signatures) {
    const callers = TIERS.map((tier) => {
      const run = bindOn(tier, library, signature);
      const name = HAS_PACKED ? tier : 'node-api';
      const told = tiers.describe(run);
      assert.ok(told.tier === name || (name === 'direct' && told.reason !== undefined), told.tier);
      return { run, optimise: optimiser(run), isDirect: told.tier === 'direct' };
    });
    const what = JSON.stringify([SEED, signature]);
    const compare = (list) => {
      const answers = callers.map(({ run }) => {
        const value = run(list);
        return [value, hash([])];
      });
      for (let i = 1; i < answers.length; i++) {
        assert.deepEqual(answers[i], answers[0], `${TIERS[i]}: ${what} ${inspect(list)}`);
      }
    };
    const values = () => signature.params.map(([, , value]) => value());
    for (let i = 0; i < 20; i++) compare(values());
    const plain = signature.params.map(([, type]) =>
      type === D.Boolean
        ? true
        : type === D.String
          ? 'plain'
          : type === D.BigInt
            ? 5n
            : type === D.External
              ? null
              : type === D.U8Array
                ? VIEWS[0]
                : 5,
    );
    // What V8 has seen before it optimises, it optimises for.
    for (const { run, optimise } of callers) {
      for (let i = 0; i < 10; i++) run(plain);
      optimise();
      run(plain);
    }
    const caller = callers[2];
    if (caller.isDirect) {
      direct += 1;
      const count = entered(() => {
        for (let i = 0; i < 10; i++) caller.run(plain);
      });
      if (count.direct >= 9) reached += 1;
    }
    for (let i = 0; i < 20; i++) compare(values());
  }
  native.closeLibrary(library);
  fs.rmSync(folder, { recursive: true });
  if (!HAS_PACKED) return assert.equal(direct, 0);
  // Before V8 12.4 there are no BigInts.
  assert.ok(direct > SIGNATURES * (MAJOR === 20 ? 0.3 : 0.8), `${direct} direct functions`);
  assert.ok(reached > direct * 0.75, `${reached} of ${direct} entered directly`);
});
