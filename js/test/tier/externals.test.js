// flags: --allow-natives-syntax --expose-gc --no-concurrent-recompilation
'use strict';
// Externals and cells on V8's own ways, in optimised code and outside: the same answers as
// Node-API's, whatever comes, and Externals that other addons can read.

const assert = require('node:assert/strict');
const test = require('node:test');
const { types } = require('node:util');
const { ffi, call, arrayOf, nullPointer } = require('../support/ffi');
const { throwsCoded } = require('../support/assert-coded');
const { DOUBLE_ALIGN } = require('../support/platform');
const { valueInChild } = require('../support/child');
const { native } = require('../../core/loader.js');
const memory = require('../../core/memory.js');
const { currentTier } = require('../../core/tier.js');
const { HAS_PACKED, optimised } = require('./support');

const { DataType: D, PointerType } = ffi;
const { RsPointer } = PointerType;
const make = (type, value) => ffi.createPointer({ paramsType: [type], paramsValue: [value] })[0];
const read = (type, cell) => ffi.restorePointer({ retType: [type], paramsValue: [cell] })[0];
const free = (type, cell) =>
  ffi.freePointer({ paramsType: [type], paramsValue: [cell], pointerType: RsPointer });

/** Values that are no Externals. */
const OTHERS = [undefined, null, 0, 1.5, 'text', true, 7n, {}, [], () => {}, Symbol('x')];
const CELL = memory.FIXED;

test('cells are made, read and freed by optimised code', () => {
  const round = optimised((value) => {
    const cell = make(D.I32, value | 0);
    const got = read(D.I32, cell);
    free(D.I32, cell);
    return got;
  });
  for (let i = 0; i < 20_000; i++) assert.equal(round(i), i);
});

test('freeing twice is an error, in optimised code too', () => {
  const twice = optimised(() => {
    const cell = make(D.Double, 0.5);
    assert.ok(types.isExternal(cell));
    free(D.Double, cell);
    throwsCoded(() => free(D.Double, cell), 'ERR_FFI_INVALID_POINTER');
  });
  for (let i = 0; i < 100; i++) twice();
});

test('odd values between hot loops', () => {
  const cell = make(D.I32, 42);
  const hot = optimised(() => read(D.I32, cell));
  const put = optimised((list = [cell]) => memory.putExternal(list[0], CELL));
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 500; i++) assert.equal(hot(), 42);
    for (const value of OTHERS) {
      assert.equal(put([value]), false, typeof value);
      throwsCoded(() => read(D.I32, value));
      throwsCoded(() => free(D.I32, value));
    }
    assert.equal(put([cell]), true);
  }
  free(D.I32, cell);
});

test('null pointers', () => {
  const none = optimised(() => call('null_pointer', D.External));
  for (let i = 0; i < 1000; i++) assert.ok(ffi.isNullPointer(none()));
  throwsCoded(() => free(D.I32, nullPointer()));
  throwsCoded(() => read(D.I32, nullPointer()));
});

test('either way of making Externals is read by the other', () => {
  assert.equal(memory.hasV8Externals(), currentTier().name !== 'node-api' && HAS_PACKED);
  const ours = () => memory.makeCell(CELL, 8);
  const fast = optimised(() => memory.freeCell(ours(), true, 0));
  assert.equal(fast(), memory.FREED.DONE);
  const theirs = () => {
    memory.views.u32[memory.ARG] = CELL;
    native.makeCell(8);
    memory.views.u32[memory.ARG] = memory.LENGTH * 8;
    return native.external();
  };
  const sample = ours();
  const address = optimised((value = sample) => {
    assert.ok(memory.putExternal(value, CELL));
    return memory.getPointer(CELL);
  });
  const slowly = (value) => {
    memory.views.u32[memory.ARG] = CELL;
    assert.ok(native.externalAddress(value));
    return memory.getPointer(CELL);
  };
  for (let i = 0; i < 500; i++) {
    for (const made of [ours(), theirs()]) {
      assert.ok(types.isExternal(made));
      assert.equal(address(made), slowly(made));
      assert.ok(native.isLive(made));
      assert.equal(memory.freeCell(made, true, 0), memory.FREED.DONE);
      assert.equal(native.isLive(made), false);
    }
  }
});

test('more addresses than there are wrappers', () => {
  const count = 40_000;
  const cells = [];
  for (let i = 0; i < count; i++) cells.push(make(D.I32, i));
  for (let i = 0; i < count; i += 7) assert.equal(read(D.I32, cells[i]), i);
  globalThis.gc();
  for (let i = 0; i < count; i += 11) assert.equal(read(D.I32, cells[i]), i);
  for (const cell of cells) free(D.I32, cell);
  const list = make(arrayOf(D.I32Array, 2), [1, 2]);
  assert.deepEqual(read(arrayOf(D.I32Array, 2), list), [1, 2]);
  free(arrayOf(D.I32Array, 2), list);
});

test('cells of structs: made, read, unwrapped and freed, with and without optimised code', () => {
  const type = { flag: D.U8, value: D.Double, count: D.I16 };
  const size = DOUBLE_ALIGN === 4 ? 16 : 24;
  const bytesOf = (cell) =>
    Buffer.from(ffi.createExternalBuffer(ffi.unwrapPointer([cell])[0], size));
  const round = (count) => {
    const value = { flag: 200, value: count / 2, count };
    const cell = make(type, value);
    assert.deepEqual(read(type, cell), value);
    const bytes = bytesOf(cell);
    free(type, cell);
    return bytes;
  };
  const hot = optimised(() => round(77));
  const expected = Buffer.alloc(size);
  expected[0] = 200;
  expected.writeDoubleLE(38.5, DOUBLE_ALIGN);
  expected.writeInt16LE(77, DOUBLE_ALIGN + 8);
  for (let i = 0; i < 200; i++) {
    // What other calls have left where the struct is put together.
    memory.views.u8.fill(0xff, memory.FIXED, memory.FIXED + 64);
    assert.deepEqual(hot(), expected);
  }
  const twice = optimised(() => {
    const cell = make(type, { flag: 1, value: 2, count: 3 });
    free(type, cell);
    throwsCoded(() => free(type, cell), 'ERR_FFI_INVALID_POINTER');
  });
  for (let i = 0; i < 100; i++) twice();
  throwsCoded(() => make(type, { flag: 1, value: 'x', count: 3 }));
  throwsCoded(() => make(type, 5));
  assert.equal(read(type, make(type, null)), null);
});

test('more cells of structs than V8 makes Externals for, all of them alive', () => {
  const type = { a: D.I32, b: D.Double };
  const cells = Array.from({ length: 40_000 }, (_, a) => make(type, { a, b: a / 4 }));
  for (let a = 0; a < cells.length; a += 97) {
    assert.deepEqual(read(type, cells[a]), { a, b: a / 4 });
  }
  for (const cell of cells) free(type, cell);
  throwsCoded(() => free(type, cells[39_999]), 'ERR_FFI_INVALID_POINTER');
});

test('Node-API alone: Externals are known again, by any of their addresses, and forgotten', () => {
  const value = valueInChild(
    () => {
      const memory = require('./js/core/memory.js');
      const { native } = require('./js/core/loader.js');
      const { knownExternals } = require('./js/core/known-externals.js');
      const { views, FIXED } = memory;
      let crossings = 0;
      for (const name of ['external', 'externalAddress']) {
        const crossing = native[name];
        native[name] = (...args) => {
          crossings++;
          return crossing(...args);
        };
      }
      const { externalAt, addressTo } = knownExternals(memory);
      // Neighbours, the same low half with other high ones, and what no number holds exactly.
      const addresses = [0x10n, 0x18n, 0x1_0000_0010n, 0x2_0000_0010n, 0x7fff_ffff_fff8n];
      if (memory.pointerSize === 8) addresses.push(0xffff_8000_0000_0010n);
      const shown = (external) => {
        views.u64[FIXED / 8] = 0n;
        if (!addressTo(external, 0, FIXED)) throw new Error('no External');
        return views.u64[FIXED / 8];
      };
      const wrong = [];
      const check = (address) => {
        const wanted = memory.pointerSize === 8 ? address : BigInt.asUintN(32, address);
        memory.putPointer(FIXED, wanted);
        const external = externalAt(0, FIXED);
        if (shown(external) !== wanted) wrong.push(String(address));
        return external;
      };
      for (let round = 0; round < 200; round++) for (const address of addresses) check(address);
      // One that is used all the time is known, between others that are used once.
      const hot = check(0x5550n);
      for (let i = 0; i < 400; i++) {
        shown(hot);
        shown(check(BigInt(0x10000 + 8 * i)));
      }
      crossings = 0;
      shown(hot);
      const known = crossings === 0;
      // More than are kept.
      for (let i = 0; i < 200_000; i++) check(BigInt(0x100000 + 8 * i));
      const misfits = [null, undefined, 0, 'text', {}, () => {}].map((v) => addressTo(v, 0, FIXED));
      memory.putNull(FIXED);
      return { wrong, known, misfits, none: externalAt(0, FIXED) };
    },
    { env: { FFI_JIT_TIER: 'node-api' } },
  );
  assert.deepEqual(value.wrong, []);
  assert.equal(value.known, true);
  assert.deepEqual(value.misfits, Array(6).fill(false));
  assert.equal(value.none, null);
});
