'use strict';
// Finds and loads the native addon:
//   1. the file that FFI_JIT_NATIVE_PATH names, and then no other;
//   2. where this package is installed, that of the platform's package, when it lies beside it;
//   3. prebuilds/<platform>-<arch>/ffi-jit.node, which `npm run build` makes in a checkout;
//   4. that of the platform's package, wherever it is (js/core/packaged.js).
// An addon of another version than ours is not taken: the two talk through memory whose layout they
// both have to know.
//
// All of this is what `require` waits for, so that Node's own modules (20 us each) and the rest of ours
// are required where they are needed.

/** The version of this package. A literal, kept by `node ci/packages.js`: nothing is read for it. */
const VERSION = '0.1.0';

/** Loads an addon whose path is known. What `require` does besides takes half as long again. */
function loadAddon(file) {
  const module = { exports: {} };
  try {
    process.dlopen(module, file);
  } catch (error) {
    throw require('node:fs').existsSync(file) ? error : new Error('there is no such file');
  }
  return module.exports;
}

/**
 * Lets an addon make most of its functions when one of them is first asked for: until then it has a
 * prototype that knows of them.
 */
function complete(native) {
  const { more } = native;
  if (more === undefined) return;
  const rest = {
    get(_, key) {
      Object.setPrototypeOf(native, null);
      more(native);
      return native[key];
    },
  };
  Object.setPrototypeOf(native, new Proxy({ __proto__: null }, rest));
}

const { platform, arch } = process;
const slash = platform === 'win32' ? '\\' : '/';

/** The path of a local build. */
const localPath = () =>
  [__dirname, '..', '..', 'prebuilds', `${platform}-${arch}`, 'ffi-jit.node'].join(slash);

/** Where this file is when installers put it there. */
const INSTALLED = ['', 'node_modules', 'ffi-jit', 'js', 'core'].join(slash);

/**
 * Where installers put the addon of this system, if that can be told at once: packages are
 * neighbours. What is not there js/core/packaged.js looks for.
 */
function neighbourPath() {
  if (!__dirname.endsWith(INSTALLED) || (arch !== 'x64' && arch !== 'arm64')) return undefined;
  const abi = platform === 'linux' ? libc() : '';
  if (abi === undefined) return undefined;
  return [__dirname, '..', '..', '..', `ffi-jit-${platform}-${arch}${abi}`, 'ffi-jit.node'].join(
    slash,
  );
}

/** The C library of this Linux program, by the loader that its file asks for in its first page. */
function libc() {
  const fs = require('node:fs');
  const page = Buffer.allocUnsafe(4096);
  try {
    const file = fs.openSync('/proc/self/exe');
    const size = fs.readSync(file, page);
    fs.closeSync(file);
    const text = page.toString('latin1', 0, size);
    if (text.includes('/ld-linux-')) return '-gnu';
    if (text.includes('/ld-musl-')) return '-musl';
  } catch {}
}

function load() {
  const failures = [];
  /** What `get` loads, if it has our version. */
  const attempt = (what, get) => {
    try {
      const native = get();
      if (native.version === VERSION) {
        complete(native);
        return { native, path: what, version: VERSION };
      }
      const its = native.version ?? 'unknown';
      throw new Error(`its version is ${its}, and that of ffi-jit is ${VERSION}`);
    } catch (error) {
      failures.push({ what, error });
    }
  };

  const named = process.env.FFI_JIT_NATIVE_PATH;
  if (named) {
    const file = require('node:path').resolve(named);
    const found = attempt(file, () => require(file));
    if (found) return found;
    const advice = 'FFI_JIT_NATIVE_PATH names this file: mend or unset it.';
    throw require('./packaged.js').loadError(VERSION, failures, advice);
  }

  const neighbour = neighbourPath();
  if (neighbour !== undefined) {
    const found = attempt(neighbour, () => loadAddon(neighbour));
    if (found) return found;
    // What is wrong with it will be said of the package.
    failures.length = 0;
  }

  const local = localPath();
  const built = attempt(local, () => loadAddon(local));
  if (built) return built;

  const { findPackage, loadError } = require('./packaged.js');
  const { what, get } = findPackage();
  const packaged = attempt(what, get);
  if (packaged) return packaged;
  throw loadError(VERSION, failures);
}

module.exports = load();
