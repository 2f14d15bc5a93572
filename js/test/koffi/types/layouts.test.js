'use strict';
// Random records, laid out by us and by the C compiler.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { api: koffi, resetNames } = require('../../../koffi/types');
const { randomOf, seedOf } = require('../../support/random');

const RECORDS = 300;

/** C spellings of the primitives that are members. */
const PRIMITIVES = {
  bool: '_Bool',
  char: 'char',
  int8_t: 'signed char',
  uchar: 'unsigned char',
  short: 'short',
  uint16_be_t: 'unsigned short',
  int: 'int',
  uint32: 'unsigned int',
  long: 'long',
  int64: 'long long',
  float: 'float',
  double: 'double',
  char16_t: 'unsigned short',
  wchar_t: 'wchar_t',
  str: 'char *',
  'void *': 'void *',
  'int **': 'int **',
};

/** Random definitions: our own call and the same in C. */
function definitions({ below, chance, pick }) {
  const names = [];
  const member = (i) => {
    const nested = names.length > 0 && chance(0.3);
    const type = nested ? pick(names) : pick(Object.keys(PRIMITIVES));
    const dims = Array.from({ length: chance(0.3) ? 1 + below(2) : 0 }, () => 1 + below(4));
    // Dimensions nest from left to right, so C has them the other way round.
    const text = type + dims.map((n) => `[${n}]`).join('');
    const align = chance(0.15) ? pick([1, 2, 4, 8]) : undefined;
    const base = nested ? type : PRIMITIVES[type];
    const name = chance(0.1) ? '_' : `m${i}`;
    const c = `${base} m${i}${dims
      .reverse()
      .map((n) => `[${n}]`)
      .join('')}`;
    return { name, text, align, c };
  };
  return Array.from({ length: RECORDS }, (_, i) => {
    const name = `R${i}`;
    const how = pick(['struct', 'struct', 'pack', 'union']);
    const list = Array.from({ length: 1 + below(6) }, (__, j) => member(j));
    // One padding member per name in JavaScript; C has no such limit, and no such names.
    const once = list.filter(
      (m, j) => m.name !== '_' || list.findIndex((n) => n.name === '_') === j,
    );
    names.push(name);
    return { name, how, members: once };
  });
}

/** The record in C. Only gcc's attributes can lower an alignment: packed, then aligned. */
function inC({ name, how, members }) {
  const lines = members.map(({ c, align }) => {
    if (align !== undefined) return `  ${c} __attribute__((packed, aligned(${align})));`;
    return `  ${c}${how === 'pack' ? ' __attribute__((packed))' : ''};`;
  });
  const word = how === 'union' ? 'union' : 'struct';
  const offsets = members.map((_, i) => `(int)offsetof(${name}, ${members[i].c.match(/m\d+/)[0]})`);
  const values = [`(int)sizeof(${name})`, `(int)_Alignof(${name})`, ...offsets];
  return {
    type: `typedef ${word} {\n${lines.join('\n')}\n} ${name};`,
    print: `printf("${values.map(() => '%d').join(' ')}\\n", ${values.join(', ')});`,
  };
}

test('the C compiler lays out the same', () => {
  const seed = seedOf();
  const list = definitions(randomOf(seed));
  const parts = list.map(inC);
  const source = [
    '#include <stddef.h>\n#include <stdio.h>\n#include <wchar.h>',
    ...parts.map((part) => part.type),
    `int main(void) {\n${parts.map((part) => `  ${part.print}`).join('\n')}\n  return 0;\n}`,
  ].join('\n');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ffi-jit-layouts-'));
  try {
    const file = path.join(folder, 'layouts.c');
    const program = path.join(folder, 'layouts');
    fs.writeFileSync(file, source);
    execFileSync(process.env.CC || 'cc', ['-std=c11', '-w', '-o', program, file]);
    const lines = execFileSync(program, { encoding: 'utf8' }).trim().split('\n');
    resetNames();
    list.forEach(({ name, how, members }, i) => {
      const given = members.map((m) => [
        m.name,
        m.align === undefined ? m.text : [m.align, m.text],
      ]);
      const type = koffi[how](name, Object.fromEntries(given));
      const [size, align, ...offsets] = lines[i].split(' ').map(Number);
      const shown = members.map((m) => type.members[m.name]?.offset);
      const expected = members.map((m, j) => (m.name === '_' ? undefined : offsets[j]));
      const where = `seed ${seed}, ${how} ${parts[i].type}`;
      assert.deepEqual([type.size, type.alignment, shown], [size, align, expected], where);
    });
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
