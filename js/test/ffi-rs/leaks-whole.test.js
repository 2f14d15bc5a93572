// flags: --expose-gc
// timeout: 900
'use strict';
// As leaks.test.js, for pointers, structs, callbacks and threads.

const assert = require('node:assert/strict');
const test = require('node:test');
const support = require('../support/ffi');
const { growth } = require('../support/leak');
const { ffi, call, arrayOf, inlineOf, structArrayOf, byValue, pointerTo, restore } = support;
const { callback, unwrap, wrap } = support;

const { DataType: D, PointerType } = ffi;
const CALLS = Number(process.env.FFI_JIT_LEAK_CALLS || 1_000_000);

const POINT = { x: D.I32, y: D.Double };
const LABELLED = { name: D.String, list: arrayOf(D.I32Array, 3), in: POINT, tail: D.U8 };
const labelled = { name: 'a name', list: [1, 2, 3], in: { x: 1, y: 2 }, tail: 3 };
const BYTES = byValue({ b: inlineOf(D.U8Array, 64) });
const bytes = { b: Buffer.alloc(64, 1) };
const points = [
  { x: 1, y: 2 },
  { x: 3, y: 4 },
];

const free = (type, cell) =>
  ffi.freePointer({ paramsType: [type], paramsValue: [cell], pointerType: PointerType.RsPointer });
const made = (type, value) => () => free(type, pointerTo(type, value));
const fails = (fn) => () => {
  try {
    fn();
  } catch {
    return;
  }
  throw new Error('it should have failed');
};

const cell = pointerTo(LABELLED, labelled);
const direct = callback({ paramsType: [D.I32], retType: D.I32 }, (value) => value + 1);
const TEN = [D.U8, D.I16, D.I32, D.U32, D.I64, D.U64, D.Float, D.Double, D.Boolean, D.String];
const ten = callback({ paramsType: TEN, retType: D.Double }, (...values) => values.length);
let delivered = 0;
const queued = callback({ paramsType: [D.String], retType: D.Void }, () => {
  delivered++;
});
const nothing = ffi.funcConstructor({ paramsType: [D.I32], retType: D.I32, needFree: true });
let sent = 0;

/** Calls in batches: what waits in the queue is no leak, and a busy machine empties it slowly. */
async function queue() {
  for (let i = 0; i < 1000; i++, sent++) {
    call('notify_string_sample', D.Void, [D.External], [queued.fn]);
  }
  while (delivered < sent) await new Promise((resolve) => setTimeout(resolve, 0));
}

const echo = (value) => value;
const thrower = () => {
  throw new Error('from the callback');
};

const KINDS = {
  'createPointer and freePointer of a scalar': [made(D.I32, 5)],
  'createPointer and freePointer of a string': [made(D.String, 'some text')],
  'createPointer and freePointer of an array': [made(arrayOf(D.I32Array, 3), [1, 2, 3])],
  'createPointer and freePointer of a Buffer': [made(arrayOf(D.U8Array, 64), bytes.b)],
  'createPointer and freePointer of strings': [made(arrayOf(D.StringArray, 2), ['a', 'b'])],
  'createPointer and freePointer of a struct': [made(LABELLED, labelled), 2],
  'createPointer and freePointer of a flat struct': [made(byValue(LABELLED), labelled), 2],
  'createPointer and freePointer of struct arrays': [
    made(structArrayOf(byValue(POINT), 2), points),
    2,
  ],
  restorePointer: [() => restore(LABELLED, cell), 2],
  'wrap and unwrap': [
    () => {
      const wrapped = wrap(cell);
      unwrap(wrapped);
      free(D.External, wrapped);
    },
  ],
  createExternalBuffer: [() => ffi.createExternalBuffer(cell, 8), 5],
  'struct by pointer': [() => call('points_sum', D.Double, [POINT, D.I32], [points[0], 1])],
  'struct with text by pointer': [() => call('pointer_is_null', D.Boolean, [LABELLED], [labelled])],
  'struct by value both ways': [() => call('bytes_64_next', BYTES, [BYTES], [bytes])],
  'struct array': [
    () => call('points_sum', D.Double, [structArrayOf(byValue(POINT), 2), D.I32], [points, 2]),
  ],
  'struct result': [() => call('points_static', POINT)],
  'freeResultMemory of a string': [
    () => call('make_string', D.String, [D.I32], [1000], { freeResultMemory: true }),
  ],
  'freeResultMemory of strings': [
    () =>
      call('make_string_array', arrayOf(D.StringArray, 5), [D.I32], [5], {
        freeResultMemory: true,
      }),
  ],
  'freeResultMemory of a struct array': [
    () =>
      call('points_make', structArrayOf(byValue(POINT), 3), [D.I32], [3], {
        freeResultMemory: true,
      }),
  ],
  'direct callback': [() => call('call_i32', D.I32, [D.External, D.I32], [direct.fn, 1])],
  'direct callback with ten arguments': [
    () => call('call_ten', D.Double, [D.External], [ten.fn]),
    2,
  ],
  'queued callback, a thousand times': [queue, 10_000],
  'callback made and freed': [
    () => callback({ paramsType: [D.I32], retType: D.I32 }, echo).free(),
    20,
  ],
  'callback as parameter': [() => call('call_i32', D.I32, [nothing, D.I32], [echo, 1]), 20],
  'call on the pool': [
    () => call('add_i32', D.I32, [D.I32, D.I32], [1, 2], { runInNewThread: true }),
    20,
  ],
  'call on the pool with text': [
    () =>
      call('concat_strings', D.String, [D.String, D.String], ['a', 'b'], {
        runInNewThread: true,
        freeResultMemory: true,
      }),
    20,
  ],
  'error: struct field': [
    fails(() => call('pointer_is_null', D.Boolean, [LABELLED], [{ ...labelled, tail: 'x' }])),
    5,
  ],
  'error: createPointer of a struct': [
    fails(() => pointerTo(LABELLED, { ...labelled, tail: 'x' })),
    5,
  ],
  'error: thrown by a direct callback': [
    fails(() => call('call_i32', D.I32, [nothing, D.I32], [thrower, 1])),
    20,
  ],
};

for (const [name, [turn, divisor = 1]] of Object.entries(KINDS)) {
  test(`${name}: memory stays flat`, async (t) => {
    const { grown, turns, flat } = await growth(turn, { turns: Math.ceil(CALLS / divisor) });
    const kilobytes = `${Math.round(grown / 1024)} KB over the best quarter of ${turns} calls`;
    t.diagnostic(kilobytes);
    assert.ok(flat, kilobytes);
  });
}

test.after(() => {
  for (const one of [direct, ten, queued]) one.free();
});
