'use strict';
// The suites of both dialects with every tier forced, on the Nodes that have V8's tiers: one row per
// Node and tier. The runtimes come from npm packages and are kept in .cache/runtimes.
//
//   node ci/tiers.js                     Node 20, 22, 24 and 26; node-api, packed and direct
//   node ci/tiers.js 24 packed direct    some of them

const { build } = require('./build.js');
const { settle } = require('./lib/counts.js');
const { portableSuites, runSuites } = require('./lib/js-suites.js');
const { closingLine, runSteps } = require('./lib/report.js');
const { installRuntime } = require('./lib/runtimes.js');

const NODES = ['20', '22', '24', '26'];
const TIERS = ['node-api', 'packed', 'direct'];

/** The suites that do not choose their tiers themselves. */
const suites = () => portableSuites().filter((file) => /\/(?:ffi-rs|koffi)\//.test(file));

const step = (node, tier) => ({
  id: `${node} ${tier}`,
  title: `JS suites, Node ${node}, ${tier} tier`,
  needs: ['addon'],
  run: async () => runSuites(await installRuntime(node), suites(), { env: { FFI_JIT_TIER: tier } }),
});

async function buildAddon() {
  await build(console.log);
  return settle(null, true);
}

async function main(names) {
  const unknown = names.find((name) => !NODES.includes(name) && !TIERS.includes(name));
  if (unknown) throw new Error(`"${unknown}" is neither one of Node ${NODES} nor of ${TIERS}`);
  const chosen = (all) => {
    const some = all.filter((name) => names.includes(name));
    return some.length > 0 ? some : all;
  };
  const rows = chosen(NODES).flatMap((node) => chosen(TIERS).map((tier) => step(node, tier)));
  const addon = { id: 'addon', title: 'native addon', setup: true, run: buildAddon };
  const total = await runSteps([addon, ...rows]);
  console.log(closingLine(total));
  process.exitCode = total.failed > 0 ? 1 : 0;
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
