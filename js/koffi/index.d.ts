/**
 * ffi-jit with the API of Koffi: call C functions of any shared library, by their prototypes.
 *
 * Prototypes and types that are given as string literals, or as the objects made from them, are
 * understood by TypeScript: `lib.func('int add(int a, int b)')` takes two numbers or bigints and
 * gives a number. Names that only the running program knows mean `any`; {@link NamedTypes} makes
 * them known. What the C side really is cannot be checked: a wrong prototype is undefined behaviour
 * in C, whatever these types say.
 *
 * Sizes, alignments and offsets are in bytes. Errors are `TypeError` for values and types of the
 * wrong kind and `Error` for everything else, with Koffi's messages.
 *
 * Values, C to JavaScript: `bool` is a boolean; integers and floating point are numbers, 64-bit
 * integers beyond 2^53 bigints; `char *` and its relatives are strings, or `null` for NULL; other
 * pointers are addresses as bigints, or `null`; structs are plain objects; unions are
 * {@link UnionObject}s; arrays go by their hint. JavaScript to C: integers take numbers and bigints,
 * cut towards zero and reduced to their width; pointers take addresses, `null`, typed arrays and
 * Buffers (C gets their own memory), and arrays and objects, which are copied for the call.
 */

import type {
  Address,
  ArrayIn,
  ArrayOf,
  Cast,
  FromLists,
  In,
  Marked,
  MemberSpec,
  Memory,
  Out,
  PointerTo,
  Primitives,
  Prototype,
  PrototypeShape,
  RecordShape,
  Shape,
  ShapeOf,
  Signature,
  SignatureOf,
  TypeSpec,
  UnionShape,
  Unknown,
} from './c-types.js';
import type { Config, PollCallback, PollEvents, PollHandle } from './system.js';

export type { Config, PollCallback, PollEvents, PollHandle };
export type { Address, Cast, In, Marked, MemberSpec, Memory, Out, Prototype, Signature, TypeSpec };

/**
 * Names that a program gives to its types, for TypeScript to know them in prototypes:
 *
 * ```ts
 * const Point = koffi.struct('Point', { x: 'int', y: 'double' });
 * declare module 'ffi-jit/koffi' {
 *   interface NamedTypes {
 *     Point: typeof Point;
 *   }
 * }
 * const norm = lib.func('double norm(const Point *p)'); // takes { x?, y? }
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: programs add to it
export interface NamedTypes {}

// ---- Types ----

/** The machine's view of a type. `S` at the end means foreign byte order. */
export type PrimitiveKind =
  | 'Void'
  | 'Bool'
  | `${'Int' | 'UInt'}8`
  | `${'Int' | 'UInt'}${16 | 32 | 64}${'' | 'S'}`
  | 'String'
  | 'String16'
  | 'String32'
  | 'Pointer'
  | 'Callback'
  | 'Record'
  | 'Union'
  | 'Array'
  | 'Float32'
  | 'Float64'
  | 'Prototype';

/** How an array reads: a JavaScript array, a typed array, a Node Buffer, or text up to NUL. */
export type ArrayHint =
  | 'Array'
  | 'Typed'
  | 'Buffer'
  | 'String'
  | 'array'
  | 'typed'
  | 'buffer'
  | 'string';

/** A member of a struct or union. */
export interface Member {
  readonly name: string;
  readonly type: TypeObject;
  /** Bytes from the start. */
  readonly offset: number;
}

/** What a prototype says. */
export interface PrototypeInfo {
  readonly name: string;
  readonly arguments: readonly {
    readonly type: TypeObject;
    readonly direction: 'Input' | 'Output' | 'Input/Output';
  }[];
  readonly result: TypeObject;
}

declare const shape: unique symbol;

/** A C type. Frozen; the same type is always the same object. Made by the functions below. */
export declare class TypeObject<S extends Shape = any> {
  private constructor();
  /** For TypeScript only: what values of the type look like. */
  readonly [shape]: S;
  /** Its C name; `<anonymous_N>` if it was given none. */
  readonly name: string;
  readonly primitive: PrimitiveKind;
  /** Bytes; 0 for `void` and opaque types. */
  readonly size: number;
  /** Bytes; 0 for `void` and opaque types. */
  readonly alignment: number;
  /** Whether values are released after they were read. */
  readonly disposable: boolean;
  /** Arrays: how many elements. */
  readonly length?: number;
  /** Arrays: how they read. */
  readonly hint?: 'Array' | 'Typed' | 'Buffer' | 'String';
  /** Arrays and pointers: the type of an element. */
  readonly ref?: TypeObject;
  /** Structs and unions: the members in order, without padding. */
  readonly members?: Readonly<Record<string, Member>>;
  /** Prototypes and pointers to them. */
  readonly proto?: PrototypeInfo;
  /** Enumerations: the constants. */
  readonly values?: Readonly<Record<string, number | bigint>>;
}

/** The primitive types by name and alias, and the types of the program. */
export declare const types: {
  readonly [K in keyof Primitives]: TypeObject<Primitives[K]>;
} & { readonly [name: string]: TypeObject };

type Members = Readonly<Record<string, MemberSpec>>;
type NameOrType = string | null | undefined | TypeObject;

/**
 * Defines a struct; members are laid out as a C compiler does. A member is a type, or
 * `[alignment, type]` with 1, 2, 4 or 8 bytes; a member `_` is padding.
 *
 * @param name a name for prototypes, `null` for none, or an opaque type to fill in
 * @throws `Invalid type name 'x'`, `Duplicate type name 'x'`, `Empty type 'x' is not allowed in C`
 * @throws TypeError `Type X cannot be used as a member (maybe try X *)`
 */
export declare function struct<const M extends Members>(members: M): TypeObject<RecordShape<M>>;
export declare function struct<const M extends Members>(
  name: NameOrType,
  members: M,
): TypeObject<RecordShape<M>>;
/** The same without padding between members. */
export declare function pack<const M extends Members>(members: M): TypeObject<RecordShape<M>>;
export declare function pack<const M extends Members>(
  name: NameOrType,
  members: M,
): TypeObject<RecordShape<M>>;
/**
 * Defines a union.
 *
 * @throws TypeError `Cannot use dynamic-length array or pointer inside of union`
 */
export declare function union<const M extends Members>(members: M): TypeObject<UnionShape<M>>;
export declare function union<const M extends Members>(
  name: NameOrType,
  members: M,
): TypeObject<UnionShape<M>>;

/**
 * A value of a union: a property per member. One that came from C reads as any of them; one that
 * was set reads as what it was set to, and throws for the others.
 */
export type UnionObject<M = Record<string, any>> = M;

type UnionValue<T> = ShapeOf<T>['out'];

/** Makes an empty value of a union type, to be set through one of its members. */
export declare const Union: { new <T extends TypeSpec>(type: T): UnionValue<T> };

/**
 * Defines an enumeration: an integer that is wide enough for all values.
 *
 * @param storage an integer type to use instead
 * @throws TypeError `Expected integer type for underlying enum storage type`
 */
export declare function enumeration<const V extends Record<string, number | bigint>>(
  values: V,
  storage?: TypeSpec,
): TypeObject<Shape<number | bigint, number | bigint, 'number', any>> & { readonly values: V };
export declare function enumeration<const V extends Record<string, number | bigint>>(
  name: string | null | undefined,
  values: V,
  storage?: TypeSpec,
): TypeObject<Shape<number | bigint, number | bigint, 'number', any>> & { readonly values: V };

/** A type that is known by name alone, to be used behind pointers, or filled in later. */
export declare function opaque(name?: string | null): TypeObject<Unknown>;
export { opaque as handle };

/** Gives a type another name. @throws `Duplicate type name 'x'` */
export declare function alias<const T extends TypeSpec>(
  name: string,
  type: T,
): TypeObject<ShapeOf<T>>;

type Pointers<S extends Shape, N extends number> = N extends 2
  ? PointerTo<PointerTo<S>>
  : N extends 3
    ? PointerTo<PointerTo<PointerTo<S>>>
    : N extends 4
      ? PointerTo<PointerTo<PointerTo<PointerTo<S>>>>
      : PointerTo<S>;

/**
 * A pointer to a type; with a name, and with a count of indirections (1 to 4) or the name of the
 * sibling member that holds how many elements it points to.
 *
 * @throws TypeError `Value of count must be between 1 and 4`
 */
export declare function pointer<const T extends TypeSpec, const N extends number = 1>(
  type: T,
  count?: N,
): TypeObject<Pointers<ShapeOf<T>, N> & Pointee<T>>;
export declare function pointer<const T extends TypeSpec, const N extends number = 1>(
  name: string | null | undefined,
  type: T,
  count?: N,
): TypeObject<Pointers<ShapeOf<T>, N> & Pointee<T>>;
export declare function pointer<const T extends TypeSpec>(
  name: string | null | undefined,
  type: T,
  countedBy: string,
): TypeObject<Shape<ArrayIn<ShapeOf<T>> | Address, ArrayOf<ShapeOf<T>>['out'], 'array', any>>;

type Pointee<T> =
  ShapeOf<T> extends { signature: infer S extends Signature } ? { signature: S } : {};

type Hinted<S extends Shape, H> = H extends 'Array' | 'array'
  ? Shape<ArrayIn<S>, S['out'][], 'array', S['out'][][]>
  : H extends 'Buffer' | 'buffer'
    ? Shape<ArrayIn<S>, Buffer, 'array', Buffer[]>
    : H extends 'String' | 'string'
      ? Shape<ArrayIn<S> | string, string, 'array', string[]>
      : ArrayOf<S>;

/**
 * A fixed array, or one whose length is another member's value (then it is the last member, and
 * `maxLen` elements count for the size).
 *
 * @param length elements
 * @param hint how it reads: by default text for characters, a typed array for other numbers, a
 *   JavaScript array for everything else
 * @throws TypeError `Array length must be positive and non-zero`, `Array length is too high (max = N)`
 */
export declare function array<
  const T extends TypeSpec,
  const H extends ArrayHint | undefined = undefined,
>(type: T, length: number, hint?: H): TypeObject<Hinted<ShapeOf<T>, H>>;
export declare function array<
  const T extends TypeSpec,
  const H extends ArrayHint | undefined = undefined,
>(type: T, countedBy: string, maxLen: number, hint?: H): TypeObject<Hinted<ShapeOf<T>, H>>;

/**
 * A pointer or string type whose values are released after they were read: by `func`, which gets
 * the address, or by C's `free`.
 */
export declare function disposable<const T extends TypeSpec>(
  type: T,
  func?: ((pointer: bigint | null) => unknown) | undefined,
): TypeObject<ShapeOf<T>>;
export declare function disposable<const T extends TypeSpec>(
  name: string | null | undefined,
  type: T,
  func?: ((pointer: bigint | null) => unknown) | undefined,
): TypeObject<ShapeOf<T>>;

/** Calling conventions; they differ on 32-bit x86 only. */
export type Convention = '__cdecl' | '__stdcall' | '__fastcall' | '__thiscall';

/**
 * A function type, for callbacks and functions behind pointers: `'int Compare(int a, int b)'`, or
 * name, result and parameters. Used as a pointer: `'Compare *'`.
 */
export declare function proto<const S extends string>(
  prototype: S,
): TypeObject<PrototypeShape<Prototype<S>>>;
export declare function proto<const R extends TypeSpec, const P extends readonly TypeSpec[]>(
  result: R,
  parameters: P,
): TypeObject<PrototypeShape<FromLists<R, P>>>;
export declare function proto<const R extends TypeSpec, const P extends readonly TypeSpec[]>(
  name: string | null | undefined,
  result: R,
  parameters: P,
): TypeObject<PrototypeShape<FromLists<R, P>>>;
export declare function proto<const R extends TypeSpec, const P extends readonly TypeSpec[]>(
  convention: Convention,
  name: string | null | undefined,
  result: R,
  parameters: P,
): TypeObject<PrototypeShape<FromLists<R, P>>>;
export { proto as callback };

declare function input<const T extends TypeSpec>(type: T): Marked<ShapeOf<T>, '_In_'>;
/** Marks a parameter that C writes: `koffi.out('int *')`. @throws TypeError for no pointer */
export declare function out<const T extends TypeSpec>(type: T): Marked<ShapeOf<T>, '_Out_'>;
/** Marks a parameter that C reads and writes. @throws TypeError for no pointer */
export declare function inout<const T extends TypeSpec>(type: T): Marked<ShapeOf<T>, '_Inout_'>;
export { input as in };

/** The type object of a type string. @throws TypeError `Unknown or invalid type name 'x'` */
declare function typeOf<const T extends TypeSpec>(type: T): TypeObject<ShapeOf<T>>;
export { typeOf as introspect, typeOf as resolve, typeOf as type };

/** Bytes of a value; 0 for `void` and opaque types. */
export declare function sizeof(type: TypeSpec): number;
/** Alignment in bytes. */
export declare function alignof(type: TypeSpec): number;
/** Bytes from the start of a struct to a member. @throws TypeError for no struct or no such member */
export declare function offsetof(type: TypeSpec, member: string): number;

// ---- Libraries and functions ----

/** A function of C. */
export interface KoffiFunction<A extends unknown[] = any[], R = any> {
  /** @throws TypeError for missing arguments and values of the wrong kind */
  (...args: A): R;
  /**
   * Calls it on a worker thread. Arguments are taken now, results and out parameters are read
   * before `callback` runs, on this thread. An error of the arguments goes to `callback` at once.
   */
  async(...args: [...A, callback: (error: Error | null, result: R) => void]): void;
  /** The prototype. */
  readonly info: PrototypeInfo;
}

/** A variadic function: after the fixed arguments, pairs of a type and a value. */
export interface VariadicFunction<A extends unknown[] = any[], R = any> {
  (...args: A): R;
  readonly info: PrototypeInfo;
}

type Variadic<A extends unknown[]> = number extends A['length'] ? true : false;

/** The JavaScript function of a signature. */
export type FunctionOf<S extends Signature> = any[] extends S['args']
  ? KoffiFunction<any[], S['result']>
  : Variadic<S['args']> extends true
    ? VariadicFunction<S['args'], S['result']>
    : KoffiFunction<S['args'], S['result']>;

/** An open library. It stays loaded while it or a function of it is reachable. */
export declare class LibraryHandle {
  private constructor();
  /**
   * A function by its prototype, or by name, result and parameters.
   *
   * @throws `Cannot find function 'f' in shared library`; for prototypes `Unexpected token 'x', ...`,
   *   `Unknown or invalid type name 'x'`
   */
  func<const S extends string>(prototype: S): FunctionOf<Prototype<S>>;
  func<const R extends TypeSpec, const P extends readonly TypeSpec[]>(
    name: string | number,
    result: R,
    parameters: P,
  ): FunctionOf<FromLists<R, P>>;
  func<const R extends TypeSpec, const P extends readonly TypeSpec[]>(
    convention: Convention,
    name: string | number,
    result: R,
    parameters: P,
  ): FunctionOf<FromLists<R, P>>;
  /** @deprecated use {@link LibraryHandle.func} */
  cdecl: LibraryHandle['func'];
  /** @deprecated use {@link LibraryHandle.func} with `'__stdcall'` */
  stdcall: LibraryHandle['func'];
  /** @deprecated use {@link LibraryHandle.func} with `'__fastcall'` */
  fastcall: LibraryHandle['func'];
  /** @deprecated use {@link LibraryHandle.func} with `'__thiscall'` */
  thiscall: LibraryHandle['func'];
  /** The address of a variable or function. @throws `Cannot find symbol 'x' in shared library` */
  symbol(name: string, type?: TypeSpec): bigint;
  /** Closes the library at once; its functions throw from now on. */
  unload(): void;
  /** The same, for `using`. */
  [Symbol.dispose](): void;
}

/** How a library is opened. */
export interface LoadOptions {
  /** Resolve functions when they are first used. */
  lazy?: boolean | undefined;
  /** Offer its symbols to libraries loaded later. */
  global?: boolean | undefined;
  /** Prefer its own symbols over those of the process, where the system can. */
  deep?: boolean | undefined;
}

/**
 * Opens a library; `null` means the symbols of the process.
 *
 * @throws `Failed to load shared library: <reason>`
 */
export declare function load(path: string | null | undefined, options?: LoadOptions): LibraryHandle;

// ---- Callbacks ----

type CallbackOf<T> = SignatureOf<T> extends { callback: infer C } ? C : (...args: any[]) => any;

/**
 * Makes a function that C may call at any time, from any thread, until it is unregistered.
 *
 * @param type a pointer to a prototype: `'Compare *'`
 * @returns its address
 * @throws TypeError `Unexpected X type, expected <callback> * type`
 */
export declare function register<const T extends TypeSpec>(func: CallbackOf<T>, type: T): bigint;
/** @deprecated bind the function instead */
export declare function register<const T extends TypeSpec>(
  thisValue: unknown,
  func: (...args: any[]) => any,
  type: T,
): bigint;
/** Ends a registration. @throws `Could not find matching registered callback` */
export declare function unregister(callback: bigint): void;

// ---- Memory ----

/** What memory functions read and write: an address, or memory of JavaScript. */
export type Reference = Memory | bigint | number | null | undefined | Cast;

/** A value to be taken as another type than the parameter's: `koffi.as([1, 2], 'int *')`. */
export declare function as<const T extends TypeSpec>(value: In<T>, type: T): Cast<T>;
/** The address of memory, or the pointer itself; NULL is `0n`. */
export declare function address(value: Reference): bigint;

type ListOf<S extends Shape> = S['kind'] extends 'record' | 'union' ? S['out'][] : S['array'];
type Decoded<T> =
  SignatureOf<T> extends infer S extends Signature
    ? ShapeOf<T>['kind'] extends 'prototype'
      ? FunctionOf<S>
      : Out<T>
    : Out<T>;

interface Decode {
  /**
   * Reads a value of `type`, `offset` bytes into the memory; with a length, that many values.
   * A negative length reads up to the zero at the end (text, integers to 32 bits, pointers).
   *
   * @throws `Cannot encode data in NULL pointer`, `Offset must be >= 0`, `Expected buffer with size
   *   superior or equal to type T (N bytes)`
   */
  <const T extends TypeSpec>(reference: Reference, type: T): Decoded<T>;
  <const T extends TypeSpec>(reference: Reference, type: T, length: number): ListOf<ShapeOf<T>>;
  <const T extends TypeSpec>(reference: Reference, offset: number, type: T): Decoded<T>;
  <const T extends TypeSpec>(
    reference: Reference,
    offset: number,
    type: T,
    length: number,
  ): ListOf<ShapeOf<T>>;
}

/** A reader for one type. */
export type Reader<R> = (pointer: Reference) => R;
/** A reader of text: `length` in units, up to NUL without one. NULL is `null`. */
export type TextReader = (pointer: Reference, length?: number) => string | null;

type NarrowReaders = Record<
  | 'char'
  | 'uchar'
  | 'short'
  | 'ushort'
  | 'int'
  | 'uint'
  | 'float'
  | 'double'
  | `${'' | 'u'}int8`
  | `${'' | 'u'}int${16 | 32}${'' | 'le' | 'be'}`,
  Reader<number>
>;
type WideReaders = Record<
  'long' | 'ulong' | 'longlong' | 'ulonglong' | `${'' | 'u'}int64${'' | 'le' | 'be'}`,
  Reader<number | bigint>
>;
type TextReaders = Record<'string' | 'string16' | 'string32' | 'wstring', TextReader>;

/** Reads memory; its members are quick readers for single values. */
export declare const decode: Decode & Readonly<NarrowReaders & WideReaders & TextReaders>;

/**
 * Writes a value into memory; with a length, that many. Strings stay alive until the same place is
 * written again.
 *
 * @throws as {@link decode}; `Cannot encode non-registered callback` for a bare function
 */
export declare function encode<const T extends TypeSpec>(
  reference: Reference,
  type: T,
  value: In<T>,
): void;
export declare function encode<const T extends TypeSpec>(
  reference: Reference,
  type: T,
  value: string | Memory | readonly In<T>[],
  length: number,
): void;
export declare function encode<const T extends TypeSpec>(
  reference: Reference,
  offset: number,
  type: T,
  value: In<T>,
): void;
export declare function encode<const T extends TypeSpec>(
  reference: Reference,
  offset: number,
  type: T,
  value: string | Memory | readonly In<T>[],
  length: number,
): void;

/** `length` bytes of C's memory as an ArrayBuffer, without a copy: valid as long as the memory. */
export declare function view(pointer: Reference, length: number): ArrayBuffer;
/** Calls the function at an address. @throws TypeError for a type that is no prototype */
export declare function call<const T extends TypeSpec>(
  pointer: Reference,
  type: T,
  ...args: SignatureOf<T>['args']
): SignatureOf<T>['result'];
/** Zeroed memory for `count` values, to be given back with {@link free}. */
export declare function alloc(type: TypeSpec, count: number): bigint;
/** Frees memory of {@link alloc} or of C's `malloc`; `null` is fine. */
export declare function free(pointer: Reference): void;

// ---- Settings and the system ----

/**
 * Reads the settings, or sets some of them; on an error none is changed.
 *
 * @throws `Setting 'x' must be between A and B`, `Unexpected config member 'x'`, `Cannot change
 *   Koffi configuration once a library has been loaded`
 */
export declare function config(settings?: Partial<Config>): Config;
/** Released values so far, and callbacks in use. */
export declare function stats(): { disposed: number; callbacks: number };
/** `errno` as the last call left it; with a value, sets it. */
export declare function errno(value?: number): number;
/** Forgets all types of the program; their names are free again. */
export declare function reset(): void;

/** Codes of the system by name. */
export declare const os: { readonly errno: Readonly<Record<string, number>> };
/** `.so`, `.dylib` or `.dll`. */
export declare const extension: string;
/** The version of this package. */
export declare const version: string;

/** The event loop's side. */
export declare const node: {
  /** The `napi_env` of this thread. */
  readonly env: bigint;
  /** Watches a file descriptor. */
  poll(fd: number, callback: PollCallback): PollHandle;
  poll(fd: number, options: Partial<PollEvents>, callback: PollCallback): PollHandle;
  readonly PollHandle: typeof PollHandle;
};

declare const koffi: typeof import('./index.js');
export default koffi;
