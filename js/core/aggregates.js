'use strict';
// Codecs of structs, unions of bytes in a row, and pointers to them. See codecs.js for what a
// codec is.

const { native } = require('./loader.js');
const { POINTER, fail } = require('./codecs.js');
const { copyDirect } = require('./copies.js');
const { clearRanges, gapsBetween } = require('./gaps.js');
const { getNumbers } = require('./results.js');
const { fetch } = require('./routines.js');
const { clear, views } = require('./memory.js');
const { copyInto, subarray } = require('./primordials.js');

/** Members up to which a struct travels in local variables, and so in the fixed frame. */
const SIMPLE_MEMBERS = 24;

/** What a value owns, moved by an offset. */
const shift = (owned, offset) => owned.map(([at, ...rest]) => [at + offset, ...rest]);

/**
 * A struct whose JavaScript value is an object with one property per member.
 * @param {{ name: string, codec: object }[]} members in C order
 */
function record(members) {
  const placed = members.filter(({ codec }) => codec.size > 0);
  const notation = `struct{${placed.map(({ codec }) => codec.notation).join(', ')}}`;
  const [size, align, ...places] = native.layout(notation);
  const offsets = members.map((member) => places[placed.indexOf(member)] ?? 0);
  const leaves = members.reduce((sum, { codec }) => sum + (codec.leaves ?? 1), 0);
  return {
    notation,
    size,
    align,
    leaves,
    gaps: gapsBetween(
      size,
      placed.map(({ codec }, i) => ({ offset: places[i], size: codec.size, gaps: codec.gaps })),
    ),
    simple: leaves <= SIMPLE_MEMBERS && members.every(({ codec }) => codec.simple),
    sure: members.every(({ codec }) => codec.sure),
    spills: members.some(({ codec }) => codec.spills),
    transient: members.some(({ codec }) => codec.transient),
    held: members.some(({ codec }) => codec.held),
    owned: members.flatMap(({ codec }, i) => shift(codec.owned ?? [], offsets[i])),
    take(g, value, where) {
      fail(g, `typeof ${value} !== 'object' || ${value} === null`, value, where, 'Object');
      return members.map(({ name, codec }) => {
        const member = g.local(`${value}[${JSON.stringify(name)}]`);
        return codec.take(g, member, {
          argument: where.argument,
          path: `${where.path}.${name}`,
          field: name,
        });
      });
    },
    put(g, tokens, ref) {
      members.forEach(({ codec }, i) => {
        codec.put(g, tokens[i], ref.plus(offsets[i]));
      });
    },
    hold: (g, tokens, held) =>
      members.forEach(({ codec }, i) => {
        if (codec.held) codec.hold(g, tokens[i], held);
      }),
    get(g, ref) {
      const values = members.map(({ codec }, i) => codec.get(g, ref.plus(offsets[i])));
      const list = members.map(({ name }, i) => `[${JSON.stringify(name)}]: ${values[i]}`);
      return g.local(`{ ${list.join(', ')} }`);
    },
  };
}

/**
 * A pointer to a value that is copied: into scratch memory, and out of C's memory. null is NULL.
 */
function pointerTo(item) {
  return {
    ...POINTER,
    simple: false,
    pointee: item,
    spills: item.spills,
    transient: item.transient,
    direct: item.simple && item.sure ? copyOf(item) : undefined,
    owned: [[0, 2, item.size, item.owned ?? []]],
    take(g, value, where) {
      fail(g, `typeof ${value} !== 'object'`, value, where, 'Object');
      return { value, where };
    },
    put(g, { value, where }, ref) {
      g.emit(`if (${value} === null) putNull(${ref});`);
      g.block('else', () => {
        const at = g.local(`scratch(${item.size})`);
        g.emit(`if (${at} < 0) throw overflow();`);
        const place = new g.Ref(at, 0, 8);
        clearRanges(g, place, item.gaps ?? []);
        g.emit(`putAddress(${ref}, ${at});`);
        item.put(g, item.take(g, value, where), place);
      });
    },
    get: (g, ref) => behind(g, ref, item.size, (at) => item.get(g, at)),
  };
}

/** How a pointer to a copy travels directly. */
const copyOf = (item) =>
  copyDirect({
    fits: (v) => `typeof ${v} === 'object' && ${v} !== null`,
    size: item.size,
    take: item.take,
    put(g, token, place) {
      clearRanges(g, place, item.gaps ?? []);
      item.put(g, token, place);
    },
  });

/** Emits a read of `size` bytes behind a pointer cell; the value is null for NULL. */
function behind(g, ref, size, read) {
  const [value, at] = [g.fresh(), g.fresh()];
  g.emit(`let ${value} = null;`);
  g.emit(`const ${at} = ${g.constant(fetch)}(${ref}, ${size});`);
  g.block(`if (${at} >= 0)`, () => {
    g.emit(`${value} = ${read(new g.Ref(at, 0, native.frameAlign))};`);
  });
  return value;
}

/** The head of a loop over `count` values of `size` bytes from an offset. */
const loop = (i, p, start, count, size) =>
  `for (let ${i} = 0, ${p} = ${start}; ${i} < ${count}; ${i}++, ${p} += ${size})`;

/** Arrays up to this length are read into a literal. */
const LITERAL_LENGTH = 16;

/** Emits the read of `length` elements from a place, into an array. */
function getItems(g, item, length, ref) {
  if (length <= LITERAL_LENGTH) {
    const items = Array.from({ length }, (_, i) => item.get(g, ref.plus(i * item.size)));
    return g.local(`[${items.join(', ')}]`);
  }
  const [list, i, p] = [g.local(`new Array(${length})`), g.fresh('i'), g.fresh('p')];
  g.block(loop(i, p, ref, length, item.size), () => {
    g.emit(`${list}[${i}] = ${item.get(g, new g.Ref(p, 0, item.align))};`);
  });
  return list;
}

/** Emits the loop that stores `count` elements of an array; `put` stores one at an offset. */
function putItems(g, { item, value, count, where }, start, put) {
  const [i, p] = [g.fresh('i'), g.fresh('p')];
  g.block(loop(i, p, start, count, item.size), () => {
    const element = g.local(`${value}[${i}]`);
    const inner = { argument: where.argument, path: `${where.path}[]` };
    put(item.take(g, element, inner), p);
  });
}

/** Emits the same at an offset of frame memory. */
function putItemsAt(g, items, at) {
  const { item } = items;
  putItems(g, items, at, (token, p) => item.put(g, token, new g.Ref(p, 0, item.align)));
}

/** Emits zeros for the elements that a value does not have. */
function clearRest(g, { at, size, count, item, length }) {
  const from = g.local(`${count} * ${item.size}`);
  g.emit(`if (${count} < ${length}) clear(${at} + ${from}, ${size} - ${from});`);
}

/** What `length` values in a row own. */
function ownedItems(item, length) {
  const owned = item.owned ?? [];
  if (owned.length === 0) return [];
  return Array.from({ length }, (_, i) => shift(owned, i * item.size)).flat();
}

/**
 * An array of values in a row inside a struct. A shorter JavaScript array leaves the rest zero; a
 * longer one does not fit.
 */
function inlineArray(item, length) {
  return {
    notation: `${item.notation}[${length}]`,
    size: item.size * length,
    align: item.align,
    leaves: Infinity,
    simple: false,
    spills: item.spills,
    transient: item.transient,
    owned: ownedItems(item, length),
    take(g, value, where) {
      fail(g, `!isArray(${value})`, value, where, 'Array');
      fail(g, `${value}.length > ${length}`, value, where, `Array of at most ${length} elements`);
      return { value, where };
    },
    put(g, { value, where }, ref) {
      const at = g.local(String(ref));
      const count = g.local(`${value}.length`);
      // A getter of another member may have made it longer since.
      fail(g, `${count} > ${length}`, value, where, `Array of at most ${length} elements`);
      const size = item.size * length;
      // The elements leave their gaps as they are.
      if (item.gaps?.length > 0) g.emit(`clear(${at}, ${size});`);
      else clearRest(g, { at, size, count, item, length });
      putItemsAt(g, { item, value, count, where }, at);
    },
    get: (g, ref) => getItems(g, item, length, ref),
  };
}

/** Bytes in a row inside a struct, as a Buffer. */
function inlineBytes(length, accept) {
  const put = (value, at) => {
    clear(at, length);
    copyInto(views.u8, value, at);
  };
  const get = (at) => Buffer.from(subarray(views.u8, at, at + length));
  return {
    notation: `u8[${length}]`,
    size: length,
    align: 1,
    leaves: Infinity,
    simple: false,
    take(g, value, where) {
      fail(g, `!${g.constant(accept)}(${value})`, value, where, 'Buffer');
      fail(g, `${value}.length > ${length}`, value, where, `Buffer of at most ${length} bytes`);
      return value;
    },
    put: (g, token, ref) => g.emit(`${g.constant(put)}(${token}, ${ref});`),
    get: (g, ref) => g.local(`${g.constant(get)}(${ref})`),
  };
}

/**
 * A pointer to an array. As an argument it is a copy of a JavaScript array in scratch memory;
 * C's writes are not copied back. As a result, `length` elements are copied; NULL is null.
 *
 * The copy is as long as the value. It has `length` elements at least (the rest zero) when C may
 * fill them (`padded`), and in a cell, whose owner frees `length` elements.
 */
function pointerToArray(item, length, { padded }) {
  return {
    ...POINTER,
    simple: false,
    readsInPlace: item.View !== undefined && length > LITERAL_LENGTH,
    spills: true,
    transient: item.transient,
    owned: [[0, 2, item.size * length, ownedItems(item, length)]],
    take(g, value, where) {
      fail(g, `!isArray(${value})`, value, where, 'Array');
      return { value, where };
    },
    put(g, { value, where }, ref) {
      const least = padded || g.owning ? length : 0;
      const count = g.local(`${value}.length`);
      const size = g.local(`(${count} > ${least} ? ${count} : ${least}) * ${item.size}`);
      const at = g.local(`scratch(${size})`);
      const items = { item, value, count, where };
      const place = { at, size, ref, isPadded: least > 0 };
      if (item.view === undefined) {
        g.emit(`if (${at} < 0) throw overflow();`);
        storeItems(g, items, place);
      } else {
        g.block(`if (${at} >= 0)`, () => storeItems(g, items, place));
        g.block('else', () => spillItems(g, items, place));
      }
    },
    get(g, ref) {
      if (item.View === undefined || length <= LITERAL_LENGTH) {
        return behind(g, ref, item.size * length, (at) => getItems(g, item, length, at));
      }
      return g.local(`${g.constant(getNumbers)}(${ref}, ${item.view}, ${length})`);
    },
  };
}

/** Emits the store of an array in scratch memory. */
function storeItems(g, items, { at, size, ref, isPadded }) {
  if (isPadded) g.emit(`clear(${at}, ${size});`);
  g.emit(`putAddress(${ref}, ${at});`);
  putItemsAt(g, items, at);
}

/** Emits the store of an array of scalars that is too large for frame memory. */
function spillItems(g, items, { size, ref }) {
  const buffer = g.local(`spill(${size}, ${ref})`);
  const view = g.local(`new DataView(${buffer}.buffer, ${buffer}.byteOffset)`);
  putItems(g, items, 0, (token, p) => items.item.putInto(g, token, view, p));
}

module.exports = { behind, inlineArray, inlineBytes, pointerTo, pointerToArray, record };
