// flags: --allow-natives-syntax --expose-gc --no-concurrent-recompilation
// env: FFI_JIT_TIER=packed FFI_JIT_COUNT_ENTRIES=1
'use strict';
// Text on the packed tier.

require('./text.js');
