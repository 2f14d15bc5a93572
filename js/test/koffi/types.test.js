'use strict';
// Compiles one file of programs against the declarations of the published Koffi as well as ours:
// what compiled there must compile here. The rest of the type tests of this dialect is
// js/test/types/koffi*.ts, which ../ffi-rs/types.test.js compiles with its own.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const { ROOT } = require('../support/native');
const { peerFolder } = require('../support/peer');

const TYPES = path.join(__dirname, '..', 'types');
const COMPILER = require.resolve('typescript/lib/tsc.js', { paths: [ROOT] });

/** The compiler's complaints about koffi-compatible.ts with these declarations. */
function complaints(name, declarations) {
  const folder = path.join(ROOT, '.cache', 'types');
  const project = path.join(folder, `tsconfig-${name}.json`);
  fs.mkdirSync(folder, { recursive: true });
  const own = JSON.parse(fs.readFileSync(path.join(TYPES, 'tsconfig.json'), 'utf8'));
  const compilerOptions = {
    ...own.compilerOptions,
    // As many programs have it: Koffi's declarations are those of an ES module.
    module: 'esnext',
    moduleResolution: 'bundler',
    exactOptionalPropertyTypes: false,
    skipLibCheck: true,
    typeRoots: [path.join(ROOT, 'node_modules', '@types')],
    paths: { 'koffi-under-test': [declarations] },
  };
  const files = [path.join(TYPES, 'koffi-compatible.ts')];
  fs.writeFileSync(project, JSON.stringify({ compilerOptions, files }));
  const run = spawnSync(process.execPath, [COMPILER, '--noEmit', '-p', project], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  assert.equal(run.error, undefined);
  return run.stdout + run.stderr;
}

test('programs compile against our declarations', () => {
  assert.equal(complaints('ours', path.join(ROOT, 'js', 'koffi', 'index.d.ts')), '');
});

test('the same programs compile against the published declarations', () => {
  assert.equal(complaints('koffi', path.join(peerFolder('koffi'), 'index.d.ts')), '');
});

test('every name of the module is declared, and the other way round', () => {
  const { koffi, isPeer } = require('../support/koffi');
  const source = fs.readFileSync(path.join(ROOT, 'js', 'koffi', 'index.d.ts'), 'utf8');
  const declared = new Set(
    [...source.matchAll(/^export declare (?:function|const|class) (\w+)/gm)].map(
      ([, name]) => name,
    ),
  );
  for (const [, list] of source.matchAll(/^export \{([^}]*)\}/gm)) {
    for (const item of list.split(',')) declared.add(item.trim().replace(/^.* as /, ''));
  }
  declared.add('default');
  const extra = isPeer ? ['handle', 'callback'] : [];
  const real = [...new Set([...Object.keys(koffi), 'default', ...extra])].sort();
  assert.deepEqual([...declared].sort(), real);
});
