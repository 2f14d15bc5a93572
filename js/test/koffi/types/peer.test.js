'use strict';
// Primitives, and every question of cases.js, to the published Koffi 3.3.4 and to ours: the same
// answer, or the one that the case gives a reason for.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const test = require('node:test');
const types = require('../../../koffi/types');
const { cases, define } = require('./cases');
const { describe } = require('./describe');
const { peerFolder } = require('../../support/peer');

const ours = { ...types.api, reset: types.resetNames };

const ABORTED = 'aborted';
/** How often the peer is asked: what it answers after it has corrupted memory is chance. */
const ATTEMPTS = 4;

/** Answers of the published Koffi from a case on, up to the one that ends its process. */
function peerAnswers(from) {
  const script = path.join(__dirname, 'answers.js');
  const run = spawnSync(process.execPath, [script, String(from)], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  const lines = run.stdout.split('\n').slice(0, -1);
  const answers = lines.map((line) => JSON.parse(line));
  if (from + answers.length < cases.length) {
    assert.ok(run.signal !== null, `${cases[from + answers.length].name}: ${run.stderr}`);
    answers.push(ABORTED);
  }
  return answers;
}

/** What is wrong with our answer to a case, or with the case, if this is the peer's; or nothing. */
function complaint({ name, ours: meant, why }, answer, theirs) {
  const expected = why === undefined ? theirs : meant;
  if (answer !== expected) return `${name}\n  expected ${expected}\n  got      ${answer}`;
  if (why === undefined) return undefined;
  if (theirs === meant) return `${name}\n  3.3.4 does not differ: ${meant}`;
  const aborts = /aborts/.test(why);
  return aborts === (theirs === ABORTED) ? undefined : `${name}\n  3.3.4 says ${theirs}`;
}

test('types are those of Koffi 3.3.4', () => {
  peerFolder('koffi');
  const theirs = [];
  while (theirs.length < cases.length) theirs.push(...peerAnswers(theirs.length));
  const wrong = [];
  cases.forEach((one, i) => {
    ours.reset();
    define(ours);
    const answer = describe(ours, one.question);
    let found = complaint(one, answer, theirs[i]);
    for (let asked = 1; found !== undefined && asked < ATTEMPTS; asked++) {
      found = complaint(one, answer, peerAnswers(i)[0]);
    }
    if (found !== undefined) wrong.push(found);
  });
  assert.equal(wrong.length, 0, wrong.join('\n'));
  const differ = cases.filter(({ why }) => why !== undefined).length;
  console.log(`${cases.length} cases, ${differ} of them with a difference that is meant`);
});

test('every primitive is the one of the published Koffi', () => {
  const koffi = types.api;
  const peer = require(peerFolder('koffi'));
  assert.deepEqual(Object.keys(koffi.types), Object.keys(peer.types));
  for (const [name, type] of Object.entries(peer.types)) {
    assert.deepEqual({ ...koffi.types[name] }, { ...type }, name);
    assert.deepEqual({ ...koffi.type(name) }, { ...type }, name);
  }
  for (const name of ['char *', 'char16_t *', 'char16 *', 'char32_t *', 'char32 *', 'wchar *']) {
    assert.deepEqual({ ...koffi.type(name) }, { ...peer.type(name) }, name);
  }
});
