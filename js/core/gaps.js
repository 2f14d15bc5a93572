'use strict';
// Bytes of a record that no member takes: C gets zeros there.
//
// A few stores, each as wide as it can be: to fill a typed array is a call of V8's that takes as long as
// all the rest of a short call.

/** Stores up to which a call is not worth it. */
const MAX_STORES = 16;

/** Views of unsigned numbers by their size; eight zero bytes are the double 0. */
const VIEWS = { 1: 'u8', 2: 'u16', 4: 'u32', 8: 'f64' };

/**
 * The ranges between members.
 * @param {number} size of the record
 * @param {{ offset: number, size: number, gaps?: [number, number][] }[]} members in the order of their
 *   offsets, with the gaps in them
 * @returns {[number, number][]} offsets and sizes
 */
function gapsBetween(size, members) {
  const gaps = [];
  let end = 0;
  for (const member of members) {
    if (member.offset > end) gaps.push([end, member.offset - end]);
    for (const [at, length] of member.gaps ?? []) gaps.push([member.offset + at, length]);
    end = Math.max(end, member.offset + member.size);
  }
  if (size > end) gaps.push([end, size - end]);
  return gaps;
}

/** The aligned words that a range consists of, the widest that `ref` allows: offsets and sizes. */
function wordsOf([from, size], ref) {
  const words = [];
  for (let at = from; at < from + size; ) {
    const left = from + size - at;
    const width = [8, 4, 2, 1].find((n) => n <= left && ref.plus(at).isAligned(n));
    words.push([at, width]);
    at += width;
  }
  return words;
}

/**
 * Emits stores of zeros.
 * @param {[number, number][]} ranges offsets from `ref`, and sizes
 */
function clearRanges(g, ref, ranges) {
  const words = ranges.flatMap((range) => wordsOf(range, ref));
  if (words.length <= MAX_STORES) {
    for (const [at, width] of words) g.write(VIEWS[width], ref.plus(at), '0');
    return;
  }
  const [first] = ranges[0];
  const [last, length] = ranges.at(-1);
  g.emit(`clear(${ref.plus(first)}, ${last + length - first});`);
}

module.exports = { clearRanges, gapsBetween };
