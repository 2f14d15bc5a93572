// The ES module entry has the same names and types as the CommonJS one.
export * from './index.js';
