'use strict';
// The primitive types and their names, under the data model of this machine.

const { native } = require('../../core/loader.js');
const { makeType, scalar } = require('./model.js');
const { builtin, heads } = require('./names.js');
const { pointerTo } = require('./derived.js');

/** The byte order of this machine. */
const MACHINE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 'LE' : 'BE';

/** Every name, in Koffi's order: the map that programs see as `koffi.types`. */
const types = {};

function add(type, ...names) {
  for (const name of names) {
    builtin.set(name, type);
    if (name.includes(' ')) heads.add(name.slice(0, name.indexOf(' ')));
    types[name] = type;
  }
  return type;
}

const primitive = (name, kind, notation, word, more) =>
  makeType(scalar(kind, notation, { name, primitive: word, ...more }));

function integer(size, signed, [name, ...aliases], { swapped = false, character = false } = {}) {
  const word = `${signed ? 'Int' : 'UInt'}${size * 8}${swapped ? 'S' : ''}`;
  const notation = `${signed ? 'i' : 'u'}${size * 8}`;
  add(primitive(name, 'int', notation, word, { signed, swapped, character }), name, ...aliases);
}

/** `int16_t`, `int16` and the same in both byte orders. */
function exact(size, signed) {
  const stem = `${signed ? '' : 'u'}int${size * 8}`;
  integer(size, signed, [`${stem}_t`, stem]);
  if (size === 1) return;
  for (const [order, machine] of [
    ['le', 'LE'],
    ['be', 'BE'],
  ]) {
    const swapped = machine !== MACHINE;
    integer(size, signed, [`${stem}_${order}_t`, `${stem}_${order}`], { swapped });
  }
}

/** A signed C type and its unsigned twin. */
function pair(size, names, unsigned) {
  integer(size, true, names);
  integer(size, false, unsigned);
}

function addAll() {
  const character = { character: true };
  const { longSize, pointerSize, wcharSize } = native;

  const nothing = { kind: 'void', size: 0, align: 0, notation: () => 'void' };
  add(makeType({ name: 'void', primitive: 'Void', ...nothing }), 'void');
  add(primitive('bool', 'bool', 'bool', 'Bool'), 'bool');
  exact(1, true);
  exact(1, false);
  integer(1, true, ['char'], character);
  integer(1, false, ['unsigned char', 'uchar']);
  integer(2, true, ['char16_t', 'char16'], character);
  integer(4, true, ['char32_t', 'char32'], character);
  integer(wcharSize, true, ['wchar_t', 'wchar'], character);
  exact(2, true);
  exact(2, false);
  pair(2, ['short'], ['unsigned short', 'ushort']);
  exact(4, true);
  exact(4, false);
  pair(4, ['int'], ['unsigned int', 'uint']);
  exact(8, true);
  exact(8, false);
  pair(pointerSize, ['intptr_t', 'intptr'], ['uintptr_t', 'uintptr']);
  integer(pointerSize, false, ['size_t']);
  pair(longSize, ['long'], ['unsigned long', 'ulong']);
  pair(8, ['long long', 'longlong'], ['unsigned long long', 'ulonglong']);
  add(primitive('float', 'float', 'f32', 'Float32'), 'float', 'float32');
  add(primitive('double', 'float', 'f64', 'Float64'), 'double', 'float64');

  const string = (of, ...names) => add(pointerTo(types[of]), ...names);
  string('char', 'str', 'string');
  string('char16_t', 'str16', 'string16');
  string('char32_t', 'str32', 'string32');
  string('wchar_t', 'wstring');
}

addAll();
Object.freeze(types);

module.exports = { types };
