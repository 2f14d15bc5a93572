'use strict';
// Libraries: `koffi.load`, and the handle that it returns.

const { native } = require('../core/loader.js');
const { coded } = require('../core/errors.js');
const { freeze } = require('./config.js');
const { DEPRECATIONS, deprecated } = require('./deprecations.js');
const { invalid, unexpected, wrongCount } = require('./errors.js');
const { makeFunction } = require('./functions.js');
const { internals } = require('./types/model.js');
const { readDeclaration } = require('./types/prototypes.js');
const { signatureOf } = require('./types/signatures.js');

const LAZY = 1;
const GLOBAL = 2;
const DEEP = 4;

/**
 * The address of a function. 32-bit x86 compilers may export it under a name that says its
 * convention: Microsoft's, or MinGW's.
 */
function findFunction(id, name, { convention, params }) {
  const plain = native.symbol(id, name);
  const isDecorated = convention === 'stdcall' || convention === 'fastcall';
  if (plain !== undefined || native.arch !== 'x86' || !isDecorated) return plain;
  const size = params.reduce((sum, { type }) => sum + Math.ceil(internals(type).size / 4) * 4, 0);
  if (convention === 'fastcall') return native.symbol(id, `@${name}@${size}`);
  return native.symbol(id, `_${name}@${size}`) ?? native.symbol(id, `${name}@${size}`);
}

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
    const draft = readDeclaration(args, { anonymous: false, convention });
    const { name } = draft;
    const plain = typeof name === 'number' && native.os === 'windows' ? `#${name}` : String(name);
    const address = findFunction(this.#id, plain, draft);
    if (address === undefined) throw notFound('function', name);
    return makeFunction(signatureOf(draft), String(name), { address, library: this.#id });
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
