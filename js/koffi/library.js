'use strict';
// Libraries: `koffi.load`, and the handle that it returns.

const { native } = require('../core/loader.js');
const { coded } = require('../core/errors.js');
const { freeze } = require('./config.js');
const { DEPRECATIONS, deprecated } = require('./deprecations.js');
const { invalid, unexpected, wrongCount } = require('./errors.js');
const { makeFunction } = require('./functions.js');
const { internals } = require('./types/model.js');
const { readFunction } = require('./types/signatures.js');

const LAZY = 1;
const GLOBAL = 2;
const DEEP = 4;

/**
 * Names under which 32-bit x86 compilers export functions of a convention: Microsoft's, MinGW's.
 * Some count the pointer to a result in memory as an argument.
 */
function decorated(name, { convention, params, result }) {
  if (native.arch !== 'x86' || (convention !== 'stdcall' && convention !== 'fastcall')) return [];
  const size = params.reduce((sum, { type }) => sum + Math.ceil(internals(type).size / 4) * 4, 0);
  const sizes = RECORDS.has(internals(result).kind) ? [size, size + 4] : [size];
  if (convention === 'fastcall') return sizes.map((bytes) => `@${name}@${bytes}`);
  return sizes.flatMap((bytes) => [`_${name}@${bytes}`, `${name}@${bytes}`]);
}

const RECORDS = new Set(['struct', 'union']);

const notFound = (what, name) =>
  coded(Error, 'ERR_FFI_SYMBOL', `Cannot find ${what} '${name}' in shared library`);

/** A loaded library. */
class LibraryHandle {
  #id;

  constructor(id) {
    if (typeof id !== 'number') throw invalid('Illegal constructor');
    this.#id = id;
  }

  #declare(args, convention) {
    const { name, signature } = readFunction(args, convention);
    const plain = typeof name === 'number' && native.os === 'windows' ? `#${name}` : String(name);
    const label = String(name);
    const fn = makeFunction(signature, label, { library: this.#id, symbol: plain });
    if (fn !== undefined) return fn;
    for (const symbol of decorated(plain, signature)) {
      const other = makeFunction(signature, label, { library: this.#id, symbol });
      if (other !== undefined) return other;
    }
    throw notFound('function', name);
  }

  /** `func(prototype)`, `func([convention,] name, result, parameters)` */
  func(...args) {
    return this.#declare(args);
  }

  /** The same with a convention. */
  cdecl(...args) {
    return this.#conventional(args, 'cdecl');
  }

  stdcall(...args) {
    return this.#conventional(args, 'stdcall');
  }

  fastcall(...args) {
    return this.#conventional(args, 'fastcall');
  }

  thiscall(...args) {
    return this.#conventional(args, 'thiscall');
  }

  #conventional(args, convention) {
    deprecated(DEPRECATIONS[convention]);
    return this.#declare(args, convention);
  }

  /** The address of a function or variable. */
  symbol(...args) {
    if (args.length === 0) throw wrongCount('1', 0);
    const [name] = args;
    if (typeof name !== 'string') throw unexpected(name, 'name', 'string', 0);
    const address = native.symbol(this.#id, name);
    if (address === undefined) throw notFound('symbol', name);
    return address;
  }

  /** Closes the library at once: its functions throw from now on. */
  unload() {
    native.closeLibrary(this.#id);
  }
}

if (Symbol.dispose !== undefined) {
  Object.defineProperty(LibraryHandle.prototype, Symbol.dispose, {
    value: LibraryHandle.prototype.unload,
    writable: true,
    configurable: true,
  });
}

/** What the loader said, without the name of the file. */
const reasonOf = (message, path) =>
  path !== null && message.startsWith(`${path}: `) ? message.slice(path.length + 2) : message;

/** `load(path | null, options)` */
function load(...args) {
  if (args.length === 0) throw wrongCount('1 or 2', 0);
  const [filename, options] = args;
  const path = filename ?? null;
  if (path !== null && typeof path !== 'string') {
    throw unexpected(path, 'filename', 'string or null', 0);
  }
  const given = options ?? {};
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw unexpected(options, 'options', 'object', 1);
  }
  freeze();
  const { lazy, global, deep } = given;
  const flags = (lazy ? LAZY : 0) | (global ? GLOBAL : 0) | (deep ? DEEP : 0);
  try {
    return new LibraryHandle(native.openLibrary(path, flags));
  } catch (error) {
    const message = `Failed to load shared library: ${reasonOf(error.message, path)}`;
    throw Object.assign(coded(Error, 'ERR_FFI_LIBRARY', message), { cause: error });
  }
}

module.exports = { LibraryHandle, load };
