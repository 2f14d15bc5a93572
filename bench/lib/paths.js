'use strict';

const path = require('node:path');

const bench = path.join(__dirname, '..');
const build = path.join(bench, 'build');

module.exports = {
  ROOT: path.join(bench, '..'),
  BENCH_DIR: bench,
  NATIVE: path.join(bench, 'native'),
  BUILD: build,
  RESULTS: path.join(bench, 'results'),
  CONTESTANTS: path.join(bench, 'contestants'),
  PERFORMANCE_PAGE: path.join(bench, '..', 'docs', 'performance.md'),
  /** This package with its modules as they are published, and the addon of the checkout. */
  PACKAGE: path.join(build, 'package'),
  /** What set-up compiles. */
  BENCH: path.join(build, 'libbench.so'),
  MANY: path.join(build, 'libmany.so'),
  ADDON: path.join(build, 'addon.node'),
  FLOOR: path.join(build, 'floor.node'),
};
