'use strict';
// Every error of the dialect has a class, a text and a code, and says what there is to say of the
// value: a table of bad input for all places that throw, and a look at the sources, in which no
// error is made without a code.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const { koffi, lib, outcome } = require('../support/koffi');

const TYPE = 'ERR_FFI_INVALID_TYPE';
const ARGUMENT = 'ERR_FFI_INVALID_ARGUMENT';

koffi.opaque('Op');
const Rec = koffi.struct('Rec', { a: 'int', b: 'double' });
const Uni = koffi.union('Uni', { a: 'int', b: 'double' });
koffi.proto('int Cb(int)');
koffi.proto('int Vf(int, ...)');
koffi.disposable('Mine', 'str');
const Other = koffi.union('Other', { a: 'int' });
const buffer = Buffer.alloc(4);
const pointer = koffi.alloc('int', 4);
const add = lib.func('int int_add(int a, int b)');
const echo = lib.func('int int_add(int a, Rec *b)');

/** What: [attempt, class, code, text, details of the error] */
const TABLE = {
  types: [
    [() => koffi.type(), TypeError, ARGUMENT, 'Expected 1 argument, got 0', { received: 0 }],
    [() => koffi.type(5), TypeError, TYPE, /as type specifier/, { received: 'Number' }],
    [() => koffi.type('nope'), TypeError, TYPE, "Unknown or invalid type name 'nope'"],
    [() => koffi.type('int[x]'), Error, TYPE, 'Invalid array length'],
    [() => koffi.type('int[0]'), Error, TYPE, 'Invalid array length'],
    [() => koffi.type('int[3'), Error, TYPE, "Expected ']' after array length"],
    [() => koffi.type('int #'), Error, TYPE, "Unexpected character '#' in type specifier"],
    [() => koffi.type('int!'), Error, TYPE, /for non-pointer/],
    [() => koffi.type('int*********'), Error, TYPE, 'Too many type indirections'],
    [() => koffi.type('void[2]'), TypeError, TYPE, /array of empty or incomplete type/],
    [() => koffi.type('int[99999999]'), TypeError, TYPE, /Array length is too high/],
    [() => new koffi.TypeObject(), Error, TYPE, /cannot be constructed manually/],
    [() => koffi.offsetof(Rec), TypeError, ARGUMENT, 'Expected 2 arguments, got 1'],
    [() => koffi.offsetof('int', 'a'), TypeError, TYPE, /only be used with record types/],
    [() => koffi.offsetof(Rec, 5), TypeError, ARGUMENT, /for member/, { argument: 1 }],
    [() => koffi.offsetof(Rec, 'z'), TypeError, ARGUMENT, /does not have member 'z'/],
    [() => koffi.sizeof('Opp'), TypeError, TYPE, /Unknown or invalid/],
    [() => koffi.alignof(), TypeError, ARGUMENT, /Expected 1 argument/],
    [() => koffi.alias('x'), TypeError, ARGUMENT, /Expected 2/],
    [() => koffi.alias(5, 'int'), TypeError, ARGUMENT, /for name/, { argument: 0 }],
    [() => koffi.alias('1x', 'int'), Error, TYPE, "Invalid type name '1x'"],
    [() => koffi.alias('int', 'int'), Error, TYPE, "Duplicate type name 'int'"],
    [() => koffi.opaque(5), TypeError, ARGUMENT, /for name, expected string/, { argument: 0 }],
  ],
  derived: [
    [() => koffi.pointer(), TypeError, ARGUMENT, /Expected 1 to 3/],
    [() => koffi.pointer('int', 5), TypeError, ARGUMENT, /Value of count must be between/],
    [() => koffi.pointer('P', 'int', {}), TypeError, ARGUMENT, /for count/, { argument: 2 }],
    [() => koffi.array('int'), TypeError, ARGUMENT, /Expected 2 to 4/],
    [() => koffi.array('int', {}), TypeError, ARGUMENT, /for len/, { argument: 1 }],
    [() => koffi.array('int', 'n'), TypeError, ARGUMENT, 'Missing maxLen argument'],
    [() => koffi.array('int', 'n', {}), TypeError, ARGUMENT, /for maxLen/, { argument: 2 }],
    [() => koffi.array('int', 0), TypeError, ARGUMENT, /must be positive and non-zero/],
    [() => koffi.array('int', 2, 5), TypeError, ARGUMENT, /for hint/, { argument: 2 }],
    [() => koffi.array('int', 2, 'x'), Error, ARGUMENT, /hint must be/],
    [() => koffi.array(Rec, 2, 'Typed'), Error, TYPE, /cannot be used with type Rec/],
    [() => koffi.array('int64', 2, 'String'), Error, TYPE, /Array hint 'String'/],
    [() => koffi.disposable(), TypeError, ARGUMENT, /Expected 1 or 2/],
    [() => koffi.disposable('int'), TypeError, TYPE, /expected pointer or string type/],
    [() => koffi.disposable('Mine'), TypeError, TYPE, /to create new disposable/],
    [() => koffi.disposable('D', 'str', 5), TypeError, ARGUMENT, /for func/, { argument: 2 }],
    [() => koffi.out('int'), TypeError, TYPE, /expected pointer or string type/],
    [() => koffi.inout(), TypeError, ARGUMENT, /Expected 1 argument/],
  ],
  records: [
    [() => koffi.struct(), TypeError, ARGUMENT, /Expected 1 or 2/],
    [() => koffi.struct('S'), TypeError, ARGUMENT, /for members/, { argument: 1 }],
    [() => koffi.struct(5, {}), TypeError, ARGUMENT, /for name/, { argument: 0 }],
    [() => koffi.struct('S', {}), Error, TYPE, /Empty type/],
    [() => koffi.struct('S', { 1: 'int' }), Error, TYPE, "Invalid member name '1'"],
    [() => koffi.struct('S', { a: 'void' }), TypeError, TYPE, /cannot be used as a member/],
    [() => koffi.struct('S', { a: [1] }), Error, TYPE, /must contain alignement/],
    [() => koffi.struct('S', { a: [3, 'int'] }), Error, TYPE, /must be 1, 2, 4 or 8/],
    [() => koffi.struct(Rec, { a: 'int' }), TypeError, TYPE, /Cannot redefine/],
    [() => koffi.struct('Rec', { a: 'int' }), Error, TYPE, /Duplicate type name/],
    [() => koffi.struct({ a: 'int[16000000]', b: 'int[16000000]' }), Error, TYPE, /too high/],
    [() => koffi.struct({ a: koffi.array('int', 'n', 2) }), Error, TYPE, /does not have member/],
    [
      () => koffi.struct({ n: 'float', a: koffi.array('int', 'n', 2) }),
      Error,
      TYPE,
      /not an integer/,
    ],
    [
      () => koffi.struct({ n: 'int', a: koffi.array('int', 'n', 2), z: 'int' }),
      Error,
      TYPE,
      /not the last member/,
    ],
    [
      () => koffi.union({ n: 'int', a: koffi.array('int', 'n', 2) }),
      TypeError,
      TYPE,
      /inside of union/,
    ],
    [() => koffi.Union(Uni), TypeError, ARGUMENT, /must be called with new/],
    [() => new koffi.Union(), TypeError, ARGUMENT, /Expected 1 argument/],
    [() => new koffi.Union('int'), TypeError, TYPE, 'Expected union type, got Int32'],
    [() => new koffi.Union(Uni).a, Error, ARGUMENT, /empty union value/],
    [() => koffi.enumeration(), TypeError, ARGUMENT, /Expected 1 or 2/],
    [() => koffi.enumeration('E', 5), TypeError, ARGUMENT, /for values/, { argument: 1 }],
    [() => koffi.enumeration(5, {}), TypeError, ARGUMENT, /for name/, { argument: 0 }],
    [() => koffi.enumeration({ A: 'x' }), TypeError, ARGUMENT, /for enumeration value/],
    [() => koffi.enumeration({ A: 2n ** 70n }), Error, TYPE, /storage type wide enough/],
    [() => koffi.enumeration({ A: 1 }, 'float'), TypeError, TYPE, /Expected integer type/],
  ],
  prototypes: [
    [() => koffi.proto(), TypeError, ARGUMENT, /Expected 1 to 4/],
    [() => koffi.proto(5), TypeError, ARGUMENT, /for prototype/, { received: 'Number' }],
    [() => koffi.proto('int f('), Error, TYPE, /Unexpected end of prototype/],
    [() => koffi.proto('int f(int int int)'), Error, TYPE, /Unexpected token/],
    [() => koffi.proto('int f() x'), Error, TYPE, /after prototype/],
    [() => koffi.proto('nope f()'), Error, TYPE, /Unknown or invalid type name/],
    [() => koffi.proto('int f(int a[3])'), Error, TYPE, /decay to pointers/],
    [() => koffi.proto('int f(void, int)'), Error, TYPE, /cannot be used as a parameter/],
    [() => koffi.proto('Op f()'), Error, TYPE, /not allowed to directly return/],
    [() => koffi.proto('f', 'int', ['void']), TypeError, TYPE, /as a parameter/, { argument: 0 }],
    [() => koffi.proto('f', 'Op', []), TypeError, TYPE, /not allowed to directly return/],
    [() => koffi.proto('f', 'int', Array(65).fill('int')), TypeError, TYPE, /more than 64/],
    [() => koffi.proto('__cdecl', 'f'), TypeError, ARGUMENT, /Expected 3 or 4/],
    [() => koffi.proto(5, 'int', []), TypeError, ARGUMENT, /for name/],
    [() => lib.func('f', 'int', 5), TypeError, ARGUMENT, /expected an array/],
    [() => lib.func('missing_here', 'int', []), Error, 'ERR_FFI_SYMBOL', /Cannot find function/],
    [() => lib.symbol('missing_here'), Error, 'ERR_FFI_SYMBOL', /Cannot find symbol/],
    [() => lib.symbol(), TypeError, ARGUMENT, /Expected 1 argument/],
    [() => lib.symbol(5), TypeError, ARGUMENT, /for name/, { argument: 0 }],
    [() => new koffi.LibraryHandle(), TypeError, ARGUMENT, 'Illegal constructor'],
    [() => koffi.load(), TypeError, ARGUMENT, /Expected 1 or 2/],
    [() => koffi.load(5), TypeError, ARGUMENT, /for filename/, { argument: 0 }],
    [() => koffi.load(null, 5), TypeError, ARGUMENT, /for options/, { argument: 1 }],
    [() => koffi.load('/nowhere.so'), Error, 'ERR_FFI_LIBRARY', /Failed to load shared library/],
  ],
  calls: [
    [() => add(1), TypeError, ARGUMENT, 'Expected 2 arguments, got 1', { expected: 2 }],
    [() => add(1, 'x'), TypeError, ARGUMENT, /expected number/, { argument: 1, path: undefined }],
    [
      () => echo(1, { a: 'x' }),
      TypeError,
      ARGUMENT,
      /expected number/,
      { argument: 1, path: '.a' },
    ],
    [() => echo(1, [1]), TypeError, ARGUMENT, /Unexpected Number value/],
    [() => echo(1, true), TypeError, ARGUMENT, /expected Rec \*/, { received: 'Boolean' }],
    [() => add.async(1), TypeError, ARGUMENT, 'Expected 3 arguments, got 1'],
    [() => add.async(1, 2, 3), TypeError, ARGUMENT, /Expected callback function/, { argument: 2 }],
  ],
  memory: [
    [() => koffi.as(1), TypeError, ARGUMENT, /Expected 2/],
    [() => koffi.as(1, 'int'), TypeError, TYPE, /Only pointer or string types/, { argument: 1 }],
    [() => koffi.address(), TypeError, ARGUMENT, /Expected 1 argument/],
    [() => koffi.address('x'), TypeError, ARGUMENT, /for ptr/, { received: 'String' }],
    [() => koffi.decode(pointer), TypeError, ARGUMENT, /Expected 2 to 4/],
    [() => koffi.decode(pointer, 0), TypeError, ARGUMENT, /Expected 3 or 4/],
    [() => koffi.decode(null, 'int'), Error, ARGUMENT, /NULL pointer/],
    [() => koffi.decode('x', 'int'), TypeError, ARGUMENT, /for reference/],
    [() => koffi.decode(pointer, 'void'), TypeError, TYPE, /Cannot decode value of type void/],
    [() => koffi.decode(pointer, 'double', -1), TypeError, TYPE, /null-terminated length/],
    [() => koffi.decode(pointer, 'int', 1e15), TypeError, ARGUMENT, /Array length is too high/],
    [() => koffi.decode.string(pointer, 1e15), TypeError, ARGUMENT, /Array length is too high/],
    [() => koffi.encode(pointer, 'int', [], 1e15), TypeError, ARGUMENT, /length is too high/],
    [() => koffi.view(pointer, 1e15), TypeError, ARGUMENT, /Array length is too high/],
    [() => koffi.decode(pointer, 'int', {}), TypeError, ARGUMENT, /for length/],
    [() => koffi.decode(buffer, 1, 'int'), Error, ARGUMENT, /Expected buffer with size/],
    [() => koffi.decode(buffer, -1, 'int'), Error, ARGUMENT, 'Offset must be >= 0'],
    [() => koffi.decode.int(), TypeError, ARGUMENT, 'Expected 1 argument, got 0'],
    [() => koffi.decode.string(), TypeError, ARGUMENT, 'Expected 1 to 2 arguments, got 0'],
    [() => koffi.encode(pointer, 'int'), TypeError, ARGUMENT, /Expected 3 to 5/],
    [() => koffi.encode(pointer, 0, 'int'), TypeError, ARGUMENT, /Expected 4 or 5/],
    [() => koffi.encode(pointer, 'void', 1), TypeError, TYPE, /Cannot encode value of type void/],
    [() => koffi.encode(pointer, 'int', 'x'), TypeError, ARGUMENT, /expected number/],
    [() => koffi.encode(pointer, 'int', [1], -1), TypeError, ARGUMENT, /a length is needed/],
    [() => koffi.encode(pointer, 'int', 5, 2), TypeError, ARGUMENT, /expected array/],
    [() => koffi.encode(pointer, 'Cb *', () => 1), Error, ARGUMENT, /non-registered callback/],
    [() => koffi.encode(pointer, Uni, {}), Error, ARGUMENT, /single property name/],
    [() => koffi.encode(pointer, Uni, { q: 1 }), Error, ARGUMENT, /Unknown member q/],
    [() => koffi.encode(pointer, Uni, new koffi.Union(Uni)), Error, ARGUMENT, /ambiguous empty/],
    [() => koffi.encode(pointer, Uni, new koffi.Union(Other)), TypeError, ARGUMENT, /got Other/],
    [() => koffi.alloc('int'), TypeError, ARGUMENT, /Expected 2/],
    [() => koffi.alloc('int', 'x'), TypeError, ARGUMENT, /for length/, { argument: 1 }],
    [() => koffi.alloc('int', 0), Error, ARGUMENT, 'Size must be greater than 0'],
    [() => koffi.alloc('void', 1), TypeError, TYPE, /zero-sized type void/],
    [() => koffi.alloc('int', 2 ** 52), Error, 'ERR_FFI_OUT_OF_MEMORY', /Failed to allocate/],
    [() => koffi.free(), TypeError, ARGUMENT, /Expected 1 argument/],
    [() => koffi.free('x'), TypeError, ARGUMENT, /for ptr/, { argument: 0 }],
    [() => koffi.view(pointer), TypeError, ARGUMENT, /Expected 2/],
    [() => koffi.view(pointer, 'x'), TypeError, ARGUMENT, /for len/, { argument: 1 }],
    [() => koffi.view(pointer, -1), TypeError, ARGUMENT, /positive/],
    [() => koffi.view(null, 1), Error, ARGUMENT, /NULL/],
    [() => koffi.call(pointer), TypeError, ARGUMENT, /Expected 2 or more/],
    [() => koffi.call(pointer, 'int'), TypeError, ARGUMENT, /function type/, { argument: 1 }],
    [() => koffi.call(null, 'Cb', 1), Error, ARGUMENT, /NULL/],
  ],
  callbacks: [
    [() => koffi.register(() => 1), TypeError, ARGUMENT, 'Expected 2 arguments, got 1'],
    [() => koffi.register(5, 'Cb *'), TypeError, ARGUMENT, /for func/, { argument: 0 }],
    [() => koffi.register(() => 1, 'Cb'), TypeError, TYPE, /<callback> \* type/, { argument: 1 }],
    [() => koffi.register(() => 1, 'Vf *'), TypeError, TYPE, /Variadic functions/],
    [() => koffi.unregister(), TypeError, ARGUMENT, 'Expected 1 argument, got 0'],
    [() => koffi.unregister('x'), TypeError, ARGUMENT, /for id/, { argument: 0 }],
    [() => koffi.unregister(5), Error, ARGUMENT, /matching registered callback/],
  ],
  settings: [
    [() => koffi.config(5), TypeError, ARGUMENT, /for config/, { argument: 0 }],
    [() => koffi.config({ x: 1 }), Error, ARGUMENT, /Unexpected config member/],
    [() => koffi.config({ max_type_size: 'x' }), TypeError, ARGUMENT, /expected number/],
    [() => koffi.config({ max_type_size: 1 }), Error, ARGUMENT, /must be between/],
    [() => koffi.config({ max_type_size: 64 }), Error, ARGUMENT, /Cannot change/],
    [() => koffi.errno('x'), TypeError, ARGUMENT, /for errno/, { argument: 0 }],
    [() => koffi.node.poll(0), TypeError, ARGUMENT, /Expected 2 or 3/],
    [() => koffi.node.poll('x', () => 1), TypeError, ARGUMENT, /for fd/, { argument: 0 }],
    [() => koffi.node.poll(0, 5, () => 1), TypeError, ARGUMENT, /for events/],
    [() => koffi.node.poll(0, 5), TypeError, ARGUMENT, /for callback/],
    [() => koffi.node.poll(0, {}, () => 1), TypeError, ARGUMENT, /Nothing to poll for/],
  ],
};

/** Checks one error. */
function check(error, [attempt, Class, code, message, details = {}]) {
  const what = `${attempt}: ${error.stack}`;
  assert.equal(error.constructor, Class, what);
  assert.equal(error.code, code, what);
  if (typeof message === 'string') assert.equal(error.message, message, what);
  else assert.match(error.message, message, what);
  for (const [key, value] of Object.entries(details)) assert.equal(error[key], value, what);
}

for (const [name, rows] of Object.entries(TABLE)) {
  test(`${name}: ${rows.length} errors`, () => {
    for (const row of rows) {
      let failed = false;
      try {
        row[0]();
      } catch (error) {
        failed = true;
        check(error, row);
      }
      assert.ok(failed, `nothing was thrown by ${row[0]}`);
    }
  });
}

test('errors of arguments go to the callback of an asynchronous call, with a code', async () => {
  const [error] = await outcome(add, 1, 'x');
  assert.equal(error.code, ARGUMENT);
  assert.deepEqual([error.argument, error.expected, error.received], [1, 'number', 'String']);
});

test('no error is made without a code', () => {
  const folder = path.join(__dirname, '../../koffi');
  const files = fs.readdirSync(folder, { recursive: true }).filter((file) => /\.js$/.test(file));
  assert.ok(files.length > 30);
  for (const file of files) {
    const source = fs.readFileSync(path.join(folder, file), 'utf8');
    assert.doesNotMatch(source, /new \w*Error\(|throw (?!error\b)['"`]/, file);
  }
});
