// timeout: 900
'use strict';
// The suites of the dialects, on the tier that they do not run on anyway.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const { NODE, SLOW } = require('../support/child');
const { ROOT } = require('../support/native');
const { HAS_PACKED } = require('./support');

/** What makes calls; the others are about types, names and time. */
const SUITES = {
  'ffi-rs':
    'arrays callbacks define errno free libraries lifetime null-arguments pointers records scalars ' +
    'strings structs threads validation',
  koffi: 'async callbacks libraries memory pointers scalars settings strings structs',
};
const FILES = Object.entries(SUITES).flatMap(([dialect, names]) =>
  names.split(' ').map((name) => path.join(dialect, `${name}.test.js`)),
);
const OTHER = HAS_PACKED ? 'node-api' : 'packed';

for (const name of FILES) {
  test(`${name} with FFI_JIT_TIER=${OTHER}`, () => {
    const file = path.join(__dirname, '..', name);
    const [, flags = ''] = /^\/\/ flags: (.+)$/m.exec(fs.readFileSync(file, 'utf8')) ?? [];
    const args = [...flags.split(' ').filter(Boolean), '--test-reporter=tap', file];
    const run = spawnSync(NODE, args, {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, FFI_JIT_TIER: OTHER, NODE_TEST_CONTEXT: undefined },
      timeout: 300_000 * SLOW,
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
