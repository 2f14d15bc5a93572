'use strict';
// What follows a call when the PENDING cell is not zero (src/node/relay.rs).
//
// A function that calls back runs on a stack of its own. Its entry returns when C calls a callback,
// which is run here, by the JavaScript that made the call, and not by C. Then C goes on.

const { native } = require('./loader.js');
const { table } = require('./callbacks.js');
const { views, PENDING, CALLBACK, LEVEL, FAILED, CALLER, ENTERED } = require('./memory.js');

const { u32, f64 } = views;

/** Values of PENDING; others say that something has to be thrown. */
const UPCALL = 4;
const CALLED_BACK = 5;

/**
 * What calls that are suspended need while C runs, by level: JavaScript that is terminated in a
 * callback leaves them here until C has come to its end.
 */
const alive = [];

/**
 * Makes `settle(token, held)`, which is called when a call has left something to be done: with the
 * token of its function, and what it needs, if there is anything.
 * @param {() => void} resume lets C go on; returns like an entry
 * @param {number} worth how many callbacks a call must have made to be left for the next ones
 */
function settler(resume, worth) {
  /** Runs callbacks of the call that was left last, until it has ended. */
  function relay(held) {
    const level = u32[LEVEL];
    if (held !== undefined) alive[level] = held;
    let failed = false;
    let thrown;
    do {
      u32[PENDING] = 0;
      // While JavaScript has the call in hand.
      u32[LEVEL] = 0;
      try {
        table[u32[CALLBACK]]();
      } catch (error) {
        // From now on C gets zero from callbacks that are not run.
        u32[FAILED] = 1;
        failed = true;
        thrown = error;
      }
      u32[LEVEL] = level;
      resume();
    } while (u32[PENDING] === UPCALL);
    if (held !== undefined) alive[level] = undefined;
    if (failed) throw thrown;
  }

  // Short, so that V8 has room to inline it and what it calls.
  return function settle(token, held) {
    if (u32[PENDING] === UPCALL && f64[CALLER] === token) relay(held);
    else settleOther(token, worth);
  };
}

/** What there is to do when no call of this function was left. */
function settleOther(token, worth) {
  const pending = u32[PENDING];
  if (pending !== UPCALL && pending !== CALLED_BACK) return native.rethrow();
  // Where it is another's call that was left, JavaScript had no stack to get here.
  u32[PENDING] = 0;
  if (pending === CALLED_BACK) promote(token, worth);
}

/** Lets calls of a function be left, if it has called back often enough. */
function promote(token, worth) {
  const entered = u32[ENTERED];
  u32[ENTERED] = 0;
  if (entered >= worth) native.relayCalls(token, worth);
}

module.exports = { CALLED_BACK, settler };
