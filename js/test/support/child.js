'use strict';
// Runs a piece of a test in a process of its own: for what may end the process, needs V8 flags,
// a preloaded library, or a clean memory.

const { spawnSync } = require('node:child_process');
const { ROOT } = require('./native');

/** The program that runs Node: under an emulator not the file that is executed. */
const NODE = process.env.FFI_JIT_TEST_NODE || process.execPath;

/** By how much time limits are longer: emulated processes take seconds to start. */
const SLOW = Number(process.env.FFI_JIT_TEST_SLOW || 1);

/** Milliseconds after which a process is taken to live on. */
const LINGER = 500;

/**
 * Runs `body` (a function that needs nothing of its surroundings) in a child process.
 * It is called with ({ ffi, ...helpers of ./ffi.js }, argument), or with those of another file of
 * this folder; what it returns or resolves to comes back as `value`, through JSON. With `linger`,
 * a process that something keeps alive half a second later says so and ends: `lingers`.
 * @param {Function} body
 * @param {{flags?: string[], env?: object, argument?: unknown, timeout?: number,
 *   helpers?: string, linger?: boolean}} [options]
 * @returns {{status: number | null, signal: string | null, stdout: string, stderr: string,
 *   value: any, lingers: boolean}}
 */
function inChild(body, options = {}) {
  const { flags = [], env = {}, argument, timeout = 60_000, helpers = './ffi' } = options;
  const after = options.linger
    ? `setTimeout(() => process.stdout.write('LINGERS\\n', () => process.exit()), ${LINGER}).unref();`
    : '';
  const program = `
    const helpers = require(${JSON.stringify(require.resolve(helpers))});
    const body = ${body.toString()};
    Promise.resolve(body(helpers, ${JSON.stringify(argument) ?? 'undefined'})).then((value) => {
      process.stdout.write('\\nVALUE ' + (JSON.stringify(value) ?? 'null') + '\\n');
      ${after}
    });
  `;
  const run = spawnSync(NODE, [...flags, '-e', program], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: timeout * SLOW,
    killSignal: 'SIGKILL',
  });
  const line = /^VALUE (.*)$/m.exec(run.stdout ?? '');
  return {
    status: run.status,
    signal: run.signal,
    stdout: run.stdout ?? '',
    stderr: run.stderr ?? '',
    value: line ? JSON.parse(line[1]) : undefined,
    lingers: /^LINGERS$/m.test(run.stdout ?? ''),
  };
}

/** Runs `body` and returns its value; a child that fails or is killed fails the test. */
function valueInChild(body, options) {
  const run = inChild(body, options);
  if (run.status !== 0) {
    throw new Error(`child ended with ${run.signal ?? run.status}\n${run.stderr.slice(-2000)}`);
  }
  return run.value;
}

module.exports = { NODE, SLOW, inChild, valueInChild };
