'use strict';
// Section 4: libraries, functions in every form, symbols, unloading, info.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { koffi, lib, fn, ours, throws, isPeer } = require('../support/koffi');
const { NODE } = require('../support/child');
const { ROOT, koffiPath } = require('../support/native');
const { MATH, NO_FILE, NO_LIBRARY, isMusl, isWindows } = require('../support/platform');

test('load: a path, the process, a bare name', () => {
  assert.equal(koffi.load(koffiPath()).func('int forty_two()')(), 42);
  for (const none of [null, undefined]) {
    assert.equal(koffi.load(none).func('int abs(int)')(-5), 5);
  }
  assert.equal(koffi.load(MATH).func('double cos(double)')(0), 1);
  assert.ok(koffi.load(null) instanceof koffi.LibraryHandle);
});

test('load: options', () => {
  for (const options of [
    {},
    { lazy: true },
    { global: true },
    { lazy: true, global: true, deep: true },
    { other: 1 },
  ]) {
    assert.equal(koffi.load(koffiPath(), options).func('int forty_two()')(), 42);
  }
});

test('load: a global library gives its symbols to the process', () => {
  const script = `
    const koffi = require(${JSON.stringify(isPeer ? require('../support/peer').peerFolder('koffi') : 'ffi-jit/koffi')});
    koffi.load(process.argv[1], { global: process.argv[2] === 'global' });
    try { console.log(koffi.load(null).func('int forty_two()')()); } catch (e) { console.log(e.message); }
  `;
  const run = (how) =>
    execFileSync(NODE, ['-e', script, koffiPath(), how], {
      cwd: ROOT,
      encoding: 'utf8',
    }).trim();
  assert.equal(run('global'), '42');
  // On Windows the process is all that it has loaded.
  const missing = "Cannot find function 'forty_two' in shared library";
  assert.equal(run('local'), isWindows ? '42' : missing);
});

test('load: errors', () => {
  const failed = (cause) => new RegExp(`^Failed to load shared library: .*(?:${cause.source})`);
  throws(() => koffi.load('/nonexistent/libnothing.so'), failed(NO_FILE), Error);
  const text = path.join(ROOT, 'package.json');
  throws(() => koffi.load(text), failed(NO_LIBRARY), Error);
  throws(
    () => koffi.load(5),
    'Unexpected Number value for filename, expected string or null',
    TypeError,
  );
  throws(
    () => koffi.load({}),
    'Unexpected Object value for filename, expected string or null',
    TypeError,
  );
  throws(
    () => koffi.load(null, 5),
    'Unexpected Number value for options, expected object',
    TypeError,
  );
});

test('func: prototype, name and list, convention', () => {
  const forms = [
    lib.func('int int_add(int a, int b)'),
    lib.func('int int_add(int, int);'),
    lib.func('  int   int_add ( int a , int b ) ; '),
    lib.func('int __cdecl int_add(int a, int b)'),
    lib.func('int_add', 'int', ['int', 'int']),
    lib.func('int_add', koffi.types.int, [koffi.types.int, 'int32_t']),
    lib.func('__cdecl', 'int_add', 'int', ['int', 'int']),
  ];
  // Elsewhere they are all the one that there is; here the function would have to be of them.
  if (process.arch !== 'ia32') {
    forms.push(
      lib.func('int __stdcall int_add(int a, int b)'),
      lib.func('__stdcall', 'int_add', 'int', ['int', 'int']),
      lib.func('__fastcall', 'int_add', 'int', ['int', 'int']),
      lib.func('__thiscall', 'int_add', 'int', ['int', 'int']),
    );
  }
  for (const add of forms) {
    assert.equal(add(40, 2), 42);
    assert.equal(add.name, 'int_add');
    assert.equal(add.length, 0);
    assert.equal(typeof add.async, 'function');
  }
  assert.equal(lib.func('int forty_two(void)')(), 42);
  assert.equal(lib.func('forty_two', 'int', [])(), 42);
  assert.equal(lib.func('void nothing()')(), undefined);
});

test('func: old methods for conventions', {
  skip: process.arch === 'ia32' && 'the function would have to be of each convention',
}, () => {
  for (const name of ['cdecl', 'stdcall', 'fastcall', 'thiscall']) {
    assert.equal(lib[name]('int_add', 'int', ['int', 'int'])(1, 2), 3, name);
  }
});

ours('deprecated forms warn once, under the codes of Koffi', () => {
  const script = `
    const koffi = require('ffi-jit/koffi');
    const lib = koffi.load(process.argv[1]);
    const codes = [];
    process.on('warning', ({ name, code }) => codes.push(name + ' ' + code));
    for (let i = 0; i < 2; i++) {
      for (const name of ['cdecl', 'stdcall', 'fastcall', 'thiscall']) {
        lib[name]('int_add', 'int', ['int', 'int']);
      }
      koffi.proto('Cb' + i, 'int', ['int']);
      koffi.register({}, () => 1, 'Cb' + i + ' *');
      koffi.register(() => 1, 'Cb' + i + ' *');
    }
    setTimeout(() => console.log(codes.join(', ')), 20);
  `;
  const env = { ...process.env, NODE_NO_WARNINGS: undefined };
  const run = ['-e', script, koffiPath()];
  const shown = execFileSync(NODE, run, { cwd: ROOT, env, encoding: 'utf8', stdio: 'pipe' }).trim();
  const codes = ['KOFFI003', 'KOFFI004', 'KOFFI005', 'KOFFI006', 'KOFFI009'];
  assert.equal(shown, codes.map((code) => `DeprecationWarning ${code}`).join(', '));
});

ours('introspect, resolve and all else warn of nothing', () => {
  const script = `
    const koffi = require('ffi-jit/koffi');
    const lib = koffi.load(process.argv[1]);
    process.on('warning', (warning) => console.log(String(warning)));
    koffi.resolve('int');
    koffi.introspect(koffi.struct({ a: koffi.handle('H') && 'H *' }));
    koffi.callback('int Cb(int)');
    koffi.unregister(koffi.register(() => 1, 'Cb *'));
    lib.func('__stdcall', 'int_add', 'int', ['int', 'int']);
    setTimeout(() => {}, 20);
  `;
  const run = ['-e', script, koffiPath()];
  const output = execFileSync(NODE, run, { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' });
  assert.equal(output, '');
});

test('functions have a name, a length of 0, and two properties of their own', () => {
  const f = lib.func('int int_add(int a, int b)');
  assert.deepEqual(
    [f.name, f.length, typeof f.async, f.async.name],
    ['int_add', 0, 'function', 'int_add'],
  );
  assert.deepEqual(Object.keys(f), ['async', 'info']);
  assert.equal(f.info, f.info);
  assert.equal(f.async, f.async);
  assert.equal(f.info.name, 'int_add');
  const g = lib.func('int_add', 'int', ['int', 'int']);
  assert.notEqual(g, f);
  assert.notEqual(g.info, f.info);
  assert.equal(lib.func('int forty_two()').length, 0);
  const variadic = lib.func('int sum_variadic(int n, ...)');
  assert.deepEqual([variadic.name, variadic.length], ['sum_variadic', 0]);
  assert.deepEqual(Object.keys(variadic), ['info']);
  // They can be replaced, as by tools that trace calls.
  f.async = 5;
  f.info = 6;
  assert.deepEqual([f.async, f.info, f(1, 2), g.info.name], [5, 6, 3, 'int_add']);
});

test('func: errors', () => {
  throws(
    () => lib.func('int no_such(int)'),
    "Cannot find function 'no_such' in shared library",
    Error,
  );
  throws(
    () => lib.func('no_such', 'int', []),
    "Cannot find function 'no_such' in shared library",
    Error,
  );
  throws(
    () => lib.func({}, 'int', []),
    /^Unexpected Object value for name, expected string or integer$/,
    TypeError,
  );
  throws(
    () => lib.func('int_add', 'missing_t', []),
    "Unknown or invalid type name 'missing_t'",
    TypeError,
  );
  throws(
    () => lib.func('int_add', 'int', ['missing_t']),
    "Unknown or invalid type name 'missing_t'",
    TypeError,
  );
  throws(
    () => lib.func('missing_t int_add(int)'),
    "Unknown or invalid type name 'missing_t'",
    Error,
  );
  throws(
    () => lib.func('int int_add(int a, missing_t b)'),
    "Unknown or invalid type name 'missing_t'",
    Error,
  );
  throws(
    () => lib.func('int_add', 'int', [5]),
    'Unexpected Number value as type specifier, expected string or type',
    TypeError,
  );
});

test('func: parameters that are no list', () => {
  const message =
    /^Unexpected \w+ value for parameters of 'int_add', expected an array$|^Unknown or invalid type name/;
  for (const list of [5, {}, null, 'int']) {
    throws(() => lib.func('__cdecl', 'int_add', 'int', list), message, TypeError);
    throws(() => lib.func('int_add', koffi.types.int, list), message, TypeError);
  }
});

test('func: what cannot be a parameter or a result', () => {
  throws(
    () => lib.func('int int_add(int a[3], int b)'),
    /Array types decay to pointers in prototypes \(C standard\), use pointers/,
  );
  throws(
    () => lib.func('int_add', 'int', ['int[3]']),
    /Array types decay to pointers|Type int\[3\] cannot be used as a parameter/,
  );
  throws(
    () => lib.func('int_add', 'int[3]', []),
    /Array types decay to pointers|not allowed to directly return/,
  );
  throws(() => lib.func('int int_add(void a, int b)'), /Type void cannot be used as a parameter/);
  throws(() => lib.func('int int_add(_Out_ int a)'), /Type int cannot be used as a parameter/);
  koffi.opaque('NeverComplete');
  throws(
    () => lib.func('int int_add(NeverComplete a)'),
    /Type NeverComplete cannot be used as a parameter/,
  );
  throws(
    () => lib.func('NeverComplete int_add(int a)'),
    /not allowed to directly return NeverComplete values \(maybe try NeverComplete \*\)/,
  );
  koffi.proto('int NeverDirect(int)');
  throws(
    () => lib.func('int int_add(NeverDirect a)'),
    /Type NeverDirect cannot be used as a parameter/,
  );
  throws(
    () => lib.func('NeverDirect int_add(int)'),
    /not allowed to directly return NeverDirect values/,
  );
});

test('func: errors of the prototype grammar', () => {
  throws(() => lib.func('int'), /^Unexpected end of prototype, expected identifier$/, Error);
  throws(() => lib.func('int int_add'), /^Unexpected end of prototype, expected '\('$/, Error);
  throws(() => lib.func('int int_add(int'), /^Unexpected end of prototype, expected '\)'$/, Error);
  throws(() => lib.func('int int_add(int a) x'), /^Unexpected token 'x' after prototype$/, Error);
  throws(() => lib.func('int int_add(..., int)'), /^Unexpected token ',', expected '\)'$/, Error);
  throws(() => lib.func(''), /^Unexpected end of prototype, expected type$/, Error);
  const many = Array.from({ length: 65 }, (_, i) => `int p${i}`).join(', ');
  throws(
    () => lib.func(`int int_add(${many})`),
    /^Functions cannot have more than 64 parameters$/,
    Error,
  );
});

test('func: the longest type name wins, parameter names are free', () => {
  assert.equal(fn('unsigned int echo_uint(unsigned int unsigned_int)')(2 ** 32 - 1), 2 ** 32 - 1);
  assert.equal(fn('unsigned long long echo_ulonglong(unsigned long long)')(7), 7);
  assert.equal(fn('const char *echo_str(const char *text)')('x'), 'x');
  assert.equal(fn('int int_add(const int int32, int double_)')(1, 2), 3);
});

test('symbol', () => {
  const number = lib.symbol('exported_number', 'int');
  assert.equal(koffi.decode(number, 'int'), 1234);
  koffi.encode(number, 'int', -5);
  assert.equal(koffi.decode(lib.symbol('exported_number'), 'int'), -5);
  koffi.encode(number, 'int', 1234);
  assert.equal(koffi.decode(lib.symbol('exported_text', 'char *'), 'char', -1), 'exported');
  throws(
    () => lib.symbol('missing', 'int'),
    "Cannot find symbol 'missing' in shared library",
    Error,
  );
  assert.equal(koffi.call(lib.symbol('int_add'), koffi.proto('int (int, int)'), 40, 2), 42);
});

test('info', () => {
  const { info } = lib.func(
    'double mix(int8_t a, uint16_t, int64_t c, float d, double e, bool f, uint8_t)',
  );
  assert.equal(info.name, 'mix');
  assert.deepEqual(
    info.arguments.map(({ type }) => type.name),
    ['int8_t', 'uint16_t', 'int64_t', 'float', 'double', 'bool', 'uint8_t'],
  );
  assert.ok(info.arguments.every(({ direction }) => direction === 'Input'));
  assert.equal(info.result, koffi.types.double);
  const divide = lib.func('void divide(int a, int b, _Out_ int *q, _Inout_ int *r)').info;
  assert.deepEqual(
    divide.arguments.map(({ direction }) => direction),
    ['Input', 'Input', 'Output', 'Input/Output'],
  );
  assert.equal(divide.result.name, 'void');
  assert.equal(divide.arguments[2].type.primitive, 'Pointer');
  assert.equal(divide.arguments[2].type.ref, koffi.types.int);
});

/** A library of its own: an unloaded one must not be the one that others use. */
function copyOfLibrary(name) {
  const copy = path.join(os.tmpdir(), `ffi-jit-${name}-${process.pid}.so`);
  fs.copyFileSync(koffiPath(), copy);
  return copy;
}

/** Whether the process has a library of this name. */
function isLoaded(name) {
  if (!isWindows) return fs.readFileSync('/proc/self/maps', 'utf8').includes(name);
  const find = koffi.load('kernel32.dll').func('void *__stdcall GetModuleHandleA(str)');
  return find(name) !== null;
}

test('unload closes the library at once', () => {
  const file = copyOfLibrary('unload');
  const handle = koffi.load(file);
  handle.func('void set_state(int)')(5);
  assert.equal(handle.func('int get_state()')(), 5);
  const mapped = () => isLoaded(path.basename(file));
  assert.equal(mapped(), true);
  assert.equal(handle.unload(), undefined);
  assert.equal(mapped(), isMusl);
  fs.rmSync(file);
});

ours('a function of an unloaded library throws instead of jumping into nothing', () => {
  const file = copyOfLibrary('unloaded');
  const handle = koffi.load(file);
  const add = handle.func('int int_add(int, int)');
  assert.equal(add(1, 2), 3);
  handle.unload();
  for (let i = 0; i < 3; i++) throws(() => add(1, 2), /unloaded|closed/i);
  throws(() => handle.func('int forty_two()'), /unloaded|closed/i);
  throws(() => handle.symbol('exported_number'), /unloaded|closed/i);
  throws(() => add.async(1, 2, () => assert.fail('called')), /unloaded|closed/i);
  assert.equal(handle.unload(), undefined);
  fs.rmSync(file);
});

test('a handle can be disposed of', {
  skip: Symbol.dispose === undefined && 'no Symbol.dispose',
}, () => {
  const file = copyOfLibrary('dispose');
  const handle = koffi.load(file);
  handle[Symbol.dispose]();
  assert.equal(fs.readFileSync('/proc/self/maps', 'utf8').includes(path.basename(file)), isMusl);
  fs.rmSync(file);
});

test('extension, version, errno names', () => {
  assert.equal(
    koffi.extension,
    { linux: '.so', darwin: '.dylib', win32: '.dll' }[process.platform],
  );
  assert.equal(koffi.version, require('ffi-jit/package.json').version);
  const { errno } = require('node:os').constants;
  for (const name of ['EPERM', 'ENOENT', 'EINVAL', 'EAGAIN', 'ERANGE', 'ECONNREFUSED']) {
    assert.equal(koffi.os.errno[name], errno[name], name);
  }
  for (const [name, code] of Object.entries(koffi.os.errno)) {
    if (name in errno) assert.equal(code, errno[name], name);
  }
});
