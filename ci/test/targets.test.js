'use strict';
// The parts of ci/targets.js that share a cache, try again, and choose suites.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const { folder, locked, must, once, replaceFile } = require('../lib/targets/cache.js');
const { chooseSuites } = require('../lib/targets/suites.js');

const linux = process.platform === 'linux' ? {} : { skip: 'flock(1) is of Linux' };
const CACHE = require.resolve('../lib/targets/cache.js');

/** A folder of the cache for one test: its name there. */
function scratch(t) {
  const name = `self-test-${process.pid}-${t.name.replace(/\W+/g, '-')}`;
  t.after(() => {
    fs.rmSync(path.join(folder, name), { recursive: true, force: true });
    fs.rmSync(path.join(folder, 'locks', `${name}+made`), { force: true });
  });
  fs.mkdirSync(path.join(folder, name), { recursive: true });
  return name;
}

/** Runs a program with the cache as `cache`; resolves when it has ended. */
function inProcess(source) {
  const program = `const cache = require(${JSON.stringify(CACHE)});\n${source}`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (text) => {
    printed += text;
  });
  const ended = new Promise((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, printed }));
  });
  return { child, ended };
}

test('processes that want the same folder make it once', linux, async (t) => {
  const name = scratch(t);
  const log = path.join(folder, name, 'log');
  const source = `cache.once(${JSON.stringify(`${name}/made`)}, async (place) => {
    require('node:fs').appendFileSync(${JSON.stringify(log)}, 'made ');
    await new Promise((resolve) => setTimeout(resolve, 300));
    require('node:fs').writeFileSync(place + '/whole', '');
  }).then((place) => console.log(require('node:fs').existsSync(place + '/whole')));`;
  const ends = await Promise.all([1, 2, 3, 4].map(() => inProcess(source).ended));
  assert.deepEqual(ends, Array(4).fill({ code: 0, signal: null, printed: 'true\n' }));
  assert.equal(fs.readFileSync(log, 'utf8'), 'made ');
});

test('a folder is made again after a failure, and from another recipe', linux, async (t) => {
  const name = `${scratch(t)}/made`;
  const seen = [];
  const make = (what) => async (place) => {
    seen.push(`${what} ${fs.readdirSync(place).length}`);
    fs.writeFileSync(path.join(place, 'file'), what);
    if (what === 'bad') throw new Error('the network is gone');
  };
  await assert.rejects(once(name, make('bad')), /network/);
  await once(name, make('good'));
  await once(name, make('not wanted'));
  await once(name, make('newer'), 'recipe 2');
  assert.deepEqual(seen, ['bad 0', 'good 0', 'newer 0']);
  assert.equal(fs.readFileSync(path.join(folder, name, 'file'), 'utf8'), 'newer');
});

test('the lock of a process that was killed is free', linux, async (t) => {
  const file = path.join(folder, scratch(t), 'lock');
  const { child, ended } = inProcess(`cache.locked(${JSON.stringify(file)}, () => {
    console.log('held');
    return new Promise((resolve) => setTimeout(resolve, 60000));
  });`);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const order = [];
  const next = locked(file, async () => order.push('taken'));
  await new Promise((resolve) => setTimeout(resolve, 200));
  order.push('killed');
  child.kill('SIGKILL');
  await Promise.all([next, ended]);
  assert.deepEqual(order, ['killed', 'taken']);
});

test('a failing program is tried as often as is said, and then is an error', async (t) => {
  const name = path.join(folder, scratch(t), 'tries');
  const program = `
    const fs = require('node:fs');
    fs.appendFileSync(${JSON.stringify(name)}, 'x');
    console.log('try', fs.statSync(${JSON.stringify(name)}).size);
    process.exit(fs.statSync(${JSON.stringify(name)}).size % 3 === 0 ? 0 : 1);`;
  const options = { wait: 1 };
  await assert.rejects(must(process.execPath, ['-e', program], options), /try 1/);
  assert.equal(await must(process.execPath, ['-e', program], { ...options, tries: 2 }), 'try 3\n');
  await assert.rejects(must(process.execPath, ['-e', program], { ...options, tries: 2 }), /try 5/);
});

test('a file is replaced in one step', (t) => {
  const file = path.join(folder, scratch(t), 'deep', 'file');
  replaceFile(file, (partial) => fs.writeFileSync(partial, 'one'));
  assert.throws(() =>
    replaceFile(file, (partial) => {
      fs.writeFileSync(partial, 'tw');
      throw new Error('no space left');
    }),
  );
  assert.equal(fs.readFileSync(file, 'utf8'), 'one');
});

test('every suite that does not run has a reason', () => {
  const files = ['a/fuzz.test.js', 'a/leaks.test.js', 'b/peer.test.js'];
  const without = [
    { pattern: /leaks/, reason: 'slow' },
    { pattern: /a\//, reason: 'never asked' },
  ];
  assert.deepEqual(chooseSuites(files, /./, without.slice(0, 1)), {
    chosen: ['a/fuzz.test.js', 'b/peer.test.js'],
    left: [{ file: 'a/leaks.test.js', reason: 'slow' }],
  });
  const only = chooseSuites(files, /^a/, without);
  assert.deepEqual(only.chosen, []);
  assert.deepEqual(
    only.left.map(({ reason }) => reason),
    ['never asked', 'slow', 'this row runs /^a/ only'],
  );
});
