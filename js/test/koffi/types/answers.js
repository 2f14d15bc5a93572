'use strict';
// Started by peer.test.js: asks the published Koffi the cases from a number on, and prints its
// answers as JSON lines. It may abort on the way; the parent goes on behind the case.

process.noDeprecation = true;

const fs = require('node:fs');
const { peerFolder } = require('../../support/peer');
const { cases, define } = require('./cases');
const { describe } = require('./describe');

const koffi = require(peerFolder('koffi'));

for (let i = Number(process.argv[2]); i < cases.length; i++) {
  koffi.reset();
  define(koffi);
  fs.writeSync(1, `${JSON.stringify(describe(koffi, cases[i].question))}\n`);
}
