'use strict';
// What only Windows has: its system libraries, stdcall and its like, ordinals, UTF-16 as wchar_t.
// Run by the Windows rows of ci/targets.js.

const assert = require('node:assert/strict');
const path = require('node:path');
const test = require('node:test');
const koffi = require('ffi-jit/koffi');
const ffi = require('ffi-jit');
const { windowsPath } = require('../support/native');

const kernel32 = koffi.load('kernel32.dll');
const user32 = koffi.load('user32.dll');
const crt = koffi.load('ucrtbase.dll');
const own = koffi.load(windowsPath());

test('kernel32: numbers', () => {
  assert.equal(kernel32.func('uint32_t __stdcall GetCurrentProcessId()')(), process.pid);
  const muldiv = kernel32.func('int __stdcall MulDiv(int, int, int)');
  for (let i = 0; i < 100_000; i++) assert.equal(muldiv(i, 6, 3), 2 * i);
});

test('kernel32 and user32: text is UTF-16', () => {
  assert.equal(kernel32.func('int __stdcall lstrlenW(str16)')('añ😀'), 4);
  assert.equal(koffi.sizeof('wchar_t'), 2);
  assert.equal(kernel32.func('int __stdcall lstrlenW(const wchar_t *)')('añ😀'), 4);
  const upper = user32.func('uint32_t __stdcall CharUpperBuffW(_Inout_ uint16_t *, uint32_t)');
  const text = Buffer.from('straße ñ', 'utf16le');
  assert.equal(upper(text, 8), 8);
  assert.equal(text.toString('utf16le'), 'STRAßE Ñ');
  ffi.open({ library: 'kernel32', path: 'kernel32' });
  const { lstrlenW } = ffi.define({
    lstrlenW: {
      library: 'kernel32',
      retType: ffi.DataType.I32,
      paramsType: [ffi.DataType.WString],
    },
  });
  assert.equal(lstrlenW(['añ😀']), 4);
});

test('records: GetSystemTime', () => {
  const SYSTEMTIME = koffi.struct('SYSTEMTIME', {
    year: 'uint16_t',
    month: 'uint16_t',
    weekday: 'uint16_t',
    day: 'uint16_t',
    time: koffi.array('uint16_t', 4),
  });
  const convert = kernel32.func(
    'int __stdcall SystemTimeToFileTime(SYSTEMTIME *, _Out_ int64_t *)',
  );
  const ticks = [null];
  assert.equal(koffi.sizeof(SYSTEMTIME), 16);
  const day = { year: 1601, month: 1, weekday: 1, day: 2, time: [0, 0, 0, 0] };
  assert.equal(convert(day, ticks), 1);
  assert.equal(ticks[0], 24 * 3600 * 1e7);
});

test('GetLastError follows a failed call', () => {
  const remove = kernel32.func('int __stdcall DeleteFileW(str16)');
  const last = kernel32.func('uint32_t __stdcall GetLastError()');
  last();
  assert.equal(remove('C:\\no-such-file.txt'), 0);
  assert.equal(last(), 2);
});

test('errno of the C library', () => {
  const rmdir = crt.func('int _rmdir(str)');
  assert.equal(rmdir('C:\\no-such-folder'), -1);
  assert.equal(koffi.errno(), 2);
});

test('the main program and what was loaded with it', () => {
  const all = koffi.load(null);
  assert.equal(all.func('int abs(int)')(-5), 5);
  assert.equal(all.func('uint32_t __stdcall GetCurrentProcessId()')(), process.pid);
  assert.notEqual(all.symbol('napi_create_object'), 0n);
  assert.throws(() => all.func('int no_such_function()'), /Cannot find function/);
});

test('a variadic function of the system', () => {
  const format = user32.func('int __cdecl wsprintfA(_Out_ char *, str, ...)');
  const text = Buffer.alloc(64);
  assert.equal(format(text, '%d %s %c', 'int', -7, 'str', 'text', 'int', 33), 9);
  assert.equal(text.toString('latin1', 0, 9), '-7 text !');
});

test('callbacks of both conventions', () => {
  const Locale = koffi.proto('int __stdcall LocaleProc(str)');
  const found = [];
  const each = (name) => found.push(name) && 1;
  const types = [koffi.pointer(Locale), 'uint32_t'];
  assert.notEqual(kernel32.func('__stdcall', 'EnumSystemLocalesA', 'int', types)(each, 2), 0);
  assert.ok(found.length > 10 && found.includes('00000409'), found.join());

  const Compare = koffi.proto('int Compare(const int *, const int *)');
  const sort = crt.func('qsort', 'void', [
    koffi.inout('int *'),
    'size_t',
    'size_t',
    koffi.pointer(Compare),
  ]);
  const numbers = new Int32Array([5, -1, 3, 2]);
  const at = (pointer) => koffi.decode(pointer, 'int');
  sort(numbers, 4, 4, (a, b) => at(a) - at(b));
  assert.deepEqual([...numbers], [-1, 2, 3, 5]);
});

test('stdcall, fastcall, thiscall of our own', () => {
  const sub = own.func('int __stdcall std_sub(int, int)');
  for (let i = 0; i < 100_000; i++) assert.equal(sub(i, 1), i - 1);
  const mix = own.func('double __stdcall std_mix(int8_t, double, int64_t, str)');
  assert.equal(mix(-1, 0.5, 2n ** 40n, 'A'), -1 + 1 + 3 * 2 ** 40 + 65);
  assert.equal(own.func('int __fastcall fast_weigh(int, int, int)')(1, 2, 3), 321);
  const self = new Int32Array([40]);
  assert.equal(own.func('int __thiscall this_add(int *, int)')(self, 2), 42);
  assert.equal(self[0], 42);
  koffi.struct('Pair', { a: 'int', b: 'int' });
  assert.deepEqual(own.func('Pair __stdcall std_pair(int, int)')(1, 2), { a: 2, b: 1 });
});

test('a stdcall callback, many times', () => {
  const Each = koffi.proto('int __stdcall Each(int, int64_t)');
  const call = own.func('__stdcall', 'std_call', 'int', [koffi.pointer(Each), 'int']);
  const wide = (value) => Number(BigInt(value) >> 32n);
  assert.equal(
    call((i, high) => i + wide(high), 1000),
    999 * 1000,
  );
});

test('decorated names and ordinals', () => {
  if (process.arch === 'ia32') {
    assert.notEqual(own.symbol('std_sub@8'), 0n);
    assert.throws(() => own.symbol('std_sub'), /Cannot find symbol/);
  }
  assert.equal(own.func(7, 'int', [])(), 77);
  assert.equal(own.func('#7', 'int', [])(), 77);
  assert.throws(() => own.func(999, 'int', []), /Cannot find function/);
  assert.throws(() => own.symbol('by_ordinal'), /Cannot find symbol/);
});

test('a library that cannot be opened', () => {
  assert.throws(() => koffi.load('C:\\nothing.dll'), { code: 'ERR_FFI_LIBRARY' });
  assert.throws(() => koffi.load(path.resolve('package.json')), { code: 'ERR_FFI_LIBRARY' });
});
