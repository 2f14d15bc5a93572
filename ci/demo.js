'use strict';
// npm run demo: builds what is missing, then runs the examples and shows what they print.

const { build } = require('./build.js');
const { examples, runExample } = require('./lib/examples.js');
const { seconds } = require('./lib/report.js');

async function main() {
  await build(console.log);
  const results = [];
  for (const file of examples()) {
    console.log(`\n=== ${file}`);
    const started = performance.now();
    const result = await runExample(file);
    console.log(result.output.trimEnd());
    results.push({ ...result, time: seconds(performance.now() - started) });
  }
  console.log();
  for (const { file, ok, skipped, time } of results) {
    const outcome = ok ? (skipped ? `skipped: ${skipped}` : 'ok') : 'FAILED';
    console.log(`${file.padEnd(20)} ${outcome} (${time})`);
  }
  process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
