'use strict';
// What users get: the packages packed, installed by npm into empty projects, and used there. The
// addon is that of `npm run build`.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const { addon, cache, root } = require('../../lib/paths.js');
const { mapLimit, npm, run } = require('../../lib/run.js');
const {
  ENV,
  emptyProject,
  installFor,
  installedPackages,
  npmInstall,
  packAround,
  runProgram,
} = require('../../lib/packages/install.js');
const { mainManifest } = require('../../lib/packages/manifests.js');
const { hostPlatform, platforms } = require('../../lib/packages/table.js');

const PLACE = path.join(cache, 'packages/test');
const HOST = hostPlatform();
const { version: VERSION } = mainManifest();

const place = (name) => path.join(PLACE, name);
const tarball = (packed, name) => packed.find((one) => one.name === name).tarball;

let packed;
let project;

test.before(async () => {
  packed = await packAround(place('packed'), HOST, addon);
  project = place('project');
  await installFor(project, HOST, packed);
});

/** A copy of the installed project, to be changed. */
function copyOf(name) {
  const folder = place(name);
  fs.rmSync(folder, { recursive: true, force: true });
  fs.cpSync(project, folder, { recursive: true, verbatimSymlinks: true });
  return folder;
}

const inside = (folder, name) => path.join(folder, 'node_modules', name);

/** Puts another platform's package into a project, which npm would not do. */
function addPackage(folder, name) {
  fs.cpSync(path.join(place('packed/staged'), name), inside(folder, name), { recursive: true });
}

/** The program's own report, and that it found nothing wrong. */
async function works(folder) {
  const { ok, output } = await runProgram(process.execPath, folder, HOST.name);
  assert.ok(ok, output);
  assert.match(output, /^4 passed, 0 failed$/m);
}

/** The error of `require('ffi-jit')` in a project. */
async function refusal(folder, env = {}) {
  const program = `try { require('ffi-jit'); } catch (error) {
    console.log(JSON.stringify({ code: error.code, message: error.message }));
  }`;
  const result = await run(process.execPath, ['-e', program], {
    cwd: folder,
    env: { ...ENV, ...env },
  });
  assert.ok(result.ok, result.output);
  assert.notEqual(result.output, '', 'it was loaded');
  const { code, message } = JSON.parse(result.output);
  assert.equal(code, 'ERR_FFI_ADDON_LOAD');
  return message;
}

test('npm installs ffi-jit with the package of the system, and no other', async () => {
  // npm 9 cannot be told of another C library than the machine's.
  const { output: npmVersion } = await npm(['--version', '--silent']);
  const told = Number(/^(\d+)\./m.exec(npmVersion)[1]) >= 10;
  const asked = platforms.filter(({ libc }) => told || !libc || libc === HOST.libc);
  const names = await mapLimit(asked, 3, async (platform) => {
    const folder = place(`for-${platform.folder}`);
    await installFor(folder, platform, packed);
    return installedPackages(folder);
  });
  assert.deepEqual(
    names,
    asked.map(({ name }) => ['ffi-jit', name]),
  );
});

test('both APIs work, required and imported', () => works(project));

test('it works installed from files, offline, in a folder with spaces and other letters', async () => {
  const folder = place('mit Leerzeichen, ünï ☃');
  await npmInstall(folder, ['--offline', tarball(packed, 'ffi-jit'), tarball(packed, HOST.name)]);
  assert.deepEqual(installedPackages(folder), ['ffi-jit', HOST.name]);
  await works(folder);
});

test('it works as pnpm lays packages out', async () => {
  const folder = place('pnpm');
  emptyProject(folder);
  const store = (name) => inside(folder, `.pnpm/${name}@${VERSION}/node_modules`);
  for (const name of ['ffi-jit', HOST.name]) {
    fs.cpSync(inside(project, name), path.join(store(name), name), { recursive: true });
  }
  const link = (target, file) =>
    fs.symlinkSync(path.relative(path.dirname(file), target), file, 'dir');
  link(path.join(store(HOST.name), HOST.name), path.join(store('ffi-jit'), HOST.name));
  link(path.join(store('ffi-jit'), 'ffi-jit'), inside(folder, 'ffi-jit'));
  await works(folder);
});

test('with the packages of two C libraries, that of the system is taken', {
  skip: HOST.os !== 'linux' || HOST.cpu !== 'x64',
}, async () => {
  const folder = copyOf('both');
  const other = HOST.libc === 'musl' ? 'ffi-jit-linux-x64-gnu' : 'ffi-jit-linux-x64-musl';
  addPackage(folder, other);
  assert.equal(installedPackages(folder).length, 3);
  await works(folder);
});

test('without its package, the error names it, and the wrong one that is there', async () => {
  const folder = copyOf('wrong');
  fs.rmSync(inside(folder, HOST.name), { recursive: true });
  const missing = await refusal(folder);
  assert.match(missing, new RegExp(`- ${HOST.name}: this package is not installed\n`));
  assert.match(missing, /--omit=optional/);
  const wrong = platforms.find(({ os }) => os !== HOST.os);
  addPackage(folder, wrong.name);
  assert.ok((await refusal(folder)).includes(`installed for other systems: ${wrong.folder}\n`));
});

test('what --omit=optional leaves out is an error that says so', async () => {
  const folder = place('omitted');
  await npmInstall(folder, ['--offline', '--omit=optional', tarball(packed, 'ffi-jit')]);
  assert.deepEqual(installedPackages(folder), ['ffi-jit']);
  assert.match(await refusal(folder), /with --omit=optional/);
});

test("a damaged addon is an error with the system loader's words", async () => {
  const folder = copyOf('damaged');
  const file = path.join(inside(folder, HOST.name), 'ffi-jit.node');
  const whole = fs.readFileSync(file);
  const line = (message) => message.split('\n').find((text) => text.includes(`- ${HOST.name}:`));
  for (const part of [whole.subarray(0, 0), whole.subarray(0, 40), Buffer.from('<html>404')]) {
    fs.writeFileSync(file, part);
    assert.match(line(await refusal(folder)), /ffi-jit\.node/);
  }
  fs.rmSync(file);
  assert.match(line(await refusal(folder)), /is installed, but has no file ffi-jit\.node/);
  fs.writeFileSync(file, whole);
  await works(folder);
});

test('an addon of another version is refused', async () => {
  const folder = copyOf('versions');
  const loader = path.join(inside(folder, 'ffi-jit'), 'js/core/loader.js');
  const source = fs.readFileSync(loader, 'utf8');
  assert.ok(source.includes(`'${VERSION}'`), 'where the version stands');
  fs.writeFileSync(loader, source.replace(`'${VERSION}'`, "'99.1.2'"));
  const message = await refusal(folder);
  assert.ok(
    message.includes(`${HOST.name}: its version is ${VERSION}, and that of ffi-jit is 99.1.2`),
  );
});

test('FFI_JIT_NATIVE_PATH takes another file, and no package', async () => {
  const env = { FFI_JIT_NATIVE_PATH: path.join(project, 'package.json') };
  assert.match(await refusal(project, env), /package\.json: its version is unknown/);
  const program = "console.log(require('ffi-jit').DataType.I32)";
  const result = await run(process.execPath, ['-e', program], {
    cwd: project,
    env: { ...ENV, FFI_JIT_NATIVE_PATH: addon },
  });
  assert.ok(result.ok, result.output);
});

test('the packages hold what they should, and nothing else', async () => {
  const list = (name) =>
    fs
      .readdirSync(inside(project, name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) =>
        path.relative(inside(project, name), path.join(entry.parentPath ?? entry.path, entry.name)),
      )
      .sort();
  const licenses = ['LICENSE', 'LICENSE-APACHE', 'LICENSE-MIT'];
  assert.deepEqual(
    list(HOST.name),
    [...licenses, 'README.md', 'THIRD-PARTY-LICENSES', 'ffi-jit.node', 'package.json'].sort(),
  );
  const main = list('ffi-jit').filter((file) => !/^js\/(?:core|ffi-rs|koffi)\//.test(file));
  assert.deepEqual(main, [...licenses, 'CHANGELOG.md', 'README.md', 'package.json'].sort());
  const manifest = JSON.parse(
    fs.readFileSync(path.join(inside(project, 'ffi-jit'), 'package.json')),
  );
  for (const key of ['private', 'scripts', 'devDependencies', 'dependencies']) {
    assert.equal(manifest[key], undefined, key);
  }
  assert.deepEqual(
    manifest.optionalDependencies,
    Object.fromEntries(platforms.map(({ name }) => [name, VERSION])),
  );
});

test('TypeScript finds the types, as Node and as bundlers resolve', async () => {
  const folder = copyOf('types');
  const common = {
    target: 'es2022',
    strict: true,
    noEmit: true,
    esModuleInterop: true,
    types: ['node'],
    typeRoots: [path.join(root, 'node_modules/@types')],
  };
  const configs = {
    node16: { compilerOptions: { ...common, module: 'node16' }, include: ['*.cts', '*.mts'] },
    bundler: {
      compilerOptions: { ...common, module: 'esnext', moduleResolution: 'bundler' },
      include: ['*.mts'],
    },
  };
  fs.cpSync(path.join(root, 'ci/test/types'), folder, { recursive: true });
  const check = async ([name, config]) => {
    const file = path.join(folder, `tsconfig.${name}.json`);
    fs.writeFileSync(file, JSON.stringify(config));
    const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
    const result = await run(process.execPath, [tsc, '--project', file, '--listFiles']);
    assert.ok(result.ok, `${name}\n${result.output}`);
    assert.ok(result.output.includes('packages/test/types/node_modules/ffi-jit/js/koffi/index.d'));
  };
  await Promise.all(Object.entries(configs).map(check));
});
