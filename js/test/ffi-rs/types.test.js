'use strict';
// Compiles the type tests, and one file of programs against the declarations of the published
// ffi-rs as well as ours: what compiled there must compile here.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const { ROOT } = require('../support/native');
const { peerFolder } = require('../support/peer');

const TYPES = path.join(__dirname, '..', 'types');
const COMPILER = require.resolve('typescript/lib/tsc.js', { paths: [ROOT] });

function compile(project) {
  const run = spawnSync(process.execPath, [COMPILER, '--noEmit', '-p', project], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  assert.equal(run.status, 0, run.stdout + run.stderr);
}

test('type tests compile, expected errors included', () => {
  compile(TYPES);
});

test('programs for the published declarations compile against those', () => {
  const folder = path.join(ROOT, '.cache', 'types');
  const project = path.join(folder, 'tsconfig.json');
  fs.mkdirSync(folder, { recursive: true });
  const own = JSON.parse(fs.readFileSync(path.join(TYPES, 'tsconfig.json'), 'utf8'));
  const compilerOptions = {
    ...own.compilerOptions,
    skipLibCheck: true,
    typeRoots: [path.join(ROOT, 'node_modules', '@types')],
    paths: { 'ffi-under-test': [path.join(peerFolder(), 'index.d.ts')] },
  };
  const files = [path.join(TYPES, 'compatible.ts')];
  fs.writeFileSync(project, JSON.stringify({ compilerOptions, files }));
  compile(project);
});
