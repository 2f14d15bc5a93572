// How TypeScript resolves the types of the Koffi dialect in an ES module (module: node16).
import koffi, { load, sizeof, type TypeObject } from 'ffi-jit/koffi';

export const length: number | bigint = load(null).func('size_t strlen(const char *)')('text');
export const int: TypeObject = koffi.types.int;
export const same: boolean = koffi.sizeof === sizeof;
