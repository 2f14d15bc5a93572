'use strict';
// Every kind of value for every kind of pointer, in every direction; strings; casts.

const { OTHERS } = require('./values');

const NUMERIC = {
  0: () => 0,
  '0n': () => 0n,
  4096: () => 4096,
  '4096n': () => 4096n,
  1.5: () => 1.5,
  '-1': () => -1,
  NaN: () => NaN,
  '2^64': () => 2n ** 64n,
};
const TEXTS = {
  empty: '',
  ascii: 'plain',
  accents: 'gr\u00fc\u00df',
  wide: '\u20ac\u{1f600}',
  nul: 'a\0b',
  high: 'x\ud800',
  low: '\udc00y',
  long: '\u00e9'.repeat(5000),
};

module.exports = ({ koffi, lib, later }) => {
  const cases = [];
  const add = (id, run) => cases.push([`pointers/${id}`, run]);
  const point = koffi.struct('PointerPoint', { x: 'int', y: 'double' });
  const any = koffi.union('PointerAny', { i: 'int', d: 'double' });
  const proto = koffi.proto('PointerProto', 'int', ['int']);
  const handle = koffi.opaque('PointerHandle');
  const types = {
    'int *': 'int *',
    'unsigned int *': 'unsigned int *',
    'uint8_t *': 'uint8_t *',
    'int8_t *': 'int8_t *',
    'int16_t *': 'int16_t *',
    'int64_t *': 'int64_t *',
    'float *': 'float *',
    'double *': 'double *',
    'bool *': 'bool *',
    'char *': 'char *',
    'char16_t *': 'char16_t *',
    'char32_t *': 'char32_t *',
    str: 'str',
    'void *': 'void *',
    'char **': 'char **',
    'void **': 'void **',
    'int **': 'int **',
    'uint16_be_t *': 'uint16_be_t *',
    'struct *': koffi.pointer(point),
    'struct **': koffi.pointer(point, 2),
    'union *': koffi.pointer(any),
    'callback *': koffi.pointer(proto),
    'opaque *': koffi.pointer(handle),
  };
  const values = { ...OTHERS, ...NUMERIC };
  const marks = { in: koffi.in, out: koffi.out, inout: koffi.inout };
  for (const [name, type] of Object.entries(types)) {
    for (const [kind, make] of Object.entries(values)) {
      for (const [direction, mark] of Object.entries(marks)) {
        // Numbers are addresses, and these are read as strings afterwards.
        if (direction === 'inout' && name === 'char **' && /^array 1/.test(kind)) continue;
        add(`${direction} ${name}/${kind}`, () => {
          const given = make();
          const isNull = lib.func('is_null', 'bool', [mark(type)])(given);
          return typeof given === 'object' && given !== null ? { isNull, given } : { isNull };
        });
      }
      add(`as ${name}/${kind}`, () =>
        lib.func('is_null', 'bool', ['void *'])(koffi.as(make(), type)),
      );
    }
  }
  for (const type of [
    'str',
    'str16',
    'str32',
    'char *',
    'char16_t *',
    'char32_t *',
    'string',
    'wstring',
    'wchar_t *',
  ]) {
    const name = /16/.test(type)
      ? 'echo_str16'
      : /32/.test(type)
        ? 'echo_str32'
        : /^w/.test(type)
          ? 'echo_wide'
          : 'echo_str';
    for (const [kind, text] of Object.entries(TEXTS)) {
      add(`echo ${type}/${kind}`, () => lib.func(name, type, [type])(text));
      add(`echo later ${type}/${kind}`, () => later(lib.func(name, type, [type]), text));
      add(`buffer ${type}/${kind}`, () => {
        const out = [text];
        lib.func('is_null', 'bool', [koffi.inout(type)])(out);
        return out;
      });
      add(`encoded ${type}/${kind}`, () => {
        const memory = Buffer.alloc(8);
        koffi.encode(memory, type, text);
        return koffi.decode(memory, type);
      });
      add(`returned ${type}/${kind}`, () => {
        const made = koffi.proto(null, type, [type]);
        const pointer = koffi.register((given) => given, koffi.pointer(made));
        try {
          return koffi.call(pointer, made, text);
        } finally {
          koffi.unregister(pointer);
        }
      });
    }
  }
  const outs = {
    'int *': 'fill_int32s',
    'int64_t *': 'fill_int64s',
    'uint64_t *': 'fill_uint64s',
    'float *': 'fill_floats',
    'double *': 'fill_doubles',
    'uint8_t *': 'fill_uint8s',
    'int16_t *': 'fill_int16s',
  };
  for (const [type, name] of Object.entries(outs)) {
    for (const [direction, mark] of Object.entries(marks)) {
      for (const [kind, make] of Object.entries({
        zeros: () => [0, 0],
        numbers: () => [10, 20],
        bigints: () => [10n, 20n],
        nulls: () => [null, null],
        holes: () => Array(2),
        texts: () => ['', ''],
        longer: () => [1, 2, 3, 4],
      })) {
        add(`${direction} ${name} ${type}/${kind}`, () => {
          const list = make();
          lib.func(name, 'void', [mark(type), 'int'])(list, 2);
          return list;
        });
      }
    }
  }
  add('out char **', () => {
    const out = [null];
    lib.func('void give_text(_Out_ char **)')(out);
    return out;
  });
  add('out disposed', () => {
    const out = [null];
    lib.func('void give_new_text(_Out_ char *!*, str)')(out, 'x');
    return out;
  });
  add('out void **', () => {
    const out = [null];
    lib.func('void give_ints(_Out_ void **)')(out);
    return out;
  });
  for (const type of ['int', 'double', 'bool', 'void', 'int[3]'])
    add(`as ${type}`, () => koffi.as(5, type));
  for (const [kind, make] of Object.entries(values)) {
    add(`address/${kind}`, () => koffi.address(make()));
    if (!/^(4096|1\.5|-1|NaN|2\^64)/.test(kind))
      add(`free/${kind}`, () =>
        /array|buffer|int|float|view|shared/.test(kind) && !/^array /.test(kind)
          ? 'not tried'
          : koffi.free(make()),
      );
    add(`unregister/${kind}`, () => koffi.unregister(make()));
  }
  return cases;
};
