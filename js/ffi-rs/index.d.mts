// The ES module entry has the same names and types as the CommonJS one, and all of them as its
// default export.
import * as ffi from './index.js';

export * from './index.js';
export default ffi;
