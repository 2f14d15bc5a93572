'use strict';

/**
 * One contestant in one case, in a process of its own. Started by `runner.js` with the task as
 * JSON in argv; answers over IPC:
 *
 *   { type: 'ready' }                 loaded, checked and calibrated
 *   { type: 'no', reason }            it cannot, or its result is wrong
 *   { type: 'round', ns }             after each 'round' message: per call (or per thing)
 *   { type: 'once', value }           the one measurement of a `require`, `first` or `bind` case
 *   { type: 'version', version }      for the probe before the first case
 *
 * One case per process also keeps the loop below monomorphic: V8 sees one `call` in it and
 * can inline it, as it would in a program's own loop.
 */
const { isDeepStrictEqual, inspect } = require('node:util');
const path = require('node:path');
const { cases } = require('../cases');
const { CONTESTANTS } = require('./paths');
const { manyNames } = require('../cases/values');

const task = JSON.parse(process.argv[2]);
const contestant = require(path.join(CONTESTANTS, task.contestant));
const item = cases.find(({ name }) => name === task.case);
const send = (message) => process.send(message);
const MAX_ITERATIONS = 2 ** 30;

const now = () => Number(process.hrtime.bigint());

/**
 * Starts a clock; calling it gives the nanoseconds since. Synchronous work takes the smaller of
 * wall and processor time: on a busy machine the wall clock counts the time that other processes
 * had the core, while the processor time counts the collector's helper threads.
 */
function stopwatch() {
  const cpu = process.cpuUsage();
  const wall = now();
  return () => {
    const elapsed = now() - wall;
    if (item.kind === 'async') return elapsed;
    const { user, system } = process.cpuUsage(cpu);
    return Math.min(elapsed, (user + system) * 1e3);
  };
}

function loop(call, n) {
  let last;
  for (let i = 0; i < n; i++) last = call(i);
  return last;
}

async function asyncLoop(call, n, inFlight) {
  let last;
  for (let i = 0; i < n; ) {
    const batch = [];
    for (; batch.length < inFlight && i < n; i++) batch.push(call(i));
    last = (await Promise.all(batch)).at(-1);
  }
  return last;
}

async function serialLoop(call, n) {
  let last;
  for (let i = 0; i < n; i++) last = await call(i);
  return last;
}

/** Views and arrays compare by their elements. */
const plain = (value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);

/** Throws a message fit for the table when `got` is not what iteration `i` must give. */
function check(got, i, pick = (expected) => expected) {
  const expected = plain(pick(item.expected(i), i));
  if (isDeepStrictEqual(plain(got), expected)) return;
  const show = (value) => inspect(value, { breakLength: Infinity, maxArrayLength: 4 }).slice(0, 60);
  throw new Error(`wrong result: ${show(plain(got))}, expected ${show(expected)}`);
}

/** The timed function of a case: iterations -> what the last one gave. */
function timed(made) {
  if (made.loop) return made.loop;
  if (item.kind !== 'async') return (n) => loop(made, n);
  return item.inFlight ? (n) => asyncLoop(made, n, item.inFlight) : (n) => serialLoop(made, n);
}

/** Iterations for one round of `roundNs`, found by doubling; warms the code up on the way. */
async function calibrate(run, roundNs) {
  let n = 1;
  for (;;) {
    const clock = stopwatch();
    await run(n);
    const elapsed = Math.max(1, clock());
    if (elapsed >= roundNs / 2 || n >= MAX_ITERATIONS) {
      return Math.max(1, Math.min(MAX_ITERATIONS, Math.round((n * roundNs) / elapsed)));
    }
    n = elapsed * 10 < roundNs ? n * 8 : n * 2;
  }
}

async function repeated(made) {
  const run = timed(made);
  // The first calls one by one (a wrong one need not be the first), then compiled code at the
  // end of each round.
  for (const i of [0, 1, 2, 3]) {
    const got = made.loop ? made.loop(i + 1) : made(i);
    if (item.kind === 'async' && typeof got?.then !== 'function') {
      throw new Error('wrong result: not a promise');
    }
    check(await got, i, made.pick);
  }
  await calibrate(run, task.roundNs / 2);
  const n = await calibrate(run, task.roundNs);
  process.on('message', async () => {
    try {
      const elapsed = stopwatch();
      const last = await run(n);
      const ns = elapsed() / n / item.per;
      check(last, n - 1, made.pick);
      send({ type: 'round', ns });
    } catch (error) {
      send({ type: 'no', reason: message(error) });
    }
  });
  send({ type: 'ready', iterations: n });
}

/* global Bun */
const collect = () => (globalThis.gc ? globalThis.gc() : Bun.gc(true));

function bindOnce({ run, call, callsItself }) {
  const names = manyNames(item.count);
  firstCall({ run, call, callsItself });
  const rss = item.measure === 'rss';
  if (rss) collect();
  const before = rss ? process.memoryUsage.rss() : 0;
  const elapsed = stopwatch();
  const functions = run(names, Boolean(item.call));
  if (item.call && !callsItself) for (const f of functions) call(f, 1, 2);
  const ns = elapsed();
  if (rss) collect();
  const used = rss ? process.memoryUsage.rss() - before : ns;
  if (!callsItself) {
    for (const i of [0, 1, item.count - 1]) {
      const got = call(functions[i], 10, 20);
      if (got !== 30 + i) throw new Error(`wrong result: function ${i} gave ${got}`);
    }
  }
  return used / item.count;
}

/** Binds one function and calls it. */
function firstCall({ run, call, callsItself }) {
  const [first] = run(manyNames(1), true);
  if (callsItself) return;
  const got = call(first, 10, 20);
  if (got !== 30) throw new Error(`wrong result: the first function gave ${got}`);
}

/** The same in a process that has not loaded the package yet. */
function firstOnce() {
  const elapsed = stopwatch();
  const maker = contestant.cases()[item.uses];
  if (typeof maker !== 'function') return undefined;
  firstCall(maker());
  return elapsed();
}

function requireOnce() {
  const elapsed = stopwatch();
  const exported = require(contestant.entry);
  const ns = elapsed();
  if (!exported || typeof exported !== 'object') throw new Error('nothing exported');
  return ns;
}

const message = (error) =>
  String(error?.message ?? error)
    .split('\n')[0]
    .slice(0, 160);

async function main() {
  if (task.probe) {
    const version = contestant.version();
    contestant.cases();
    return send({ type: 'version', version });
  }
  if (item.kind === 'require') {
    if (!contestant.entry) return send({ type: 'no', reason: 'no package of its own' });
    return send({ type: 'once', value: requireOnce() });
  }
  if (item.kind === 'first') {
    const value = firstOnce();
    if (value !== undefined) return send({ type: 'once', value });
  }
  const maker = contestant.cases()[item.uses];
  if (maker === undefined) return send({ type: 'no', reason: item.absent ?? 'not written' });
  if (typeof maker === 'string') return send({ type: 'no', reason: maker });
  const made = maker();
  if (item.kind === 'bind') return send({ type: 'once', value: bindOnce(made) });
  return repeated(made);
}

main().catch((error) => send({ type: 'no', reason: message(error) }));
