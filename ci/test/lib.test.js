'use strict';
// The parts of ci/ that decide what counts as a failure.

const assert = require('node:assert/strict');
const test = require('node:test');
const { cargoCounts, closingCounts, nodeCounts, settle } = require('../lib/counts.js');
const { settings } = require('../lib/js-suites.js');
const { runSteps } = require('../lib/report.js');
const { mapLimit, run } = require('../lib/run.js');
const { blocks } = require('../readme.js');

test('counts are read from cargo, node:test and our own programs', () => {
  const cargo = `
test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0s
`;
  assert.deepEqual(cargoCounts(cargo), { passed: 15, failed: 2, skipped: 1 });
  const spec = 'ℹ tests 7\nℹ pass 3\nℹ fail 1\nℹ cancelled 1\nℹ skipped 1\nℹ todo 1\n';
  assert.deepEqual(nodeCounts(spec), { passed: 3, failed: 2, skipped: 2 });
  assert.deepEqual(nodeCounts(spec.replace(/ℹ/g, '#')), { passed: 3, failed: 2, skipped: 2 });
  assert.equal(nodeCounts('Segmentation fault'), null);
  assert.deepEqual(closingCounts('1 passed, 2 failed\n3 passed, 0 failed\n'), {
    passed: 3,
    failed: 0,
    skipped: 0,
  });
});

test('a program that ends badly is a failure, whatever it printed', () => {
  assert.equal(settle(null, false).failed, 1);
  assert.equal(settle({ passed: 9, failed: 0, skipped: 0 }, false).failed, 1);
  assert.equal(settle({ passed: 9, failed: 4, skipped: 0 }, false).failed, 4);
  assert.deepEqual(settle(null, true), { passed: 1, failed: 0, skipped: 0 });
});

test('a step that throws fails, and so does every step that needs it', async () => {
  const lines = [];
  const ok = () => ({ passed: 1, failed: 0, skipped: 0 });
  const total = await runSteps(
    [
      { id: 'fine', title: 'fine', run: ok },
      {
        id: 'broken',
        title: 'broken',
        setup: true,
        run: () => {
          throw new Error('no compiler');
        },
      },
      { id: 'later', title: 'later', needs: ['broken'], setup: true, run: ok },
      { id: 'last', title: 'last', needs: ['later'], run: ok },
    ],
    (line) => lines.push(line),
  );
  assert.deepEqual(total, { passed: 1, failed: 3, skipped: 0 });
  assert.match(lines.join('\n'), /no compiler/);
  assert.match(lines.join('\n'), /last: not run, because "later" failed/);
});

test('run tells exit codes, signals, time limits and missing programs apart', async () => {
  const node = (code, options) => run(process.execPath, ['-e', code], options);
  assert.equal((await node('console.log(1); console.error(2)')).output, '1\n2\n');
  assert.equal((await node('process.exit(3)')).code, 3);
  assert.match((await node('process.kill(process.pid, "SIGSEGV")')).output, /ended by SIGSEGV/);
  const slow = await node('setTimeout(() => {}, 60000)', { timeout: 300 });
  assert.equal(slow.ok, false);
  assert.match(slow.output, /0\.3 s limit/);
  const missing = await run('no-such-program', []);
  assert.equal(missing.ok, false);
  assert.match(missing.output, /cannot run no-such-program/);
});

test('mapLimit keeps order and bounds what runs at once', async () => {
  let running = 0;
  let most = 0;
  const doubled = await mapLimit([5, 1, 4, 2], 2, async (ms) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, ms));
    running -= 1;
    return ms * 2;
  });
  assert.deepEqual(doubled, [10, 2, 8, 4]);
  assert.equal(most, 2);
});

test('a suite says in its first comment lines how it is run', () => {
  const source = `'use strict';
// flags: --expose-gc --no-opt
// What this suite is about.
// env: A=1 B=x=y
// timeout: 9

const flags = 1; // flags: --not-this
`;
  assert.deepEqual(settings(source), {
    flags: ['--expose-gc', '--no-opt'],
    env: { A: '1', B: 'x=y' },
    timeout: 9,
  });
});

test('code blocks of a page come with what they must print', () => {
  const page = [
    'Text',
    '```js',
    'console.log(1 + 1); // 2',
    "console.log('no claim');",
    '```',
    '```sh',
    'npm test',
    '```',
    '```javascript',
    'a sketch',
    '```',
    '```js',
    'last();',
    '```',
  ].join('\n');
  const [first, second, ...rest] = blocks(page);
  assert.deepEqual(rest, []);
  assert.equal(first.line, 2);
  assert.deepEqual(first.expected, ['2']);
  assert.equal(second.code, 'last();\n');
});
