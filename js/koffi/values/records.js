'use strict';
// Codecs of structs: plain objects with one property per member.

const { clearRanges, gapsBetween } = require('../../core/gaps.js');
const { views } = require('../../core/memory.js');
const { internals } = require('../types/model.js');
const codecs = require('./codecs.js');
const dynamic = require('./dynamic.js');
const { plainCondition } = require('./plain.js');

const { u8 } = views;

/** Members up to which a struct of scalars travels in local variables, and so in the fixed frame. */
const SIMPLE_LEAVES = 24;
/** Members up to which the code of a nested struct stands where it is used. */
const INLINE_LEAVES = 64;

/** What stands for a missing nested struct. */
const EMPTY = Object.freeze(Object.create(null));

const zero = (at, size) => {
  u8.fill(0, at, at + size);
};

/** What makes a value no object with members, as an expression. */
const isNoObject = (g, value) =>
  `!(${plainCondition(g, value)}) && ` +
  `(typeof ${value} !== 'object' || ${value} === null || isArray(${value}) || isView(${value}))`;

/** Whether a struct consists of few scalars, wherever they stand. */
const isSimple = (own) => own.leaves <= SIMPLE_LEAVES && hasScalars(own);

const SCALARS = new Set(['bool', 'int', 'float']);
const hasScalars = ({ members }) =>
  members.every(({ type, padding }) => {
    const own = internals(type);
    return padding || SCALARS.has(own.kind) || (own.kind === 'struct' && isSimple(own));
  });

function struct(type, own) {
  const members = own.members.filter(({ padding }) => !padding);
  const list = members.map((member) => ({
    ...member,
    codec: dynamic.codecOf(own, member) ?? codecs.codecOf(member.type),
  }));
  const has = (key) => list.some(({ codec }) => codec[key]);
  const simple = isSimple(own);
  const gaps = gapsBetween(
    own.size,
    list.map(({ offset, codec }) => ({ offset, size: codec.size, gaps: codec.gaps })),
  );

  /** Emits the reads of members; tokens for `putMembers`. */
  function takeMembers(g, value, where) {
    return list.map(({ name, codec }) => {
      const member = g.local(`${value}[${JSON.stringify(name)}]`);
      const path = `${where.path}.${name}`;
      if (!codec.simple) return { member, path };
      const empty = codec.isStruct ? g.constant(EMPTY) : codec.zero;
      const given = g.local(`${member} === undefined ? ${empty} : ${member}`);
      return { token: codec.take(g, given, { ...where, path }) };
    });
  }

  function take(g, value, where) {
    if (!simple) return { value, where };
    const info = g.constant({ ...where, expected: 'object' });
    g.emit(`if (${isNoObject(g, value)}) throw ${g.mismatch}(${info}, ${value});`);
    return takeMembers(g, value, where);
  }

  /** Emits the stores of what takeMembers read; `holder` is the object itself. */
  function putMembers(g, tokens, ref, holder) {
    list.forEach(({ codec, offset }, i) => {
      const { token, member, path } = tokens[i];
      const at = ref.plus(offset);
      if (codec.simple) {
        codec.put(g, token, at);
        return;
      }
      g.block(`if (${member} !== undefined)`, () => {
        const where = { path };
        codec.put(g, codec.take(g, member, where, holder), at);
      });
      g.emit(`else ${g.constant(zero)}(${at}, ${codec.size});`);
    });
  }

  function get(g, ref) {
    if (own.leaves > INLINE_LEAVES) {
      return g.local(`${g.constant(nestedReader(type))}(${ref})`);
    }
    return literal(g, ref);
  }

  /** The object with the members, as an expression. */
  function literal(g, ref) {
    const values = list.map(({ codec, offset }) => codec.get(g, ref.plus(offset), ref));
    const parts = list.map(({ name }, i) => `[${JSON.stringify(name)}]: ${values[i]}`);
    return g.local(`{ ${parts.join(', ')} }`);
  }

  const codec = {
    get notation() {
      return own.notation();
    },
    size: own.size,
    align: own.align,
    isStruct: true,
    simple,
    // Other structs are written by a function that clears their gaps itself.
    gaps: simple ? gaps : undefined,
    readsInPlace: list.every(({ codec: c }) => c.simple || c.readsInPlace),
    spills: has('spills'),
    transient: has('transient'),
    hasPointers: !list.every(({ codec }) => codec.simple || codec.hasPointers === false),
    zero: '{}',
    list,
    take,
    put(g, token, ref) {
      if (simple) {
        putMembers(g, token, ref);
        return;
      }
      const info = g.constant({ ...token.where, expected: 'object' });
      g.emit(`${g.constant(nestedWriter(type))}(${token.value}, ${ref}, ${info}, store);`);
    },
    /** Emits the reads of a plain object, for a simple struct; without `reads`, of none. */
    takePlain: (g, value, where, reads) => (reads ? takeMembers(g, value, where) : undefined),
    /** Emits all of the write of what takePlain read, or of zeros. */
    putPlain(g, tokens, ref) {
      clearRanges(g, ref, tokens === undefined ? [[0, own.size]] : gaps);
      if (tokens !== undefined) putMembers(g, tokens, ref);
    },
    /** The body of this type's own writer. */
    emitWriter(g, ref) {
      g.emit(`if (${isNoObject(g, 'value')}) throw ${g.mismatch}(info, value);`);
      clearRanges(g, ref, gaps);
      putMembers(g, takeMembers(g, 'value', { path: '' }), ref, 'value');
    },
    get,
    literal,
  };
  return codec;
}

/** A reader that is compiled when it is first used: the types of a record may be circular. */
const nestedReader = (type) => (at) => codecs.readerAt(type, at)(at);

/** The same for a writer. */
const nestedWriter = (type) => (value, at, info, store) =>
  codecs.writerAt(type, store, at)(value, at, info);

/** Emits the assignments of a struct's members to the properties of an object. */
function emitAssign(g, own, ref, object = 'object') {
  for (const [member, value] of eachMember(g, own, ref)) emitProperty(g, object, member, value);
}

/** The members of a struct with expressions of their values; emits what those need one by one. */
function* eachMember(g, own, ref) {
  for (const member of own.members) {
    if (member.padding) continue;
    const codec = dynamic.codecOf(own, member) ?? codecs.codecOf(member.type);
    yield [member, codec.get(g, ref.plus(member.offset), ref)];
  }
}

const emitProperty = (g, object, { name }, value) =>
  g.emit(`${object}[${JSON.stringify(name)}] = ${value};`);

/** Emits the reads of all members; for `emitProperties`. */
const readMembers = (g, own, ref) =>
  Array.from(eachMember(g, own, ref), ([member, value]) => [member, g.local(value)]);

/** Emits the assignments of what was read. */
function emitProperties(g, object, read) {
  for (const [member, value] of read) emitProperty(g, object, member, value);
}

module.exports = { emitAssign, emitProperties, isSimple, readMembers, struct };
