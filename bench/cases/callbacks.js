'use strict';

const { SORTED } = require('./values');

/** C calling JavaScript on the thread of the caller, and on another one. */
module.exports = [
  {
    name: 'callback',
    title: 'callback, registered, called once per call',
    expected: (i) => i + 1,
  },
  {
    name: 'callback_transient',
    title: 'callback, made for the call, called once',
    expected: (i) => i + 1,
  },
  {
    name: 'callback_100',
    title: 'callback, registered, called 100 times (ns each)',
    per: 100,
    expected: (i) => (i % 1000) * 100 + 100,
  },
  {
    name: 'qsort',
    title: 'qsort of 1,000 ints, JS comparator (us)',
    unit: 'us',
    expected: () => SORTED,
  },
  {
    name: 'callback_thread',
    title: 'call on another thread that calls back and waits (us)',
    kind: 'async',
    unit: 'us',
    expected: (i) => i + 1,
  },
];
