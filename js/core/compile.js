'use strict';
// The marshaller compiler: one JavaScript function per C signature that checks arguments, writes
// the frame, enters native code without arguments, and reads the result.
//
// A call that keeps nothing in its frame while C runs uses the fixed frame, whose offsets are
// constants: every argument is in a register or on the C stack before the call, the result is
// stored after it, so calls that nest from C may use the same cells. Any other call takes a frame
// at TOP for its duration (docs/architecture.md, frame memory).

const { native } = require('./loader.js');
const { FIXED, FIXED_SIZE, END } = require('./memory.js');
const { Generator, Ref } = require('./generator.js');

/**
 * What a dialect says about a function.
 * @typedef {object} Declaration
 * @property {string} name for messages, and the name of the native function
 * @property {object[]} params codecs
 * @property {object} ret codec
 * @property {number} [fixed] number of fixed parameters of a variadic function
 * @property {string} [convention] stdcall, fastcall or thiscall
 * @property {'list' | 'positions'} style arguments come in one array, or one by one
 * @property {(info: object, value: unknown) => Error} mismatch the error of a value that does not
 *   fit; `info` is { argument, path, expected }
 * @property {(count: number, values: unknown) => void} arity checks the argument list when its
 *   length is not right; throws
 * @property {(value: string, errno: string, g: object) => string} [withErrno] when given, errno
 *   is saved, and the result is this expression
 */

/**
 * A function that was compiled but not bound.
 * @typedef {object} Compiled
 * @property {number} signature identifier of the signature
 * @property {boolean} stacked which frame it uses
 * @property {boolean} errno whether errno is saved
 * @property {(entry: () => void) => Function} link makes the marshaller around a bound entry
 */

/** The signature's text. */
function notation({ params, ret, fixed, convention }) {
  const list = params.map((codec) => codec.notation);
  if (fixed !== undefined) list.splice(fixed, 0, '...');
  return `${convention ? `${convention} ` : ''}(${list.join(', ')}) -> ${ret.notation}`;
}

/** Where the cells of a signature's frame are, in bytes from its start. */
function frameOf(declaration) {
  const [id, size, keeps, ret, errno, ...args] = native.signature(notation(declaration));
  return { id, size, keeps: keeps === 1, ret, errno, args };
}

/**
 * Compiles the marshaller of a declaration.
 * @param {Declaration} declaration
 * @returns {Compiled}
 */
function compile(declaration) {
  const { params, ret, withErrno } = declaration;
  const frame = frameOf(declaration);
  const stacked =
    frame.keeps ||
    frame.size > FIXED_SIZE ||
    !params.every((codec) => codec.simple) ||
    !ret.simple;

  const link = (entry) => {
    const g = new Generator();
    g.Ref = Ref;
    g.mismatch = g.constant(declaration.mismatch);
    g.entry = g.constant(entry);
    const parameters = begin(g, declaration);
    if (stacked) inStackedFrame(g, frame, params, (base) => body(g, declaration, frame, base));
    else g.emit(`return ${body(g, declaration, frame, new Ref(null, FIXED, 64))};`);
    return g.build(parameters);
  };
  return { signature: frame.id, stacked, errno: withErrno !== undefined, link };
}

/** Emits the check of the argument list; sets `g.values`; returns the function's parameters. */
function begin(g, { params, style, arity }) {
  const check = g.constant(arity);
  const count = params.length;
  if (style === 'list') {
    g.emit(`if (!isArray(list) || list.length !== ${count}) ${check}(${count}, list);`);
    g.values = params.map((_, i) => g.local(`list[${i}]`));
    return 'list';
  }
  const names = params.map(() => g.fresh('a'));
  g.emit(`if (arguments.length < ${count}) ${check}(${count}, arguments);`);
  g.values = names;
  return names.join(', ');
}

/** Emits a body between the reservation of a frame at TOP and its release. */
function inStackedFrame(g, frame, params, emitBody) {
  const size = Math.ceil(frame.size / native.frameAlign) * native.frameAlign;
  const align = native.frameAlign - 1;
  const spills = params.some((codec) => codec.spills);
  g.emit('const top = u32[TOP];');
  g.emit(`const frame = (top + ${align}) & ~${align};`);
  g.emit(`if (frame > ${END - size}) throw overflow();`);
  g.emit(`u32[TOP] = frame + ${size};`);
  if (spills) g.emit('const spills = spilled.length;');
  g.emit('try {');
  const result = emitBody(new Ref('frame', 0, native.frameAlign));
  g.emit(`return ${result};`);
  g.emit('} finally {');
  g.emit('u32[TOP] = top;');
  if (spills) g.emit('if (spilled.length !== spills) dropSpilled(spills);');
  g.emit('}');
}

/** Emits arguments, call and result; returns the result's expression. */
function body(g, { params, ret, withErrno }, frame, base) {
  const tokens = params.map((codec, i) =>
    codec.take(g, g.values[i], { argument: i, path: '' }),
  );
  params.forEach((codec, i) => {
    codec.put(g, tokens[i], base.plus(frame.args[i]));
  });
  if (base.base !== null) g.emit(`u32[FRAME] = ${base.base};`);
  g.emit(`${g.entry}();`);
  // A value whose own memory C used must be reachable up to here: it is compared with something
  // that the compiler cannot know.
  params.forEach((codec, i) => {
    if (codec.held) g.emit(`same(${codec.hold(tokens[i])}, ${g.entry});`);
  });
  if (withErrno === undefined) return ret.get(g, base.plus(frame.ret));
  const errno = g.local(g.read('i32', base.plus(frame.errno)));
  const value = g.local(ret.get(g, base.plus(frame.ret)));
  return withErrno(value, errno, g);
}

module.exports = { compile };
