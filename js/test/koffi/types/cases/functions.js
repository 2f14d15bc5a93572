'use strict';
// The other functions: what they take, what they make, what they refuse.

const { EMPTY_ARRAY, ABORTS, HINT, ask, calls } = require('./list');

calls(
  'proto',
  () => [],
  () => [5],
  () => ['nm', 'int'],
  () => ['nm', 'int', 5],
);
calls(
  'proto',
  () => ['nm', 'int', [5]],
  () => ['nm', 'int', ['nope']],
  () => ['nm', 'nope', []],
);
calls(
  'proto',
  () => ['nm', 'int', ['int x']],
  () => ['nm', 'int', ['_Out_ int *']],
);
calls(
  'proto',
  () => ['nm', 'int', ['_Out_ int *x']],
  () => ['nm', 'int', ['_Out_ int']],
);
calls('proto', (k) => ['nm', 'int', [k.out('int *'), k.inout('str'), k.in('Rec *')]]);
calls(
  'proto',
  () => ['nm', 'int', ['int[2]']],
  () => ['nm', 'int[2]', []],
  () => ['nm', 'int', ['Arr']],
);
calls(
  'proto',
  () => ['nm', 'int', ['int', '...']],
  () => ['nm', 'int', ['...', 'int']],
);
calls(
  'proto',
  (k) => ['nm', k.types.int, [k.types.double]],
  () => [null, 'int', []],
);
calls(
  'proto',
  () => [undefined, 'int', []],
  () => ['int', []],
  () => ['int', 'int', []],
);
calls(
  'proto',
  () => ['__cdecl', 'int', []],
  () => ['__stdcall', 'nm', 'int', ['int']],
);
calls(
  'proto',
  () => ['__stdcall', null, 'int', []],
  () => ['__foo', 'nm', 'int', []],
);
calls(
  'proto',
  () => ['nm', 'Op', []],
  () => ['nm', 'Cb', []],
  () => ['nm', 'int', ['Cb']],
);
calls(
  'proto',
  () => ['nm', 'int', ['Op']],
  () => ['nm', 'int', ['void']],
  () => ['nm', 'int', ['Vf *']],
);
calls(
  'proto',
  (k) => ['nm', k.out('int *'), []],
  () => ['nm', 'int', Array(65).fill('int')],
);
calls(
  'proto',
  () => ['nm', 'int', ['_In_ int']],
  () => ['nm', 'int', ['_Out_ Cb *']],
);
calls(
  'proto',
  () => ['nm', 'int', ['const int']],
  () => ['nm', 'int', ['_Inout_   str!']],
);
calls(
  'proto',
  () => ['int f(int)', 'x'],
  () => ['nm', 'int', ['_Out_']],
  () => [5, 'int', []],
);
calls(
  'proto',
  () => ['nm', 'int', ['const _Out_ int *']],
  () => ['__cdecl', 'int f(int)'],
);
calls('proto', [
  () => ['1x', 'int', []],
  "Error: Invalid type name '1x'",
  'names are checked (spec 2.6)',
]);

calls(
  'enumeration',
  () => [],
  () => ['Q'],
  () => [5, { A: 1 }],
  () => ['Q', 5],
  () => ['1Q', { A: 1 }],
);
calls(
  'enumeration',
  () => ['int', { A: 1 }],
  () => [{ A: 1 }],
  () => [{}],
  () => ['Q', {}],
);
calls(
  'enumeration',
  () => [{ A: 0xffffffff }],
  () => [{ A: 0x100000000 }],
  () => [{ A: -1 }],
);
calls(
  'enumeration',
  () => [{ A: -1, B: 0x80000000 }],
  () => [{ A: -1, B: 2n ** 63n - 1n }],
);
calls(
  'enumeration',
  () => [{ A: -1, B: 2n ** 63n }],
  () => [{ A: 2n ** 64n - 1n }],
  () => [{ A: 1.5 }],
);
calls('enumeration', () => [{ A: 2n ** 64n }]);
calls(
  'enumeration',
  () => ['Q', { A: 1 }, 'float'],
  () => ['Q', { A: 1 }, 'bool'],
);
calls(
  'enumeration',
  () => ['Q', { A: 1 }, 'int *'],
  () => ['Q', { A: 1 }, 'nope'],
);
calls(
  'enumeration',
  () => ['Q', { A: 1 }, null],
  () => ['Q', { A: 1 }, undefined],
);
calls(
  'enumeration',
  () => ['Q', [1, 2]],
  () => ['Q', { 'a b': 1 }],
  () => [{ A: -1, B: 2 ** 53 }],
);
const stored = (name, words) =>
  `${name} ${words} keys(name,primitive,size,alignment,disposable,values) values({ A: 1 })`;
const VALUES = '3.3.4 leaves values empty when a storage is given (spec 15.14)';
calls(
  'enumeration',
  [() => ['Q', { A: 1 }, 'uint8'], stored('Q', 'UInt8 1 1'), VALUES],
  [() => ['Q', { A: 1 }, 'char'], stored('Q', 'Int8 1 1'), VALUES],
  [() => ['Q', { A: 1 }, 'int16_be'], stored('Q', 'Int16S 2 2'), VALUES],
  [() => [{ A: 1 }, 'int8'], stored('<anonymous>', 'Int8 1 1'), VALUES],
  [() => [null, { A: 1 }], stored('<anonymous>', 'UInt32 4 4'), 'the name may be null'],
  [
    () => [{ A: 'x' }],
    'TypeError: Unexpected String value for enumeration value, expected number',
    '3.3.4 names the kind of the whole object',
  ],
);

calls(
  'pointer',
  () => [],
  () => ['int'],
  () => ['int', 0],
  () => ['int', 5],
  () => ['int', 1.5],
);
calls(
  'pointer',
  () => ['P', 'int'],
  () => ['P', 'int', 3],
  () => [null, 'int', 'len'],
  () => ['char', 2],
);
calls(
  'pointer',
  () => ['P', 'int', 'len'],
  () => ['int', 'x'],
  () => ['Cb'],
  () => ['Cb', 2],
);
calls(
  'pointer',
  () => ['P', 'Cb'],
  () => ['int', 'len', 5],
  () => ['P', 'int', null],
  () => ['P', 'int', {}],
);
calls(
  'pointer',
  () => [null, 'int'],
  () => [undefined, 'int'],
  () => ['1x', 'int'],
  () => ['int', 'double'],
);
calls(
  'pointer',
  () => ['P', 'char'],
  () => ['P', 'char', 2],
  () => ['P', 'int', 5],
  () => [5],
);
calls(
  'pointer',
  () => ['int', 2, 3, 4],
  () => ['nope'],
  () => ['int', NaN],
  () => ['int', 2n],
);
calls(
  'pointer',
  () => [null],
  () => ['int ********', 4],
  () => [null, 'int', 2],
  () => ['int', null],
);
calls(
  'pointer',
  (k) => [k.types.int, 2],
  (k) => [k.out('int *')],
  () => ['Op'],
  () => ['str!'],
);
calls(
  'pointer',
  () => [null, 'Cb', 'len'],
  () => [null, 'char', 'len'],
  () => [null, 'void', 'len'],
);

calls(
  'array',
  () => [],
  () => ['int'],
  () => ['int', 0],
  () => ['int', -1],
  () => ['int', 1e9],
);
calls(
  'array',
  () => ['int', 1.7],
  () => ['int', null],
  () => ['int', 3, 5],
  () => ['int', 3n],
);
calls(
  'array',
  () => ['int', NaN],
  () => ['int', 16777216],
  () => ['int', 16777217],
);
calls(
  'array',
  () => ['int', 3, null],
  () => ['int', 3, undefined],
  () => ['int', 3, 'Array', 5],
);
calls(
  'array',
  () => ['Vf *', 3],
  () => [5, 3],
  () => ['int', 4294967297],
  () => ['int', 3, 'ARRAY'],
);
calls(
  'array',
  () => ['int', 'len'],
  () => ['int', 'len', 0],
  () => ['int', 'len', 5],
);
calls(
  'array',
  () => ['int', 'len', 5, 'Array'],
  () => ['char', 'len', 5],
  () => ['int', 'len', 'x'],
);
calls('array', [() => ['void', 3], EMPTY_ARRAY, `${ABORTS} (spec 15.4)`]);
calls('array', [() => ['Op', 3], EMPTY_ARRAY, `${ABORTS} (spec 15.4)`]);
calls('array', [() => ['Cb', 2], EMPTY_ARRAY, 'C has no arrays of functions']);
for (const hint of [
  'Array',
  'array',
  'Typed',
  'typed',
  'String',
  'string',
  'Buffer',
  'buffer',
  'x',
]) {
  const list = ['int', 'char', 'int64', 'bool', 'str', 'double', 'Rec', 'int16', 'uint8', 'float'];
  for (const type of [...list, 'char32', 'Enum', 'wchar', 'int16_be', 'Uni', 'Cb *']) {
    ask(`array ${type} ${hint}`, (k) => k.array(type, 3, hint));
  }
}
for (const hint of ['Typed', 'Buffer']) {
  ask(
    `array int * ${hint}`,
    (k) => k.array('int *', 3, hint),
    `Error: Array hint '${hint}' cannot be used with type int *`,
    HINT,
  );
}

calls(
  'disposable',
  () => [],
  () => ['D', 'str'],
  () => ['str'],
  () => ['D', 'int *', () => {}],
);
calls(
  'disposable',
  () => ['int'],
  () => ['str', 5],
  () => ['Uni *'],
  () => [null, 'str'],
);
calls(
  'disposable',
  () => ['str', 'int *'],
  () => ['D', 'str', null],
  () => ['D', 'str', undefined],
);
calls(
  'disposable',
  () => ['str', null],
  () => ['str', () => 1],
  () => ['D', 'str', 5],
  () => ['D', 'str!'],
);
calls(
  'disposable',
  () => ['Cb *'],
  () => [undefined, 'str', () => 1],
  () => [5, 'str', () => 1],
);
calls(
  'disposable',
  () => ['D', 'nope'],
  () => ['int', 'str', () => 1],
  () => ['Rec'],
);
calls('disposable', [
  () => ['1x', 'str'],
  "Error: Invalid type name '1x'",
  '3.3.4 does not check names of disposables (spec 15.11)',
]);

calls(
  'alias',
  () => ['al'],
  () => [5, 'int'],
  () => ['1x', 'int'],
  () => ['al', 'nope'],
  () => ['int', 'int'],
);
// Each with a name of its own: aliases of primitives survive 3.3.4's reset.
calls(
  'alias',
  () => ['a1', 'int'],
  () => ['a2', 'int[3]'],
  () => ['a3', 'void'],
  () => ['a4', 5],
);
calls(
  'alias',
  () => ['a5', 'str!'],
  () => [null, 'int'],
  (k) => ['a6', k.out('int *')],
);
calls(
  'opaque',
  () => [],
  () => [null],
  () => ['Q'],
  () => [5],
  () => ['Rec'],
  (k) => [k.types.int],
  () => ['1x'],
);

for (const direction of ['in', 'out', 'inout']) {
  for (const type of ['int', 'Rec', 'int[3]', 'Cb', 'Cb *', 'nope', 5])
    calls(direction, () => [type]);
  ask(`${direction} of pointers`, (k) =>
    ['int *', 'str', 'void *', 'str!'].map((t) => typeof k[direction](t)),
  );
  ask(`${direction} is a type`, (k) => [
    k.type(k[direction]('Rec *')),
    k.sizeof(k[direction]('Rec *')),
  ]);
  ask(`${direction} without argument`, (k) => k[direction]());
}

for (const how of ['type', 'sizeof', 'alignof']) {
  calls(
    how,
    () => [],
    () => [5],
    () => [null],
    () => [undefined],
    () => [{}],
    () => [[]],
    () => [() => 1],
  );
  calls(
    how,
    () => [Symbol('x')],
    () => [true],
    () => [5n],
    () => [Buffer.alloc(1)],
    () => [new Date()],
  );
  calls(
    how,
    () => [new Int8Array(1)],
    () => [new BigUint64Array(1)],
    () => [new ArrayBuffer(1)],
  );
  calls(
    how,
    () => [new DataView(new ArrayBuffer(1))],
    () => [new Map()],
    (k) => [k.out('int *')],
  );
  for (const type of [
    'int',
    'void',
    'Op',
    'Rec',
    'Uni',
    'Cb',
    'Cb *',
    'Arr',
    'Enum',
    'str',
    'nope',
  ]) {
    calls(how, () => [type]);
  }
}
calls(
  'offsetof',
  () => ['Rec', 'a'],
  () => ['Rec', 'b'],
  () => ['Uni', 'a'],
  () => ['int', 'a'],
);
calls(
  'offsetof',
  () => ['Rec', 5],
  () => ['Rec'],
  () => [],
  () => ['Rec *', 'a'],
  () => ['Op', 'a'],
);
calls(
  'offsetof',
  () => ['Rec', ''],
  (k) => [k.type('Rec'), 'a'],
  () => ['nope', 'a'],
);

ask('union values', (k) => {
  const value = new k.Union('Uni');
  const seen = [Object.keys(value), Object.getPrototypeOf(value).constructor.name];
  value.a = 5;
  seen.push(value.a);
  value.b = 'any';
  seen.push(value.b, value.nope);
  return seen;
});
ask('Union without new', (k) => k.Union('Uni'));
ask('Union without argument', (k) => new k.Union());
ask('Union of an integer', (k) => new k.Union('int'));
ask('Union of a number', (k) => new k.Union(5));
ask('empty union', (k) => new k.Union('Uni').a);
ask('another member', (k) => {
  const value = new k.Union('Uni');
  value.a = 1;
  return value.b;
});
ask('TypeObject', (k) => new k.TypeObject());
ask('names of types', (k) => Object.keys(k.types));
ask('reset', (k) => {
  k.reset();
  return k.type('Rec');
});
ask('same objects', (k) => [
  k.type('int') === k.types.int,
  k.type('Rec') === k.introspect('Rec'),
  k.type('int *') === k.pointer('int'),
  k.type('int [3]') === k.array('int', 3),
  k.type('char *') === k.types.str,
  k.type('string') === k.types.str,
  k.type('const int') === k.types.int,
  k.introspect(k.type('Rec')) === k.type('Rec'),
]);
for (const make of [(k) => k.array('int', 'len', 8), (k) => k.pointer(null, 'int', 'len')]) {
  ask(`same object ${make}`, (k) => {
    const [first, second] = [make(k), make(k)];
    return first === second;
  });
}
// The last one: 3.3.4 aborts in some later case.
ask('union instead of an opaque type', (k) => k.union(k.type('Op'), { a: 'int', o: 'Op *' }));
