// The Koffi dialect as an ES module: the same names.

import koffi from './index.js';
