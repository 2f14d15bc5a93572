// flags: --allow-natives-syntax --expose-gc --no-concurrent-recompilation
// env: FFI_JIT_TIER=node-api FFI_JIT_COUNT_ENTRIES=1
'use strict';
// Text on the Node-API tier.

require('./text.js');
