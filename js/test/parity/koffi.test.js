'use strict';
// timeout: 900
// The same cases on the published Koffi and on ours. Outcomes must be the same but for those that
// koffi-differences.json lists with a reason, and those must differ.

const test = require('node:test');
const { peerFolder, VERSIONS } = require('../support/peer');
const { compare } = require('./compare');
const { record, recordOne } = require('./record');
const differences = require('./koffi-differences.json');

test(`the same outcomes as koffi ${VERSIONS.koffi}, but for the listed differences`, async (t) => {
  const theirs = await record(peerFolder('koffi'), 'koffi');
  const ours = await record(process.env.KOFFI_MODULE || 'ffi-jit/koffi', 'koffi');
  const again = (id) => recordOne(peerFolder('koffi'), 'koffi', id);
  await compare(t, { theirs, ours, again, differences, least: 3000 });
});
