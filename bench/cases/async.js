'use strict';

/** Calls that run on another thread (`runInNewThread`). */
module.exports = [
  {
    name: 'async_throughput',
    title: 'sum on another thread, 200 in flight',
    kind: 'async',
    uses: 'async_sum',
    inFlight: 200,
    unit: 'us',
    expected: (i) => i + 2,
  },
  {
    name: 'async_latency',
    title: 'sum on another thread, one after another',
    kind: 'async',
    uses: 'async_sum',
    unit: 'us',
    expected: (i) => i + 2,
  },
];
