// flags: --allow-natives-syntax --expose-gc --no-concurrent-recompilation
// env: FFI_JIT_TIER=node-api FFI_JIT_COUNT_ENTRIES=1
'use strict';
// Text on Node-API's tier as on the releases whose V8 is slow to encode it (`UNITS` in
// js/core/text-calls.js): up to 2,048 units are read as UTF-16, on every release.

const { native } = require('../../core/loader.js');

const { textShape } = native;
native.textShape = ([stacked, _, ...text]) => textShape(Uint32Array.of(stacked, 2048, ...text));

require('./text.js');
