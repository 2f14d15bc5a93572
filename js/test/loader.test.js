'use strict';
// js/core/loader.js: which file it takes, and what it says when there is none. Each case is a copy
// of the loader in an empty folder, run in a process of its own.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { PLATFORMS, libcOf, packageFor } = require('../core/packages.js');
const { NODE } = require('./support/child');

const CORE = path.join(__dirname, '../core');
const { version: VERSION } = require('../../package.json');
const { platform, arch } = process;

const ours = (name) => [`js/core/${name}`, fs.readFileSync(path.join(CORE, name), 'utf8')];

/** A folder with the loader where a package would have it, and files by name. */
function folder(t, files = {}) {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'ffi-jit-loader-'));
  t.after(() => fs.rmSync(root, { recursive: true }));
  const all = {
    ...Object.fromEntries(['loader.js', 'packaged.js', 'packages.js'].map(ours)),
    ...files,
  };
  for (const [name, content] of Object.entries(all)) {
    const file = path.join(root, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
  }
  return root;
}

/** Runs an expression with the loader's exports, or its error, as `got`, after `prelude`. */
function evaluate(root, expression, { env = {}, prelude = '' } = {}) {
  const program = `
    ${JS_ADDONS} ${prelude}
    let got;
    try { got = require('./js/core/loader.js'); } catch (error) { got = error; }
    console.log(JSON.stringify(${expression}));`;
  const clean = { ...process.env, FFI_JIT_NATIVE_PATH: '', ...env };
  const options = { cwd: root, env: clean, encoding: 'utf8' };
  return JSON.parse(execFileSync(NODE, ['-e', program], options));
}

/** A package that stands for the addon of a platform; JS_ADDONS lets it be JavaScript. */
const standIn = (name, version = VERSION) => ({
  [`node_modules/${name}/package.json`]: '{}',
  [`node_modules/${name}/ffi-jit.node`]: `exports.name = ${JSON.stringify(name)};
    exports.version = ${JSON.stringify(version)};`,
});

const JS_ADDONS = `{
  const native = require.extensions['.node'];
  require.extensions['.node'] = (module, file) => {
    const inPackage = file.includes('node_modules');
    return inPackage ? require.extensions['.js'](module, file) : native(module, file);
  };
}`;

/** What makes the process look like one of another platform. */
const pretend = (what) => `
  for (const [key, value] of Object.entries(${JSON.stringify(what)})) {
    Object.defineProperty(process, key, { value });
  }`;

/** What makes /proc/self/maps read like this; null is a system where it cannot be read. */
const memory = (maps) => `{
  const fs = require('node:fs');
  const { readFileSync } = fs;
  fs.readFileSync = (file, ...rest) => {
    if (file !== '/proc/self/maps') return readFileSync(file, ...rest);
    if (${maps === null}) throw new Error('EACCES');
    return ${JSON.stringify(maps)};
  };
}`;

/** What makes process.report name a C library: '' is none, as on musl. */
const report = (glibc) => `
  Object.defineProperty(process, 'report', {
    value: { getReport: () => ({ header: { glibcVersionRuntime: '${glibc}' || undefined } }) },
  });`;

const WITHOUT_REPORT = "Object.defineProperty(process, 'report', { value: undefined });";

const NO_REPORT =
  "Object.defineProperty(process, 'report', { get() { throw new Error('asked'); } });";

const GLIBC = memory('7f00-7f01 r-xp 0 08:01 1 /usr/lib/libc.so.6\n');
const MUSL = memory('7f00-7f01 r-xp 0 08:01 1 /lib/ld-musl-x86_64.so.1\n');
const LINUX = pretend({ platform: 'linux', arch: 'x64' });

test('without an addon, the error lists what was tried, how to mend it, and its causes', (t) => {
  const [code, message, ...causes] = evaluate(
    folder(t),
    '[got.code, got.message, got.cause.code, got.cause.cause.code, got.cause.cause.cause.message]',
    { prelude: LINUX + GLIBC },
  );
  assert.equal(code, 'ERR_FFI_ADDON_LOAD');
  assert.ok(message.includes(`The native addon of ffi-jit ${VERSION} could not be loaded`));
  assert.match(message, /prebuilds.linux-x64.ffi-jit\.node: there is no such file\n/);
  assert.match(message, /- ffi-jit-linux-x64-gnu: this package is not installed\n/);
  assert.match(message, /npm run build/);
  assert.match(message, /optional dependency/);
  assert.deepEqual(causes, ['MODULE_NOT_FOUND', 'MODULE_NOT_FOUND', 'there is no such file']);
});

test('FFI_JIT_NATIVE_PATH names the only file that is tried', (t) => {
  const root = folder(t, standIn('ffi-jit-linux-x64-gnu'));
  const env = { FFI_JIT_NATIVE_PATH: 'missing.node' };
  const message = evaluate(root, 'got.message', { env });
  assert.match(message, /missing\.node: Cannot find module .*missing\.node'\n/);
  assert.match(message, /FFI_JIT_NATIVE_PATH names this file: mend or unset it/);
  assert.doesNotMatch(message, /prebuilds/);

  const working = folder(t, { 'my.js': `exports.version = '${VERSION}'; exports.mine = true;` });
  const mine = { env: { FFI_JIT_NATIVE_PATH: 'my.js' } };
  assert.equal(evaluate(working, 'got.native.mine', mine), true);
});

test('a local build that does not load is reported, and the package is taken', (t) => {
  const local = { 'prebuilds/linux-x64/ffi-jit.node': 'not a library' };
  const name = 'ffi-jit-linux-x64-gnu';
  const prelude = LINUX + GLIBC;
  const both = folder(t, { ...local, ...standIn(name) });
  assert.equal(evaluate(both, 'got.path', { prelude }), name);
  const message = evaluate(folder(t, local), 'got.message', { prelude });
  assert.match(
    message,
    /linux-x64.ffi-jit\.node: .+\n {2}- ffi-jit-linux-x64-gnu: this package is/,
  );
});

test("the system loader's words are kept, in one line", (t) => {
  // As Windows has them: a line break, then the file.
  const file = {
    'my.js': "throw new Error('The specified module\\r\\ncould not be found.\\r\\nmy.js');",
  };
  const message = evaluate(folder(t, file), 'got.message', {
    env: { FFI_JIT_NATIVE_PATH: 'my.js' },
  });
  assert.match(message, /my\.js: The specified module: could not be found\.: my\.js\n/);
});

test('every package is loaded by its literal name', (t) => {
  const systems = {
    'linux-x64-gnu': LINUX + GLIBC,
    'linux-x64-musl': LINUX + MUSL,
    'linux-arm64-gnu': pretend({ platform: 'linux', arch: 'arm64' }) + GLIBC,
    'linux-arm64-musl': pretend({ platform: 'linux', arch: 'arm64' }) + MUSL,
    'linux-arm-gnueabihf': `${pretend({
      platform: 'linux',
      arch: 'arm',
      config: { variables: { arm_float_abi: 'hard' } },
    })} require('node:os').machine = () => 'armv7l'; ${GLIBC}`,
    'linux-ia32-gnu': pretend({ platform: 'linux', arch: 'ia32' }) + GLIBC,
  };
  const all = folder(t, Object.assign({}, ...PLATFORMS.map((name) => standIn(`ffi-jit-${name}`))));
  for (const name of PLATFORMS) {
    const [system, cpu] = name.split('-');
    const prelude = systems[name] ?? pretend({ platform: system, arch: cpu });
    assert.equal(evaluate(all, 'got.native?.name', { prelude }), `ffi-jit-${name}`);
  }
});

test('a system without a package is told why', (t) => {
  const message = (prelude) => evaluate(folder(t), 'got.message', { prelude });
  assert.match(
    message(pretend({ platform: 'sunos', arch: 'sparc' })),
    /the platform's package: there is none for sunos-sparc\n/,
  );
  const pi = pretend({ platform: 'linux', arch: 'arm' });
  assert.match(message(`${pi} require('node:os').machine = () => 'armv6l'; ${GLIBC}`), /armv6l/);
  const config = { variables: { arm_float_abi: 'softfp' } };
  assert.match(
    message(`${pi} ${pretend({ config })} require('node:os').machine = () => 'armv7l'; ${GLIBC}`),
    /hard-float/,
  );
});

test("where its memory tells nothing, Node's report tells the C library", (t) => {
  const root = folder(t, {
    ...standIn('ffi-jit-linux-x64-musl'),
    ...standIn('ffi-jit-linux-x64-gnu'),
  });
  const name = (prelude) => evaluate(root, 'got.native?.name', { prelude: LINUX + prelude });
  for (const maps of [null, '7f00-7f01 r-xp 0 08:01 1 /opt/static/node\n']) {
    assert.equal(name(memory(maps) + report('')), 'ffi-jit-linux-x64-musl');
    assert.equal(name(memory(maps) + report('2.36')), 'ffi-jit-linux-x64-gnu');
    assert.equal(name(memory(maps) + WITHOUT_REPORT), 'ffi-jit-linux-x64-gnu');
  }
  assert.equal(name(MUSL + NO_REPORT), 'ffi-jit-linux-x64-musl');
  assert.equal(name(GLIBC + NO_REPORT), 'ffi-jit-linux-x64-gnu');
});

test('packages for other systems are not loaded, but named', (t) => {
  const root = folder(t, { ...standIn('ffi-jit-linux-x64-musl'), ...standIn('ffi-jit-win32-x64') });
  const message = evaluate(root, 'got.message', { prelude: LINUX + GLIBC });
  assert.match(
    message,
    /ffi-jit-linux-x64-gnu: this package is not installed; installed for other systems: linux-x64-musl, win32-x64\n/,
  );
  assert.match(message, /--libc=musl/);
});

test('a package without its file is told from one that is not installed', (t) => {
  const files = { 'node_modules/ffi-jit-linux-x64-gnu/package.json': '{}' };
  assert.match(
    evaluate(folder(t, files), 'got.message', { prelude: LINUX + GLIBC }),
    /ffi-jit-linux-x64-gnu: the package is installed, but has no file ffi-jit\.node\n/,
  );
});

test('an addon of another version is not taken, wherever it is from', (t) => {
  const name = 'ffi-jit-linux-x64-gnu';
  const prelude = LINUX + GLIBC;
  const root = folder(t, standIn(name, '0.0.9'));
  const message = evaluate(root, 'got.message', { prelude });
  assert.ok(message.includes(`${name}: its version is 0.0.9, and that of ffi-jit is ${VERSION}`));
  const env = { FFI_JIT_NATIVE_PATH: `node_modules/${name}/ffi-jit.node` };
  assert.match(evaluate(root, 'got.message', { env }), /its version is 0\.0\.9/);
  const old = folder(t, { 'my.js': 'exports.layout = () => [];' });
  const mine = { env: { FFI_JIT_NATIVE_PATH: 'my.js' } };
  assert.match(evaluate(old, 'got.message', mine), /its version is unknown/);
});

test('with a local build, nothing is asked about the system', (t) => {
  const root = folder(t, { [`prebuilds/${platform}-${arch}/ffi-jit.node`]: '' });
  const prelude = `
    process.dlopen = (module) => {
      module.exports = { local: true, version: '${VERSION}' };
    };
    ${NO_REPORT} ${memory(null)}`;
  assert.equal(evaluate(root, 'got.native.local', { prelude }), true);
});

/** The package of this system. */
function hostPackage() {
  const libc =
    platform === 'linux' ? libcOf(fs.readFileSync('/proc/self/maps', 'utf8')) : undefined;
  return packageFor({ platform, arch, libc }).name;
}

/** A project with this package and others installed, by files; the loader's own parts among them. */
function project(t, parts, files) {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'ffi-jit-loader-'));
  t.after(() => fs.rmSync(root, { recursive: true }));
  const own = parts
    .map((name) => ours(name))
    .map(([at, text]) => [`node_modules/ffi-jit/${at}`, text]);
  for (const [name, content] of [...own, ...Object.entries(files)]) {
    const file = path.join(root, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
  }
  return root;
}

/** What lets process.dlopen load JavaScript. */
const JS_DLOPEN = `process.dlopen = (module, file) => {
  const text = require('node:fs').readFileSync(file, 'utf8');
  new Function('exports', text)(module.exports);
};`;

/** What an expression says of the loader of a project. */
function evaluateInstalled(root, expression) {
  const program = `
    ${JS_ADDONS} ${JS_DLOPEN}
    let got;
    try {
      got = require('./node_modules/ffi-jit/js/core/loader.js');
    } catch (error) { got = error; }
    console.log(JSON.stringify(${expression}));`;
  const env = { ...process.env, FFI_JIT_NATIVE_PATH: '' };
  return JSON.parse(execFileSync(NODE, ['-e', program], { cwd: root, env, encoding: 'utf8' }));
}

const ALL = Object.assign({}, ...PLATFORMS.map((name) => standIn(`ffi-jit-${name}`)));

/** Why the neighbour cannot be told at once here; false where it can. */
function untold() {
  if (arch !== 'x64' && arch !== 'arm64') return 'not on this processor';
  if (platform !== 'linux') return false;
  const page = fs.readFileSync('/proc/self/exe').subarray(0, 4096);
  return !page.includes('/ld-') && 'the loader is not named in the first page of the program';
}

test('where it is installed, it takes its neighbour, and needs no more', {
  skip: untold(),
}, (t) => {
  const root = project(t, ['loader.js'], ALL);
  assert.equal(evaluateInstalled(root, 'got.native?.name'), hostPackage());
});

test('a neighbour that is not there, or not right, is looked for and reported as ever', (t) => {
  const parts = ['loader.js', 'packaged.js', 'packages.js'];
  const nested = Object.entries(standIn(hostPackage())).map(([file, text]) => [
    `node_modules/ffi-jit/${file}`,
    text,
  ]);
  const elsewhere = project(t, parts, Object.fromEntries(nested));
  assert.equal(evaluateInstalled(elsewhere, 'got.native?.name'), hostPackage());
  const old = project(t, parts, standIn(hostPackage(), '0.0.9'));
  const message = evaluateInstalled(old, 'got.message');
  assert.ok(message.includes(`- ${hostPackage()}: its version is 0.0.9, and that of ffi-jit is`));
  assert.equal(message.split('0.0.9').length, 2, 'once');
});
