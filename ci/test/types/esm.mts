// How TypeScript resolves the package's types in an ES module (module: node16).
import ffi, { DataType, close, load, open } from 'ffi-jit';

open({ library: 'main', path: '' });
export const pid: number = load({
  library: 'main',
  funcName: 'getpid',
  retType: DataType.I32,
  paramsType: [],
  paramsValue: [],
});
close('main');
export const same: boolean = ffi.load === load;
