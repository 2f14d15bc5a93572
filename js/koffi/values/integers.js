'use strict';
// 64-bit integers in JavaScript.

const LIMIT = 2n ** 53n;

/** A 64-bit integer as JavaScript has it: a number up to 2^53, a bigint beyond. */
const fromBigInt = (value) => (value <= LIMIT && value >= -LIMIT ? Number(value) : value);

module.exports = { fromBigInt };
