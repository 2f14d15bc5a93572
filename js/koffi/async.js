'use strict';
// The `async` form of functions: a call on another thread, with a callback.

const { AsyncResource } = require('node:async_hooks');
const { compileTask } = require('../core/compile.js');
const { native } = require('../core/loader.js');
const { launchTask } = require('../core/tasks.js');
const { taskEnded } = require('./callbacks.js');
const { invalid, kindName } = require('./errors.js');
const { describe } = require('./functions.js');

/** The callback of the asynchronous call that is being started. */
let starting;

/** Starts a call; its callback hears of the result in the context it was given in. */
function launch(task, values, mark, later) {
  const callback = starting;
  const context = new AsyncResource('koffi');
  const deliver = (error, value) => {
    taskEnded();
    context.runInAsyncScope(callback, undefined, error, value);
  };
  const settle = { resolve: (value) => deliver(null, value), reject: (error) => deliver(error) };
  launchTask(task, values, mark, later, settle);
}

/** A callee with its address. A library that was closed has none, and starts no call. */
const located = ({ address, library, symbol }) => ({
  address: address ?? native.symbol(library, symbol),
  library,
});

/** The asynchronous form of a function. Errors of arguments go to the callback at once. */
function makeAsync(signature, callee, name) {
  const count = signature.params.length;
  let start;
  const call = (...args) => {
    if (args.length <= count) {
      throw invalid(`Expected ${count + 1} arguments, got ${args.length}`, {
        expected: count + 1,
        received: args.length,
      });
    }
    const callback = args[count];
    if (typeof callback !== 'function') {
      const received = kindName(callback);
      throw invalid(`Expected callback function as last argument, got ${received}`, {
        argument: count,
        expected: 'Function',
        received,
      });
    }
    start ??= compileTask(describe(signature, { startTask: launch }), located(callee));
    const outer = starting;
    starting = callback;
    let failed;
    try {
      start(...args);
    } catch (error) {
      if (error?.code === 'ERR_FFI_LIBRARY_CLOSED') throw error;
      failed = { error };
    } finally {
      starting = outer;
    }
    if (failed !== undefined) callback(failed.error);
  };
  return Object.defineProperty(call, 'name', { value: name, configurable: true });
}

module.exports = { makeAsync };
