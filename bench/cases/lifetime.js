'use strict';

/**
 * What happens once per process, library or function. Every round of a `require`, `first_call` or
 * `bind` case is a process of its own. What the first call of a process costs is a case by itself: in
 * the others that bind functions, one was bound and called before.
 */
module.exports = [
  {
    name: 'open_close',
    title: 'open a library, bind and call f(int, int), close',
    kind: 'call',
    unit: 'us',
    expected: (i) => i + 2,
  },
  {
    name: 'require',
    title: 'require of the package',
    kind: 'require',
    unit: 'ms',
  },
  {
    name: 'first_call',
    title: 'require, open, bind and call: the first result of a process',
    kind: 'first',
    uses: 'bind',
    unit: 'ms',
  },
  {
    name: 'bind',
    title: 'bind 1,000 functions, each',
    kind: 'bind',
    uses: 'bind',
    count: 1000,
    unit: 'us',
  },
  {
    name: 'bind_call',
    title: 'bind 1,000 functions and call each once, each',
    kind: 'bind',
    uses: 'bind',
    count: 1000,
    call: true,
    unit: 'us',
  },
  {
    name: 'rss_bind',
    title: '20,000 functions bound: RSS, each',
    kind: 'bind',
    uses: 'bind',
    count: 20000,
    measure: 'rss',
    unit: 'bytes',
  },
  {
    name: 'rss_call',
    title: '20,000 functions bound, each called once: RSS, each',
    kind: 'bind',
    uses: 'bind',
    count: 20000,
    call: true,
    measure: 'rss',
    unit: 'bytes',
  },
];
