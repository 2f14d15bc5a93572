// flags: --allow-natives-syntax --expose-gc --no-concurrent-recompilation
// env: FFI_JIT_TIER=direct FFI_JIT_COUNT_ENTRIES=1
'use strict';
// Text on the direct tier.

require('./text.js');
