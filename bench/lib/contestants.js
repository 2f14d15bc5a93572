'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { CONTESTANTS } = require('./paths');

/**
 * Every file in contestants/ is a contestant:
 *
 * order        its place in the tables
 * title        the column's label
 * role         `ours`, `peer` or `floor`
 * version()    what ran
 * cases()      case name -> maker, or the reason why it cannot; loads the package
 * entry        what the `require` case requires
 * unsupported  optional: node -> reason, or null
 * runtime      optional: `deno` or `bun`, when it does not run in Node
 * execArgv     optional: options of the runtime for its processes
 * gcArgv       optional: options that give a process `gc`, by default those of Node
 * env          optional: environment for its processes
 *
 * A maker returns what is timed: `(i) => result` for iteration i, a promise in `async` cases,
 * `{ run(names), call(f, a, b) }` for `bind`, or `{ loop(n), pick }` when the loop itself is
 * native; see worker.js. Nothing native may be loaded before `cases()`.
 */
exports.findContestants = (wanted) => {
  const all = fs
    .readdirSync(CONTESTANTS)
    .filter((file) => file.endsWith('.js'))
    .map((file) => ({ file: path.basename(file, '.js'), ...require(path.join(CONTESTANTS, file)) }))
    .sort((a, b) => a.order - b.order);
  const unknown = wanted?.find((name) => !all.some(({ file }) => file === name));
  if (unknown)
    throw new Error(`no contestant "${unknown}"; there are ${all.map((c) => c.file).join(', ')}`);
  return wanted ? all.filter(({ file }) => wanted.includes(file)) : all;
};
