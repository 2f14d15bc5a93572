'use strict';
// Runs every case on one module and prints { case: outcome } as JSON.
//
//   node record.js <module>
//
// The cases run one after the other in a child process. A case that ends the process is recorded
// as a crash, and a new child goes on after it.

const { spawn } = require('node:child_process');
const { types, inspect } = require('node:util');
const fs = require('node:fs');
const path = require('node:path');

const QUIET_SECONDS = 10;

/** A value as JSON that keeps what JSON loses. */
function shown(value, ffi) {
  if (value === undefined) return { undefined: true };
  if (typeof value === 'bigint') return { bigint: String(value) };
  if (typeof value === 'number') {
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : { number: Object.is(value, -0) ? '-0' : String(value) };
  }
  if (types.isExternal(value))
    return { external: ffi.isNullPointer(value) ? 'null' : 'an address' };
  if (Buffer.isBuffer(value)) return { buffer: value.toString('hex') };
  if (typeof value === 'function' || typeof value === 'symbol') return { [typeof value]: true };
  if (value === null || typeof value !== 'object') {
    return typeof value === 'string' && value.length > 200
      ? { length: value.length, start: value.slice(0, 20) }
      : value;
  }
  if (Array.isArray(value)) return Array.from(value, (item) => shown(item, ffi));
  if (Object.getPrototypeOf(value) !== Object.prototype) return { other: inspect(value) };
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shown(item, ffi)]));
}

/** Texts that the contract keeps word for word (sections 3, 4, 6 and 7). */
const KEPT_TEXTS = [
  /^Missing field `/,
  /^Before calling load, you need to open the file/,
  /^Cannot find ".*" function in shared library$/,
  /^params_type length is not equal with params_value length$/,
  /^ret_value_type can only be number or object but receive/,
  /^Object property '.*' type mismatch\./,
  /^expect (External|Function|String), got: /,
  /^invalid utf-16: lone surrogate found$/,
  /^create_external_buffer: pointer is null$/,
  /: cannot open shared object file: No such file or directory$/,
];

/**
 * Code and message class of an error: a kept text as it is, and nothing of any other, for ours
 * are clearer where the original has an empty one, a panic, or the text of a failed line.
 */
function failure(error) {
  if (!(error instanceof Error)) return { thrown: inspect(error) };
  const outcome = { error: error.code ?? 'no code' };
  if (KEPT_TEXTS.some((text) => text.test(error.message))) outcome.message = error.message;
  return outcome;
}

function allCases(helpers) {
  const folder = path.join(__dirname, 'cases');
  const files = fs
    .readdirSync(folder)
    .filter((name) => name.endsWith('.js'))
    .sort();
  return files.flatMap((name) => require(path.join(folder, name))(helpers));
}

async function child(from) {
  const helpers = require('../support/ffi');
  const cases = allCases(helpers);
  const write = (line) => fs.writeSync(3, `${JSON.stringify(line)}\n`);
  process.on('uncaughtException', (error) => {
    write({ outcome: { uncaught: failure(error) } });
    process.exit(1);
  });
  for (let index = from; index < cases.length; index++) {
    const [id, run] = cases[index];
    write({ id, index });
    let outcome;
    try {
      outcome = { value: shown(await run(), helpers.ffi) };
    } catch (error) {
      outcome = failure(error);
    }
    write({ outcome });
  }
  write({ done: true });
  process.exit(0);
}

/** One child from case `from` on; resolves to the index to go on with, or -1 at the end. */
function runChild(module, from, outcomes) {
  return new Promise((resolve) => {
    const env = { ...process.env, FFI_JIT_MODULE: module };
    const stdio = ['ignore', 'ignore', 'ignore', 'pipe'];
    const run = spawn(process.execPath, [__filename, '--child', String(from)], { env, stdio });
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
async function record(module) {
  const outcomes = {};
  for (let from = 0; from >= 0; ) from = await runChild(module, from, outcomes);
  return outcomes;
}

module.exports = { record };

if (require.main === module) {
  const [first, from] = process.argv.slice(2);
  if (first === '--child') child(Number(from));
  else
    record(first ?? 'ffi-jit').then((outcomes) => console.log(JSON.stringify(outcomes, null, 1)));
}
