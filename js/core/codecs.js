'use strict';
// Codecs: how a JavaScript value becomes bytes of a C type, and back.
//
// A codec writes the code of a marshaller (see compile.js) in two phases, so that nothing of a
// frame is written before every value of the call was read and checked:
//
//   take(g, value, where)   emits the checks of `value`, an expression without side effects, and
//                           returns a token: whatever `put` needs
//   put(g, token, ref)      emits the stores at a place in frame memory
//   get(g, ref)             emits what is needed to read a place, and returns an expression
//
// and tells
//
//   notation                the C type, in the notation of src/types/notation.rs
//   size, align             in bytes
//   simple                  `put` and `get` take no scratch memory and run no user code, so the
//                           value can travel in the fixed frame
//   sure                    `put` throws nothing, whatever happens
//   gaps                    of a record: offsets and sizes of what `put` leaves as it is
//   readsInPlace            the same for `get` alone
//   transient               `put` may create callbacks that are released after the call
//   spills                  `put` may leave data in `spilled`
//   direct                  how a value travels without memory, if it can (direct.js)
//   held                    the value's own memory is used while C runs; `hold(g, token, held)`
//                           adds the names of values that must be reachable until the call returns
//   text                    how the value crosses with a call as a string (text-calls.js)
//   owned                   pointers in the value that own data: [offset, 1, unit size] for text,
//                           [offset, 2, size, owned] for a block (see src/node/owned.rs)
//
// `where` is what an error says about a value: { argument, path, expected }, and `fail(g,
// condition, value, where, expected)` emits its throw; which error that is, the dialect decides.

const { native } = require('./loader.js');
const direct = require('./direct.js');
const { putInt64 } = require('./int64.js');

const POINTER = { notation: 'ptr', size: native.pointerSize, align: native.pointerSize };

/** Emits `if (condition) throw mismatch(...)`. */
function fail(g, condition, value, where, expected) {
  const info = g.constant({ ...where, expected });
  g.emit(`if (${condition}) throw ${g.mismatch}(${info}, ${value});`);
}

/** How a scalar travels directly. */
function directOf(type, view) {
  if (type === 'number') return direct.numberDirect(view);
  return type === 'boolean' ? direct.booleanDirect : direct.bigintDirect(view === 'i64');
}

/** A number or boolean of one machine type that typed-array stores convert. */
function scalar({ notation, view, size, type, expected, encode, decode }) {
  return {
    notation,
    size,
    align: native.layout(notation)[1],
    view,
    simple: true,
    sure: true,
    direct: directOf(type, view),
    take(g, value, where) {
      fail(g, `typeof ${value} !== '${type}'`, value, where, expected);
      return encode === undefined ? value : encode(value);
    },
    put: (g, token, ref) => g.write(view, ref, token),
    putInto: (g, token, target, at) => g.writeInto(target, view, at, token),
    get(g, ref) {
      const raw = g.read(view, ref);
      return decode === undefined ? raw : decode(raw);
    },
  };
}

/** A 64-bit integer as a JavaScript number (precise up to 2^53). */
function int64Number({ notation, signed, expected }) {
  return {
    notation,
    size: 8,
    align: native.layout(notation)[1],
    simple: true,
    sure: true,
    direct: direct.int64Direct,
    take(g, value, where) {
      fail(g, `typeof ${value} !== 'number'`, value, where, expected);
      return value;
    },
    put: (g, value, ref) => putInt64(g, value, ref, signed),
    get(g, ref) {
      const high = g.read(signed ? 'i32' : 'u32', ref.plus(4));
      return `(${high} * 4294967296 + ${g.read('u32', ref)})`;
    },
  };
}

/**
 * Text that C sees as a pointer, or null for NULL: `putter` and `getter` name functions of
 * memory.js, `unit` is the size of a character; `strict` says that the putter refuses what the
 * encoding cannot hold.
 */
function text({ putter, getter, expected, unit, strict }) {
  const read = (ref) => `${getter}(${ref})`;
  return {
    ...POINTER,
    simple: false,
    text: { unit, strict, exact: true, read },
    readsInPlace: true,
    spills: true,
    direct: unit === 1 ? direct.textDirect : undefined,
    owned: [[0, 1, unit]],
    take(g, value, where) {
      fail(g, `typeof ${value} !== 'string' && ${value} !== null`, value, where, expected);
      return value;
    },
    put(g, token, ref) {
      g.emit(`if (${token} === null) putNull(${ref});`);
      g.emit(`else ${putter}(${token}, ${ref});`);
    },
    get: (g, ref) => g.local(read(ref)),
  };
}

/** A pointer whose JavaScript value is a V8 External, or null for NULL. */
function external({ expected }) {
  return {
    ...POINTER,
    simple: true,
    direct: direct.externalDirect,
    take: (_g, value, where) => ({ value, where }),
    put(g, { value, where }, ref) {
      g.emit(`if (${value} === null) putNull(${ref});`);
      g.emit('else');
      fail(g, `!putExternal(${value}, ${ref})`, value, where, expected);
    },
    get: (g, ref) => g.local(`getExternal(${ref})`),
  };
}

/** A pointer to the live memory of a Buffer or other view. C's writes are seen in JavaScript. */
function liveView({ expected, accept }) {
  return {
    ...POINTER,
    simple: true,
    spills: true,
    held: true,
    direct: direct.viewDirect(accept),
    take(g, value, where) {
      fail(g, `!${g.constant(accept)}(${value})`, value, where, expected);
      return { value, where };
    },
    put(g, { value, where }, ref) {
      fail(g, `putView(${value}, ${ref}) < 0`, value, where, expected);
      if (g.nested || g.recording) g.emit(`keep(${value});`);
    },
    hold: (_g, { value }, held) => held.push(value),
  };
}

/** Nothing: only a result. */
const nothing = {
  notation: 'void',
  size: 0,
  align: 1,
  simple: true,
  get: () => 'undefined',
};

module.exports = {
  POINTER,
  external,
  fail,
  int64Number,
  liveView,
  nothing,
  scalar,
  text,
};
