'use strict';
// Location tables of every ABI against what clang compiles (ci/locations.py): the only check of
// flavours that cannot run here, and a second one of the others.

const { runPython } = require('../lib/targets/oracles.js');

const COUNT = 1000;
const LINE = /^(\S+) +(\d+) random +(\d+) golden +(\d+) left out +(\d+) wrong/gm;

module.exports = {
  name: 'locations',
  order: 210,
  fast: false,
  build: async () => ({}),
  async run() {
    const { ok, output } = await runPython('ci/locations.py', ['--count', String(COUNT)]);
    const seed = /^seed (\d+)$/m.exec(output)?.[1];
    const rows = [...output.matchAll(LINE)].map(([, name, random, golden, , wrong]) => ({
      text: `${name}: ${random} random signatures and ${golden} golden ones, ${wrong} wrong`,
      well: Number(random) >= COUNT && Number(wrong) === 0,
    }));
    const passed = rows.filter(({ well }) => well).length;
    const failed = Math.max(rows.length - passed, ok && rows.length > 0 ? 0 : 1);
    const remark = `a test is an ABI with ${COUNT} random signatures, seed ${seed}`;
    return { passed, failed, skipped: 0, output, remark, notes: rows.map(({ text }) => text) };
  },
};
