/**
 * ffi-jit with the API of ffi-rs: call C functions of any shared library.
 *
 * Types come in as numbers ({@link DataType}) and plain objects, and results are inferred from
 * them. What the C side really is cannot be checked: a wrong description of a function is
 * undefined behaviour in C, whatever these types say.
 *
 * Errors are `Error` objects with a string `code`. Codes used throughout:
 *
 * | code | meaning |
 * |---|---|
 * | `NumberExpected`, `BigintExpected`, `BooleanExpected`, `StringExpected`, `ArrayExpected` | a value has the wrong JavaScript type |
 * | `InvalidArg` | a field is missing, or a value does not fit its type |
 * | `ERR_FFI_INVALID_TYPE` | a type or descriptor is unknown, malformed or not usable in that place |
 * | `ERR_FFI_INVALID_POINTER` | a pointer to free is not from `createPointer` or was freed before |
 * | `ERR_FFI_LIBRARY_CLOSED` | the library of a function was closed while it was called |
 * | `ERR_FFI_OUT_OF_MEMORY` | a RangeError: calls are nested too deeply, or their data is too large |
 * | `Unknown` | library not opened, symbol not found, wrong number of values (see {@link load}) |
 *
 * Errors about a value also carry `argument` (its index), `expected` and `received`.
 */

/** C types, by number. Sizes are those of the platform's C compiler. */
export declare enum DataType {
  /** `char *`, NUL-terminated UTF-8. A NULL result is `null` at run time. */
  String = 0,
  /** `int32_t`; numbers are taken modulo 2^32 (ToInt32). */
  I32 = 1,
  /** `double`. */
  Double = 2,
  /** `int32_t *`. */
  I32Array = 3,
  /** `char **`, each element as {@link DataType.String}. */
  StringArray = 4,
  /** `double *`. */
  DoubleArray = 5,
  /** `bool`, one byte; any other byte than 0 reads as true. */
  Boolean = 6,
  /** No result. As a `createPointer` type: a cell that holds NULL. */
  Void = 7,
  /** `int64_t` as a number: truncated and saturating; not exact beyond 2^53. */
  I64 = 8,
  /** `uint8_t`; numbers are taken modulo 2^8. */
  U8 = 9,
  /** `uint8_t *`: a Buffer or Uint8Array, of which C gets the live memory. */
  U8Array = 10,
  /** `void *`, held by a V8 external. */
  External = 11,
  /** `uint64_t` as a number: truncated and saturating; not exact beyond 2^53. */
  U64 = 12,
  /** `float *`. */
  FloatArray = 13,
  /** `float`; numbers are rounded to single precision. */
  Float = 14,
  /** `wchar_t *`: UTF-32 on Linux and macOS, UTF-16 on Windows. A NULL result is `null`. */
  WString = 15,
  /** `int64_t` as a bigint, exact. */
  BigInt = 16,
  /** `int16_t`; numbers are taken modulo 2^16. */
  I16 = 17,
  /** An array of structs; needs a descriptor with `structItemType`. */
  StructArray = 18,
  /** `int16_t *`. */
  I16Array = 19,
  /** `uint32_t`; numbers are taken modulo 2^32 (ToUint32). */
  U32 = 20,
  /** Tag of an array whose elements lie inside the struct. */
  StackArray = 996,
  /** Tag of an array descriptor, see {@link arrayConstructor}. */
  Array = 997,
  /** Tag of a function descriptor, see {@link funcConstructor}. */
  Function = 998,
  /** Tag (`ffiTypeTag`) of a struct that is passed by value, or lies inside another. */
  StackStruct = 999,
}

/** The descriptor tags; the numbers are those of {@link DataType}. */
export declare enum FFITypeTag {
  Unknown = 0,
  StackArray = 996,
  Array = 997,
  Function = 998,
  StackStruct = 999,
}

/** Whose memory {@link freePointer} releases. */
export declare enum PointerType {
  /** Memory made by {@link createPointer}. */
  RsPointer = 0,
  /** Memory that C allocated with `malloc`. */
  CPointer = 1,
}

declare const external: unique symbol;

/**
 * An address: a V8 external value (`util.types.isExternal` is true). It owns nothing; nothing is
 * freed when it is collected.
 */
export interface JsExternal {
  /** Exists in the types only: no other value passes for an external. */
  readonly [external]: 'External';
}

/** The types that describe an array, bare (in `paramsType`) or in {@link arrayConstructor}. */
export type ArrayType =
  | DataType.I32Array
  | DataType.StringArray
  | DataType.DoubleArray
  | DataType.U8Array
  | DataType.FloatArray
  | DataType.StructArray
  | DataType.I16Array;

/** What {@link arrayConstructor} takes. */
export interface ArrayConstructorOptions {
  /** One of the array types. */
  type: DataType;
  /** Number of elements (not bytes); 0 is allowed. */
  length: number;
  /** `StackArray` where the elements lie inside a struct; otherwise leave it out. */
  ffiTypeTag?: FFITypeTag | DataType;
  /** Accepted for compatibility; has no effect. */
  dynamicArray?: boolean;
  /**
   * Struct type of the elements, for `StructArray`: tagged `StackStruct` for an array of structs
   * (`T[]`), untagged for an array of pointers to structs (`T **`).
   */
  structItemType?: RecordFieldType;
}

/** What {@link funcConstructor} makes and type descriptions contain for a callback. */
export interface FuncConstructorOptions {
  /** Types of what C passes. */
  paramsType: FieldType[];
  /** Type of what C gets back. */
  retType: FieldType;
  /** Release the callback after the `load` call that it was given to. */
  needFree?: boolean;
  /** Free what C allocated for the arguments once it has been copied. */
  freeCFuncParamsMemory?: boolean;
  ffiTypeTag?: FFITypeTag | DataType;
}

/** A struct: field name to type, in the order of the C declaration. `ffiTypeTag` is reserved. */
export interface RecordFieldType {
  [field: string]: FieldType;
}

/** Anything that describes a type. */
export type FieldType =
  | DataType
  | FFITypeTag
  | ArrayConstructorOptions
  | FuncConstructorOptions
  | RecordFieldType;

/** What {@link open} takes. */
export interface OpenParams {
  /** The key by which `load` and `define` will name the library; any string. */
  library: string;
  /** File name or path for the system's loader; `''` is the main program. */
  path: string;
}

/** What marks a function descriptor. */
type FunctionTag = DataType.Function | FFITypeTag.Function;

/**
 * The Buffer that a `U8Array` is read into.
 *
 * The published ffi-rs types it as `number[]` although it is a Buffer there, too. The
 * intersection lets programs compile that believed that; use it as a Buffer.
 */
export type U8ArrayResult = Buffer & number[];

/** JavaScript values of the basic types and bare arrays, as results. */
interface BasicResults {
  [DataType.String]: string;
  [DataType.I32]: number;
  [DataType.Double]: number;
  [DataType.I32Array]: number[];
  [DataType.StringArray]: string[];
  [DataType.DoubleArray]: number[];
  [DataType.Boolean]: boolean;
  [DataType.Void]: undefined;
  [DataType.I64]: number;
  [DataType.U8]: number;
  [DataType.U8Array]: U8ArrayResult;
  [DataType.External]: JsExternal;
  [DataType.U64]: number;
  [DataType.FloatArray]: number[];
  [DataType.Float]: number;
  [DataType.WString]: string;
  [DataType.BigInt]: bigint;
  [DataType.I16]: number;
  [DataType.I16Array]: number[];
  [DataType.U32]: number;
}

/** JavaScript values of the basic types and bare arrays, as arguments. */
interface BasicValues extends Omit<BasicResults, ArrayType | DataType.String | DataType.WString> {
  [DataType.String]: string | null;
  [DataType.WString]: string | null;
  [DataType.I32Array]: readonly number[];
  [DataType.StringArray]: readonly string[];
  [DataType.DoubleArray]: readonly number[];
  [DataType.U8Array]: Uint8Array;
  [DataType.FloatArray]: readonly number[];
  [DataType.I16Array]: readonly number[];
}

/** Result of a descriptor of `StructArray`, of another array type, or of a number not known. */
type ArrayResult<T> = T extends { type: DataType.StructArray; structItemType: infer S }
  ? ResultOf<S>[]
  : T extends { type: infer A extends keyof BasicResults }
    ? BasicResults[A]
    : unknown[];

/** Array descriptors have a number as `length` and an array type, or the tag of one. */
type ArrayDescriptor = { type: ArrayType; length: number; ffiTypeTag?: FFITypeTag | DataType };

/**
 * The JavaScript value that a C value of type `T` becomes: in results, in what
 * {@link restorePointer} reads, and in the arguments of callbacks.
 *
 * String, array and struct pointer types stand for their non-null value; C's NULL is `null` at
 * run time. (A nullable type would break every program written for ffi-rs, where it crashed.)
 */
export type ResultOf<T> = T extends keyof BasicResults
  ? BasicResults[T]
  : T extends DataType | FFITypeTag
    ? never
    : T extends { ffiTypeTag: FunctionTag }
      ? JsExternal
      : T extends ArrayDescriptor
        ? 'ffiTypeTag' extends keyof T
          ? ArrayResult<T>
          : StructResult<T>
        : T extends ArrayConstructorOptions
          ? 'ffiTypeTag' extends keyof T
            ? ArrayResult<T>
            : StructResult<T>
          : StructResult<T>;

/** A struct as an object with the C fields. */
export type StructResult<T> = {
  -readonly [K in keyof T as Exclude<K, 'ffiTypeTag'>]: ResultOf<T[K]>;
};

/**
 * The JavaScript value to pass for a C parameter of type `T`, and what a callback returns for a
 * result of that type. `load` and the others accept any value in the types, as the original
 * does, and check at run time; annotate with this type for a check by the compiler.
 */
export type ValueOf<T> = T extends keyof BasicValues
  ? BasicValues[T]
  : T extends DataType | FFITypeTag
    ? never
    : T extends { ffiTypeTag: FunctionTag }
      ? CallbackOf<T>
      : T extends { ffiTypeTag: unknown; type: DataType.StructArray; structItemType: infer S }
        ? readonly ValueOf<S>[]
        : T extends { ffiTypeTag: unknown; type: infer A extends keyof BasicValues; length: number }
          ? BasicValues[A]
          : { readonly [K in keyof T as Exclude<K, 'ffiTypeTag'>]: ValueOf<T[K]> };

/** The JavaScript function for a descriptor that {@link funcConstructor} made. */
export type CallbackOf<T> = T extends { paramsType: infer P; retType: infer R }
  ? (...args: CallbackArguments<P>) => CallbackResult<R>
  : never;

type CallbackArguments<P> = P extends readonly unknown[]
  ? { -readonly [I in keyof P]: ResultOf<P[I]> }
  : never;

/** Nothing is done with what a callback without a result returns. */
type CallbackResult<R> = R extends DataType.Void ? void : ValueOf<R>;

/** Any value at all. Unlike `unknown` it does not swallow its neighbours in a union. */
type Anything = {} | null | undefined;

/** Lists of types are inferred as tuples. */
type FieldTypes = readonly FieldType[] | readonly [];

/** The values for a list of types. Every value is allowed; callbacks get their types from it. */
type ValuesOf<P extends FieldTypes> =
  | { readonly [I in keyof P]: ValueOf<P[I]> | Anything }
  | readonly Anything[];

/** What the call was with `errno: true`. */
export interface ErrnoResult<V> {
  /** `errno` right after the call; not cleared before it. */
  errnoCode: number;
  /** The system's text for it, such as `No such file or directory (os error 2)`. */
  errnoMessage: string;
  /** The result of the function. */
  value: V;
}

type WithErrno<V, E> = E extends true ? ErrnoResult<V> : V;
type WithThread<V, R> = R extends true ? Promise<V> : V;

/** What a call gives: the result, wrapped as the options ask. */
export type CallResult<T, E, R> = WithThread<WithErrno<ResultOf<T>, E>, R>;

/** Options of a call that are the same in `load` and `define`. */
interface CallOptions<E, R> {
  /** `true`: the result is an {@link ErrnoResult}. */
  errno?: E;
  /** `true`: the call is made on a thread of libuv's pool and the result is a Promise. */
  runInNewThread?: R;
  /**
   * `true`: frees what C returned after it has been copied: the string, the array block (and its
   * strings), the struct with its strings, arrays and nested pointers. Only for memory that C
   * took from `malloc` and gave up. Scalars and externals are left alone. Default false.
   */
  freeResultMemory?: boolean;
}

/** What {@link load} takes. */
export interface FFIParams<
  T extends FieldType,
  E extends boolean | undefined = undefined,
  R extends boolean | undefined = undefined,
  P extends FieldTypes = FieldType[],
> extends CallOptions<E, R> {
  /** Key of an opened library. */
  library: string;
  /** Symbol to call. */
  funcName: string;
  /** Type of the result. */
  retType: T;
  /** Types of the parameters. A bare array type stands for an array of the value's length. */
  paramsType: P;
  /** As many values as types. */
  paramsValue: P extends FieldType[]
    ? FieldType[] extends P
      ? unknown[]
      : ValuesOf<P>
    : ValuesOf<P>;
}

/** One entry of {@link define}: what {@link load} takes without name and values. */
export interface FunctionDefinition extends CallOptions<boolean | undefined, boolean | undefined> {
  library: string;
  retType: FieldType;
  paramsType: FieldTypes;
  /** Ignored: the key of the entry names the symbol. */
  funcName?: string;
}

/** The function that {@link define} makes of an entry; it takes one array of values. */
export type DefinedFunction<D extends FunctionDefinition> = (
  paramsValue?: ValuesOf<D['paramsType']>,
) => CallResult<
  D['retType'],
  D extends { errno: infer E } ? E : undefined,
  D extends { runInNewThread: infer R } ? R : undefined
>;

/**
 * Opens a library under a key.
 *
 * Opening a key again does nothing, whatever the path. Keys are shared by all threads of the
 * process. Symbols of a library do not become visible to others.
 *
 * @throws code `Unknown` with the loader's text when the library cannot be opened; `InvalidArg`
 * or `StringExpected` when a field is missing or no string.
 */
export declare function open(params: OpenParams): void;

/**
 * Closes the library of a key; an unknown key is ignored. Calls that still run on other threads
 * keep it loaded until they end; later calls throw until the key is opened again.
 *
 * @throws code `StringExpected` when the key is no string.
 */
export declare function close(library: string): void;

/**
 * Calls a C function.
 *
 * @example
 * ```ts
 * open({ library: 'libc', path: '' });
 * load({
 *   library: 'libc',
 *   funcName: 'strlen',
 *   retType: DataType.I64,
 *   paramsType: [DataType.String],
 *   paramsValue: ['hello'],
 * }); // 5
 * ```
 *
 * @returns the result; `{ errnoCode, errnoMessage, value }` with `errno: true`; a Promise of
 * either with `runInNewThread: true`. C's NULL for a string, array or struct pointer is `null`.
 * @throws code `Unknown`: `Before calling load, you need to open the file "KEY" with the open
 * method`, `Cannot find "NAME" function in shared library`, `params_type length is not equal with
 * params_value length`, or a `retType` that is neither number nor object. `InvalidArg` for a
 * missing field. Codes of a wrong value or type are listed at the top of this file. With
 * `runInNewThread`, these are thrown at once; only a failure to read the result rejects.
 */
export declare function load<
  T extends FieldType,
  E extends boolean | undefined = undefined,
  R extends boolean | undefined = undefined,
  P extends FieldTypes = FieldType[],
>(params: FFIParams<T, E, R, P>): CallResult<T, E, R>;

/**
 * Makes functions of a table of definitions; the key is the symbol. Nothing is looked up before
 * the first call. Each function takes one array of values: `add([1, 2])`.
 *
 * @throws nothing of its own but a TypeError for `null`; the functions throw as {@link load}.
 */
export declare function define<T extends Record<string, FunctionDefinition>>(
  functions?: T,
): { [K in keyof T]: DefinedFunction<T[K]> };

/**
 * Writes values to native memory, one cell per value, and returns their addresses.
 *
 * A cell of a scalar or `StackStruct` holds the value itself; one of a string, array, function or
 * untagged struct holds the pointer to it ({@link unwrapPointer} gives that pointer). The memory
 * lives until {@link freePointer}. A Buffer that is pointed to is kept alive as long.
 *
 * @throws codes as {@link load} for values and types.
 */
export declare function createPointer<P extends FieldTypes>(params: {
  paramsType: P;
  paramsValue: ValuesOf<P>;
}): JsExternal[];

/** The array of {@link restorePointer}, with a type of its own for each position. */
export type RestoredValues<P extends FieldTypes> = ResultOf<P[number]>[] & {
  [I in Extract<keyof P, `${number}`>]: ResultOf<P[I]>;
};

/**
 * Reads values from cells, such as {@link createPointer} made. A pointer that C returned must go
 * through {@link wrapPointer} first for strings, arrays and untagged structs. Everything is
 * copied. Pairs are formed up to the shorter of the two lists.
 *
 * @throws `ERR_FFI_INVALID_TYPE` for a bad type, a coded Error for what is no external or a null
 * cell.
 */
export declare function restorePointer<P extends FieldTypes>(params: {
  retType: P;
  paramsValue: readonly JsExternal[];
}): RestoredValues<P>;
export declare function restorePointer<T extends FieldType>(params: {
  retType: T[];
  paramsValue: readonly JsExternal[];
}): ResultOf<T>[];

/**
 * Reads one pointer at each address.
 * @throws a coded Error for what is no external, or the null pointer.
 */
export declare function unwrapPointer(pointers: readonly JsExternal[]): JsExternal[];

/**
 * Makes a new cell for each address that holds it: the inverse of {@link unwrapPointer}. Cells
 * live until {@link freePointer}.
 * @throws a coded Error for what is no external.
 */
export declare function wrapPointer(pointers: readonly JsExternal[]): JsExternal[];

/**
 * Releases memory: what {@link createPointer} made (`RsPointer`), or what C took from `malloc`
 * (`CPointer`). The types must be those that the memory has; callbacks end here as well.
 * @throws `InvalidArg` without a `pointerType` and for what is no external;
 * `ERR_FFI_INVALID_POINTER` for memory that is not from `createPointer` or was freed before.
 */
export declare function freePointer(params: {
  paramsType: readonly FieldType[];
  paramsValue: readonly JsExternal[];
  pointerType: PointerType;
}): void;

/**
 * Tells whether the address is NULL.
 * @throws a coded Error for what is no external.
 */
export declare function isNullPointer(pointer: JsExternal): boolean;

/**
 * A Buffer over `byteLength` bytes of native memory: no copy, no ownership. The memory must
 * outlive the Buffer. 0 gives an empty Buffer.
 * @throws `GenericFailure` for the null pointer, `ERR_BUFFER_TOO_LARGE` for a negative length or
 * one beyond the limits of the engine, `NumberExpected` when the length is no number.
 */
export declare function createExternalBuffer(pointer: JsExternal, byteLength: number): Buffer;

/** An array descriptor as {@link arrayConstructor} returns it. */
export type ArrayDescriptorOf<O extends ArrayConstructorOptions> = {
  -readonly [K in keyof O as Exclude<K, 'ffiTypeTag'>]: O[K];
} & {
  ffiTypeTag: O extends { ffiTypeTag: infer G extends FFITypeTag | DataType } ? G : DataType.Array;
};

/**
 * Describes an array: `arrayConstructor({ type: DataType.I32Array, length: 3 })`. Returns a copy
 * of the options with the tag `Array`, unless they have one.
 */
export declare function arrayConstructor<O extends ArrayConstructorOptions>(
  options: O,
): ArrayDescriptorOf<O>;

/** A function descriptor as {@link funcConstructor} returns it. */
export type FunctionDescriptor<P extends readonly FieldType[], T extends FieldType> = {
  paramsType: { -readonly [I in keyof P]: P[I] };
  retType: T;
  needFree: boolean;
  freeCFuncParamsMemory: boolean;
  ffiTypeTag: DataType.Function;
};

/** Options of {@link funcConstructor} but for the result. */
interface FunctionOptions<P extends readonly FieldType[]> {
  // Spread, so that a list is a tuple whatever the surroundings expect.
  paramsType: readonly [...P];
  needFree?: boolean;
  freeCFuncParamsMemory?: boolean;
  ffiTypeTag?: FFITypeTag | DataType;
}

/**
 * Describes a C function that JavaScript implements. Give it to {@link createPointer} or as a
 * parameter type. Without `retType` the function returns nothing.
 */
export declare function funcConstructor<P extends readonly FieldType[], T extends FieldType>(
  options: FunctionOptions<P> & { retType: T },
): FunctionDescriptor<P, T>;
export declare function funcConstructor<P extends readonly FieldType[]>(
  options: FunctionOptions<P>,
): FunctionDescriptor<P, DataType.Void>;
