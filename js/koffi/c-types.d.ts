/**
 * C types at the level of TypeScript: what a type string or a prototype means for the values that
 * go in and come out. `index.d.ts` builds on these; programs seldom need them by name.
 *
 * A C type is a {@link Shape}: `in` is what JavaScript may give, `out` is what it gets, `kind` says
 * how a pointer to it behaves, and `array` is what a list of it reads as.
 */

import type { NamedTypes, TypeObject, UnionObject } from './index.js';

/** Memory that C gets the address of, without a copy. */
export type Memory = ArrayBufferView | ArrayBuffer;

/** An address as JavaScript may give it; `null` and `undefined` are NULL. */
export type Address = bigint | number | null | undefined;

declare const cast: unique symbol;

/** A value with the C type that it is to be taken as, made by `as`. */
export interface Cast<T = unknown> {
  readonly [cast]: T;
}

export type Kind =
  | 'void'
  | 'number'
  | 'integer'
  | 'character'
  | 'boolean'
  | 'string'
  | 'record'
  | 'union'
  | 'prototype'
  | 'pointer'
  | 'array'
  | 'unknown';

/** What a C type means in JavaScript. */
export interface Shape<In = any, Out = any, K extends Kind = Kind, List = any> {
  in: In;
  out: Out;
  kind: K;
  array: List;
}

/** A type that cannot be known here, for instance a name that was given at run time. */
export type Unknown = Shape<any, any, 'unknown', any>;

type Numeric = number | bigint;
type Small<List> = Shape<Numeric, number, 'number', List>;
/** Signed integers up to 32 bits: strings may stand for a list of them. */
type Signed<List> = Shape<Numeric, number, 'integer', List>;
type Character = Shape<Numeric, number, 'character', string>;
type Wide<List> = Shape<Numeric, Numeric, 'number', List>;
type Text = Shape<TextIn, string | null, 'string', (string | null)[]>;
type TextIn = string | Memory | Address | readonly Numeric[] | readonly [string] | Cast;

/** The primitive types and their aliases, by every name that they have. */
export interface Primitives {
  void: Shape<never, undefined, 'void', never>;
  bool: Shape<boolean, boolean, 'boolean', boolean[]>;
  int8_t: Signed<Int8Array>;
  int8: Signed<Int8Array>;
  uint8_t: Small<Uint8Array>;
  uint8: Small<Uint8Array>;
  char: Character;
  'unsigned char': Small<Uint8Array>;
  uchar: Small<Uint8Array>;
  char16_t: Character;
  char16: Character;
  char32_t: Character;
  char32: Character;
  wchar_t: Character;
  wchar: Character;
  int16_t: Signed<Int16Array>;
  int16: Signed<Int16Array>;
  uint16_t: Small<Uint16Array>;
  uint16: Small<Uint16Array>;
  short: Signed<Int16Array>;
  'unsigned short': Small<Uint16Array>;
  ushort: Small<Uint16Array>;
  int32_t: Signed<Int32Array>;
  int32: Signed<Int32Array>;
  uint32_t: Small<Uint32Array>;
  uint32: Small<Uint32Array>;
  int: Signed<Int32Array>;
  'unsigned int': Small<Uint32Array>;
  uint: Small<Uint32Array>;
  int64_t: Wide<BigInt64Array>;
  int64: Wide<BigInt64Array>;
  uint64_t: Wide<BigUint64Array>;
  uint64: Wide<BigUint64Array>;
  long: Wide<BigInt64Array | Int32Array>;
  'unsigned long': Wide<BigUint64Array | Uint32Array>;
  ulong: Wide<BigUint64Array | Uint32Array>;
  'long long': Wide<BigInt64Array>;
  longlong: Wide<BigInt64Array>;
  'unsigned long long': Wide<BigUint64Array>;
  ulonglong: Wide<BigUint64Array>;
  intptr_t: Wide<BigInt64Array | Int32Array>;
  intptr: Wide<BigInt64Array | Int32Array>;
  uintptr_t: Wide<BigUint64Array | Uint32Array>;
  uintptr: Wide<BigUint64Array | Uint32Array>;
  size_t: Wide<BigUint64Array | Uint32Array>;
  float: Small<Float32Array>;
  float32: Small<Float32Array>;
  double: Small<Float64Array>;
  float64: Small<Float64Array>;
  int16_le_t: Small<Int16Array>;
  int16_le: Small<Int16Array>;
  int16_be_t: Small<Int16Array>;
  int16_be: Small<Int16Array>;
  uint16_le_t: Small<Uint16Array>;
  uint16_le: Small<Uint16Array>;
  uint16_be_t: Small<Uint16Array>;
  uint16_be: Small<Uint16Array>;
  int32_le_t: Small<Int32Array>;
  int32_le: Small<Int32Array>;
  int32_be_t: Small<Int32Array>;
  int32_be: Small<Int32Array>;
  uint32_le_t: Small<Uint32Array>;
  uint32_le: Small<Uint32Array>;
  uint32_be_t: Small<Uint32Array>;
  uint32_be: Small<Uint32Array>;
  int64_le_t: Wide<BigInt64Array>;
  int64_le: Wide<BigInt64Array>;
  int64_be_t: Wide<BigInt64Array>;
  int64_be: Wide<BigInt64Array>;
  uint64_le_t: Wide<BigUint64Array>;
  uint64_le: Wide<BigUint64Array>;
  uint64_be_t: Wide<BigUint64Array>;
  uint64_be: Wide<BigUint64Array>;
  str: Text;
  string: Text;
  str16: Text;
  string16: Text;
  str32: Text;
  string32: Text;
  wstring: Text;
}

// ---- Derived types ----

/** A list for C to read. */
type ListIn<S extends Shape> = S['kind'] extends 'integer' | 'character'
  ? readonly Numeric[] | string | readonly [string]
  : S['kind'] extends 'void'
    ? string | readonly [string]
    : S['kind'] extends 'record' | 'union'
      ? S['in'] | readonly S['in'][]
      : S['kind'] extends 'prototype'
        ? S['in']
        : readonly S['in'][];

/** A pointer to `S`. */
export type PointerTo<S extends Shape> = S['kind'] extends 'unknown'
  ? Shape<any, any, 'pointer', any[]>
  : S['kind'] extends 'character'
    ? Shape<Address | Memory | Cast | ListIn<S>, string | null, 'string', (string | null)[]>
    : Shape<Address | Memory | Cast | ListIn<S>, bigint | null, 'pointer', (bigint | null)[]>;

/** A fixed array of `S`, as it is read by default. */
export type ArrayOf<S extends Shape> = Shape<ArrayIn<S>, S['array'], 'array', S['array'][]>;

/** What an array member takes. */
export type ArrayIn<S extends Shape> =
  | readonly S['in'][]
  | Memory
  | (S['kind'] extends 'character' | 'integer' ? string : never);

/** What a parameter that C writes takes: places for the values. */
export type OutParameter<S extends Shape> = S['kind'] extends 'unknown'
  ? any
  : Memory | Address | Cast | unknown[] | OutObject<S>;
type OutObject<S extends Shape> = S extends { pointee: infer P extends Shape }
  ? P['kind'] extends 'record' | 'union'
    ? object
    : never
  : Extract<S['in'], object>;

// ---- Type strings ----

type Blank = ' ' | '\t' | '\n' | '\r' | '\v' | '\f';
type Mark = '*' | '!' | '[' | ']' | ';';

/** The words and marks of a piece of C. */
type Tokens<
  S extends string,
  Word extends string = '',
  Done extends string[] = [],
> = S extends `${infer C}${infer Rest}`
  ? C extends Blank
    ? Tokens<Rest, '', Add<Done, Word>>
    : C extends Mark
      ? Tokens<Rest, '', [...Add<Done, Word>, C]>
      : Tokens<Rest, `${Word}${C}`, Done>
  : Add<Done, Word>;

type Add<Done extends string[], Word extends string> = Word extends '' ? Done : [...Done, Word];

type Join<Words extends string[], Done extends string = ''> = Words extends [
  infer W extends string,
  ...infer Rest extends string[],
]
  ? Join<Rest, Done extends '' ? W : `${Done} ${W}`>
  : Done;

type Lookup<Name extends string> = Name extends keyof Primitives
  ? Primitives[Name]
  : Name extends keyof NamedTypes
    ? ShapeOf<NamedTypes[Name]>
    : Unknown;

/** The longest run of words from the left that names a type. */
type Longest<Words extends string[]> = Words extends []
  ? Unknown
  : Lookup<Join<Words>> extends infer S extends Shape
    ? S['kind'] extends 'unknown'
      ? Words extends [...infer Fewer extends string[], string]
        ? Longest<Fewer>
        : Unknown
      : S
    : Unknown;

/** Words up to the first mark, then the marks. */
type Named<T extends string[], Words extends string[] = []> = T extends [
  infer H extends string,
  ...infer Rest extends string[],
]
  ? H extends Mark
    ? Suffixed<Longest<Words>, T>
    : H extends 'const'
      ? Named<Rest, Words>
      : Named<Rest, [...Words, H]>
  : Longest<Words>;

type Suffixed<S extends Shape, T extends string[]> = T extends ['*', ...infer Rest extends string[]]
  ? Suffixed<PointerTo<S>, Rest>
  : T extends ['!' | 'const', ...infer Rest extends string[]]
    ? Suffixed<S, Rest>
    : T extends ['[', string, ']', ...infer Rest extends string[]]
      ? Suffixed<ArrayOf<S>, Rest>
      : S;

type Direction = '_In_' | '_Out_' | '_Inout_';

/** A type string, or the type of a parameter with its name. */
export type Parsed<S extends string> = string extends S
  ? Unknown
  : Tokens<S> extends infer T extends string[]
    ? T extends [Direction, ...infer Rest extends string[]]
      ? Named<Rest>
      : Named<T>
    : Unknown;

// ---- Types as programs give them ----

/** A type: a string, a type object, or a direction marker. */
export type TypeSpec = string | TypeObject<any> | Marked<any>;

declare const marked: unique symbol;

/** A pointer type with a direction, made by `in`, `out` and `inout`. */
export interface Marked<S extends Shape = Shape, D extends Direction = Direction> {
  readonly [marked]: [S, D];
}

/** The shape of a type, however it is given. */
export type ShapeOf<T> = 0 extends 1 & T
  ? Unknown
  : T extends string
    ? Parsed<T>
    : T extends TypeObject<infer S>
      ? S
      : T extends Marked<infer S>
        ? S
        : Unknown;

/** What JavaScript gives for a value of type `T`. */
export type In<T> = ShapeOf<T>['in'];
/** What JavaScript gets for a value of type `T`. */
export type Out<T> = ShapeOf<T>['out'];

/** What a parameter takes: its direction counts. */
export type Parameter<T> = T extends `${string}_Out_${string}`
  ? OutParameter<ShapeOf<T>>
  : T extends `${string}_Inout_${string}`
    ? Exclude<ShapeOf<T>['in'], string>
    : T extends Marked<infer S, infer D>
      ? D extends '_Out_'
        ? OutParameter<S>
        : D extends '_Inout_'
          ? Exclude<S['in'], string>
          : S['in']
      : In<T>;

// ---- Records ----

type Members = Readonly<Record<string, MemberSpec>>;
/** A member: its type, or alignment (bytes: 1, 2, 4, 8) and type. */
export type MemberSpec = TypeSpec | readonly [align: number, type: TypeSpec];
type MemberType<M> = M extends readonly [number, infer T] ? T : M;

type Flat<T> = { [K in keyof T]: T[K] };

/** A struct with these members: all of them come out, none of them has to go in. */
export type RecordShape<M extends Members> = Shape<
  { readonly [K in keyof M as Exclude<K, '_'>]?: In<MemberType<M[K]>> | undefined },
  Flat<{ -readonly [K in keyof M as Exclude<K, '_'>]: Out<MemberType<M[K]>> }>,
  'record',
  Flat<{ -readonly [K in keyof M as Exclude<K, '_'>]: Out<MemberType<M[K]>> }>[]
>;

/** A union of these members: one of them goes in, each of them can be read. */
export type UnionShape<M extends Members> = Shape<
  | { [K in keyof M]: { readonly [P in K]: In<MemberType<M[P]>> } }[keyof M]
  | UnionObject<{ -readonly [K in keyof M]: Out<MemberType<M[K]>> }>,
  UnionObject<{ -readonly [K in keyof M]: Out<MemberType<M[K]>> }>,
  'union',
  UnionObject<{ -readonly [K in keyof M]: Out<MemberType<M[K]>> }>[]
>;

// ---- Prototypes ----

type Split<S extends string, Done extends string[] = []> = S extends `${infer One},${infer Rest}`
  ? Split<Rest, [...Done, One]>
  : [...Done, S];

type IsBlank<S extends string> = Tokens<S> extends [] | ['void'] ? true : false;

/** The parameters of a list of types, as the arguments of a call. */
export type Arguments<
  L extends readonly unknown[],
  Done extends unknown[] = [],
> = L extends readonly [infer One, ...infer Rest]
  ? One extends '...' | ` ...${string}` | `...${string}`
    ? [...Done, ...any[]]
    : Arguments<Rest, [...Done, Parameter<One>]>
  : number extends L['length']
    ? any[]
    : Done;

/** The same list, as what a callback is given. */
export type CallbackArguments<
  L extends readonly unknown[],
  Done extends unknown[] = [],
> = L extends readonly [infer One, ...infer Rest]
  ? CallbackArguments<Rest, [...Done, CallbackArgument<One>]>
  : number extends L['length']
    ? any[]
    : Done;
/** Strings come as strings, other pointers as addresses. */
type CallbackArgument<T> = Out<T>;

/** What JavaScript may return to C: nothing where nothing is expected. */
export type CallbackResult<T> = ShapeOf<T>['kind'] extends 'void' ? unknown : In<T>;

/** A C function for TypeScript. */
export interface Signature<A extends unknown[] = any[], R = any, C = (...args: any[]) => any> {
  args: A;
  result: R;
  /** The same, as a JavaScript function that C calls. */
  callback: C;
}

/** A prototype such as `'int add(int a, int b)'`. */
export type Prototype<S extends string> = string extends S
  ? Signature
  : S extends `${infer Head}(${infer Rest}`
    ? Rest extends `${infer List})${string}`
      ? FromLists<Head, IsBlank<List> extends true ? [] : Split<List>>
      : Signature
    : Signature;

/** A result type and a list of parameter types. */
export type FromLists<R, L extends readonly unknown[]> = Signature<
  Arguments<L>,
  Out<R>,
  (...args: CallbackArguments<L>) => CallbackResult<R>
>;

/** The type object of a prototype: of use behind a pointer. */
export type PrototypeShape<S extends Signature> = Shape<
  S['callback'],
  never,
  'prototype',
  never
> & {
  signature: S;
};
/** The signature in a type, or one that takes and gives anything. */
export type SignatureOf<T> =
  ShapeOf<T> extends { signature: infer S extends Signature } ? S : Signature;
