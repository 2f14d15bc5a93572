'use strict';
// `koffi.node`: what belongs to Node itself.

const { native } = require('../core/loader.js');
const { PollHandle, poll } = require('./poll.js');

module.exports = { PollHandle, env: native.env, poll };
