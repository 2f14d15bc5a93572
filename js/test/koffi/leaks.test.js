'use strict';
// timeout: 900
// Leaks: each case runs in a process of its own until its memory is settled, then as often again,
// and must not have grown. A leak of a few bytes in every call shows as megabytes.

const assert = require('node:assert/strict');
const test = require('node:test');
const { valueInChild } = require('../support/child');

const ALLOWED = 6 * 2 ** 20;

/** How much a body grows the process: `[body, calls]`, run in a child. */
function growth(prepare, calls) {
  return valueInChild(
    async (helpers, { source, calls: count }) => {
      // biome-ignore lint/security/noGlobalEval: the case comes as text from the parent
      const run = globalThis.eval(`(${source})`)(helpers);
      const settle = async () => {
        for (let i = 0; i < 4; i++) {
          globalThis.gc();
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        return process.memoryUsage().rss;
      };
      const batch = async () => {
        for (let i = 0; i < count; i++) {
          const pending = run(i);
          if (pending instanceof Promise) await pending;
        }
        return settle();
      };
      await batch();
      let before = await batch();
      // Fragmentation settles in steps: the best of some rounds counts, a leak grows in each.
      let least = Infinity;
      for (let round = 0; round < 3; round++) {
        const after = await batch();
        least = Math.min(least, after - before);
        before = after;
      }
      return least;
    },
    {
      helpers: './koffi',
      flags: ['--expose-gc'],
      argument: { source: prepare.toString(), calls },
      timeout: 300_000,
    },
  );
}

const CASES = {
  'strings in and out': [
    ({ fn }) => {
      const echo = fn('str echo_str(str)');
      const text = 'x'.repeat(500);
      return () => echo(text);
    },
    40_000,
  ],
  'large strings': [
    ({ fn }) => {
      const bytes = fn('int64_t bytes_of(str)');
      const text = '\u20ac'.repeat(400_000);
      return () => bytes(text);
    },
    60,
  ],
  'disposable strings': [
    ({ fn }) => {
      const make = fn('char *! new_text(str)');
      const text = 'x'.repeat(500);
      return () => make(text);
    },
    40_000,
  ],
  'arrays in, out and both': [
    ({ fn }) => {
      const twice = fn('void twice_doubles(_Inout_ double *, int)');
      return () => twice([1, 2, 3, 4, 5, 6, 7, 8], 8);
    },
    40_000,
  ],
  'large arrays': [
    ({ fn }) => {
      const sum = fn('double sum_doubles(const double *, int)');
      const list = Array(200_000).fill(1);
      return () => sum(list, list.length);
    },
    60,
  ],
  'structs with strings': [
    ({ koffi, lib }) => {
      const big = koffi.struct({ a: 'int64_t', b: 'double', name: 'char *', flag: 'uint8_t' });
      const echo = lib.func('echo_Big', big, [big]);
      const value = { a: 1, b: 2, name: 'n'.repeat(300), flag: 1 };
      return () => echo(value);
    },
    40_000,
  ],
  'errors midway': [
    ({ fn }) => {
      const sum = fn('double sum_doubles(const double *, int)');
      const list = [...Array(500).fill(1), 'x'];
      return () => {
        try {
          sum(list, list.length);
        } catch {}
      };
    },
    20_000,
  ],
  'transient callbacks': [
    ({ koffi, fn }) => {
      koffi.proto('int Unary(int)');
      const call = fn('int call_int(Unary *, int)');
      return (i) => call((v) => v + i, 1);
    },
    40_000,
  ],
  'registered callbacks': [
    ({ koffi }) => {
      koffi.proto('int Unary(int)');
      return (i) => koffi.unregister(koffi.register((v) => v + i, 'Unary *'));
    },
    40_000,
  ],
  'callbacks that return strings': [
    ({ koffi, lib }) => {
      koffi.proto('const char *Text(int)');
      const length = lib.func('int call_text_length(Text *, int)');
      const text = 'x'.repeat(500);
      return () => length(() => text, 1);
    },
    20_000,
  ],
  'throwing callbacks': [
    ({ koffi, fn }) => {
      koffi.proto('int Unary(int)');
      const call = fn('int call_int(Unary *, int)');
      return () => {
        try {
          call(() => {
            throw new Error('thrown');
          }, 1);
        } catch {}
      };
    },
    20_000,
  ],
  'asynchronous calls': [
    ({ fn, later }) => {
      const concat = fn('char *! concat_new(const char *, const char *)');
      const text = 'x'.repeat(300);
      return () => later(concat, text, text);
    },
    5000,
  ],
  'asynchronous calls with errors': [
    ({ fn }) => {
      const add = fn('int int_add(int, int)');
      return () => add.async('x', 1, () => {});
    },
    20_000,
  ],
  'callbacks on threads': [
    ({ koffi, fn, later }) => {
      koffi.proto('int Unary(int)');
      const call = fn('int call_times(Unary *, int)');
      return () => later(call, (v) => v, 3);
    },
    3000,
  ],
  'memory functions': [
    ({ koffi }) => {
      const point = koffi.struct({ x: 'int', y: 'double' });
      return () => {
        const memory = koffi.alloc(point, 10);
        koffi.encode(memory, point, [{ x: 1, y: 2 }], 10);
        koffi.decode(memory, point, 10);
        koffi.free(memory);
      };
    },
    20_000,
  ],
  'strings encoded at one place': [
    ({ koffi }) => {
      const cell = koffi.alloc('char *', 1);
      const text = 'x'.repeat(500);
      return () => koffi.encode(cell, 'char *', text);
    },
    40_000,
  ],
  'functions made again and again': [
    ({ lib }) =>
      () =>
        lib.func('int int_add(int a, int b)')(1, 2),
    5000,
  ],
  'libraries opened again and again': [
    ({ koffi }) =>
      () =>
        koffi.load(null).func('int abs(int)')(-1),
    3000,
  ],
};

for (const [name, [prepare, calls]] of Object.entries(CASES)) {
  test(name, () => {
    const grown = growth(prepare, calls);
    assert.ok(
      grown < ALLOWED,
      `${calls} calls grew the process by ${(grown / 2 ** 20).toFixed(1)} MiB`,
    );
  });
}
