'use strict';
// Section 4: cells, unwrapping, restoring, null pointers, buffers over native memory.

const assert = require('node:assert/strict');
const test = require('node:test');
const { types } = require('node:util');
const support = require('../support/ffi');
const { CODES, throwsCoded } = require('../support/assert-coded');
const { ffi, call, arrayOf, structArrayOf, byValue } = support;
const { pointerTo, restore, unwrap, wrap, nullPointer } = support;

const { DataType, PointerType } = ffi;
const D = DataType;
const NOT_EXTERNALS = [0, 1, 'p', null, undefined, {}, [], true, 1n, () => 1, Buffer.alloc(8)];

const SCALARS = [
  ['U8', 200],
  ['I16', -1234],
  ['I32', -123456],
  ['U32', 4000000000],
  ['I64', -(2 ** 40)],
  ['U64', 2 ** 52],
  ['Double', -2.25],
  ['Float', 0.5],
  ['BigInt', -(2n ** 62n)],
  ['Boolean', true],
  ['String', 'gr\u00fc\u00df \u20ac'],
  ['WString', 'gr\u00fc\u00df \u{1F600}'],
];

for (const [name, value] of SCALARS) {
  test(`${name}: a cell keeps its value`, () => {
    const cell = pointerTo(D[name], value);
    assert.ok(types.isExternal(cell));
    assert.deepEqual(restore(D[name], cell), value);
    assert.deepEqual(restore(D[name], cell), value, 'reading leaves it alone');
    ffi.freePointer({
      paramsType: [D[name]],
      paramsValue: [cell],
      pointerType: PointerType.RsPointer,
    });
  });
}

const ARRAYS = [
  ['I16Array', [1, -2, 3]],
  ['I32Array', [1, -2, 3]],
  ['DoubleArray', [0.1, -0, 1e300]],
  ['FloatArray', [0.5, -1.5, 2]],
  ['StringArray', ['a', '', 'gr\u00fc\u00df']],
  ['U8Array', Buffer.from([1, 2, 255])],
];

for (const [name, value] of ARRAYS) {
  test(`${name}: a cell keeps its elements, bare and described`, () => {
    for (const type of [D[name], arrayOf(D[name], value.length)]) {
      const cell = pointerTo(type, value);
      assert.deepEqual(restore(arrayOf(D[name], value.length), cell), value);
      ffi.freePointer({
        paramsType: [arrayOf(D[name], value.length)],
        paramsValue: [cell],
        pointerType: PointerType.RsPointer,
      });
    }
  });
}

test('scalars are given to C as they are', () => {
  for (const [name, value] of [
    ['u8', 5],
    ['i16', -5],
    ['i32', -5],
    ['u32', 5],
    ['i64', -5],
    ['u64', 5],
    ['float', 0.5],
    ['double', 0.1],
  ]) {
    const type =
      D[
        {
          u8: 'U8',
          i16: 'I16',
          i32: 'I32',
          u32: 'U32',
          i64: 'I64',
          u64: 'U64',
          float: 'Float',
          double: 'Double',
        }[name]
      ];
    const cell = pointerTo(type, value);
    assert.equal(call(`read_${name}`, type, [D.External], [cell]), value);
    call(`write_${name}`, D.Void, [D.External, type], [cell, 7]);
    assert.equal(restore(type, cell), 7);
  }
  const flag = pointerTo(D.Boolean, true);
  assert.equal(call('read_bool', D.Boolean, [D.External], [flag]), true);
  call('write_bool', D.Void, [D.External, D.Boolean], [flag, false]);
  assert.equal(restore(D.Boolean, flag), false);
});

test('an External cell is a void **', () => {
  const target = call('static_i32_array', D.External);
  const cell = pointerTo(D.External, target);
  assert.equal(address(unwrap(cell)), address(target));
  call('write_pointer', D.Void, [D.External, D.External], [cell, nullPointer()]);
  assert.equal(ffi.isNullPointer(unwrap(cell)), true);
  assert.equal(ffi.isNullPointer(restore(D.External, cell)), true);
});

test('strings are unwrapped for char *', () => {
  const cell = pointerTo(D.String, 'hello');
  assert.equal(call('string_bytes', D.I32, [D.External], [unwrap(cell)]), 5);
  call('upper_string', D.Void, [D.External], [unwrap(cell)]);
  assert.equal(restore(D.String, cell), 'HELLO');
  const wide = pointerTo(D.WString, 'w\u20ac');
  assert.equal(call('wide_length', D.I32, [D.External], [unwrap(wide)]), 2);
});

test('a char ** out parameter', () => {
  const cell = pointerTo(D.String, 'before');
  call('write_static_string', D.Void, [D.External], [cell]);
  assert.equal(restore(D.String, cell), 'static, written by C');
});

test('arrays are unwrapped for T *, and C writes them', () => {
  const cell = pointerTo(D.I32Array, [1, 2, 3]);
  assert.equal(call('sum_i32_array', D.Double, [D.External, D.I32], [unwrap(cell), 3]), 6);
  call('fill_i32_array', D.Void, [D.External, D.I32, D.I32], [unwrap(cell), 3, 10]);
  assert.deepEqual(restore(arrayOf(D.I32Array, 3), cell), [10, 11, 12]);
  call('point_i32_array', D.Void, [D.External], [cell]);
  assert.deepEqual(restore(arrayOf(D.I32Array, 4), cell), [1, 2, 3, 4]);
});

test('a U8Array cell points into the Buffer, and keeps it alive', () => {
  const buffer = Buffer.from([1, 2, 3]);
  const cell = pointerTo(D.U8Array, buffer);
  call('xor_bytes', D.I32, [D.External, D.I32, D.U8], [unwrap(cell), 3, 0xff]);
  assert.deepEqual([...buffer], [254, 253, 252]);
  buffer[0] = 9;
  assert.deepEqual(restore(arrayOf(D.U8Array, 3), cell), Buffer.from([9, 253, 252]));
});

test('restorePointer copies', () => {
  const buffer = Buffer.from([1, 2, 3]);
  const cell = pointerTo(D.U8Array, buffer);
  const copy = restore(arrayOf(D.U8Array, 3), cell);
  buffer[0] = 7;
  assert.equal(copy[0], 1);
});

test('Void makes the null pointer', () => {
  const cell = pointerTo(D.Void, undefined);
  assert.equal(ffi.isNullPointer(cell), false);
  assert.equal(ffi.isNullPointer(unwrap(cell)), true);
  assert.equal(restore(D.Void, cell), undefined);
  assert.equal(call('pointer_is_null', D.Boolean, [D.External], [nullPointer()]), true);
});

test('pointers from C are wrapped to be restored', () => {
  const list = call('static_i32_array', D.External);
  assert.deepEqual(restore(arrayOf(D.I32Array, 3), wrap(list)), [1, 2, 3]);
  const text = call('static_string', D.External);
  assert.equal(restore(D.String, wrap(text)), 'a static string');
  assert.equal(address(unwrap(wrap(text))), address(text));
  assert.equal(restore(D.I32, list), 1, 'a scalar needs no wrapping');
});

test('lists of several pointers', () => {
  const cells = ffi.createPointer({
    paramsType: [D.I32, D.String, D.DoubleArray],
    paramsValue: [5, 'x', [1.5]],
  });
  assert.equal(cells.length, 3);
  const retType = [D.I32, D.String, arrayOf(D.DoubleArray, 1)];
  assert.deepEqual(ffi.restorePointer({ retType, paramsValue: cells }), [5, 'x', [1.5]]);
  assert.equal(ffi.unwrapPointer(cells.slice(1)).length, 2);
  assert.equal(ffi.wrapPointer(cells).length, 3);
  assert.deepEqual(ffi.unwrapPointer([]), []);
  assert.deepEqual(ffi.wrapPointer([]), []);
  assert.deepEqual(ffi.createPointer({ paramsType: [], paramsValue: [] }), []);
  assert.deepEqual(ffi.restorePointer({ retType: [D.I32, D.I32], paramsValue: [cells[0]] }), [5]);
  assert.deepEqual(ffi.restorePointer({ retType: [D.I32], paramsValue: cells }), [5]);
});

test('a NULL inside a cell reads as null', () => {
  const cell = pointerTo(D.Void, undefined);
  assert.equal(restore(D.String, cell), null);
  assert.equal(restore(D.WString, cell), null);
  assert.equal(restore(arrayOf(D.I32Array, 3), cell), null);
  assert.equal(restore({ a: D.I32 }, cell), null);
});

test('structs: a pointer to a pointer, or the struct itself', () => {
  const type = { x: D.I32, y: D.Double };
  const cell = pointerTo(type, { x: 3, y: 4.5 });
  assert.deepEqual(restore(type, cell), { x: 3, y: 4.5 });
  call('points_shift', D.Void, [D.External, D.I32, D.I32], [unwrap(cell), 1, 10]);
  assert.deepEqual(restore(type, cell), { x: 13, y: 4.5 });
  const flat = pointerTo(byValue(type), { x: 5, y: 6.5 });
  call('points_shift', D.Void, [D.External, D.I32, D.I32], [flat, 1, 1]);
  assert.deepEqual(restore(byValue(type), flat), { x: 6, y: 6.5 });
  assert.equal(call('points_sum', D.Double, [D.External, D.I32], [flat, 1]), 12.5);
});

test('struct arrays', () => {
  const item = byValue({ x: D.I32, y: D.Double });
  const value = [
    { x: 1, y: 0.5 },
    { x: 2, y: 0.25 },
  ];
  const cell = pointerTo(structArrayOf(item, 2), value);
  assert.equal(
    call('points_sum', D.Double, [D.External, D.I32], [unwrap(cell), 2]),
    1.5 + 2 * 2.25,
  );
  call('points_shift', D.Void, [D.External, D.I32, D.I32], [unwrap(cell), 2, 100]);
  assert.deepEqual(restore(structArrayOf(item, 2), cell), [
    { x: 101, y: 0.5 },
    { x: 102, y: 0.25 },
  ]);
  const pointers = structArrayOf({ x: D.I32, y: D.Double }, 2);
  const many = pointerTo(pointers, value);
  assert.equal(
    call('point_pointers_sum', D.Double, [D.External, D.I32], [unwrap(many), 2]),
    1.5 + 2 * 2.25,
  );
  assert.deepEqual(restore(pointers, many), value);
});

test('isNullPointer', () => {
  assert.equal(ffi.isNullPointer(call('null_pointer', D.External)), true);
  assert.equal(ffi.isNullPointer(pointerTo(D.I32, 0)), false);
});

test('what is no external is refused everywhere', () => {
  for (const value of NOT_EXTERNALS) {
    throwsCoded(() => ffi.isNullPointer(value));
    throwsCoded(() => ffi.unwrapPointer([value]));
    throwsCoded(() => ffi.wrapPointer([value]));
    throwsCoded(() => restore(D.I32, value));
    throwsCoded(() => ffi.createExternalBuffer(value, 1));
    for (const pointerType of [PointerType.RsPointer, PointerType.CPointer]) {
      throwsCoded(() =>
        ffi.freePointer({ paramsType: [D.I32], paramsValue: [value], pointerType }),
      );
    }
  }
  for (const value of [0, 1, 'p', undefined, {}, true, 1n]) {
    throwsCoded(() => pointerTo(D.External, value), CODES.invalid, /^expect External, got: /);
  }
});

test('the null pointer cannot be followed', () => {
  const none = nullPointer();
  throwsCoded(() => ffi.unwrapPointer([none]));
  for (const type of [
    D.I32,
    D.String,
    arrayOf(D.I32Array, 1),
    { a: D.I32 },
    byValue({ a: D.I32 }),
  ]) {
    throwsCoded(() => restore(type, none));
  }
  assert.equal(ffi.isNullPointer(unwrap(wrap(none))), true);
});

test('arguments that are no lists', () => {
  for (const value of [5, 'text', {}, null, undefined]) {
    throwsCoded(() => ffi.unwrapPointer(value));
    throwsCoded(() => ffi.wrapPointer(value));
    throwsCoded(() => ffi.createPointer({ paramsType: [D.I32], paramsValue: value }));
    throwsCoded(() => ffi.createPointer({ paramsType: value, paramsValue: [1] }));
    throwsCoded(() => ffi.restorePointer({ retType: [D.I32], paramsValue: value }));
    throwsCoded(() => ffi.restorePointer({ retType: value, paramsValue: [] }));
    throwsCoded(() => ffi.freePointer({ paramsType: [D.I32], paramsValue: value, pointerType: 0 }));
  }
  for (const name of [
    'createPointer',
    'restorePointer',
    'freePointer',
    'unwrapPointer',
    'wrapPointer',
  ]) {
    throwsCoded(() => ffi[name]());
  }
});

test('createPointer checks as load does', () => {
  throwsCoded(
    () => ffi.createPointer({ paramsType: [D.I32], paramsValue: [] }),
    CODES.unknown,
    'params_type length is not equal with params_value length',
  );
  throwsCoded(() => pointerTo(D.I32, '5'), CODES.number);
  throwsCoded(() => pointerTo(D.String, 5), CODES.string);
  throwsCoded(() => pointerTo(D.BigInt, 5), CODES.bigint);
  throwsCoded(() => pointerTo(D.I32Array, [1, 'x']), CODES.number);
  throwsCoded(() => pointerTo(55, 5), CODES.type);
  throwsCoded(() => pointerTo('I32', 5), CODES.type);
  throwsCoded(() => restore(55, pointerTo(D.I32, 5)), CODES.type);
  throwsCoded(
    () => restore(D.I32Array, pointerTo(D.I32Array, [5])),
    CODES.type,
    /arrayConstructor/,
  );
  throwsCoded(
    () => pointerTo(ffi.funcConstructor({ paramsType: [], retType: D.Void }), 5),
    CODES.invalid,
    'expect Function, got: Number',
  );
});

test('createExternalBuffer: a view, no copy', () => {
  const list = call('static_u8_array', D.External);
  const view = ffi.createExternalBuffer(list, 4);
  assert.ok(Buffer.isBuffer(view));
  assert.deepEqual([...view], [1, 2, 3, 4]);
  call('xor_bytes', D.I32, [D.External, D.I32, D.U8], [list, 4, 0xff]);
  assert.deepEqual([...view], [254, 253, 252, 251]);
  call('xor_bytes', D.I32, [D.External, D.I32, D.U8], [list, 4, 0xff]);
  view[0] = 77;
  assert.equal(call('at_u8_array', D.U8, [D.External, D.I32], [list, 0]), 77);
  view[0] = 1;
});

test('createExternalBuffer: twice over one address, offsets, cells', () => {
  const cell = pointerTo(D.I32, 0x01020304);
  const a = ffi.createExternalBuffer(cell, 4);
  const b = ffi.createExternalBuffer(cell, 2);
  a.writeInt32LE(0x0a0b0c0d);
  assert.equal(b.readUInt16LE(), 0x0c0d);
  assert.equal(restore(D.I32, cell), 0x0a0b0c0d);
  assert.equal(a.length, 4);
  assert.equal(call('seen_bytes_length', D.I32) >= 0, true);
  call('see_bytes', D.Void, [D.U8Array, D.I32], [b, 2]);
  assert.deepEqual([...call('seen_bytes', arrayOf(D.U8Array, 2))], [0x0d, 0x0c]);
});

test('createExternalBuffer: lengths and errors', () => {
  const cell = pointerTo(D.I32, 1);
  assert.equal(ffi.createExternalBuffer(cell, 0).length, 0);
  throwsCoded(
    () => ffi.createExternalBuffer(nullPointer(), 5),
    'GenericFailure',
    'create_external_buffer: pointer is null',
  );
  throwsCoded(() => ffi.createExternalBuffer(cell, -1), 'ERR_BUFFER_TOO_LARGE');
  throwsCoded(() => ffi.createExternalBuffer(cell), CODES.number);
  throwsCoded(() => ffi.createExternalBuffer(cell, '4'), CODES.number);
});

/** The address as a bigint. */
function address(external) {
  return call('pointer_address', D.BigInt, [D.External], [external]);
}
