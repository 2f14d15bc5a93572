'use strict';
// What `node ci/packages.js` writes is what is there.

const assert = require('node:assert/strict');
const test = require('node:test');
const { outOfDate } = require('../../packages.js');

test('npm/, THIRD-PARTY-LICENSES and every place of the version are current', async () => {
  const files = (await outOfDate()).map(([file]) => file);
  assert.deepEqual(files, [], 'node ci/packages.js brings them up to date');
});
