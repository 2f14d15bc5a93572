'use strict';
// Every scalar over the values: as an argument and result, in memory, to and from callbacks.

const { NUMBERS, BIGINTS, OTHERS, label } = require('./values');

const ECHOES = {
  int8_t: 'int8',
  uint8_t: 'uint8',
  int16_t: 'int16',
  uint16_t: 'uint16',
  int32_t: 'int32',
  uint32_t: 'uint32',
  int64_t: 'int64',
  uint64_t: 'uint64',
  char: 'char',
  char16_t: 'char16',
  char32_t: 'char32',
  wchar_t: 'wchar',
  long: 'long',
  size_t: 'size',
  float: 'float',
  double: 'double',
  bool: 'bool',
};
const IN_MEMORY = [
  ...Object.keys(ECHOES),
  'uint16_be_t',
  'int32_be_t',
  'uint64_be_t',
  'int64_le_t',
  'short',
  'unsigned int',
  'long long',
  'intptr_t',
  'uintptr_t',
];
const PATTERNS = {
  zeros: Array(8).fill(0),
  ones: Array(8).fill(255),
  count: [1, 2, 3, 4, 5, 6, 7, 8],
  top: [0, 0, 0, 0, 0, 0, 0, 128],
  high: [0, 0, 0, 0, 0, 0, 32, 0],
};

module.exports = ({ koffi, lib }) => {
  const cases = [];
  const add = (id, run) => cases.push([`scalars/${id}`, run]);
  const values = [...NUMBERS, ...BIGINTS]
    .map((value) => [label(value), () => value])
    .concat(Object.entries(OTHERS));
  for (const [type, name] of Object.entries(ECHOES)) {
    for (const [kind, make] of values) {
      add(`${type}/argument ${kind}`, () => lib.func(`echo_${name}`, type, [type])(make()));
      add(`${type}/returned ${kind}`, () => {
        const proto = koffi.proto(null, type, []);
        const pointer = koffi.register(() => make(), koffi.pointer(proto));
        try {
          return koffi.call(pointer, proto);
        } finally {
          koffi.unregister(pointer);
        }
      });
    }
    for (const kind of [
      '1',
      '-1',
      '300',
      '1.9',
      '9007199254740993n',
      '18446744073709551615n',
      'true',
    ]) {
      add(`${type}/given to a callback ${kind}`, () => {
        const [, make] = values.find(([one]) => one === kind) ?? [
          kind,
          () => (kind.endsWith('n') ? BigInt(kind.slice(0, -1)) : Number(kind)),
        ];
        let seen;
        const proto = koffi.proto(null, 'void', [type]);
        const pointer = koffi.register((given) => {
          seen = [given];
        }, koffi.pointer(proto));
        try {
          koffi.call(pointer, proto, make());
        } finally {
          koffi.unregister(pointer);
        }
        return seen;
      });
    }
  }
  for (const type of IN_MEMORY) {
    for (const [kind, make] of values) {
      add(`${type}/encoded ${kind}`, () => {
        const memory = Buffer.alloc(8);
        koffi.encode(memory, type, make());
        return memory;
      });
    }
    for (const [kind, bytes] of Object.entries(PATTERNS)) {
      add(`${type}/decoded ${kind}`, () => koffi.decode(Buffer.from(bytes), type));
      add(`${type}/decoded list ${kind}`, () =>
        koffi.decode(Buffer.from([...bytes, ...bytes]), type, 2),
      );
    }
  }
  for (const [kind, make] of values) {
    add(`variadic int/${kind}`, () => lib.func('int sum_variadic(int, ...)')(1, 'int', make()));
    add(`variadic double/${kind}`, () =>
      lib.func('double sum_variadic_doubles(int, ...)')(1, 'double', make()),
    );
    add(`variadic float/${kind}`, () =>
      lib.func('double sum_variadic_doubles(int, ...)')(1, 'float', make()),
    );
  }
  for (const reader of Object.keys(koffi.decode).sort()) {
    for (const [kind, bytes] of Object.entries(PATTERNS)) {
      add(`decode.${reader}/${kind}`, () =>
        koffi.decode[reader](Buffer.from([...bytes, 0, 0, 0, 0])),
      );
    }
    for (const [kind, make] of [['no argument'], ...Object.entries(OTHERS)]) {
      if (/array|float64|int32|uint8|buffer|dataview|shared/.test(kind) && !/^array /.test(kind))
        continue;
      add(`decode.${reader}/wrong ${kind}`, () =>
        make ? koffi.decode[reader](make()) : koffi.decode[reader](),
      );
    }
  }
  for (const name of ['dirty_register', 'dirty_register_1']) {
    for (const type of [
      'bool',
      'int8_t',
      'uint8_t',
      'int16_t',
      'uint16_t',
      'int',
      'unsigned int',
      'char',
    ]) {
      add(`${name}/${type}`, () => lib.func(name, type, [])());
    }
  }
  for (const given of [[], [1], [1, 2, 3]])
    add(`int_add of ${given.length}`, () => lib.func('int int_add(int, int)')(...given));
  return cases;
};
