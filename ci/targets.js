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
//   build()   -> { notes?, ... }    prepares tools and builds; what it returns goes to `run`
//   run(built, { fast }) -> { node?, passed, failed, skipped, output, notes?, remark? }
// A row that cannot be prepared throws, which is a failure. Everything is installed on the way, into
// .cache, and Debian packages with apt-get (which needs root).
//
// The last line is "N passed, N failed"; the exit code is 1 if anything failed.

const fs = require('node:fs');
const path = require('node:path');
const { add, zero } = require('./lib/counts.js');
const { closingLine, seconds } = require('./lib/report.js');

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

/** Builds and runs one row: its line of the table, and what it has to say. */
async function carryOut(row, options) {
  const line = { name: row.name, built: 'no', node: '-', ...zero(), failed: 1, remark: '' };
  const started = performance.now();
  const said = [];
  let output = '';
  try {
    const built = await row.build();
    line.built = seconds(performance.now() - started);
    said.push(...(built.notes ?? []));
    const result = await row.run(built, options);
    const { node = '-', passed, failed, skipped, remark = '' } = result;
    Object.assign(line, { node, passed, failed, skipped, remark });
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
  for (const row of choose(rows, words, fast)) {
    console.log(`== ${row.name}`);
    const { line, said, output } = await carryOut(row, { fast });
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
