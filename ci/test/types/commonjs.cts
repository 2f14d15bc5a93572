// How TypeScript resolves the package's types in a CommonJS module (module: node16).
import ffi = require('ffi-jit');

const name: number = ffi.DataType.I32;
ffi.open({ library: 'main', path: '' });
ffi.close('main');
export = name;
