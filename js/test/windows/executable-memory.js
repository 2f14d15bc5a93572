'use strict';
// flags: --jitless
// Executable memory as Windows sees it: no page is ever writable and executable at once, and a policy
// against generated code is an error that names it. --jitless keeps V8 from code of its own.
// Run by the Windows rows of ci/targets.js; js/test/executable-memory.test.js has what all systems
// share.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const test = require('node:test');
const koffi = require('ffi-jit/koffi');
const { NODE } = require('../support/child');

const kernel32 = koffi.load('kernel32.dll');
const WRITE_AND_EXECUTE = [0x40, 0x80];
const EXECUTE_READ = 0x20;
const COMMITTED = 0x1000;
const IMAGE = 0x1000000;

koffi.struct('MEMORY_BASIC_INFORMATION', {
  BaseAddress: 'uintptr_t',
  AllocationBase: 'uintptr_t',
  AllocationProtect: 'uint32_t',
  RegionSize: 'size_t',
  State: 'uint32_t',
  Protect: 'uint32_t',
  Type: 'uint32_t',
});
const query = kernel32.func(
  'size_t __stdcall VirtualQuery(uintptr_t, _Out_ MEMORY_BASIC_INFORMATION *, size_t)',
);

/** The committed memory of this process that belongs to no image. */
function regions() {
  const found = [];
  const size = koffi.sizeof('MEMORY_BASIC_INFORMATION');
  for (let at = 0n; ; ) {
    const region = {};
    if (Number(query(at, region, size)) === 0) return found;
    if (region.State === COMMITTED && region.Type !== IMAGE) found.push(region);
    at = BigInt(region.BaseAddress) + BigInt(region.RegionSize);
  }
}

const executable = () => regions().filter(({ Protect }) => Protect === EXECUTE_READ);
const both = () => regions().filter(({ Protect }) => WRITE_AND_EXECUTE.includes(Protect & 0xff));

test('no page is writable and executable, and ours are executable', () => {
  const before = both().length;
  const types = ['int', 'double', 'int64_t', 'str'];
  for (let count = 0; count < 40; count++) {
    const list = Array.from({ length: count }, (_, i) => types[(i * count) % 4]);
    const values = list.map((type) => (type === 'str' ? 'text' : 1));
    const id = kernel32.func('__cdecl', 'GetCurrentProcessId', 'uint32_t', list);
    assert.equal(id(...values), process.pid);
  }
  const callback = koffi.register(() => 0, koffi.pointer(koffi.proto('int Zero()')));
  assert.ok(executable().length > 0, 'our code is among what is looked at');
  assert.equal(both().length, before);
  assert.equal(before, 0, 'and nobody else has such pages');
  koffi.unregister(callback);
});

test('under Arbitrary Code Guard, binding throws and names it', (t) => {
  const program = `
    const koffi = require('ffi-jit/koffi');
    const kernel32 = koffi.load('kernel32.dll');
    const set = kernel32.func('int __stdcall SetProcessMitigationPolicy(int, uint32_t *, size_t)');
    const allocate = kernel32.func(
      'uintptr_t __stdcall VirtualAlloc(uintptr_t, size_t, uint32_t, uint32_t)');
    const ProcessDynamicCodePolicy = 2, ProhibitDynamicCode = 1;
    set(ProcessDynamicCodePolicy, [ProhibitDynamicCode], 4);
    if (allocate(0, 4096, 0x3000, ${EXECUTE_READ})) {
      console.log('not enforced');
    } else {
      const double = koffi.load('ucrtbase.dll').func('double ldexp(double, int)');
      console.log(double(1, 3));
    }`;
  const run = spawnSync(NODE, ['--jitless', '-e', program], { cwd: __dirname, encoding: 'utf8' });
  if (run.stdout.trim() === 'not enforced')
    return t.skip('this system does not enforce the policy');
  assert.match(run.stderr, /ERR_FFI_EXECUTABLE_MEMORY/);
  assert.match(run.stderr, /ProcessDynamicCodePolicy/);
});
