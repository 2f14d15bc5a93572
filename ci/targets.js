'use strict';
// Everything on every platform. A row for a target builds the addon and runs the JS suites under a
// real Node of that platform: natively, in a chroot, under qemu or under wine. Other rows ask C
// compilers: about trampolines (ci/emulate.py) and about locations (ci/locations.py), for each ABI.
//
//   node ci/targets.js               every row, all suites
//   node ci/targets.js NAME...       rows whose name contains one of these words
//   node ci/targets.js --fast        the rows that every CI run takes, without their longest suites
//   node ci/targets.js --fast NAME   these rows, without their longest suites
//   node ci/targets.js --list        the names of the rows
//
// A row is what a file of ci/targets/ exports, or one of a list there:
//   name      the target triple, or what is asked
//   order     where it stands in the table
//   fast      whether `--fast` includes it
//   build()   -> { addon?, notes?, ... }  prepares tools and builds; what it returns goes to `run`
//   run(built, { fast }) -> { node?, passed, failed, skipped, output, notes?, remark?, system? }
// The addon is then packed, installed by npm and used by the Node of `system`, if there is one
// (ci/lib/targets/packages.js); these tests count as the row's.
// A row that cannot be prepared throws, which is a failure. Everything is installed on the way, into
// .cache, and Debian packages with apt-get (which needs root).
//
// The last line is "N passed, N failed"; the exit code is 1 if anything failed.

const fs = require('node:fs');
const path = require('node:path');
const { add, zero } = require('./lib/counts.js');
const { closingLine, seconds } = require('./lib/report.js');
const { installed } = require('./lib/targets/packages.js');

const FOLDER = path.join(__dirname, 'targets');

function allRows() {
  const files = fs.readdirSync(FOLDER).filter((name) => name.endsWith('.js'));
  const rows = files.flatMap((name) => require(path.join(FOLDER, name)));
  return rows.sort((a, b) => a.order - b.order);
}

/** The rows that are asked for by name, else those of every run, else all. */
function choose(rows, words, fast) {
  if (words.length === 0) return fast ? rows.filter((row) => row.fast) : rows;
  for (const word of words) {
    if (!rows.some((row) => row.name.includes(word))) throw new Error(`no row is named "${word}"`);
  }
  return rows.filter((row) => words.some((word) => row.name.includes(word)));
}

/** Builds a row: what its `build` returned or threw, and the milliseconds it took. */
async function prepare(row) {
  const started = performance.now();
  const done = (result) => ({ ...result, spent: performance.now() - started });
  try {
    return done({ built: await row.build() });
  } catch (error) {
    return done({ error });
  }
}

/** Runs a row that was built: its line of the table, and what it has to say. */
async function carryOut(row, { built, error: unbuilt, spent }, options) {
  const line = { name: row.name, built: 'no', node: '-', ...zero(), failed: 1, remark: '' };
  const started = performance.now() - spent;
  const said = [];
  let output = '';
  try {
    if (unbuilt) throw unbuilt;
    line.built = seconds(spent);
    said.push(...(built.notes ?? []));
    const result = await row.run(built, options);
    const { node = '-', remark = '', system } = result;
    const packaged = built.addon ? await installed(row, built.addon, system) : null;
    const parts = packaged ? [result, packaged] : [result];
    Object.assign(line, { node, remark, ...parts.reduce(add, zero()) });
    said.push(...parts.flatMap(({ notes }) => notes ?? []));
    output = parts.map((part) => part.output).join('\n');
  } catch (error) {
    output = error.stack;
  }
  line.time = seconds(performance.now() - started);
  return { line, said, output };
}

const COLUMNS = [
  ['name', 'target', 30],
  ['built', 'built', 9],
  ['node', 'Node', 10],
  ['passed', 'passed', 6],
  ['failed', 'failed', 6],
  ['skipped', 'skipped', 7],
  ['time', 'time', 8],
  ['remark', '', 0],
];

const columns = (cell) =>
  COLUMNS.map((column) => String(cell(column)).padEnd(column[2]))
    .join(' ')
    .trimEnd();
const head = () => columns(([, title]) => title);
const tableLine = (line) => columns(([key]) => line[key]);

async function main(args) {
  const rows = allRows();
  const fast = args.includes('--fast');
  const words = args.filter((arg) => !arg.startsWith('--'));
  const unknown = args.find((arg) => arg.startsWith('--') && !['--fast', '--list'].includes(arg));
  if (unknown) throw new Error(`unknown option "${unknown}"`);
  if (args.includes('--list')) {
    for (const row of rows) console.log(row.name);
    return;
  }
  const lines = [];
  const chosen = choose(rows, words, fast);
  // One is built while the one before it runs: linkers use one processor.
  let next = prepare(chosen[0]);
  for (const [i, row] of chosen.entries()) {
    console.log(`== ${row.name}`);
    const prepared = await next;
    next = i + 1 < chosen.length ? prepare(chosen[i + 1]) : undefined;
    const { line, said, output } = await carryOut(row, prepared, { fast });
    for (const note of said) console.log(`   ${note}`);
    if (line.failed > 0) console.log(output);
    console.log(`   ${tableLine(line)}`);
    lines.push(line);
  }
  console.log(`\n${head()}\n${lines.map(tableLine).join('\n')}`);
  const total = lines.reduce(add, zero());
  if (total.skipped > 0) console.log(`${total.skipped} skipped, as listed above`);
  console.log(closingLine(total));
  process.exitCode = total.failed > 0 ? 1 : 0;
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
