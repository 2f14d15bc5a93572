'use strict';

/** The values that cases and contestants share, so that all of them pass and expect the same. */

exports.TEXT_16 = 'sixteen letters.';
exports.TEXT_200 = 'two hundred letters '.repeat(10);
exports.TEXT_1K = 'x'.repeat(1024);
exports.TEXT_UMLAUTS = 'ü'.repeat(16);

exports.BYTES = Buffer.from(Array.from({ length: 100 }, (_, i) => i + 1));
exports.INTS = Array.from({ length: 100 }, (_, i) => i * 3 + 1);
exports.DOUBLES = [0.5, 1.5, 2.5, 3.5, 4.5];

/** Far enough from zero that a conversion through a double would show. */
exports.BIG = 2n ** 62n + 1n;

exports.RECORD = { id: 7, score: 0.5, stamp: 1000, level: 3 };

/** 1,000 integers in an order that makes qsort work (a fixed linear congruence). */
exports.UNSORTED = (() => {
  const out = new Int32Array(1000);
  let state = 12345;
  for (let i = 0; i < out.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    out[i] = state >>> 8;
  }
  return out;
})();
exports.SORTED = Int32Array.from(exports.UNSORTED).sort();

/** The functions of libmany: `f00000` to `f19999`. */
exports.manyNames = (count) =>
  Array.from({ length: count }, (_, i) => `f${String(i).padStart(5, '0')}`);
