// Programs as they are written for the published Koffi: they compile against its declarations and
// against ours, unchanged (js/test/koffi/types.test.js does both).
import koffi from 'koffi-under-test';

const lib = koffi.load('libc.so.6');
koffi.load(null, { lazy: true, global: false, deep: true });

// Functions in every form.
const printf = lib.func('int printf(const char *fmt, ...)');
printf('Integer %d, double %g, str %s', 'int', 6, 'double', 8.5, 'str', 'THE END');
const atoi = lib.func('int atoi(const char *str)');
console.log(atoi('1257') + 1);
const classic = lib.func('printf', 'int', ['str', '...']);
const messageBox = lib.func('__stdcall', 'MessageBoxA', 'int', ['void *', 'str', 'str', 'uint']);
messageBox(null, 'text', 'title', 0);
classic('%d', 'int', 5);
atoi.async('5', (error: unknown, result: number) => console.log(error, result + 1));
console.log(atoi.info.name, atoi.info.arguments.length, atoi.info.result);
const symbol = lib.symbol('environ', 'char **');
console.log(koffi.decode(symbol, 'char **'));

// Structs, out parameters.
const TimeVal = koffi.struct('TimeVal', { tv_sec: 'unsigned int', tv_usec: 'unsigned int' });
const TimeZone = koffi.struct('TimeZone', { tz_minuteswest: 'int', tz_dsttime: 'int' });
const gettimeofday = lib.func('int gettimeofday(_Out_ TimeVal *tv, _Out_ TimeZone *tz)');
const tv: any = {};
const tz: any = {};
gettimeofday(tv, tz);
const gmtime = lib.func('gmtime_r', 'void *', [
  koffi.pointer('int64_t'),
  koffi.out(koffi.pointer(TimeZone)),
]);
gmtime([5], tz);
const opened = [null];
lib.func('int open_it(const char *name, _Out_ void **handle)')('x', opened);
koffi.pack('Packed', { a: 'uint8_t', b: [4, 'int'] });
const value = koffi.union({ i: 'int', f: 'float' });
lib.func('take', 'void', [value])({ i: 5 });

// Types.
const Handle = koffi.pointer('HANDLE', koffi.opaque());
koffi.alias('DWORD', 'uint32_t');
koffi.array('int', 5, 'Typed');
koffi.struct('Counted', { len: 'int', values: koffi.array('int', 'len', 16) });
const freed = koffi.disposable('HeapStr', 'str', lib.func('void free(void *)'));
lib.func('strdup', freed, ['str'])('x');
koffi.enumeration('Colour', { RED: 1, GREEN: 2 });
console.log(
  koffi.sizeof(TimeVal),
  koffi.alignof('int'),
  koffi.offsetof(TimeVal, 'tv_usec'),
  koffi.types.int,
);
console.log(koffi.type(Handle).name, koffi.type('int').primitive, koffi.type(TimeVal).size);

// Callbacks.
const Compare = koffi.proto('int Compare(const void *a, const void *b)');
lib.func('void qsort(_Inout_ void *base, size_t count, size_t size, Compare *cb)')(
  koffi.as(['x', 'y'], 'char **'),
  2,
  8,
  (a: any, b: any) =>
    String(koffi.decode(a, 'char *')).length - String(koffi.decode(b, 'char *')).length,
);
const callback = koffi.register((a: any, b: any) => (a > b ? 1 : 0), koffi.pointer(Compare));
koffi.unregister(callback);

// Memory.
const memory = koffi.alloc('int', 4);
koffi.encode(memory, 'int', [1, 2, 3, 4], 4);
koffi.encode(memory, 4, 'int', 5);
const numbers: any = koffi.decode(memory, 'int', 4);
const number: any = koffi.decode(memory, 8, 'int');
const bytes: ArrayBuffer = koffi.view(memory, 16);
const address: bigint = koffi.address(memory);
koffi.free(memory);
koffi.call(callback, Compare, null, null);

// Settings.
const settings = koffi.config();
koffi.config({ max_async_calls: settings.max_async_calls });
console.log(
  koffi.stats().disposed,
  koffi.errno(),
  koffi.errno(koffi.os.errno.EINVAL),
  koffi.extension,
  koffi.version,
);
koffi.reset();
void [numbers, number, bytes, address];
