'use strict';

/** What happens once per process or per function. Every round is a process of its own. */
module.exports = [
  {
    name: 'require',
    title: 'require of the package (ms)',
    kind: 'require',
    unit: 'ms',
  },
  {
    name: 'bind',
    title: 'bind 1,000 functions (us each)',
    kind: 'bind',
    uses: 'bind',
    count: 1000,
    unit: 'us',
  },
  {
    name: 'bind_call',
    title: 'bind 1,000 functions and call each once (us each)',
    kind: 'bind',
    uses: 'bind',
    count: 1000,
    call: true,
    unit: 'us',
  },
  {
    name: 'rss_bind',
    title: '20,000 functions bound: RSS (bytes each)',
    kind: 'bind',
    uses: 'bind',
    count: 20000,
    measure: 'rss',
    unit: 'bytes',
  },
  {
    name: 'rss_call',
    title: '20,000 functions bound, each called once: RSS (bytes each)',
    kind: 'bind',
    uses: 'bind',
    count: 20000,
    call: true,
    measure: 'rss',
    unit: 'bytes',
  },
];
