'use strict';
// flags: --jitless
// Executable memory as the operating system sees it: no page is ever writable and executable at
// once, refusals are survived or reported, and profilers get names. --jitless keeps V8 from
// mapping code of its own, so that what is found is ours.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const test = require('node:test');
const { define, open, DataType } = require('ffi-jit');
const { NODE } = require('./support/child');
const { MATH } = require('./support/platform');

const linux = process.platform === 'linux' ? {} : { skip: 'reads /proc/self/maps' };
const { I32, Double, String: CString, U64 } = DataType;

/** The memory mappings of this process. */
function mappings() {
  const lines = fs.readFileSync('/proc/self/maps', 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [range, mode, offset, device, inode, name = ''] = line.split(/ +/);
    const [start, end] = range.split('-').map((text) => Number.parseInt(text, 16));
    const from = Number.parseInt(offset, 16);
    return { line, mode, name, size: end - start, file: `${device} ${inode}`, from };
  });
}

const overlap = (a, b) => a.file === b.file && a.from < b.from + b.size && b.from < a.from + a.size;

/** Binds functions of many signatures and calls each of them. */
function heavyUse() {
  const values = new Map([
    [I32, 1],
    [Double, 0.5],
    [U64, 2],
    [CString, 'text'],
  ]);
  const types = [...values.keys()];
  for (let count = 0; count < 12; count++) {
    for (const [i, first] of types.entries()) {
      const paramsType = Array.from({ length: count }, (_, at) => types[(i + at * at) % 4]);
      // getpid ignores its arguments, so that it can be called with any.
      const entry = { library: 'c', retType: I32, paramsType: [first, ...paramsType] };
      const { getpid } = define({ getpid: entry });
      assert.equal(getpid(entry.paramsType.map((type) => values.get(type))), process.pid);
    }
  }
}

test('no page is writable and executable, whichever mapping one looks through', linux, () => {
  open({ library: 'c', path: '' });
  heavyUse();
  const all = mappings();
  const writable = all.filter(({ mode }) => mode.includes('w'));
  const executable = all.filter(({ mode }) => mode.includes('x'));
  assert.ok(
    executable.some(({ name }) => name === '/memfd:ffi-jit' || name === ''),
    'our code is among the pages that are looked at',
  );
  assert.deepEqual(
    writable.filter(({ mode }) => mode.includes('x')).map(({ line }) => line),
    [],
  );
  const shared = executable.filter(({ mode }) => mode.endsWith('s'));
  const twice = shared.filter((code) => writable.some((view) => overlap(code, view)));
  assert.deepEqual(
    twice.map(({ line }) => line),
    [],
  );
});

/** The ways to shared memory that a system has a step of, and what is left without them. */
const SHARED =
  process.platform === 'darwin' ? ['map-jit', 'edit'] : ['memfd', 'map-shared', 'edit'];
const ALL = ['memfd', 'map-jit', 'map-anonymous', 'protect'];

/** Runs a program that calls C, with environment variables; what it printed. */
function child(env) {
  const program = `
    const { load, open, DataType: { Double } } = require('ffi-jit');
    open({ library: 'm', path: '${MATH}' });
    const pow = { library: 'm', funcName: 'pow', retType: Double, paramsType: [Double, Double] };
    try {
      console.log(process.pid, load({ ...pow, paramsValue: [2, 10] }));
    } catch (error) {
      console.log(process.pid, error.code, error.message);
    }`;
  const options = { cwd: __dirname, env: { ...process.env, ...env }, encoding: 'utf8' };
  const { stdout, stderr, status } = spawnSync(NODE, ['-e', program], options);
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

for (const step of SHARED) {
  test(`calls work when the system refuses "${step}"`, () => {
    assert.match(child({ FFI_JIT_DENY: step }), / 1024$/);
  });
}

test('without any executable memory, binding throws and names what was refused', () => {
  const printed = child({ FFI_JIT_DENY: ALL.join() });
  assert.match(printed, / ERR_FFI_EXECUTABLE_MEMORY .*refused.*map-anonymous: refused/);
  // A trampoline wants shared memory first; Node-API's tier wants its entry, a slot, before that.
  assert.match(printed, new RegExp(`\\((?:${SHARED[0]}|map-anonymous): refused`));
  const policy = { darwin: 'allow-jit', win32: 'ProcessDynamicCodePolicy' }[process.platform];
  assert.ok(printed.includes(policy ?? 'SELinux'), printed);
});

test('FFI_JIT_PERF_MAP=1 writes names for profilers', linux, (t) => {
  const [pid] = child({ FFI_JIT_PERF_MAP: '1' }).split(' ');
  const file = `/tmp/perf-${pid}.map`;
  t.after(() => fs.rmSync(file));
  const map = fs.readFileSync(file, 'utf8');
  assert.match(map, /^[0-9a-f]+ [0-9a-f]+ ffi-jit:.*\(f64, f64\) -> f64$/m);
  assert.match(map, /^[0-9a-f]+ [0-9a-f]+ ffi-jit:slots$/m);
});
