'use strict';

/** Runs cases: one worker process per contestant, rounds in alternation. */
const { fork } = require('node:child_process');
const path = require('node:path');
const { median } = require('./stats');

const WORKER = path.join(__dirname, 'worker.js');
const ANSWER_TIMEOUT_MS = 60_000;
/** Kinds of cases whose every round is a process of its own. */
const ONCE = new Set(['require', 'first', 'bind']);

/** A worker process: `ask` resolves with its next message, or with a `no` when it dies. */
class Worker {
  #child;
  #stderr = '';
  #waiting = null;
  #queue = [];

  constructor(contestant, node, task, { gc = false } = {}) {
    const { execArgv = [], gcArgv = ['--expose-gc'] } = contestant;
    this.#child = fork(WORKER, [JSON.stringify({ contestant: contestant.file, ...task })], {
      execPath: contestant.program ?? node.path,
      execArgv: gc ? [...execArgv, ...gcArgv] : execArgv,
      env: { ...process.env, ...contestant.env, NODE_NO_WARNINGS: '1' },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr.on('data', (data) => {
      this.#stderr = (this.#stderr + data).slice(-4096);
    });
    this.#child.on('message', (message) => this.#deliver(message));
    this.#child.on('error', (error) => this.#deliver({ type: 'no', reason: error.message }));
    this.#child.on('close', (code, signal) => this.#deliver(this.#obituary(code, signal)));
  }

  #obituary(code, signal) {
    const panic = this.#stderr.split('\n').find((line) => /panicked|fatal|error|FATAL/.test(line));
    const what = signal ? `crashes (${signal})` : `ends with exit code ${code}`;
    return { type: 'no', reason: what, detail: panic?.slice(0, 200) };
  }

  #deliver(message) {
    if (this.#waiting) {
      this.#waiting(message);
      this.#waiting = null;
    } else {
      this.#queue.push(message);
    }
  }

  answer() {
    if (this.#queue.length) return Promise.resolve(this.#queue.shift());
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting = null;
        resolve({ type: 'no', reason: `no answer within ${ANSWER_TIMEOUT_MS / 1000} s` });
      }, ANSWER_TIMEOUT_MS);
      this.#waiting = (message) => {
        clearTimeout(timer);
        resolve(message);
      };
    });
  }

  round() {
    if (this.#child.connected) this.#child.send('round');
    return this.answer();
  }

  /** Workers hold nothing worth saving, and some contestants cannot exit cleanly. */
  end() {
    this.#child.removeAllListeners();
    this.#child.on('error', () => {});
    this.#child.kill('SIGKILL');
  }
}

/** Which contestants work on this Node: fills in `version` or `reason`. */
async function probe(contestants, node) {
  const found = [];
  for (const contestant of contestants) {
    const reason = contestant.unsupported?.(node);
    if (reason) {
      found.push({ ...contestant, version: null, reason });
      continue;
    }
    const worker = new Worker(contestant, node, { probe: true });
    const answer = await worker.answer();
    worker.end();
    found.push(
      answer.type === 'version'
        ? { ...contestant, version: answer.version }
        : { ...contestant, version: null, reason: answer.reason },
    );
  }
  return found;
}

const outcome = ({ rounds, no }) =>
  no || !rounds.length
    ? { reason: no?.reason ?? 'no result', detail: no?.detail }
    : { median: median(rounds), min: Math.min(...rounds), rounds };

/** Every other round runs backwards, so that a drift of the machine hits all alike. */
const inTurn = (entries, round) => (round % 2 ? [...entries].reverse() : entries);

async function repeatedCase(item, contestants, node, { rounds, roundMs }) {
  const entries = [];
  for (const contestant of contestants) {
    const task = { case: item.name, roundNs: roundMs * 1e6 };
    const worker = new Worker(contestant, node, task);
    const answer = await worker.answer();
    entries.push({ contestant, worker, rounds: [], no: answer.type === 'ready' ? null : answer });
  }
  for (let round = 0; round < rounds; round++) {
    for (const entry of inTurn(entries, round)) {
      if (entry.no) continue;
      const answer = await entry.worker.round();
      if (answer.type === 'round') entry.rounds.push(answer.ns);
      else entry.no = answer;
    }
  }
  for (const { worker } of entries) worker.end();
  return entries;
}

async function onceCase(item, contestants, node, { rounds }) {
  const entries = contestants.map((contestant) => ({ contestant, rounds: [], no: null }));
  for (let round = 0; round < rounds; round++) {
    for (const entry of inTurn(entries, round)) {
      if (entry.no) continue;
      const gc = item.measure === 'rss';
      const worker = new Worker(entry.contestant, node, { case: item.name }, { gc });
      const answer = await worker.answer();
      worker.end();
      if (answer.type === 'once') entry.rounds.push(answer.value);
      else entry.no = answer;
    }
  }
  return entries;
}

/** contestant file -> { median, min, rounds } or { reason, detail }. */
async function runCase(item, contestants, node, options) {
  const run = ONCE.has(item.kind) ? onceCase : repeatedCase;
  const entries = await run(item, contestants, node, options);
  return Object.fromEntries(entries.map((entry) => [entry.contestant.file, outcome(entry)]));
}

module.exports = { probe, runCase };
