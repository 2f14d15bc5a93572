'use strict';
// The addon on every platform: builds it for a target, and runs the JS suites under a real Node of
// that platform: natively, in a chroot, under qemu or under wine.
//
//   node ci/targets.js               every row
//   node ci/targets.js NAME...       rows whose name contains one of these words
//   node ci/targets.js --list        the names of the rows
//   node ci/targets.js --fast        the rows that every CI run takes
//
// A row is a file of ci/targets/ that exports
//   name      the target triple
//   order     where it stands in the table
//   fast      whether `--fast` includes it
//   build()   -> { notes?, ... }    prepares tools and builds; what it returns goes to `run`
//   run(built) -> { node, passed, failed, skipped, output, notes? }
// A row that cannot be prepared throws, which is a failure. Everything is installed on the way, into
// .cache/targets, and Debian packages with apt-get (which needs root).
//
// The last line is "N passed, N failed"; the exit code is 1 if anything failed.

const fs = require('node:fs');
const path = require('node:path');
const { add, zero } = require('./lib/counts.js');
const { closingLine, seconds } = require('./lib/report.js');

const FOLDER = path.join(__dirname, 'targets');

function allRows() {
  const files = fs.readdirSync(FOLDER).filter((name) => name.endsWith('.js'));
  const rows = files.map((name) => require(path.join(FOLDER, name)));
  return rows.sort((a, b) => a.order - b.order);
}

function choose(rows, words) {
  if (words.length === 0) return rows;
  if (words.length === 1 && words[0] === '--fast') return rows.filter((row) => row.fast);
  for (const word of words) {
    if (!rows.some((row) => row.name.includes(word))) throw new Error(`no row is named "${word}"`);
  }
  return rows.filter((row) => words.some((word) => row.name.includes(word)));
}

/** Builds and runs one row: its line of the table, and what it has to say. */
async function carryOut(row) {
  const line = { name: row.name, built: 'no', node: '-', ...zero(), failed: 1 };
  const started = performance.now();
  const said = [];
  let output = '';
  try {
    const built = await row.build();
    line.built = seconds(performance.now() - started);
    said.push(...(built.notes ?? []));
    const result = await row.run(built);
    const { node, passed, failed, skipped } = result;
    Object.assign(line, { node, passed, failed, skipped });
    said.push(...(result.notes ?? []));
    output = result.output;
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
];

const columns = (cell) => COLUMNS.map((column) => String(cell(column)).padEnd(column[2])).join(' ');
const head = () => columns(([, title]) => title);
const tableLine = (line) => columns(([key]) => line[key]);

async function main(words) {
  const rows = allRows();
  if (words.includes('--list')) {
    for (const row of rows) console.log(row.name);
    return;
  }
  const lines = [];
  for (const row of choose(rows, words)) {
    console.log(`== ${row.name}`);
    const { line, said, output } = await carryOut(row);
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
