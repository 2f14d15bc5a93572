'use strict';
// Measures whether the memory of the process grows while something is done many times.

const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

/** Collects garbage, also in a process that was not started with --expose-gc. */
function collector() {
  if (typeof globalThis.gc === 'function') return globalThis.gc;
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}

const gc = collector();
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

async function residentBytes() {
  for (let i = 0; i < 3; i++) {
    gc();
    await settle(); // finalizers run between
  }
  return process.memoryUsage.rss();
}

/** What a round may grow without meaning anything: a few arenas of the allocators and of V8. */
const NOISE = 1 << 20;

/**
 * Does something many times and tells how the memory of the process grew. A true leak grows in
 * every round and noise does not, so the least growth of a few rounds counts.
 *
 * @param {(i: number) => unknown} turn what is done; a promise is awaited
 * @param {{turns?: number, rounds?: number, seconds?: number}} [options] turns of all rounds
 *   together, and the time after which a round is cut
 * @returns {Promise<{grown: number, turns: number, flat: boolean}>} bytes of the best round
 */
async function growth(turn, { turns = 1_000_000, rounds = 4, seconds = 2 } = {}) {
  const perRound = Math.ceil(turns / rounds);
  let index = 0;
  const run = async (count) => {
    const end = Date.now() + seconds * 1000;
    for (let i = 0; i < count; i++) {
      const result = turn(index++);
      if (result instanceof Promise) await result;
      if ((i & 1023) === 1023 && Date.now() > end) return;
      // Externals and buffers are finalized on a turn of the event loop only.
      if ((i & 16383) === 16383) await settle();
    }
  };
  await run(Math.ceil(perRound / 2));
  let grown = Infinity;
  // More rounds where the first were noisy: a leak grows in every one.
  for (let round = 0; round < rounds || (grown >= NOISE && round < 3 * rounds); round++) {
    const before = await residentBytes();
    await run(perRound);
    grown = Math.min(grown, (await residentBytes()) - before);
  }
  return { grown, turns: index, flat: grown < NOISE };
}

module.exports = { growth };
