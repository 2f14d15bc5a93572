'use strict';
// Compares the outcomes of two modules: they must be the same but for the listed differences, and
// those must differ. An entry of the list names cases, by patterns with `*`, and may say what the
// outcomes look like, as JSON: then it stands for those of the cases that differ and look so.
//
// Where the peer ends its process, the difference needs no listing: that it corrupts memory and
// when it dies of it, depends on the weather. For the same reason, a few cases where the peer is not
// as it should be are asked again, each in a process of its own.

const assert = require('node:assert/strict');

/** `*` stands for anything; all else for itself. */
const matcher = (glob) => {
  const parts = glob.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
};

/** A pattern of an outcome, as JSON text with `*`; none is for any outcome. */
const outcome = (glob) => (glob === undefined ? /^/ : matcher(glob));

const read = (differences) =>
  differences.map(({ cases, except = [], theirs, ours, reason }) => ({
    reason,
    globs: cases.map((glob) => ({ glob, pattern: matcher(glob) })),
    except: except.map(matcher),
    theirs: outcome(theirs),
    ours: outcome(ours),
    byOutcome: theirs !== undefined || ours !== undefined,
  }));

/** More wrong cases than this are no weather. */
const FEW = 20;
const ATTEMPTS = 3;

const both = (id, theirs, ours) =>
  `${id}\n    theirs: ${JSON.stringify(theirs[id])}\n    ours:   ${JSON.stringify(ours[id])}`;

/**
 * Adds the comparison to a test.
 * @param {object} t the test's context
 * @param {{theirs: object, ours: object, again: (id: string) => Promise<object>,
 *   differences: object[], least: number}} what outcomes, what asks the peer a case again, the list
 *   of differences, and how many cases there are at least
 */
async function compare(t, { theirs, ours, again, differences, least }) {
  const listed = read(differences);
  const ids = Object.keys(theirs);
  assert.deepEqual(Object.keys(ours), ids, 'both ran the same cases');
  assert.ok(ids.length > least, `only ${ids.length} cases`);
  const differs = (id) => JSON.stringify(theirs[id]) !== JSON.stringify(ours[id]);
  const lists = (entry, id) =>
    entry.globs.some(({ pattern }) => pattern.test(id)) &&
    (!entry.byOutcome || differs(id)) &&
    !entry.except.some((one) => one.test(id)) &&
    entry.theirs.test(JSON.stringify(theirs[id])) &&
    entry.ours.test(JSON.stringify(ours[id]));
  const crashed = (id) => theirs[id].crash !== undefined;
  const isListed = (id) => listed.some((entry) => lists(entry, id));
  const isWrong = (id) => !crashed(id) && differs(id) !== isListed(id);
  for (let asked = 0; asked < ATTEMPTS; asked++) {
    const wrong = ids.filter(isWrong);
    if (wrong.length > FEW) break;
    for (const id of wrong) theirs[id] = await again(id);
  }
  const different = ids.filter((id) => differs(id) && !crashed(id));
  t.diagnostic(`${ids.length} cases, ${different.length} differ, ${listed.length} reasons`);

  await t.test('ours ends no process', () => {
    const ends = ids.filter((id) => ours[id].crash || ours[id].uncaught);
    assert.deepEqual(ends, []);
  });

  await t.test('every difference is listed', () => {
    const unlisted = different.filter((id) => !isListed(id));
    const shown = unlisted.map((id) => both(id, theirs, ours)).join('\n  ');
    assert.equal(unlisted.length, 0, `${unlisted.length} unlisted:\n  ${shown}`);
  });

  await t.test('every listed case differs, and every pattern finds one', () => {
    const stale = [];
    for (const entry of listed) {
      for (const { glob, pattern } of entry.globs) {
        const found = ids.filter((id) => pattern.test(id) && lists(entry, id));
        const unknown = ids.some((id) => pattern.test(id) && crashed(id));
        if (found.length === 0 && !unknown) stale.push(`${glob}: no such case`);
        for (const id of found) if (!differs(id)) stale.push(both(id, theirs, ours));
      }
    }
    assert.equal(stale.length, 0, `no longer differing:\n  ${stale.join('\n  ')}`);
  });
}

module.exports = { compare };
