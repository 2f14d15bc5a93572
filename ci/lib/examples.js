'use strict';
// Runs examples/*.js, each in a process of its own.

const { filesBelow } = require('./files.js');
const { run, MINUTE } = require('./run.js');

/** The examples in the order to show them. */
function examples() {
  const order = ['libc', 'zlib', 'sqlite'];
  const rank = (file) => {
    const index = order.findIndex((name) => file === `examples/${name}.js`);
    return index < 0 ? order.length : index;
  };
  return filesBelow('examples', /^examples\/[^/]+\.js$/).sort((a, b) => rank(a) - rank(b));
}

/** Runs one example; `skipped` holds its reason if the machine lacks what it shows. */
async function runExample(file, node = process.execPath) {
  const { ok, output } = await run(node, [file], { timeout: 2 * MINUTE });
  const skipped = /^skipped: (.*)$/m.exec(output)?.[1];
  return { file, ok, skipped: ok ? skipped : undefined, output };
}

module.exports = { examples, runExample };
