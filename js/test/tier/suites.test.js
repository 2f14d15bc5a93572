// timeout: 900
'use strict';
// The suites of the dialect, on the tier that they do not run on anyway.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const { ROOT } = require('../support/native');
const { HAS_PACKED } = require('./support');

const FOLDER = path.join(__dirname, '../ffi-rs');
/** What makes calls; the others are about types, names and time. */
const SUITES = [
  'arrays',
  'callbacks',
  'define',
  'errno',
  'free',
  'libraries',
  'lifetime',
  'null-arguments',
  'pointers',
  'records',
  'scalars',
  'strings',
  'structs',
  'threads',
  'validation',
];
const OTHER = HAS_PACKED ? 'node-api' : 'packed';

for (const name of SUITES) {
  test(`${name} with FFI_JIT_TIER=${OTHER}`, () => {
    const file = path.join(FOLDER, `${name}.test.js`);
    const [, flags = ''] = /^\/\/ flags: (.+)$/m.exec(fs.readFileSync(file, 'utf8')) ?? [];
    const args = [...flags.split(' ').filter(Boolean), '--test-reporter=tap', file];
    const run = spawnSync(process.execPath, args, {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, FFI_JIT_TIER: OTHER, NODE_TEST_CONTEXT: undefined },
      timeout: 300_000,
    });
    const [, passed] = /^# pass (\d+)$/m.exec(run.stdout) ?? [];
    assert.equal(
      run.status,
      0,
      `${run.signal ?? ''}\n${run.stdout.slice(-3000)}${run.stderr.slice(-2000)}`,
    );
    assert.ok(Number(passed) > 0, 'no test ran');
  });
}
