'use strict';

const { SORTED } = require('./values');

/** C calling JavaScript on the thread of the caller, and on another one. */
module.exports = [
  {
    name: 'callback',
    title: 'registered callback, once per call',
    expected: (i) => i + 1,
  },
  {
    name: 'callback_transient',
    title: 'callback made for the call, once',
    expected: (i) => i + 1,
  },
  {
    name: 'callback_100',
    title: 'registered callback, 100 per call, each',
    per: 100,
    expected: (i) => (i % 1000) * 100 + 100,
  },
  {
    name: 'qsort',
    title: 'qsort of 1,000 ints, JS comparator',
    unit: 'us',
    expected: () => SORTED,
  },
  {
    name: 'callback_thread',
    title: 'call on a thread that calls back and waits',
    kind: 'async',
    unit: 'us',
    expected: (i) => i + 1,
  },
];
