'use strict';
// `koffi.node`: what belongs to Node itself.

const { native } = require('../core/loader.js');
const { PollHandle, poll } = require('./poll.js');

module.exports = {
  PollHandle,
  /** The Node-API environment. C that has it may call Node-API, which needs the thread's stack. */
  get env() {
    native.stopRelay();
    return native.env;
  },
  poll,
};
