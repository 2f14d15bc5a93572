'use strict';
// Structs and unions.

const { ask, calls, RECORD } = require('./list');

for (const how of ['struct', 'pack', 'union']) {
  calls(
    how,
    () => [],
    () => [5],
    () => ['A', 5],
    () => ['A'],
    () => ['A', null],
    () => ['A', ['int']],
  );
  calls(
    how,
    () => ['A', () => 1],
    () => ['A', {}],
    () => [{}],
    () => [undefined, undefined],
  );
  calls(
    how,
    () => ['1A', { a: 'int' }],
    () => ['A', { 1: 'int' }],
    () => ['A', { 'a b': 'int' }],
  );
  calls(
    how,
    () => ['', { a: 'int' }],
    () => ['int', { a: 'int' }],
    () => ['str', { a: 'int' }],
  );
  calls(
    how,
    () => ['int *', { a: 'int' }],
    () => [{ a: 'int' }, { b: 'int' }],
  );
  calls(
    how,
    (k) => [k.out('int *'), { b: 'int' }],
    () => ['Rec', { a: 'int' }],
  );
  calls(
    how,
    () => ['A', { a: 'void' }],
    () => ['A', { a: 'A' }],
    () => ['A', { a: 'nope' }],
  );
  calls(
    how,
    () => ['A', { a: 'Op' }],
    () => ['A', { a: 'Cb' }],
    () => ['A', { a: 'Vf *' }],
  );
  calls(
    how,
    () => ['A', { a: 'A[2]' }],
    () => ['A', { a: 5 }],
    () => ['A', { a: null }],
  );
  calls(how, () => ['A', { a: 'Cb *', b: 'Op *', c: 'Rec', d: 'Uni', e: 'Enum', f: 'str' }]);
  calls(how, () => ['A', { a: 'A *', b: 'A **', c: 'int' }]);
  calls(how, () => ['A', { a: [2, 'int'], b: [8, 'char'], c: 'double' }]);
  calls(
    how,
    () => ['A', { a: [3, 'int'] }],
    () => ['A', { a: [16, 'int'] }],
    () => ['A', { a: [2] }],
  );
  calls(
    how,
    () => ['A', { a: [2, 'int', 5] }],
    () => ['A', { a: ['2', 'int'] }],
    () => ['A', { a: [] }],
  );
  calls(
    how,
    () => ['A', { a: 'char', _: 'int', b: 'char' }],
    () => ['A', { _: 'int' }],
  );
  calls(how, () => ['A', { a: 'char', b: 'char[3]', c: 'short', d: 'Rec[3]', e: 'float' }]);
  calls(
    how,
    (k) => ['A', { a: k.out('int *') }],
    () => [{ a: 'int' }],
    () => [null, { a: 'int' }],
  );
  calls(how, () => ['A', Object.create({ p: 'int' }, { q: { value: 'int', enumerable: true } })]);
  calls(
    how,
    () => ['A', new Map()],
    () => ['A', { a: 'const int' }],
    () => ['A', { a: ' int ' }],
  );
  calls(
    how,
    () => ['A', { a: '' }],
    () => ['A', { [Symbol('x')]: 'int', a: 'int' }],
  );
  calls(
    how,
    () => ['const', { a: 'int' }],
    () => ['_In_', { a: 'int' }],
  );
  calls(
    how,
    () => ['A', { constructor: 'int', toString: 'int' }],
    () => ['A', { a: 'int[20000000]' }],
  );
  calls(how, [
    () => ['A', JSON.parse('{"__proto__": "int", "a": "char"}')],
    `A ${how === 'union' ? 'Union' : 'Record'} ${{ struct: '8 4', pack: '5 1', union: '4 4' }[how]} ` +
      `${RECORD} members(__proto__ int 0,a char ${how === 'union' ? 0 : 4})`,
    '3.3.4 loses the member',
  ]);
  calls(how, [
    () => ['\u00e9t\u00e9', { '\u540d': 'int' }],
    `\u00e9t\u00e9 ${how === 'union' ? 'Union' : 'Record'} 4 ${how === 'pack' ? 1 : 4} ` +
      `${RECORD} members(\u540d int 0)`,
    'names are Unicode identifiers (spec 2.6)',
  ]);
}
for (const how of ['struct', 'pack']) {
  calls(how, (k) => [k.type('Op'), { a: 'int8', b: 'int', o: 'Op *' }]);
  calls(how, (k) => [k.type('Op'), { a: 'Op' }]);
  calls(how, (k) => [k.type('Op'), { a: 'Op[3]' }]);
  for (const type of ['Rec', 'int', 'void', 'Cb']) {
    ask(`${how} instead of ${type}`, (k) => k[how](k.type(type), { a: 'int' }));
  }
  calls(how, (k) => ['A', { len: 'int', v: k.array('int', 'len', 8) }]);
  calls(how, (k) => ['A', { v: k.array('int', 'len', 8), len: 'int' }]);
  calls(how, (k) => ['A', { len: 'double', v: k.array('int', 'len', 8) }]);
  calls(how, (k) => ['A', { v: k.array('int', 'nope', 8) }]);
  calls(how, (k) => ['A', { len: 'size_t', v: k.pointer(null, 'int', 'len') }]);
  calls(how, (k) => ['A', { v: k.pointer(null, 'int', 'len'), w: 'int', len: 'uint8' }]);
  calls(how, (k) => ['A', { len: 'int64_be', v: k.array('int', 'len', 8) }]);
  calls(how, (k) => ['A', { len: 'bool', v: k.array('int', 'len', 8) }]);
  calls(how, (k) => ['A', { len: 'str', v: k.array('int', 'len', 8) }]);
  calls(how, (k) => ['A', { v: k.array('int', 'v', 8) }]);
  calls(how, (k) => ['A', { _: 'int', v: k.array('int', '_', 8) }]);
  calls(how, (k) => ['A', { len: 'int', v: k.array('char', 'len', 3), w: 'char' }]);
}
calls('union', (k) => ['A', { n: 'int', a: k.array('int', 'n', 3) }]);
calls('union', (k) => ['A', { n: 'int', a: k.pointer(null, 'int', 'n') }]);
