'use strict';
// Calls on other threads, as promises.

const { native } = require('./loader.js');
const { views, FRAME, TOP, END, overflow, spilled } = require('./memory.js');
const { recordedPointers, recordedValues } = require('./recording.js');
const { takeTransient } = require('./callbacks.js');

const { u32 } = views;

/**
 * Calls that have not ended, by identifier: what settles the promise, what reads the result, and
 * what must stay reachable until then.
 */
const pending = new Map();

/**
 * Starts a call whose frame is the one that the FRAME cell names.
 * @param {object} task { signature, address, library, errno, frameSize, read }
 * @param {unknown[]} values the arguments; their memory may be in use until the call ends
 * @param {number} callbackCount number of transient callbacks that belong to calls further out
 * @param {unknown[]} later what arguments left to be done after the call
 * @param {{ resolve: (value: unknown) => void, reject: (error: unknown) => void }} settle
 * @param {boolean} [background] whether it neither keeps the event loop alive nor is waited for
 */
function launchTask(task, values, callbackCount, later, settle, background = false) {
  listen();
  const { signature, address, library, errno } = task;
  const pointers = recordedPointers();
  const id = native.startTask(signature, address, library, errno, pointers, background);
  const callbacks = takeTransient(callbackCount);
  const held = [values, [...spilled], recordedValues()];
  pending.set(id, { task, settle, callbacks, held, later });
}

/** The same as a promise. */
function startTask(task, values, callbackCount, later) {
  let settle;
  const promise = new Promise((resolve, reject) => {
    settle = { resolve, reject };
  });
  launchTask(task, values, callbackCount, later, settle);
  return promise;
}

/** How many calls have not ended. */
const pendingTasks = () => pending.size;

let listening = false;

/** Asks for news of finished calls, when there is the first call. */
function listen() {
  if (listening) return;
  listening = true;
  native.onTasks(collect);
  native.waitAtExit(!require('node:worker_threads').isMainThread);
}

/** Settles the promises of all calls that have finished. */
function collect() {
  for (;;) {
    const id = native.collectTask();
    if (id === undefined) return;
    const call = pending.get(id);
    pending.delete(id);
    finish(call);
  }
}

/** Reads what a call that has ended left in its frame, and settles it. */
function finish({ task, settle, callbacks, later }) {
  const top = u32[TOP];
  const frame = u32[FRAME];
  let [value, error, failed] = [undefined, undefined, false];
  try {
    if (frame + task.frameSize > END) throw overflow();
    u32[TOP] = frame + task.frameSize;
    value = task.read(frame, later);
  } catch (thrown) {
    [error, failed] = [thrown, true];
  } finally {
    u32[TOP] = top;
    for (const callback of callbacks) callback.release();
  }
  if (failed) settle.reject(error);
  else settle.resolve(value);
}

module.exports = { launchTask, pendingTasks, startTask };
