'use strict';
// Libraries, prototypes, callbacks, memory functions and settings: results and errors.

const { OTHERS } = require('./values');

const PROTOTYPES = [
  'int int_add(int a, int b)',
  'int int_add(int, int);',
  'int  __cdecl int_add ( int , int )',
  'int int_add(int',
  'int int_add',
  'int',
  '',
  '(',
  'int ()',
  'int int_add() x',
  'int int_add(int a b)',
  'int int_add(int,)',
  'int int_add(,int)',
  'int int_add(...)',
  'int int_add(int, ...)',
  'int int_add(int ..., int)',
  'int int_add(void)',
  'int int_add(void, int)',
  'missing int_add(int)',
  'int int_add(missing x)',
  'int int_add(missing *x)',
  'int int_add(int x[3])',
  'int int_add(int[3] x)',
  'int[3] int_add()',
  'int int_add(_Out_ int x)',
  'int int_add(_In_ int x, _Out_ int *y)',
  'int int_add(_Inout_ void *)',
  'int int_add(void *)',
  'const int int_add(const int)',
  'int const int_add(int)',
  'int int_add(int const)',
  'int int_add(int *const)',
  'int int_add(const char *const s)',
  'int int_add(const char *const *s)',
  'unsigned int_add(unsigned)',
  'unsigned int int_add(unsigned int)',
  'long long int int_add()',
  'int int_add(int a, int a)',
  'int int_add(int int)',
  'int int_add(int 5)',
  'int int_add(int a);;',
  'int int_add(int a) ; ',
  '5 int_add()',
  'int 5()',
  'int* int_add(int*)',
  'int *int_add(int**p)',
  'void int_add(void)',
  'char *! int_add()',
  'int! int_add()',
  'str int_add(str! s)',
  'int __weird int_add()',
  'int no_such_function(int)',
  'int int_add(int, int',
  'int int_add[int]',
  'double double(double double)',
  'int\tint_add\n(\rint)',
  'int /* c */ int_add(int)',
  'int int_add(int a = 5)',
  'struct P int_add()',
  'signed int int_add()',
  'int int_add(\u00e9 x)',
  'int \u00e9(int)',
];
const TYPES = [
  'int',
  ' int ',
  'unsigned  int',
  'int *',
  'int*',
  'int * const',
  'const int',
  'int const',
  'int[3]',
  'int [ 3 ]',
  'int[3][2]',
  'int[0]',
  'int[-1]',
  'int[x]',
  'int[3',
  'int]',
  'int!',
  'str!',
  'void',
  'void[2]',
  'void *!',
  'int *****',
  'int *********',
  '',
  ' ',
  '*',
  'int;',
  'INT',
  '_Out_ int *',
  'int[99999999999]',
  'int[20000000]',
  'char[5]',
  'float32',
  'wchar',
  'size_t*',
];

module.exports = ({ koffi, lib, fn, later, outcome }) => {
  const cases = [];
  const add = (id, run) => cases.push([`calls/${id}`, run]);
  const described = ({ name, primitive, size, alignment, disposable, length, hint }) => ({
    name,
    primitive,
    size,
    alignment,
    disposable,
    length,
    hint,
  });
  const signature = (info) => [
    info.name,
    info.arguments.map(({ type, direction }) => `${direction} ${type.name}`),
    info.result.name,
  ];
  for (const [index, text] of PROTOTYPES.entries()) {
    add(`func ${JSON.stringify(text)}`, () => signature(lib.func(text).info));
    add(`proto ${JSON.stringify(text)}`, () => {
      const { proto, primitive, size } = koffi.proto(text.replace('int_add', `parsed_${index}`));
      return [signature({ ...proto, name: 'x' }), primitive, size];
    });
  }
  for (const text of TYPES) add(`type ${JSON.stringify(text)}`, () => described(koffi.type(text)));
  for (const [kind, make] of Object.entries(OTHERS)) {
    add(`load/${kind}`, () => typeof koffi.load(make()));
    add(`load options/${kind}`, () => typeof koffi.load(null, make()));
    add(`func name/${kind}`, () => typeof lib.func(make(), 'int', []));
    add(`func result/${kind}`, () => typeof lib.func('int_add', make(), []));
    add(`func parameter/${kind}`, () => typeof lib.func('int_add', 'int', [make()]));
    add(`symbol/${kind}`, () => lib.symbol(make(), 'int'));
    add(`sizeof/${kind}`, () => koffi.sizeof(make()));
    add(`errno/${kind}`, () => koffi.errno(make()));
    add(`config/${kind}`, () => typeof koffi.config(make()));
    add(
      `register function/${kind}`,
      () => typeof koffi.register(make(), koffi.pointer(koffi.proto(null, 'int', []))),
    );
    add(`register type/${kind}`, () => typeof koffi.register(() => 1, make()));
    add(`call type/${kind}`, () => koffi.call(lib.symbol('forty_two'), make()));
    add(`alloc length/${kind}`, () => typeof koffi.alloc('int', make()));
    add(`view length/${kind}`, () => koffi.view(Buffer.alloc(8), make()));
    add(`decode offset/${kind}`, () => koffi.decode(Buffer.alloc(8), make(), 'int'));
    add(`decode length/${kind}`, () => koffi.decode(Buffer.alloc(8), 'int', make()));
    if (!/array$|buffer|int|float|view|shared/.test(kind) || /^array|empty array/.test(kind)) {
      add(`decode reference/${kind}`, () => koffi.decode(make(), 'int'));
      add(`encode reference/${kind}`, () => koffi.encode(make(), 'int', 5));
      add(`view pointer/${kind}`, () => koffi.view(make(), 0));
    }
    add(`async argument/${kind}`, async () => {
      const [error, result] = await outcome(fn('int int_add(int, int)'), make(), 1);
      return [error, result ?? 'nothing'];
    });
    add(`async callback/${kind}`, () =>
      typeof make() === 'function' ? 'not tried' : fn('int int_add(int, int)').async(1, 2, make()),
    );
    add(`thrown in a callback/${kind}`, () =>
      lib.func('call_int', 'int', [koffi.pointer(koffi.proto(null, 'int', ['int'])), 'int'])(() => {
        throw make();
      }, 1),
    );
  }
  const memory = () => Buffer.from([1, 2, 3, 4, 5, 6, 7, 8, 0, 0]);
  const TYPED = [
    'int',
    'uint8_t',
    'char',
    'double',
    'int64_t',
    'bool',
    'void',
    'int[2]',
    'char[4]',
    'int16_t[2]',
  ];
  for (const type of TYPED) {
    for (const offset of [-1, 0, 1, 2, 6, 8, 10, 11])
      add(`decode ${type} at ${offset}`, () => koffi.decode(memory(), offset, type));
    for (const length of [-1, 0, 1, 2, 20]) {
      if (length === -1 && /int$|int16/.test(type)) continue; // reads beyond the memory
      add(`decode ${length} of ${type}`, () => koffi.decode(memory(), type, length));
      add(`encode ${length} of ${type}`, () => {
        const target = memory();
        koffi.encode(target, type, [1, 2], length);
        return target;
      });
    }
  }
  for (const given of [[], [null], [Buffer.alloc(8)], [Buffer.alloc(8), 'int', 1, 2, 3]]) {
    add(`decode of ${given.length} arguments`, () => koffi.decode(...given));
    add(`encode of ${given.length} arguments`, () => koffi.encode(...given));
    add(`call of ${given.length} arguments`, () => koffi.call(...given));
    add(`view of ${given.length} arguments`, () => koffi.view(...given));
    add(`alloc of ${given.length} arguments`, () => koffi.alloc(...given));
    add(`as of ${given.length} arguments`, () => koffi.as(...given));
    add(`address of ${given.length} arguments`, () => koffi.address(...given));
    add(`register of ${given.length} arguments`, () => koffi.register(...given));
    add(`unregister of ${given.length} arguments`, () => koffi.unregister(...given));
    add(`load of ${given.length} arguments`, () => typeof koffi.load(...given));
    add(`func of ${given.length} arguments`, () => typeof lib.func(...given));
    add(`sizeof of ${given.length} arguments`, () => koffi.sizeof(...given));
  }
  for (const options of [{ other: 1 }, { max_async_calls: 5 }, {}])
    add(`config ${Object.keys(options)}`, () => Object.keys(koffi.config(options)));
  add('names of the module', () => Object.keys(koffi).sort());
  add('keys of a function', () => Object.keys(fn('int int_add(int, int)')).sort());
  add('stats', () => Object.keys(koffi.stats()));
  add('errno of a call', () => [fn('int fail_with(int)')(13), koffi.errno()]);
  add('errno of an asynchronous call', async () => [await later(fn('int fail_with(int)'), 17)]);
  add('missing library', () => koffi.load('/nonexistent/libx.so'));
  add('library that is none', () => koffi.load(`${__filename}`));
  for (const depth of [1, 5, 10]) {
    add(`nested ${depth}`, () => {
      const proto = koffi.pointer(koffi.proto(null, 'int', ['int']));
      const nested = lib.func('call_nested', 'int', [proto, 'int']);
      const down = (level) => (level === 0 ? 0 : nested(down, level - 1));
      return down(depth);
    });
  }
  add('disposed', () => {
    const before = koffi.stats().disposed;
    const text = lib.func('char *! new_text(str)')('x');
    return [text, koffi.stats().disposed - before];
  });
  add('function of a pointer', () => {
    const made = koffi.decode(lib.symbol('int_add'), koffi.proto(null, 'int', ['int', 'int']));
    return [made.name, made.length, typeof made.async, made(1, 2)];
  });
  return cases;
};
