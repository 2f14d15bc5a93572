'use strict';
// npm test: every check of the project, from a fresh clone, with nothing but Node, Rust and cc.
//
//   npm test                         all steps
//   npm test -- --only js            one step, or several: --only js,types
//   npm test -- --list               what steps there are
//
// Needs only Node's built-in modules itself, and installs the dev dependencies it finds missing.
// The last line is "N passed, N failed"; the exit code is 1 if anything failed.

const path = require('node:path');
const { build } = require('./build.js');
const { findCargo } = require('./lib/cargo.js');
const { add, cargoCounts, nodeCounts, settle } = require('./lib/counts.js');
const { installDependencies } = require('./lib/dependencies.js');
const { examples, runExample } = require('./lib/examples.js');
const { filesBelow } = require('./lib/files.js');
const { runSuites, runtimeSuites, typeSuites } = require('./lib/js-suites.js');
const { root } = require('./lib/paths.js');
const { closingLine, runSteps } = require('./lib/report.js');
const { run, MINUTE } = require('./lib/run.js');
const { checkTree } = require('./layers.js');
const { runReadme } = require('./readme.js');

const one = ({ ok, output }) => ({ ...settle(null, ok), output });
const cargo = async (...args) => run(await findCargo(), args, { timeout: 40 * MINUTE });
const tool = (script, ...args) =>
  run(process.execPath, [path.join(root, 'node_modules', script), ...args]);

async function buildAddon() {
  try {
    await build(console.log);
    return settle(null, true);
  } catch (error) {
    return { ...settle(null, false), output: error.message };
  }
}

async function findRust() {
  const { output } = await run(await findCargo(), ['--version']);
  return { ...settle(null, true), notes: [output.trim()] };
}

/** What is tested with an addon and dev dependencies there, unlike the other tests of ci/. */
const PACKED = 'ci/test/packed/';

const ownTests = () =>
  nodeTests(filesBelow('ci/test', /\.test\.js$/).filter((file) => !file.startsWith(PACKED)));

async function nodeTests(files) {
  const result = await run(process.execPath, ['--test-reporter=spec', '--test', ...files], {
    env: { NO_COLOR: '1', FORCE_COLOR: undefined },
  });
  return { ...settle(nodeCounts(result.output), result.ok), output: result.output };
}

/** How TypeScript finds the package's types (ci/test/types), and what they say (js/test/types). */
async function typeTests() {
  const found = await tool('typescript/bin/tsc', '--project', 'tsconfig.json');
  const result = await runSuites(process.execPath, typeSuites());
  const output = found.ok ? result.output : `${found.output}\n${result.output}`;
  return { ...add(result, settle(null, found.ok)), output };
}

async function rustTests() {
  const result = await cargo('test', '--workspace', '--no-fail-fast');
  return { ...settle(cargoCounts(result.output), result.ok), output: result.output };
}

async function rustDocs() {
  const env = { RUSTDOCFLAGS: '-D warnings' };
  return one(await run(await findCargo(), ['doc', '--workspace', '--no-deps'], { env }));
}

async function runExamples() {
  const result = { passed: 0, failed: 0, skipped: 0, output: '', notes: [] };
  for (const file of examples()) {
    const { ok, skipped, output } = await runExample(file);
    if (!ok) {
      result.failed += 1;
      result.output += `--- ${file}\n${output}\n`;
    } else if (skipped) {
      result.skipped += 1;
      result.notes.push(`skipped: ${file}: ${skipped}`);
    } else result.passed += 1;
  }
  return result;
}

function layers() {
  const { files, problems } = checkTree();
  return {
    passed: files > 0 && problems.length === 0 ? 1 : 0,
    failed: problems.length || (files === 0 ? 1 : 0),
    skipped: 0,
    output: problems.join('\n'),
  };
}

const CLIPPY = ['--all-targets', '--', '-D', 'warnings'];

const STEPS = [
  {
    id: 'npm',
    title: 'dev dependencies',
    setup: true,
    run: async () => one(await installDependencies()),
  },
  { id: 'cargo', title: 'Rust toolchain', setup: true, run: findRust },
  { id: 'ci', title: "the checks' own tests", run: ownTests },
  { id: 'layers', title: 'layer rules', run: layers },
  {
    id: 'lint',
    title: 'JavaScript format and lint (Biome)',
    needs: ['npm'],
    run: async () =>
      one(await tool('@biomejs/biome/bin/biome', 'check', '--colors=off', '--error-on-warnings')),
  },
  {
    id: 'fmt',
    title: 'cargo fmt',
    needs: ['cargo'],
    run: async () => one(await cargo('fmt', '--all', '--check')),
  },
  {
    id: 'clippy',
    title: 'clippy',
    needs: ['cargo'],
    run: async () => one(await cargo('clippy', '--workspace', ...CLIPPY)),
  },
  {
    id: 'no-node',
    title: 'clippy without default features',
    needs: ['cargo'],
    run: async () =>
      one(await cargo('clippy', '-p', 'ffi-jit', '--no-default-features', ...CLIPPY)),
  },
  { id: 'rust', title: 'cargo test', needs: ['cargo'], run: rustTests },
  { id: 'doc', title: 'cargo doc', needs: ['cargo'], run: rustDocs },
  { id: 'addon', title: 'native addon', setup: true, run: buildAddon },
  {
    id: 'js',
    title: `JS suites on Node ${process.versions.node}`,
    needs: ['addon'],
    run: () => runSuites(process.execPath, runtimeSuites()),
  },
  {
    id: 'types',
    title: 'type tests (tsc)',
    needs: ['npm', 'addon'],
    run: typeTests,
  },
  { id: 'examples', title: 'examples', needs: ['addon'], run: runExamples },
  {
    id: 'packages',
    title: 'packages, packed and installed',
    needs: ['npm', 'cargo', 'addon'],
    run: () => nodeTests(filesBelow(PACKED.slice(0, -1), /\.test\.js$/)),
  },
  { id: 'readme', title: 'code in README and docs', needs: ['addon'], run: runReadme },
];

/** The steps that were asked for, and the set-up steps that they need. */
function select(only) {
  if (!only) return STEPS;
  const unknown = only.find((id) => !STEPS.some((step) => step.id === id));
  if (unknown !== undefined) throw new Error(`no step "${unknown}"; npm test -- --list lists them`);
  const chosen = STEPS.filter((step) => only.includes(step.id));
  const needed = new Set(chosen.flatMap((step) => [step.id, ...(step.needs ?? [])]));
  return STEPS.filter((step) => needed.has(step.id));
}

async function main(args) {
  if (args.includes('--list')) {
    for (const { id, title } of STEPS) console.log(`${id.padEnd(9)} ${title}`);
    return;
  }
  const at = args.indexOf('--only');
  const total = await runSteps(select(at < 0 ? null : (args[at + 1] ?? '').split(',')));
  if (total.skipped > 0) console.log(`${total.skipped} skipped, as listed above`);
  console.log(closingLine(total));
  process.exitCode = total.failed > 0 ? 1 : 0;
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
