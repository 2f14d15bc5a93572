// Prototypes and types given as literals: what functions take and give.
import koffi, * as names from 'ffi-jit/koffi';
import type { KoffiFunction, TypeObject } from 'ffi-jit/koffi';
import { promisify } from 'node:util';
import { check, is, type Same } from './expect.js';

const lib = koffi.load('libx.so');
type Numeric = number | bigint;

// Scalars.
const add = lib.func('int add(int a, int b)');
check<Same<Parameters<typeof add>, [Numeric, Numeric]>>(true);
is<number>()(add(1, 2n));
is<number>()(lib.func('unsigned int f(unsigned   int, const unsigned char c)')(1, 2));
is<number>()(lib.func('float f(double x);')(1));
is<boolean>()(lib.func('bool f(bool)')(true));
is<undefined>()(lib.func('void f()')());
is<undefined>()(lib.func('void f(void)')());
is<Numeric>()(lib.func('int64_t f()')());
is<Numeric>()(lib.func('unsigned long long f(unsigned long long big)')(5n));
is<Numeric>()(lib.func('size_t strlen(const char *)')('text'));
is<number>()(lib.func('  int\n\t__stdcall  f ( int  a ) ; ')(1));
// @ts-expect-error a string is no int
add('1', 2);
// @ts-expect-error one argument is missing
add(1);
// @ts-expect-error a number is no bool
lib.func('bool f(bool)')(1);
// @ts-expect-error a boolean is no double
lib.func('double f(double)')(true);
// @ts-expect-error the result is no string
const wrong: string = add(1, 2);

// Strings and pointers.
is<string | null>()(lib.func('const char *f(const char *)')('x'));
is<string | null>()(lib.func('char *! f(str)')(null));
is<string | null>()(lib.func('char16_t *f(str16)')(Buffer.alloc(2)));
is<bigint | null>()(lib.func('void *f(void *p)')(5n));
is<bigint | null>()(lib.func('int *const f(int **)')([[1, 2], new Int32Array(2), null]));
lib.func('void f(const int *p)')([1, 2n]);
lib.func('void f(const int *p)')(new Uint8Array(4));
lib.func('void f(const int *p)')(null);
lib.func('void f(const char **p)')(['a', null]);
lib.func('void f(const void *p)')(koffi.as([1, 2], 'int *'));
// @ts-expect-error a boolean is no pointer
lib.func('void f(int *p)')(true);
// @ts-expect-error strings are no doubles
lib.func('void f(double *p)')(['1']);
// @ts-expect-error void * takes no numbers without a cast
lib.func('void f(void *p)')([1, 2]);
// @ts-expect-error booleans are no ints
koffi.as([true], 'int *');

// Directions.
lib.func('void f(_Out_ int *p)')([null]);
lib.func('void f(_Out_ char **p)')([null]);
lib.func('void f(_Out_ char *p)')(['\0'.repeat(8)]);
lib.func('void f(_Inout_ int *p)')([1]);
lib.func('void f(_Out_ int *p)')(new Int32Array(1));
// @ts-expect-error a plain string cannot be written
lib.func('void f(_Out_ char *p)')('text');
// @ts-expect-error a plain string cannot be written
lib.func('void f(_Inout_ char *p)')('text');
lib.func('f', 'void', [koffi.out('int *'), koffi.inout(koffi.pointer('double')), koffi.in('str')])(
  [null],
  [1],
  'x',
);

// Variadics.
const printf = lib.func('int printf(const char *format, ...)');
is<number>()(printf('%d %s', 'int', 5, 'str', 'x'));
// @ts-expect-error the format is missing
printf();
// @ts-expect-error variadic functions are synchronous only
printf.async;

// Asynchronous.
add.async(1, 2, (error, result) => {
  is<Error | null>()(error);
  is<number>()(result);
});
// @ts-expect-error no callback
add.async(1, 2);
const later = promisify(add.async);
later(1, 2).then((result) => is<number>()(result));

// Classic form.
const classic = lib.func('add', 'int', ['int', koffi.types.double]);
check<Same<Parameters<typeof classic>, [Numeric, Numeric]>>(true);
is<number>()(classic(1, 2));
is<number>()(lib.func('__stdcall', 'add', 'int', ['str', '...'])('x', 'int', 5));
is<string | null>()(lib.func('name', 'str', [])());

// What is only known at run time.
declare const prototype: string;
const anything = lib.func(prototype);
is<KoffiFunction<any[], any>>()(anything);
anything(1, 'x', {});
is<any>()(lib.func('Unheard_of f(Unheard_of *p, int n)')({}, 1));

// Structs.
const Point = koffi.struct('Point', { x: 'int', y: 'double', _: 'uint8_t' });
const Line = koffi.struct({
  from: Point,
  to: [8, Point],
  label: 'str',
  n: 'int[3]',
  big: 'int64_t',
  next: 'void *',
});
const makePoint = lib.func('make_point', Point, ['int', 'double']);
is<{ x: number; y: number }>()(makePoint(1, 2));
const move = lib.func('move', Line, [Line, koffi.pointer(Point), koffi.out(koffi.pointer(Point))]);
const line = move({ from: { x: 1n } }, { x: 1, y: 2 }, {});
is<{ x: number; y: number }>()(line.from);
is<string | null>()(line.label);
is<Int32Array>()(line.n);
is<Numeric>()(line.big);
is<bigint | null>()(line.next);
lib.func('sum', 'double', [koffi.pointer(Point), 'int'])([{ x: 1, y: 2 }, {}], 2);
// @ts-expect-error no such member
line.missing;
// @ts-expect-error a member of the wrong type
move({ from: { x: '1' } }, null, {});
// @ts-expect-error no member of that name
makePoint(1, 2).z;
// @ts-expect-error types are strings or type objects
koffi.struct({ x: 5 });

// Names that a program makes known.
declare module 'ffi-jit/koffi' {
  interface NamedTypes {
    Point: typeof Point;
    Compare: typeof Compare;
  }
}
is<{ x: number; y: number }>()(
  lib.func('Point f(Point a, const Point *list, int n)')({ x: 1 }, [{ y: 1 }], 1),
);
// @ts-expect-error a member of the wrong type, known through the name
lib.func('void f(Point a)')({ x: true });

// Unions.
const Any = koffi.union({ i: 'int', f: 'float', s: 'str' });
const echo = lib.func('echo', Any, [Any]);
is<number>()(echo({ f: 1 }).i);
is<string | null>()(echo({ i: 1 }).s);
const made = new koffi.Union(Any);
made.i = 5;
echo(made);
// @ts-expect-error no such member
echo({ q: 1 });

// Arrays and hints.
is<Float64Array>()(koffi.decode(1n, koffi.array('double', 3)));
is<number[]>()(koffi.decode(1n, koffi.array('double', 3, 'Array')));
is<Buffer>()(koffi.decode(1n, koffi.array('uint8_t', 3, 'Buffer')));
is<string>()(koffi.decode(1n, koffi.array('char', 3)));
is<string>()(koffi.decode(1n, 'char[32]'));
is<Int32Array[]>()(koffi.decode(1n, 'int[3][2]'));
// @ts-expect-error no such hint
koffi.array('int', 3, 'List');

// Callbacks.
const Compare = koffi.proto('int Compare(const void *a, const void *b)');
const sort = lib.func('sort', 'void', ['void *', koffi.pointer(Compare)]);
sort(null, (a, b) => {
  is<bigint | null>()(a);
  return koffi.decode.int(a) - koffi.decode.int(b);
});
const registered = koffi.register((a, b) => (a === b ? 0 : 1), koffi.pointer(Compare));
is<bigint>()(registered);
sort(null, registered);
koffi.unregister(registered);
lib.func('void f(Compare *order)')((a, b) => Number(a) - Number(b));
// @ts-expect-error the result is no int
sort(null, () => 'text');
// @ts-expect-error the result is no int
koffi.register(() => 'text', koffi.pointer(Compare));
koffi.register((anyArguments) => anyArguments, 'Unheard_of *');
is<number>()(koffi.call(1n, Compare, null, 5n));
const found = koffi.decode(1n, Compare);
is<number>()(found(null, null));

// Memory.
is<number>()(koffi.decode(Buffer.alloc(4), 'int'));
is<number>()(koffi.decode(Buffer.alloc(4), 2, 'int'));
is<Int32Array>()(koffi.decode(1n, 'int', 3));
is<string>()(koffi.decode(1n, 4, 'char', -1));
is<{ x: number; y: number }[]>()(koffi.decode(1n, Point, 2));
is<string | null>()(koffi.decode.string(1n));
is<number>()(koffi.decode.uint16be(1n));
is<Numeric>()(koffi.decode.ulong(1n));
koffi.encode(1n, 'int', 5);
koffi.encode(1n, 8, Point, { x: 1 });
koffi.encode(1n, 'char', 'text', 16);
is<ArrayBuffer>()(koffi.view(1n, 5));
is<bigint>()(koffi.alloc(Point, 2));
is<bigint>()(koffi.address(new Uint8Array(1)));
// @ts-expect-error a string is no int
koffi.encode(1n, 'int', 'x');
// @ts-expect-error no such reader
koffi.decode.int128(1n);

// Type objects.
const unknownType: TypeObject = koffi.type(prototype);
const members = koffi.introspect(Point).members;
is<number | undefined>()(members?.x?.offset);
is<number>()(koffi.sizeof('int') + koffi.alignof(Point) + koffi.offsetof(Point, 'y'));
// @ts-expect-error frozen
Point.size = 5;
const Colour = koffi.enumeration('Colour', { RED: 1, GREEN: 2n });
is<1>()(Colour.values.RED);

// Settings.
koffi.config({ max_async_calls: 5 });
is<number>()(koffi.config().max_type_size);
// @ts-expect-error no such setting
koffi.config({ other: 5 });
is<number>()(koffi.errno(5) + koffi.stats().disposed + (koffi.os.errno.EPERM ?? 0));
const handle = koffi.node.poll(0, { readable: true }, (status, { readable }) =>
  is<boolean>()(readable && status === 0),
);
handle.unref();

// Both ways of importing are the same.
check<Same<typeof koffi.struct, typeof names.struct>>(true);
names.in('int *');
names.handle('H');
names.callback('int f()');
void [wrong, unknownType];
