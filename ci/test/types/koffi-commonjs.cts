// How TypeScript resolves the types of the Koffi dialect in a CommonJS module (module: node16).
import koffi = require('ffi-jit/koffi');

const add = koffi.load(null).func('int add(int a, int b)');
const sum: number = add(1, 2n);
export = sum;
