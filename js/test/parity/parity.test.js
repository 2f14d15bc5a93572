'use strict';
// The same cases on the published ffi-rs and on ours. Outcomes must be the same but for those
// that differences.json lists with a reason, and those must differ.

const test = require('node:test');
const { peerFolder, VERSION } = require('../support/peer');
const { compare } = require('./compare');
const { record, recordOne } = require('./record');
const differences = require('./differences.json');

test(`the same outcomes as ffi-rs ${VERSION}, but for the listed differences`, async (t) => {
  const theirs = await record(peerFolder());
  const ours = await record(process.env.FFI_JIT_MODULE || 'ffi-jit');
  const again = (id) => recordOne(peerFolder(), 'ffi-rs', id);
  await compare(t, { theirs, ours, again, differences, least: 900 });
});
