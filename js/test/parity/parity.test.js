'use strict';
// The same cases on the published ffi-rs and on ours. Outcomes must be the same but for those
// that differences.json lists with a reason, and those must differ.

const assert = require('node:assert/strict');
const test = require('node:test');
const { peerFolder, VERSION } = require('../support/peer');
const { record } = require('./record');
const differences = require('./differences.json');

/** `*` stands for anything; all else for itself. */
const matcher = (glob) => {
  const parts = glob.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
};

const listed = differences.map(({ cases, except = [], reason }) => ({
  reason,
  globs: cases.map((glob) => ({ glob, pattern: matcher(glob) })),
  except: except.map(matcher),
}));

const lists = (entry, id) =>
  entry.globs.some(({ pattern }) => pattern.test(id)) && !entry.except.some((one) => one.test(id));

const both = (id, theirs, ours) =>
  `${id}\n    theirs: ${JSON.stringify(theirs[id])}\n    ours:   ${JSON.stringify(ours[id])}`;

test(`the same outcomes as ffi-rs ${VERSION}, but for the listed differences`, async (t) => {
  const theirs = await record(peerFolder());
  const ours = await record(process.env.FFI_JIT_MODULE || 'ffi-jit');
  const ids = Object.keys(theirs);
  assert.deepEqual(Object.keys(ours), ids, 'both ran the same cases');
  assert.ok(ids.length > 900, `only ${ids.length} cases`);
  const differs = (id) => JSON.stringify(theirs[id]) !== JSON.stringify(ours[id]);
  const different = ids.filter(differs);
  t.diagnostic(`${ids.length} cases, ${different.length} differ, ${listed.length} reasons`);

  await t.test('ours ends no process', () => {
    const ends = ids.filter((id) => ours[id].crash || ours[id].uncaught);
    assert.deepEqual(ends, []);
  });

  await t.test('every difference is listed', () => {
    const unlisted = different.filter((id) => !listed.some((entry) => lists(entry, id)));
    const shown = unlisted.map((id) => both(id, theirs, ours)).join('\n  ');
    assert.equal(unlisted.length, 0, `${unlisted.length} unlisted:\n  ${shown}`);
  });

  await t.test('every listed case differs, and every pattern finds one', () => {
    const stale = [];
    for (const entry of listed) {
      for (const { glob, pattern } of entry.globs) {
        const found = ids.filter((id) => pattern.test(id) && lists(entry, id));
        if (found.length === 0) stale.push(`${glob}: no such case`);
        for (const id of found) if (!differs(id)) stale.push(both(id, theirs, ours));
      }
    }
    assert.equal(stale.length, 0, `no longer differing:\n  ${stale.join('\n  ')}`);
  });
});
