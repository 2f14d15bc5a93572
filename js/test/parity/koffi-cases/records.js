'use strict';
// Members of every type over the values, arrays by hint, structs and unions by value and behind
// pointers, to and from callbacks.

const { NUMBERS, OTHERS, label } = require('./values');

module.exports = ({ koffi, lib, later }) => {
  const cases = [];
  const add = (id, run) => cases.push([`records/${id}`, run]);
  const point = koffi.struct('RecordPoint', { x: 'int', y: 'double' });
  const any = koffi.union('RecordAny', {
    i: 'int32_t',
    f: 'float',
    b: koffi.array('uint8_t', 8),
    d: 'double',
  });
  const proto = koffi.pointer(koffi.proto('RecordProto', 'int', ['int']));
  const members = {
    int8_t: 'int8_t',
    uint32_t: 'uint32_t',
    int64_t: 'int64_t',
    uint64_t: 'uint64_t',
    float: 'float',
    double: 'double',
    bool: 'bool',
    str: 'str',
    str16: 'str16',
    'int *': 'int *',
    'void *': 'void *',
    struct: point,
    'struct *': koffi.pointer(point),
    union: any,
    callback: proto,
    uint16_be_t: 'uint16_be_t',
    'int[3]': koffi.array('int', 3),
    'int[3] Array': koffi.array('int', 3, 'Array'),
    'uint8_t[4] Buffer': koffi.array('uint8_t', 4, 'Buffer'),
    'char[4]': koffi.array('char', 4),
    'char[4] Typed': koffi.array('char', 4, 'Typed'),
    'char16_t[4]': koffi.array('char16_t', 4),
    'char32_t[4]': koffi.array('char32_t', 4),
    'double[2]': koffi.array('double', 2),
    'int64_t[2]': koffi.array('int64_t', 2),
    'bool[2]': koffi.array('bool', 2),
    'str[2]': koffi.array('str', 2),
    'struct[2]': koffi.array(point, 2),
    'int[2][2]': koffi.array(koffi.array('int', 2), 2),
    'int *[2]': koffi.array('int *', 2),
  };
  const numbers = Object.fromEntries(
    [1, -1, 300, 1.5, NaN, 4294967296, 2 ** 60].map((value) => [label(value), () => value]),
  );
  const values = { ...OTHERS, ...numbers, '2^63n': () => 2n ** 63n, '0n': () => 0n };
  for (const [name, type] of Object.entries(members)) {
    const record = koffi.struct({ before: 'int8_t', m: type, after: 'int' });
    const pointerLike = /\*|str|callback/.test(name);
    for (const [kind, make] of Object.entries(values)) {
      // What was stored as an address is not read through again.
      if (pointerLike && /^(1|-1|300|1\.5|NaN|4294967296|1152921504606847000|2\^63n)$/.test(kind))
        continue;
      // Numbers without a zero at the end, or none at all: what is read as text is up to chance.
      if (
        /^str(?:16|\[2\])?$/.test(name) &&
        /^(?:array 1|empty array|empty buffer|array true|array arrays|uint8|int32|float64|bigint64|buffer|arraybuffer|dataview)/.test(
          kind,
        )
      )
        continue;
      add(`member ${name}/${kind}`, () => {
        const memory = Buffer.alloc(koffi.sizeof(record), 0xaa);
        koffi.encode(memory, record, { before: 1, m: make(), after: 2 });
        const back = koffi.decode(memory, record);
        return name === 'union' ? [back.before, back.m.i, back.m.d, back.after] : back;
      });
    }
    add(`member ${name}/missing`, () => {
      const memory = Buffer.alloc(koffi.sizeof(record), 0xaa);
      koffi.encode(memory, record, {});
      return [...memory];
    });
    add(`layout ${name}`, () => [
      koffi.sizeof(record),
      koffi.alignof(record),
      koffi.offsetof(record, 'm'),
      koffi.offsetof(record, 'after'),
    ]);
    add(`packed layout ${name}`, () => {
      const packed = koffi.pack({ before: 'int8_t', m: type, after: 'int' });
      return [koffi.sizeof(packed), koffi.alignof(packed), koffi.offsetof(packed, 'm')];
    });
  }
  const structs = {
    Point: point,
    Small: koffi.struct('RecordSmall', { a: 'int8_t', b: 'int16_t', c: 'int8_t' }),
    Floats3: koffi.struct('RecordFloats3', { a: 'float', b: 'float', c: 'float' }),
    Doubles2: koffi.struct('RecordDoubles2', { a: 'double', b: 'double' }),
    FloatInt: koffi.struct('RecordFloatInt', { a: 'float', b: 'int' }),
    Big: koffi.struct('RecordBig', { a: 'int64_t', b: 'double', name: 'str', flag: 'uint8_t' }),
    Line: koffi.struct('RecordLine', { from: point, to: point, label: 'str' }),
    Packed: koffi.pack('RecordPacked', { a: 'int8_t', b: 'double', c: 'int16_t' }),
    PackedSmall: koffi.pack('RecordPackedSmall', { a: 'uint8_t', b: 'int32_t' }),
    Bytes3: koffi.struct('RecordBytes3', { b: koffi.array('uint8_t', 3) }),
    Bytes17: koffi.struct('RecordBytes17', { b: koffi.array('uint8_t', 17) }),
    Flags: koffi.struct('RecordFlags', { a: 'bool', b: 'bool', c: 'uint64_t' }),
    Points2: koffi.struct('RecordPoints2', { p: koffi.array(point, 2), n: 'int' }),
  };
  const given = {
    Point: { x: 1, y: 2.5 },
    Small: { a: 1, b: -2, c: 3 },
    Floats3: { a: 0.1, b: 2, c: -3 },
    Doubles2: { a: 0.1, b: -0 },
    FloatInt: { a: 0.5, b: 7 },
    Big: { a: 2n ** 60n, b: 0.1, name: 'n\u00e4me', flag: 300 },
    Line: { from: { x: 1 }, to: { y: 2 }, label: null },
    Packed: { a: 1, b: 2.5, c: 3 },
    PackedSmall: { a: 1, b: 2 },
    Bytes3: { b: [1, 2, 3] },
    Bytes17: { b: Buffer.alloc(17, 5) },
    Flags: { a: true, b: false, c: 5n },
    Points2: { p: [{ x: 1, y: 2 }], n: 3 },
  };
  for (const [name, type] of Object.entries(structs)) {
    add(`echo ${name}`, () => lib.func(`echo_${name}`, type, [type])(given[name]));
    add(`echo later ${name}`, () => later(lib.func(`echo_${name}`, type, [type]), given[name]));
    add(`copy ${name}`, () => {
      const into = {};
      lib.func(`copy_${name}`, 'void', [koffi.pointer(type), koffi.out(koffi.pointer(type))])(
        given[name],
        into,
      );
      return into;
    });
    add(`callback ${name}`, () => {
      const made = koffi.proto(null, type, [type]);
      const pointer = koffi.register((value) => value, koffi.pointer(made));
      try {
        return koffi.call(pointer, made, given[name]);
      } finally {
        koffi.unregister(pointer);
      }
    });
    for (const [kind, make] of Object.entries(OTHERS)) {
      add(`argument ${name}/${kind}`, () => lib.func(`echo_${name}`, type, [type])(make()));
      add(`returned ${name}/${kind}`, () => {
        const made = koffi.proto(null, type, []);
        const pointer = koffi.register(() => make(), koffi.pointer(made));
        try {
          return koffi.call(pointer, made);
        } finally {
          koffi.unregister(pointer);
        }
      });
    }
  }
  for (const [kind, make] of Object.entries({
    ...values,
    i: () => ({ i: 5 }),
    d: () => ({ d: 0.5 }),
    two: () => ({ i: 1, d: 2 }),
    wrong: () => ({ i: 'x' }),
    unknown: () => ({ q: 1 }),
    bytes: () => ({ b: [1, 2] }),
  })) {
    add(`union/${kind}`, () => lib.func('any_double', 'double', [any])(make()));
    // Numbers, NULL and the address of no bytes are addresses that C would write to.
    if (/^(?:[-\d]|NaN|2\^|null|undefined|empty buffer)/.test(kind)) continue;
    add(`out union/${kind}`, () => {
      const value = make();
      lib.func('any_fill', 'void', [koffi.out(koffi.pointer(any))])(value);
      return Array.isArray(value) && typeof value[0] === 'object' && value[0] !== null
        ? value[0].d
        : typeof value;
    });
  }
  for (const value of NUMBERS) {
    add(`member of a callback's struct/${label(value)}`, () =>
      lib.func('call_point_result', 'double', [
        koffi.pointer(koffi.proto('RecordMaker', point, ['int'])),
        'int',
      ])(() => ({ x: value, y: 0.5 }), 1),
    );
  }
  const flexible = koffi.struct('RecordFlexible', {
    len: 'int',
    values: koffi.array('int', 'len', 8),
  });
  for (const [kind, value] of Object.entries({
    right: { len: 2, values: [1, 2] },
    short: { len: 3, values: [1, 2] },
    long: { len: 1, values: [1, 2] },
    none: { len: 0, values: [] },
    typed: { len: 2, values: new Int32Array(2) },
    missing: { len: 2 },
    empty: {},
  })) {
    add(`flexible/${kind}`, () =>
      lib.func('flexible_sum', 'int', [koffi.pointer(flexible)])(value),
    );
  }
  return cases;
};
