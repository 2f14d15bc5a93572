'use strict';
// Section 12: config, stats, errno, reset, node.

const assert = require('node:assert/strict');
const os = require('node:os');
const test = require('node:test');
const { koffi, fn, lib, ours, throws, until } = require('../support/koffi');
const { inChild, valueInChild } = require('../support/child');
const { DOUBLE_ALIGN, WORD } = require('../support/platform');

const KEYS = [
  'sync_stack_size',
  'sync_heap_size',
  'async_stack_size',
  'async_heap_size',
  'resident_async_pools',
  'max_async_calls',
  'max_type_size',
];
const child = (body, options) => valueInChild(body, { helpers: './koffi', ...options });

test('config: the seven settings', () => {
  const config = koffi.config();
  assert.deepEqual(Object.keys(config), KEYS);
  for (const key of KEYS) assert.ok(Number.isSafeInteger(config[key]), key);
  assert.equal(config.max_type_size, 67108864);
});

ours('config: defaults', () => {
  assert.deepEqual(
    { ...koffi.config() },
    {
      sync_stack_size: 1048576,
      sync_heap_size: 2097152,
      async_stack_size: 262144,
      async_heap_size: 524288,
      resident_async_pools: 2,
      max_async_calls: 64,
      max_type_size: 67108864,
    },
  );
});

test('config: any subset is set, the whole is returned', () => {
  const [first, second, third] = child(({ koffi: k }) => [
    k.config({ max_async_calls: 100, resident_async_pools: 1 }),
    k.config({
      sync_stack_size: 65536,
      sync_heap_size: 0,
      async_stack_size: 16777216,
      async_heap_size: 65536,
      max_type_size: 1024,
    }),
    k.config(),
  ]);
  assert.equal(first.max_async_calls, 100);
  assert.equal(first.resident_async_pools, 1);
  assert.deepEqual(
    { ...second, sync_heap_size: 0 },
    {
      ...first,
      sync_stack_size: 65536,
      sync_heap_size: 0,
      async_stack_size: 16777216,
      async_heap_size: 65536,
      max_type_size: 1024,
    },
  );
  assert.deepEqual(third, second);
});

test('config: errors leave everything as it was', () => {
  const { messages, before, after } = child(({ koffi: k }) => {
    const before = k.config();
    const messages = [
      { sync_stack_size: 1 },
      { sync_stack_size: 2 ** 30 },
      { async_stack_size: 65535 },
      { max_async_calls: 5000 },
      { max_async_calls: -1 },
      { resident_async_pools: 33 },
      { max_type_size: 16 },
      { max_type_size: 2 ** 30 },
      { sync_stack_size: 131072, other: 1 },
      { sync_stack_size: '131072' },
      { max_async_calls: null },
      5,
      'text',
    ].map((given) => {
      try {
        k.config(given);
        return 'nothing';
      } catch (error) {
        return `${error.constructor.name}: ${error.message}`;
      }
    });
    return { messages, before, after: k.config() };
  });
  assert.deepEqual(after, before);
  const expected = [
    /^Error: Setting 'sync_stack_size' must be between 64 kiB and 16 MiB$/,
    /^Error: Setting 'sync_stack_size' must be between/,
    /^Error: Setting 'async_stack_size' must be between/,
    /^Error: Setting 'max_async_calls' must be between/,
    /^Error: Setting 'max_async_calls' must be between/,
    /^Error: Setting 'resident_async_pools' must be between/,
    /^Error: Setting 'max_type_size' must be between/,
    /^Error: Setting 'max_type_size' must be between/,
    /^Error: Unexpected config member 'other'$/,
    /^TypeError: Unexpected String value for 'sync_stack_size', expected number$/,
    /^TypeError: Unexpected Null value for 'max_async_calls', expected number$/,
    /^TypeError: Unexpected Number value for config, expected object$/,
    /^TypeError: Unexpected String value for config, expected object$/,
  ];
  for (const [i, pattern] of expected.entries()) assert.match(messages[i], pattern);
});

test('config: settled once a library is loaded', () => {
  koffi.load(null);
  throws(
    () => koffi.config({ max_async_calls: 32 }),
    'Cannot change Koffi configuration once a library has been loaded',
    Error,
  );
  assert.deepEqual(Object.keys(koffi.config()), KEYS);
});

test('config: max_type_size governs types', () => {
  const messages = child(({ koffi: k }) => {
    k.config({ max_type_size: 1024 });
    const of = (body) => {
      try {
        body();
        return 'nothing';
      } catch (error) {
        return error.message;
      }
    };
    return [
      of(() => k.array('int', 256)),
      of(() => k.array('int', 257)),
      of(() => k.resolve('int[257]')),
      of(() => k.struct('Huge', { a: 'int[200]', b: 'int[200]' })),
      of(() => k.struct('Fits', { a: 'int[200]' })),
    ];
  });
  assert.equal(messages[0], 'nothing');
  assert.match(messages[1], /^Array length is too high \(max = 256\)$/);
  assert.match(messages[2], /^Array length is too high \(max = 256\)$/);
  assert.match(messages[3], /^Struct 'Huge' size is too high \(max = /);
  assert.equal(messages[4], 'nothing');
});

ours('config: max_async_calls governs how many run at a time', () => {
  const most = child(
    async (helpers) => {
      const { koffi: k, later: wait } = helpers;
      k.config({ max_async_calls: 3, resident_async_pools: 1 });
      const l = helpers.lib; // opens the library: the settings are final from here on
      k.proto('int Unary(int)');
      let now = 0;
      let top = 0;
      const sleep = l.func('int call_int(Unary *, int)');
      const nap = l.func('int sleep_ms(int)');
      await Promise.all(
        Array.from({ length: 20 }, () =>
          wait(
            sleep,
            (v) => {
              top = Math.max(top, ++now);
              nap(2);
              now--;
              return v;
            },
            1,
          ),
        ),
      );
      const begin = Date.now();
      await Promise.all(Array.from({ length: 9 }, () => wait(nap, 60)));
      return { top, time: Date.now() - begin };
    },
    { env: { UV_THREADPOOL_SIZE: '16' } },
  );
  assert.ok(most.top <= 3, `${most.top} at once`);
  assert.ok(most.time >= 170, `nine naps of 60 ms, three at a time, took ${most.time} ms`);
});

test('stats', () => {
  const stats = koffi.stats();
  assert.deepEqual(Object.keys(stats), ['disposed', 'callbacks']);
  const before = stats.callbacks;
  koffi.proto('int Unary(int)');
  const pointers = Array.from({ length: 20 }, () => koffi.register((v) => v, 'Unary *'));
  assert.equal(koffi.stats().callbacks, before + 20);
  for (const pointer of pointers) koffi.unregister(pointer);
  assert.equal(koffi.stats().callbacks, before);
});

test('errno: of the last call, and set by hand', () => {
  const fail = fn('int fail_with(int)');
  for (const code of [0, 1, 2, 13, 9999]) {
    fail(code);
    assert.equal(koffi.errno(), code);
  }
  assert.equal(koffi.errno(5), 5);
  assert.equal(koffi.errno(), 5);
  throws(() => koffi.errno('x'), 'Unexpected String value for errno, expected integer', TypeError);
  throws(() => koffi.errno(null), 'Unexpected Null value for errno, expected integer', TypeError);
});

ours('errno: what JavaScript does meanwhile does not change it', () => {
  const fail = fn('int fail_with(int)');
  fail(17);
  for (let i = 0; i < 100; i++) Buffer.alloc(1_000_000).toString('base64');
  try {
    require('node:fs').readFileSync('/nonexistent');
  } catch {}
  assert.equal(koffi.errno(), 17);
});

test('errno: names', () => {
  const name = process.platform === 'win32' ? '_open' : 'open';
  const open = koffi.load(null).func(`int ${name}(const char *, int)`);
  assert.equal(open('/nonexistent/file', 0), -1);
  assert.equal(koffi.errno(), koffi.os.errno.ENOENT);
  assert.equal(koffi.os.errno.EINVAL, os.constants.errno.EINVAL);
});

test('errno: a call that asks the struct, string and array paths', () => {
  const fail = lib.func('fail_with', 'int', ['int', 'str', 'int *']);
  fail(33, 'x'.repeat(100_000), Array(10_000).fill(1));
  assert.equal(koffi.errno(), 33);
});

test('reset forgets types, keeps primitives, and names are free again', () => {
  const result = child(({ koffi: k }) => {
    k.struct('Point', { x: 'int', y: 'double' });
    const before = k.sizeof('Point');
    const returned = k.reset() === undefined;
    const gone = ['Point', 'Point *'].map((name) => {
      try {
        return k.sizeof(name);
      } catch (error) {
        return error.message;
      }
    });
    k.struct('Point', { x: 'double', y: 'double' });
    const again = k.load(null).func('int abs(int)')(-3);
    return {
      before,
      returned,
      gone,
      after: k.sizeof('Point'),
      int: k.sizeof('int'),
      str: k.sizeof('str'),
      again,
    };
  });
  assert.deepEqual(result, {
    before: 8 + DOUBLE_ALIGN,
    returned: true,
    gone: ["Unknown or invalid type name 'Point'", "Unknown or invalid type name 'Point *'"],
    after: 16,
    int: 4,
    str: WORD,
    again: 3,
  });
});

ours('reset forgets aliases too', () => {
  const size = child(({ koffi: k }) => {
    k.alias('number_t', 'int');
    k.reset();
    k.alias('number_t', 'double');
    return k.sizeof('number_t');
  });
  assert.equal(size, 8);
});

test('reset: asynchronous calls and callbacks work afterwards', () => {
  const value = child(async ({ koffi: k, lib: l, later: wait }) => {
    const results = [];
    for (let round = 0; round < 3; round++) {
      k.proto('int Unary(int)');
      results.push(await wait(l.func('int call_times(Unary *, int)'), (v) => v, 10));
      const pointer = k.register((v) => v + round, 'Unary *');
      results.push(l.func('int call_int(Unary *, int)')(pointer, 1));
      k.unregister(pointer);
      k.reset();
    }
    return results;
  });
  assert.deepEqual(value, [45, 1, 45, 2, 45, 3]);
});

test('node.env is an address', () => {
  assert.equal(typeof koffi.node.env, 'bigint');
  assert.notEqual(koffi.node.env, 0n);
});

const windows = process.platform === 'win32';
const polls = { skip: windows && 'Windows has no poll()' };

test('node.poll says so where there is no poll()', { skip: !windows && 'for Windows' }, () => {
  assert.throws(() => koffi.node.poll(0, () => {}), { code: 'ERR_FFI_UNSUPPORTED' });
});

test('node.poll watches a descriptor', polls, async () => {
  const pipe = lib.func('pipe', 'int', ['_Out_ int *']);
  const ends = [0, 0];
  assert.equal(pipe(ends), 0);
  const write = lib.func('write', 'int', ['int', 'const char *', 'size_t']);
  const read = lib.func('read', 'int', ['int', '_Out_ uint8_t *', 'size_t']);
  const events = [];
  const handle = koffi.node.poll(ends[0], { readable: true }, (status, event) => {
    read(ends[0], Buffer.alloc(16), 16);
    events.push([status, event]);
  });
  assert.ok(handle instanceof koffi.node.PollHandle);
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(events.length, 0);
  assert.equal(write(ends[1], 'x', 1), 1);
  await until(() => events.length === 1, 'an event');
  assert.equal(events[0][0], 0);
  assert.equal(events[0][1].readable, true);
  handle.stop();
  write(ends[1], 'y', 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(events.length, 1, 'a stopped handle is silent');
  const more = [];
  handle.start({ readable: true }, (status, event) => {
    read(ends[0], Buffer.alloc(16), 16);
    more.push([status, event]);
  });
  await until(() => more.length === 1, 'the byte that waited');
  handle.unref();
  handle.ref();
  handle.close();
  const short = koffi.node.poll(ends[0], (status, event) => more.push([status, event]));
  write(ends[1], 'z', 1);
  await until(() => more.length >= 2, 'an event by default for reading');
  short.close();
  const close = lib.func('close', 'int', ['int']);
  assert.equal(close(ends[0]) + close(ends[1]), 0);
});

test('node.poll: an unref handle lets the process end', polls, () => {
  const run = inChild(
    ({ koffi: k, lib: l }) => {
      const ends = [0, 0];
      l.func('pipe', 'int', ['_Out_ int *'])(ends);
      k.node.poll(ends[0], () => {}).unref();
      return 'ended';
    },
    { helpers: './koffi', timeout: 20_000 },
  );
  assert.equal(run.status, 0, run.signal);
  assert.equal(run.value, 'ended');
});
