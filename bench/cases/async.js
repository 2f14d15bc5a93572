'use strict';

/** Calls that run on another thread (`runInNewThread`). */
module.exports = [
  {
    name: 'async_throughput',
    title: 'asynchronous sum, 200 in flight (us per call)',
    kind: 'async',
    uses: 'async_sum',
    inFlight: 200,
    unit: 'us',
    expected: (i) => i + 2,
  },
  {
    name: 'async_latency',
    title: 'asynchronous sum, one after another (us per call)',
    kind: 'async',
    uses: 'async_sum',
    unit: 'us',
    expected: (i) => i + 2,
  },
];
