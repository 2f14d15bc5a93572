'use strict';
// `koffi.node.poll`: tells when a file descriptor is ready.
//
// All handles of a thread share one call of poll(2), which runs on another thread and is made
// again with the new state of things; a pipe wakes it up when that changes. The call neither keeps
// the event loop alive, which handles do that are not unref'd, nor does anybody wait for its end.

const { constants } = require('node:os');
const { native } = require('../core/loader.js');
const { compileTask } = require('../core/compile.js');
const { coded } = require('../core/errors.js');
const { launchTask } = require('../core/tasks.js');
const { failure, invalid, unexpected, wrongCount } = require('./errors.js');
const { describe, makeFunction } = require('./functions.js');
const { readDeclaration } = require('./types/prototypes.js');
const { signatureOf } = require('./types/signatures.js');
const { POINTER, makeType, recordInternals } = require('./types/model.js');
const { resolve } = require('./types/strings.js');

/** Bits of poll(2). Linux alone can tell that the other side closes. */
const POLLIN = 1;
const POLLOUT = 4;
const POLLERR = 8;
const POLLHUP = 16;
const POLLNVAL = 32;
const POLLRDHUP = process.platform === 'linux' ? 0x2000 : 0;

/** The type of the number of descriptors. */
const COUNT = native.os === 'macos' ? 'uint' : 'ulong';

/** What poll(2) is told of a descriptor, and tells. */
function descriptorType() {
  const member = (name, type) => ({ name, type: resolve(type), align: undefined, padding: false });
  const members = [member('fd', 'int'), member('events', 'short'), member('revents', 'short')];
  return makeType({ name: 'pollfd', ...recordInternals('struct', members, false) });
}

/** The C functions that are needed, found when they are first used. */
function findFunctions() {
  if (process.platform === 'win32') {
    throw coded(Error, 'ERR_FFI_UNSUPPORTED', 'There is no poll() on this system');
  }
  const library = native.openLibrary(null, undefined);
  const callee = (name) => ({ address: native.symbol(library, name), library });
  const find = (text) => {
    const draft = readDeclaration([text], { anonymous: false });
    return makeFunction(signatureOf(draft), draft.name, callee(draft.name));
  };
  const list = makeType({
    ...POINTER,
    name: 'pollfd *',
    primitive: 'Pointer',
    ref: descriptorType(),
  });
  const draft = {
    convention: 'cdecl',
    result: resolve('int'),
    params: [
      { type: list, reads: true, writes: true },
      { type: resolve(COUNT), reads: true, writes: false },
      { type: resolve('int'), reads: true, writes: false },
    ],
    variadic: false,
  };
  const startTask = (task, values, mark, later) => {
    const settle = { resolve: () => queueMicrotask(ended), reject: () => queueMicrotask(ended) };
    launchTask(task, values, mark, later, settle, true);
  };
  return {
    pipe: find('int pipe(_Out_ int *ends)'),
    read: find('int64_t read(int fd, _Out_ uint8_t *data, size_t size)'),
    write: find('int64_t write(int fd, const uint8_t *data, size_t size)'),
    poll: compileTask(describe(signatureOf(draft), { startTask }), callee('poll')),
  };
}

/** Functions, the pipe that wakes the call up, and the call under way. */
const state = { c: undefined, ends: [-1, -1], watched: undefined };
/** Handles that were started. */
const active = new Set();
/** How many of them keep the event loop alive. */
let alive = 0;

function keepAlive(change) {
  if ((alive === 0) !== (alive + change === 0)) native.keepAlive(change > 0);
  alive += change;
}

function prepare() {
  state.c ??= findFunctions();
  if (state.ends[0] < 0 && state.c.pipe(state.ends) !== 0) {
    throw failure('No pipe for poll() could be made');
  }
}

// A worker that ends leaves no thread behind that waits for its descriptors.
process.once('exit', () => wake());

/** Makes the call, if there is something to wait for and none is under way. */
function run() {
  if (state.watched !== undefined || active.size === 0) return;
  const handles = [...active];
  const list = handles.map((handle) => ({ fd: handle.fd, events: handle.events, revents: 0 }));
  list.push({ fd: state.ends[0], events: POLLIN, revents: 0 });
  state.watched = { handles, list };
  state.c.poll(list, list.length, -1);
}

/** Ends the call under way, so that it is made anew. */
function wake() {
  if (state.watched !== undefined) state.c.write(state.ends[1], Buffer.alloc(1), 1);
}

/** What happens when the call has ended. */
function ended() {
  const { handles, list } = state.watched;
  state.watched = undefined;
  if (list[handles.length].revents !== 0) state.c.read(state.ends[0], Buffer.alloc(64), 64);
  try {
    handles.forEach((handle, i) => {
      if (list[i].revents !== 0 && handle.events === list[i].events) {
        report(handle, list[i].revents);
      }
    });
  } finally {
    run();
  }
}

/** Tells a handle what is ready. */
function report(handle, bits) {
  if (!active.has(handle)) return;
  if ((bits & POLLNVAL) !== 0) {
    handle.stop();
    handle.listener(-constants.errno.EBADF, events(0));
    return;
  }
  // An end or an error alone is for whoever waits: reading or writing will tell.
  const only = (bits & (POLLERR | POLLHUP)) === bits;
  handle.listener(0, events(only ? bits | handle.events : bits & handle.events));
}

const events = (bits) => ({
  readable: (bits & POLLIN) !== 0,
  writable: (bits & POLLOUT) !== 0,
  disconnect: (bits & POLLRDHUP) !== 0,
});

function bitsOf({ readable, writable, disconnect }) {
  return (readable ? POLLIN : 0) | (writable ? POLLOUT : 0) | (disconnect ? POLLRDHUP : 0);
}

/** Reads `[events,] listener`. */
function readArguments(args) {
  const [options, listener] = args.length > 1 ? args : [{ readable: true }, args[0]];
  if (typeof options !== 'object' || options === null)
    throw unexpected(options, 'events', 'object');
  if (typeof listener !== 'function') throw unexpected(listener, 'callback', 'function');
  const bits = bitsOf(options);
  if (bits === 0) throw invalid('Nothing to poll for: readable, writable or disconnect');
  return { bits, listener };
}

/** A descriptor that is watched. */
class PollHandle {
  #referenced = true;
  #closed = false;

  constructor(fd) {
    this.fd = fd;
    this.events = 0;
    this.listener = undefined;
  }

  /** `start([events,] listener)`: from now on the listener hears of the events. */
  start(...args) {
    if (this.#closed) throw failure('This poll handle was closed');
    const { bits, listener } = readArguments(args);
    prepare();
    this.events = bits;
    this.listener = listener;
    if (!active.has(this)) {
      active.add(this);
      if (this.#referenced) keepAlive(1);
    }
    wake();
    run();
  }

  /** The listener hears nothing any more. */
  stop() {
    if (!active.delete(this)) return;
    if (this.#referenced) keepAlive(-1);
    wake();
  }

  close() {
    this.stop();
    this.#closed = true;
  }

  /** Whether the handle keeps the event loop alive, from now on. */
  #reference(on) {
    if (this.#referenced === on) return;
    this.#referenced = on;
    if (active.has(this)) keepAlive(on ? 1 : -1);
  }

  ref() {
    this.#reference(true);
    return this;
  }

  unref() {
    this.#reference(false);
    return this;
  }
}

if (Symbol.dispose !== undefined) {
  Object.defineProperty(PollHandle.prototype, Symbol.dispose, {
    value: PollHandle.prototype.close,
    writable: true,
    configurable: true,
  });
}

/** `poll(fd, [events,] listener)` */
function poll(...args) {
  if (args.length < 2) throw wrongCount('2 or 3', args.length);
  const [fd, ...rest] = args;
  if (!Number.isInteger(fd)) throw unexpected(fd, 'fd', 'integer', 0);
  const handle = new PollHandle(fd);
  handle.start(...rest);
  return handle;
}

module.exports = { PollHandle, poll };
