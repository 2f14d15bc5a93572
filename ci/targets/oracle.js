'use strict';
// The C compiler as oracle, a row for every ABI: ci/emulate.py has the trampolines of random
// signatures meet C callees and callers, natively, under qemu or under wine.

const { runPython } = require('../lib/targets/oracles.js');

const COUNT = 1000;
const ABIS = [
  ...['x64-linux', 'x64-windows', 'aarch64-linux', 'aarch64-darwin', 'aarch64-windows'],
  ...['arm-linux', 'x86-linux', 'x86-windows'],
];

module.exports = ABIS.map((abi, i) => ({
  name: `oracle-${abi}`,
  order: 200 + i,
  fast: false,
  build: async () => ({}),
  async run() {
    const { ok, output } = await runPython('ci/emulate.py', ['--count', String(COUNT), abi]);
    const seed = /^seed (\d+)$/m.exec(output)?.[1];
    const [, tested = 0, wrong] =
      new RegExp(`^${abi} +(\\d+) +(\\d+) +\\d+$`, 'm').exec(output) ?? [];
    const well = ok && Number(tested) >= COUNT && wrong === '0';
    const remark = `${tested} signatures in both directions, seed ${seed}`;
    return { passed: well ? 1 : 0, failed: well ? 0 : 1, skipped: 0, output, remark };
  },
}));
