'use strict';
// W^X: after heavy use no page of the process is writable and executable at once. Under
// --jitless, where V8 maps no code of its own.

const assert = require('node:assert/strict');
const test = require('node:test');
const { valueInChild } = require('../support/child');

const onLinux = process.platform === 'linux' ? false : 'needs /proc/self/maps';

test('calls of hundreds of signatures map no writable code', { skip: onLinux }, () => {
  const lines = valueInChild(
    ({ ffi, call, arrayOf }) => {
      const { DataType: T } = ffi;
      const scalars = [T.U8, T.I16, T.I32, T.U32, T.I64, T.U64, T.Float, T.Double, T.String];
      const seen = new Set();
      const look = () => {
        const maps = require('node:fs').readFileSync('/proc/self/maps', 'utf8').split('\n');
        for (const line of maps) if (/^\S+ .wx/.test(line)) seen.add(line);
      };
      let turn = 0;
      for (const a of scalars) {
        for (const b of scalars) {
          for (const c of scalars) {
            const value = (type) => (type === T.String ? 'text' : 1);
            const table = ffi.define({
              nothing: { library: 'fixture', retType: T.Void, paramsType: [a, b, c] },
            });
            table.nothing([value(a), value(b), value(c)]);
            if (turn++ % 50 === 0) look();
          }
        }
      }
      for (let i = 0; i < 5000; i++) {
        call('add_i32', T.I32, [T.I32, T.I32], [i, 1]);
        call('static_i32_array', arrayOf(T.I32Array, 3));
      }
      look();
      return [...seen];
    },
    { flags: ['--jitless'] },
  );
  assert.deepEqual(lines, []);
});

test('callbacks and structs map no writable code', { skip: onLinux }, () => {
  const lines = valueInChild(
    ({ ffi, call, callback, byValue }) => {
      const { DataType: T } = ffi;
      const seen = new Set();
      const look = () => {
        const maps = require('node:fs').readFileSync('/proc/self/maps', 'utf8').split('\n');
        for (const line of maps) if (/^\S+ .wx/.test(line)) seen.add(line);
      };
      const point = byValue({ a: T.I32, b: T.Double });
      const live = [];
      for (let i = 0; i < 2000; i++) {
        const made = callback({ paramsType: [T.I32], retType: T.I32 }, (v) => v + i);
        call('call_i32', T.I32, [T.External, T.I32], [made.fn, i]);
        call('pair_i32_double_twice', point, [point], [{ a: i, b: i }]);
        if (i % 2) made.free();
        else live.push(made);
        if (i % 100 === 0) look();
      }
      for (const { free } of live) free();
      look();
      return [...seen];
    },
    { flags: ['--jitless'] },
  );
  assert.deepEqual(lines, []);
});
