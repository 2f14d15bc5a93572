'use strict';
// What the examples share: a line per call, with its result and how long it took.

const { inspect } = require('node:util');

/** A result as text, long ones shortened. */
function text(value) {
  if (Buffer.isBuffer(value)) {
    const start = value.subarray(0, 8).toString('hex');
    return value.length > 8 ? `<${value.length} bytes: ${start}...>` : `<${start}>`;
  }
  const whole = typeof value === 'string' ? JSON.stringify(value) : inspect(value, { depth: 2 });
  const line = whole.replace(/\s+/g, ' ');
  return line.length > 70 ? `${line.slice(0, 67)}...` : line;
}

function time(ns) {
  if (ns < 1e3) return `${ns} ns`;
  return ns < 1e6 ? `${(ns / 1e3).toFixed(1)} us` : `${(ns / 1e6).toFixed(2)} ms`;
}

/**
 * Makes a call, prints what was called, the result and the time, and returns the result.
 *
 * @template T
 * @param {string} what the call as C would write it
 * @param {() => T} call
 * @param {(result: T) => string} [shown] the result as text
 * @returns {T}
 */
function show(what, call, shown = text) {
  const started = process.hrtime.bigint();
  const result = call();
  const taken = Number(process.hrtime.bigint() - started);
  console.log(`  ${what.padEnd(52)} = ${shown(result).padEnd(28)} ${time(taken)}`);
  return result;
}

/** Prints how long a call takes when it is made many times. */
function pace(what, calls, call) {
  for (let i = 0; i < 1000; i++) call(i);
  const started = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) call(i);
  const each = Number(process.hrtime.bigint() - started) / calls;
  console.log(`  ${what.padEnd(52)} : ${calls} calls, ${each.toFixed(0)} ns each`);
}

module.exports = { show, pace };
