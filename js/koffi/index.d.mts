// The ES module entry has the same names and types as the CommonJS one, and all of them as its
// default export.
export * from './index.js';
export { default } from './index.js';
