'use strict';
// The marshaller compiler: JavaScript functions generated from codecs.
//
//   compileCall      a marshaller: checks arguments, writes the frame, enters native code without
//                    arguments, reads the result
//   compileTask      the same for a call on another thread; returns a promise
//   compileCallback  an unmarshaller: reads the frame of an upcall, calls a JavaScript function,
//                    writes the result
//   compileWriter    moves a value to a heap cell of its own
//   compileReader    reads a value from C's memory
//
// A call that keeps nothing in its frame while C runs uses the fixed frame, whose offsets are
// constants: every argument is in a register or on the C stack before the call, the result is
// stored after it, so calls that nest from C may use the same cells. Any other call takes a frame
// at TOP for its duration (docs/architecture.md, frame memory).

const { native } = require('./loader.js');
const { FIXED, FIXED_SIZE, END, hasExternals } = require('./memory.js');
const { currentTier, emitEntry, emitTextEntry, packedFor } = require('./tier.js');
const { compileDirect } = require('./direct.js');
const { Generator, Ref } = require('./generator.js');

/** Loaded when data leaves frame memory. */
const recordings = () => require('./recording.js');

/**
 * What a dialect says about a function.
 * @typedef {object} Declaration
 * @property {object[]} params codecs
 * @property {object} ret codec
 * @property {number} [fixed] number of fixed parameters of a variadic function
 * @property {string} [convention] stdcall, fastcall or thiscall
 * @property {'list' | 'positions' | 'places'} style arguments come in one array, one by one, or
 *   at certain places of an array, which was checked
 * @property {number[]} [places] these places
 * @property {(info: object, value: unknown) => Error} mismatch the error of a value that does not
 *   fit; `info` is { argument, path, field, expected }, `argument` is undefined for a result of a
 *   callback
 * @property {(count: number, values: unknown) => void} arity checks the argument list when its
 *   length is not right; throws
 * @property {(value: string, errno: string, g: object) => string} [withErrno] when given, errno
 *   is saved, and the result is this expression
 * @property {(error: Error) => unknown} [whenClosed] what a direct marshaller returns instead of
 *   throwing that the library of its function was closed, so that no caller needs a `try`
 * @property {boolean} [freesResult] whether C gives the memory of the result away
 * @property {import('./tier.js').Tier} [tier] how it enters native code
 * @property {Function} [startTask] of a task: instead of the one of tasks.js
 */

/**
 * A function that was compiled but not bound.
 * @typedef {object} Compiled
 * @property {number} signature identifier of the signature
 * @property {boolean} stacked which frame it uses
 * @property {boolean} errno whether errno is saved
 * @property {import('./tier.js').Tier} tier how it enters native code
 * @property {number} [shape] of its direct entry
 * @property {(entry: () => void, name?: string) => Function} link makes the marshaller around a
 *   bound entry; it has a name when its arguments come one by one
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

/** The number of a description of owned memory (src/node/owned.rs); 0 for nothing. */
function describeOwned(owned) {
  const numbers = [];
  const visit = (entries) => {
    numbers.push(entries.length);
    for (const [offset, kind, size, inner] of entries) {
      numbers.push(offset, kind, size);
      if (kind === 2) visit(inner);
    }
  };
  visit(owned);
  return owned.length > 0 ? native.describeOwned(Uint32Array.from(numbers)) : 0;
}

/**
 * Compiles the marshaller of a declaration.
 * @param {Declaration} declaration
 * @returns {Compiled}
 */
function compileCall(declaration) {
  const { params, ret, withErrno } = declaration;
  const frame = frameOf(declaration);
  const tier = declaration.tier ?? currentTier();
  const text = tier.name === 'nowhere' ? undefined : textOf(declaration, frame);
  const stacked =
    frame.keeps ||
    frame.size > FIXED_SIZE ||
    !params.every((codec, i) => codec.simple || text?.strings.includes(i)) ||
    !(ret.simple || ret.readsInPlace);
  const call = { declaration, frame, tier, text, stacked };
  const common = {
    signature: frame.id,
    // A quick call with strings says that its frame is the fixed one.
    stacked: stacked || text?.strings.length > 0,
    errno: withErrno !== undefined,
  };
  if (tier.name !== 'direct') return { ...common, tier, link: linkFramed(call) };
  const packed = () => linkFramed({ ...call, tier: packedFor(tier) });
  const made = text?.returns
    ? 'the result is text'
    : compileDirect(begin(declaration), declaration, frame, tier, emitArguments, packed);
  if (typeof made !== 'string') return { ...common, tier, ...made };
  return { ...common, tier: packedFor(tier, made), link: packed() };
}

/** What text crosses with the calls of a declaration (text-calls.js). */
function textOf(declaration, frame) {
  const { params, ret } = declaration;
  if (ret.text === undefined && params.every(({ text }) => text === undefined)) return undefined;
  return require('./text-calls.js').CallText.of(declaration, frame);
}

/**
 * The link of a marshaller that uses frame memory.
 * @param {{ declaration: Declaration, frame: object, tier: import('./tier.js').Tier,
 *   text?: CallText, stacked: boolean }} call
 */
function linkFramed(call) {
  const { declaration, frame, text, stacked } = call;
  const { params, style } = declaration;
  const positions = style === 'positions';
  const g = begin(declaration);
  g.entry = g.parameter();
  const parameters = emitArguments(g, declaration);
  let emitLeave;
  if (!stacked && text?.strings.length > 0) {
    const general = { ...call, text: text.encoded(), stacked: true };
    const made = g.constant(lazily(() => linkFramed(general)));
    const values = positions ? g.values.join(', ') : 'list';
    emitLeave = () => g.emit(`return (general ??= ${made}(${g.entry}, ''))(${values});`);
    text.emitChecks(g, params, emitLeave);
  }
  const emitBody = (base) => emitCall(g, call, base, emitLeave);
  if (stacked) inFrame(g, frame.size, params, emitBody);
  else g.emit(`return ${emitBody(new Ref(null, FIXED, 64))};`);
  const state = emitLeave && 'let general;';
  return g.template(parameters, { usesArguments: positions, named: positions, state });
}

/** A function of one that is made when it is first called. */
function lazily(make) {
  let made;
  return (...values) => {
    made ??= make();
    return made(...values);
  };
}

/** Emits stores, entry and results of a call; returns the expression of the result. */
function emitCall(g, call, base, emitLeave) {
  const { declaration, frame, tier, text, stacked } = call;
  const { params } = declaration;
  const refs = params.map((_, i) => base.plus(frame.args[i]));
  const crosses = (i) => text?.strings.includes(i);
  const tokens = takeArguments(g, params);
  params.forEach((codec, i) => {
    const place = { value: g.values[i], token: tokens[i], ref: refs[i], quick: !stacked };
    if (crosses(i)) text.put(g, codec, place);
    else codec.put(g, tokens[i], refs[i]);
  });
  if (stacked) g.emit(`u32[FRAME] = ${base};`);
  const held = [];
  params.forEach((codec, i) => {
    if (codec.held && (stacked || !crosses(i))) codec.hold(g, tokens[i], held);
  });
  let result;
  if (text === undefined) emitEntry(g, tier, held);
  else result = emitTextCall(g, call, { base, tokens, refs, held, emitLeave });
  const value = getResult(g, declaration, frame, base, text?.returns ? result : undefined);
  if (!params.some((codec) => codec.after)) return value;
  const kept = g.local(value);
  params.forEach((codec, i) => {
    codec.after?.(g, tokens[i], refs[i]);
  });
  return kept;
}

/** Emits the entry of a call with text; returns the name of its result. */
function emitTextCall(g, call, { base, tokens, refs, held, emitLeave }) {
  const { declaration, frame, tier, text, stacked } = call;
  const { params, ret } = declaration;
  const strings = text.arguments(g);
  const entry = {
    shape: text.shape(stacked, tier),
    strings,
    top: strings.length > 0 ? g.local('u32[TOP]') : 'u32[TOP]',
    read: text.returns ? ret.text.read(base.plus(frame.ret)) : 'undefined',
    returns: text.returns,
  };
  const isShort = tier.name === 'node-api' && !stacked && text.isUtf8(params);
  const top = isShort ? entry.top : undefined;
  entry.short = text.emitLengths(g, params, refs, { quick: !stacked, top });
  const result = emitTextEntry(g, tier, held, entry);
  if (strings.length === 0) return result;
  g.emit(`else if (${text.missed(result)}) {`);
  if (stacked) {
    for (const i of text.strings) {
      g.emit(`if (typeof ${g.values[i]} === 'string') {`);
      params[i].put(g, tokens[i], refs[i]);
      g.emit('}');
    }
    emitTextEntry(g, tier, held, { ...entry, strings: [], result });
  } else emitLeave();
  g.emit('}');
  return result;
}

/**
 * Compiles the marshaller of a call on another thread.
 * @param {Declaration} declaration
 * @param {{ address: bigint, library: number }} callee
 * @returns {Function} returns a promise; errors of arguments are thrown at once
 */
function compileTask(declaration, { address, library }) {
  const { params, withErrno } = declaration;
  const frame = frameOf(declaration);
  const read = compileFrameReader(declaration, frame);
  const g = begin(declaration, { recording: true });
  const parameters = emitArguments(g, declaration);
  const task = g.constant({
    signature: frame.id,
    address,
    library,
    errno: withErrno !== undefined,
    frameSize: frame.size,
    read,
  });
  g.emit(`const outer = ${g.constant(recordings().beginRecording)}();`);
  g.emit('const mark = transient.length;');
  inFrame(
    g,
    frame.size,
    params,
    (base) => {
      const tokens = putArguments(g, params, frame, base);
      g.emit(`u32[FRAME] = ${base.base};`);
      const later = params.map((codec, i) => (codec.after ? codec.later(tokens[i]) : 'undefined'));
      const values = `[${g.values.join(', ')}], mark, [${later.join(', ')}]`;
      const start = declaration.startTask ?? require('./tasks.js').startTask;
      return `${g.constant(start)}(${task}, ${values})`;
    },
    `${g.constant(recordings().endRecording)}(outer);`,
  );
  return g.build(parameters, { usesArguments: declaration.style === 'positions' });
}

/**
 * The function that reads the result from a frame at an offset, once the call has ended elsewhere.
 * `later` holds what arguments left to be done after the call.
 */
function compileFrameReader(declaration, frame) {
  const g = begin(declaration);
  const base = new Ref('frame', 0, native.frameAlign);
  const result = g.local(getResult(g, declaration, frame, base));
  declaration.params.forEach((codec, i) => {
    if (codec.after) codec.after(g, `later[${i}]`, base.plus(frame.args[i]), true);
  });
  g.emit(`return ${result};`);
  return g.build('frame, later');
}

/**
 * Compiles the unmarshaller of a callback.
 * @param {Pick<Declaration, 'params' | 'ret' | 'convention' | 'mismatch'>} declaration
 *   also `holdsFunction`: `link` gets an object whose property `fn` is the function at the time of
 *   a call, or undefined, which gives C zero; and `keepResult`: what is called when a result was written, instead of `promote`, with
 *   the length that `spilled` had before, the EPOCH cell when C entered, and the frame's offset
 * @returns {{ signature: number, owned: number, link: (fn: Function) => () => void }}
 *   `owned` is the number of the description of what the arguments point to
 */
function compileCallback(declaration) {
  const { params, ret, mismatch, holdsFunction, keepResult } = declaration;
  const frame = frameOf(declaration);
  const recording = !ret.simple;
  const owned = params.flatMap((codec, i) =>
    (codec.owned ?? []).map(([at, ...rest]) => [at + frame.args[i], ...rest]),
  );

  const g = begin({ mismatch }, { recording });
  const fn = g.parameter();
  const base = new Ref('frame', 0, native.frameAlign);
  let callee = fn;
  if (holdsFunction) {
    callee = g.local(`${fn}.fn`);
    g.emit(`if (${callee} === undefined) return;`);
  }
  g.emit('const frame = u32[FRAME];');
  // The native side restores TOP and FRAME, whatever happens here.
  if (recording) {
    g.emit(`const outer = ${g.constant(recordings().beginRecording)}();`);
    g.emit('const spills = spilled.length;', 'const epoch = u32[EPOCH];', 'try {');
  }
  const values = params.map((codec, i) => g.local(codec.get(g, base.plus(frame.args[i]))));
  const result = g.local(`${callee}(${values.join(', ')})`);
  if (ret.size > 0) {
    ret.put(g, ret.take(g, result, { argument: undefined, path: '' }), base.plus(frame.ret));
    if (recording) {
      g.emit(
        keepResult
          ? `${g.constant(keepResult)}(spills, epoch, frame);`
          : `${g.constant(recordings().promote)}();`,
      );
    }
  }
  if (recording) {
    g.emit('} finally {');
    g.emit('dropSpilled(spills);');
    g.emit(`${g.constant(recordings().endRecording)}(outer);`, 'u32[EPOCH] = epoch;');
    g.emit('}');
  }
  const link = g.template('');
  return { signature: frame.id, owned: describeOwned(owned), link };
}

/** Whether a value behind a pointer is bytes that own nothing, and fits the fixed frame. */
const isFlat = ({ simple, held, owned, size }) =>
  simple && !held && (owned ?? []).length === 0 && size <= FIXED_SIZE;

/**
 * Compiles a function that moves a value to a heap cell of its own, and returns an External of it.
 */
function compileWriter(codec, mismatch) {
  const { pointee } = codec;
  if (pointee !== undefined && isFlat(pointee) && hasExternals()) {
    return compileFlatWriter(codec, mismatch);
  }
  return compileAnyWriter(codec, mismatch);
}

/** Bytes up to which memory is cleared word by word. */
const SHORT = 64;

/** The same for a pointer to a flat value, where V8 makes the cell and the block behind it. */
function compileFlatWriter(codec, mismatch) {
  const { pointee } = codec;
  const g = begin({ mismatch });
  const general = g.constant(lazily(() => compileAnyWriter(codec, mismatch)));
  g.emit(`if (typeof value !== 'object' || value === null) return ${general}(value);`);
  const token = pointee.take(g, 'value', { argument: 0, path: '' });
  // What lies between the members goes to C as well.
  if (pointee.size > SHORT) g.emit(`clear(${FIXED}, ${pointee.size});`);
  else
    for (let at = 0; at < pointee.size; at += 8) g.write('f64', new Ref(null, FIXED + at, 8), '0');
  pointee.put(g, token, new Ref(null, FIXED, 64));
  g.emit(`return makeCellTo(${FIXED}, ${pointee.size}) ?? ${general}(value);`);
  return g.build('value');
}

/** The same for any value. */
function compileAnyWriter(codec, mismatch) {
  const size = Math.max(codec.size, 1);
  const where = { argument: 0, path: '' };
  if (codec.simple && !codec.held && size <= FIXED_SIZE) {
    const g = begin({ mismatch });
    codec.put(g, codec.take(g, 'value', where), new Ref(null, FIXED, 64));
    g.emit(`return makeCell(${FIXED}, ${size});`);
    return g.build('value');
  }
  const g = begin({ mismatch }, { recording: true });
  g.owning = true;
  g.emit(`const outer = ${g.constant(recordings().beginRecording)}();`);
  inFrame(
    g,
    0,
    [codec],
    () => {
      const at = g.local(`scratch(${size})`);
      g.emit(`if (${at} < 0) throw overflow();`);
      codec.put(g, codec.take(g, 'value', where), new Ref(at, 0, 8));
      g.emit(`${g.constant(recordings().promote)}(${at});`);
      return `getExternal(${at})`;
    },
    `${g.constant(recordings().endRecording)}(outer);`,
  );
  return g.build('value');
}

/** Compiles a function that reads a value from the address in a pointer cell; null for NULL. */
function compileReader(codec) {
  const { BESIDE, fetch, fetchBehindInto, fetchInto } = require('./routines.js');
  const g = begin({});
  // A value of a few bytes, or a pointer to one, needs no frame.
  const fits = (value) => value.simple && value.size <= FIXED_SIZE - (BESIDE - FIXED);
  const { pointee } = codec;
  if (fits(codec) || (pointee !== undefined && fits(pointee))) {
    const value = fits(codec) ? codec : pointee;
    const into = g.constant(value === codec ? fetchInto : fetchBehindInto);
    g.emit(`if (!${into}(cell, ${BESIDE}, ${value.size})) return null;`);
    g.emit(`return ${value.get(g, new Ref(null, BESIDE, 64))};`);
    return g.build('cell');
  }
  inFrame(g, 0, [], () => {
    const at = g.local(`${g.constant(fetch)}(cell, ${codec.size})`);
    g.emit(`if (${at} < 0) return null;`);
    return codec.get(g, new Ref(at, 0, native.frameAlign));
  });
  return g.build('cell');
}

function begin({ mismatch }, options) {
  const g = new Generator(options);
  g.mismatch = g.constant(mismatch);
  return g;
}

/** Emits the check of the argument list; sets `g.values`; returns the function's parameters. */
function emitArguments(g, { params, style, arity, places }) {
  const check = g.constant(arity);
  const count = params.length;
  if (style === 'list') {
    g.emit(`if (!isArray(list) || list.length !== ${count}) ${check}(${count}, list);`);
    g.values = params.map((_, i) => g.local(`list[${i}]`));
    return 'list';
  }
  if (style === 'places') {
    g.values = places.map((place) => g.local(`list[${place}]`));
    return 'list';
  }
  g.values = params.map(() => g.fresh('a'));
  g.emit(`if (arguments.length < ${count}) ${check}(${count}, arguments);`);
  // The parameters behind one with a default are not counted in the function's length.
  return g.values.map((name, i) => (i === 0 ? `${name} = undefined` : name)).join(', ');
}

/**
 * Emits a body between the reservation of a frame of `size` bytes at TOP and its release, which
 * happens whatever the body throws.
 */
function inFrame(g, size, params, emitBody, cleanup) {
  const rounded = Math.ceil(size / native.frameAlign) * native.frameAlign;
  const align = native.frameAlign - 1;
  const spills = params.some((codec) => codec.spills);
  const calls = params.some((codec) => codec.transient);
  g.emit('const top = u32[TOP];');
  g.emit(`const frame = (top + ${align}) & ~${align};`);
  g.emit(`if (frame > ${END - rounded}) throw overflow();`);
  g.emit(`u32[TOP] = frame + ${rounded};`);
  if (spills) g.emit('const spills = spilled.length;');
  if (calls) g.emit('const callbacks = transient.length;');
  g.emit('try {');
  const result = emitBody(new Ref('frame', 0, native.frameAlign));
  g.emit(`return ${result};`);
  g.emit('} finally {');
  g.emit('u32[TOP] = top;');
  if (spills) g.emit('if (spilled.length !== spills) dropSpilled(spills);');
  if (calls) g.emit('if (transient.length !== callbacks) releaseTransient(callbacks);');
  if (cleanup !== undefined) g.emit(cleanup);
  g.emit('}');
}

/** Emits the checks of the arguments; returns their tokens. */
const takeArguments = (g, params) =>
  params.map((codec, i) => codec.take(g, g.values[i], { argument: i, path: '' }));

/** Emits checks and stores of the arguments; returns their tokens. */
function putArguments(g, params, frame, base) {
  const tokens = takeArguments(g, params);
  params.forEach((codec, i) => {
    codec.put(g, tokens[i], base.plus(frame.args[i]));
  });
  return tokens;
}

/**
 * Emits the read of the result; returns its expression. `made` is the name of what the entry has
 * made of it already.
 */
function getResult(g, { ret, withErrno, freesResult }, frame, base, made) {
  const errno =
    withErrno === undefined ? undefined : g.local(g.read('i32', base.plus(frame.errno)));
  const ref = base.plus(frame.ret);
  let value = made ?? ret.get(g, ref);
  if (made !== undefined) ret.text.finish?.(g, ref);
  if (freesResult && ret.owned?.length > 0) {
    value = g.local(value);
    const owned = g.constant(describeOwned(ret.owned));
    g.emit(`${g.constant(native.freeOwned)}(${ref}, ${owned});`);
  }
  return errno === undefined ? value : withErrno(g.local(value), errno, g);
}

module.exports = {
  compileCall,
  compileCallback,
  compileReader,
  compileTask,
  compileWriter,
  describeOwned,
};
