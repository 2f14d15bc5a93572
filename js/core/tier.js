'use strict';
// Tiers: how a marshaller enters native code.
//
//   node-api   one function that Node-API calls; every runtime has it
//   packed     one function of V8's own, which optimised code calls directly; releases of Node
//              that src/node/v8 knows
//   direct     one function of V8's own per shape of calls, which gets the arguments themselves
//              (direct.js). For scalars, pointers and text; other functions are packed
//
// Which C function is entered a token tells, a number that only native code understands: the first
// finds it in frame memory, the others get it as an argument. Arguments and results travel in frame
// memory on the first two.
//
// FFI_JIT_TIER=node-api|packed|direct|auto chooses (auto, the highest one, when it is not set),
// `useTier` does so for functions that are bound later. What cannot be had is done without:
// `describe` says why.

const { native } = require('./loader.js');
const memory = require('./memory.js');
const { charCodeAt, hasOwn } = require('./primordials.js');

const { views, LENGTH, TOKEN, hasExternals, useExternals } = memory;
const { f64 } = views;

/** Releases of Node, by process.versions.modules, on which `auto` takes V8's tiers. */
const AUTOMATIC = new Set(['115', '127', '137', '147']);

/**
 * @typedef {object} Tier
 * @property {'node-api' | 'packed' | 'direct'} name
 * @property {string} [reason] why it is no higher one
 * @property {boolean} [reentrant] whether calls may be made directly while callbacks exist
 */

/**
 * The functions by which generated code enters the tiers, once they are started. What a call has
 * left to be done, `settle` and `settlePlain` do (relay.js).
 */
const entries = {
  call: undefined,
  enter: undefined,
  enterPlain: undefined,
  enterText: undefined,
  settle: undefined,
  settlePlain: undefined,
  settleText: undefined,
  settleTextPlain: undefined,
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
  const flags = `${execArgv.join(' ')} ${env.NODE_OPTIONS ?? ''}`;
  if (flags.includes('less') && /--jit[-_]?less/.test(flags)) return 'V8 runs with --jitless';
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

// What settles calls is loaded when the first call has left something to be done.

/**
 * `settle` (relay.js) of an entry, which `enter` enters with a token. FFI_JIT_RELAY=1 says that one
 * callback is always worth it.
 */
function lateSettler(enter, usual) {
  let settle;
  const make = () => {
    const { resumption } = require('./callbacks.js');
    const worth = process.env.FFI_JIT_RELAY === '1' ? 1 : usual;
    return require('./relay.js').settler(() => enter(resumption.token), worth);
  };
  return (token, held) => {
    settle ??= make();
    settle(token, held);
  };
}

/** The same for calls with text. */
function lateTextSettler(settle) {
  let settleText;
  return (top, token, ...held) => {
    settleText ??= require('./text-calls.js').textSettler(settle);
    settleText(top, token, ...held);
  };
}

/** What Node-API's tier has for Externals and heap cells, from when there is the first. */
function lateExternals() {
  const late = { state: 0 };
  for (const name of [
    'externalAt',
    'addressTo',
    'makeCell',
    'freeCell',
    'fetchTo',
    'fetchBehind',
  ]) {
    late[name] = (...values) => {
      const made = require('./known-externals.js').knownExternals(memory);
      useExternals(made);
      return made[name](...values);
    };
  }
  return late;
}

/** `addressTo` with what is remembered, from when there is the first External. */
function lateRemembering(addressTo) {
  let late;
  return (value, state, cell) => {
    late ??= require('./known-externals.js').remembering(memory, addressTo).addressTo;
    return late(value, state, cell);
  };
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
  const { enter } = made;
  // Where such calls may not be made directly, to come back takes more than is saved on one callback.
  entries.settle = lateSettler(enter, made.reentrant ? 1 : 2);
  entries.enterText = made.enterText;
  entries.settleText = lateTextSettler(entries.settle);
  if (process.versions.modules === NO_CALL_IN_TRY) {
    // Both stand inside of `try`, where this release runs the callback for other code.
    made.fetchTo = undefined;
    made.addressTo = lateRemembering(made.addressTo);
  }
  if (made.externalAt !== undefined) useExternals(made);
  return { name: 'packed', reentrant: made.reentrant };
}

/** Starts the tier that every runtime has; its entry. */
function startNodeApi() {
  if (entries.call === undefined) {
    const call = native.entry();
    entries.call = call;
    entries.settlePlain = lateSettler((token) => {
      f64[TOKEN] = token;
      call();
      // To come back through Node-API takes as long as half of what is saved.
    }, 2);
    entries.settleTextPlain = lateTextSettler(entries.settlePlain);
    if (!hasExternals()) useExternals(lateExternals());
  }
  return entries.call;
}

/** Starts what the tier of now has for Externals and heap cells. */
function startExternals() {
  if (currentTier().name === 'node-api') startNodeApi();
}

/** For marshallers that only check their arguments. */
const NOWHERE = { name: 'nowhere' };

/** The tier that every runtime has, for those who want no other. */
const NODE_API = { name: 'node-api', reason: 'FFI_JIT_TIER or useTier says so' };

/** The same, where nobody has said so. Tiers are known by their identity: one object for each. */
const UNKNOWN_RELEASE = {
  name: 'node-api',
  reason: 'it is not automatic on this release of Node',
};

/** A tier's packed form, for a function that is not called directly for this reason. */
const packedFor = ({ reentrant }, reason) => ({ name: 'packed', reason, reentrant });

/** The release (V8 12.4) that makes no direct call inside a `try`. */
const NO_CALL_IN_TRY = '127';

let started;
let wanted;
/** The tier of functions that are compiled now, until another one is wanted. */
let current;

/** The tier of functions that are compiled now. */
function currentTier() {
  current ??= chosenTier();
  return current;
}

function chosenTier() {
  wanted ??= process.env.FFI_JIT_TIER || 'auto';
  switch (wanted) {
    case 'node-api':
      return NODE_API;
    case 'auto':
      if (!AUTOMATIC.has(process.versions.modules)) {
        return UNKNOWN_RELEASE;
      }
      break;
    case 'packed':
    case 'direct':
      break;
    default:
      throw require('./errors.js').coded(
        Error,
        'ERR_FFI_INVALID_ARGUMENT',
        `FFI_JIT_TIER is "${wanted}"; expected node-api, packed, direct or auto`,
      );
  }
  started ??= start();
  return wanted === 'packed' ? started.packed : started.direct;
}

/** What is there when V8's tiers were started. */
function start() {
  const packed = startPacked();
  if (packed.name === 'node-api') return { packed, direct: packed };
  const chosen = packedFor(packed, NODE_API.reason);
  return { packed: chosen, direct: { ...packed, name: 'direct' } };
}

/**
 * Chooses the tier of functions that are compiled from now on.
 * @param {'node-api' | 'packed' | 'direct' | 'auto'} name
 */
function useTier(name) {
  const before = wanted;
  wanted = name;
  try {
    current = chosenTier();
  } catch (error) {
    wanted = before;
    throw error;
  }
}

/** What `settle` gets. */
const settled = (token, held) => (held.length > 0 ? `${token}, [${held.join(', ')}]` : token);

/** Emits the call of native code, and what keeps values reachable until it has returned. */
function emitEntry(g, tier, held) {
  if (tier.name === 'nowhere') return;
  if (tier.name === 'node-api') {
    startNodeApi();
    // The arguments of a call that is running are reachable, and this one's nobody reads.
    g.emit(`f64[TOKEN] = ${g.entry};`, `call(${held.join(', ')});`);
    g.emit(`if (u32[PENDING] !== 0) settlePlain(${settled(g.entry, held)});`);
    return;
  }
  if (tier.reentrant) g.emit(`enter(${g.entry});`);
  else g.emit(`if (u32[LIVE] === 0) enter(${g.entry}); else enterPlain(${g.entry});`);
  g.emit(`if (u32[PENDING] !== 0) settle(${settled(g.entry, held)});`);
}

/** Node-API's entries for calls with text, by shape and the number of strings that they take in. */
const textEntries = new Map();

function textEntry(shape, count) {
  startNodeApi();
  let entries = textEntries.get(shape);
  if (entries === undefined) {
    entries = [];
    textEntries.set(shape, entries);
  }
  entries[count] ??= native.textEntry(shape, count);
  return entries[count];
}

/**
 * Emits the call of native code with text (text-calls.js); returns the name of its result.
 * @param {number} shape the token of what crosses
 * @param {string[]} strings
 * @param {string} top an expression of where the strings begin
 * @param {string} read an expression of the result when C had called back
 * @param {string} [result] the variable that gets it
 * @param {{ end: string, enter: Function }} [short] on Node-API's tier: when the variable `end` is not
 *   negative, the strings stand already from `top` up to this offset, and `enter` enters C
 * @param {boolean} returns whether C returns text
 */
function emitTextEntry(g, tier, held, { shape, strings, top, read, result, short, returns }) {
  const name = result ?? g.fresh();
  const isNodeApi = tier.name === 'node-api';
  if (result === undefined) g.emit(`let ${name};`);
  g.emit(`f64[TOKEN] = ${g.entry};`);
  if (isNodeApi) {
    const entry = (count) => g.constant(textEntry(shape, count));
    let call = `${entry(strings.length)}(${[...strings, ...held].join(', ')})`;
    if (short !== undefined) {
      const kept = held.length > 1 ? `[${held.join(', ')}]` : held[0];
      const values = [top, short.end, returns ? entry(0) : 'call', kept ?? 'undefined'];
      call = `${short.end} >= 0 ? ${g.constant(short.enter)}(${values.join(', ')}) : ${call}`;
    }
    g.emit(`${name} = ${call};`);
  } else {
    g.emit(`${name} = enterText(${[g.constant(shape), ...strings].join(', ')});`);
  }
  const settle = isNodeApi ? 'settleTextPlain' : 'settleText';
  g.emit('if (u32[PENDING] !== 0) {', `${settle}(${[top, g.entry, ...held].join(', ')});`);
  g.emit(returns ? `${name} = ${read};` : '', '}');
  return name;
}

/**
 * A function that enters a C function of ours, which never runs JavaScript, by the tier of now.
 * @param {number} signature identifier of its signature
 * @param {bigint} address
 */
function bindRoutine(signature, address, name) {
  const isPacked = currentTier().name !== 'node-api';
  native.bind(signature, address, -1, isPacked ? PACKED : 0, name);
  const token = f64[LENGTH];
  if (isPacked) {
    const { enter } = entries;
    return () => enter(token);
  }
  const call = startNodeApi();
  return () => {
    f64[TOKEN] = token;
    call();
  };
}

/** What a function that returns its argument is for: private fields on functions of anybody's. */
class Given {
  constructor(fn) {
    // biome-ignore lint/correctness/noConstructorReturn: this is how a field gets on it
    return fn;
  }
}

/** The tier of a function, in a field of its own that nobody else sees. */
class Tiered extends Given {
  #tier;

  constructor(fn, tier) {
    super(fn);
    this.#tier = tier;
  }

  static has(fn) {
    return (typeof fn === 'function' || typeof fn === 'object') && fn !== null && #tier in fn;
  }

  static get(fn) {
    return fn.#tier;
  }

  static set(fn, tier) {
    fn.#tier = tier;
  }
}

/** Notes how a function enters native code; the last word counts. */
function publish(fn, tier) {
  if (Tiered.has(fn)) Tiered.set(fn, tier);
  else if (Object.isExtensible(fn)) new Tiered(fn, tier);
}

/** Releases bound functions whose marshallers are gone. */
const bound = new FinalizationRegistry((id) => native.unbind(id));

const STACKED = 1;
const ERRNO = 2;
const PACKED = 4;
/** Bits behind which the number of a shape stands, counted from 1. */
const SHAPE = 3;

/**
 * Binds a C function to a compiled call; what `describe` tells of it is left to `publish`.
 * @param {import('./compile.js').Compiled} compiled
 * @param {{ address?: bigint, library: number, name: string, label?: string }} callee without an
 *   address it is the library's function of that name; `label` is the marshaller's name, if it gets one
 * @returns {Function | undefined} the marshaller; undefined when the library has no such function
 */
function connect(compiled, { address, library, name, label }) {
  const { signature, stacked, errno, tier, link, shape = -1 } = compiled;
  const packed = tier.name === 'node-api' ? 0 : PACKED;
  const flags = (stacked ? STACKED : 0) | (errno ? ERRNO : 0) | packed;
  const id = native.bind(signature, address, library, flags | ((shape + 1) << SHAPE), name);
  if (id === undefined) return undefined;
  const run = link(f64[LENGTH], label);
  bound.register(run, id);
  return run;
}

/** The same, for a marshaller that is a public function itself. */
function bind(compiled, callee) {
  const run = connect(compiled, callee);
  if (run !== undefined) publish(run, compiled.tier);
  return run;
}

/** What finds the tiers of functions that were not published. */
const finders = [];

/**
 * Lets `describe` ask a dialect that knows its functions by itself: to publish one costs as much as
 * to bind it.
 * @param {(fn: unknown) => Tier | undefined} find
 */
function describeBy(find) {
  finders.push(find);
}

/**
 * How a function enters native code.
 * @param {Function} fn
 * @returns {{ tier: 'node-api' | 'packed' | 'direct', reason: string | undefined } | undefined}
 *   undefined for a function that is not bound (yet)
 */
function describe(fn) {
  let tier = Tiered.has(fn) ? Tiered.get(fn) : undefined;
  for (const find of finders) tier ??= find(fn);
  return tier && { tier: tier.name, reason: tier.reason };
}

module.exports = {
  NOWHERE,
  bind,
  bindRoutine,
  connect,
  currentTier,
  describe,
  describeBy,
  emitEntry,
  emitTextEntry,
  entries,
  packedFor,
  publish,
  startExternals,
  useTier,
};
