'use strict';
// Section 10: callbacks, transient and registered, nested, throwing, outside of calls.

const assert = require('node:assert/strict');
const test = require('node:test');
const {
  koffi,
  fn,
  lib,
  ours,
  throws,
  later,
  outcome,
  until,
  asResult,
  isPeer,
} = require('../support/koffi');
const { inChild } = require('../support/child');

koffi.proto('int Unary(int)');
koffi.struct('Point', { x: 'int', y: 'double' });

test('every kind of argument and result', () => {
  const kinds = {
    int8_t: [-128, 127],
    uint8_t: [0, 255],
    int16_t: [-32768, 32767],
    uint16_t: [65535],
    int32_t: [-(2 ** 31)],
    uint32_t: [2 ** 32 - 1],
    int64_t: [-(2n ** 63n), 2 ** 53],
    uint64_t: [2 ** 53, 5],
    float: [0.5, Infinity],
    double: [0.1, -0],
    bool: [true, false],
    str: ['gr\u00fc\u00df', '', null],
    str16: ['gr\u00fc\u00df', null],
    'void *': [0x1234n, null],
  };
  for (const [type, values] of Object.entries(kinds)) {
    const name = type === 'void *' ? 'pointer' : type.replace('_t', '');
    const callback = koffi.proto(`${type} (${type})`);
    const call = lib.func(`call_${name}`, type, [koffi.pointer(callback), type]);
    for (const value of values) {
      let seen = 'nothing';
      const result = call((given) => {
        seen = given;
        return given;
      }, value);
      assert.ok(Object.is(seen, value), `${type}: ${String(value)} arrived as ${String(seen)}`);
      assert.ok(
        Object.is(result, value),
        `${type}: ${String(value)} came back as ${String(result)}`,
      );
    }
  }
});

ours('a uint64_t argument of 2^63 and more', () => {
  const call = lib.func('call_uint64', 'uint64_t', [
    koffi.pointer(koffi.proto('uint64_t (uint64_t)')),
    'uint64_t',
  ]);
  for (const value of [2n ** 63n, 2n ** 64n - 1n])
    assert.equal(
      call((given) => given, value),
      asResult(value),
    );
});

test('many arguments', () => {
  koffi.proto(
    'double Many(int8_t, uint16_t, int64_t, float, double, bool, const char *, int, int, int, double)',
  );
  const seen = [];
  const result = fn('double call_many(Many *f)')((...all) => {
    seen.push(all);
    return 0.5;
  });
  assert.equal(result, 0.5);
  assert.deepEqual(seen, [[-1, 2, -3, 4.5, 5.25, true, 'six', 7, 8, 9, 10.5]]);
});

test('no arguments and no result', () => {
  koffi.proto('void Nothing(void)');
  let calls = 0;
  assert.equal(
    fn('void call_void(Nothing *)')((...all) => (calls += all.length + 1)),
    undefined,
  );
  assert.equal(calls, 1);
});

test('structs by value, in and out, in registers and memory', () => {
  koffi.proto('double TakePoint(Point, int)');
  assert.equal(
    fn('double call_point(TakePoint *, int)')(({ x, y }, n) => x * y * n, 2),
    119,
  );
  koffi.proto('Point MakePoint(int)');
  assert.equal(
    fn('double call_point_result(MakePoint *, int)')((v) => ({ x: v, y: 0.5 }), 7),
    12,
  );
  koffi.struct('Bytes17', { b: koffi.array('uint8_t', 17) });
  koffi.proto('Bytes17 MapBytes(Bytes17)');
  assert.equal(
    fn('int call_bytes(MapBytes *)')(({ b }) => ({ b: b.map((one) => one * 2) })),
    306,
  );
});

test('pointer arguments are addresses', () => {
  koffi.proto('double LookAt(const Point *)');
  assert.equal(
    fn('double call_point_at(LookAt *)')((pointer) => koffi.decode(pointer, 'Point').y),
    2.5,
  );
  koffi.proto('void Change(int *)');
  assert.equal(
    fn('int call_out(Change *)')((pointer) =>
      koffi.encode(pointer, 'int', koffi.decode(pointer, 'int') + 37),
    ),
    42,
  );
});

test('strings that JavaScript returns live until the call ends', () => {
  koffi.proto('const char *Text(int)');
  const length = fn('int call_text_length(Text *, int)');
  assert.equal(
    length((n) => 'x'.repeat(n), 100_000),
    100_000,
  );
  assert.equal(
    length(() => null, 1),
    -1,
  );
  assert.equal(
    length(() => undefined, 1),
    -1,
  );
});

test('NULL and pointers of C as callbacks', () => {
  const call = fn('int call_int(Unary *, int)');
  assert.equal(call(null, 5), -1);
  assert.equal(call(undefined, 5), -1);
  const twice = fn('Unary *get_twice(int)')(0);
  assert.equal(call(twice, 21), 42);
  assert.equal(fn('Unary *get_twice(int)')(2), null);
});

test('functions of C called through pointers', () => {
  const square = fn('Unary *get_twice(int)')(1);
  assert.equal(koffi.call(square, 'Unary', 7), 49);
  const decoded = koffi.decode(square, 'Unary');
  assert.equal(decoded(8), 64);
  assert.equal(typeof decoded.async, 'function');
  const cast = koffi.as((v) => v + 1, 'Unary *');
  assert.equal(fn('int call_int(Unary *, int)')(cast, 41), 42);
});

test('several callbacks in one call, and lists of them', () => {
  assert.equal(
    fn('int call_two(Unary *, Unary *, int)')(
      (v) => v + 1,
      (v) => v * 2,
      5,
    ),
    610,
  );
  const list = fn('int call_list(Unary **, int, int)');
  assert.equal(list([(v) => v, null, (v) => v + 2], 3, 1), 103);
});

ours('more than sixteen callbacks in one call', () => {
  const list = fn('int call_list(Unary **, int, int)');
  let calls = 0;
  list(
    Array.from({ length: 500 }, () => () => ++calls && 0),
    500,
    1,
  );
  assert.equal(calls, 500);
});

test('results of the wrong kind throw', () => {
  const call = fn('int call_int(Unary *, int)');
  for (const [kind, value] of Object.entries({
    Undefined: undefined,
    Null: null,
    String: '1',
    Object: {},
    Boolean: true,
  })) {
    throws(() => call(() => value, 1), `Unexpected ${kind} value, expected number`, TypeError);
  }
  assert.equal(
    call(() => 5n, 1),
    5,
  );
  koffi.proto('void NoResult()');
  assert.equal(
    fn('void call_void(NoResult *)')(() => 'ignored'),
    undefined,
  );
});

test('an exception is thrown by the call, C gets zero', () => {
  const call = fn('int call_int(Unary *, int)');
  const error = new RangeError('from JavaScript');
  assert.throws(
    () =>
      call(() => {
        throw error;
      }, 1),
    (thrown) => thrown === error,
  );
  assert.throws(
    () =>
      call(() => {
        throw 'text';
      }, 1),
    (thrown) => thrown === 'text',
  );
  assert.equal(
    call((v) => v, 3),
    3,
  );
});

test('after an exception no further callback of the call runs', () => {
  let calls = 0;
  assert.throws(
    () =>
      fn('int call_times(Unary *, int)')(() => {
        calls++;
        throw new Error('first');
      }, 10),
    /first/,
  );
  assert.equal(calls, 1);
  assert.equal(
    fn('int call_times(Unary *, int)')((v) => v, 10),
    45,
  );
});

test('registered callbacks', () => {
  const call = fn('int call_int(Unary *, int)');
  const before = koffi.stats().callbacks;
  const pointer = koffi.register((v) => v * 3, 'Unary *');
  assert.equal(typeof pointer, 'bigint');
  assert.equal(koffi.stats().callbacks, before + 1);
  for (let i = 0; i < 1000; i++) assert.equal(call(pointer, i), 3 * i);
  fn('void keep_callback(Unary *)')(pointer);
  assert.equal(fn('int call_kept(int)')(14), 42);
  assert.equal(fn('void *kept_pointer()')(), pointer);
  assert.equal(koffi.call(pointer, 'Unary', 5), 15);
  fn('void keep_callback(Unary *)')(null);
  assert.equal(koffi.unregister(pointer), undefined);
  assert.equal(koffi.stats().callbacks, before);
  throws(() => koffi.unregister(pointer), /Could not find matching registered callback/, Error);
});

test('register: with a type object, with a this value', () => {
  const pointer = koffi.register((v) => v + 1, koffi.pointer(koffi.resolve('Unary')));
  assert.equal(fn('int call_int(Unary *, int)')(pointer, 1), 2);
  koffi.unregister(pointer);
  const store = {
    factor: 7,
    map(v) {
      return v * this.factor;
    },
  };
  const bound = koffi.register(store, store.map, 'Unary *');
  assert.equal(fn('int call_int(Unary *, int)')(bound, 6), 42);
  koffi.unregister(bound);
});

test('this is undefined', () => {
  let self = 'unset';
  fn('int call_int(Unary *, int)')(function strict() {
    self = this;
    return 0;
  }, 1);
  assert.equal(self, undefined);
});

test('register: errors', () => {
  throws(
    () => koffi.register((v) => v, 'Unary'),
    'Unexpected Unary type, expected <callback> * type',
    TypeError,
  );
  throws(
    () => koffi.register((v) => v, 'int *'),
    'Unexpected int * type, expected <callback> * type',
    TypeError,
  );
  throws(
    () => koffi.register(5, 'Unary *'),
    'Unexpected Number value for func, expected function',
    TypeError,
  );
  throws(
    () => koffi.register((v) => v),
    /^Expected 2 (?:to|or) 3 arguments, got 1$|^Expected 2 arguments, got 1$/,
    TypeError,
  );
  throws(() => koffi.unregister(5), /registered/);
  throws(() => koffi.unregister(null), /registered/);
  throws(
    () => fn('int call_int(Unary *, int)')('text', 5),
    'Unexpected String value, expected Unary *',
    TypeError,
  );
  throws(
    () => fn('int call_int(Unary *, int)')({}, 5),
    'Unexpected Object value, expected Unary *',
    TypeError,
  );
});

ours('variadic callbacks are refused', () => {
  const type = koffi.proto('int Variadic(int, ...)');
  throws(() => koffi.register(() => 0, koffi.pointer(type)), /variadic/i);
});

test('a transient callback is dead after its call', () => {
  const run = inChild(
    ({ koffi: k, lib: l, isPeer }) => {
      k.proto('int Unary(int)');
      l.func('void keep_callback(Unary *)')((v) => v + 1);
      const call = l.func('int call_kept(int)');
      try {
        return { value: call(5) };
      } catch (error) {
        return { message: error.message, isPeer };
      }
    },
    { helpers: './koffi' },
  );
  assert.match(run.value?.message ?? '', /non-registered callback/, run.stderr);
});

test('nesting: a callback calls C that calls back', () => {
  const nested = fn('int call_nested(Unary *, int)');
  const down = (depth) => (depth === 0 ? 0 : nested(down, depth - 1));
  for (const depth of [1, 10, 20]) assert.equal(down(depth), depth);
  const strings = fn('const char *echo_str(const char *)');
  const through = fn('int sum_through(Unary *, int)');
  assert.equal(
    through((v) => strings('x'.repeat(v)).length + through((w) => w, v), 5),
    18 + 18 + 21 + 24,
  );
});

ours('nesting: hundreds deep', () => {
  const nested = fn('int call_nested(Unary *, int)');
  const down = (depth) => (depth === 0 ? 0 : nested(down, depth - 1));
  assert.equal(down(300), 300);
});

test('nesting: an exception passes through every level', () => {
  const nested = fn('int call_nested(Unary *, int)');
  const down = (depth) => {
    if (depth === 0) throw new RangeError('at the bottom');
    return nested(down, depth - 1);
  };
  for (let i = 0; i < 20; i++) throws(() => down(20), 'at the bottom', RangeError);
  assert.equal(
    nested((v) => v, 1),
    2,
  );
});

test('an exception caught in the outer callback does not come up again', () => {
  const call = fn('int call_int(Unary *, int)');
  const result = call((v) => {
    try {
      return call(() => {
        throw new Error('inner');
      }, v);
    } catch (error) {
      return error.message.length;
    }
  }, 1);
  assert.equal(result, 5);
});

test('arguments survive the garbage collector', () => {
  const run = inChild(
    ({ koffi: k, lib: l }) => {
      k.proto('int Unary(int)');
      const pointer = k.register((v) => {
        globalThis.gc();
        return v + 1;
      }, 'Unary *');
      globalThis.gc();
      const call = l.func('int call_times(Unary *, int)');
      return [
        call(pointer, 20),
        call((v) => {
          globalThis.gc();
          return v;
        }, 5),
      ];
    },
    { helpers: './koffi', flags: ['--expose-gc'] },
  );
  assert.deepEqual(run.value, [210, 10], run.stderr);
});

test('sorting with JavaScript comparing', () => {
  koffi.proto('int Compare(const void *a, const void *b)');
  const sort = fn('void sort(_Inout_ int *base, size_t n, size_t size, Compare *order)');
  const list = [5, -3, 99, 0, 12, 7, -100];
  sort(list, list.length, 4, (a, b) => koffi.decode.int(a) - koffi.decode.int(b));
  assert.deepEqual(list, [-100, -3, 0, 5, 7, 12, 99]);
});

// Threads.
test('from the thread of an asynchronous call', async () => {
  assert.equal(await later(fn('int call_times(Unary *, int)'), (v) => v * 2, 50), 2450);
});

test('from threads of C, several at once', async () => {
  let calls = 0;
  const total = await later(
    fn('int call_from_threads(Unary *, int, int)'),
    (v) => {
      calls++;
      return v;
    },
    8,
    50,
  );
  assert.equal(calls, 400);
  assert.equal(total, (400 * 399) / 2);
});

test('a thread that nobody waits for', async () => {
  const pointer = koffi.register((v) => v + 1000, 'Unary *');
  fn('void ask_later(Unary *, int)')(pointer, 5);
  await until(() => fn('int answer()')() !== -1, 'the answer');
  assert.equal(fn('int answer()')(), 1005);
  koffi.unregister(pointer);
});

test('callbacks on threads may call C, synchronously and not', async () => {
  const add = fn('int int_add(int, int)');
  const started = [];
  const total = await later(
    fn('int call_times(Unary *, int)'),
    (v) => {
      started.push(later(add, v, 1));
      return add(v, 1);
    },
    10,
  );
  assert.equal(total, 55);
  assert.deepEqual(
    await Promise.all(started),
    Array.from({ length: 10 }, (_, i) => i + 1),
  );
});

test('an exception on another thread is uncaught', async () => {
  const run = inChild(
    async ({ koffi: k, lib: l, later: asPromise }) => {
      k.proto('int Unary(int)');
      const seen = [];
      process.on('uncaughtException', (error) => seen.push(error.message));
      const result = await asPromise(
        l.func('int call_int(Unary *, int)'),
        () => {
          throw new Error('on a thread');
        },
        5,
      ).catch((e) => `rejected ${e.message}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { seen, result };
    },
    { helpers: './koffi' },
  );
  assert.ok(run.value, run.stderr);
  assert.ok(
    [...run.value.seen, String(run.value.result)].some((text) => /on a thread/.test(text)),
    JSON.stringify(run.value),
  );
});

test('a registered callback does not keep the process alive', () => {
  const run = inChild(
    ({ koffi: k, lib: l }) => {
      k.proto('int Unary(int)');
      const pointer = k.register((v) => v, 'Unary *');
      return l.func('int call_int(Unary *, int)')(pointer, 5);
    },
    { helpers: './koffi', timeout: 20_000 },
  );
  assert.equal(run.value, 5);
  assert.equal(run.status, 0, run.signal);
});

test('called by the event loop, outside any call', async () => {
  const uv = koffi.load(null);
  const Timer = koffi.proto('void OnTimer(void *)');
  const loopOf = uv.func('int napi_get_uv_event_loop(void *env, _Out_ void **loop)');
  const out = [null];
  assert.equal(loopOf(koffi.node.env, out), 0);
  const size = uv.func('size_t uv_handle_size(int)')(13); // UV_TIMER
  const handle = koffi.alloc('uint8_t', size);
  assert.equal(uv.func('int uv_timer_init(void *, void *)')(out[0], handle), 0);
  const seen = [];
  const pointer = koffi.register((given) => seen.push(given), koffi.pointer(Timer));
  uv.func('int uv_timer_start(void *, OnTimer *, uint64_t, uint64_t)')(handle, pointer, 5, 5);
  await until(() => seen.length >= 3, 'three ticks');
  assert.equal(seen[0], handle);
  let closed = false;
  const close = koffi.register(() => {
    closed = true;
  }, koffi.pointer(Timer));
  uv.func('void uv_close(void *, OnTimer *)')(handle, close);
  await until(() => closed, 'the end of the handle');
  koffi.unregister(pointer);
  koffi.unregister(close);
  koffi.free(handle);
});

test('each worker has its own types and callbacks', async () => {
  const { Worker } = require('node:worker_threads');
  const support = require.resolve('../support/koffi');
  koffi.struct('OnlyHere', { a: 'int' });
  const code = `
    const { parentPort } = require('node:worker_threads');
    const { koffi, lib, later } = require(${JSON.stringify(support)});
    koffi.struct('OnlyHere', { a: 'double' });
    koffi.proto('int Unary(int)');
    const pointer = koffi.register((v) => v + 1, 'Unary *');
    const sync = lib.func('int call_times(Unary *, int)')(pointer, 10);
    later(lib.func('int call_from_threads(Unary *, int, int)'), pointer, 4, 5).then((threads) =>
      parentPort.postMessage({ sync, threads, size: koffi.sizeof('OnlyHere'), callbacks: koffi.stats().callbacks }));
  `;
  const before = koffi.stats().callbacks;
  const answers = await Promise.all(
    [1, 2, 3].map(
      () =>
        new Promise((resolve, reject) => {
          const worker = new Worker(code, { eval: true });
          worker.once('message', resolve).once('error', reject);
        }),
    ),
  );
  for (const { callbacks, ...answer } of answers) {
    assert.deepEqual(answer, { sync: 55, threads: 210, size: 8 });
    if (!isPeer) assert.equal(callbacks, 1); // the published Koffi counts those of all workers
  }
  if (!isPeer) assert.equal(koffi.stats().callbacks, before);
  assert.equal(koffi.sizeof('OnlyHere'), 4);
});

test('an error of a conversion goes to the callback of the call', async () => {
  const [error, result] = await outcome(fn('int call_int(Unary *, int)'), 'text', 5);
  assert.match(error.message, /^Unexpected String value, expected Unary \*$/);
  assert.ok(result === undefined || result === null);
});
