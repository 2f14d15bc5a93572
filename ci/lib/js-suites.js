'use strict';
// The JS suites: every js/test/**/*.test.js in a process of its own, so that a crash is a result.
// The first comment lines of a suite may say how it is run:
//   // flags: --expose-gc          flags of the runtime
//   // env: UV_THREADPOOL_SIZE=8   environment variables
//   // timeout: 600                seconds, by default 300

const os = require('node:os');
const { add, nodeCounts, settle, zero } = require('./counts.js');
const { filesBelow, read } = require('./files.js');
const { mapLimit, run } = require('./run.js');

/** The settings in the comment lines that a suite starts with. */
function settings(source) {
  const result = { flags: [], env: {}, timeout: 300 };
  for (const line of source.split('\n')) {
    if (!/^(?:\/\/|'use strict'|#!|\s*$)/.test(line)) break;
    const [, name, value] = /^\/\/ (flags|env|timeout): (.+)$/.exec(line) ?? [];
    if (name === 'flags') result.flags.push(...value.trim().split(/\s+/));
    if (name === 'timeout') result.timeout = Number(value);
    if (name === 'env') {
      for (const pair of value.trim().split(/\s+/)) {
        const [key, ...rest] = pair.split('=');
        result.env[key] = rest.join('=');
      }
    }
  }
  return result;
}

async function runSuite(node, file, { env: more = {}, slow = 1 }) {
  const { flags, env, timeout } = settings(read(file));
  const result = await run(node, [...flags, '--test-reporter=spec', file], {
    env: { NO_COLOR: '1', FORCE_COLOR: undefined, NODE_OPTIONS: undefined, ...env, ...more },
    timeout: slow * timeout * 1000,
  });
  return { file, ...settle(nodeCounts(result.output), result.ok), output: result.output };
}

/** What checks types does not depend on the runtime: it is a step of its own. */
const isAboutTypes = (file) => /\btypes\.test\.js$/.test(file);

/** What compares with a peer is about the peer's version, not ours: one runtime is enough. */
const isAboutPeers = (file) => file.includes('/parity/');

const allSuites = () => filesBelow('js/test', /\.test\.[cm]?js$/);
const runtimeSuites = () => allSuites().filter((file) => !isAboutTypes(file));
/** The suites that run on every runtime. */
const portableSuites = () => runtimeSuites().filter((file) => !isAboutPeers(file));
const typeSuites = () => allSuites().filter(isAboutTypes);

/**
 * Runs suites on a Node binary, some at a time.
 *
 * @param {string} node
 * @param {string[]} files
 * @param {{ env?: object, slow?: number }} [options] more environment, factor of the time limits
 * @returns {Promise<object>} counts, the output of suites with failures, notes about skips
 */
async function runSuites(node, files, options = {}) {
  if (files.length === 0) throw new Error('there are no suites in js/test');
  const results = await mapLimit(files, os.cpus().length, (file) => runSuite(node, file, options));
  const bad = results.filter((result) => result.failed > 0);
  return {
    ...results.reduce(add, zero()),
    output: bad.map(({ file, output }) => `--- ${file}\n${output}`).join('\n'),
    notes: results.flatMap((result) => skips(result)),
  };
}

/** One line per skipped test: node:test's spec reporter prints "﹣ name (1ms) # reason". */
function skips({ file, skipped, output }) {
  if (skipped === 0) return [];
  const lines = [...output.matchAll(/^\s*﹣ (.*)$/gm)].map(([, what]) => what);
  return lines.length > 0
    ? lines.map((what) => `skipped in ${file}: ${what}`)
    : [`skipped in ${file}: ${skipped}`];
}

module.exports = { runSuites, portableSuites, runtimeSuites, typeSuites, settings };
