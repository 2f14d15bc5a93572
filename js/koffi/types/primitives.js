'use strict';
// The primitive types and their names, under the data model of this machine.

const { native } = require('../../core/loader.js');
const { makeType, scalar } = require('./model.js');
const { builtin, lookup, makeWith } = require('./names.js');
const { pointerTo } = require('./derived.js');

/** The byte order of this machine. */
const MACHINE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 'LE' : 'BE';

/**
 * A primitive: its names, and what makes it when one of them is first looked up. Most programs use a few
 * of the many.
 * @typedef {[names: string[], make: (row: Row) => TypeObject, ...details: unknown[]]} Row
 */

const nothing = ([[name]]) =>
  makeType({
    ...{ name, primitive: 'Void', kind: 'void', size: 0, align: 0 },
    notation: () => 'void',
  });

const simple = ([[name], , kind, notation, primitive]) =>
  makeType(scalar(kind, notation, { name, primitive }));

/** An integer of `size` bytes; `order` is LE or BE, or undefined for the machine's. */
function integer([[name], , size, signed, order, character = false]) {
  const swapped = order !== undefined && order !== MACHINE;
  const primitive = `${signed ? 'Int' : 'UInt'}${size * 8}${swapped ? 'S' : ''}`;
  const notation = `${signed ? 'i' : 'u'}${size * 8}`;
  return makeType(scalar('int', notation, { name, primitive, signed, swapped, character }));
}

const text = ([, , character]) => pointerTo(lookup(character));

const { longSize, pointerSize, wcharSize } = native;
const CHARACTER = [undefined, true];

/** All primitives, in Koffi's order. */
const ROWS = [
  [['void'], nothing],
  [['bool'], simple, 'bool', 'bool', 'Bool'],
  [['int8_t', 'int8'], integer, 1, true],
  [['uint8_t', 'uint8'], integer, 1, false],
  [['char'], integer, 1, true, ...CHARACTER],
  [['unsigned char', 'uchar'], integer, 1, false],
  [['char16_t', 'char16'], integer, 2, true, ...CHARACTER],
  [['char32_t', 'char32'], integer, 4, true, ...CHARACTER],
  [['wchar_t', 'wchar'], integer, wcharSize, true, ...CHARACTER],
  [['int16_t', 'int16'], integer, 2, true],
  [['int16_le_t', 'int16_le'], integer, 2, true, 'LE'],
  [['int16_be_t', 'int16_be'], integer, 2, true, 'BE'],
  [['uint16_t', 'uint16'], integer, 2, false],
  [['uint16_le_t', 'uint16_le'], integer, 2, false, 'LE'],
  [['uint16_be_t', 'uint16_be'], integer, 2, false, 'BE'],
  [['short'], integer, 2, true],
  [['unsigned short', 'ushort'], integer, 2, false],
  [['int32_t', 'int32'], integer, 4, true],
  [['int32_le_t', 'int32_le'], integer, 4, true, 'LE'],
  [['int32_be_t', 'int32_be'], integer, 4, true, 'BE'],
  [['uint32_t', 'uint32'], integer, 4, false],
  [['uint32_le_t', 'uint32_le'], integer, 4, false, 'LE'],
  [['uint32_be_t', 'uint32_be'], integer, 4, false, 'BE'],
  [['int'], integer, 4, true],
  [['unsigned int', 'uint'], integer, 4, false],
  [['int64_t', 'int64'], integer, 8, true],
  [['int64_le_t', 'int64_le'], integer, 8, true, 'LE'],
  [['int64_be_t', 'int64_be'], integer, 8, true, 'BE'],
  [['uint64_t', 'uint64'], integer, 8, false],
  [['uint64_le_t', 'uint64_le'], integer, 8, false, 'LE'],
  [['uint64_be_t', 'uint64_be'], integer, 8, false, 'BE'],
  [['intptr_t', 'intptr'], integer, pointerSize, true],
  [['uintptr_t', 'uintptr'], integer, pointerSize, false],
  [['size_t'], integer, pointerSize, false],
  [['long'], integer, longSize, true],
  [['unsigned long', 'ulong'], integer, longSize, false],
  [['long long', 'longlong'], integer, 8, true],
  [['unsigned long long', 'ulonglong'], integer, 8, false],
  [['float', 'float32'], simple, 'float', 'f32', 'Float32'],
  [['double', 'float64'], simple, 'float', 'f64', 'Float64'],
  [['str', 'string'], text, 'char'],
  [['str16', 'string16'], text, 'char16_t'],
  [['str32', 'string32'], text, 'char32_t'],
  [['wstring'], text, 'wchar_t'],
];

for (const row of ROWS) for (const name of row[0]) builtin.set(name, row);

/** Makes a primitive, whose names lead to it from now on. */
function makePrimitive(row) {
  const [names, make] = row;
  const type = make(row);
  for (const name of names) builtin.set(name, type);
  return type;
}

/** All of them by name, in Koffi's order: the object that programs see as `koffi.types`. */
let all;

/** Makes what has not been looked up yet. */
function allTypes() {
  all ??= Object.freeze(
    Object.fromEntries([...builtin.keys()].map((name) => [name, lookup(name)])),
  );
  return all;
}

makeWith(makePrimitive);

module.exports = { allTypes };
