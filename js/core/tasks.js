'use strict';
// Calls on other threads, as promises.

const { native } = require('./loader.js');
const { views, FRAME, TOP, END, overflow, spilled } = require('./memory.js');
const { recordedPointers, recordedValues } = require('./recording.js');
const { release, takeTransient } = require('./callbacks.js');

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
 * @returns {Promise<unknown>}
 */
function startTask(task, values, callbackCount) {
  listen();
  const { signature, address, library, errno } = task;
  const id = native.startTask(signature, address, library, errno, recordedPointers());
  const callbacks = takeTransient(callbackCount);
  const held = [values, [...spilled], recordedValues()];
  return new Promise((resolve, reject) => {
    pending.set(id, { task, resolve, reject, callbacks, held });
  });
}

let listening = false;

/** Asks for news of finished calls, when there is the first call. */
function listen() {
  if (listening) return;
  listening = true;
  native.onTasks(collect);
  // Loading it takes longer than loading us: only who needs it pays.
  native.waitAtExit(!require('node:worker_threads').isMainThread);
}

/** Settles the promises of all calls that have finished. */
function collect() {
  for (;;) {
    const id = native.collectTask();
    if (id === undefined) return;
    const call = pending.get(id);
    pending.delete(id);
    const top = u32[TOP];
    const frame = u32[FRAME];
    try {
      if (frame + call.task.frameSize > END) throw overflow();
      u32[TOP] = frame + call.task.frameSize;
      call.resolve(call.task.read(frame));
    } catch (error) {
      call.reject(error);
    } finally {
      u32[TOP] = top;
      for (const address of call.callbacks) release(address);
    }
  }
}

module.exports = { startTask };
