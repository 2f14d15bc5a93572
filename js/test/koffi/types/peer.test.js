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

/** The answers of the published Koffi, each case in a process that has survived so far. */
function peerAnswers() {
  peerFolder('koffi');
  const answers = [];
  while (answers.length < cases.length) {
    const script = path.join(__dirname, 'answers.js');
    const run = spawnSync(process.execPath, [script, String(answers.length)], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    const lines = run.stdout.split('\n').slice(0, -1);
    answers.push(...lines.map((line) => JSON.parse(line)));
    if (answers.length < cases.length) {
      assert.ok(run.signal !== null, `${cases[answers.length].name}: ${run.stderr}`);
      answers.push(ABORTED);
    }
  }
  return answers;
}

test('types are those of Koffi 3.3.4', () => {
  const theirs = peerAnswers();
  const wrong = [];
  let differ = 0;
  cases.forEach(({ name, question, ours: meant, why }, i) => {
    ours.reset();
    define(ours);
    const answer = describe(ours, question);
    const expected = why === undefined ? theirs[i] : meant;
    if (answer !== expected) wrong.push(`${name}\n  expected ${expected}\n  got      ${answer}`);
    if (why === undefined) return;
    differ++;
    if (theirs[i] === meant) wrong.push(`${name}\n  3.3.4 does not differ: ${meant}`);
    const aborts = /aborts/.test(why);
    if (aborts !== (theirs[i] === ABORTED)) wrong.push(`${name}\n  3.3.4 says ${theirs[i]}`);
  });
  assert.equal(wrong.length, 0, wrong.join('\n'));
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
