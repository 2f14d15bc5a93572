'use strict';
// The C functions of grid.test.js: random signatures, and what makes a library of them. The same seed
// gives the same library, so that it can be compiled where the test does not run
// (ci/lib/targets/toolchain.js).

const { randomOf } = require('../support/random');

const SIGNATURES = 240;

/** C types of arguments; grid.test.js says what travels in them. */
const C_TYPES = [
  'uint8_t',
  'int16_t',
  'int32_t',
  'uint32_t',
  'int64_t',
  'uint64_t',
  'float',
  'double',
  'bool',
  // As a BigInt.
  'int64_t',
  'const char *',
  'void *',
  // A view.
  'uint8_t *',
];

/** What the numbers of types below these are: scalars that travel as numbers. */
const NUMBERS = 9;
/** Scalars of all kinds. */
const SCALARS = 10;
const TEXT = 10;
const VOID = C_TYPES.length;

const range = (count) => Array.from({ length: count }, (_, i) => i);
const RESULTS = [...range(SCALARS), VOID, TEXT];

/**
 * One signature: numbers of types.
 * @returns {{ name: string, params: number[], ret: number, errno: boolean }}
 */
function randomSignature(random, index) {
  const many = random.chance(0.15);
  const count = random.below(many ? 40 : 9);
  const kinds = range(random.chance(0.3) ? NUMBERS : C_TYPES.length);
  return {
    name: `f${index}`,
    params: Array.from({ length: count }, () => random.pick(kinds)),
    ret: random.pick(RESULTS),
    errno: random.chance(0.3),
  };
}

/** The signatures of a seed. */
function signaturesOf(seed) {
  const random = randomOf(seed);
  return range(SIGNATURES).map((index) => randomSignature(random, index));
}

/** What a function returns: a part of the hash, or its first text. */
function resultOf({ params, ret }) {
  const text = params.indexOf(TEXT);
  const results = {
    bool: 'return last >> 7 & 1;',
    float: 'return (float)(int32_t)last;',
    double: 'return (double)(int64_t)last / 3;',
    'const char *': text >= 0 ? `return a${text};` : 'return "constant \\xc3\\xbc";',
  };
  if (ret === VOID) return '';
  return results[C_TYPES[ret]] ?? `return (${C_TYPES[ret]})(last >> 13);`;
}

/** A function that hashes what it gets, sets errno, and returns a part of the hash. */
function functionOf(signature) {
  const { name, params, ret } = signature;
  const list = params.map((type, i) => `${C_TYPES[type]} a${i}`).join(', ') || 'void';
  const puts = params.map((type, i) =>
    type === TEXT ? `  text(a${i});` : `  put(&a${i}, sizeof a${i});`,
  );
  return `${ret === VOID ? 'void' : C_TYPES[ret]} ${name}(${list}) {
  last = 14695981039346656037u;
${puts.join('\n')}
  errno = last % 100;
  ${resultOf(signature)}
}
`;
}

/** The library of a seed, in C. */
function sourceOf(seed) {
  return `#include <errno.h>
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
uint32_t grid_seed(void) { return ${seed}u; }
${signaturesOf(seed).map(functionOf).join('\n')}`;
}

module.exports = { C_TYPES, SIGNATURES, VOID, signaturesOf, sourceOf };
