'use strict';
// `koffi.config()`: the settings, until the first library is loaded.
//
//   max_type_size                       the largest type
//   max_async_calls                     threads that run asynchronous calls at a time; more calls
//                                       wait their turn
//   resident_async_pools                threads that stay when there is nothing to do
//   async_stack_size                    stack of these threads, at least 2 MiB
//   sync_stack_size, sync_heap_size,    advisory: calls run on the thread's own stack, and their
//   async_heap_size                     data is in frame memory (2 MiB) or beside it

const { native } = require('../core/loader.js');
const { failure, invalid, kindName, unexpected } = require('./errors.js');
const { DEFAULT_MAX_TYPE_SIZE, readMaxTypeSizeFrom } = require('./types/settings.js');

const KIB = 1024;
const MIB = 1024 * KIB;

/** Default and limits of each setting. */
const SETTINGS = {
  sync_stack_size: { value: MIB, min: 64 * KIB, max: 16 * MIB, range: '64 kiB and 16 MiB' },
  sync_heap_size: { value: 2 * MIB, min: 0, max: 16 * MIB, range: '0 and 16 MiB' },
  async_stack_size: { value: 256 * KIB, min: 64 * KIB, max: 16 * MIB, range: '64 kiB and 16 MiB' },
  async_heap_size: { value: 512 * KIB, min: 0, max: 16 * MIB, range: '0 and 16 MiB' },
  resident_async_pools: { value: 2, min: 0, max: 32, range: '0 and 32' },
  max_async_calls: { value: 64, min: 0, max: 4096, range: 'resident_async_pools and 4096' },
  max_type_size: {
    value: DEFAULT_MAX_TYPE_SIZE,
    min: 32,
    max: 512 * MIB,
    range: '32 B and 512 MiB',
  },
};

const KEYS = Object.keys(SETTINGS);

let current = Object.fromEntries(KEYS.map((key) => [key, SETTINGS[key].value]));
let frozen = false;

readMaxTypeSizeFrom(() => current.max_type_size);

/** Checks one setting; its value as a whole number. */
function check(key, value) {
  if (!Object.hasOwn(SETTINGS, key)) throw failure(`Unexpected config member '${key}'`);
  if (typeof value !== 'number') {
    throw invalid(`Unexpected ${kindName(value)} value for '${key}', expected number`);
  }
  const { min, max } = SETTINGS[key];
  const whole = Math.trunc(value);
  if (!(whole >= min && whole <= max)) throw outside(key);
  return whole;
}

const outside = (key) => failure(`Setting '${key}' must be between ${SETTINGS[key].range}`);

/** `config()` -> the settings; `config(some)` changes some of them, or none when one is wrong. */
function config(...args) {
  if (args.length === 0) return { ...current };
  const [changes] = args;
  if (typeof changes !== 'object' || changes === null || Array.isArray(changes)) {
    throw unexpected(changes, 'config', 'object', 0);
  }
  const next = { ...current };
  for (const key of Object.keys(changes)) next[key] = check(key, changes[key]);
  if (next.max_async_calls < next.resident_async_pools) throw outside('max_async_calls');
  if (frozen) {
    throw failure('Cannot change Koffi configuration once a library has been loaded');
  }
  current = next;
  return { ...current };
}

/** Settles the configuration. */
function freeze() {
  if (frozen) return;
  frozen = true;
  const { max_async_calls: max, resident_async_pools: resident, async_stack_size: stack } = current;
  native.limitTasks(max, resident, stack);
}

module.exports = { config, freeze };
