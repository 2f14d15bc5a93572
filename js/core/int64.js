'use strict';
// Stores of 64-bit integers that JavaScript has as numbers.

const { pointerSize, split } = require('./memory.js');
const { toBigInt } = require('./primordials.js');

/**
 * Whether V8 makes one store of 64 bits of a small number that becomes a bigint (from 11 on): what C
 * reads at once it waits for when it was stored in two parts.
 */
const storesWhole = pointerSize === 8 && Number.parseInt(process.versions.v8, 10) >= 11;

/** Emits the store of a number, in `value`, at a place. */
function putInt64(g, value, ref, signed) {
  g.emit(`if ((${value} | 0) === ${value}) {`);
  if (storesWhole && ref.isAligned(8)) {
    g.write('i64', ref, `${g.constant(toBigInt)}(${value} | 0)`);
  } else {
    g.write('i32', ref, value);
    g.write('i32', ref.plus(4), `${value} >> 31`);
  }
  g.emit('} else {');
  const halves = g.local(`${g.constant(split)}(${value}, ${signed})`);
  g.write('u32', ref, `${halves}[0]`);
  g.write('u32', ref.plus(4), `${halves}[1]`);
  g.emit('}');
}

module.exports = { putInt64 };
