'use strict';
// Tiers: how a marshaller enters native code.
//
//   node-api   a function that Node-API calls; every runtime has it
//   packed     one function of V8's own, which optimised code calls directly; releases of Node
//              that src/node/v8 knows. Arguments and results travel in frame memory all the same
//
// FFI_JIT_TIER=node-api|packed|auto chooses (auto when it is not set), `useTier` does so for
// functions that are bound later. What cannot be had is done without: `describe` says why.

const { native } = require('./loader.js');
const { coded } = require('./errors.js');
const { charCodeAt, hasOwn, weakGet, weakSet } = require('./primordials.js');

/** Releases of Node, by process.versions.modules, on which `auto` takes the packed tier. */
const AUTOMATIC = new Set(['115', '127', '137', '147']);

/**
 * @typedef {object} Tier
 * @property {'node-api' | 'packed'} name
 * @property {string} [reason] why it is no higher one
 * @property {boolean} [reentrant] whether calls may be made directly while callbacks exist
 */

/** The functions by which generated code enters the packed tier, once it is started. */
const entries = {
  enter: undefined,
  enterPlain: undefined,
  enterText: undefined,
  rethrow: native.rethrow,
};

/** Why this runtime or its settings do not allow the packed tier, as far as JavaScript can tell. */
function obstacle() {
  const { versions, config, execArgv, env } = process;
  for (const name of ['electron', 'bun', 'deno']) {
    if (versions[name] !== undefined) return `this is ${name}`;
  }
  const built = config?.variables ?? {};
  for (const name of [
    'v8_enable_pointer_compression',
    'v8_enable_sandbox',
    'v8_enable_31bit_smis_on_64bit_arch',
  ]) {
    if (built[name]) return `this Node was built with ${name}`;
  }
  const flags = [...execArgv, ...(env.NODE_OPTIONS ?? '').split(/\s+/)];
  if (flags.some((flag) => /^--jit[-_]?less$/.test(flag))) return 'V8 runs with --jitless';
}

/** What `digest` says of text that it finds: a number for its characters (src/node/v8/strings.rs). */
function digestOf(text) {
  let sum = text.length;
  for (let i = 0; i < text.length; i++) sum = (Math.imul(sum, 31) + charCodeAt(text, i)) | 0;
  return sum & 0x7fffffff;
}

/** Why strings cannot be read where V8 has them: strings of all kinds are compared. */
function misread(digest) {
  const long = `text of some length, made by process ${process.pid}`;
  const key = `key ${process.pid} of a property`;
  const joined = `${long}${key}`;
  const flat = `${key}${long}`;
  digestOf(flat);
  hasOwn({}, key);
  const simple = ['', 'a', 'ascii', 'Latin-1 \u00e9\u00ff', JSON.parse(`"${long}"`)];
  const other = [flat, joined, key, long.slice(3), `${long}\u20ac`, 1, 0.5, null, {}, [], Symbol()];
  for (const value of [...simple, ...other]) {
    const found = digest(0, value);
    const expected = typeof value === 'string' ? digestOf(value) : undefined;
    if (found !== expected && (found !== undefined || simple.includes(value))) {
      return 'strings have another layout';
    }
  }
}

/** Starts the packed tier; the node-api tier where that cannot be. */
function startPacked() {
  const { versions } = process;
  const made = {};
  const reason =
    obstacle() ??
    native.startPacked(Number(versions.modules), versions.v8, made) ??
    misread(made.digest);
  if (reason !== undefined) return { name: 'node-api', reason };
  entries.enter = made.enter;
  entries.enterPlain = made.enterPlain;
  entries.enterText = made.enterText;
  return { name: 'packed', reentrant: made.reentrant };
}

/** The tier that every runtime has, for those who want no other. */
const NODE_API = { name: 'node-api', reason: 'FFI_JIT_TIER or useTier says so' };

let packed;
let wanted;

/** The tier of functions that are compiled now. */
function currentTier() {
  wanted ??= process.env.FFI_JIT_TIER || 'auto';
  switch (wanted) {
    case 'node-api':
      return NODE_API;
    case 'auto':
      if (!AUTOMATIC.has(process.versions.modules)) {
        return { name: 'node-api', reason: 'it is not automatic on this release of Node' };
      }
      break;
    case 'packed':
      break;
    default:
      throw coded(
        Error,
        'ERR_FFI_INVALID_ARGUMENT',
        `FFI_JIT_TIER is "${wanted}"; expected node-api, packed or auto`,
      );
  }
  packed ??= startPacked();
  return packed;
}

/**
 * Chooses the tier of functions that are compiled from now on.
 * @param {'node-api' | 'packed' | 'auto'} name
 */
function useTier(name) {
  const before = wanted;
  wanted = name;
  try {
    currentTier();
  } catch (error) {
    wanted = before;
    throw error;
  }
}

/** Emits the call of native code, and what keeps values reachable until it has returned. */
function emitEntry(g, tier, held) {
  if (tier.name === 'node-api') {
    g.emit(`${g.entry}();`);
    // Compared with something that the compiler cannot know.
    for (const value of held) g.emit(`same(${value}, ${g.entry});`);
    return;
  }
  if (tier.reentrant) g.emit(`enter(${g.entry});`);
  else g.emit(`if (u32[LIVE] === 0) enter(${g.entry}); else enterPlain(${g.entry});`);
  g.emit(`if (u32[PENDING] !== 0) rethrow(${held.join(', ')});`);
}

/**
 * Emits the call of native code with text (text-calls.js); returns the name of its result.
 * @param {string[]} strings
 * @param {string} [result] the variable that gets it
 */
function emitTextEntry(g, tier, held, strings, result) {
  const name = result ?? g.fresh();
  const declared = result === undefined ? `let ${name}` : name;
  if (tier.name === 'node-api') {
    g.emit(`${declared} = ${g.entry}(${strings.join(', ')});`);
    for (const value of held) g.emit(`same(${value}, ${g.entry});`);
  } else {
    const reachable = g.general === undefined ? held : [...held, 'self'];
    g.emit(`${declared} = enterText(${[g.entry, ...strings].join(', ')});`);
    g.emit(`if (u32[PENDING] !== 0) rethrow(${reachable.join(', ')});`);
  }
  return name;
}

/** The tier of each bound function, and of the public functions around them. */
const tiers = new WeakMap();

/**
 * Binds a C function to a compiled call.
 * @param {import('./compile.js').Compiled} compiled
 * @param {{ address: bigint, library: number, name: string }} callee
 * @returns {Function} the marshaller
 */
function bind({ signature, stacked, errno, tier, text, link }, { address, library, name }) {
  const what = [signature, address, library, stacked, errno, name];
  const isPacked = tier.name === 'packed';
  let run;
  if (text === undefined) {
    run = isPacked ? native.bindPacked(...what, link) : link(native.bind(...what));
  } else {
    run = isPacked
      ? native.bindPackedText(...what, text, link)
      : link(native.bindText(...what, text));
  }
  weakSet(tiers, run, tier);
  return run;
}

/** Notes that a public function runs a bound one. */
function publish(fn, run) {
  const tier = weakGet(tiers, run);
  if (tier !== undefined) weakSet(tiers, fn, tier);
}

/**
 * How a function enters native code.
 * @param {Function} fn
 * @returns {{ tier: 'node-api' | 'packed', reason: string | undefined } | undefined} undefined for
 *   a function that is not bound (yet)
 */
function describe(fn) {
  const tier = weakGet(tiers, fn);
  return tier && { tier: tier.name, reason: tier.reason };
}

module.exports = {
  NODE_API,
  bind,
  currentTier,
  describe,
  emitEntry,
  emitTextEntry,
  entries,
  publish,
  useTier,
};
