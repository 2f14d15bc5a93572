#!/usr/bin/env node
'use strict';

/** ffi-jit and its peers side by side; see README.md here and docs/performance.md. */
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { cases: allCases } = require('./cases');
const { findContestants } = require('./lib/contestants');
const { PERFORMANCE_PAGE, RESULTS } = require('./lib/paths');
const { updatePage } = require('./lib/page');
const { probe, runCase } = require('./lib/runner');
const { findNode, findPrograms, note, setUp } = require('./lib/setup');
const { chart } = require('./lib/svg');
const report = require('./lib/report');

const USAGE = `node bench/bench.js [options]

  --cases a,b         only these cases (--list shows them)
  --contestants a,b   only these contestants
  --node 20,24,26     Node versions from npm, or paths of binaries (default: this Node)
  --rounds N          rounds per contestant and case (default 9)
  --quick             3 short rounds
  --json FILE         where the results go (default bench/results/DATE-NODE.json)
  --svg FILE          where the chart goes (default beside the JSON)
  --markdown          also write tables and chart into docs/performance.md
  --from FILE         show an earlier run's JSON again instead of measuring
  --list              name the cases and contestants
`;

const OPTIONS = {
  cases: { type: 'string' },
  contestants: { type: 'string' },
  node: { type: 'string' },
  rounds: { type: 'string' },
  quick: { type: 'boolean', default: false },
  json: { type: 'string' },
  svg: { type: 'string' },
  markdown: { type: 'boolean', default: false },
  from: { type: 'string' },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
};

const list = (text) => text?.split(',').filter(Boolean);

function chosenCases(wanted) {
  const unknown = wanted?.find((name) => !allCases.some((item) => item.name === name));
  if (unknown) throw new Error(`no case "${unknown}"; --list shows them`);
  return wanted ? allCases.filter(({ name }) => wanted.includes(name)) : allCases;
}

function roundsOf({ rounds, quick }) {
  const count = rounds === undefined ? (quick ? 3 : 9) : Number(rounds);
  if (!Number.isInteger(count) || count < 1) throw new Error('--rounds takes a whole number');
  return { rounds: count, roundMs: quick ? 20 : 60 };
}

const machine = () => ({
  cpu: os.cpus()[0]?.model.trim() ?? 'unknown CPU',
  cores: os.cpus().length,
  system: `${os.type()} ${os.release()} ${os.arch()}`,
});

/** The fields of a contestant or case that a result file keeps. */
const keep = (object, ...names) => Object.fromEntries(names.map((name) => [name, object[name]]));

async function measure(node, contestants, cases, options) {
  note(`Node ${node.version}: looking at the contestants`);
  const found = await probe(contestants, node);
  const running = found.filter(({ reason }) => !reason);
  const results = {};
  for (const [index, item] of cases.entries()) {
    note(`Node ${node.version}: ${index + 1}/${cases.length} ${item.name}`);
    results[item.name] = await runCase(item, running, node, options);
  }
  return {
    date: new Date().toISOString(),
    command: ['node bench/bench.js', ...process.argv.slice(2)].join(' '),
    machine: machine(),
    node: keep(node, 'version', 'v8', 'major'),
    options,
    contestants: found.map((each) => keep(each, 'file', 'title', 'role', 'version', 'reason')),
    cases: cases.map((item) => keep(item, 'name', 'title', 'group', 'unit', 'headline')),
    results,
  };
}

/**
 * A file for a run. One named by the user gets the Node version before its suffix when the run
 * is one of several.
 */
function outputFile(given, several, run, extension) {
  if (!given) {
    const date = run.date.slice(0, 16).replace('T', '-').replace(':', '');
    return path.join(RESULTS, `${date}-${run.node.version}${extension}`);
  }
  const { dir, name, ext } = path.parse(given);
  return several ? path.join(dir, `${name}-${run.node.version}${ext || extension}`) : given;
}

function write(file, text) {
  fs.mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  fs.writeFileSync(file, text);
  note(`wrote ${path.relative(process.cwd(), path.resolve(file))}`);
}

function show(run, args, several) {
  process.stdout.write(`\n${report.text(run)}\n\n`);
  if (!args.from) {
    write(outputFile(args.json, several, run, '.json'), `${JSON.stringify(run, null, 1)}\n`);
  }
  const beside = (args.from ?? args.json)?.replace(/(\.json)?$/, '.svg');
  write(outputFile(args.svg ?? beside, several, run, '.svg'), chart(run));
  if (args.markdown) {
    const picture = `performance-node${run.node.major}.svg`;
    const section = `${report.markdown(run)}\n\n![Chart of the medians](${picture})`;
    const page = fs.readFileSync(PERFORMANCE_PAGE, 'utf8');
    write(PERFORMANCE_PAGE, updatePage(page, run.node.major, section));
    write(path.join(path.dirname(PERFORMANCE_PAGE), picture), chart(run));
  }
}

async function main() {
  const { values: args } = parseArgs({ options: OPTIONS });
  if (args.help) return void process.stdout.write(USAGE);
  if (args.list) {
    for (const { name, title } of allCases) console.log(`${name.padEnd(22)} ${title}`);
    console.log(
      `\ncontestants: ${findContestants()
        .map(({ file }) => file)
        .join(', ')}`,
    );
    return;
  }
  if (args.from) return show(JSON.parse(fs.readFileSync(args.from, 'utf8')), args, false);
  const cases = chosenCases(list(args.cases));
  const options = roundsOf(args);
  const wanted = findContestants(list(args.contestants));
  await setUp();
  const contestants = await findPrograms(wanted);
  const nodes = [];
  for (const name of list(args.node) ?? [undefined]) nodes.push(await findNode(name));
  for (const node of nodes) {
    show(await measure(node, contestants, cases, options), args, nodes.length > 1);
  }
}

main().catch((error) => {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
});
