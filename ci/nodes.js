'use strict';
// The JS suites on other majors of Node, and a smoke test on Bun and Deno. The runtimes come from
// npm packages and are kept in .cache/runtimes.
//
//   node ci/nodes.js                 Node 18, 20, 22, 24 and 26, Bun, Deno
//   node ci/nodes.js 18 26 bun       some of them

const { build } = require('./build.js');
const { closingCounts, settle } = require('./lib/counts.js');
const { runSuites, portableSuites } = require('./lib/js-suites.js');
const { closingLine, runSteps } = require('./lib/report.js');
const { run, MINUTE } = require('./lib/run.js');
const { installRuntime } = require('./lib/runtimes.js');

const NODES = ['18', '20', '22', '24', '26'];
/** A step that runs the suites (Node) or the smoke test (Bun, Deno). */
function step(name) {
  if (/^\d+$/.test(name)) {
    return {
      id: `node${name}`,
      title: 'JS suites',
      needs: ['addon'],
      run: async () => {
        const node = await installRuntime(name);
        const { output: version } = await run(node, ['--version'], { timeout: MINUTE });
        const result = await runSuites(node, portableSuites());
        return { ...result, notes: [`Node ${version.trim()}`, ...result.notes] };
      },
    };
  }
  const flags = { bun: [], deno: ['run', '--allow-all', '--no-lock'] }[name] ?? [];
  return {
    id: name,
    title: 'smoke test (js/test/smoke.js)',
    needs: ['addon'],
    run: async () => {
      const program = await installRuntime(name);
      const { output: version } = await run(program, ['--version'], { timeout: MINUTE });
      const result = await run(program, [...flags, 'js/test/smoke.js'], { timeout: 2 * MINUTE });
      const notes = [version.split('\n')[0], ...(result.output.match(/^expected: .*$/gm) ?? [])];
      const counts = settle(closingCounts(result.output), result.ok);
      return { ...counts, output: result.output, notes };
    },
  };
}

async function buildAddon() {
  await build(console.log);
  return settle(null, true);
}

async function main(names) {
  const steps = [
    { id: 'addon', title: 'native addon', setup: true, run: buildAddon },
    ...(names.length > 0 ? names : [...NODES, 'bun', 'deno']).map(step),
  ];
  const total = await runSteps(steps);
  if (total.skipped > 0) console.log(`${total.skipped} skipped, as listed above`);
  console.log(closingLine(total));
  process.exitCode = total.failed > 0 ? 1 : 0;
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
