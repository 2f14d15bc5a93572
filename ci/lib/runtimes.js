'use strict';
// Runtimes from npm packages, kept in .cache/runtimes: other majors of Node, Bun, Deno.

const fs = require('node:fs');
const path = require('node:path');
const { cache } = require('./paths.js');
const { npm, MINUTE } = require('./run.js');

const { platform, arch } = process;

/** How to install and run a runtime: package, version range, program in the package. */
function runtime(name) {
  if (/^\d+(\.\d+)*$/.test(name)) {
    return { package: `node-${platform}-${arch}`, range: name, program: 'bin/node' };
  }
  const cpu = { x64: 'x64', arm64: 'arm64' }[arch];
  const bunCpu = { x64: 'x64', arm64: 'aarch64' }[arch];
  if (name === 'bun') {
    return { package: `@oven/bun-${platform}-${bunCpu}`, range: '1', program: 'bin/bun' };
  }
  if (name === 'deno') {
    const libc = platform === 'linux' ? '-glibc' : '';
    return { package: `@deno/${platform}-${cpu}${libc}`, range: '2', program: 'deno' };
  }
  throw new Error(`unknown runtime "${name}": a Node version, bun or deno`);
}

/**
 * The path of a runtime's program, installed if it is missing.
 *
 * @param {string} name a major or version of Node, 'bun' or 'deno'
 * @param {(text: string) => void} [note] hears that something is fetched
 * @returns {Promise<string>}
 * @throws {Error} when the name is unknown, or npm fails
 */
async function installRuntime(name, note = () => {}) {
  const { package: from, range, program } = runtime(name);
  const folder = path.join(cache, 'runtimes', name);
  const file = path.join(folder, 'node_modules', from, program);
  if (fs.existsSync(file)) return file;
  note(`fetching ${from}@${range}`);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder];
  const result = await npm([...args, `${from}@${range}`], { cwd: folder, timeout: 10 * MINUTE });
  if (!result.ok) throw new Error(`npm install ${from}@${range} failed\n${result.output}`);
  fs.chmodSync(file, 0o755);
  return file;
}

module.exports = { installRuntime };
