'use strict';
// A small seeded generator, so that a failure can be repeated.

/** The seed: FFI_JIT_SEED, or one of its own for every run. */
function seedOf(env = process.env.FFI_JIT_SEED) {
  if (env !== undefined && env !== '') return Number(env) >>> 0;
  return (Date.now() ^ (process.pid << 16)) >>> 0;
}

/** mulberry32, with the few draws that the fuzzers need. */
function randomOf(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n) => Math.floor(next() * n);
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick: (list) => list[below(list.length)],
    times: (max, make) => Array.from({ length: below(max + 1) }, (_, i) => make(i)),
  };
}

module.exports = { randomOf, seedOf };
