'use strict';
// Finds and loads the native addon:
//   1. the file that FFI_JIT_NATIVE_PATH names, and then no other;
//   2. prebuilds/<platform>-<arch>/ffi-jit.node, which `npm run build` makes in a checkout;
//   3. the package of the platform (js/core/packaged.js).
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

/** The path of a local build. */
function localPath() {
  const { platform, arch } = process;
  const slash = platform === 'win32' ? '\\' : '/';
  return [__dirname, '..', '..', 'prebuilds', `${platform}-${arch}`, 'ffi-jit.node'].join(slash);
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
