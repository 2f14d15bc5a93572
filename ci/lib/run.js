'use strict';
// Child processes: output captured, time limits, no shell.

const { spawn } = require('node:child_process');
const path = require('node:path');
const { root } = require('./paths.js');

const MINUTE = 60_000;

/**
 * Runs a program to its end.
 *
 * @param {string} file program
 * @param {string[]} args arguments
 * @param {object} [options]
 * @param {string} [options.cwd] working directory, by default the checkout
 * @param {object} [options.env] variables added to the environment; undefined removes one
 * @param {number} [options.timeout] milliseconds, by default 20 minutes
 * @param {(text: string) => void} [options.onStdout] sees output as it comes
 * @param {boolean} [options.terminal] standard error goes to the terminal and is not captured
 * @returns {Promise<{ok: boolean, code: number|null, output: string, error?: Error}>} `output` is
 *   what the program printed, followed by why it ended if that was not an exit code
 */
function run(file, args, options = {}) {
  const { cwd = root, env = {}, timeout = 20 * MINUTE, onStdout, terminal = false } = options;
  return new Promise((resolve) => {
    const chunks = [];
    const child = spawn(file, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', terminal ? 'inherit' : 'pipe'],
    });
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeout);
    child.stdout.setEncoding('utf8').on('data', (text) => {
      chunks.push(text);
      onStdout?.(text);
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => chunks.push(text));
    const done = (code, note, error) => {
      clearTimeout(timer);
      if (note) chunks.push(`\n${note}\n`);
      resolve({ ok: code === 0, code, output: chunks.join(''), error });
    };
    child.on('error', (error) => done(null, `cannot run ${file}: ${error.message}`, error));
    child.on('close', (code, signal) => {
      if (timedOut) done(null, `${file}: ended after its ${timeout / 1000} s limit`);
      else if (signal) done(null, `${path.basename(file)} was ended by ${signal}`);
      else done(code);
    });
  });
}

/** Runs npm: the one that runs us, else the one on PATH. */
function npm(args, options) {
  const script = process.env.npm_execpath;
  if (script && /\bnpm-cli\.c?js$/.test(script)) {
    return run(process.execPath, [script, ...args], options);
  }
  return process.platform === 'win32'
    ? run('cmd.exe', ['/d', '/s', '/c', 'npm', ...args], options)
    : run('npm', args, options);
}

/**
 * Maps with at most `limit` calls of `fn` under way; results in order.
 *
 * @template T, R
 * @param {T[]} items
 * @param {number} limit
 * @param {(item: T) => Promise<R>} fn
 * @returns {Promise<R[]>}
 */
async function mapLimit(items, limit, fn) {
  const results = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await fn(items[index]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}

module.exports = { run, npm, mapLimit, MINUTE };
