'use strict';
// Type strings and prototypes.

const {
  DISPOSABLE,
  INDIRECTIONS,
  EMPTY_ARRAY,
  ABORTS,
  CONST,
  HINT,
  strings,
  prototypes,
  POINTER,
  ARRAY,
  SHORT,
} = require('./list');

strings('', '   ', 'int', 'int ', ' int', 'unsigned  int', 'unsigned\tint', 'unsigned\nint');
strings('const int', 'const  const int', 'int const', 'constint', 'int const *', 'char const*');
strings(['const', "TypeError: Unknown or invalid type name 'const'", 'a name is missing']);
strings(
  ['int *const', `int * Pointer${POINTER}int)`, CONST],
  ['int * const const', `int * Pointer${POINTER}int)`, CONST],
  ['int*const', `int * Pointer${POINTER}int)`, CONST],
  ['const char *const', `char * String 8 8 ${SHORT}`, CONST],
  ['int *const*', `int ** Pointer${POINTER}int *)`, CONST],
);
strings('int*', 'int * *', 'int *const *const *', 'int*constx', 'int **********', 'int ********');
strings('int[3]', 'int [ 3 ]', 'int[3', 'int[', 'int[]', 'int[x]', 'int[3x]', 'int[-1]', 'int[03]');
strings('int[99999999999999999999]', 'int[16777217]', 'int[16777216]', 'int[3][', 'int[3]]');
strings('int[0x3]', 'int[ 3 ]*', 'int*[3', 'char[3]', 'bool[3]', 'str[3]', 'Rec[2]', 'Uni[2]');
strings('int64[4]', 'float[4]', 'char16[4]', 'wchar_t[4]', 'int16_be[4]', 'Enum[4]', 'Cb *[3]');
strings(['int[0]', 'Error: Invalid array length', '3.3.4 takes it for int *']);
strings(
  ['int[2][3]', `int[2][3] Array 24 4 ${ARRAY} length(3) hint(Array) ref(int[2])`, HINT],
  ['char[2][3]', `char[2][3] Array 6 1 ${ARRAY} length(3) hint(Array) ref(char[2])`, HINT],
  ['int *[3]', `int *[3] Array 24 8 ${ARRAY} length(3) hint(Array) ref(int *)`, HINT],
  ['int*[3]*[2]', `int *[3] *[2] Array 16 8 ${ARRAY} length(2) hint(Array) ref(int *[3] *)`, HINT],
);
strings('int[1][1][1][1][1][1][1][1][1]', 'int*[1]*[1]*[1]*[1]*[1]');
strings(
  'int!',
  'int *!',
  'str!',
  'str !*',
  'str!*!',
  'str!!',
  'Rec!',
  'Rec *!',
  'Rec[2]!',
  'int[2]!',
);
strings('Op', 'Op *', 'Op*!', 'Op[2]', 'Cb', 'Cb *', 'Cb *!', 'Cb **', 'Vf *', 'void!', 'void *!');
strings(['Cb[2]', EMPTY_ARRAY, 'C has no arrays of functions']);
strings(
  'int x',
  'int;',
  'int,',
  '_Out_ int *',
  '_In_ int*',
  'struct Rec',
  'signed int',
  'long int',
);
strings('int#', '123', '*', '* int', '[3]int', '!', 'int (*)', 'nope', 'nope *', 'nope  foo *');
strings('nope[3]', 'const nope', '<anonymous_1>', 'int *x', 'int _', 'int ! *', 'int)', 'nope!');
strings(['int\0', "Error: Unexpected character '\0' in type specifier", '3.3.4 stops at a NUL']);
strings([
  'int \u00e9',
  "TypeError: Unknown or invalid type name 'int \u00e9'",
  'names are Unicode identifiers',
]);
strings('char16 *', 'char16_t *', 'char32 *', 'wchar *', 'wchar_t *', 'char', 'char **', 'str *');
strings('const char *', 'const char **', 'string *', 'char *[4]', 'void', 'void *', 'void **');
strings(
  'int8 *',
  'unsigned char *',
  'uchar *',
  'long long',
  'long  long  *',
  'unsigned long long int',
);
strings('signed char', 'short int', 'unsigned', 'long unsigned', 'long double', '_Bool', 'ssize_t');
strings('volatile int', 'INT', 'Arr', 'Arr *', 'Arr[2]'.slice(0, 3), 'Enum *', 'Uni *');

prototypes('int f(int)', 'int f(void)', 'int f()', 'int (int a)', 'int(int a)', 'f(int)', 'int f');
prototypes('int f(', 'int f(int', 'int f(int,', 'int f(int,)', 'int f(,)', 'int f(int a b)');
prototypes(
  'int f(int) x',
  'int f(int);',
  'int f(int);;',
  'int f(int); int',
  '',
  '   ',
  'int',
  'int *',
);
prototypes('*', 'int *f(int)', 'int * f (int)', 'int*f(int)', 'const char *f(const char *s)');
prototypes('char const *f(int)', 'int const f(int)', 'int f(char const *s)', 'int f(int const x)');
const takes = (params, result = 'int') =>
  `f Prototype 8 8 keys(name,primitive,size,alignment,disposable,proto) ${result} f(${params})`;
prototypes(
  ['int f(const char *const s)', takes('Input char *'), ABORTS],
  ['int f(const char *const)', takes('Input char *'), ABORTS],
  ['int f(const char *const,int)', takes('Input char *, Input int'), ABORTS],
  ['const char *const f(int)', takes('Input int', 'char *'), ABORTS],
  ['int f(char *const *s)', takes('Input char **')],
  ['int f(char * const * const x)', takes('Input char **'), ABORTS],
  ['int f(char *! const x)', takes('Input <anonymous>'), ABORTS],
  ['int !f()', DISPOSABLE, ABORTS],
  ['int f(int!)', DISPOSABLE, ABORTS],
  ['Rec! f()', DISPOSABLE, ABORTS],
  ['int f(int ! x)', DISPOSABLE, ABORTS],
  ['int f(const)', "Error: Unexpected token ')', expected type", ABORTS],
  ['const f(int)', "Error: Unknown or invalid type name 'f'", ABORTS],
  ['int f(int *********x)', INDIRECTIONS, ABORTS],
  ['int f(const Foo *)', "Error: Unknown or invalid type name 'Foo'", ABORTS],
  ['int f(int, const ...)', "Error: Unexpected token '...', expected type", ABORTS],
);
prototypes('int f(const int x)', 'unsigned int f(unsigned int x)', 'unsigned f(unsigned x)');
prototypes('int f(unsigned int)', 'int f(int unsigned)', 'long long f(long long a)');
prototypes(
  'int __stdcall f(int)',
  'int __cdecl f(int)',
  'int __stdcall(int)',
  '__stdcall int f(int)',
);
prototypes('int __foo f(int)', 'int f(int, ...)', 'int f(...)', 'int f(..., int)');
prototypes(
  ['int __fastcall f(int)', takes('Input int'), 'callbacks of every convention are supported'],
  ['int __thiscall f(int)', takes('Input int'), 'callbacks of every convention are supported'],
);
prototypes('int f(int, ..., int)', 'int f(int ...)', 'int f(int, ..)', 'int f(int, ...');
prototypes('int f(int, ...)x', 'int f(_Out_ int *x)', 'int f(_In_ int x)', 'int f(_Inout_ int *x)');
prototypes('int f(_Out_ int x)', 'int f(_Out_)', 'int f(_In_ _Out_ int *)', 'int f(int _Out_ *x)');
prototypes(
  'int f(_Out_ Rec *r)',
  'int f(_Out_ str s)',
  'int f(_Out_ Cb *s)',
  'int f(Rec)',
  'int f(Rec r)',
);
prototypes(
  'int f(Op)',
  'int f(Op *o)',
  'int f(Cb)',
  'int f(Cb *)',
  'int f(Vf *)',
  'Op f(int)',
  'Cb f(int)',
);
prototypes('Cb *f(int)', 'Vf *f(int)', 'Rec f(Rec a, Rec *b)', 'Uni f(Uni)', 'int f(Rec[2])');
prototypes(
  'int f(int[2])',
  'int f(int a[2])',
  'int[2] f(int)',
  'Arr f(int)',
  'int f(Arr)',
  'int f(Arr a)',
);
prototypes('nope f(int)', 'int f(nope)', 'int f(nope x)', 'int f(nope *x)', 'int f(void x)');
prototypes(
  'int f(void, int)',
  'int f(int, void)',
  'void f(void)',
  'void f(void *)',
  'void *f(void*)',
);
prototypes('int f(struct Rec)', 'int f(int x, int x)', 'int 5(int)', 'int f(5)', 'int f(int 5)');
prototypes('int f(int a, int 5)', 'int f#(int)', 'f', 'f()', '(', '()', 'int ()', 'int f(str!)');
prototypes('str! f(int)', 'char *! f(int)', 'char *!f(int)', 'int f(char *!*)', 'void *!f()');
prototypes(
  'int f(int x){',
  'int f(int x=5)',
  'int f(int,int) const',
  'int f(int\nx)',
  'int\tf\r\n(int)',
);
prototypes(
  'int f(int/*c*/)',
  'int f(int) // c',
  'const const int f(int)',
  'int f(int);  ',
  'int f(int) ;',
);
prototypes(
  'int f ( )',
  'int f(void );',
  'int f(int *)',
  'int f(int **x)',
  'int f(int x,)',
  'Rec *f(Rec *)',
);
prototypes('enum f(int)', '(int) f', 'int *(int)', 'int *(*f)(int)', 'int f(int (*cb)(int))');
prototypes(
  'int f(unsigned)',
  'long f(long int x)',
  'int f(const char * restrict s)',
  'int f(int int)',
);
prototypes(
  'int f(volatile int *x)',
  'int int(int)',
  'int f(str str)',
  'int char(int)',
  'char f(int)',
);
prototypes(
  'char * f(int)',
  'unsigned char f(int)',
  'unsigned int(int)',
  'uint8_t x(uint8_t uint8_t)',
);
prototypes(
  'Foo bar baz(int)',
  'int f(foo bar baz)',
  'double f(double a, double b',
  'int f(int a; int b)',
);
prototypes(
  'int f(int a : 3)',
  '_Out_ int *f(int)',
  'int _Out_(int)',
  'int f(int _Out_)',
  'int ...(int)',
);
prototypes('int f.g(int)', 'int f-g(int)', 'int f(int...)', '...', 'int f(....)', 'int f(Enum)');
const many = (count, more = '') => `int f(${Array(count).fill('int a').join(', ')}${more})`;
prototypes(many(63), many(64), many(65), many(64, ', ...'));
prototypes('int f[2](int)');
