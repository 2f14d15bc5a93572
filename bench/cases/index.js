'use strict';

/**
 * The cases, in the order of the table.
 *
 * name      what a contestant's `cases` object and `--cases` call it
 * title     the row's label
 * kind      `call` (default): a loop of calls; `async`: a loop of awaited calls;
 *           `require`, `bind`: one measurement per process
 * uses      the key in a contestant's `cases` when it is not the name
 * expected  iteration number -> what the call must give (deep equality, arrays and views alike)
 * unit      `ns` (default), `us`, `ms` or `bytes`
 * per       things measured per call, when it is not one
 * absent    why contestants do not have it, when they do not say so
 * original  part of the benchmark that ffi-rs itself publishes
 */
const groups = {
  Scalars: require('./scalars'),
  Strings: require('./strings'),
  'Memory and pointers': require('./memory'),
  Structs: require('./structs'),
  'Memory by the Koffi API': require('./koffi'),
  Callbacks: require('./callbacks'),
  'Other threads': require('./async'),
  'Once per process, library or function': require('./lifetime'),
};

/** What the chart of a whole run shows. */
const HEADLINES = new Set([
  'sum',
  'double2',
  'mixed12',
  'i64_bigint',
  'atoi',
  'concat',
  'str_utf8',
  'buffer',
  'i32_array',
  'create_free',
  'struct_pointer',
  'struct16',
  'struct_nested',
  'callback',
  'qsort',
  'async_throughput',
]);

const defaults = ({ name }) => ({
  kind: 'call',
  unit: 'ns',
  per: 1,
  uses: name,
  headline: HEADLINES.has(name),
});

exports.cases = Object.entries(groups).flatMap(([group, list]) =>
  list.map((item) => ({ ...defaults(item), group, ...item })),
);

/** Units as nanoseconds (or bytes) per displayed one. */
exports.UNITS = { ns: 1, us: 1e3, ms: 1e6, bytes: 1 };
