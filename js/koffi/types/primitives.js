'use strict';
// The primitive types and their names, under the data model of this machine.

const { native } = require('../../core/loader.js');
const { makeType, scalar } = require('./model.js');
const { builtin, heads, lookup } = require('./names.js');
const { pointerTo } = require('./derived.js');

/** The byte order of this machine. */
const MACHINE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 'LE' : 'BE';

/** Names a type that is made when one of its names is first looked up. */
function add(names, make) {
  const makeOnce = () => {
    const type = make();
    for (const name of names) builtin.set(name, type);
    return type;
  };
  for (const name of names) {
    builtin.set(name, makeOnce);
    if (name.includes(' ')) heads.add(name.slice(0, name.indexOf(' ')));
  }
}

/** A scalar that has the first of its names. */
const primitive = (names, kind, notation, word, more) =>
  add(names, () => makeType(scalar(kind, notation, { name: names[0], primitive: word, ...more })));

function integer(size, signed, names, { swapped = false, character = false } = {}) {
  const word = `${signed ? 'Int' : 'UInt'}${size * 8}${swapped ? 'S' : ''}`;
  const notation = `${signed ? 'i' : 'u'}${size * 8}`;
  primitive(names, 'int', notation, word, { signed, swapped, character });
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
  add(['void'], () => makeType({ name: 'void', primitive: 'Void', ...nothing }));
  primitive(['bool'], 'bool', 'bool', 'Bool');
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
  primitive(['float', 'float32'], 'float', 'f32', 'Float32');
  primitive(['double', 'float64'], 'float', 'f64', 'Float64');

  const string = (of, ...names) => add(names, () => pointerTo(lookup(of)));
  string('char', 'str', 'string');
  string('char16_t', 'str16', 'string16');
  string('char32_t', 'str32', 'string32');
  string('wchar_t', 'wstring');
}

addAll();

/** All of them by name, in Koffi's order: the object that programs see as `koffi.types`. */
let all;

/** Makes what has not been looked up yet. */
function allTypes() {
  all ??= Object.freeze(
    Object.fromEntries([...builtin.keys()].map((name) => [name, lookup(name)])),
  );
  return all;
}

module.exports = { allTypes };
