'use strict';
// Callbacks: JavaScript functions as C function pointers.
//
// A function pointer is made once and used for many functions. A transient one serves a single
// call; afterwards it is kept, and says so when C uses it late, until another call takes it. A
// registered one belongs to its function until it is unregistered.

const callbacks = require('../core/callbacks.js');
const { compileCallback } = require('../core/compile.js');
const { coded } = require('../core/errors.js');
const { views, FOREIGN, TOP, scratch, overflow } = require('../core/memory.js');
const { detach } = require('../core/recording.js');
const { pendingTasks } = require('../core/tasks.js');
const { failure, invalidType, mismatch, unexpected, wrongCount } = require('./errors.js');
const { internals } = require('./types/model.js');
const { resolve } = require('./types/strings.js');
const config = require('./config.js');
const { DEPRECATIONS, deprecated } = require('./deprecations.js');
const codecs = require('./values/codecs.js');

const { u32 } = views;

/** Function pointers of a prototype that are kept for further calls. */
const MAX_KEPT = 32;

const counts = { disposed: 0, callbacks: 0 };

/** What a function pointer runs when its call has ended. */
function late() {
  throw coded(
    Error,
    'ERR_FFI_CALLBACK_RELEASED',
    'Cannot use non-registered callback beyond FFI call',
  );
}

/** A function pointer, and the function behind it. */
class Trampoline {
  constructor(kind) {
    this.kind = kind;
    this.fn = late;
    this.address = 0n;
    /** The next idle one. */
    this.next = undefined;
  }

  /** Ends its use for a call. */
  release() {
    this.fn = late;
    counts.callbacks--;
    this.kind.keep(this);
  }
}

/** What a prototype compiles to, and a queue of its idle function pointers. */
class Kind {
  constructor({ params, result, convention }) {
    this.compiled = compileCallback({
      params: params.map(({ type }) => codecs.codecOf(type)),
      ret: codecs.codecOf(result),
      convention: convention === 'cdecl' ? undefined : convention,
      mismatch,
      holdsFunction: true,
      keepResult,
    });
    this.first = undefined;
    this.last = undefined;
    this.count = 0;
  }

  /** Keeps a function pointer for later. */
  keep(trampoline) {
    if (this.count === MAX_KEPT) callbacks.release(this.take().address);
    if (this.last === undefined) this.first = trampoline;
    else this.last.next = trampoline;
    this.last = trampoline;
    this.count++;
  }

  /** The one that was idle longest, because C may use the others late; undefined without any. */
  take() {
    const trampoline = this.first;
    if (trampoline === undefined) return undefined;
    this.first = trampoline.next;
    if (this.first === undefined) this.last = undefined;
    trampoline.next = undefined;
    this.count--;
    return trampoline;
  }
}

/** Kinds by signature. */
const kinds = new WeakMap();

function kindOf({ signature }) {
  let kind = kinds.get(signature);
  if (kind === undefined) {
    kind = new Kind(signature);
    kinds.set(signature, kind);
  }
  return kind;
}

/** Makes a function pointer. */
function create(kind) {
  const trampoline = new Trampoline(kind);
  const top = u32[TOP];
  try {
    const cell = scratch(8);
    if (cell < 0) throw overflow();
    trampoline.address = callbacks.create(kind.compiled, trampoline, 0, cell);
  } finally {
    u32[TOP] = top;
  }
  return trampoline;
}

/** A function pointer for the call that is being written; its address. */
function acquire(proto, fn) {
  const kind = kindOf(proto);
  const trampoline = kind.take() ?? create(kind);
  trampoline.fn = fn;
  counts.callbacks++;
  callbacks.transient.push(trampoline);
  return trampoline.address;
}

/** Registered callbacks by address. */
const registered = new Map();

/** Callbacks that may be registered at once, so that a program that forgets to unregister ends. */
const MAX_REGISTERED = 1 << 20;

/** `register([thisValue,] fn, type)` -> the address of a function pointer for `fn`. */
function register(...args) {
  const withThis = args.length >= 3;
  if (args.length < 2) throw wrongCount('2', args.length);
  if (withThis) deprecated(DEPRECATIONS.registerThis);
  const [thisValue, fn, specifier] = withThis ? args : [undefined, ...args];
  if (typeof fn !== 'function') throw unexpected(fn, 'func', 'function', withThis ? 1 : 0);
  const own = internals(resolve(specifier));
  if (own.kind !== 'callback') {
    throw invalidType(`Unexpected ${own.name} type, expected <callback> * type`, {
      argument: args.length - 1,
    });
  }
  if (own.proto.variadic) throw invalidType('Variadic functions cannot be callbacks');
  if (registered.size >= MAX_REGISTERED) {
    throw failure(`Too many callbacks are in use (max = ${MAX_REGISTERED})`);
  }
  config.freeze();
  const trampoline = create(kindOf(own.proto));
  trampoline.fn = withThis ? fn.bind(thisValue) : fn;
  registered.set(trampoline.address, trampoline);
  counts.callbacks++;
  return trampoline.address;
}

/** The address that a pointer value holds; NULL is 0n. */
function addressOf(pointer) {
  if (typeof pointer === 'bigint') return pointer;
  if (pointer === null || pointer === undefined) return 0n;
  if (typeof pointer === 'number') return BigInt(Math.trunc(pointer) || 0);
  if (ArrayBuffer.isView(pointer) || pointer instanceof ArrayBuffer) return -1n; // memory
  throw unexpected(pointer, 'id', 'registered callback', 0);
}

/** `unregister(pointer)`: from now on C gets zero from it. */
function unregister(...args) {
  if (args.length < 1) throw wrongCount('1', 0);
  const [pointer] = args;
  const address = addressOf(pointer);
  const trampoline = registered.get(address);
  if (trampoline === undefined) throw failure('Could not find matching registered callback');
  registered.delete(address);
  counts.callbacks--;
  callbacks.release(trampoline.address);
  return undefined;
}

/**
 * Data of results (strings, objects) that C may use until the call that led to the callback ends.
 *
 * Which call that is, nobody says. But callbacks of one call have their frames at one offset, and
 * those of calls inside a callback further up; and a call that ended since has moved the count of
 * calls on, which callbacks set back when they return. So what was kept at the same offset under
 * another count belongs to a call that has ended, and so does what was kept further up.
 */
const kept = [];
/** The same for calls on other threads, until none is running. */
const keptForOthers = [];
/** Threads that C made itself say nothing about when they are done. */
const MAX_FOREIGN = 1024;

/**
 * Keeps what the result of a callback points to.
 * @param {number} spillCount what was spilled before
 * @param {number} epoch the count of calls when C entered the callback
 * @param {number} frame offset of the callback's frame
 */
function keepResult(spillCount, epoch, frame) {
  const held = detach(spillCount);
  if (held.length === 0) return;
  if (u32[FOREIGN] !== 0) {
    if (pendingTasks() === 0 && keptForOthers.length >= MAX_FOREIGN) keptForOthers.shift();
    keptForOthers.push(held);
    return;
  }
  while (kept.length > 0) {
    const last = kept[kept.length - 1];
    if (last.frame < frame || (last.frame === frame && last.epoch === epoch)) break;
    kept.pop();
  }
  kept.push({ frame, epoch, held });
}

/** Lets go of what was kept for calls on other threads, once they have all ended. */
function taskEnded() {
  if (keptForOthers.length > 0 && pendingTasks() === 0) keptForOthers.length = 0;
}

/** Notes that a value was given to its disposer. */
function disposed() {
  counts.disposed++;
}

module.exports = { acquire, counts, disposed, register, taskEnded, unregister };
