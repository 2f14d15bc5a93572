'use strict';
// Runs every case of a suite on one module and prints { case: outcome } as JSON.
//
//   node record.js <module> [suite]
//
// A suite, by default that of ffi-rs, is a file ./<suite>-suite.js: what names the module, where its
// cases are, and how values and errors are shown.
//
// The cases run one after the other in a child process. A case that ends the process is recorded
// as a crash, and a new child goes on after it.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const QUIET_SECONDS = 10;

const suiteOf = (name) => require(`./${name}-suite`);

function allCases(suite, helpers) {
  const folder = path.join(__dirname, suite.cases);
  const files = fs
    .readdirSync(folder)
    .filter((name) => name.endsWith('.js'))
    .sort();
  return files.flatMap((name) => require(path.join(folder, name))(helpers));
}

async function child(name, from, to) {
  const suite = suiteOf(name);
  const helpers = suite.helpers();
  const { shown, failure } = suite;
  const cases = allCases(suite, helpers);
  const write = (line) => fs.writeSync(3, `${JSON.stringify(line)}\n`);
  process.on('uncaughtException', (error) => {
    write({ outcome: { uncaught: failure(error) } });
    process.exit(1);
  });
  for (let index = from; index < Math.min(to, cases.length); index++) {
    const [id, run] = cases[index];
    write({ id, index });
    let outcome;
    try {
      outcome = { value: shown(await run(), helpers) };
    } catch (error) {
      outcome = failure(error);
    }
    write({ outcome });
  }
  write({ done: true });
  process.exit(0);
}

/** One child from case `from` up to `to`; resolves to the index to go on with, or -1 at the end. */
function runChild(module, name, [from, to], outcomes) {
  return new Promise((resolve) => {
    const env = { ...process.env, [suiteOf(name).variable]: module };
    const stdio = ['ignore', 'ignore', 'ignore', 'pipe'];
    const run = spawn(process.execPath, [__filename, '--child', name, String(from), String(to)], {
      env,
      stdio,
    });
    let current;
    let done = false;
    let pending = '';
    let timer;
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(() => run.kill('SIGKILL'), QUIET_SECONDS * 1000);
    };
    watch();
    run.stdio[3].setEncoding('utf8').on('data', (text) => {
      watch();
      const lines = (pending + text).split('\n');
      pending = lines.pop();
      for (const line of lines.map((one) => JSON.parse(one))) {
        if (line.id !== undefined) current = line;
        if (line.outcome !== undefined) outcomes[current.id] = line.outcome;
        if (line.done) done = true;
      }
    });
    run.on('close', (status, signal) => {
      clearTimeout(timer);
      if (done) return resolve(-1);
      if (current === undefined) throw new Error(`no case ran: ${signal ?? status}`);
      outcomes[current.id] ??= { crash: true };
      return resolve(current.index + 1);
    });
  });
}

/** Outcomes of all cases on one module. */
async function record(module, name = 'ffi-rs') {
  const outcomes = {};
  for (let from = 0; from >= 0; ) {
    from = await runChild(module, name, [from, Infinity], outcomes);
  }
  return outcomes;
}

/** Names of the cases of a suite, in their order: to make cases defines types, which works once. */
const idsOf = new Map();

function idsOfSuite(name) {
  let ids = idsOf.get(name);
  if (ids === undefined) {
    const suite = suiteOf(name);
    ids = allCases(suite, suite.helpers()).map(([id]) => id);
    idsOf.set(name, ids);
  }
  return ids;
}

/** The outcome of one case on one module, in a process of its own. */
async function recordOne(module, name, id) {
  const index = idsOfSuite(name).indexOf(id);
  const outcomes = {};
  await runChild(module, name, [index, index + 1], outcomes);
  return outcomes[id];
}

module.exports = { record, recordOne };

if (require.main === module) {
  const [first, name, from, to] = process.argv.slice(2);
  if (first === '--child') child(name, Number(from), Number(to));
  else
    record(first ?? 'ffi-jit', name).then((outcomes) =>
      console.log(JSON.stringify(outcomes, null, 1)),
    );
}
