'use strict';
// env: FFI_JIT_TIER=node-api
// Code slots are made for pages of the size that the system says at run time: 4, 16 or 64 KiB.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const test = require('node:test');
const { define, load, open, DataType } = require('ffi-jit');

const { I32 } = DataType;
const linux = process.platform === 'linux' ? {} : { skip: 'reads /proc/self/maps' };

test('a group of slots is one page of code with its records right behind it', linux, (t) => {
  open({ library: 'c', path: '' });
  const getpagesize = { library: 'c', funcName: 'getpagesize', retType: I32 };
  const page = load({ ...getpagesize, paramsType: [], paramsValue: [] });
  t.diagnostic(`pages of ${page} bytes`);
  // More functions than a page of any size has slots.
  const { abs } = define({ abs: { library: 'c', retType: I32, paramsType: [I32] } });
  assert.equal(abs([-5]), 5);
  const lines = fs.readFileSync('/proc/self/maps', 'utf8').trim().split('\n');
  const mappings = lines.map((line) => {
    const [range, mode, , , inode, name = ''] = line.split(/ +/);
    const [start, end] = range.split('-').map((text) => Number.parseInt(text, 16));
    return { start, end, mode, inode, name };
  });
  // The segments of trampolines are files with two views.
  const views = (file) => mappings.filter(({ inode }) => inode === file).length;
  const groups = mappings.filter(({ end, mode, inode, name }, i) => {
    const behind = mappings[i + 1];
    const records = behind?.start === end && behind.mode === 'rw-p';
    return records && mode === 'r-xs' && name === '/memfd:ffi-jit' && views(inode) === 1;
  });
  assert.ok(groups.length > 0, `no group in\n${lines.join('\n')}`);
  for (const { start, end } of groups) assert.equal(end - start, page);
});
