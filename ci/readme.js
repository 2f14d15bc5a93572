'use strict';
// Runs the JavaScript blocks of README.md and docs/, so that what they say stays true. A block is
// a program of its own. A comment behind `console.log(...)` is what that line must print:
//   console.log(add([1, 2])); // 3
// A sketch that is no program has ```javascript as its fence.

const fs = require('node:fs');
const path = require('node:path');
const { filesBelow, read } = require('./lib/files.js');
const { cache } = require('./lib/paths.js');
const { run, MINUTE } = require('./lib/run.js');

/**
 * The ```js blocks of a Markdown text.
 *
 * @returns {{line: number, code: string, expected: string[]}[]}
 */
function blocks(markdown) {
  const found = [];
  const fence = /^```js\n([\s\S]*?)^```$/gm;
  for (const match of markdown.matchAll(fence)) {
    const [, code] = match;
    const expected = [...code.matchAll(/^\s*console\.log\(.*\);? +\/\/ (.*)$/gm)].map((m) => m[1]);
    const line = markdown.slice(0, match.index).split('\n').length;
    found.push({ line, code, expected });
  }
  return found;
}

/** Runs one block; returns what is wrong, or nothing. */
async function runBlock(file, block) {
  // Inside the checkout, so that require('ffi-jit') finds this package by its own name.
  const folder = path.join(cache, 'readme');
  fs.mkdirSync(folder, { recursive: true });
  const extension = /^import\b/m.test(block.code) ? 'mjs' : 'cjs';
  const name = `${file.replace(/\W+/g, '-')}-${block.line}.${extension}`;
  const program = path.join(folder, name);
  fs.writeFileSync(program, block.code);
  const { ok, output } = await run(process.execPath, [program], { timeout: MINUTE });
  if (!ok) return output;
  const printed = output.split('\n');
  let next = 0;
  const inOrder = block.expected.every((line) => {
    next = printed.indexOf(line, next) + 1;
    return next > 0;
  });
  if (!inOrder) {
    return `it should print:\n${block.expected.join('\n')}\nand prints:\n${output}`;
  }
}

/** Runs all blocks of README.md and docs/. */
async function runReadme() {
  const result = { passed: 0, failed: 0, skipped: 0, output: '' };
  for (const file of ['README.md', ...filesBelow('docs', /\.md$/)]) {
    for (const block of blocks(read(file))) {
      const problem = await runBlock(file, block);
      if (problem === undefined) result.passed += 1;
      else {
        result.failed += 1;
        result.output += `--- ${file}:${block.line}\n${problem}\n`;
      }
    }
  }
  return result;
}

module.exports = { blocks, runReadme };

if (require.main === module) {
  runReadme().then(({ passed, failed, output }) => {
    if (output) console.error(output);
    console.log(`${passed} passed, ${failed} failed`);
    process.exitCode = failed > 0 ? 1 : 0;
  });
}
